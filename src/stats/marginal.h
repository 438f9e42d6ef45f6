/* Least-squares means of the levels of factors, and their differences. */
#ifndef FOVEA_STATS_MARGINAL_H
#define FOVEA_STATS_MARGINAL_H

#include "fovea/stats.h"

/* A number of the design, and its value at each level of a factor. */
typedef struct fovea_tie {
  size_t number;
  const double *values;
} fovea_tie;

/* Fills *m for one variable, with differences, or for two. `o` is the fit of `d`; `tie`, which may be NULL, is of the
 * first variable. The caller frees *m by fovea_means_free, also on failure. FOVEA_NO_MEMORY. */
fovea_status fovea_means_fill(const fovea_design *d, const fovea_ols *o, const size_t *variables, size_t variable_count,
                              fovea_adjustment adjustment, const fovea_tie *tie, fovea_means *m);

/* What the mean changes by where that number, of degree 1, grows by `step` (L b of the file's head); numbers of *e, its
 * name left. FOVEA_NO_MEMORY. */
fovea_status fovea_slope_estimate(const fovea_design *d, const fovea_ols *o, size_t number, double step,
                                  fovea_estimate *e);
void fovea_means_free(fovea_means *m);

/* The largest standard error of a factor's differences; NaN where there is none. */
double fovea_means_error(const fovea_means *m);

#endif
