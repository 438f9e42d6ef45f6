/* An op as a node of the reference's network: the functions of each, and what they are made of. */
#ifndef FOVEA_REF_NODE_H
#define FOVEA_REF_NODE_H

#include <stdio.h>
#include <stdlib.h>

#include "ref/network.h"

struct ref_pass {
  const uint8_t *pixels;
  uint32_t step;
  bool training;
};

/* Of each op: its shape and parameters; its value, which is allocated; the gradients of its inputs and parameters,
 * which it adds to. */
#define X(op, NAME, flags)                                                                        \
  void ref_shape_##op(struct ref_network *net, struct ref_node *node, const char *name);          \
  void ref_forward_##op(struct ref_network *net, struct ref_node *node, const struct ref_pass *); \
  void ref_backward_##op(struct ref_network *net, struct ref_node *node);
FOVEA_OPS(X)
#undef X

static inline struct ref_node *ref_input(struct ref_network *net, const struct ref_node *node, int i) {
  return &net->nodes[node->inputs[i]];
}

/* Values of a node in all images. */
static inline int ref_size(const struct ref_network *net, const struct ref_node *node) {
  return net->n * node->c * node->h * node->w;
}

static inline void ref_shape_like(struct ref_node *node, const struct ref_node *x) {
  node->c = x->c, node->h = x->h, node->w = x->w;
}

/* NULL: the node has no parameter i. */
static inline double *ref_value(const struct ref_network *net, const struct ref_node *node, int i) {
  return node->parameters[i] < 0 ? NULL : net->parameters[node->parameters[i]].value;
}

static inline double *ref_gradient(const struct ref_network *net, const struct ref_node *node, int i) {
  return node->parameters[i] < 0 ? NULL : net->parameters[node->parameters[i]].gradient;
}

/* The node's next parameter, "name.suffix". */
static inline void ref_declare(struct ref_network *net, struct ref_node *node, const char *name, const char *suffix,
                               int count, bool trainable) {
  if (net->parameter_count == REF_MAX_PARAMETERS) abort();
  struct ref_parameter *p = &net->parameters[net->parameter_count];
  int i = 0;
  while (node->parameters[i] >= 0) i++;
  snprintf(p->name, sizeof p->name, "%s.%s", name, suffix);
  p->count = count, p->trainable = trainable;
  p->value = ref_alloc(count), p->gradient = ref_alloc(count);
  node->parameters[i] = net->parameter_count++;
}

/* The number under which the node draws. */
static inline void ref_draws(struct ref_network *net, struct ref_node *node) { node->random = ++net->randoms; }

#endif
