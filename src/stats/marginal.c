/* A mean is L b, where L has each column's mean over the reference grid; its variance is L C L'. It can be told where L
 * is a combination of rows of x: where for each aliased column L has the same combination of L's values at the columns
 * of which that is one (Searle, Linear Models, 1971). */
#include "stats/marginal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/coding.h"
#include "stats/distributions.h"
#include "stats/notes.h"
#include "stats/range.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "means: no memory"); }

/* --- L ----------------------------------------------------------------------------------------------------------- */

static double mean_of(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (values[i] - sum) / (double)(i + 1);
  return sum;
}

/* Where a row of L is: factors at levels, and a number at a value; NULL: at its mean. */
typedef struct place {
  const size_t *variables, *levels;
  size_t count, number;
  const double *value;
} place;

/* A variable's part of a column: at `level`, or where that is none over all its levels alike. */
static double part_value(const fovea_design *d, size_t variable, bool full, size_t part, const size_t *level,
                         const place *at) {
  const fovea_design_variable *v = &d->variables[variable];
  if (v->degree > 0)
    return pow(at->value && variable == at->number ? *at->value : mean_of(v->values, d->n), (double)(part + 1));
  if (level) return fovea_coding_of_level(v, FOVEA_BY_TREATMENT, full, part, *level);
  return 1 / (double)v->level_count;
}

static const size_t *fixed_level(size_t variable, const place *at) {
  for (size_t i = 0; i < at->count; i++)
    if (at->variables[i] == variable) return &at->levels[i];
  return NULL;
}

static void fill_row(const fovea_design *d, const place *at, double *row) {
  if (d->constant) row[0] = 1;
  for (size_t t = 0; t < d->term_count; t++) {
    const fovea_design_term *term = &d->terms[t];
    for (size_t c = 0; c < term->count; c++) {
      double value = 1;
      for (size_t f = 0; f < term->order; f++)
        value *= part_value(d, term->variables[f], term->full[f], fovea_coding_part(d, term, f, c),
                            fixed_level(term->variables[f], at), at);
      row[term->first + c] = value;
    }
  }
}

/* --- L b --------------------------------------------------------------------------------------------------------- */

static bool can_be_told(const fovea_ols *o, const double *row) {
  for (size_t a = 0; a < o->alias_count; a++) {
    const fovea_ols_alias *alias = &o->aliases[a];
    double left = row[alias->column], size = fabs(left);
    for (size_t i = 0; i < alias->count; i++) {
      const double part = alias->weights[i] * row[alias->with[i]];
      left -= part;
      size += fabs(part);
    }
    if (fabs(left) > 1e-8 * size) return false;
  }
  return true;
}

/* Value, error and t; p and the interval as of this alone. */
static void estimate(const fovea_ols *o, const double *row, fovea_estimate *e) {
  double value = 0, variance = 0;
  for (size_t i = 0; i < o->k; i++) {
    if (o->aliased[i] || !(fabs(row[i]) > 0)) continue;
    value += row[i] * o->coefficients[i];
    for (size_t j = 0; j < o->k; j++)
      if (!o->aliased[j] && fabs(row[j]) > 0)
        variance += row[i] * o->std_errors[i] * o->correlation[i * o->k + j] * row[j] * o->std_errors[j];
  }
  const bool told = can_be_told(o, row);
  const double quantile = fovea_student_t_isf(o->alpha / 2, o->df_inference);
  e->value = told ? value : NAN;
  /* of an exact or a saturated fit the error is rounding noise, or not known */
  e->std_error = told && !fovea_ols_is_noise(o) ? sqrt(fmax(variance, 0)) : NAN;
  e->t_value = e->value / e->std_error;
  e->p_value = 2 * fovea_student_t_sf(fabs(e->t_value), o->df_inference);
  e->low = e->value - quantile * e->std_error;
  e->high = e->value + quantile * e->std_error;
}

/* --- adjustments ------------------------------------------------------------------------------------------------- */

static double interval_quantile(const fovea_ols *o, size_t levels, size_t count, fovea_adjustment adjustment) {
  if (adjustment == FOVEA_TUKEY)
    return fovea_studentized_range_isf(o->alpha, (double)levels, o->df_inference) / sqrt(2);
  const double family = adjustment == FOVEA_HOLM ? (double)count : 1;
  return fovea_student_t_isf(o->alpha / 2 / family, o->df_inference);
}

static int by_p(const void *a, const void *b) {
  const double x = (*(const fovea_estimate *const *)a)->p_value, y = (*(const fovea_estimate *const *)b)->p_value;
  return (x > y) - (x < y);
}

/* Holm, Scand. J. Statist. 6 (1979): the smallest times their number, the next times one less, never falling. */
static fovea_status adjust_holm(fovea_estimate *d, size_t count) {
  fovea_estimate **sorted = malloc((count + 1) * sizeof *sorted);
  size_t told = 0;
  double least = 0;
  if (!sorted) return no_memory();
  for (size_t i = 0; i < count; i++)
    if (!isnan(d[i].p_value)) sorted[told++] = &d[i];
  qsort(sorted, told, sizeof *sorted, by_p);
  for (size_t i = 0; i < told; i++) {
    least = fmax(least, fmin(1, sorted[i]->p_value * (double)(count - i)));
    sorted[i]->p_value = least;
  }
  free(sorted);
  return FOVEA_OK;
}

static fovea_status adjust(const fovea_ols *o, size_t levels, fovea_adjustment adjustment, fovea_means *m) {
  const double quantile = interval_quantile(o, levels, m->difference_count, adjustment);
  for (size_t i = 0; i < m->difference_count; i++) {
    fovea_estimate *e = &m->differences[i];
    if (adjustment == FOVEA_TUKEY)
      e->p_value = fovea_studentized_range_sf(fabs(e->t_value) * sqrt(2), (double)levels, o->df_inference);
    e->low = e->value - quantile * e->std_error;
    e->high = e->value + quantile * e->std_error;
  }
  return adjustment == FOVEA_HOLM ? adjust_holm(m->differences, m->difference_count) : FOVEA_OK;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static char *joined(const char *a, const char *between, const char *b) {
  const size_t size = strlen(a) + strlen(between) + strlen(b) + 1;
  char *text = malloc(size);
  if (text) snprintf(text, size, "%s%s%s", a, between, b);
  return text;
}

static fovea_status fill_means(const fovea_design *d, const fovea_ols *o, const fovea_tie *tie, fovea_means *m,
                               double *rows) {
  const fovea_design_variable *first = &d->variables[m->variables[0]], *second = NULL;
  if (m->variable_count > 1) second = &d->variables[m->variables[1]];
  const size_t inner = second ? second->level_count : 1;
  for (size_t i = 0; i < m->count; i++) {
    const size_t levels[2] = {i / inner, i % inner};
    place at = {.variables = m->variables, .levels = levels, .count = m->variable_count};
    if (tie) at.number = tie->number, at.value = &tie->values[levels[0]];
    fill_row(d, &at, rows + i * o->k);
    estimate(o, rows + i * o->k, &m->means[i]);
    m->means[i].level = i;
    m->means[i].name =
        second ? joined(first->levels[levels[0]], ":", second->levels[levels[1]]) : strdup(first->levels[i]);
    if (!m->means[i].name) return no_memory();
  }
  return FOVEA_OK;
}

static fovea_status fill_differences(const fovea_design *d, const fovea_ols *o, fovea_adjustment adjustment,
                                     fovea_means *m, const double *rows, double *row) {
  const fovea_design_variable *v = &d->variables[m->variables[0]];
  size_t at = 0;
  for (size_t i = 0; i < v->level_count; i++)
    for (size_t j = i + 1; j < v->level_count; j++) {
      fovea_estimate *e = &m->differences[at++];
      for (size_t c = 0; c < o->k; c++) row[c] = rows[j * o->k + c] - rows[i * o->k + c];
      estimate(o, row, e);
      e->level = j;
      e->reference = i;
      e->name = joined(v->levels[j], " - ", v->levels[i]);
      if (!e->name) return no_memory();
    }
  return adjust(o, v->level_count, adjustment, m);
}

fovea_status fovea_means_fill(const fovea_design *d, const fovea_ols *o, const size_t *variables, size_t variable_count,
                              fovea_adjustment adjustment, const fovea_tie *tie, fovea_means *m) {
  const fovea_design_variable *first = &d->variables[variables[0]];
  *m = (fovea_means){.variable_count = variable_count, .count = first->level_count, .seeds = NAN, .detectable = NAN};
  for (size_t i = 0; i < variable_count; i++) m->variables[i] = variables[i];
  if (variable_count > 1) m->count *= d->variables[variables[1]].level_count;
  if (variable_count == 1) m->difference_count = m->count * (m->count - 1) / 2;
  m->name = variable_count > 1 ? joined(first->name, ":", d->variables[variables[1]].name) : strdup(first->name);
  m->means = calloc(m->count, sizeof *m->means);
  m->differences = calloc(m->difference_count + 1, sizeof *m->differences);
  double *rows = calloc((m->count + 1) * o->k, sizeof *rows);
  fovea_status status = m->name && m->means && m->differences && rows ? FOVEA_OK : no_memory();
  if (!status) status = fill_means(d, o, tie, m, rows);
  if (!status && m->difference_count) status = fill_differences(d, o, adjustment, m, rows, rows + m->count * o->k);
  free(rows);
  return status;
}

fovea_status fovea_slope_estimate(const fovea_design *d, const fovea_ols *o, size_t number, double step,
                                  fovea_estimate *e) {
  static const double zero = 0;
  double *row = calloc(2 * o->k, sizeof *row);
  if (!row) return no_memory();
  double *const from = row + o->k;
  fill_row(d, &(place){.number = number, .value = &step}, row);
  fill_row(d, &(place){.number = number, .value = &zero}, from);
  for (size_t c = 0; c < o->k; c++) row[c] -= from[c];
  estimate(o, row, e);
  free(row);
  return FOVEA_OK;
}

void fovea_means_free(fovea_means *m) {
  for (size_t i = 0; i < m->count && m->means; i++) free(m->means[i].name);
  for (size_t i = 0; i < m->difference_count && m->differences; i++) free(m->differences[i].name);
  free(m->name);
  free(m->means);
  free(m->differences);
  free(m->sentence);
}

double fovea_means_error(const fovea_means *m) {
  double largest = NAN;
  for (size_t i = 0; i < m->difference_count; i++) largest = fmax(largest, m->differences[i].std_error);
  return largest;
}
