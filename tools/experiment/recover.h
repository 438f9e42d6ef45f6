/* The configuration of a sweep from its folder, also when its config.json is gone. */
#ifndef FOVEA_TOOLS_EXPERIMENT_RECOVER_H
#define FOVEA_TOOLS_EXPERIMENT_RECOVER_H

#include <jansson.h>

#include "experiment/factors.h"

/* The sweep's configuration as its folder has it, which the caller frees: config.json, or, when that is gone, as the
 * configurations' own keep it. *text is NULL in a folder where nothing was begun.
 *
 * FOVEA_INVALID where something was and nothing proves with which settings, or two configurations are of different
 * sweeps; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status recover_sweep(const char *dir, char **text);

enum { RECOVER_TEXTS = 3 };

/* Sets what the configuration says of it in *request; its strings point into texts, which the caller frees.
 * FOVEA_NO_MEMORY. */
fovea_status recover_request(const json_t *config, factors_request *request, char *texts[RECOVER_TEXTS]);

#endif
