/* The pairs of a design's factors. */
#ifndef FOVEA_STATS_PAIRS_H
#define FOVEA_STATS_PAIRS_H

#include "fovea/stats.h"

/* Fills a->interactions and a->pairs (pair_count each) from a fit of d. `both`: the design's variables that are a's
 * factors (factor_count), then those of its slopes (slope_count). Where a pair cannot be fitted its numbers are NaN and
 * its `unknown` says why. FOVEA_NO_MEMORY. */
fovea_status fovea_pairs_fill(const fovea_design *d, const fovea_ols *o, const size_t *both, fovea_analysis *a);

#endif
