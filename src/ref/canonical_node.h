/* An op as a node of the canonical reference's network: the functions of each, and what they are made of. */
#ifndef FOVEA_REF_CANONICAL_NODE_H
#define FOVEA_REF_CANONICAL_NODE_H

#include "ref/canonical_plan.h"

/* Of each op: its value; the gradients of its inputs and parameters. */
#define X(op, NAME, flags)                                              \
  void canonical_forward_##op(struct canonical_network *net, int node); \
  void canonical_backward_##op(struct canonical_network *net, int node);
FOVEA_OPS(X)
#undef X

static inline const struct ref_node *canonical_topology(const struct canonical_network *net, int node) {
  return &net->topology->nodes[node];
}

static inline float *canonical_input_value(const struct canonical_network *net, int node, int i) {
  return canonical_node_value(net, canonical_topology(net, node)->inputs[i]);
}

/* In the device's order; NULL: the node has no parameter i. */
static inline float *canonical_node_parameter(const struct canonical_network *net, int node, int i,
                                              enum canonical_array which) {
  const int index = canonical_topology(net, node)->parameters[i];
  return index < 0 ? NULL : net->parameters[index].device[which];
}

/* What forward leaves for backward: allocated by the first that asks. */
static inline float *canonical_saved(struct canonical_network *net, int node, int slot, size_t size) {
  float **saved = &net->nodes[node].saved[slot];
  if (!*saved) *saved = canonical_alloc(size);
  return *saved;
}

static inline struct canonical_shape canonical_shape_of(const struct canonical_network *net, int node) {
  const struct ref_node *n = canonical_topology(net, node);
  return (struct canonical_shape){.n = net->batch, .n_valid = net->count, .c = n->c, .h = n->h, .w = n->w};
}

#endif
