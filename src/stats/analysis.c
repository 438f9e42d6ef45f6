#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "fovea/stats.h"
#include "stats/anova.h"
#include "stats/coding.h"
#include "stats/covariance.h"
#include "stats/distributions.h"
#include "stats/marginal.h"
#include "stats/notes.h"
#include "stats/numbers.h"
#include "stats/pairs.h"
#include "stats/range.h"
#include "stats/sentences.h"
#include "stats/shares.h"
#include "stats/slopes.h"
#include "stats/terms.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "analysis: no memory"); }

/* --- factors and pairs ------------------------------------------------------------------------------------------- */

/* The factors that are asked about, in the order of their terms; room for variable_count. */
static size_t find_factors(const fovea_design *d, size_t *factors) {
  size_t count = 0;
  for (size_t t = 0; t < d->term_count; t++)
    for (size_t f = 0; f < d->terms[t].order; f++) {
      const size_t v = d->terms[t].variables[f];
      bool known = d->variables[v].degree > 0 || d->variables[v].is_block || d->variables[v].level_count < 2;
      for (size_t i = 0; i < count && !known; i++) known = factors[i] == v;
      if (!known) factors[count++] = v;
    }
  return count;
}

/* The numbers, likewise. */
static size_t find_numbers(const fovea_design *d, size_t *numbers) {
  size_t count = 0;
  for (size_t t = 0; t < d->term_count; t++)
    for (size_t f = 0; f < d->terms[t].order; f++) {
      const size_t v = d->terms[t].variables[f];
      bool known = d->variables[v].degree == 0 || fovea_variable_is_constant(&d->variables[v], d->n);
      for (size_t i = 0; i < count && !known; i++) known = numbers[i] == v;
      if (!known) numbers[count++] = v;
    }
  return count;
}

/* The joint test of a variable's own term. */
static fovea_effect effect_of(const fovea_design *d, const fovea_analysis *a, size_t variable) {
  for (size_t t = 0; t < d->term_count; t++)
    if (d->terms[t].order == 1 && d->terms[t].variables[0] == variable) return a->effects[t];
  return (fovea_effect){.f_value = NAN, .p_value = NAN};
}

static fovea_status add_factors(const fovea_design *d, const fovea_ols *o, const size_t *factors, fovea_analysis *a) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < a->factor_count && !status; i++) {
    fovea_means *m = &a->factors[i];
    status = fovea_means_fill(d, o, &factors[i], 1, a->adjustment, NULL, m);
    if (status) break;
    const fovea_effect effect = effect_of(d, a, factors[i]);
    m->sentence = fovea_sentence(&d->variables[factors[i]], d->response, o, &effect, m, a->adjustment);
    if (!m->sentence) status = no_memory();
  }
  return status;
}

static fovea_status add_slopes(const fovea_design *d, const fovea_ols *o, const size_t *numbers, fovea_analysis *a) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < a->slope_count && !status; i++) {
    const fovea_effect effect = effect_of(d, a, numbers[i]);
    status = fovea_slope_fill(d, o, numbers[i], &effect, a->adjustment, &a->slopes[i]);
  }
  return status;
}

/* --- seeds ------------------------------------------------------------------------------------------------------- */

/* The table as it is, times seeds / its seeds. */
typedef struct scale {
  double rows_per_seed, parameters, seeds, error, alpha;
  bool blocked; /* each seed takes a parameter */
} scale;

static double power_of(const scale *s, double seeds, double difference) {
  const double df = s->rows_per_seed * seeds - s->parameters - (s->blocked ? seeds - s->seeds : 0);
  if (!(df > 0)) return 0;
  const double error = s->error * sqrt(s->seeds / seeds);
  return fovea_noncentral_t_two_sided(fovea_student_t_isf(s->alpha / 2, df), df, difference / error);
}

static double seeds_needed(const scale *s, double difference, double power) {
  double low = 0, high = 1;
  while (power_of(s, high, difference) < power) {
    low = high;
    high *= 2;
    if (high > 1e9) return INFINITY;
  }
  while (high - low > 1) {
    const double middle = floor((low + high) / 2);
    if (power_of(s, middle, difference) < power)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static double detectable_with(const scale *s, double power) {
  double low = 0, high = s->error;
  if (!(power_of(s, s->seeds, 1e6 * high) >= power)) return NAN;
  while (power_of(s, s->seeds, high) < power) low = high, high *= 2;
  for (int step = 0; step < 50; step++) {
    const double middle = (low + high) / 2;
    if (power_of(s, s->seeds, middle) < power)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static void tell_seeds(scale *s, const fovea_analysis *a, fovea_means *m) {
  s->error = fovea_means_error(m);
  if (!(s->error > 0) || !isfinite(s->error)) return;
  m->detectable = detectable_with(s, a->power);
  if (a->difference > 0) m->seeds = seeds_needed(s, a->difference, a->power);
}

static void count_seeds(const fovea_design *d, const fovea_ols *o, fovea_analysis *a) {
  scale s = {.parameters = (double)o->rank, .alpha = o->alpha};
  a->seeds = 1;
  for (size_t v = 0; v < d->variable_count; v++) {
    if (!d->variables[v].is_block) continue;
    a->seeds = d->variables[v].level_count;
    s.blocked = true;
  }
  s.seeds = (double)a->seeds;
  s.rows_per_seed = (double)d->n / s.seeds;
  if (fovea_ols_is_noise(o)) return;
  for (size_t i = 0; i < a->factor_count; i++) tell_seeds(&s, a, &a->factors[i]);
  for (size_t i = 0; i < a->slope_count; i++) {
    scale of = s; /* a mean for each value takes as many parameters more */
    of.parameters += a->slopes[i].lack.df;
    tell_seeds(&of, a, &a->slopes[i].values);
  }
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static fovea_status allocate(const fovea_design *d, size_t factors, size_t numbers, fovea_analysis *a) {
  a->effect_count = d->term_count;
  a->factor_count = factors;
  a->slope_count = numbers;
  a->pair_count = factors > 1 ? factors * (factors - 1) / 2 : 0;
  a->effects = calloc(a->effect_count + 1, sizeof *a->effects);
  a->factors = calloc(factors + 1, sizeof *a->factors);
  a->slopes = calloc(numbers + 1, sizeof *a->slopes);
  a->pairs = calloc(a->pair_count + 1, sizeof *a->pairs);
  a->interactions = calloc(a->pair_count + 1, sizeof *a->interactions);
  return a->effects && a->factors && a->slopes && a->pairs && a->interactions ? FOVEA_OK : no_memory();
}

static fovea_status analyze(const fovea_design *d, const fovea_ols *o, fovea_analysis *a) {
  size_t *factors = calloc(2 * d->variable_count + 1, sizeof *factors);
  if (!factors) return no_memory();
  size_t *const numbers = factors + d->variable_count;
  fovea_status status = allocate(d, find_factors(d, factors), find_numbers(d, numbers), a);
  a->df_resid = o->df_resid;
  a->residual_squares = o->df_resid > 0 ? o->residual_deviation * o->residual_deviation * o->df_resid : 0;
  const fovea_c_locale state = fovea_c_locale_begin();
  if (!status) status = fovea_anova_fill(d, o, a->type, a->effects);
  if (!status) status = add_factors(d, o, factors, a);
  if (!status) status = add_slopes(d, o, numbers, a);
  if (!status) {
    memmove(factors + a->factor_count, numbers, a->slope_count * sizeof *numbers);
    status = fovea_pairs_fill(d, o, factors, a);
  }
  fovea_c_locale_end(state);
  if (!status) status = fovea_shares_fill(d, factors, a->factor_count, o->exact ? NAN : o->residual_deviation, a);
  if (!status) count_seeds(d, o, a);
  free(factors);
  return status;
}

static fovea_status check(const fovea_design *d, const fovea_ols *o, const fovea_analysis_options *options) {
  fovea_status status = fovea_design_check(d);
  if (!status) status = fovea_ols_check(o);
  if (status) return status;
  if (d->n != o->n || d->k != o->k) return fovea_fail(FOVEA_INVALID, "analysis: the fit is of another design");
  if (d->term_count == 0) return fovea_fail(FOVEA_INVALID, "analysis: the design has no terms to test");
  if (!o->constant)
    return fovea_fail(FOVEA_INVALID,
                      "analysis: the design has no constant, and without one a term cannot be told from "
                      "the mean");
  if (options->type != 2 && options->type != 3)
    return fovea_fail(FOVEA_INVALID, "analysis: there is no type %d; it is 2 or 3", options->type);
  if (options->adjustment < FOVEA_TUKEY || options->adjustment > FOVEA_UNADJUSTED)
    return fovea_fail(FOVEA_INVALID, "analysis: there is no adjustment %d", (int)options->adjustment);
  if (!(options->difference >= 0 && isfinite(options->difference)))
    return fovea_fail(FOVEA_INVALID, "analysis: the difference to be seen is %g", options->difference);
  if (!(options->power > 0 && options->power < 1))
    return fovea_fail(FOVEA_INVALID, "analysis: the power is %g; it is above 0 and below 1", options->power);
  return FOVEA_OK;
}

fovea_status fovea_analyze(const fovea_design *design, const fovea_ols *ols, const fovea_analysis_options *options,
                           fovea_analysis **analysis) {
  if (!design || !ols) return fovea_fail_null(design ? "ols" : "design");
  if (!analysis) return fovea_fail_null("analysis");
  fovea_analysis_options o = options ? *options : (fovea_analysis_options){0};
  if (o.type == 0) o.type = 2;
  if (!(o.power < 0 || o.power > 0)) o.power = 0.8;
  if (check(design, ols, &o)) return FOVEA_INVALID;
  fovea_analysis *a = calloc(1, sizeof *a);
  if (!a) return no_memory();
  *a = (fovea_analysis){
      .type = o.type, .adjustment = o.adjustment, .difference = o.difference, .power = o.power, .share_noise = NAN};
  fovea_status status = analyze(design, ols, a);
  if (status) {
    fovea_analysis_destroy(a);
    return status;
  }
  *analysis = a;
  return FOVEA_OK;
}

static void free_effects(fovea_effect *effects, size_t count) {
  for (size_t i = 0; i < count && effects; i++) {
    free(effects[i].name);
    free(effects[i].alike);
    free(effects[i].unknown);
  }
  free(effects);
}

static void free_means(fovea_means *means, size_t count) {
  for (size_t i = 0; i < count && means; i++) fovea_means_free(&means[i]);
  free(means);
}

void fovea_analysis_destroy(fovea_analysis *analysis) {
  if (!analysis) return;
  free_effects(analysis->effects, analysis->effect_count);
  free_effects(analysis->interactions, analysis->pair_count);
  free_means(analysis->factors, analysis->factor_count);
  for (size_t i = 0; i < analysis->slope_count && analysis->slopes; i++) fovea_slope_free(&analysis->slopes[i]);
  free(analysis->slopes);
  free_means(analysis->pairs, analysis->pair_count);
  for (size_t i = 0; i < analysis->share_count; i++) free(analysis->shares[i].name);
  free(analysis->shares);
  free(analysis);
}
