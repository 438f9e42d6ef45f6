#include "graph/pads.h"

#include "graph/op.h"

static int at_least_0(int x) { return x > 0 ? x : 0; }

bool fovea_graph_pads(const fovea_graph *graph, const fovea_node *node, fovea_pads *pads) {
  const bool transposed = node->op->kind == FOVEA_OP_CONV2D_TRANSPOSE;
  if (!transposed && node->op->kind != FOVEA_OP_CONV2D) return false;
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const fovea_node *large = transposed ? node : x, *small = transposed ? x : node;
  const int full_h = (small->h - 1) * node->conv.stride + node->conv.kernel;
  const int full_w = (small->w - 1) * node->conv.stride + node->conv.kernel;
  *pads = (fovea_pads){.top = node->top,
                       .left = node->left,
                       .bottom = at_least_0(full_h - large->h - node->top),
                       .right = at_least_0(full_w - large->w - node->left),
                       .more_h = transposed ? at_least_0(large->h - full_h) : 0,
                       .more_w = transposed ? at_least_0(large->w - full_w) : 0};
  return true;
}
