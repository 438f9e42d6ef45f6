/* Checkpoints beyond the public ones: with more metadata, and their contents without the file. */
#ifndef FOVEA_MODEL_CHECKPOINT_H
#define FOVEA_MODEL_CHECKPOINT_H

#include "fovea/safetensors.h"
#include "fovea/vae.h"

/* fovea_vae_save with metadata[count] of any keys but "graph". */
fovea_status fovea_checkpoint_save(fovea_vae *vae, const char *path, const fovea_training_state *state,
                                   const fovea_safetensor_text *metadata, size_t count);

/* XXH64 of the data that fovea_vae_save would write: what the file's metadata calls its data hash. The same failures.
 */
fovea_status fovea_checkpoint_hash(fovea_vae *vae, const fovea_training_state *state, uint64_t *hash);

#endif
