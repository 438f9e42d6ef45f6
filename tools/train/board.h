/* What a run tells TensorBoard (--tensorboard): an epoch's losses, reconstructions, and histograms of its weights and
 * of the gradients of its last step; the walk; its settings. All of it beside metrics.csv and as complete: what a crash
 * took is written anew where it is still known. */
#ifndef FOVEA_TOOLS_TRAIN_BOARD_H
#define FOVEA_TOOLS_TRAIN_BOARD_H

#include "train/metrics.h"
#include "train/run.h"

typedef struct board board;

/* *b stays NULL with --tensorboard off; every function here takes that. o->out is borrowed. rows: of the `completed`
 * epochs, as metrics_restore gave them. FOVEA_IO, FOVEA_NO_MEMORY, FOVEA_INVALID. */
fovea_status board_open(const run_options *o, const json_t *config, const training_epoch *rows, int completed,
                        board **b);

/* After an epoch: `picture` is its PNG, and `stepped` says that this process made its last step, of which the device
 * then has the gradients. */
fovea_status board_epoch(board *b, const fovea_vae *vae, bool stepped, const training_epoch *row, const char *picture);

/* After the last one. */
fovea_status board_end(board *b, const char *walk);

/* That no epoch follows: in `epoch` the network was not finite any more. */
void board_failed(board *b, int epoch);

void board_close(board *b);

/* The file of a sweep's folder by which TensorBoard knows its factors. configs[count]: run_config of
 * each. */
fovea_status board_sweep(const char *dir, json_t *const *configs, size_t count);

#endif
