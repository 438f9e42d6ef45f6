#include "check/reference.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "op/op.h"

static int add_conv(struct ref_network *net, const fovea_node *n) {
  const fovea_conv2d *c = &n->conv;
  return ref_add_conv2d(net, n->inputs[0], n->name, c->filters, c->kernel, c->stride, c->same ? -1 : c->padding,
                        c->bias);
}

static enum ref_activation same_activation(fovea_activation activation) {
  static const enum ref_activation same[] = {[FOVEA_LINEAR] = REF_LINEAR,
                                             [FOVEA_ELU] = REF_ELU,
                                             [FOVEA_RELU] = REF_RELU,
                                             [FOVEA_SELU] = REF_SELU,
                                             [FOVEA_SIGMOID] = REF_SIGMOID};
  return same[activation];
}

/* The graph's node of an attention is called NAME.spatial or NAME.channel, the reference adds that itself. */
static int add_attention(struct ref_network *net, const fovea_node *n) {
  char name[FOVEA_NAME_SIZE];
  const char *dot = strrchr(n->name, '.');
  snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - n->name) : 0, n->name);
  return n->op == &fovea_op_spatial_attention ? ref_add_spatial_attention(net, n->inputs[0], name)
                                              : ref_add_channel_attention(net, n->inputs[0], name);
}

/* -1 for an op that is not known here. */
static int add(struct ref_network *net, const fovea_node *n) {
  const int x = n->inputs[0];
  if (n->op == &fovea_op_input) return ref_add_input(net, n->c, n->h, n->w);
  if (n->op == &fovea_op_conv2d) return add_conv(net, n);
  if (n->op == &fovea_op_conv2d_transpose)
    return ref_add_conv2d_transpose(net, x, n->name, n->conv.filters, n->conv.kernel, n->conv.stride, n->conv.bias);
  if (n->op == &fovea_op_dense) return ref_add_dense(net, x, n->name, n->c, n->conv.bias);
  if (n->op == &fovea_op_reshape) return ref_add_reshape(net, x, n->c, n->h, n->w);
  if (n->op == &fovea_op_batchnorm) return ref_add_batchnorm(net, x, n->name, (double)n->momentum, (double)n->epsilon);
  if (n->op == &fovea_op_dropout) return ref_add_dropout(net, x, n->rate);
  if (n->op == &fovea_op_activation) return ref_add_activation(net, x, same_activation(n->activation));
  if (n->op == &fovea_op_spatial_attention || n->op == &fovea_op_channel_attention) return add_attention(net, n);
  if (n->op == &fovea_op_concat) return ref_add_concat(net, x, n->inputs[1]);
  if (n->op == &fovea_op_reparameterize) return ref_add_reparameterize(net, x, n->inputs[1], (double)n->kl_weight);
  if (n->op == &fovea_op_sigmoid_bce) return ref_add_sigmoid_bce(net, x);
  return -1;
}

struct ref_network *check_reference(const fovea_graph *graph, uint64_t seed) {
  if (graph->count > REF_MAX_NODES) {
    fovea_fail(FOVEA_INVALID, "reference: %d nodes, expected at most %d", graph->count, REF_MAX_NODES);
    return NULL;
  }
  struct ref_network *net = ref_network_create(seed);
  for (int i = 0; i < graph->count; i++) {
    if (add(net, &graph->nodes[i]) == i) continue;
    fovea_fail(FOVEA_INVALID, "reference: it has no op '%s'", graph->nodes[i].op->name);
    ref_network_destroy(net);
    return NULL;
  }
  return net;
}
