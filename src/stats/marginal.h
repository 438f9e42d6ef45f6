/* Least-squares means of the levels of factors, and their differences. */
#ifndef FOVEA_STATS_MARGINAL_H
#define FOVEA_STATS_MARGINAL_H

#include "fovea/stats.h"

/* Fills *m for one variable, with differences, or for two. `o` is the fit of `d`. The caller frees *m by
 * fovea_means_free, also on failure. FOVEA_NO_MEMORY. */
fovea_status fovea_means_fill(const fovea_design *d, const fovea_ols *o, const size_t *variables, size_t variable_count,
                              fovea_adjustment adjustment, fovea_means *m);
void fovea_means_free(fovea_means *m);

/* The largest standard error of a factor's differences; NaN where there is none. */
double fovea_means_error(const fovea_means *m);

#endif
