/* What the residuals' distribution looks like. Sums are numpy's pairwise sums. */
#ifndef FOVEA_STATS_MOMENTS_H
#define FOVEA_STATS_MOMENTS_H

#include <stddef.h>

double fovea_sum(const double *a, size_t n);

/* scipy.stats.skew and kurtosis(fisher=False), biased: m3 / m2^1.5 and m4 / m2^2; NaN where all values are equal. */
void fovea_skew_kurtosis(const double *a, size_t n, double *skew, double *kurtosis);

/* scipy.stats.normaltest from those two: D'Agostino and Pearson's K^2 (Biometrika 60, 1973) and its chi-squared(2)
 * tail. NaN below 8 values, as statsmodels' omni_normtest. */
void fovea_normal_test(size_t n, double skew, double kurtosis, double *statistic, double *p_value);

#endif
