/* What statsmodels makes of the columns as they are. */
#ifndef FOVEA_STATS_STATSMODELS_H
#define FOVEA_STATS_STATSMODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/stats.h"

/* n values `step` apart are the same, which is not 0. */
bool fovea_is_constant(const double *values, size_t n, size_t step);

/* o->min_eigenvalue, condition_number, statsmodels_rank and statsmodels_constant, from o->rank and x. */
fovea_status fovea_statsmodels_fill(const double *x, fovea_ols *o);

#endif
