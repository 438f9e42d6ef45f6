/* results.csv, a sweep's table: a line a configuration. */
#ifndef FOVEA_TOOLS_EXPERIMENT_RESULTS_H
#define FOVEA_TOOLS_EXPERIMENT_RESULTS_H

#include "experiment/factors.h"
#include "train/csvlog.h"
#include "train/training.h"

/* Appends the line of a configuration. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status results_append(const char *path, const factors_config *c, const training_result *r);

/* FOVEA_INVALID, naming both, when the table at `path`, results.csv or failed.csv, has other factors than the plan; one
 * that is not there, or no such table, is FOVEA_OK. */
fovea_status results_check_factors(const char *path, const factors_plan *plan);

/* FOVEA_INVALID, naming one and their number, when a line of `log`, whose first field is a configuration's name, is of
 * none of the plan's: a plan that is gone on with may grow, but not shrink. FOVEA_OK for an empty log. */
fovea_status results_check_plan(const char *path, const csvlog *log, const factors_plan *plan);

/* Reads the file and changes nothing: the good lines in *kept, which the caller frees, without torn ones and those of a
 * configuration that has the same line already, of which `say` is told. The configurations that it has are marked as
 * done. No file: no lines.
 *
 * FOVEA_INVALID when two lines of a configuration have different results, one is of another run or has other levels
 * than the configuration, or is of no configuration of the plan; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status results_read(const char *path, factors_plan *plan, void (*say)(const char *line), csvlog *kept);

/* FOVEA_INVALID, naming the configuration, when a line has other losses than its folder in `out`, by its checkpoint or
 * metrics.csv after its last epoch, where that is there and of the same run; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status results_check_folders(const char *path, const csvlog *kept, const factors_plan *plan, const char *out);

/* Whether all lines, of which there is one, have the same test loss, which is in `loss` then. */
bool results_same_loss(const factors_plan *plan, const csvlog *kept, char loss[CSVLOG_NUMBER]);

/* Puts the lines in the order of the plan's configurations. */
void results_sort(const factors_plan *plan, csvlog *log);

/* Replaces the file by the header and these lines. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status results_write(const char *path, const factors_plan *plan, const csvlog *kept);

#endif
