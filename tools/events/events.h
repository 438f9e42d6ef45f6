/* A run's event files for TensorBoard: scalars, images, histograms, and what its HParams page reads. */
#ifndef FOVEA_TOOLS_EVENTS_EVENTS_H
#define FOVEA_TOOLS_EVENTS_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

typedef struct events events;

/* What the folder has of earlier processes, after it was cut to what still holds. */
typedef struct events_found {
  bool files;              /* any */
  bool begun, walk, ended; /* the hyperparameters, the walk, the end */
  int last;                /* the last epoch whose scalars are there, or 0 */
  int missing;             /* epochs below it without */
} events_found;

/* Opens the folder's log for a run that has completed so many epochs. Events of later ones are dropped from
 * the files that are there, with what is torn, and `say` is told. Nothing is written before the first events_flush:
 * then a new file, later by its name than all others, in which comes first that what a viewer has read of later epochs
 * holds no more. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status events_open(const char *dir, int completed, void (*say)(const char *line), events **log,
                         events_found *found);

/* Each adds to what the next flush writes; FOVEA_NO_MEMORY. The wall time is now. */
typedef struct events_scalar {
  const char *tag;
  double value; /* rounded to a float, as TensorBoard has them */
} events_scalar;
fovea_status events_scalars(events *log, int step, const events_scalar *scalars, size_t count);

/* A PNG, as its bytes. FOVEA_INVALID for what is none. */
fovea_status events_image(events *log, int step, const char *tag, const uint8_t *png, size_t size);

/* 30 buckets of equal width from the least to the greatest of `count` values, as tf.summary.histogram makes; what is
 * not finite is in none. */
enum { EVENTS_BUCKETS = 30 };
fovea_status events_histogram(events *log, int step, const char *tag, const float *values, size_t count);

/* The run's settings, for the HParams page: an object's strings, numbers, booleans and lists of numbers ("35-25-15-5");
 * others are left out. */
fovea_status events_hparams(events *log, const json_t *settings);
fovea_status events_end(events *log, int step, bool success);

/* Writes what was added, in one piece. FOVEA_IO. */
fovea_status events_flush(events *log);
void events_close(events *log); /* takes NULL; what was not flushed is lost */

/* Replaces the file by which the HParams page knows a sweep: which settings differ between its runs, with their values,
 * and the metrics' tags. settings[count] as for events_hparams. FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status events_experiment(const char *dir, json_t *const *settings, size_t count, const char *const *metrics,
                               size_t metric_count);

#endif
