/* Least squares on a CSV file and the plot of its coefficients: for `regress`, and for the end of a sweep. */
#ifndef FOVEA_TOOLS_EXPERIMENT_FIT_H
#define FOVEA_TOOLS_EXPERIMENT_FIT_H

#include "experiment/remarks.h"
#include "fovea/stats.h"

/* The table, the design and the fit of the file at `path`, whose options may be NULL; remarks say what the
 * reader found out and changed, name the response if the options leave it open, the first integer that is rounded, the
 * columns and rows that are left out and the columns that are aliased. First levels are a sweep's, and for its table
 * alone. The caller owns them, also on failure, where some may be NULL. Statuses as fovea_table_read,
 * fovea_design_from_table and fovea_ols_fit_design. */
fovea_status fit_file(const char *path, const fovea_table_options *reading, const fovea_design_options *options,
                      const fovea_ols_options *how, remarks *said, fovea_table **table, fovea_design **design,
                      fovea_ols **ols);

/* The coefficients with their 95% intervals as a PNG, aliased ones by name alone; statuses as plot_coefficients. */
fovea_status fit_plot(const char *path, const fovea_ols *ols);

#endif
