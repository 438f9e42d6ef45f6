/* results.csv, a sweep's table: a line a configuration. */
#ifndef FOVEA_TOOLS_RESULTS_H
#define FOVEA_TOOLS_RESULTS_H

#include "factors.h"
#include "training.h"

/* A file with the header alone. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status results_create(const char *path);

/* Appends the line of a configuration. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status results_append(const char *path, const factors_config *c, const training_result *r);

/* Marks the configurations that the file has as done, and replaces it by its good lines: torn ones are dropped, and
 * those of a configuration that has the same line already. `say` is told. *lines: how many are left. No file: none.
 *
 * FOVEA_INVALID, and nothing is changed, when two lines of a configuration have different results, or one is of another
 * run than the configuration's; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status results_restore(const char *path, factors_config *configs, size_t count, void (*say)(const char *line),
                             size_t *lines);

#endif
