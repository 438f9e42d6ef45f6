/* The lines of `fovea train --log-json` (cli/json.h), told while it trains; without that option nothing is printed. */
#ifndef FOVEA_TOOLS_TRAIN_LINES_H
#define FOVEA_TOOLS_TRAIN_LINES_H

#include "train/training.h"

void lines_start(const run_options *o, const run_data *data, const fovea_vae *vae, const fovea_device_info *device,
                 int epochs_done);
void lines_epoch(const training_epoch *row, int epochs);
void lines_wrote(bool checkpoint, const char *path, int epochs_done, size_t images_done);
void lines_warning(const char *line); /* "fovea: ..." */

/* Once, where a signal was received. */
void lines_interrupt(void);

#endif
