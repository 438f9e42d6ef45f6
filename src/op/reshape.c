/* A view: the device's flattened order is (c, h, w) on both sides. */
#include "core/fail.h"
#include "op/op.h"

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  long long size = (long long)node->c * node->h * node->w;
  if (node->c < 1 || node->h < 1 || node->w < 1 || x->h != 1 || x->w != 1 || size != x->c)
    return fovea_fail(FOVEA_INVALID, "reshape: %dx%dx%d does not become %dx%dx%d", x->c, x->h, x->w, node->c, node->h,
                      node->w);
  return FOVEA_OK;
}

const fovea_op fovea_op_reshape = {"reshape", infer, NULL, NULL};
