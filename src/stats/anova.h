/* Joint tests of the terms of a design. */
#ifndef FOVEA_STATS_ANOVA_H
#define FOVEA_STATS_ANOVA_H

#include "fovea/stats.h"

/* The test of each of d->terms (effects: term_count, which the caller frees by name), of type 2 or 3. FOVEA_NO_MEMORY.
 */
fovea_status fovea_anova_fill(const fovea_design *d, const fovea_ols *o, int type, fovea_effect *effects);

/* Wald's test, of type 2, of a term of d, of which o is the fit; F in classical errors: effect's numbers.
 * FOVEA_NO_MEMORY. */
fovea_status fovea_anova_term(const fovea_design *d, const fovea_ols *o, const fovea_design_term *term,
                              fovea_effect *effect);

/* A design with one term more, the product of `order` variables: its columns are its own, the rest is d's. `extra`, if
 * not NULL, is a variable more, whose number is d->variable_count. The term is the last, or is there already. The
 * caller frees it by fovea_wider_free, also on failure. FOVEA_NO_MEMORY. */
fovea_status fovea_wider_make(const fovea_design *d, const fovea_design_variable *extra, const size_t *variables,
                              size_t order, fovea_design *wider);
void fovea_wider_free(fovea_design *wider);

#endif
