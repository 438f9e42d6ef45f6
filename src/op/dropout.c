/* Dropout (cl/activation.cl), where the op before it does not do it. */
#include "base/fail.h"
#include "op/pointwise.h"

fovea_tensor fovea_add_dropout(fovea_graph *graph, fovea_tensor x, double rate) {
  return fovea_graph_add(graph, &fovea_op_dropout, &(fovea_node){.inputs = {x}, .rate = rate}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  /* Times 2^32 and rounded, it has to be a 32-bit word: fovea_record_pointwise_arguments. */
  if (!(node->rate >= 0.0 && node->rate <= 1.0 - 0x1p-32))
    return fovea_fail(FOVEA_INVALID, "dropout: rate %.12g, expected at least 0 and less than 1", node->rate);
  node->c = x->c, node->h = x->h, node->w = x->w;
  return FOVEA_OK;
}

FOVEA_OP(dropout, .inputs = 1, .group = "activation, dropout", .infer = infer, .forward = fovea_record_pointwise_node,
         .backward = fovea_record_pointwise_node_backward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("rate", DOUBLE, rate, 0.25)));
