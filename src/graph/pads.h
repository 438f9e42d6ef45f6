/* The padding of convolutions, side by side, for what is written to files. */
#ifndef FOVEA_GRAPH_PADS_H
#define FOVEA_GRAPH_PADS_H

#include "graph/graph.h"

/* A convolution's: zeros around its input. A transposed one's: what is cut off around its full result, whose sides are
 * (side - 1) * stride + kernel; `more` are zeros below and right of it, where the stride is larger than the kernel. */
typedef struct fovea_pads {
  int top, left, bottom, right;
  int more_h, more_w;
} fovea_pads;

/* False for an op without padding. */
bool fovea_graph_pads(const fovea_graph *graph, const fovea_node *node, fovea_pads *pads);

#endif
