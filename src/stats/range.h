/* What compares several means needs: Tukey's studentized range, and the power of a t test. Relative error about 1e-12.
 */
#ifndef FOVEA_STATS_RANGE_H
#define FOVEA_STATS_RANGE_H

/* P(Q > q): Q is the range of k standard normals over an independent chi / sqrt(df), k from 2. A NaN argument, or a
 * degree of freedom that is not above 0, gives NaN. */
double fovea_studentized_range_sf(double q, double k, double df);

/* The q with P(Q > q) = p, for 0 < p < 1. */
double fovea_studentized_range_isf(double p, double k, double df);

/* P(|T| > t), where T is noncentral Student's with that noncentrality: the power of a two-sided test. */
double fovea_noncentral_t_two_sided(double t, double df, double noncentrality);

#endif
