/* EMULATOR_RECIPROCAL and EMULATOR_ROOT, which this is started with, do what they say: settings.cl. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

enum { COUNT = 256 };

/* The float that the setting wants: "exact", "up", "down" of what is exact, from which x, the nearest, is off by a
 * number of `error`'s sign. */
static float beside(const char *variable, float x, double error) {
  const char *how = getenv(variable);
  if (how && strcmp(how, "up") == 0 && error <= 0) return nextafterf(x, INFINITY);
  if (how && strcmp(how, "down") == 0 && error >= 0) return nextafterf(x, 0);
  return x;
}

static void test_settings(void **state) {
  (void)state;
  harness h;
  float x[COUNT], y[2 * COUNT];
  const size_t n = COUNT, p = sizeof(cl_mem), none = 0, local = 64;
  if (!harness_build(&h, "settings.cl", "-cl-std=CL1.2")) fail_msg("%s", h.log);
  for (int i = 0; i < COUNT; i++)
    x[i] = 1.0625F + 0.125F * (float)i; /* no powers of two: their reciprocals are exact */
  cl_mem from = harness_buffer(&h, sizeof x, x), to = harness_buffer(&h, sizeof y, NULL);
  cl_kernel k = harness_kernel(&h, "approximations", p, &from, p, &to, none);
  assert_int_equal(harness_launch(&h, k, 1, NULL, &n, &local, NULL, 0), CL_SUCCESS);
  harness_read(&h, to, sizeof y, y);
  for (int i = 0; i < COUNT; i++) {
    const float inverse = 1.0F / x[i], square_root = sqrtf(x[i]);
    const double z = (double)x[i], over = (double)inverse * z - 1,
                 over_root = (double)square_root * (double)square_root - z;
    const float reciprocal = beside("EMULATOR_RECIPROCAL", inverse, over);
    const float root = beside("EMULATOR_ROOT", square_root, over_root);
    if (y[i] != reciprocal || y[COUNT + i] != root)
      fail_msg("of %a: reciprocal %a, not %a; root %a, not %a", (double)x[i], (double)y[i], (double)reciprocal,
               (double)y[COUNT + i], (double)root);
  }
  clReleaseMemObject(from);
  clReleaseMemObject(to);
  harness_close(&h);
}

int main(void) {
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
