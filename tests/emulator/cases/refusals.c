/* What is not known or not allowed is an error that names it: refused.cl. */
#include <stdio.h>
#include <string.h>

#include "harness.h"

static void test_unknown_instruction(void **state) {
  (void)state;
  harness h;
  assert_false(harness_build(&h, "refused.cl", "-cl-std=CL1.2 -DUNKNOWN"));
  const char *wanted = harness_is_nvidia() ? "kernel sine: unknown instruction sin.approx.f32, in: sin.approx.f32"
                                           : "kernel sine: unknown instruction v_sin_f32";
  if (!strstr(h.log, wanted)) fail_msg("the log is: %s", h.log);
  harness_close(&h);
}

static void test_error_in_source(void **state) {
  (void)state;
  harness h;
  assert_false(harness_build(&h, "refused.cl", "-cl-std=CL1.2 -D__kernel=kernal"));
  if (!strstr(h.log, "error:")) fail_msg("the log is: %s", h.log);
  harness_close(&h);
}

/* A launch of 128 items in one group fails, and says this. */
static void fails(const char *kernel, cl_uint few, const char *wanted) {
  harness h;
  char said[1024];
  const size_t n = 128, p = sizeof(cl_mem), none = 0;
  if (!harness_build(&h, "refused.cl", "-cl-std=CL1.2")) fail_msg("%s", h.log);
  cl_mem x = harness_buffer(&h, n * 4, NULL);
  cl_kernel k = harness_kernel(&h, kernel, p, &x, sizeof few, &few, none);
  const cl_int error = harness_launch(&h, k, 1, NULL, &n, &n, said, sizeof said);
  if (error != (*wanted ? CL_OUT_OF_RESOURCES : CL_SUCCESS) || !strstr(said, wanted) ||
      (*wanted && !strstr(said, kernel)))
    fail_msg("%s, %u: error %d, and stderr says: %s", kernel, few, error, said);
  clReleaseMemObject(x);
  harness_close(&h);
}

static void test_barriers(void **state) {
  (void)state;
  const bool nvidia = harness_is_nvidia();
  fails("some_items", 10,
        nvidia ? "a barrier that only some of a warp's threads reach: bar.sync"
               : "a barrier that only some of a wave's work-items reach: s_barrier");
  fails(
      "some_items", 64,
      nvidia ? "a barrier that not every wave reaches: bar.sync" : "a barrier that not every wave reaches: s_barrier");
  fails("some_items", 128, "");
  fails("two_barriers", 64,
        nvidia ? "waves of a group wait at different barriers: bar.sync"
               : "waves of a group wait at different barriers: s_barrier");
  fails("two_barriers", 128, "");
}

static void test_addresses(void **state) {
  (void)state;
  const bool nvidia = harness_is_nvidia();
  fails("beyond_local", 1,
        nvidia ? "an address beyond shared memory: ld.shared" : "an address beyond local memory: ds_");
  fails("beyond_local", 0, "");
  fails("beyond_global", 1,
        nvidia ? "an address beyond its buffers: st.global" : "an address beyond its buffers: global_store");
  fails("beyond_global", 0, "");
}

/* AMD's code has constants behind it and private memory as it comes. */
static void test_other_addresses(void **state) {
  (void)state;
  fails("beyond_constants", 1, "an address beyond constant memory: ld.const");
  fails("beyond_constants", 0, "");
  fails("beyond_private", 9, "an address beyond private memory: ld.local");
  fails("beyond_private", 8, "");
  fails("odd_address", 2, "an address that is no multiple of its size: st.global");
  fails("odd_address", 4, "");
}

static void test_undefined_function(void **state) {
  (void)state;
  harness h;
  assert_false(harness_build(&h, "refused.cl", "-cl-std=CL1.2 -DUNDEFINED"));
  if (!strstr(h.log, "it calls nowhere, which it does not define")) fail_msg("the log is: %s", h.log);
  harness_close(&h);
}

int main(void) {
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown_instruction), cmocka_unit_test(test_error_in_source),
                                     cmocka_unit_test(test_barriers), cmocka_unit_test(test_addresses)};
  const struct CMUnitTest of_nvidia[] = {cmocka_unit_test(test_other_addresses),
                                         cmocka_unit_test(test_undefined_function)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  if (harness_is_nvidia()) failed += cmocka_run_group_tests(of_nvidia, NULL, NULL);
  return failed;
}
