/* With errors of one variance, a term's sum of squares is what the residuals' grows by when its columns go, from a
 * design without those terms that contain it (type 2) or from the whole one in columns that add up to 0 (type 3). With
 * a robust covariance it is Wald's statistic of the same hypothesis; of type 2 that is the statistic of the term and
 * those that contain it, less that of the latter alone: what is left is the part that the covariance has no link to. */
#include "stats/anova.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/coding.h"
#include "stats/covariance.h"
#include "stats/distributions.h"
#include "stats/lsq.h"
#include "stats/notes.h"
#include "stats/terms.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "analysis of variance: no memory"); }

/* --- which columns ----------------------------------------------------------------------------------------------- */

/* Marks the columns of the terms that contain `term`, with or without its own. */
static void mark_containing(const fovea_design *d, const fovea_design_term *term, bool itself, bool *marked) {
  for (size_t j = 0; j < d->k; j++) marked[j] = false;
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *candidate = &d->terms[t];
    if (!fovea_term_contains(candidate, term) || (candidate == term && !itself)) continue;
    for (size_t c = 0; c < candidate->count; c++) marked[candidate->first + c] = true;
  }
}

static void mark_own(const fovea_design *d, const fovea_design_term *term, bool *marked) {
  for (size_t j = 0; j < d->k; j++) marked[j] = j >= term->first && j < term->first + term->count;
}

/* --- sums of squares --------------------------------------------------------------------------------------------- */

typedef struct residual {
  double squares;
  size_t rank;
} residual;

/* What the columns of x that are not `left_out` leave of y + y_low (n, scaled; y_low may be NULL). */
static fovea_status fit_without(const fovea_design *d, const double *x, const double *low, const double *y,
                                const double *y_low, const bool *left_out, residual *r) {
  size_t k = 0;
  for (size_t j = 0; j < d->k; j++) k += !left_out[j];
  fovea_lsq l = {0};
  double *part = malloc((d->n * (k + 1)) * sizeof *part),
         *part_low = low ? malloc(d->n * (k + 1) * sizeof *part) : NULL;
  double *b = malloc((d->k + d->n) * sizeof *b), *e = b + d->k;
  dd squares = {0};
  fovea_status status = part && b && (part_low || !low) ? FOVEA_OK : no_memory();
  if (!status) {
    for (size_t i = 0, at = 0; i < d->n; i++)
      for (size_t j = 0; j < d->k; j++) {
        if (left_out[j]) continue;
        part[at] = x[i * d->k + j];
        if (low) part_low[at] = low[i * d->k + j];
        at++;
      }
    if (k > 0) {
      status = fovea_lsq_factor(part, part_low, d->n, k, &l);
      if (!status) status = fovea_lsq_solve(&l, y, y_low, b, e, &squares);
    } else {
      squares = dd_dot(y, y, d->n);
    }
    if (!status) *r = (residual){dd_value(squares), l.rank};
  }
  fovea_lsq_destroy(&l);
  free(part);
  free(part_low);
  free(b);
  return status;
}

static void conclude(double squares, double df, const fovea_ols *o, double mean_square, fovea_effect *effect) {
  effect->df = df;
  effect->f_value = df > 0 && !fovea_ols_is_noise(o) ? fmax(squares, 0) / df / mean_square : NAN;
  effect->p_value = fovea_f_sf(effect->f_value, df, o->df_inference);
}

static fovea_status by_squares(const fovea_design *d, const fovea_ols *o, int type, const double *x, const double *low,
                               fovea_effect *effects) {
  const int exponent = fovea_lsq_exponent(d->y, d->n, 1);
  bool *marked = calloc(d->k, sizeof *marked);
  double *y = malloc(2 * d->n * sizeof *y), *y_low = d->y_low && y ? y + d->n : NULL;
  residual all = {0}, after = {0};
  fovea_status status = marked && y ? FOVEA_OK : no_memory();
  for (size_t i = 0; i < d->n && !status; i++) y[i] = ldexp(d->y[i], -exponent);
  for (size_t i = 0; i < d->n && y_low && !status; i++) y_low[i] = ldexp(d->y_low[i], -exponent);
  if (!status) status = fit_without(d, x, low, y, y_low, marked, &all);
  for (size_t t = 0; t < d->term_count && !status; t++) {
    residual before = all;
    if (type == 2) {
      mark_containing(d, &d->terms[t], false, marked);
      status = fit_without(d, x, low, y, y_low, marked, &before);
      mark_containing(d, &d->terms[t], true, marked);
    } else {
      mark_own(d, &d->terms[t], marked);
    }
    if (!status) status = fit_without(d, x, low, y, y_low, marked, &after);
    const double squares = fmax(after.squares - before.squares, 0);
    effects[t].sum_squares = ldexp(squares, 2 * exponent);
    conclude(squares, (double)(before.rank - after.rank), o, all.squares / o->df_resid, &effects[t]);
  }
  free(marked);
  free(y);
  return status;
}

/* --- Wald's ------------------------------------------------------------------------------------------------------ */

static fovea_status wald_of(const fovea_ols *o, const bool *marked, size_t *columns, double *statistic, size_t *rank) {
  size_t count = 0;
  for (size_t j = 0; j < o->k; j++)
    if (marked[j]) columns[count++] = j;
  return fovea_wald(o, columns, count, statistic, rank);
}

static fovea_status by_wald(const fovea_design *d, const fovea_ols *o, int type, fovea_effect *effects) {
  bool *marked = calloc(d->k, sizeof *marked);
  size_t *columns = malloc(d->k * sizeof *columns), rank = 0, rank_containing = 0;
  double statistic = 0, containing = 0;
  fovea_status status = marked && columns ? FOVEA_OK : no_memory();
  for (size_t t = 0; t < d->term_count && !status; t++) {
    if (type == 2) {
      mark_containing(d, &d->terms[t], false, marked);
      status = wald_of(o, marked, columns, &containing, &rank_containing);
      mark_containing(d, &d->terms[t], true, marked);
    } else {
      mark_own(d, &d->terms[t], marked);
    }
    if (!status) status = wald_of(o, marked, columns, &statistic, &rank);
    effects[t].sum_squares = NAN;
    conclude(statistic - containing, (double)(rank - rank_containing), o, 1, &effects[t]);
  }
  free(marked);
  free(columns);
  return status;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

/* The same fit, in columns by sum. */
static fovea_status wald_by_sum(const fovea_design *d, const fovea_ols *o, double *x, double *low,
                                fovea_effect *effects) {
  fovea_design sum = *d;
  fovea_ols *fit = NULL;
  const fovea_ols_options options = {.covariance = o->covariance, .alpha = o->alpha};
  sum.x = x;
  sum.x_low = low;
  fovea_status status = fovea_ols_fit_design(&sum, &options, &fit);
  if (!status) status = by_wald(d, fit, 3, effects);
  fovea_ols_destroy(fit);
  return status;
}

fovea_status fovea_anova_fill(const fovea_design *d, const fovea_ols *o, int type, fovea_effect *effects) {
  fovea_status status = FOVEA_OK;
  for (size_t t = 0; t < d->term_count && !status; t++) {
    effects[t].name = strdup(d->terms[t].name);
    effects[t].is_block = d->variables[d->terms[t].variables[0]].is_block;
    if (!effects[t].name) status = no_memory();
  }
  if (status) return status;
  const bool classical = o->covariance == FOVEA_CLASSICAL;
  if (type == 2) return classical ? by_squares(d, o, type, d->x, d->x_low, effects) : by_wald(d, o, type, effects);
  double *x = malloc(d->n * d->k * sizeof *x), *low = d->x_low ? malloc(d->n * d->k * sizeof *low) : NULL;
  status = x && (low || !d->x_low) ? FOVEA_OK : no_memory();
  if (!status) {
    fovea_coding_matrix(d, FOVEA_BY_SUM, x, low);
    status = classical ? by_squares(d, o, type, x, low, effects) : wald_by_sum(d, o, x, low, effects);
  }
  free(x);
  free(low);
  return status;
}

/* --- one term more ----------------------------------------------------------------------------------------------- */

fovea_status fovea_anova_term(const fovea_design *d, const fovea_ols *o, const fovea_design_term *term,
                              fovea_effect *effect) {
  bool *marked = calloc(d->k + 1, sizeof *marked);
  size_t *columns = malloc((d->k + 1) * sizeof *columns), rank = 0, rank_containing = 0;
  double statistic = NAN, containing = 0;
  fovea_status status = marked && columns ? FOVEA_OK : no_memory();
  if (!status) {
    mark_containing(d, term, false, marked);
    status = wald_of(o, marked, columns, &containing, &rank_containing);
  }
  if (!status) {
    mark_containing(d, term, true, marked);
    status = wald_of(o, marked, columns, &statistic, &rank);
  }
  free(marked);
  free(columns);
  if (status) return status;
  conclude(statistic - containing, (double)(rank - rank_containing), o, 1, effect);
  effect->sum_squares = o->covariance == FOVEA_CLASSICAL
                            ? effect->f_value * effect->df * o->residual_deviation * o->residual_deviation
                            : NAN;
  return FOVEA_OK;
}

static fovea_status copy_terms(const fovea_design *d, const size_t *variables, size_t order, fovea_design *wider) {
  fovea_status status = FOVEA_OK;
  for (size_t t = 0; t < d->term_count && !status; t++)
    status = fovea_terms_add(wider, d->terms[t].variables, d->terms[t].order);
  if (!status) status = fovea_terms_add(wider, variables, order);
  for (size_t t = 0; t < d->term_count && !status; t++) {
    memcpy(wider->terms[t].full, d->terms[t].full, d->terms[t].order * sizeof *d->terms[t].full);
    wider->terms[t].first = d->terms[t].first;
    wider->terms[t].count = d->terms[t].count;
  }
  return status;
}

fovea_status fovea_wider_make(const fovea_design *d, const fovea_design_variable *extra, const size_t *variables,
                              size_t order, fovea_design *wider) {
  *wider = *d;
  wider->terms = NULL;
  wider->term_count = 0;
  wider->x = wider->x_low = NULL;
  wider->names = NULL;
  wider->variables = malloc((d->variable_count + 1) * sizeof *wider->variables);
  if (!wider->variables) return no_memory();
  memcpy(wider->variables, d->variables, d->variable_count * sizeof *wider->variables);
  if (extra) wider->variables[wider->variable_count++] = *extra;
  fovea_status status = copy_terms(d, variables, order, wider);
  if (status) return status;
  fovea_design_term *added = &wider->terms[wider->term_count - 1];
  if (wider->term_count > d->term_count) {
    added->first = d->k;
    added->count = 1;
    for (size_t i = 0; i < order; i++) added->count *= fovea_coding_width(&wider->variables[variables[i]], false);
    wider->k += added->count;
  }
  wider->x = malloc(wider->n * wider->k * sizeof *wider->x);
  wider->x_low = d->x_low ? malloc(wider->n * wider->k * sizeof *wider->x_low) : NULL;
  wider->names = calloc(wider->k, sizeof *wider->names);
  if (!wider->x || !wider->names || (d->x_low && !wider->x_low)) return no_memory();
  fovea_coding_matrix(wider, FOVEA_BY_TREATMENT, wider->x, wider->x_low);
  for (size_t j = 0; j < wider->k; j++) wider->names[j] = j < d->k ? d->names[j] : added->name;
  return FOVEA_OK;
}

void fovea_wider_free(fovea_design *wider) {
  for (size_t t = 0; t < wider->term_count; t++) fovea_term_free(&wider->terms[t]);
  free(wider->variables);
  free(wider->terms);
  free(wider->names);
  free(wider->x);
  free(wider->x_low);
}
