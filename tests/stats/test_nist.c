/* NIST's reference data sets for linear regression: correct digits, -log10 of the relative error, of the worst
 * coefficient and of the worst of standard errors, residual deviation, R-squared and F. Powers are made in double, as a
 * table of them would hold them, and inside, as --poly makes them. The table of tests/README.md:
 *
 *   build/tests/test_stats_nist | grep '^|'
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

/* The same with the powers of a column x, through a table of it. */
static fovea_ols *fit_powers(json_t *set) {
  const size_t n = json_array_size(json_object_get(set, "y"));
  char *names[] = {"x", "y"}, power[32];
  const char *powers[] = {power};
  fovea_table table = {.rows = n, .columns = 2, .names = names};
  table.cells = calloc(2 * n, sizeof *table.cells);
  table.lines = calloc(n, sizeof *table.lines);
  assert_true(table.cells && table.lines);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < 2; j++) {
      table.cells[2 * i + j] = malloc(32);
      assert_non_null(table.cells[2 * i + j]);
    }
    json_t *row = json_array_get(json_object_get(set, "x"), i);
    snprintf(table.cells[2 * i], 32, "%.17g", json_number_value(json_array_get(row, 0)));
    snprintf(table.cells[2 * i + 1], 32, "%.17g", number(set, "y", i));
  }
  snprintf(power, sizeof power, "x:%d", (int)json_integer_value(json_object_get(set, "degree")));
  const fovea_design_options options = {.constant = true, .powers = powers, .power_count = 1};
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  if (fovea_design_from_table(&table, &options, &design) || fovea_ols_fit_design(design, NULL, &ols))
    fail_msg("%s", fovea_error_message());
  fovea_design_destroy(design);
  for (size_t i = 0; i < 2 * n; i++) free(table.cells[i]);
  free(table.cells);
  free(table.lines);
  return ols;
}

typedef struct digits_of {
  double coefficients, rest;
} digits_of;

static digits_of check_fit(json_t *set, fovea_ols *o, double least) {
  const size_t k = json_array_size(json_object_get(set, "coefficients"));
  digits_of d = {15, digits(o->r_squared, number(set, "r_squared", 0))};
  assert_int_equal(o->k, k);
  for (size_t j = 0; j < k; j++) {
    d.coefficients = fmin(d.coefficients, digits(o->coefficients[j], number(set, "coefficients", j)));
    d.rest = fmin(d.rest, digits(o->std_errors[j], number(set, "std_errors", j)));
  }
  d.rest = fmin(d.rest, digits(o->residual_deviation, number(set, "residual_deviation", 0)));
  if (!json_is_null(json_object_get(set, "f_value")))
    d.rest = fmin(d.rest, digits(o->f_value, number(set, "f_value", 0)));
  assert_int_equal(o->rank, k);
  assert_int_equal(o->exact, number(set, "residual_deviation", 0) == 0);
  assert_true(d.coefficients >= least);
  assert_true(d.rest >= least);
  fovea_ols_destroy(o);
  return d;
}

static void check_set(const char *name, json_t *set, double least) {
  problem p = problem_of(set);
  const digits_of stored = check_fit(set, fit(&p), least);
  free(p.x);
  free(p.y);
  printf("| %s | %.1f | %.1f |", name, stored.coefficients, stored.rest);
  if (json_integer_value(json_object_get(set, "degree")) > 1) {
    const digits_of made = check_fit(set, fit_powers(set), 13);
    printf(" %.1f | %.1f |\n", made.coefficients, made.rest);
  } else {
    puts(" | |");
  }
}

static void test_digits(void **state) {
  (void)state;
  json_t *sets = json_load_file(FOVEA_SOURCE_DIR "/tests/golden/nist.json", 0, NULL);
  assert_int_equal(json_object_size(sets), 11);
  puts("| set | coefficients | the rest | with --poly | the rest |\n| --- | --- | --- | --- | --- |");
  const char *name;
  json_t *set;
  json_object_foreach(sets, name, set) { check_set(name, set, strcmp(name, "Filip") == 0 ? 7 : 13); }
  json_decref(sets);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_digits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
