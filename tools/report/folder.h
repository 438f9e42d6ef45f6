/* The files of a run or a sweep, read for a page: whatever is torn or missing is named there, and the rest taken. */
#ifndef FOVEA_TOOLS_REPORT_FOLDER_H
#define FOVEA_TOOLS_REPORT_FOLDER_H

#include "report/page.h"
#include "train/run.h"

/* Whether DIR/NAME is there. */
bool folder_has(const char *dir, const char *name);

/* The table of commas at DIR/NAME: {columns: [...], rows: [[...], ...]}, all texts, of at most `most` rows, evenly
 * chosen, the last always; or NULL where there is none. What is left out is missing from the page. */
json_t *folder_table(page *p, const char *dir, const char *name, size_t most);

/* The last line's epoch in a table of losses, or NULL. */
const char *folder_last_epoch(const json_t *losses);

/* Which of the table's columns; how many there are where it is none. */
size_t folder_column(const json_t *table, const char *name);

/* DIR/metrics.csv as folder_table has it, without lines of other runs than `run`, where that is not NULL; where no line
 * is left, the epochs of the checkpoint's history, which may be NULL. All that is done so is missing from the page.
 * NULL, or no rows, where there is none. losses.c */
json_t *folder_losses(page *p, const char *dir, const char *run, const char *history, size_t most);

/* DIR/config.json, else the configuration in the checkpoint: the object, which is new, and its text, which the caller
 * frees; NULL where there is none. */
json_t *folder_config(page *p, const char *dir, char **text);

/* DIR/NAME as "data:image/png;base64,..." or NULL, where it is none or larger than `most`. */
json_t *folder_png(page *p, const char *dir, const char *name, size_t most);

/* Whether the picture is there that folder_pairs takes. */
bool folder_has_pairs(const char *dir, int epoch);

/* What a process does in a folder that is unfinished, and what to do where none is there: a clause; returns out.
 * command: "train" or "sweep". */
enum { FOLDER_DOING = 128 };
const char *folder_doing(const char *dir, const char *command, char out[FOLDER_DOING]);

/* The pairs of DIR/reconstructions-epochNNN.png, at most `pairs` of them, as a sprite of originals and reconstructions
 * in turn; NULL where there is none, or not of such images. */
json_t *folder_pairs(const char *dir, int epoch, const int dims[3], size_t pairs, size_t most);

/* A run's and a sweep's page: run.c, sweep.c. */
typedef struct folder_request {
  const char *dir, *data, *device;
  bool data_given, device_given;
} folder_request;

/* *done: nothing more will come. FOVEA_NO_MEMORY, and for --data and --device, where they are given, what they fail
 * with. */
fovea_status run_show(page *p, const folder_request *r, bool *done);
fovea_status sweep_show(page *p, const folder_request *r, bool *done);

#endif
