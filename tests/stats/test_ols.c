/* The fit's numbers against statsmodels 0.13.5: |a - b| <= 1e-10 |b|, or what a case says, and NaN where it has NaN.
 * Confidence limits get 1e-7 times the interval: scipy 1.10's t quantile (cdflib) has errors of 1e-8, ours is checked
 * in test_distributions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/stats.h"
#include "stats/regress_cases.h"

static int bad;

static void check_number(const char *where, const char *key, size_t i, json_t *golden, double got, double tolerance,
                         double scale) {
  double expected = json_is_null(golden) ? NAN : json_number_value(golden);
  if (!json_is_number(golden) && !json_is_null(golden)) fail_msg("%s: the golden has no %s", where, key);
  if (json_is_null(golden) ? !isfinite(got) : fabs(got - expected) <= tolerance * (fabs(expected) + scale)) return;
  print_error("%s: %s[%zu] is %.17g, expected %.17g\n", where, key, i, got, expected);
  bad++;
}

static void check_array(const char *where, const char *key, json_t *golden, const double *got, size_t k,
                        double tolerance) {
  json_t *array = json_object_get(golden, key);
  assert_int_equal(json_array_size(array), k);
  /* a coefficient that is zero but for rounding is compared to the others */
  double scale = 0;
  for (size_t i = 0; i < k; i++) scale = fmax(scale, 1e-5 * fabs(json_number_value(json_array_get(array, i))));
  for (size_t i = 0; i < k; i++) check_number(where, key, i, json_array_get(array, i), got[i], tolerance, scale);
}

static void check_intervals(const char *where, json_t *golden, const fovea_ols *o, double tolerance) {
  json_t *rows = json_object_get(golden, "conf_int");
  for (size_t i = 0; i < o->k; i++) {
    json_t *row = json_array_get(rows, i);
    double width = isfinite(o->high[i]) ? o->high[i] - o->low[i] : 0;
    check_number(where, "low", i, json_array_get(row, 0), o->low[i], fmax(tolerance, 1e-7), width);
    check_number(where, "high", i, json_array_get(row, 1), o->high[i], fmax(tolerance, 1e-7), width);
  }
}

/* Of a design without aliased columns the golden has none of them. */
static void check_aliases(json_t *golden, const fovea_ols *o) {
  json_t *aliases = json_object_get(golden, "aliases");
  assert_int_equal(json_array_size(aliases), o->alias_count);
  assert_int_equal(o->k - o->rank, o->alias_count);
  for (size_t i = 0; i < o->alias_count; i++) {
    const fovea_ols_alias *alias = &o->aliases[i];
    json_t *expected = json_array_get(aliases, i), *of = json_object_get(expected, "of");
    assert_string_equal(json_string_value(json_object_get(expected, "name")), o->names[alias->column]);
    assert_true(o->aliased[alias->column]);
    assert_int_equal(json_array_size(of), alias->count);
    for (size_t j = 0; j < alias->count; j++)
      assert_string_equal(json_string_value(json_array_get(of, j)), o->names[alias->with[j]]);
  }
}

static void check_shape(const char *where, json_t *golden, const fovea_ols *o) {
  json_t *names = json_object_get(golden, "names");
  assert_int_equal(json_array_size(names), o->k);
  for (size_t i = 0; i < o->k; i++) assert_string_equal(json_string_value(json_array_get(names, i)), o->names[i]);
  assert_string_equal(json_string_value(json_object_get(golden, "response")), o->response);
  if ((size_t)json_integer_value(json_object_get(golden, "nobs")) != o->n ||
      (size_t)json_integer_value(json_object_get(golden, "rank")) != o->rank ||
      json_is_true(json_object_get(golden, "constant")) != o->constant) {
    print_error("%s: n %zu, rank %zu, constant %d\n", where, o->n, o->rank, o->constant);
    bad++;
  }
}

static void check_case(const regress_case *c, json_t *golden, const fovea_ols *o) {
  double tolerance = c->tolerance > 0 ? c->tolerance : 1e-10;
  check_shape(c->name, golden, o);
  check_aliases(golden, o);
  const struct {
    const char *key;
    double value;
    bool survives_noise, of_condition;
  } numbers[] = {{"df_model", o->df_model, true, false},
                 {"df_resid", o->df_resid, true, false},
                 {"r_squared", o->r_squared, true, false},
                 {"r_squared_adjusted", o->r_squared_adjusted, false, false},
                 {"f_value", o->f_value, false, false},
                 {"f_p_value", o->f_p_value, false, false},
                 {"log_likelihood", o->log_likelihood, false, false},
                 {"aic", o->aic, false, false},
                 {"bic", o->bic, false, false},
                 {"omnibus", o->omnibus, false, false},
                 {"omnibus_p", o->omnibus_p, false, false},
                 {"jarque_bera", o->jarque_bera, false, false},
                 {"jarque_bera_p", o->jarque_bera_p, false, false},
                 {"skew", o->skew, false, false},
                 {"kurtosis", o->kurtosis, false, false},
                 {"durbin_watson", o->durbin_watson, false, false},
                 {"condition_number", o->condition_number, true, true},
                 {"min_eigenvalue", o->min_eigenvalue, true, true}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    if (c->noise == NOISY_RESIDUALS && !numbers[i].survives_noise) continue;
    if (c->noise == NOISY_CONDITION && numbers[i].of_condition) continue;
    double scale = c->noise == NOISY_RESIDUALS ? 1 : 0;
    check_number(c->name, numbers[i].key, 0, json_object_get(golden, numbers[i].key), numbers[i].value, tolerance,
                 scale);
  }
  check_array(c->name, "coefficients", golden, o->coefficients, o->k, tolerance);
  if (c->noise == NOISY_RESIDUALS) return;
  check_array(c->name, "std_errors", golden, o->std_errors, o->k, tolerance);
  check_array(c->name, "t_values", golden, o->t_values, o->k, tolerance);
  check_array(c->name, "p_values", golden, o->p_values, o->k, tolerance);
  check_intervals(c->name, golden, o, tolerance);
}

static fovea_ols *fit(const regress_case *c) {
  char path[512];
  regress_path(c->name, "csv", path);
  fovea_table *table = NULL;
  fovea_design *d = NULL;
  fovea_ols *ols = NULL;
  fovea_design_options options = {.constant = c->constant, .all_levels = true};
  fovea_status status = fovea_table_read(path, &table);
  if (!status) status = fovea_design_from_table(table, &options, &d);
  if (!status) status = fovea_ols_fit(d->y, d->x, d->n, d->k, d->response, (const char *const *)d->names, &ols);
  if (status) fail_msg("%s: %s", c->name, fovea_error_message());
  fovea_design_destroy(d);
  fovea_table_destroy(table);
  return ols;
}

static void test_goldens(void **state) {
  (void)state;
  for (size_t i = 0; i < REGRESS_CASES; i++) {
    char path[512];
    regress_path(regress_cases[i].name, "json", path);
    json_t *golden = json_load_file(path, 0, NULL);
    if (!golden) fail_msg("%s cannot be read", path);
    fovea_ols *ols = fit(&regress_cases[i]);
    check_case(&regress_cases[i], golden, ols);
    fovea_ols_destroy(ols);
    json_decref(golden);
  }
  assert_int_equal(bad, 0);
}

/* The JSON has the very doubles of the fit. */
static void test_json(void **state) {
  (void)state;
  fovea_ols *o = fit(&regress_cases[0]);
  char *text = NULL;
  assert_int_equal(fovea_ols_json(o, &text), FOVEA_OK);
  json_t *json = json_loads(text, 0, NULL);
  assert_non_null(json);
  for (size_t i = 0; i < o->k; i++) {
    assert_true(json_real_value(json_array_get(json_object_get(json, "coefficients"), i)) == o->coefficients[i]);
    json_t *pair = json_array_get(json_object_get(json, "conf_int"), i);
    assert_true(json_real_value(json_array_get(pair, 0)) == o->low[i]);
    assert_true(json_real_value(json_array_get(pair, 1)) == o->high[i]);
  }
  assert_true(json_real_value(json_object_get(json, "log_likelihood")) == o->log_likelihood);
  assert_int_equal(json_array_size(json_object_get(json, "notes")), 1);
  json_decref(json);
  fovea_free(text);
  o->f_value = NAN;
  assert_int_equal(fovea_ols_json(o, &text), FOVEA_OK);
  assert_non_null(strstr(text, "\"f_value\": null"));
  fovea_free(text);
  o->names[0][0] = (char)0xff;
  text = NULL;
  assert_int_equal(fovea_ols_json(o, &text), FOVEA_INVALID);
  assert_null(text);
  fovea_ols_destroy(o);
}

static void test_refuses(void **state) {
  (void)state;
  double y[] = {1, 2, 3}, x[] = {1, 2, 4};
  const char *names[] = {"x"};
  fovea_ols *ols = NULL;
  assert_int_equal(fovea_ols_fit(y, x, 1, 1, "y", names, &ols), FOVEA_INVALID);
  assert_int_equal(fovea_ols_fit(y, x, 3, 0, "y", names, &ols), FOVEA_INVALID);
  assert_int_equal(fovea_ols_fit(y, x, SIZE_MAX / 2, 3, "y", names, &ols), FOVEA_INVALID);
  x[1] = NAN;
  assert_int_equal(fovea_ols_fit(y, x, 3, 1, "y", names, &ols), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "row 2, column 1"));
  x[1] = 2;
  y[2] = INFINITY;
  assert_int_equal(fovea_ols_fit(y, x, 3, 1, "y", names, &ols), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "y has inf in row 3"));
  assert_null(ols);
  /* a column of zeros is a design of rank 0, not an error */
  y[2] = 3;
  x[0] = x[1] = x[2] = 0;
  assert_int_equal(fovea_ols_fit(y, x, 3, 1, "y", names, &ols), FOVEA_OK);
  assert_int_equal(ols->rank, 0);
  assert_true(ols->aliased[0] && isnan(ols->coefficients[0]));
  assert_int_equal(ols->alias_count, 1);
  assert_int_equal(ols->aliases[0].count, 0);
  fovea_ols_destroy(ols);
  fovea_ols_destroy(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens), cmocka_unit_test(test_json),
                                     cmocka_unit_test(test_refuses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
