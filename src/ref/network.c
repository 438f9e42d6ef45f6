#include "ref/network.h"

#include <stdlib.h>
#include <string.h>

#include "ref/node.h"

/* --- building ----------------------------------------------------------------------------------------------------- */

struct ref_network *ref_network_create(uint64_t seed) {
  struct ref_network *net = calloc(1, sizeof *net);
  if (!net) exit(4); /* out of memory, as ref_alloc */
  net->seed = seed;
  return net;
}

static void free_values(struct ref_node *node) {
  free(node->value), free(node->gradient), free(node->saved), free(node->keep);
  node->value = node->gradient = node->saved = NULL, node->keep = NULL;
}

void ref_network_destroy(struct ref_network *net) {
  if (!net) return;
  for (int i = 0; i < net->count; i++) free_values(&net->nodes[i]);
  for (int i = 0; i < net->parameter_count; i++) free(net->parameters[i].value), free(net->parameters[i].gradient);
  free(net);
}

static const struct {
  void (*shape)(struct ref_network *net, struct ref_node *node, const char *name);
  void (*forward)(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass);
  void (*backward)(struct ref_network *net, struct ref_node *node);
} ops[] = {
#define X(op, NAME, flags) {ref_shape_##op, ref_forward_##op, ref_backward_##op},
    FOVEA_OPS(X)
#undef X
};

int ref_add(struct ref_network *net, enum ref_op op, int a, int b, const char *name, const struct ref_asked *asked) {
  if (net->count == REF_MAX_NODES) abort();
  struct ref_node *node = &net->nodes[net->count];
  *node = (struct ref_node){.op = op, .inputs = {a, b}, .asked = *asked, .parameters = {-1, -1, -1, -1}};
  ops[op].shape(net, node, name);
  return net->count++;
}

int ref_add_input(struct ref_network *net, int c, int h, int w) {
  return ref_add(net, REF_INPUT, -1, -1, "", &(struct ref_asked){.c = c, .h = h, .w = w});
}

int ref_add_conv2d(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride, int padding,
                   bool bias) {
  const struct ref_asked asked = {
      .filters = filters, .kernel = kernel, .stride = stride, .padding = padding, .bias = bias};
  return ref_add(net, REF_CONV2D, x, -1, name, &asked);
}

int ref_add_conv2d_transpose(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride,
                             bool bias) {
  const struct ref_asked asked = {.filters = filters, .kernel = kernel, .stride = stride, .padding = -1, .bias = bias};
  return ref_add(net, REF_CONV2D_TRANSPOSE, x, -1, name, &asked);
}

int ref_add_dense(struct ref_network *net, int x, const char *name, int units, bool bias) {
  return ref_add(net, REF_DENSE, x, -1, name, &(struct ref_asked){.filters = units, .bias = bias});
}

int ref_add_reshape(struct ref_network *net, int x, int c, int h, int w) {
  return ref_add(net, REF_RESHAPE, x, -1, "", &(struct ref_asked){.c = c, .h = h, .w = w});
}

int ref_add_batchnorm(struct ref_network *net, int x, const char *name, double momentum, double epsilon) {
  return ref_add(net, REF_BATCHNORM, x, -1, name, &(struct ref_asked){.momentum = momentum, .epsilon = epsilon});
}

int ref_add_dropout(struct ref_network *net, int x, double rate) {
  return ref_add(net, REF_DROPOUT, x, -1, "", &(struct ref_asked){.rate = rate});
}

int ref_add_activation(struct ref_network *net, int x, enum ref_activation activation) {
  return ref_add(net, REF_ACTIVATION, x, -1, "", &(struct ref_asked){.activation = activation});
}

static int add_attention(struct ref_network *net, enum ref_op op, int x, const char *name, const char *kind) {
  char full[REF_NAME_SIZE];
  snprintf(full, sizeof full, "%s.%s", name, kind);
  return ref_add(net, op, x, -1, full, &(struct ref_asked){0});
}

int ref_add_spatial_attention(struct ref_network *net, int x, const char *name) {
  return add_attention(net, REF_SPATIAL_ATTENTION, x, name, "spatial");
}

int ref_add_channel_attention(struct ref_network *net, int x, const char *name) {
  return add_attention(net, REF_CHANNEL_ATTENTION, x, name, "channel");
}

int ref_add_concat(struct ref_network *net, int a, int b) {
  return ref_add(net, REF_CONCAT, a, b, "", &(struct ref_asked){0});
}

int ref_add_reparameterize(struct ref_network *net, int mu, int logvar, double kl_weight) {
  return ref_add(net, REF_REPARAMETERIZE, mu, logvar, "", &(struct ref_asked){.kl_weight = kl_weight});
}

int ref_add_sigmoid_bce(struct ref_network *net, int x) {
  return ref_add(net, REF_SIGMOID_BCE, x, 0, "", &(struct ref_asked){0});
}

struct ref_parameter *ref_network_find(struct ref_network *net, const char *name) {
  for (int i = 0; i < net->parameter_count; i++)
    if (strcmp(net->parameters[i].name, name) == 0) return &net->parameters[i];
  return NULL;
}

/* --- passes ------------------------------------------------------------------------------------------------------- */

void ref_network_begin(struct ref_network *net, int n) {
  net->n = n;
  net->bce = net->kl = net->total = 0;
}

void ref_network_forward_node(struct ref_network *net, int i, const uint8_t *pixels, uint32_t step, bool training) {
  struct ref_node *node = &net->nodes[i];
  free_values(node);
  node->value = ref_alloc(ref_size(net, node)), node->gradient = ref_alloc(ref_size(net, node));
  ops[node->op].forward(net, node, &(struct ref_pass){pixels, step, training});
}

void ref_network_forward(struct ref_network *net, int n, const uint8_t *pixels, uint32_t step, bool training) {
  ref_network_begin(net, n);
  for (int i = 0; i < net->count; i++) ref_network_forward_node(net, i, pixels, step, training);
}

void ref_network_clear_gradients(struct ref_network *net) {
  for (int i = 0; i < net->parameter_count; i++)
    memset(net->parameters[i].gradient, 0, (size_t)net->parameters[i].count * sizeof(double));
}

void ref_network_backward_node(struct ref_network *net, int node) {
  ops[net->nodes[node].op].backward(net, &net->nodes[node]);
}

void ref_network_backward(struct ref_network *net) {
  ref_network_clear_gradients(net);
  for (int i = net->count - 1; i >= 0; i--) ref_network_backward_node(net, i);
}
