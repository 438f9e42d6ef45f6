/* Between the files of a sweep. */
#ifndef FOVEA_TOOLS_EXPERIMENT_SWEEP_H
#define FOVEA_TOOLS_EXPERIMENT_SWEEP_H

#include <jansson.h>

#include "experiment/estimate.h"
#include "experiment/factors.h"
#include "experiment/recover.h"
#include "experiment/remarks.h"
#include "train/csvlog.h"
#include "train/training.h"

typedef struct sweep {
  run_options options; /* of every configuration, but for the factors */
  factors_request request;
  char *recalled[RECOVER_TEXTS]; /* what request.factors, .fraction and .baselines may point to */
  bool part_recalled;            /* --fraction or --random are the folder's, and not given again */
  json_t *config;                /* of the whole, as each configuration keeps it */
  run_data data;
  fovea_device *device;
  factors_plan plan;
  estimate_record speed; /* of the configurations trained in this process from their first image on */
  size_t finished;       /* images of the configurations done in this process, for progress */
  size_t current_place;  /* of the configuration under way, from 1 */
  size_t failed;         /* training met a NaN: in failed.csv */
  size_t refused;        /* its folder's files are not its own */
  json_t *left_out;      /* of those refused: {"config", "reason"} each */
  fovea_text said;       /* of what is announced, what the result is saved with: a sentence a line */
  bool stopped;
  int lock;
  char results[RUN_PATH], failures[RUN_PATH];
} sweep;

/* --- sweep_folder.c: what the folder has ------------------------------------------------------------------------- */

/* On --resume: options, factors and seeds are those of the folder, unless given again. */
fovea_status sweep_recall(sweep *s);

/* Takes the folder, and marks the configurations that are done. */
fovea_status sweep_open_folder(sweep *s);

/* The options of a configuration, as its training has them. */
run_options sweep_options_of(const sweep *s, const factors_config *c);

/* failed.csv: its header, and its lines, which the caller frees. */
enum { SWEEP_FAILED_HEADER = FACTORS_COLUMNS + 20 };
const char *sweep_failed_header(const sweep *s, char header[SWEEP_FAILED_HEADER]);
fovea_status sweep_read_failures(const sweep *s, csvlog *log);

size_t sweep_count_done(const sweep *s);

/* --- sweep_end.c ------------------------------------------------------------------------------------------------- */

/* What stdout says of a sweep that was stopped. */
void sweep_stopped_text(const sweep *s, char *text, size_t size);

/* Where it stands, for --json, and the members of `regression` (or NULL), an object's text. The caller frees it; NULL
 * without memory, and where --out is no UTF-8. */
char *sweep_state(const sweep *s, bool stopped, const char *regression);

/* The regression, or where it was stopped. */
fovea_status sweep_conclude(sweep *s);

#endif
