/* NIST's reference data sets for linear regression: correct digits, -log10 of the relative error, of the worst
 * coefficient and of the worst of standard errors, residual deviation, R-squared and F. `ctest -R stats/nist -V` prints
 * them. Powers are made in double, as a table of them would hold them: of Filip's, the tenth degree, 7 digits are left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/stats.h"

/* Certified values have 15 digits. An exact fit's deviations are certified as 0 and compared to 1. */
static double digits(double got, double certified) {
  double error = certified != 0 ? fabs(got / certified - 1) : fabs(got);
  if (isnan(error)) return 0;
  return error > 0 ? fmin(fmax(-log10(error), 0), 15) : 15;
}

static double number(json_t *set, const char *key, size_t i) {
  json_t *value = json_object_get(set, key);
  return json_number_value(json_is_array(value) ? json_array_get(value, i) : value);
}

typedef struct problem {
  size_t n, k;
  double *x, *y;
} problem;

static problem problem_of(json_t *set) {
  size_t constant = json_is_true(json_object_get(set, "constant"));
  size_t degree = (size_t)json_integer_value(json_object_get(set, "degree"));
  problem p = {json_array_size(json_object_get(set, "y")), json_array_size(json_object_get(set, "coefficients")), 0, 0};
  p.x = malloc(p.n * p.k * sizeof *p.x);
  p.y = malloc(p.n * sizeof *p.y);
  assert_true(p.x && p.y && p.n > 2);
  for (size_t i = 0; i < p.n; i++) {
    json_t *row = json_array_get(json_object_get(set, "x"), i);
    double *x = p.x + i * p.k, power = 1;
    p.y[i] = number(set, "y", i);
    for (size_t j = 0; j < p.k; j++) {
      bool is_constant = constant && j == 0;
      if (degree > 1)
        x[j] = is_constant ? 1 : (power *= json_number_value(json_array_get(row, 0)));
      else
        x[j] = is_constant ? 1 : json_number_value(json_array_get(row, j - constant));
    }
  }
  return p;
}

static fovea_ols *fit(const problem *p) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"};
  fovea_ols *ols = NULL;
  if (fovea_ols_fit(p->y, p->x, p->n, p->k, "y", names, &ols)) fail_msg("%s", fovea_error_message());
  return ols;
}

static void check_set(const char *name, json_t *set, double least) {
  problem p = problem_of(set);
  fovea_ols *o = fit(&p);
  double coefficients = 15, rest = digits(o->r_squared, number(set, "r_squared", 0));
  for (size_t j = 0; j < p.k; j++) {
    double se = number(set, "std_errors", j);
    coefficients = fmin(coefficients, digits(o->coefficients[j], number(set, "coefficients", j)));
    rest = fmin(rest, digits(o->std_errors[j], se));
  }
  /* the residual deviation is what the standard errors are made of; its own place is F */
  if (!json_is_null(json_object_get(set, "f_value"))) rest = fmin(rest, digits(o->f_value, number(set, "f_value", 0)));
  print_message("%-9s rank %2zu, digits: coefficients %4.1f, the rest %4.1f\n", name, o->rank, coefficients, rest);
  assert_int_equal(o->rank, p.k);
  assert_int_equal(o->exact, number(set, "residual_deviation", 0) == 0);
  assert_true(coefficients >= least);
  assert_true(rest >= least);
  fovea_ols_destroy(o);
  free(p.x);
  free(p.y);
}

static void test_digits(void **state) {
  (void)state;
  json_t *sets = json_load_file(FOVEA_SOURCE_DIR "/tests/golden/nist.json", 0, NULL);
  assert_int_equal(json_object_size(sets), 11);
  const char *name;
  json_t *set;
  json_object_foreach(sets, name, set) { check_set(name, set, strcmp(name, "Filip") == 0 ? 7 : 13); }
  json_decref(sets);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_digits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
