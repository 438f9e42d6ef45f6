/* For Oclgrind, which looks for races: a step of small networks with the kernels of a GPU's path that work in groups,
 * for which `fovea check --small` has no shape. Fails where a kernel of a file with a barrier, or of `others`, was not
 * launched. That results are right is for the tests of op/. */
#include <CL/cl.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/network.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/enqueue.h"

enum { MOST_KERNELS = 64, NAME = 64 };

static char launched[MOST_KERNELS][NAME];
static int launched_count;

static bool was_launched(const char *name) {
  for (int i = 0; i < launched_count; i++)
    if (strcmp(launched[i], name) == 0) return true;
  return false;
}

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                                     cl_event *event) {
  char name[NAME] = "";
  clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
  if (!was_launched(name) && launched_count < MOST_KERNELS) memcpy(launched[launched_count++], name, sizeof name);
  return __real_clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, count, waits, event);
}

/* --- the networks ------------------------------------------------------------------------------------------------- */

enum { CHANNELS = 8, TALL = 264, TALL_BATCH = 32 };

static const fovea_conv2d wide = {.filters = CHANNELS, .kernel = 3, .stride = 1, .bias = true, .same = true};
static const fovea_conv2d narrow = {.filters = 4, .kernel = 3, .stride = 1, .bias = true, .same = true};
static const fovea_conv2d one = {.filters = 1, .kernel = 1, .stride = 1, .same = true};

static fovea_graph *begin(int height, int width) {
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  assert_int_equal(fovea_add_input(graph, 1, height, width), 0);
  return graph;
}

/* A step, and an evaluation if `evaluates`, of all images but one; `ranks` NULL: alone. */
static void step_of(const fovea_ranks *ranks, fovea_graph *graph, fovea_tensor x, int batch, bool evaluates) {
  static uint8_t pixels[TALL * TALL_BATCH];
  fovea_network *network = NULL;
  fovea_losses losses;
  const int count = batch > 1 ? batch - 1 : 1;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * i % 251);
  fovea_add_sigmoid_bce(graph, x);
  const fovea_network_options options = {.batch = batch, .seed = 1, .training = true, .ranks = ranks};
  OK(fovea_network_create(device, graph, &options, &network));
  OK(fovea_network_train_step(network, pixels, NULL, (size_t)count, 0.01F));
  if (evaluates) OK(fovea_network_evaluate(network, pixels, NULL, (size_t)count, 0));
  OK(fovea_network_losses(network, &losses));
  assert_true(losses.bce > 0 && losses.bce < 10);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

static void step(fovea_graph *graph, fovea_tensor x, int batch, bool evaluates) {
  step_of(NULL, graph, x, batch, evaluates);
}

static void test_groups(void **state) {
  (void)state;
  fovea_graph *graph = begin(8, 8);
  const fovea_tensor x = fovea_add_conv2d(graph, 0, "head", &wide);
  const fovea_tensor y = fovea_add_conv2d(graph, fovea_add_batchnorm(graph, x, "norm", 0.9F, 1e-3F), "wide", &wide);
  step(graph, fovea_add_conv2d(graph, fovea_add_residual(graph, y, x), "tail", &one), 17, false);
}

/* On a device that says so of its work-groups and local memory. */
static void step_within(size_t group, uint64_t local, fovea_graph *graph, fovea_tensor x, int batch, bool evaluates) {
  const fovea_device_info info = device->info;
  const fovea_tuning tuning = device->tuning;
  device->info.max_work_group_size = group;
  device->info.local_memory = local;
  if (device->tuning.group > group) device->tuning.group = group;
  step(graph, x, batch, evaluates);
  device->info = info;
  device->tuning = tuning;
}

/* Sums take a launch for the blocks of images and one for all. */
static void test_small_groups(void **state) {
  (void)state;
  fovea_graph *graph = begin(3, 2);
  fovea_tensor x = fovea_add_batchnorm(graph, fovea_add_conv2d(graph, 0, "head", &narrow), "norm", 0.9F, 1e-3F);
  x = fovea_add_spatial_attention(graph, fovea_add_conv2d(graph, x, "narrow", &narrow), "normalized");
  x = fovea_add_spatial_attention(graph, fovea_add_batchnorm(graph, x, "fused", 0.9F, 1e-3F), "alone");
  x = fovea_add_dense(graph, x, "code", 1, false);
  x = fovea_add_reshape(graph, fovea_add_dense(graph, x, "tail", 3 * 2, true), 1, 3, 2);
  step_within(32, device->info.local_memory, graph, x, 33, true);
}

/* A tile of Winograd's convolution takes more. */
static void test_little_local_memory(void **state) {
  (void)state;
  fovea_graph *graph = begin(8, 8);
  const fovea_tensor x = fovea_add_conv2d(graph, fovea_add_conv2d(graph, 0, "head", &wide), "wide", &wide);
  step_within(16, 5 << 10, graph, fovea_add_conv2d(graph, x, "tail", &one), 1, false);
}

/* More rows of the loss than one work-group is given. */
static void test_rows(void **state) {
  (void)state;
  fovea_graph *graph = begin(TALL, 1);
  step(graph, fovea_add_conv2d(graph, 0, "tail", &one), TALL_BATCH, false);
}

/* The other rank has what this one has. */
static fovea_status begin_alike(void *user, void *data, const size_t *bytes, void **request) {
  (void)user;
  memcpy((uint8_t *)data + bytes[0], data, bytes[1]);
  *request = NULL;
  return FOVEA_OK;
}

static fovea_status end_alike(void *user, void *request) {
  (void)user, (void)request;
  return FOVEA_OK;
}

static void test_ranks(void **state) {
  (void)state;
  const fovea_ranks two = {.rank = 0, .count = 2, .begin = begin_alike, .end = end_alike, .sync_batchnorm = true};
  fovea_graph *graph = begin(3, 2);
  const fovea_tensor x = fovea_add_batchnorm(graph, fovea_add_conv2d(graph, 0, "head", &narrow), "norm", 0.9F, 1e-3F);
  step_of(&two, graph, fovea_add_conv2d(graph, x, "tail", &one), 64, true);
}

/* --- what has been launched --------------------------------------------------------------------------------------- */

/* A GPU's path takes none of these. */
static bool is_for_cpus(const char *file) {
  static const char *const parts[] = {"_blocked.cl", "_few.cl", "spatial_attention_forward.cl",
                                      "spatial_attention_backward.cl"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (strstr(file, parts[i])) return true;
  return false;
}

static int missing_of(const char *file) {
  char path[600];
  static char text[1 << 16];
  snprintf(path, sizeof path, FOVEA_SOURCE_DIR "/cl/%s", file);
  FILE *opened = fopen(path, "r");
  assert_non_null(opened);
  text[fread(text, 1, sizeof text - 1, opened)] = '\0';
  fclose(opened);
  if (!strstr(text, "barrier(") && !strstr(text, "\"common/reduce.clh\"")) return 0;
  int missing = 0;
  for (const char *at = text; (at = strstr(at, "kernel void ")); at++) {
    char name[NAME];
    if (sscanf(at, "kernel void %63[a-z_0-9]", name) != 1 || was_launched(name)) continue;
    fprintf(stderr, "%s: %s was not launched\n", file, name);
    missing++;
  }
  return missing;
}

static void test_all_were_launched(void **state) {
  (void)state;
  static const char *const others[] = {"winograd",   "pack_weights",  "residual_backward", "residual_forward",
                                       "ranks_sums", "ranks_moments", "ranks_statistics",  "ranks_backward_statistics"};
  int missing = 0, files = 0;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (!was_launched(others[i])) missing++, fprintf(stderr, "%s was not launched\n", others[i]);
  DIR *folder = opendir(FOVEA_SOURCE_DIR "/cl");
  assert_non_null(folder);
  for (const struct dirent *entry; (entry = readdir(folder));) {
    if (!strstr(entry->d_name, ".cl") || is_for_cpus(entry->d_name)) continue;
    missing += missing_of(entry->d_name);
    files++;
  }
  closedir(folder);
  assert_true(files > 20);
  assert_int_equal(missing, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_groups), cmocka_unit_test(test_small_groups), cmocka_unit_test(test_little_local_memory),
      cmocka_unit_test(test_rows),   cmocka_unit_test(test_ranks),        cmocka_unit_test(test_all_were_launched)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
