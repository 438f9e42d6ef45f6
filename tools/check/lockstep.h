/* A network on the device and its references, node by node: each op of the references is given what the device's op was
 * given (its inputs' values, its output's gradient), so an error is the op's own and not of what came before it.
 *
 * Padding images are 0 on the device in every value and gradient, or the op has failed. Another pass has been there
 * before with images in their place.
 *
 * Compared are, of a training pass: every value, the moving statistics, the gradient of every tensor (the sum over its
 * readers) and of every parameter, the losses; of an evaluation pass: every value and the losses; then Adam's step. */
#ifndef FOVEA_TOOLS_CHECK_LOCKSTEP_H
#define FOVEA_TOOLS_CHECK_LOCKSTEP_H

#include "check/check.h"
#include "graph/graph.h"

typedef struct check_case {
  const char *name;
  int batch, count;   /* count: images of the step */
  bool constant;      /* every image is of one value a channel: maxima tie */
  bool equal_images;  /* every image is the first: variances over images are 0 */
  bool equal_filters; /* the filters of each convolution are the same: channels tie */
  bool timed;
  uint64_t seed; /* of the parameters; 0: the usual one */
  /* Where not NULL: the logits, one a channel. The last convolution's weights are 0, its biases these. float32 has 1 -
   * p to 6e-8 only, so where a sigmoid is saturated the loss is as good as p's rounding, and its tolerance is wider. */
  const float *logits;
} check_case;

/* *ops gets one result an op that the graph has, the caller's to free; those of what was compared until then, too,
 * where it is FOVEA_MISMATCH. Ops that are fused are one. */
fovea_status check_lockstep(fovea_device *device, const fovea_graph *graph, const check_case *c, check_op **ops,
                            int *count);

#endif
