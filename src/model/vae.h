/* The autoencoder before it has a network. */
#ifndef FOVEA_MODEL_VAE_H
#define FOVEA_MODEL_VAE_H

#include "fovea/vae.h"

/* Graph and tensors of fovea_vae_create, without a device: to look at, and to be told what to keep (fovea_graph_keep)
 * before `network`, NULL here, is made of it. The caller owns *vae, also on failure, where it may be NULL. Statuses as
 * fovea_vae_check. */
fovea_status fovea_vae_build(const fovea_vae_config *config, fovea_vae **vae);

#endif
