#include "check/reference.h"

#include <stddef.h>

#include "base/fail.h"

/* Both have the same list: graph/ops.h. */
#define X(name, NAME, flags) _Static_assert((int)FOVEA_OP_##NAME == (int)REF_##NAME, #name);
FOVEA_OPS(X)
#undef X
#define X(name, NAME, moves_zero, ulp) _Static_assert((int)FOVEA_##NAME == (int)REF_##NAME, #name);
FOVEA_ACTIVATIONS(X)
#undef X

int check_reference_add(struct ref_network *net, const fovea_node *n) {
  const struct ref_asked asked = {.c = n->c,
                                  .h = n->h,
                                  .w = n->w,
                                  .filters = n->conv.filters,
                                  .kernel = n->conv.kernel,
                                  .stride = n->conv.stride,
                                  .padding = n->conv.same ? -1 : n->conv.padding,
                                  .bias = n->conv.bias,
                                  .out_h = n->out_h,
                                  .out_w = n->out_w,
                                  .momentum = (double)n->momentum,
                                  .epsilon = (double)n->epsilon,
                                  .rate = n->rate,
                                  .kl_weight = (double)n->kl_weight,
                                  .activation = (enum ref_activation)n->activation};
  return ref_add(net, (enum ref_op)n->op->kind, n->input_count > 0 ? n->inputs[0] : -1,
                 n->input_count > 1 ? n->inputs[1] : -1, n->name, &asked);
}

struct ref_network *check_reference(const fovea_graph *graph, uint64_t seed) {
  if (graph->count > REF_MAX_NODES) {
    fovea_fail(FOVEA_INVALID, "reference: %d nodes, expected at most %d", graph->count, REF_MAX_NODES);
    return NULL;
  }
  struct ref_network *net = ref_network_create(seed);
  for (int i = 0; i < graph->count; i++) check_reference_add(net, &graph->nodes[i]);
  return net;
}
