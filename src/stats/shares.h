/* The parts of the variance of a full factorial. */
#ifndef FOVEA_STATS_SHARES_H
#define FOVEA_STATS_SHARES_H

#include "fovea/stats.h"

/* Fills a->shares, share_count, share_rest and, with errors of that deviation, share_noise, of these factors of d;
 * leaves them 0 where some cell of the factorial has no row or numbers are among the predictors. FOVEA_NO_MEMORY. */
fovea_status fovea_shares_fill(const fovea_design *d, const size_t *factors, size_t count, double deviation,
                               fovea_analysis *a);

#endif
