/* One run in its directory, from the first step to its pictures: what `train` does once and `sweep` 32 times. */
#ifndef FOVEA_TOOLS_TRAIN_TRAINING_H
#define FOVEA_TOOLS_TRAIN_TRAINING_H

#include <stdatomic.h>

#include "reach/team.h"
#include "train/metrics.h"
#include "train/run.h"

typedef struct training_result {
  training_epoch last;          /* epoch 0 when none was completed */
  size_t parameters;            /* trainable */
  double seconds, images_per_s; /* of all training steps, without evaluation and pictures */
  bool stopped;                 /* by a signal; */
  int epochs_done;              /* then the state saved is this epoch's, */
  size_t images_done;           /* after so many images */
} training_result;

typedef struct training_hooks {
  void *user; /* each may be NULL */
  void (*ready)(void *user, const fovea_vae *vae, const fovea_device_info *device, int epochs_done);
  /* `epoch` counts from 0; losses is NULL at its beginning. */
  void (*progress)(void *user, int epoch, size_t images_done, const fovea_losses *losses);
  void (*epoch_done)(void *user, const training_epoch *row);
  /* At the beginning, and after every checkpoint: the result of a run that is stopped from here on. */
  void (*saved)(void *user, const training_result *so_far);
  /* A file was written: a checkpoint or a picture. */
  void (*wrote)(void *user, bool checkpoint, const char *path, int epochs_done, size_t images_done);
  const atomic_bool *stop; /* the training is to stop, as by a signal */
  team *team;              /* the ranks that train this network, each of which comes here; NULL: this process alone.
                              The first one has the folder, and calls the functions above. */
} training_hooks;

/* Trains in options->out on data and device. With options->resume goes on from what is there, and the result is
 * byte-equal to that of a run without interruption. An epoch that is trained is saved; then it is evaluated, its
 * picture and its line of metrics.csv are written, and it is saved as complete. A run that stops or dies at any moment
 * can be resumed. While nothing would be lost by it the process is idle, in the sense of signals.h.
 *
 * FOVEA_INVALID when there are files of a run and no resume, or of one of other options or data; FOVEA_MISMATCH when a
 * loss or a parameter is not a finite number any more (the last checkpoint is then the last good one); FOVEA_IO,
 * FOVEA_DEVICE, FOVEA_NO_MEMORY. */
fovea_status training_run(const run_options *options, const run_data *data, fovea_device *device,
                          const training_hooks *hooks, training_result *result);

#endif
