/* What the numbers of a design do. */
#ifndef FOVEA_STATS_SLOPES_H
#define FOVEA_STATS_SLOPES_H

#include "fovea/stats.h"

/* Fills *s for a variable with numbers; `effect` is the joint test of its term. The caller frees it by
 * fovea_slope_free, also on failure, and is in the C locale. FOVEA_NO_MEMORY. */
fovea_status fovea_slope_fill(const fovea_design *d, const fovea_ols *o, size_t variable, const fovea_effect *effect,
                              fovea_adjustment adjustment, fovea_slope *s);
void fovea_slope_free(fovea_slope *s);

#endif
