/* A network, seen from inside src/net: network.c makes it, parameters.c has its parameters, passes.c runs it. */
#ifndef FOVEA_NET_INTERNAL_H
#define FOVEA_NET_INTERNAL_H

#include "net/network.h"
#include "net/ranks.h"

/* `state`: the words that change from step to step, which kernels read, so that their arguments never change: 0
 * Philox's step, 1 images in the batch, of which ranks may each have a part: 7 those before this rank's, 8 all; 2
 * Adam's alpha (float bits), 3 slot of the loss log, 4 the epoch and from 9 on the images' numbers, for augmentation
 * alone, 5 and 6 the seed. */
enum { STATE_WORDS = 9, LOSS_SLOTS = 4096, LANES = 16 };

typedef struct fovea_placed_parameter {
  fovea_parameter shown;
  const fovea_parameter_spec *spec;
  size_t offset; /* floats, on the device */
} fovea_placed_parameter;

struct fovea_network {
  fovea_device *device;
  const fovea_graph *graph;
  fovea_network_options options;
  fovea_cut *cut;    /* of the batch; NULL: this network has all of it */
  int batch;         /* the most images that this rank has of it */
  size_t image_size; /* bytes */
  fovea_placed_parameter *parameters;
  size_t parameter_count;
  size_t *offsets;
  fovea_resources resources;
  uint64_t changes;  /* of the parameters, so far: weights are prepacked again after one */
  size_t *evaluated; /* of each tensor: how many images the last evaluation pass computed of it; 0: none */
  fovea_plan *training, *evaluation;
  uint8_t *gathered; /* one batch of images */
  uint32_t *state;   /* as it is on the device */
  uint32_t step;
  float kl_weight;
  /* losses since the last read: those still in the log, and the sums of those taken out of it */
  size_t slots, slot_images[LOSS_SLOTS];
  uint32_t slot_step[LOSS_SLOTS];
  bool slot_training[LOSS_SLOTS];
  double bce, kl;
  size_t images, passes;
};

/* parameters.c: where each parameter is on the device, trainable ones first; and its initial values. */
fovea_status fovea_list_parameters(fovea_network *network);
fovea_status fovea_initialize_parameter(fovea_network *network, size_t index);

#endif
