/* Joint tests of the terms of a design. */
#ifndef FOVEA_STATS_ANOVA_H
#define FOVEA_STATS_ANOVA_H

#include "fovea/stats.h"

/* The test of each of d->terms (effects: term_count, which the caller frees by name), of type 2 or 3. FOVEA_NO_MEMORY.
 */
fovea_status fovea_anova_fill(const fovea_design *d, const fovea_ols *o, int type, fovea_effect *effects);

/* A design with one term more, the product of two variables: its columns are its own, the rest is d's. The caller frees
 * it by fovea_wider_free, also on failure. FOVEA_NO_MEMORY. */
fovea_status fovea_wider_make(const fovea_design *d, size_t a, size_t b, fovea_design *wider);
void fovea_wider_free(fovea_design *wider);

#endif
