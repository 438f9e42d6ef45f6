/* The autoencoder's graph without a network. */
#ifndef FOVEA_MODEL_VAE_GRAPH_H
#define FOVEA_MODEL_VAE_GRAPH_H

#include "fovea/vae.h"

/* The caller's. Statuses as fovea_vae_check. */
fovea_status fovea_vae_graph(const fovea_vae_config *config, fovea_graph **graph);

#endif
