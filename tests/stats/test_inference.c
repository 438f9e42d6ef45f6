/* Robust errors, analyses of variance, least-squares means and their adjusted differences against R (car, emmeans,
 * sandwich: tests/golden/make_inference.R), |a - b| <= 1e-9 (|b| + scale). R's studentized range has errors of 1e-6
 * where 5 degrees of freedom or more are left. */
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
#include "stats/distributions.h"
#include "stats/range.h"
#include "support/tempdir.h"

static int bad;
static const char *where;

static json_t *get(json_t *object, const char *key) { return json_object_get(object, key); }

static json_t *load(const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/tests/golden/inference/%s.json", FOVEA_SOURCE_DIR, name);
  json_t *json = json_load_file(path, 0, NULL);
  if (!json) fail_msg("%s cannot be read", path);
  return json;
}

static void check(const char *key, size_t i, json_t *golden, double got, double tolerance, double scale) {
  if ((!golden || json_is_null(golden)) && isnan(got)) return; /* R leaves columns of nothing out */
  const double expected = json_number_value(golden);
  if (json_is_number(golden) && fabs(got - expected) <= tolerance * (fabs(expected) + scale)) return;
  print_error("%s: %s[%zu] is %.17g, expected %.17g\n", where, key, i, got, json_is_null(golden) ? NAN : expected);
  bad++;
}

/* --- a case ------------------------------------------------------------------------------------------------------ */

typedef struct names {
  const char *items[8];
  size_t count;
} names;

static names names_of(json_t *list) {
  names n = {0};
  for (; n.count < json_array_size(list) && n.count < 8; n.count++)
    n.items[n.count] = json_string_value(json_array_get(list, n.count));
  return n;
}

static fovea_design *design_of(const char *name, json_t *options) {
  const names columns = names_of(get(options, "columns")), terms = names_of(get(options, "terms")),
              categorical = names_of(get(options, "categorical")), powers = names_of(get(options, "powers"));
  const fovea_design_options o = {.response = json_string_value(get(options, "response")),
                                  .columns = columns.count ? columns.items : NULL,
                                  .column_count = columns.count,
                                  .terms = terms.count ? terms.items : NULL,
                                  .term_count = terms.count,
                                  .categorical = categorical.items,
                                  .categorical_count = categorical.count,
                                  .powers = powers.items,
                                  .power_count = powers.count,
                                  .constant = json_is_true(get(options, "constant")),
                                  .log = json_is_true(get(options, "log")),
                                  .block = json_string_value(get(options, "block")),
                                  .cluster = json_string_value(get(options, "cluster"))};
  char path[512];
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  snprintf(path, sizeof path, "%s/tests/golden/inference/%s.csv", FOVEA_SOURCE_DIR, name);
  if (fovea_table_read(path, &table) || fovea_design_from_table(table, &o, &design))
    fail_msg("%s: %s", name, fovea_error_message());
  fovea_table_destroy(table);
  return design;
}

static fovea_covariance covariance_of(const char *name) {
  static const char *const known[] = {"classical", "hc0", "hc1", "hc3", "cluster"};
  size_t i = 0;
  while (i < 4 && strcmp(known[i], name) != 0) i++;
  return (fovea_covariance)i;
}

/* --- the analysis of variance ------------------------------------------------------------------------------------ */

static bool same_pair(const char *a, const char *b) {
  const char *colon = strchr(a, ':');
  char turned[64];
  if (strcmp(a, b) == 0) return true;
  if (!colon || strchr(colon + 1, ':')) return false;
  snprintf(turned, sizeof turned, "%s:%.*s", colon + 1, (int)(colon - a), a);
  return strcmp(turned, b) == 0;
}

static void check_effects(json_t *golden, const fovea_analysis *a) {
  json_t *terms = get(golden, "term");
  size_t found = 0;
  if (!golden) return;
  for (size_t i = 0; i < json_array_size(terms); i++)
    for (size_t e = 0; e < a->effect_count; e++) {
      const fovea_effect *effect = &a->effects[e];
      if (!same_pair(effect->name, json_string_value(json_array_get(terms, i)))) continue;
      found++;
      check(effect->name, 0, json_array_get(get(golden, "df"), i), effect->df, 0, 0);
      check(effect->name, 1, json_array_get(get(golden, "f_value"), i), effect->f_value, 1e-8, 0);
      check(effect->name, 2, json_array_get(get(golden, "p_value"), i), effect->p_value, 1e-8, 0);
      if (json_is_array(get(golden, "sum_squares")))
        check(effect->name, 3, json_array_get(get(golden, "sum_squares"), i), effect->sum_squares, 1e-8, 0);
      else
        assert_true(isnan(effect->sum_squares));
    }
  if (a->effect_count == json_array_size(terms)) assert_int_equal(found, a->effect_count);
}

/* --- means ------------------------------------------------------------------------------------------------------- */

static void check_estimate(const char *key, size_t i, json_t *golden, const fovea_estimate *e, double range) {
  const double width = isnan(e->std_error) ? 0 : e->std_error;
  check(key, i, json_array_get(get(golden, "value"), i), e->value, 1e-9, width);
  check(key, i, json_array_get(get(golden, "std_error"), i), e->std_error, 1e-9, 0);
  check(key, i, json_array_get(get(golden, "low"), i), e->low, range, width);
  check(key, i, json_array_get(get(golden, "high"), i), e->high, range, width);
  if (json_is_array(get(golden, "p_value")))
    check(key, i, json_array_get(get(golden, "p_value"), i), e->p_value, range, 1);
}

/* R puts numbers in names behind the variable's: k2 - k1 */
static void check_means(json_t *golden, const fovea_means *m, const char *variable, fovea_adjustment adjustment) {
  json_t *levels = get(golden, "levels"), *pairs = get(golden, "pairs");
  assert_int_equal(json_array_size(levels), m->count);
  assert_int_equal(json_array_size(pairs), m->difference_count);
  for (size_t i = 0; i < m->count; i++) {
    const char *level = json_string_value(json_array_get(levels, i));
    assert_string_equal(level, m->means[i].name);
    check_estimate(m->name, i, get(golden, "means"), &m->means[i], 1e-9);
  }
  const bool tukey = adjustment == FOVEA_TUKEY;
  size_t found = 0;
  for (size_t i = 0; i < m->difference_count; i++)
    for (size_t j = 0; j < m->difference_count; j++) {
      const char *pair = json_string_value(json_array_get(pairs, i));
      char numbered[64];
      const fovea_estimate *e = &m->differences[j];
      snprintf(numbered, sizeof numbered, "%s%s - %s%s", variable, m->means[e->level].name, variable,
               m->means[e->reference].name);
      found += strcmp(pair, e->name) == 0 || strcmp(pair, numbered) == 0;
      if (strcmp(pair, e->name) == 0 || strcmp(pair, numbered) == 0)
        check_estimate(pair, i, get(golden, tukey ? "tukey" : "holm"), e, tukey ? 2e-6 : 1e-9);
    }
  assert_int_equal(found, m->difference_count);
}

static void check_factors(json_t *golden, const fovea_analysis *a, fovea_adjustment adjustment) {
  assert_int_equal(a->factor_count >= json_object_size(golden), true);
  const char *name;
  json_t *means;
  json_object_foreach(golden, name, means) {
    bool found = false;
    for (size_t i = 0; i < a->factor_count; i++) {
      if (strcmp(a->factors[i].name, name) != 0) continue;
      check_means(means, &a->factors[i], name, adjustment);
      found = true;
    }
    assert_true(found);
  }
}

/* emtrends takes differences of nearby points. */
static void check_slopes(json_t *golden, const fovea_analysis *a) {
  json_t *one;
  size_t i;
  json_array_foreach(golden, i, one) {
    size_t s = 0;
    while (s < a->slope_count && strcmp(a->slopes[s].name, json_string_value(get(one, "name"))) != 0) s++;
    assert_true(s < a->slope_count);
    assert_true(a->slopes[s].step == 1); /* as R's are */
    check_estimate(a->slopes[s].name, 0, one, &a->slopes[s].change, 1e-9);
  }
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void check_fit(const fovea_design *d, json_t *all, json_t *golden) {
  const char *kind = json_string_value(get(golden, "covariance"));
  const fovea_ols_options options = {.covariance = covariance_of(kind)};
  fovea_ols *o = NULL;
  if (fovea_ols_fit_design(d, &options, &o)) fail_msg("%s: %s", where, fovea_error_message());
  json_t *b = get(all, "coefficients");
  assert_int_equal(json_array_size(b), o->k);
  for (size_t j = 0; j < o->k; j++) {
    check(kind, j, json_array_get(b, j), o->coefficients[j], 1e-9, o->aliased[j] ? 0 : o->std_errors[j]);
    check(kind, j, json_array_get(get(golden, "std_errors"), j), o->std_errors[j], 1e-9, 0);
  }
  check("sigma", 0, get(all, "sigma"), o->residual_deviation, 1e-10, 0);
  check("r_squared", 0, get(all, "r_squared"), o->r_squared, 1e-10, 0);
  check("df_inference", 0, get(golden, "df_inference"), o->df_inference, 0, 0);
  for (int type = 2; type <= 3; type++) {
    const fovea_analysis_options how = {.type = type, .adjustment = type == 2 ? FOVEA_TUKEY : FOVEA_HOLM};
    fovea_analysis *a = NULL;
    if (fovea_analyze(d, o, &how, &a)) fail_msg("%s: %s", where, fovea_error_message());
    check_effects(get(golden, type == 2 ? "anova2" : "anova3"), a);
    check_factors(get(golden, "means"), a, how.adjustment);
    check_slopes(get(golden, "slopes"), a);
    fovea_analysis_destroy(a);
  }
  fovea_ols_destroy(o);
}

static void test_goldens(void **state) {
  (void)state;
  static const char *const cases[] = {"sweep_blocks",      "two_way",      "three_way",
                                      "categorical_block", "product",      "product_with_factor",
                                      "empty_cell",        "powers_of_log"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    where = cases[i];
    json_t *golden = load(where), *fits = get(golden, "fits");
    fovea_design *d = design_of(where, get(golden, "options"));
    assert_true(json_array_size(fits) > 0);
    for (size_t f = 0; f < json_array_size(fits); f++) check_fit(d, golden, json_array_get(fits, f));
    fovea_design_destroy(d);
    json_decref(golden);
  }
  assert_int_equal(bad, 0);
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

static void check_slope(json_t *golden, const fovea_slope *s, fovea_adjustment adjustment) {
  json_t *change = get(golden, "change"), *lack = get(golden, "lack");
  assert_string_equal(s->name, json_string_value(get(golden, "name")));
  check(s->name, 0, get(golden, "step"), s->step, 1e-12, 0);
  check_estimate(s->name, 0, change, &s->change, 1e-9);
  check(s->name, 1, get(lack, "df"), s->lack.df, 0, 0);
  check(s->name, 2, get(lack, "f_value"), s->lack.f_value, 1e-8, 0);
  check(s->name, 3, get(lack, "p_value"), s->lack.p_value, 1e-8, 0);
  check_means(get(golden, "values"), &s->values, "value", adjustment);
}

/* A sweep's numbers, one of them as its logarithm: slopes, lack of fit, means at the values, and what is said. */
static void test_numbers(void **state) {
  (void)state;
  where = "sweep_numbers";
  json_t *golden = load(where), *fit;
  fovea_design *d = design_of(where, NULL);
  size_t i;
  json_array_foreach(golden, i, fit) {
    const fovea_ols_options options = {.covariance = covariance_of(json_string_value(get(fit, "covariance")))};
    fovea_ols *o = NULL;
    if (fovea_ols_fit_design(d, &options, &o)) fail_msg("%s", fovea_error_message());
    for (int type = 2; type <= 3; type++) {
      const fovea_analysis_options how = {.type = type, .adjustment = type == 2 ? FOVEA_TUKEY : FOVEA_HOLM};
      fovea_analysis *a = NULL;
      if (fovea_analyze(d, o, &how, &a)) fail_msg("%s", fovea_error_message());
      assert_int_equal(a->slope_count, 2);
      for (size_t n = 0; n < 2; n++) check_slope(json_array_get(get(fit, "numbers"), n), &a->slopes[n], how.adjustment);
      fovea_analysis_destroy(a);
    }
    fovea_ols_destroy(o);
  }
  fovea_design_destroy(d);
  json_decref(golden);
  assert_int_equal(bad, 0);
}

static fovea_analysis *analysis_of(const char *csv, const fovea_design_options *options,
                                   const fovea_analysis_options *how) {
  fovea_table *table = NULL;
  fovea_design *design = NULL;
  fovea_ols *ols = NULL;
  fovea_analysis *a = NULL;
  if (fovea_table_read(csv, &table) || fovea_design_from_table(table, options, &design) ||
      fovea_ols_fit_design(design, NULL, &ols) || fovea_analyze(design, ols, how, &a))
    fail_msg("%s", fovea_error_message());
  fovea_ols_destroy(ols);
  fovea_design_destroy(design);
  fovea_table_destroy(table);
  return a;
}

static void test_seeds(void **state) {
  (void)state;
  json_t *golden = load("seeds"), *row;
  size_t i;
  where = "seeds";
  json_array_foreach(golden, i, row) {
    const fovea_analysis_options how = {.difference = json_number_value(get(row, "difference"))};
    const char *name = json_string_value(get(row, "factor"));
    fovea_analysis *a =
        analysis_of(FOVEA_SOURCE_DIR "/tests/golden/inference/sweep_blocks.csv", &(fovea_design_options){0}, &how);
    assert_int_equal(a->seeds, 3);
    for (size_t f = 0; f < a->factor_count; f++) {
      if (strcmp(a->factors[f].name, name) != 0) continue;
      check(name, i, get(row, "seeds"), a->factors[f].seeds, 0, 0);
      check(name, i, get(row, "detectable"), a->factors[f].detectable, 1e-9, 0);
    }
    fovea_analysis_destroy(a);
  }
  json_decref(golden);
  assert_int_equal(bad, 0);
}

/* Two levels in three blocks are pairs: R's power.t.test(type = "paired", strict = TRUE) has 6.056 pairs for 0.5, and
 * 1.14629442246 for three. */
static void test_pairs(void **state) {
  (void)state;
  static const char csv[] = "a,s,y\nu,1,1\nv,1,2.2\nu,2,2\nv,2,2.9\nu,3,1.5\nv,3,3.1\n";
  fovea_analysis *a =
      analysis_of(temp_file("pairs.csv", csv, sizeof csv - 1), &(fovea_design_options){.constant = true, .block = "s"},
                  &(fovea_analysis_options){.difference = 0.5});
  assert_true(a->factor_count == 1 && a->seeds == 3);
  assert_true(fabs(a->factors[0].seeds - 7) < 0.5);
  assert_true(fabs(a->factors[0].detectable - 1.14629442246) < 1e-8);
  fovea_analysis_destroy(a);
}

/* A factor that goes with the blocks: nothing of it can be told, and its sentence says so. */
static void test_confounded(void **state) {
  (void)state;
  static const char csv[] = "a,s,b,y\nu,1,p,1\nu,1,q,3\nv,2,p,2\nv,2,q,5\nu,1,p,2\nv,2,q,4\n";
  fovea_analysis *a = analysis_of(temp_file("confounded.csv", csv, sizeof csv - 1),
                                  &(fovea_design_options){.constant = true, .block = "s"}, NULL);
  assert_int_equal(a->factor_count, 2);
  assert_true(isnan(a->factors[0].means[0].value) && isnan(a->factors[0].differences[0].p_value));
  assert_true(isnan(a->factors[0].detectable));
  assert_string_equal(a->factors[0].sentence, "a: the table does not tell what it does to y");
  assert_true(a->factors[1].differences[0].p_value < 0.2);
  fovea_analysis_destroy(a);
}

/* Cells of known means: 1, 2, 3, 6 have a variance of 3.5, of which 2.25 are a's, 1 is b's and 0.25 both's; however
 * often each stands there. The product of three signs is of all three. */
static void test_shares(void **state) {
  (void)state;
  static const struct {
    const char *csv;
    size_t count;
    double shares[6], rest;
  } cases[] = {
      {"a,b,y\nu,p,1\nu,q,2\nv,p,3\nv,q,6\n", 3, {2.25 / 3.5, 1 / 3.5, 0.25 / 3.5}, 0},
      {"a,b,y\nu,p,0\nu,p,2\nu,q,2\nv,p,3\nv,q,5\nv,q,6\nv,q,7\n", 3, {2.25 / 3.5, 1 / 3.5, 0.25 / 3.5}, 0},
      {"a,b,c,y\nu,p,s,1\nu,p,t,-1\nu,q,s,-1\nu,q,t,1\nv,p,s,-1\nv,p,t,1\nv,q,s,1\nv,q,t,-1\n", 6, {0}, 1},
      {"a,b,y\nu,p,1\nu,q,2\nv,p,3\nv,p,6\n", 0, {0}, 0},        /* an empty cell */
      {"a,b,y\nu,1,1\nu,2,2\nv,1,3\nv,2,7\nv,3,7\n", 0, {0}, 0}, /* numbers */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_analysis *a = analysis_of(temp_file("shares.csv", cases[i].csv, strlen(cases[i].csv)),
                                    &(fovea_design_options){.constant = true}, NULL);
    assert_int_equal(a->share_count, cases[i].count);
    for (size_t s = 0; s < a->share_count; s++) assert_true(fabs(a->shares[s].share - cases[i].shares[s]) < 1e-14);
    assert_true(fabs(a->share_rest - cases[i].rest) < 1e-14);
    if (i == 1) /* additive, 7 rows: what it leaves over 4, in cells of 2, 1, 1 and 3 rows */
      assert_true(fabs(a->share_noise - a->residual_squares / 4 * (0.5 + 1 + 1 + 1 / 3.) / 4 * 0.75 / 3.5) < 1e-12);
    fovea_analysis_destroy(a);
  }
}

static double field(json_t *row, const char *key) { return json_number_value(get(row, key)); }

/* ptukey is off by 2e-4 at 2 degrees of freedom, where k = 2 gives Student's t; the integral for a k just above 2 is
 * not.
 */
static void test_range(void **state) {
  (void)state;
  json_t *golden = load("range"), *row;
  size_t i;
  where = "range";
  json_array_foreach(get(golden, "ptukey"), i, row) {
    const double df = field(row, "df"), got = fovea_studentized_range_sf(field(row, "q"), field(row, "k"), df);
    check("ptukey", i, get(row, "p"), got, df < 5 ? 3e-4 : df < 25 ? 2e-5 : 1e-6, 1);
  }
  json_array_foreach(get(golden, "qtukey"), i, row) {
    const double got = fovea_studentized_range_isf(field(row, "p"), field(row, "k"), field(row, "df"));
    check("qtukey", i, get(row, "q"), got, 1e-5, 0);
  }
  json_array_foreach(get(golden, "power"), i, row) {
    const double got = fovea_noncentral_t_two_sided(field(row, "t"), field(row, "df"), field(row, "d"));
    check("power", i, get(row, "p"), got, 1e-10, 0);
  }
  json_decref(golden);
  assert_int_equal(bad, 0);
  static const double exact[][4] = {/* by mpmath: tests/golden/make_range.py */
                                    {12, 4, 25, 4.59015079433659e-08},
                                    {6, 3, 5, 0.0185292414951208},
                                    {12, 50, 2, 0.132882476775546}};
  for (size_t e = 0; e < sizeof exact / sizeof *exact; e++)
    assert_true(fabs(fovea_studentized_range_sf(exact[e][0], exact[e][1], exact[e][2]) / exact[e][3] - 1) < 1e-12);
  const double power = fovea_noncentral_t_two_sided(50, 3, 30), known = 0.218362206148864; /* by mpmath, too */
  assert_true(fabs(power / known - 1) < 1e-12);
  for (double df = 1; df < 1e6; df *= 3)
    for (double q = 0.1; q < 40; q *= 2) {
      const double tail = 2 * fovea_student_t_sf(q / sqrt(2), df);
      const double got = fovea_studentized_range_sf(q, 2 + 1e-13, df);
      if (!(fabs(got - tail) <= 1e-10 * tail + 1e-30)) fail_msg("df %g, q %g: %.15g, expected %.15g", df, q, got, tail);
    }
  assert_true(isnan(fovea_studentized_range_sf(1, 3, 0)) && isnan(fovea_studentized_range_sf(NAN, 3, 5)));
  assert_true(isnan(fovea_studentized_range_isf(0, 3, 5)) && isnan(fovea_studentized_range_isf(0.05, 1, 5)));
  assert_true(isnan(fovea_noncentral_t_two_sided(2, 0, 1)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_goldens),   cmocka_unit_test(test_range),
                                     cmocka_unit_test(test_numbers),   cmocka_unit_test(test_seeds),
                                     cmocka_unit_test(test_shares),    cmocka_unit_test(test_pairs),
                                     cmocka_unit_test(test_confounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
