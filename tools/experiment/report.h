/* What a regression says in full: for `regress`, and for the end of a sweep. */
#ifndef FOVEA_TOOLS_EXPERIMENT_REPORT_H
#define FOVEA_TOOLS_EXPERIMENT_REPORT_H

#include <stdbool.h>

#include "experiment/remarks.h"
#include "fovea/stats.h"

typedef struct report {
  fovea_design *design;
  fovea_ols *ols;
  fovea_analysis *analysis; /* NULL where none was asked for */
  fovea_ols *original;      /* of a sweep of the original experiment's factors: its table, else NULL */
  remarks said;             /* what stderr was told */
  json_t *left_out;         /* NULL, or a sweep's configurations without a result */
  bool adjusted, powered;   /* --adjust and --power were given */
} report;

/* Fits the file at `path` as fit_file. With `how` its factors are analyzed, and so are those of a sweep's own design,
 * whose type then is 2 where how's is 0. *r is zero but for `said`, `left_out`, `adjusted` and `powered`, which the
 * caller may have set; the caller ends the report by report_free, also on failure. */
fovea_status report_make(const char *path, const fovea_table_options *reading, const fovea_design_options *options,
                         const fovea_ols_options *errors, const fovea_analysis_options *how, report *r);
void report_free(report *r);

/* Remarks, sentences and tables where there is an analysis, the summary, and the original experiment's; or a JSON
 * object with all of it, a newline last. The caller frees *text. */
fovea_status report_text(const report *r, bool json, char **text);

/* Whether the table tells a mean of a factor, or of a pair, so that there is something to draw. */
bool report_tells_factors(const report *r);
bool report_tells_pairs(const report *r);

/* Two pictures of the analysis: each factor's levels against its baseline, with means; and each pair of factors. */
fovea_status report_plot_factors(const char *path, const report *r);
fovea_status report_plot_pairs(const char *path, const report *r);

#endif
