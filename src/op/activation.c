/* Activation (cl/activation.cl), where the op before it does not do it. */
#include "base/fail.h"
#include "op/pointwise.h"

fovea_tensor fovea_add_activation(fovea_graph *graph, fovea_tensor x, fovea_activation activation) {
  return fovea_graph_add(graph, &fovea_op_activation, &(fovea_node){.inputs = {x}, .activation = activation}, "");
}

#define X(name, NAME, moves_zero, ulp) ", " #name
static const char NAMES[] = FOVEA_ACTIVATIONS(X);
#undef X

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  if ((int)node->activation < 0 || (int)node->activation >= FOVEA_ACTIVATION_COUNT)
    return fovea_fail(FOVEA_INVALID, "activation: %d is none of %s", (int)node->activation, NAMES + 2);
  node->c = x->c, node->h = x->h, node->w = x->w;
  return FOVEA_OK;
}

static void forward(fovea_plan *plan, int node) {
  if (fovea_plan_fused(plan, node) < 0) fovea_record_pointwise_node(plan, node);
}

FOVEA_OP(activation, .inputs = 1, .group = "activation, dropout", .infer = infer, .forward = forward,
         .backward = fovea_record_pointwise_node_backward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("activation", ACTIVATION, activation, FOVEA_ELU)));
