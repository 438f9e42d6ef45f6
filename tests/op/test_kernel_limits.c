/* A device that says of its kernels that they take fewer work-items a group than it does in general, as GPUs do where a
 * program needs many registers (CL_KERNEL_WORK_GROUP_SIZE): every op finds smaller groups or other tiles, and the bits
 * stay. The device is this one by a GPU's path, its answers wrapped (tests/CMakeLists.txt). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/network.h"
#include "runtime/autotune.h"
#include "runtime/launch.h"
#include "support/device.h"
#include "support/enqueue.h"

enum { SIDE = 7, BATCH = 17, CHANNELS = 9 };

static size_t allowed; /* work-items a group; 0: what is true */
static bool exceeded, asked_for_more;

cl_int __real_clGetKernelWorkGroupInfo(cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void *, size_t *);
cl_int __wrap_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id id, cl_kernel_work_group_info what, size_t size,
                                       void *value, size_t *needed);

cl_int __wrap_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id id, cl_kernel_work_group_info what, size_t size,
                                       void *value, size_t *needed) {
  const cl_int error = __real_clGetKernelWorkGroupInfo(kernel, id, what, size, value, needed);
  if (!error && what == CL_KERNEL_WORK_GROUP_SIZE && allowed && value) *(size_t *)value = allowed;
  return error;
}

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                                     cl_event *done) {
  const size_t items = local[0] * (dimensions > 1 ? local[1] : 1) * (dimensions > 2 ? local[2] : 1);
  asked_for_more |= items > 32;
  if (allowed && items > allowed) {
    exceeded = true;
    return CL_INVALID_WORK_GROUP_SIZE;
  }
  return __real_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, waits, done);
}

/* Winograd's convolutions and their weight gradients, direct ones of 5x5 and of stride 2, dense. */
static void add_ops(fovea_graph *g) {
  fovea_tensor x = fovea_add_input(g, 1, SIDE, SIDE);
  x = fovea_add_conv2d(g, x, "a", &(fovea_conv2d){.filters = CHANNELS, .kernel = 5, .stride = 1, .same = true});
  x = fovea_add_conv2d(g, x, "b", &(fovea_conv2d){.filters = 17, .kernel = 3, .stride = 1, .same = true});
  x = fovea_add_conv2d(g, x, "c", &(fovea_conv2d){.filters = CHANNELS, .kernel = 3, .stride = 2, .same = true});
  x = fovea_add_dense(g, x, "d", SIDE * SIDE, true);
  x = fovea_add_reshape(g, x, 1, SIDE, SIDE);
  fovea_add_sigmoid_bce(g, x);
}

/* Every parameter after a step, which the caller frees. */
static float *train(const fovea_graph *graph, size_t *count) {
  uint8_t pixels[BATCH * SIDE * SIDE];
  fovea_network *net = NULL;
  float *all = NULL;
  *count = 0;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + i / 11);
  OK(fovea_network_create(device, graph, &(fovea_network_options){.batch = BATCH, .seed = 3, .training = true}, &net));
  OK(fovea_network_train_step(net, pixels, NULL, BATCH, 0.01f));
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    float *more = realloc(all, (*count + p->count) * sizeof *more);
    assert_non_null(more);
    all = more;
    OK(fovea_network_get(net, i, FOVEA_VALUE, all + *count));
    *count += p->count;
  }
  fovea_network_destroy(net);
  return all;
}

static void smaller_groups(void **state) {
  (void)state;
  static const size_t limits[] = {64, 16};
  fovea_graph *graph = NULL;
  size_t own_count = 0;
  OK(fovea_graph_create(&graph));
  add_ops(graph);
  float *own = train(graph, &own_count);
  assert_true(asked_for_more);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    size_t count = 0;
    allowed = limits[i];
    device->limit_count = 0;
    float *other = train(graph, &count);
    assert_false(exceeded);
    assert_true(device->limits_found > 0);
    assert_int_equal(own_count, count);
    assert_memory_equal(own, other, count * sizeof *own);
    free(other);
  }
  free(own);
  fovea_graph_destroy(graph);
}

/* Too few for any of a kernel's groups: an error that says so, not a loop. */
static void too_few(void **state) {
  (void)state;
  fovea_graph *graph = NULL;
  fovea_network *net = NULL;
  OK(fovea_graph_create(&graph));
  add_ops(graph);
  allowed = 8;
  assert_int_equal(
      fovea_network_create(device, graph, &(fovea_network_options){.batch = BATCH, .training = true}, &net),
      FOVEA_DEVICE);
  if (!strstr(fovea_error_message(), "a work-group of 16 is more than") || !strstr(fovea_error_message(), "(8)"))
    fail_msg("%s", fovea_error_message());
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  allowed = 0;
}

static int open_gpu_path(void **state) {
  setenv("FOVEA_VECTOR", "1", 1);
  return open_device(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(smaller_groups), cmocka_unit_test(too_few)};
  return cmocka_run_group_tests(tests, open_gpu_path, close_device);
}
