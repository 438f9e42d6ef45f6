/* NIST's reference data sets for linear regression: correct digits, -log10 of the relative error, of the worst
 * coefficient and of the worst of standard errors, residual deviation, R-squared and F, from tables of text. Powers are
 * made in double, as a table of them would hold them, and inside, as --poly makes them. The table of tests/README.md:
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

/* Certified values have 15 digits, to which ours are rounded first: else the certified rounding would count as our
 * error. An exact fit's deviations are certified as 0 and compared to 1. */
static double digits(double exact, double certified) {
  char text[32];
  snprintf(text, sizeof text, "%.15g", exact);
  const double got = strtod(text, NULL);
  double error = certified != 0 ? fabs(got / certified - 1) : fabs(got);
  if (isnan(error)) return 0;
  return error > 0 ? fmin(fmax(-log10(error), 0), 15) : 15;
}

static double number(json_t *set, const char *key, size_t i) {
  json_t *value = json_object_get(set, key);
  return json_number_value(json_is_array(value) ? json_array_get(value, i) : value);
}

/* A table of text as NIST has it, x1 ... and y; 15 digits give back each of its numbers. Of a polynomial the powers are
 * stored, too, rounded as a program that writes them would. */
static fovea_table table_of(json_t *set, bool stored) {
  static char *names[] = {"x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "y"};
  const size_t n = json_array_size(json_object_get(set, "y"));
  const size_t degree = (size_t)json_integer_value(json_object_get(set, "degree"));
  json_t *rows = json_object_get(set, "x");
  const size_t columns = degree > 1 ? (stored ? degree : 1) : json_array_size(json_array_get(rows, 0));
  fovea_table t = {.rows = n, .columns = columns + 1, .names = names + 10 - columns};
  t.cells = calloc(n * t.columns, sizeof *t.cells);
  t.lines = calloc(n, sizeof *t.lines);
  assert_true(t.cells && t.lines && columns <= 10);
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j <= columns; j++) {
      char *cell = t.cells[i * t.columns + j] = malloc(32);
      assert_non_null(cell);
      const double x = json_number_value(json_array_get(json_array_get(rows, i), degree > 1 ? 0 : j));
      if (j == columns)
        snprintf(cell, 32, "%.15g", number(set, "y", i));
      else
        snprintf(cell, 32, degree > 1 && j > 0 ? "%.17g" : "%.15g", degree > 1 ? pow(x, (double)(j + 1)) : x);
    }
  }
  return t;
}

/* `power`: NULL, or "x10:2". */
static fovea_ols *fit(json_t *set, bool stored, const char *power) {
  fovea_table table = table_of(set, stored);
  const fovea_design_options options = {
      .constant = json_is_true(json_object_get(set, "constant")), .powers = &power, .power_count = power != NULL};
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  if (fovea_design_from_table(&table, &options, &design) || fovea_ols_fit_design(design, NULL, &ols))
    fail_msg("%s", fovea_error_message());
  fovea_design_destroy(design);
  for (size_t i = 0; i < table.rows * table.columns; i++) free(table.cells[i]);
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
  const digits_of stored = check_fit(set, fit(set, true, NULL), least);
  const int degree = (int)json_integer_value(json_object_get(set, "degree"));
  printf("| %s | %.1f | %.1f |", name, stored.coefficients, stored.rest);
  if (degree > 1) {
    char power[32];
    snprintf(power, sizeof power, "x10:%d", degree);
    const digits_of made = check_fit(set, fit(set, false, power), 14.5);
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
  json_object_foreach(sets, name, set) { check_set(name, set, strcmp(name, "Filip") == 0 ? 7.2 : 14.5); }
  json_decref(sets);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_digits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
