/* Tail probabilities against mpmath's at 60 digits: |a - b| <= 1e-13 |b|, over tails down to 1e-290. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stats/distributions.h"

static double evaluate(const char *name, const double *a) {
  if (strcmp(name, "t_sf") == 0) return fovea_student_t_sf(a[0], a[1]);
  if (strcmp(name, "t_isf") == 0) return fovea_student_t_isf(a[0], a[1]);
  if (strcmp(name, "f_sf") == 0) return fovea_f_sf(a[0], a[1], a[2]);
  if (strcmp(name, "chi2_sf") == 0) return fovea_chi2_sf(a[0], a[1]);
  if (strcmp(name, "normal_sf") == 0) return fovea_normal_sf(a[0]);
  fail_msg("unknown function %s", name);
  return NAN;
}

static void test_goldens(void **state) {
  (void)state;
  json_t *rows = json_load_file(FOVEA_SOURCE_DIR "/tests/golden/regress/distributions.json", 0, NULL);
  assert_non_null(rows);
  assert_true(json_array_size(rows) > 200);
  size_t i;
  json_t *row;
  int bad = 0;
  json_array_foreach(rows, i, row) {
    const char *name = json_string_value(json_array_get(row, 0));
    double a[3] = {0}, expected = json_number_value(json_array_get(row, 2));
    for (size_t j = 0; j < 3; j++) a[j] = json_number_value(json_array_get(json_array_get(row, 1), j));
    double got = evaluate(name, a), error = fabs(got - expected) / expected;
    if (error <= 1e-13) continue;
    print_error("%s(%.17g, %g, %g) = %.17g, expected %.17g: relative error %.1e\n", name, a[0], a[1], a[2], got,
                expected, error);
    bad++;
  }
  json_decref(rows);
  assert_int_equal(bad, 0);
}

static void test_edges(void **state) {
  (void)state;
  assert_true(fovea_student_t_sf(INFINITY, 5) == 0);
  assert_true(fovea_student_t_sf(-INFINITY, 5) == 1);
  assert_true(fovea_student_t_sf(0, 5) == 0.5);
  assert_true(fovea_f_sf(INFINITY, 2, 5) == 0);
  assert_true(fovea_f_sf(-1, 2, 5) == 1);
  assert_true(fovea_chi2_sf(INFINITY, 2) == 0);
  assert_true(fovea_chi2_sf(0, 2) == 1);
  assert_true(isnan(fovea_student_t_sf(NAN, 5)));
  assert_true(isnan(fovea_student_t_sf(1, 0)));
  assert_true(isnan(fovea_student_t_isf(0.025, 0)));
  assert_true(isnan(fovea_student_t_isf(0.5, 3)));
  assert_true(isnan(fovea_f_sf(1, 0, 5)));
  assert_true(isnan(fovea_f_sf(NAN, 1, 5)));
  assert_true(isnan(fovea_chi2_sf(NAN, 2)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens), cmocka_unit_test(test_edges)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
