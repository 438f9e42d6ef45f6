/* The canonical reference: a network's training in fp32 with exactly the operations of the kernels in cl/, in the order
 * that their opening comments document. Each bit of it must equal the device's: it proves that the order is what the
 * comments say, and that nothing depends on the device.
 *
 * Layout: [c][h][w][n], the batch innermost and padded to a multiple of 16 (the device's is CN16HW16n). Padding images
 * are 0 in every tensor, by the rule of cl/common/vector.clh: computed like the others, and masked where a kernel masks
 * them. Running out of memory ends the program, as in ref.h. */
#ifndef FOVEA_REF_CANONICAL_H
#define FOVEA_REF_CANONICAL_H

#include "ref/network.h"

struct canonical_network;

/* Borrows the topology, which must outlive it; of that its nodes and the parameters' values, converted to float, are
 * read here, and nothing that a pass computes ever. */
struct canonical_network *canonical_create(const struct ref_network *topology, int batch);
void canonical_destroy(struct canonical_network *net); /* takes NULL */

/* cl/augment.cl, of training passes from here on; NULL: none, as at first. Borrowed, and read by each pass. */
struct canonical_augmentation {
  int shift, crop;
  bool edge, horizontal, vertical;
  float contrast, brightness;
  const uint32_t *numbers; /* of the pass's images */
  uint32_t epoch;
};
void canonical_augment(struct canonical_network *net, const struct canonical_augmentation *augment);

enum canonical_array { CANONICAL_VALUE, CANONICAL_GRADIENT, CANONICAL_FIRST_MOMENT, CANONICAL_SECOND_MOMENT };

/* The topology's parameter `index`: count floats in the file's order. Borrowed; the next pass sees what is written to
 * it. A moving statistic's gradient and moments stay zero. */
float *canonical_parameter(struct canonical_network *net, int index, enum canonical_array which);

/* `count` images of bytes, at most the batch. `step` is Philox's: the training step, or the evaluation's noise step.
 * Training draws masks and updates the moving statistics. */
void canonical_forward(struct canonical_network *net, int count, const uint8_t *pixels, uint32_t step, bool training);
/* After a training pass. */
void canonical_backward(struct canonical_network *net);
/* Every trainable parameter, with alpha as below. */
void canonical_adam(struct canonical_network *net, float alpha);

/* Adam's lr sqrt(1 - b2^t) / (1 - b1^t) as the host computes it; t counts from 1. */
float canonical_alpha(float learning_rate, uint32_t t);

/* The last pass's losses, as cl/losses.cl logs them; the divergence unweighted. */
float canonical_bce(const struct canonical_network *net);
float canonical_kl(const struct canonical_network *net);

/* A node's output, and its gradient as the node's backward pass found it. NULL for a node that another one computes
 * (an activation or dropout fused into a batch norm or dropout, a reshape: ask for its source, which holds the result)
 * and for a gradient that was never computed. The channels of a dense layer before a reshape are in the device's order.
 */
const float *canonical_value(const struct canonical_network *net, int node);
const float *canonical_gradient(const struct canonical_network *net, int node);
int canonical_batch(const struct canonical_network *net); /* padded */

/* The same node by node, so that a caller can look at and replace values and gradients between: begin, forward_node for
 * every node in order, end_forward; then backward_node for every node from the last to the first, end_backward. */
void canonical_begin(struct canonical_network *net, int count, uint32_t step, bool training);
void canonical_forward_node(struct canonical_network *net, int node, const uint8_t *pixels);
void canonical_end_forward(struct canonical_network *net);
void canonical_backward_node(struct canonical_network *net, int node);
void canonical_end_backward(struct canonical_network *net);

/* A node's gradient before its backward pass; NULL as for canonical_gradient. */
const float *canonical_pending_gradient(const struct canonical_network *net, int node);
/* The numbers that what follows is computed from; nothing for a node that another one computes. */
void canonical_set_value(struct canonical_network *net, int node, const float *value);
void canonical_set_gradient(struct canonical_network *net, int node, const float *gradient);

#endif
