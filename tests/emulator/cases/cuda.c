/* The engine by the CUDA driver, with the fake library: queues, events, what has no way there. Without the library: no
 * device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { COUNT = 1024 };

static harness h;
static const size_t N = COUNT, LOCAL = 64, P = sizeof(cl_mem), NONE = 0;

static cl_event enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint count, const cl_event *waits) {
  cl_event event;
  assert_int_equal(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &N, &LOCAL, count, waits, &event), CL_SUCCESS);
  clReleaseKernel(kernel);
  return event;
}

/* x = 3 x on one queue, y += x + 5 on another that waits for it, x += y + 7 on the first that waits for that. The fake
 * does a queue's commands no sooner than they are waited for, so that a lost event gives other numbers. */
static void test_queues(void **state) {
  (void)state;
  static uint32_t from[COUNT], x[COUNT], y[COUNT];
  cl_command_queue other = clCreateCommandQueue(h.context, h.device, 0, NULL);
  assert_non_null(other);
  for (uint32_t i = 0; i < COUNT; i++) from[i] = i;
  cl_mem a = harness_buffer(&h, sizeof from, NULL), b = harness_buffer(&h, sizeof from, from);
  assert_int_equal(clEnqueueWriteBuffer(h.queue, a, CL_FALSE, 0, sizeof from, from, 0, NULL, NULL), CL_SUCCESS);
  memset(from, 0xee, sizeof from); /* the bytes were taken */
  const cl_uint five = 5, seven = 7;
  cl_event e[3];
  e[0] = enqueue(h.queue, harness_kernel(&h, "times_three", P, &a, NONE), 0, NULL);
  e[1] = enqueue(other, harness_kernel(&h, "plus", P, &b, P, &a, sizeof five, &five, NONE), 1, &e[0]);
  e[2] = enqueue(h.queue, harness_kernel(&h, "plus", P, &a, P, &b, sizeof seven, &seven, NONE), 1, &e[1]);
  cl_int done = CL_COMPLETE;
  assert_int_equal(clGetEventInfo(e[2], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof done, &done, NULL), CL_SUCCESS);
  assert_int_equal(done, CL_RUNNING);
  harness_read(&h, a, sizeof x, x);
  assert_int_equal(clGetEventInfo(e[2], CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof done, &done, NULL), CL_SUCCESS);
  assert_int_equal(done, CL_COMPLETE);
  assert_int_equal(clEnqueueReadBuffer(other, b, CL_TRUE, 0, sizeof y, y, 0, NULL, NULL), CL_SUCCESS);
  for (uint32_t i = 0; i < COUNT; i++) {
    assert_int_equal(y[i], i + 3 * i + 5);
    assert_int_equal(x[i], 3 * i + y[i] + 7);
  }
  cl_ulong before = 0;
  for (int i = 0; i < 3; i++) {
    cl_ulong begin = 0, end = 0;
    assert_int_equal(clGetEventProfilingInfo(e[i], CL_PROFILING_COMMAND_START, sizeof begin, &begin, NULL), CL_SUCCESS);
    assert_int_equal(clGetEventProfilingInfo(e[i], CL_PROFILING_COMMAND_END, sizeof end, &end, NULL), CL_SUCCESS);
    if (begin == 0 || end < begin || end < before) fail_msg("event %d: %lu to %lu", i, begin, end);
    before = end;
    clReleaseEvent(e[i]);
  }
  clReleaseMemObject(a);
  clReleaseMemObject(b);
  clReleaseCommandQueue(other);
}

/* A buffer is released while a command still needs it, and a kernel's argument is set anew. */
static void test_lives(void **state) {
  (void)state;
  uint32_t x[COUNT], y[COUNT];
  for (uint32_t i = 0; i < COUNT; i++) x[i] = i * i;
  cl_mem a = harness_buffer(&h, sizeof x, x), b = harness_buffer(&h, sizeof x, x);
  cl_uint n = 1;
  cl_kernel k = harness_kernel(&h, "plus", P, &a, P, &b, sizeof n, &n, NONE);
  assert_int_equal(clEnqueueNDRangeKernel(h.queue, k, 1, NULL, &N, &LOCAL, 0, NULL, NULL), CL_SUCCESS);
  n = 1000;
  assert_int_equal(clSetKernelArg(k, 2, sizeof n, &n), CL_SUCCESS);
  clReleaseKernel(k);
  clReleaseMemObject(b);
  harness_read(&h, a, sizeof y, y);
  for (uint32_t i = 0; i < COUNT; i++) assert_int_equal(y[i], 2 * i * i + 1);
  clReleaseMemObject(a);
}

static void refused(cl_kernel kernel, const size_t *offset, cl_int error, const char *wanted) {
  char said[1024];
  const cl_int got = harness_launch(&h, kernel, 1, offset, &N, &LOCAL, said, sizeof said);
  if (got != error || !strstr(said, wanted)) fail_msg("error %d, and stderr says: %s", got, said);
}

static void test_no_way(void **state) {
  (void)state;
  const size_t offset = 64;
  cl_mem a = harness_buffer(&h, COUNT * sizeof(uint32_t), NULL);
  refused(harness_kernel(&h, "times_three", P, &a, NONE), &offset, CL_INVALID_GLOBAL_OFFSET,
          "cuda: kernel times_three: a range that does not begin at 0 has no way here");
  refused(harness_kernel(&h, "with_local", P, &a, LOCAL * 4, (void *)NULL, NONE), NULL, CL_INVALID_KERNEL_ARGS,
          "cuda: kernel with_local: an argument in local memory has no way here");
  clReleaseMemObject(a);
}

static void test_log(void **state) {
  (void)state;
  harness unknown;
  assert_false(harness_build(&unknown, "refused.cl", "-cl-std=CL1.2 -DUNKNOWN"));
  if (!strstr(unknown.log, "the CUDA driver does not take its PTX: kernel sine: unknown instruction sin.approx.f32"))
    fail_msg("the log is: %s", unknown.log);
  harness_close(&unknown);
}

static void test_description(void **state) {
  (void)state;
  char name[256];
  cl_uint units = 0;
  cl_ulong local = 0;
  assert_int_equal(clGetDeviceInfo(h.device, CL_DEVICE_NAME, sizeof name, name, NULL), CL_SUCCESS);
  assert_string_equal(name, "fake card 7, emulated by the CUDA driver, clang's PTX");
  assert_int_equal(clGetDeviceInfo(h.device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL), CL_SUCCESS);
  assert_int_equal(clGetDeviceInfo(h.device, CL_DEVICE_LOCAL_MEM_SIZE, sizeof local, &local, NULL), CL_SUCCESS);
  assert_int_equal(units, 108);
  assert_int_equal(local, 49152);
}

static int without_device(void) {
  cl_platform_id platform;
  cl_device_id device;
  if (clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS) return 1;
  if (clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_DEVICE_NOT_FOUND) return 1;
  fprintf(stderr, "there is no device\n");
  return 0;
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "without") == 0) return without_device();
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  if (!harness_build(&h, "cuda.cl", "-cl-std=CL1.2")) {
    fprintf(stderr, "%s\n", h.log);
    return 1;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_queues), cmocka_unit_test(test_lives),
                                     cmocka_unit_test(test_no_way), cmocka_unit_test(test_log),
                                     cmocka_unit_test(test_description)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  harness_close(&h);
  return failed;
}
