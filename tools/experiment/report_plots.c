#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "draw/effects.h"
#include "experiment/report.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of factors"); }

static bool tells(const fovea_means *m, size_t count) {
  for (size_t i = 0; i < count; i++)
    for (size_t l = 0; l < m[i].count; l++)
      if (isfinite(m[i].means[l].value)) return true;
  return false;
}

bool report_tells_factors(const report *r) {
  bool told = r->analysis && tells(r->analysis->factors, r->analysis->factor_count);
  for (size_t i = 0; r->analysis && i < r->analysis->slope_count; i++)
    told = told || tells(&r->analysis->slopes[i].values, 1);
  return told;
}

bool report_tells_pairs(const report *r) { return r->analysis && tells(r->analysis->pairs, r->analysis->pair_count); }

static fovea_status need_factors(const report *r, size_t count, const char *what) {
  if (!r->analysis) return fovea_fail(FOVEA_INVALID, "a picture of %s needs --anova", what);
  if (count == 0) return fovea_fail(FOVEA_INVALID, "there are no %s to draw", what);
  return FOVEA_OK;
}

/* --- factors ----------------------------------------------------------------------------------------------------- */

static const fovea_estimate *from_baseline(const fovea_means *m, size_t level) {
  for (size_t i = 0; i < m->difference_count; i++)
    if (m->differences[i].level == level && m->differences[i].reference == 0) return &m->differences[i];
  return NULL;
}

static plot_level level_of(const fovea_means *m, size_t level) {
  const fovea_estimate *mean = &m->means[level], *e = from_baseline(m, level);
  plot_level row = {.name = mean->name,
                    .mean = mean->value,
                    .mean_low = mean->low,
                    .mean_high = mean->high,
                    .difference = NAN,
                    .low = NAN,
                    .high = NAN,
                    .p = NAN};
  if (!e) return row;
  row.difference = e->value;
  row.low = e->low;
  row.high = e->high;
  row.p = e->p_value;
  return row;
}

/* The factors, then the numbers with a mean for each value. */
static const fovea_means *means_at(const fovea_analysis *a, size_t i) {
  return i < a->factor_count ? &a->factors[i] : &a->slopes[i - a->factor_count].values;
}

fovea_status report_plot_factors(const char *path, const report *r) {
  static const char *const by[] = {"for all differences of a factor at once (Tukey)",
                                   "for all differences of a factor at once (Holm, Bonferroni)", "of each difference"};
  const fovea_analysis *a = r->analysis;
  const size_t most = a ? a->factor_count + a->slope_count : 0;
  size_t rows = 0, count = 0;
  for (size_t i = 0; i < most; i++) rows += means_at(a, i)->count;
  fovea_status status = need_factors(r, rows, "factors");
  if (status) return status;
  plot_level *levels = malloc(rows * sizeof *levels), *next = levels;
  plot_factor *factors = malloc(most * sizeof *factors);
  if (levels && factors) {
    for (size_t i = 0; i < most; i++) {
      const fovea_means *m = means_at(a, i);
      if (m->count == 0) continue;
      factors[count] = (plot_factor){.name = m->name, .levels = next, .count = m->count};
      count++;
      for (size_t l = 0; l < m->count; l++) *next++ = level_of(m, l);
    }
    char title[200], note[300];
    snprintf(title, sizeof title, "%.150s: what each factor does", r->ols->response);
    snprintf(note, sizeof note, "Bars are %g%% intervals, %s: blue and filled where they exclude zero.",
             100 * (1 - r->ols->alpha), by[a->adjustment]);
    status = plot_factors(path, title, note, factors, count);
  } else {
    status = no_memory();
  }
  free(levels);
  free(factors);
  return status;
}

/* --- pairs ------------------------------------------------------------------------------------------------------- */

/* A pair and what it points into. */
typedef struct drawn_pair {
  plot_pair pair;
  double *numbers; /* means, low, high */
} drawn_pair;

static fovea_status take_pair(const report *r, size_t i, drawn_pair *d) {
  const fovea_means *m = &r->analysis->pairs[i];
  const fovea_design_variable *first = &r->design->variables[m->variables[0]];
  const fovea_design_variable *second = &r->design->variables[m->variables[1]];
  d->numbers = malloc(3 * m->count * sizeof *d->numbers);
  if (!d->numbers) return no_memory();
  for (size_t c = 0; c < m->count; c++) {
    d->numbers[c] = m->means[c].value;
    d->numbers[m->count + c] = m->means[c].low;
    d->numbers[2 * m->count + c] = m->means[c].high;
  }
  d->pair = (plot_pair){.across = first->name,
                        .lines = second->name,
                        .across_levels = (const char *const *)first->levels,
                        .line_levels = (const char *const *)second->levels,
                        .across_count = first->level_count,
                        .line_count = second->level_count,
                        .means = d->numbers,
                        .low = d->numbers + m->count,
                        .high = d->numbers + 2 * m->count,
                        .p = r->analysis->interactions[i].p_value};
  return FOVEA_OK;
}

fovea_status report_plot_pairs(const char *path, const report *r) {
  fovea_status status = need_factors(r, r->analysis ? r->analysis->pair_count : 0, "pairs of factors");
  if (status) return status;
  const size_t count = r->analysis->pair_count;
  drawn_pair *drawn = calloc(count, sizeof *drawn);
  plot_pair *pairs = malloc(count * sizeof *pairs);
  if (!drawn || !pairs) status = no_memory();
  for (size_t i = 0; i < count && !status; i++) {
    status = take_pair(r, i, &drawn[i]);
    pairs[i] = drawn[i].pair;
  }
  if (!status) {
    char title[200];
    snprintf(title, sizeof title, "%.150s: pairs of factors", r->ols->response);
    status = plot_pairs(path, title, r->ols->response, pairs, count);
  }
  for (size_t i = 0; i < count && drawn; i++) free(drawn[i].numbers);
  free(drawn);
  free(pairs);
  return status;
}
