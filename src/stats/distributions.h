/* Tail probabilities that a regression table needs, relative error about 1e-14 over the whole range.
 * A NaN argument, or a degree of freedom that is not above 0, gives NaN. */
#ifndef FOVEA_STATS_DISTRIBUTIONS_H
#define FOVEA_STATS_DISTRIBUTIONS_H

/* ln Gamma(z + 1) - (z + 1/2) ln z + z - ln sqrt(2 pi), the error of Stirling's formula. */
double fovea_stirling_error(double z);

/* P(T > t), Student's t with df degrees of freedom. */
double fovea_student_t_sf(double t, double df);

/* The t > 0 with P(T > t) = p, for 0 < p < 1/2. */
double fovea_student_t_isf(double p, double df);

/* P(F > f), Fisher's F with d1 and d2 degrees of freedom. */
double fovea_f_sf(double f, double d1, double d2);

/* P(X > x), chi-squared with df degrees of freedom. */
double fovea_chi2_sf(double x, double df);

/* P(Z > z), standard normal. */
double fovea_normal_sf(double z);

#endif
