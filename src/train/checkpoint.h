/* A checkpoint's contents without the file. */
#ifndef FOVEA_TRAIN_CHECKPOINT_H
#define FOVEA_TRAIN_CHECKPOINT_H

#include "fovea/vae.h"

/* XXH64 of the data that fovea_vae_save would write: what the file's metadata calls its data hash. The same failures.
 */
fovea_status fovea_checkpoint_hash(fovea_vae *vae, const fovea_training_state *state, uint64_t *hash);

#endif
