/* An analysis as JSON. */
#include <math.h>
#include <stdlib.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/json.h"
#include "stats/notes.h"

/* Appends `item` if it was made whole. */
static int append(json_t *array, json_t *item, int failed) {
  if (!failed) return json_array_append_new(array, item);
  json_decref(item);
  return -1;
}

static json_t *effects(const fovea_effect *e, size_t count) {
  json_t *array = json_array();
  int failed = !array;
  for (size_t i = 0; i < count && !failed; i++) {
    json_t *one = json_object();
    failed |= fovea_json_set(one, "term", json_string(e[i].name));
    failed |= fovea_json_set(one, "block", json_boolean(e[i].is_block));
    failed |= fovea_json_set(one, "df", fovea_json_real(e[i].df));
    failed |= fovea_json_set(one, "sum_squares", fovea_json_real(e[i].sum_squares));
    failed |= fovea_json_set(one, "f_value", fovea_json_real(e[i].f_value));
    failed |= fovea_json_set(one, "p_value", fovea_json_real(e[i].p_value));
    if (e[i].alike) failed |= fovea_json_set(one, "alike", json_string(e[i].alike));
    if (e[i].unknown) failed |= fovea_json_set(one, "unknown", json_string(e[i].unknown));
    failed = append(array, one, failed);
  }
  if (!failed) return array;
  json_decref(array);
  return NULL;
}

static json_t *estimates(const fovea_estimate *e, size_t count, bool tests) {
  json_t *array = json_array();
  int failed = !array;
  for (size_t i = 0; i < count && !failed; i++) {
    const double interval[] = {e[i].low, e[i].high};
    json_t *one = json_object();
    failed |= fovea_json_set(one, "name", json_string(e[i].name));
    failed |= fovea_json_set(one, "value", fovea_json_real(e[i].value));
    failed |= fovea_json_set(one, "std_error", fovea_json_real(e[i].std_error));
    if (tests) failed |= fovea_json_set(one, "t_value", fovea_json_real(e[i].t_value));
    if (tests) failed |= fovea_json_set(one, "p_value", fovea_json_real(e[i].p_value));
    failed |= fovea_json_set(one, "conf_int", fovea_json_reals(interval, 2));
    failed = append(array, one, failed);
  }
  if (!failed) return array;
  json_decref(array);
  return NULL;
}

static json_t *means(const fovea_means *m, size_t count) {
  json_t *array = json_array();
  int failed = !array;
  for (size_t i = 0; i < count && !failed; i++) {
    json_t *one = json_object();
    failed |= fovea_json_set(one, "name", json_string(m[i].name));
    failed |= fovea_json_set(one, "means", estimates(m[i].means, m[i].count, false));
    if (m[i].variable_count == 1) {
      failed |= fovea_json_set(one, "differences", estimates(m[i].differences, m[i].difference_count, true));
      failed |= fovea_json_set(one, "sentence", json_string(m[i].sentence));
      failed |= fovea_json_set(one, "detectable", fovea_json_real(m[i].detectable));
      failed |= fovea_json_set(one, "seeds", fovea_json_real(m[i].seeds));
    }
    failed = append(array, one, failed);
  }
  if (!failed) return array;
  json_decref(array);
  return NULL;
}

static json_t *numbers(const fovea_slope *s, size_t count) {
  json_t *array = json_array();
  int failed = !array;
  for (size_t i = 0; i < count && !failed; i++) {
    json_t *one = json_object(), *change = estimates(&s[i].change, 1, true),
           *lack = effects(&s[i].lack, s[i].lack.df > 0);
    failed |= fovea_json_set(one, "name", json_string(s[i].name));
    failed |= fovea_json_set(one, "logarithm", json_boolean(s[i].logarithm));
    failed |= fovea_json_set(one, "step", fovea_json_real(s[i].step));
    failed |= fovea_json_set(one, "values", json_integer((json_int_t)s[i].value_count));
    failed |= fovea_json_set(one, "change", json_incref(json_array_get(change, 0)));
    failed |= fovea_json_set(one, "lack_of_fit", s[i].lack.df > 0 ? json_incref(json_array_get(lack, 0)) : json_null());
    failed |= fovea_json_set(one, "means", estimates(s[i].values.means, s[i].values.count, false));
    failed |=
        fovea_json_set(one, "differences", estimates(s[i].values.differences, s[i].values.difference_count, true));
    failed |= fovea_json_set(one, "sentence", json_string(s[i].sentence));
    failed |= fovea_json_set(one, "fit", s[i].fit ? json_string(s[i].fit) : json_null());
    failed |= fovea_json_set(one, "detectable", fovea_json_real(s[i].values.count ? s[i].values.detectable : NAN));
    failed |= fovea_json_set(one, "seeds", fovea_json_real(s[i].values.count ? s[i].values.seeds : NAN));
    json_decref(change);
    json_decref(lack);
    failed = append(array, one, failed);
  }
  if (!failed) return array;
  json_decref(array);
  return NULL;
}

static json_t *shares(const fovea_analysis *a) {
  if (a->share_count == 0) return json_null();
  json_t *object = json_object();
  int failed = !object;
  for (size_t i = 0; i < a->share_count; i++)
    failed |= fovea_json_set(object, a->shares[i].name, fovea_json_real(a->shares[i].share));
  failed |= fovea_json_set(object, "three factors and more", fovea_json_real(a->share_rest));
  failed |= fovea_json_set(object, "errors alone", fovea_json_real(a->share_noise));
  if (!failed) return object;
  json_decref(object);
  return NULL;
}

static int fill(json_t *root, const fovea_analysis *a) {
  static const char *const adjustments[] = {"tukey", "holm", "none"};
  int failed = fovea_json_set(root, "type", json_integer(a->type));
  failed |= fovea_json_set(root, "adjustment", json_string(adjustments[a->adjustment]));
  failed |= fovea_json_set(root, "effects", effects(a->effects, a->effect_count));
  failed |= fovea_json_set(root, "residual_df", fovea_json_real(a->df_resid));
  failed |= fovea_json_set(root, "residual_sum_squares", fovea_json_real(a->residual_squares));
  failed |= fovea_json_set(root, "factors", means(a->factors, a->factor_count));
  failed |= fovea_json_set(root, "numbers", numbers(a->slopes, a->slope_count));
  failed |= fovea_json_set(root, "interactions", effects(a->interactions, a->pair_count));
  failed |= fovea_json_set(root, "pairs", means(a->pairs, a->pair_count));
  failed |= fovea_json_set(root, "shares", shares(a));
  failed |= fovea_json_set(root, "seeds", json_integer((json_int_t)a->seeds));
  failed |= fovea_json_set(root, "power", fovea_json_real(a->power));
  failed |= fovea_json_set(root, "difference", a->difference > 0 ? fovea_json_real(a->difference) : json_null());
  return failed;
}

static fovea_status check_names(const fovea_analysis *a) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < a->effect_count && !status; i++) status = fovea_json_check_utf8(a->effects[i].name);
  for (size_t i = 0; i < a->factor_count && !status; i++) {
    status = fovea_json_check_utf8(a->factors[i].name);
    for (size_t l = 0; l < a->factors[i].count && !status; l++)
      status = fovea_json_check_utf8(a->factors[i].means[l].name);
  }
  return status;
}

fovea_status fovea_analysis_json(const fovea_analysis *analysis, const fovea_ols *ols, char **text) {
  if (!analysis || !ols) return fovea_fail_null(analysis ? "ols" : "analysis");
  if (!text) return fovea_fail_null("text");
  fovea_status status = fovea_ols_check(ols);
  if (!status) status = check_names(analysis);
  if (status) return status;
  json_t *root = json_object();
  char *dump = root && !fill(root, analysis) ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(root);
  if (!dump) return fovea_fail(FOVEA_NO_MEMORY, "analysis: no memory for its JSON");
  *text = dump;
  return FOVEA_OK;
}
