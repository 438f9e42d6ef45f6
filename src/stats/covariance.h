/* The covariance of the coefficients: classical, or robust against errors of different variance (White, Econometrica 48
 * (1980); MacKinnon and White, J. Econometrics 29 (1985)) or within clusters (Liang and Zeger, Biometrika 73 (1986)).
 */
#ifndef FOVEA_STATS_COVARIANCE_H
#define FOVEA_STATS_COVARIANCE_H

#include <stddef.h>

#include "fovea/stats.h"
#include "stats/lsq.h"

/* What statsmodels calls it: "nonrobust", "HC3", "cluster". */
const char *fovea_covariance_name(fovea_covariance covariance);

/* `covariance` (rank x rank) times *scale, of the kept columns as scaled, by o->covariance, from the residuals e and
 * their sum of squares; o->df_resid is there. FOVEA_INVALID where HC3 divides by 0; FOVEA_NO_MEMORY. */
fovea_status fovea_covariance_fill(fovea_lsq *l, const double *e, double ssr, const size_t *clusters,
                                   const fovea_ols *o, double *covariance, double *scale);

/* Wald's statistic that these coefficients are all 0, b' C^-1 b, aliased ones left out; *rank is how many are not. NaN
 * where their covariance is singular. FOVEA_NO_MEMORY. */
fovea_status fovea_wald(const fovea_ols *o, const size_t *columns, size_t count, double *statistic, size_t *rank);

/* Where the covariance is robust: o->f_value and f_p_value, as statsmodels has them, of all columns but a constant one,
 * NaN where the constant is a combination of several. */
fovea_status fovea_wald_overall(const double *x, fovea_ols *o);

#endif
