/* The fit as JSON. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/covariance.h"
#include "stats/json.h"
#include "stats/notes.h"
#include "stats/numbers.h"

static json_t *flags(const bool *values, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    if (json_array_append_new(array, json_boolean(values[i]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *names_at(const fovea_ols *o, const size_t *columns, size_t count) {
  json_t *array = json_array();
  for (size_t i = 0; i < count; i++)
    if (json_array_append_new(array, json_string(o->names[columns[i]]))) {
      json_decref(array);
      return NULL;
    }
  return array;
}

/* An object for each aliased column: its name, and those of which it is a combination. */
static json_t *aliases(const fovea_ols *o) {
  json_t *array = json_array();
  for (size_t i = 0; i < o->alias_count; i++) {
    const fovea_ols_alias *a = &o->aliases[i];
    json_t *one = json_object();
    int failed = fovea_json_set(one, "name", json_string(o->names[a->column]));
    failed |= fovea_json_set(one, "of", names_at(o, a->with, a->count));
    if (json_array_append_new(array, failed ? NULL : one)) {
      if (failed) json_decref(one);
      json_decref(array);
      return NULL;
    }
  }
  return array;
}

static json_t *residual_reals(const fovea_ols *o, const double *values) {
  if (!fovea_ols_is_noise(o)) return fovea_json_reals(values, o->k);
  json_t *array = json_array();
  for (size_t i = 0; i < o->k; i++)
    if (json_array_append_new(array, json_null())) {
      json_decref(array);
      return NULL;
    }
  return array;
}

static json_t *intervals(const fovea_ols *o) {
  json_t *array = json_array();
  for (size_t i = 0; i < o->k; i++) {
    double pair[] = {fovea_ols_is_noise(o) ? NAN : o->low[i], fovea_ols_is_noise(o) ? NAN : o->high[i]};
    if (json_array_append_new(array, fovea_json_reals(pair, 2))) {
      json_decref(array);
      return NULL;
    }
  }
  return array;
}

/* Rows of the covariance of the estimates. */
static json_t *covariance(const fovea_ols *o) {
  json_t *array = json_array();
  double *row = malloc(o->k * sizeof *row);
  int failed = !row;
  for (size_t i = 0; i < o->k && !failed; i++) {
    for (size_t j = 0; j < o->k; j++)
      row[j] = fovea_ols_is_noise(o) ? NAN : o->correlation[i * o->k + j] * o->std_errors[i] * o->std_errors[j];
    failed = json_array_append_new(array, fovea_json_reals(row, o->k));
  }
  free(row);
  if (!failed) return array;
  json_decref(array);
  return NULL;
}

static json_t *notes(const fovea_ols *o) {
  char lines[FOVEA_NOTES][FOVEA_NOTE_SIZE], *pointers[FOVEA_NOTES];
  fovea_c_locale state = fovea_c_locale_begin();
  size_t count = fovea_ols_notes(o, lines);
  fovea_c_locale_end(state);
  for (size_t i = 0; i < count; i++) pointers[i] = lines[i];
  return fovea_json_strings(pointers, count);
}

static int fill(json_t *root, const fovea_ols *o) {
  const struct {
    const char *key;
    double value;
    bool of_residuals;
  } numbers[] = {{"df_model", o->df_model, false},
                 {"df_resid", o->df_resid, false},
                 {"df_inference", o->df_inference, false},
                 {"alpha", o->alpha, false},
                 {"residual_deviation", o->residual_deviation, true},
                 {"r_squared", o->r_squared, false},
                 {"r_squared_adjusted", o->r_squared_adjusted, false},
                 {"f_value", o->f_value, true},
                 {"f_p_value", o->f_p_value, true},
                 {"log_likelihood", o->log_likelihood, true},
                 {"aic", o->aic, true},
                 {"bic", o->bic, true},
                 {"omnibus", o->omnibus, true},
                 {"omnibus_p", o->omnibus_p, true},
                 {"jarque_bera", o->jarque_bera, true},
                 {"jarque_bera_p", o->jarque_bera_p, true},
                 {"skew", o->skew, true},
                 {"kurtosis", o->kurtosis, true},
                 {"durbin_watson", o->durbin_watson, true},
                 {"condition_number", o->condition_number, false},
                 {"min_eigenvalue", o->min_eigenvalue, false}};
  int failed = fovea_json_set(root, "response", json_string(o->response));
  failed |= fovea_json_set(root, "names", fovea_json_strings(o->names, o->k));
  failed |= fovea_json_set(root, "aliased", flags(o->aliased, o->k));
  failed |= fovea_json_set(root, "aliases", aliases(o));
  failed |= fovea_json_set(root, "coefficients", fovea_json_reals(o->coefficients, o->k));
  failed |= fovea_json_set(root, "std_errors", residual_reals(o, o->std_errors));
  failed |= fovea_json_set(root, "t_values", residual_reals(o, o->t_values));
  failed |= fovea_json_set(root, "p_values", residual_reals(o, o->p_values));
  failed |= fovea_json_set(root, "conf_int", intervals(o));
  failed |= fovea_json_set(root, "nobs", json_integer((json_int_t)o->n));
  failed |= fovea_json_set(root, "rank", json_integer((json_int_t)o->rank));
  failed |= fovea_json_set(root, "constant", json_boolean(o->constant));
  failed |= fovea_json_set(root, "exact", json_boolean(o->exact));
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    failed |=
        fovea_json_set(root, numbers[i].key,
                       fovea_json_real(numbers[i].of_residuals && fovea_ols_is_noise(o) ? NAN : numbers[i].value));
  failed |= fovea_json_set(root, "covariance_type", json_string(fovea_covariance_name(o->covariance)));
  failed |= fovea_json_set(root, "covariance", covariance(o));
  failed |= fovea_json_set(root, "notes", notes(o));
  return failed;
}

fovea_status fovea_ols_json(const fovea_ols *ols, char **text) {
  if (!ols || !text) return fovea_fail_null(ols ? "text" : "ols");
  fovea_status status = fovea_ols_check(ols);
  if (!status) status = fovea_json_check_utf8(ols->response);
  for (size_t i = 0; i < ols->k && !status; i++) status = fovea_json_check_utf8(ols->names[i]);
  if (status) return status;
  json_t *root = json_object();
  char *dump = root && !fill(root, ols) ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(root);
  if (!dump) return fovea_fail(FOVEA_NO_MEMORY, "summary: no memory for its JSON");
  *text = dump;
  return FOVEA_OK;
}
