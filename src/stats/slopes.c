/* A number's values as the levels of a factor beside it: the columns that this adds to the line are what it lacks (the
 * F test for lack of fit: Draper and Smith, Applied Regression Analysis, 1998, 2.1), and the wider fit has the means.
 */
#include "stats/slopes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/anova.h"
#include "stats/marginal.h"
#include "stats/sentences.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "slopes: no memory"); }

/* --- values ------------------------------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The different values in order (n of room); how many there are. */
static size_t sort_values(const fovea_design_variable *v, size_t n, double *values) {
  size_t count = 1;
  memcpy(values, v->values, n * sizeof *values);
  qsort(values, n, sizeof *values, by_size);
  for (size_t i = 1; i < n; i++)
    if (values[i] > values[count - 1]) values[count++] = values[i];
  return count;
}

static void free_levels(fovea_design_variable *levels) {
  for (size_t l = 0; l < levels->level_count && levels->levels; l++) free(levels->levels[l]);
  free(levels->levels);
  free(levels->at);
}

/* The number as a factor of those values; the caller frees it, also on failure. */
static fovea_status make_levels(const fovea_design_variable *v, size_t n, const double *values, const fovea_slope *s,
                                fovea_design_variable *levels) {
  const size_t count = s->value_count;
  *levels = (fovea_design_variable){.name = s->name, .level_count = count};
  levels->levels = calloc(count, sizeof *levels->levels);
  levels->at = malloc(n * sizeof *levels->at);
  if (!levels->levels || !levels->at) return no_memory();
  for (size_t l = 0; l < count; l++) {
    char word[40];
    snprintf(word, sizeof word, "%.10g", v->logarithm ? exp(values[l]) : values[l]);
    levels->levels[l] = strdup(word);
    if (!levels->levels[l]) return no_memory();
  }
  for (size_t i = 0; i < n; i++) {
    const double *at = bsearch(&v->values[i], values, count, sizeof *values, by_size);
    levels->at[i] = (size_t)(at - values);
  }
  return FOVEA_OK;
}

/* --- lack of fit and means --------------------------------------------------------------------------------------- */

static fovea_status fill_values(const fovea_design *d, const fovea_ols *o, const double *values,
                                const fovea_design_variable *levels, fovea_adjustment adjustment, fovea_slope *s) {
  const fovea_ols_options options = {.covariance = o->covariance, .alpha = o->alpha};
  const fovea_tie tie = {s->variable, values};
  const size_t added = d->variable_count;
  fovea_design wider = {0};
  fovea_ols *fit = NULL;
  fovea_status status = fovea_wider_make(d, levels, &added, 1, &wider);
  if (!status) {
    status = fovea_ols_fit_design(&wider, &options, &fit);
    /* where it cannot be fitted, as by HC3 of a value that occurs once, nothing is said of the values */
    const bool none = status == FOVEA_INVALID;
    if (!status) status = fovea_anova_term(&wider, fit, &wider.terms[wider.term_count - 1], &s->lack);
    if (!status) status = fovea_means_fill(&wider, fit, &added, 1, adjustment, &tie, &s->values);
    if (none) status = FOVEA_OK;
  }
  fovea_ols_destroy(fit);
  fovea_wider_free(&wider);
  return status;
}

static fovea_status add_values(const fovea_design *d, const fovea_ols *o, const double *values,
                               fovea_adjustment adjustment, fovea_slope *s) {
  fovea_design_variable levels;
  fovea_status status = make_levels(&d->variables[s->variable], d->n, values, s, &levels);
  if (!status) status = fill_values(d, o, values, &levels, adjustment, s);
  free_levels(&levels);
  return status;
}

/* --- the slope --------------------------------------------------------------------------------------------------- */

/* Of a logarithm twice as much, or ten times where the values go that far; else 1 more, or the power of ten in what
 * they span where that is below 1 or from 100 on. */
static double step_of(const fovea_design_variable *v, double least, double largest) {
  const double span = largest - least, whole = pow(10, floor(log10(span) + 1e-9));
  if (v->logarithm) return span > log(10) * (1 - 1e-9) ? 10 : 2;
  return span >= 1 && span < 100 ? 1 : whole;
}

static fovea_status fill_change(const fovea_design *d, const fovea_ols *o, fovea_slope *s) {
  const fovea_design_variable *v = &d->variables[s->variable];
  if (v->degree == 1) return fovea_slope_estimate(d, o, s->variable, s->logarithm ? log(s->step) : s->step, &s->change);
  s->change = (fovea_estimate){.value = NAN, .std_error = NAN, .t_value = NAN, .p_value = NAN, .low = NAN, .high = NAN};
  return FOVEA_OK;
}

/* The column's name, of log(NAME). */
static char *column_of(const fovea_design_variable *v) {
  const size_t length = strlen(v->name), wrapped = strlen("log()");
  if (!v->logarithm || length <= wrapped) return strdup(v->name);
  return strndup(v->name + wrapped - 1, length - wrapped);
}

fovea_status fovea_slope_fill(const fovea_design *d, const fovea_ols *o, size_t variable, const fovea_effect *effect,
                              fovea_adjustment adjustment, fovea_slope *s) {
  const fovea_design_variable *v = &d->variables[variable];
  double *values = malloc(d->n * sizeof *values);
  *s = (fovea_slope){.name = column_of(v),
                     .variable = variable,
                     .logarithm = v->logarithm,
                     .lack = {.sum_squares = NAN, .f_value = NAN, .p_value = NAN}};
  fovea_status status = values && s->name ? FOVEA_OK : no_memory();
  if (!status) {
    s->value_count = sort_values(v, d->n, values);
    s->step = step_of(v, values[0], values[s->value_count - 1]);
    status = fill_change(d, o, s);
  }
  if (!status && s->value_count <= FOVEA_MOST_VALUES && s->value_count < d->n)
    status = add_values(d, o, values, adjustment, s);
  if (!status && !(s->lack.name = strdup(s->name))) status = no_memory();
  if (!status) status = fovea_slope_say(v, d->response, o, effect, s);
  free(values);
  return status;
}

void fovea_slope_free(fovea_slope *s) {
  fovea_means_free(&s->values);
  free(s->name);
  free(s->change.name);
  free(s->lack.name);
  free(s->sentence);
  free(s->fit);
}
