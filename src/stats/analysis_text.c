/* An analysis as sentences and tables. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/covariance.h"
#include "stats/notes.h"
#include "stats/numbers.h"
#include "stats/sentences.h"
#include "stats/text.h"

enum { NUMBER = 40, COLUMN = 11 };

static void put_name(fovea_text *t, const char *name, size_t width) {
  fovea_text_add(t, "  ");
  fovea_text_pad(t, name, width, false);
}

static void put_cell(fovea_text *t, const char *text) {
  fovea_text_add(t, " ");
  fovea_text_pad(t, text, COLUMN, true);
}

static void put_fixed(fovea_text *t, int decimals, double value) {
  char text[NUMBER] = "-";
  if (!isnan(value)) fovea_fixed(text, sizeof text, decimals, value);
  put_cell(t, text);
}

static void put_squares(fovea_text *t, double value) {
  char text[NUMBER] = "-";
  if (!isnan(value)) snprintf(text, sizeof text, "%.5g", value);
  put_cell(t, text);
}

static void put_p(fovea_text *t, double p) {
  if (p < 0.001)
    put_cell(t, "< 0.001");
  else
    put_fixed(t, 3, p);
}

static void put_header(fovea_text *t, const char *first, size_t width, const char *const *cells, size_t count) {
  put_name(t, first, width);
  for (size_t i = 0; i < count; i++) put_cell(t, cells[i]);
  fovea_text_add(t, "\n");
}

static size_t wider(size_t width, const char *name) {
  const size_t points = fovea_code_points(name);
  return points > width ? points : width;
}

/* --- sentences --------------------------------------------------------------------------------------------------- */

static void put_together(fovea_text *t, const char *a, const char *b, const fovea_effect *e) {
  fovea_text_add(t, "But ");
  fovea_text_add(t, a);
  fovea_text_add(t, " and ");
  fovea_text_add(t, b);
  fovea_text_print(t, " matter together: what one does depends on the other (F = %.2f, p ", e->f_value);
  fovea_text_print(t, e->p_value < 0.001 ? "< 0.001)" : "= %.3f)", e->p_value);
  if (e->alike) fovea_text_add(t, ", or ");
  if (e->alike) fovea_text_add(t, e->alike);
  if (e->alike) fovea_text_add(t, ", which these rows cannot tell from it, does so");
  fovea_text_add(t, "; the sentences above are of averages.\n");
}

/* The text after a variable's name in the design, if it begins so; else NULL. */
static const char *after_variable(const char *text, const char *name, bool logarithm) {
  const size_t length = strlen(name), wrap = logarithm ? strlen("log(") : 0;
  if (strncmp(text, "log(", wrap) != 0 || strncmp(text + wrap, name, length) != 0) return NULL;
  text += wrap + length;
  if (!logarithm) return text;
  return *text == ')' ? text + 1 : NULL;
}

static bool is_product_of(const char *term, const fovea_slope *s, const char *name, bool logarithm) {
  const char *rest = after_variable(term, s->name, s->logarithm);
  rest = rest && *rest == ':' ? after_variable(rest + 1, name, logarithm) : NULL;
  if (rest && *rest == '\0') return true;
  rest = after_variable(term, name, logarithm);
  rest = rest && *rest == ':' ? after_variable(rest + 1, s->name, s->logarithm) : NULL;
  return rest && *rest == '\0';
}

/* Products of a number, which are tested as terms alone. */
static void put_products(fovea_text *t, const fovea_analysis *a, const fovea_effect *e) {
  for (size_t i = 0; i < a->slope_count; i++) {
    const fovea_slope *s = &a->slopes[i];
    for (size_t j = 0; j < a->factor_count; j++)
      if (is_product_of(e->name, s, a->factors[j].name, false)) put_together(t, a->factors[j].name, s->name, e);
    for (size_t j = 0; j < i; j++)
      if (is_product_of(e->name, s, a->slopes[j].name, a->slopes[j].logarithm))
        put_together(t, a->slopes[j].name, s->name, e);
  }
}

static void put_sentences(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  if (a->factor_count + a->slope_count == 0) fovea_text_add(t, "No factor varies, and there is nothing to compare.\n");
  for (size_t i = 0; i < a->factor_count; i++) {
    fovea_text_add(t, a->factors[i].sentence);
    fovea_text_add(t, ".\n");
  }
  for (size_t i = 0; i < a->slope_count; i++) {
    fovea_text_add(t, a->slopes[i].sentence);
    if (a->slopes[i].fit) fovea_text_add(t, "; ");
    if (a->slopes[i].fit) fovea_text_add(t, a->slopes[i].fit);
    fovea_text_add(t, ".\n");
  }
  const fovea_effect *e = a->interactions;
  for (size_t i = 0; i < a->factor_count; i++)
    for (size_t j = i + 1; j < a->factor_count; j++, e++) {
      if (e->p_value < o->alpha) put_together(t, a->factors[i].name, a->factors[j].name, e);
    }
  for (size_t i = 0; i < a->effect_count; i++)
    if (a->effects[i].p_value < o->alpha) put_products(t, a, &a->effects[i]);
}

/* --- the analysis of variance -------------------------------------------------------------------------------------
 */

static void put_effects(fovea_text *t, const fovea_effect *e, size_t count, size_t width) {
  for (size_t i = 0; i < count; i++) {
    put_name(t, e[i].name, width);
    put_fixed(t, 0, e[i].df);
    put_squares(t, e[i].sum_squares);
    put_fixed(t, 2, e[i].f_value);
    put_p(t, e[i].p_value);
    fovea_text_add(t, e[i].is_block ? "  block" : "");
    if (e[i].unknown) fovea_text_add(t, "  not estimable: ");
    if (e[i].unknown) fovea_text_add(t, e[i].unknown);
    fovea_text_add(t, "\n");
  }
}

/* What means at their values add to the lines of numbers. */
static void put_lacks(fovea_text *t, const fovea_analysis *a, size_t width) {
  static const char *const header[] = {"df", "squares", "F", "p"};
  bool any = false;
  for (size_t i = 0; i < a->slope_count; i++) {
    const fovea_effect *lack = &a->slopes[i].lack;
    if (!(lack->df > 0)) continue;
    if (!any) fovea_text_add(t, "\nLack of fit: what a mean of its own for each value adds to a number's line\n");
    if (!any) put_header(t, "number", width, header, 4);
    any = true;
    put_effects(t, lack, 1, width);
  }
}

/* Each variable, and the block, has one term alone: what is beyond are products. */
static bool has_products(const fovea_analysis *a) {
  size_t alone = a->factor_count + a->slope_count;
  for (size_t i = 0; i < a->effect_count; i++) alone += a->effects[i].is_block;
  return a->effect_count > alone;
}

static void put_anova(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  static const char *const header[] = {"df", "squares", "F", "p"};
  size_t width = 8;
  for (size_t i = 0; i < a->effect_count; i++) width = wider(width, a->effects[i].name);
  for (size_t i = 0; i < a->slope_count; i++) width = wider(width, a->slopes[i].name);
  for (size_t i = 0; i < a->pair_count; i++) width = wider(width, a->interactions[i].name);
  fovea_text_print(t, "\nAnalysis of variance, type %d", a->type);
  if (o->covariance != FOVEA_CLASSICAL) fovea_text_print(t, ", %s errors", fovea_covariance_name(o->covariance));
  fovea_text_add(t, "\n");
  put_header(t, "term", width, header, 4);
  put_effects(t, a->effects, a->effect_count, width);
  put_name(t, "residual", width);
  put_fixed(t, 0, a->df_resid);
  put_squares(t, a->residual_squares);
  fovea_text_add(t, "\n");
  if (a->type == 2 && has_products(a))
    fovea_text_add(t,
                   "  (a term is tested in the model without its own products; sentences, slopes and means are of the\n"
                   "  whole model, at all levels alike, and may tell otherwise)\n");
  put_lacks(t, a, width);
  if (a->pair_count == 0) return;
  fovea_text_add(t, "\nPairs of factors, each in the model or added to it alone\n");
  put_header(t, "pair", width, header, 4);
  put_effects(t, a->interactions, a->pair_count, width);
}

/* --- means ------------------------------------------------------------------------------------------------------- */

/* A line's name, value, error and interval. */
static void put_estimate(fovea_text *t, const fovea_estimate *e, size_t width, int decimals) {
  const double numbers[] = {e->value, e->std_error, e->low, e->high};
  put_name(t, e->name, width);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) put_fixed(t, decimals, numbers[i]);
}

/* A whole line with t and p; decimals below 0: by its own error. */
static void put_difference(fovea_text *t, const fovea_estimate *e, size_t width, int decimals) {
  put_estimate(t, e, width, decimals < 0 ? fovea_decimals(e->std_error) : decimals);
  put_fixed(t, 2, e->t_value);
  put_p(t, e->p_value);
  fovea_text_add(t, "\n");
}

static void put_means(fovea_text *t, const fovea_means *m, const fovea_analysis *a, const fovea_ols *o) {
  static const char *const by[] = {"Tukey's", "Holm's p, Bonferroni's intervals", "unadjusted"};
  char low[NUMBER], high[NUMBER];
  const char *header[] = {"mean", "std err", low, high, "t", "p"};
  size_t width = 10;
  for (size_t i = 0; i < m->difference_count; i++) width = wider(width, m->differences[i].name);
  double error = NAN;
  for (size_t i = 0; i < m->count; i++) error = fmin(error, m->means[i].std_error);
  const int decimals = fovea_decimals(error);
  snprintf(low, sizeof low, "[%g", o->alpha / 2);
  snprintf(high, sizeof high, "%g]", 1 - o->alpha / 2);
  fovea_text_add(t, "\n");
  fovea_text_add(t, m->name);
  fovea_text_add(t, "\n");
  put_header(t, "level", width, header, 4);
  for (size_t i = 0; i < m->count; i++) {
    put_estimate(t, &m->means[i], width, decimals);
    fovea_text_add(t, "\n");
  }
  header[0] = "value";
  put_header(t, "difference", width, header, 6);
  for (size_t i = 0; i < m->difference_count; i++) put_difference(t, &m->differences[i], width, decimals);
  if (m->difference_count > 1) fovea_text_print(t, "  (differences: %s)\n", by[a->adjustment]);
}

/* The slopes, a line each. */
static void put_slopes(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  char low[NUMBER], high[NUMBER];
  const char *const header[] = {"change", "std err", low, high, "t", "p"};
  size_t width = 10;
  for (size_t i = 0; i < a->slope_count; i++) width = wider(width, a->slopes[i].change.name);
  snprintf(low, sizeof low, "[%g", o->alpha / 2);
  snprintf(high, sizeof high, "%g]", 1 - o->alpha / 2);
  fovea_text_add(t, "\nSlopes of numbers, all other factors alike\n");
  put_header(t, "number", width, header, 6);
  for (size_t i = 0; i < a->slope_count; i++) put_difference(t, &a->slopes[i].change, width, -1);
}

static void put_all_means(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  bool any = a->factor_count > 0;
  if (a->slope_count) put_slopes(t, a, o);
  for (size_t i = 0; i < a->slope_count; i++) any = any || a->slopes[i].values.count > 0;
  if (any) fovea_text_add(t, "\nMeans, all other factors alike, and their differences\n");
  for (size_t i = 0; i < a->factor_count; i++) put_means(t, &a->factors[i], a, o);
  for (size_t i = 0; i < a->slope_count; i++)
    if (a->slopes[i].values.count > 0) put_means(t, &a->slopes[i].values, a, o);
}

/* --- shares and seeds -------------------------------------------------------------------------------------------- */

static void put_shares(fovea_text *t, const fovea_analysis *a) {
  static const char rest[] = "three factors and more";
  if (a->share_count == 0 && a->factor_count > 0 && a->slope_count > 0)
    fovea_text_add(t,
                   "\nThe parts of the variance are not given: they are of factors alone, and numbers are in the "
                   "model; --categorical makes factors of them\n");
  if (a->share_count == 0) return;
  size_t width = sizeof rest - 1;
  for (size_t i = 0; i < a->share_count; i++) width = wider(width, a->shares[i].name);
  fovea_text_add(t, "\nParts of the variance of the configurations' means, in percent\n");
  for (size_t i = 0; i < a->share_count; i++) {
    put_name(t, a->shares[i].name, width);
    put_fixed(t, 1, 100 * a->shares[i].share);
    fovea_text_add(t, "\n");
  }
  if (a->factor_count > 2) {
    put_name(t, rest, width);
    put_fixed(t, 1, 100 * a->share_rest);
    fovea_text_add(t, "\n");
  }
  if (!isnan(a->share_noise))
    fovea_text_print(t, "  (of these 100, errors in the means make some %.1f, spread over all lines)\n",
                     100 * a->share_noise);
}

/* "with 3 seeds": what there is of what more would tell more. */
static void put_extent(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  const char *block = NULL;
  for (size_t i = 0; i < a->effect_count; i++)
    if (a->effects[i].is_block) block = a->effects[i].name;
  if (!block) {
    fovea_text_print(t, "with these %zu rows", o->n);
  } else if (strcmp(block, "seed") == 0) {
    fovea_text_print(t, "with %zu seeds", a->seeds);
  } else {
    fovea_text_print(t, "with %zu blocks of ", a->seeds);
    fovea_text_add(t, block);
  }
}

static void put_detectable(fovea_text *t, const fovea_means *m, const fovea_analysis *a, const fovea_ols *o) {
  if (isnan(m->detectable)) return;
  fovea_text_add(t, m->name);
  fovea_text_add(t, ": ");
  put_extent(t, a, o);
  fovea_text_print(t, " a difference of %.2g is seen with probability %g", m->detectable, a->power);
  if (a->difference > 0 && a->seeds > 1)
    fovea_text_print(t, "; to see one of %g takes %g of them", a->difference, m->seeds);
  else if (a->difference > 0 && m->seeds > 1)
    fovea_text_print(t, "; to see one of %g takes %g times as many", a->difference, m->seeds);
  else if (a->difference > 0)
    fovea_text_print(t, "; to see one of %g they are enough", a->difference);
  fovea_text_add(t, ".\n");
}

static void put_seeds(fovea_text *t, const fovea_analysis *a, const fovea_ols *o) {
  const size_t before = t->size;
  fovea_text_add(t, "\n");
  for (size_t i = 0; i < a->factor_count; i++) put_detectable(t, &a->factors[i], a, o);
  for (size_t i = 0; i < a->slope_count; i++)
    if (a->slopes[i].values.count > 0) put_detectable(t, &a->slopes[i].values, a, o);
  if (t->size == before + 1 && !t->failed) t->bytes[t->size = before] = 0;
}

fovea_status fovea_analysis_text(const fovea_analysis *analysis, const fovea_ols *ols, char **result) {
  if (!analysis || !ols) return fovea_fail_null(analysis ? "ols" : "analysis");
  if (!result) return fovea_fail_null("text");
  if (fovea_ols_check(ols)) return FOVEA_INVALID;
  fovea_text t = {0};
  const fovea_c_locale state = fovea_c_locale_begin();
  put_sentences(&t, analysis, ols);
  put_anova(&t, analysis, ols);
  put_all_means(&t, analysis, ols);
  put_shares(&t, analysis);
  put_seeds(&t, analysis, ols);
  fovea_c_locale_end(state);
  if (t.failed) {
    free(t.bytes);
    return fovea_fail(FOVEA_NO_MEMORY, "analysis: no memory for its text");
  }
  *result = t.bytes;
  return FOVEA_OK;
}
