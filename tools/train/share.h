/* What ranks that train one network have in common: all NULL-safe in the team, where there is nothing to do. */
#ifndef FOVEA_TOOLS_TRAIN_SHARE_H
#define FOVEA_TOOLS_TRAIN_SHARE_H

#include <jansson.h>

#include "fovea/vae.h"
#include "reach/team.h"
#include "train/run.h"

/* Whether all ranks have the same program, FOVEA_BLAS, and options beside what config.json has: before what only
 * --resume does. FOVEA_INVALID, on every rank, naming the first that differs, what in, and both values. */
fovea_status share_compare_options(team *t, const run_options *o);

/* The same of what config.json has; NULL: there was no memory for it. */
fovea_status share_compare(team *t, const json_t *config);

/* The same of what only a network that was made can tell: which BLAS it uses. */
fovea_status share_compare_networks(team *t, const fovea_network *network);

/* The first rank's parameters, moments, step and state go to all. */
fovea_status share_training(team *t, fovea_vae *vae, fovea_training_state *state);

/* Whether all ranks have the first one's trainable parameters and moments. FOVEA_MISMATCH, on every rank, naming one:
 * its device or driver computes other numbers. */
fovea_status share_check(team *t, fovea_network *network);

/* Copies the parameters of one network to another of the same graph. */
fovea_status share_copy(fovea_network *from, fovea_network *to);

/* "batch 64 over 3 ranks: 32, 16, 16 images", where the parts are uneven, else ""; returns text. */
enum { SHARE_TEXT = 256 };
const char *share_say_parts(team *t, int batch, char text[SHARE_TEXT]);

/* FOVEA_INVALID where there are more ranks than a batch has blocks, with both numbers. */
fovea_status share_check_batch(const team *t, long long batch);

#endif
