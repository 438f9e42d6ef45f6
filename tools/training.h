/* One run in its directory, from the first step to its pictures: what `train` does once and `sweep` 32 times. */
#ifndef FOVEA_TOOLS_TRAINING_H
#define FOVEA_TOOLS_TRAINING_H

#include "run.h"

/* A line of metrics.csv. */
typedef struct training_epoch {
  int epoch; /* from 1 */
  double loss, bce, kl, val_loss, val_bce, val_kl, images_per_s;
} training_epoch;

typedef struct training_hooks {
  void *user; /* each may be NULL */
  void (*ready)(void *user, const fovea_vae *vae, const fovea_device_info *device);
  /* `epoch` counts from 0; losses is NULL at its beginning. */
  void (*progress)(void *user, int epoch, size_t images_done, const fovea_losses *losses);
  void (*epoch_done)(void *user, const training_epoch *row);
} training_hooks;

typedef struct training_result {
  training_epoch last;          /* epoch 0 when none was completed */
  size_t parameters;            /* trainable */
  double seconds, images_per_s; /* of all training steps, without evaluation and pictures */
  bool stopped;                 /* by a signal; */
  int epochs_done;              /* then the state saved is this epoch's, */
  size_t images_done;           /* after so many images */
} training_result;

/* Trains in options->out on data and device. With options->resume goes on from the checkpoint there, if there is one,
 * and the result is byte-equal to that of a run without interruption. Every epoch appends to metrics.csv, then replaces
 * the checkpoint, then writes the reconstructions; a run that stops or dies at any moment can be resumed.
 *
 * FOVEA_INVALID when there is a checkpoint and no resume, or one of other options; FOVEA_MISMATCH when the loss is not
 * a finite number any more (the last checkpoint is then the last good one); FOVEA_IO, FOVEA_DEVICE, FOVEA_NO_MEMORY. */
fovea_status training_run(const run_options *options, const run_data *data, fovea_device *device,
                          const training_hooks *hooks, training_result *result);

#endif
