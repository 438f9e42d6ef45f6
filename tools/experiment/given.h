/* What a sweep is given beside its factors: options and baselines. */
#ifndef FOVEA_TOOLS_EXPERIMENT_GIVEN_H
#define FOVEA_TOOLS_EXPERIMENT_GIVEN_H

#include "experiment/levels.h"

/* FOVEA_INVALID for an option that was given though the factor of its name has levels of its own, which would be
 * ignored in silence: "--latent" beside "latent=2|8". What stands for on, as --dropout 0.2 beside "dropout", is none.
 */
fovea_status given_check_options(const char *factors, const run_options *o, const option *table, size_t count);

/* FOVEA_INVALID where "A=X,B=Y" names no factor that varies, one of numbers, or no level that it has; NULL is none. */
fovea_status given_check_baselines(const char *text, const factor_list *factors);

#endif
