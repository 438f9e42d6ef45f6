/* What a factor does, in words. */
#ifndef FOVEA_STATS_SENTENCES_H
#define FOVEA_STATS_SENTENCES_H

#include "fovea/stats.h"

/* "batch normalization lowers the test loss by 0.018, 95% interval 0.004 to 0.032"; the caller frees it. `effect` is
 * the joint test of the factor. NULL: no memory. The caller is in the C locale. */
char *fovea_sentence(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                     const fovea_effect *effect, const fovea_means *m, fovea_adjustment adjustment);

/* s->change.name, "lr, 10 times as much", s->sentence and s->fit; `effect` is the joint test of the number's term. The
 * caller frees them with *s, also on failure, and is in the C locale. FOVEA_NO_MEMORY. */
fovea_status fovea_slope_say(const fovea_design_variable *v, const char *response, const fovea_ols *o,
                             const fovea_effect *effect, fovea_slope *s);

/* How many decimals a number takes for two digits of `width` to be seen, 0 to 15. */
int fovea_decimals(double width);

#endif
