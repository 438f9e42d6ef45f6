/* Prepacked weights (cl/weights.cl), those of all layers in one launch. */
#ifndef FOVEA_OP_CONV2D_WEIGHTS_H
#define FOVEA_OP_CONV2D_WEIGHTS_H

#include "op/conv2d/conv2d.h"

/* As in cl/weights.cl. */
typedef enum fovea_packing { FOVEA_PACKED, FOVEA_BLOCKED, FOVEA_WINOGRAD, FOVEA_TILED } fovea_packing;

/* w is [c][k] if from_c. Tiles have `filters` filters, kg of them are beside each other; `elements` of a filter are
 * packed for each filter and channel. step: of a blocked one its phases, of Winograd's which product with G. */
typedef struct fovea_weights {
  fovea_packing packing;
  bool from_c;
  int filters, kg, step, elements;
} fovea_weights;

/* w [k][c][kernel][kernel], packed. */
fovea_view fovea_pack_weights(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view w,
                              const fovea_weights *weights);

#endif
