/* metrics.csv, a line an epoch, and the same losses as a checkpoint carries them, so that the file can be made anew. */
#ifndef FOVEA_TOOLS_TRAIN_METRICS_H
#define FOVEA_TOOLS_TRAIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>

#include "fovea/status.h"

/* A line of metrics.csv. */
typedef struct training_epoch {
  int epoch; /* from 1; 0: not known */
  double loss, bce, kl, val_loss, val_bce, val_kl;
  double images_per_s; /* of its training steps; 0, and an empty field: not known */
} training_epoch;

/* The losses and images_per_s, where that is known, under their columns' names; how many. */
enum { METRICS_VALUES = 7, METRICS_NAME = 16 };
typedef struct metrics_value {
  char name[METRICS_NAME];
  double value;
} metrics_value;
size_t metrics_values(const training_epoch *row, metrics_value values[METRICS_VALUES]);

/* NULL where `line` is a header of metrics.csv, today's or an older one; else today's, for a message. */
const char *metrics_expected(const char *line);

/* Reads a line, in today's order, into *row; false where it is damaged. */
bool metrics_read(const char *line, training_epoch *row);

/* Appends a line of the run called `run`. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status metrics_append(const char *path, const char *run, const training_epoch *row);

/* The known ones of rows[count], of the last 10000, as JSON, without images_per_s, which no two runs share; the caller
 * frees it. NULL without memory. */
char *metrics_history(const training_epoch *rows, int count);

typedef struct metrics_folder {
  const char *path, *run;
  const char *history;           /* of the checkpoint, or NULL */
  bool same;                     /* config.json says that lines without a run's name are of this run */
  int completed;                 /* epochs that the checkpoint has done, or 0 without one */
  void (*say)(const char *line); /* is told what was missing, dropped or made anew */
} metrics_folder;

/* Fills rows[epochs]: the first `completed` from the file and the history, and of the next one images_per_s, when the
 * file has it. Then replaces the file by what is known of the completed epochs. Lines of later epochs are dropped,
 * which will be done again.
 *
 * FOVEA_INVALID, and nothing is changed, when lines are of another run, differ from the history or contradict each
 * other; FOVEA_IO; FOVEA_NO_MEMORY. */
fovea_status metrics_restore(const metrics_folder *folder, training_epoch *rows, int epochs);

/* What the history has of epoch `completed`, else what the file has under the run's name, in *row, whose epoch is 0
 * when neither has it. Changes nothing. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status metrics_find(const metrics_folder *folder, training_epoch *row);

#endif
