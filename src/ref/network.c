#include "ref/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct ref_node *add(struct ref_network *net, enum ref_op op, int a, int b, int c, int h, int w) {
  if (net->count == REF_MAX_NODES) abort();
  struct ref_node *node = &net->nodes[net->count++];
  *node = (struct ref_node){.op = op, .inputs = {a, b}, .c = c, .h = h, .w = w, .parameters = {-1, -1, -1, -1}};
  return node;
}

static int parameter(struct ref_network *net, const char *name, const char *suffix, int count, bool trainable) {
  if (net->parameter_count == REF_MAX_PARAMETERS) abort();
  struct ref_parameter *p = &net->parameters[net->parameter_count];
  snprintf(p->name, sizeof p->name, "%s.%s", name, suffix);
  p->count = count, p->trainable = trainable;
  p->value = ref_alloc(count), p->gradient = ref_alloc(count);
  return net->parameter_count++;
}

int ref_add_input(struct ref_network *net, int c, int h, int w) {
  add(net, REF_INPUT, -1, -1, c, h, w);
  return net->count - 1;
}

int ref_add_conv2d(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride, int padding,
                   bool bias) {
  const struct ref_node *in = &net->nodes[x];
  struct ref_conv2d d = ref_conv2d_same(0, in->c, in->h, in->w, filters, kernel, stride);
  if (padding >= 0) {
    d.top = d.left = padding;
    d.oh = (in->h + 2 * padding - kernel) / stride + 1, d.ow = (in->w + 2 * padding - kernel) / stride + 1;
  }
  struct ref_node *node = add(net, REF_CONV2D, x, -1, filters, d.oh, d.ow);
  node->conv = d;
  node->parameters[0] = parameter(net, name, "weight", filters * in->c * kernel * kernel, true);
  if (bias) node->parameters[1] = parameter(net, name, "bias", filters, true);
  return net->count - 1;
}

int ref_add_conv2d_transpose(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride,
                             bool bias) {
  const struct ref_node *in = &net->nodes[x];
  struct ref_node *node = add(net, REF_CONV2D_TRANSPOSE, x, -1, filters, in->h * stride, in->w * stride);
  node->conv = ref_conv2d_same(0, filters, in->h * stride, in->w * stride, in->c, kernel, stride);
  node->parameters[0] = parameter(net, name, "weight", filters * in->c * kernel * kernel, true);
  if (bias) node->parameters[1] = parameter(net, name, "bias", filters, true);
  return net->count - 1;
}

int ref_add_dense(struct ref_network *net, int x, const char *name, int units, bool bias) {
  const struct ref_node *in = &net->nodes[x];
  struct ref_node *node = add(net, REF_DENSE, x, -1, units, 1, 1);
  node->parameters[0] = parameter(net, name, "weight", units * in->c * in->h * in->w, true);
  if (bias) node->parameters[1] = parameter(net, name, "bias", units, true);
  return net->count - 1;
}

int ref_add_reshape(struct ref_network *net, int x, int c, int h, int w) {
  add(net, REF_RESHAPE, x, -1, c, h, w);
  return net->count - 1;
}

/* A node of its input's shape. */
static struct ref_node *add_like(struct ref_network *net, enum ref_op op, int x) {
  const struct ref_node *in = &net->nodes[x];
  return add(net, op, x, -1, in->c, in->h, in->w);
}

int ref_add_batchnorm(struct ref_network *net, int x, const char *name, double momentum, double epsilon) {
  struct ref_node *node = add_like(net, REF_BATCHNORM, x);
  node->momentum = momentum, node->epsilon = epsilon;
  node->parameters[0] = parameter(net, name, "weight", node->c, true);
  node->parameters[1] = parameter(net, name, "bias", node->c, true);
  node->parameters[2] = parameter(net, name, "running_mean", node->c, false);
  node->parameters[3] = parameter(net, name, "running_var", node->c, false);
  return net->count - 1;
}

int ref_add_dropout(struct ref_network *net, int x, double rate) {
  struct ref_node *node = add_like(net, REF_DROPOUT, x);
  node->rate = rate, node->random = ++net->randoms;
  return net->count - 1;
}

int ref_add_activation(struct ref_network *net, int x, enum ref_activation activation) {
  add_like(net, REF_ACTIVATE, x)->activation = activation;
  return net->count - 1;
}

int ref_add_spatial_attention(struct ref_network *net, int x, const char *name) {
  struct ref_node *node = add_like(net, REF_SPATIAL_ATTENTION, x);
  node->parameters[0] = parameter(net, name, "spatial.weight", 2 * 5 * 5, true);
  node->parameters[1] = parameter(net, name, "spatial.bias", 1, true);
  return net->count - 1;
}

static int hidden_units(int c) { return c / 16 > 1 ? c / 16 : 1; }

int ref_add_channel_attention(struct ref_network *net, int x, const char *name) {
  struct ref_node *node = add_like(net, REF_CHANNEL_ATTENTION, x);
  int hidden = hidden_units(node->c);
  node->parameters[0] = parameter(net, name, "channel.fc1.weight", hidden * node->c, true);
  node->parameters[1] = parameter(net, name, "channel.fc1.bias", hidden, true);
  node->parameters[2] = parameter(net, name, "channel.fc2.weight", hidden * node->c, true);
  node->parameters[3] = parameter(net, name, "channel.fc2.bias", node->c, true);
  return net->count - 1;
}

int ref_add_concat(struct ref_network *net, int a, int b) {
  const struct ref_node *x = &net->nodes[a];
  add(net, REF_CONCAT, a, b, x->c + net->nodes[b].c, x->h, x->w);
  return net->count - 1;
}

int ref_add_reparameterize(struct ref_network *net, int mu, int logvar, double kl_weight) {
  struct ref_node *node = add_like(net, REF_REPARAMETERIZE, mu);
  node->inputs[1] = logvar, node->kl_weight = kl_weight, node->random = ++net->randoms;
  return net->count - 1;
}

int ref_add_sigmoid_bce(struct ref_network *net, int x) {
  add_like(net, REF_SIGMOID_BCE, x)->inputs[1] = 0;
  return net->count - 1;
}

struct ref_parameter *ref_network_find(struct ref_network *net, const char *name) {
  for (int i = 0; i < net->parameter_count; i++)
    if (strcmp(net->parameters[i].name, name) == 0) return &net->parameters[i];
  return NULL;
}

/* --- passes ------------------------------------------------------------------------------------------------------- */

static double *value(const struct ref_network *net, const struct ref_node *node, int i) {
  return node->parameters[i] < 0 ? NULL : net->parameters[node->parameters[i]].value;
}

static double *gradient(const struct ref_network *net, const struct ref_node *node, int i) {
  return node->parameters[i] < 0 ? NULL : net->parameters[node->parameters[i]].gradient;
}

/* image[n][c][h][w] = or += flat[n][h][w][c], or the other way. */
static void unflatten(int n, const struct ref_node *image, const double *flat, double *out, bool accumulate) {
  int c = image->c, hw = image->h * image->w;
  for (int i = 0; i < n * c * hw; i++) {
    double v = flat[i / (c * hw) * c * hw + i % hw * c + i / hw % c];
    out[i] = accumulate ? out[i] + v : v;
  }
}

static double *flattened(int n, const struct ref_node *image, const double *x) {
  int c = image->c, hw = image->h * image->w;
  double *flat = ref_alloc(n * c * hw);
  for (int i = 0; i < n * c * hw; i++) flat[i / (c * hw) * c * hw + i % hw * c + i / hw % c] = x[i];
  return flat;
}

static struct ref_batchnorm batchnorm_of(const struct ref_network *net, const struct ref_node *node) {
  return (struct ref_batchnorm){net->n, net->n, node->c, node->h * node->w, node->epsilon};
}

static void batchnorm_forward(struct ref_network *net, struct ref_node *node, const double *x, bool training) {
  struct ref_batchnorm d = batchnorm_of(net, node);
  double *mean = node->saved = ref_alloc(2 * node->c), *var = mean + node->c;
  memcpy(mean, value(net, node, 2), (size_t)node->c * sizeof *mean);
  memcpy(var, value(net, node, 3), (size_t)node->c * sizeof *var);
  if (training) {
    ref_batchnorm_statistics(&d, x, mean, var);
    ref_batchnorm_moving(node->c, node->momentum, mean, value(net, node, 2));
    ref_batchnorm_moving(node->c, node->momentum, var, value(net, node, 3));
  }
  ref_batchnorm(&d, x, mean, var, value(net, node, 0), value(net, node, 1), node->value);
}

static struct ref_channel_attention channel_of(const struct ref_network *net, const struct ref_node *node) {
  return (struct ref_channel_attention){net->n, node->c, node->h * node->w, hidden_units(node->c)};
}

static struct ref_mlp mlp_of(const struct ref_network *net, const struct ref_node *node,
                             double *(*get)(const struct ref_network *, const struct ref_node *, int)) {
  return (struct ref_mlp){get(net, node, 0), get(net, node, 1), get(net, node, 2), get(net, node, 3)};
}

static void concat_forward(struct ref_network *net, struct ref_node *node) {
  const struct ref_node *a = &net->nodes[node->inputs[0]], *b = &net->nodes[node->inputs[1]];
  int hw = node->h * node->w, ca = a->c * hw, cb = b->c * hw;
  for (int n = 0; n < net->n; n++) {
    memcpy(node->value + n * (ca + cb), a->value + n * ca, (size_t)ca * sizeof(double));
    memcpy(node->value + n * (ca + cb) + ca, b->value + n * cb, (size_t)cb * sizeof(double));
  }
}

static void forward(struct ref_network *net, struct ref_node *node, uint32_t step, bool training) {
  const struct ref_node *in = &net->nodes[node->inputs[0]];
  int n = net->n, size = node->c * node->h * node->w, hw = node->h * node->w;
  const double *x = in->value;
  double *y = node->value, *w = value(net, node, 0), *b = value(net, node, 1), *flat;
  node->conv.n = n;
  switch (node->op) {
    case REF_INPUT:
      break;
    case REF_CONV2D:
      ref_conv2d(&node->conv, x, w, b, y);
      break;
    case REF_CONV2D_TRANSPOSE:
      ref_conv2d_transpose(&node->conv, x, w, y);
      for (int i = 0; b && i < n * size; i++) y[i] += b[i / hw % node->c];
      break;
    case REF_DENSE:
      flat = flattened(n, in, x);
      ref_dense(n, in->c * in->h * in->w, node->c, flat, w, b, y);
      free(flat);
      break;
    case REF_RESHAPE:
      unflatten(n, node, x, y, false);
      break;
    case REF_BATCHNORM:
      batchnorm_forward(net, node, x, training);
      break;
    case REF_DROPOUT:
      node->keep = malloc((size_t)(n * size));
      if (!node->keep) abort();
      if (training)
        ref_dropout_mask(n, node->c, hw, node->rate, node->random, step, net->seed, node->keep);
      else
        memset(node->keep, 1, (size_t)(n * size));
      ref_dropout(n * size, training ? node->rate : 0, node->keep, x, y);
      break;
    case REF_ACTIVATE:
      ref_activation(node->activation, n * size, x, y);
      break;
    case REF_SPATIAL_ATTENTION:
      ref_spatial_attention(n, node->c, node->h, node->w, x, w, b, y, NULL);
      break;
    case REF_CHANNEL_ATTENTION: {
      struct ref_channel_attention d = channel_of(net, node);
      struct ref_mlp p = mlp_of(net, node, value);
      ref_channel_attention(&d, x, &p, y, NULL);
      break;
    }
    case REF_CONCAT:
      concat_forward(net, node);
      break;
    case REF_REPARAMETERIZE: {
      const double *logvar = net->nodes[node->inputs[1]].value;
      node->saved = ref_alloc(n * size);
      ref_normal(n, size, training ? node->random : node->random | 0x80000000u, step, net->seed, node->saved);
      ref_reparameterize(n * size, x, logvar, node->saved, y);
      net->kl = ref_kl(n, size, x, logvar);
      net->total += node->kl_weight * net->kl;
      break;
    }
    case REF_SIGMOID_BCE:
      net->bce = ref_bce_sigmoid(n * size, x, net->nodes[0].value);
      net->total += net->bce;
      for (int i = 0; i < n * size; i++) y[i] = ref_sigmoid(x[i]);
      break;
  }
}

void ref_network_begin(struct ref_network *net, int n) {
  net->n = n;
  net->bce = net->kl = net->total = 0;
}

void ref_network_forward_node(struct ref_network *net, int i, const uint8_t *pixels, uint32_t step, bool training) {
  struct ref_node *node = &net->nodes[i];
  int size = net->n * node->c * node->h * node->w;
  free_values(node);
  node->value = ref_alloc(size), node->gradient = ref_alloc(size);
  if (node->op != REF_INPUT) {
    forward(net, node, step, training);
    return;
  }
  for (int j = 0; j < size; j++) node->value[j] = pixels[j] / 255.0;
}

void ref_network_forward(struct ref_network *net, int n, const uint8_t *pixels, uint32_t step, bool training) {
  ref_network_begin(net, n);
  for (int i = 0; i < net->count; i++) ref_network_forward_node(net, i, pixels, step, training);
}

static void dense_backward(struct ref_network *net, const struct ref_node *node, struct ref_node *in) {
  int n = net->n, size = in->c * in->h * in->w;
  double *flat = flattened(n, in, in->value), *dflat = ref_alloc(n * size);
  ref_dense_backward(n, size, node->c, flat, value(net, node, 0), node->gradient, dflat, gradient(net, node, 0),
                     gradient(net, node, 1));
  unflatten(n, in, dflat, in->gradient, true);
  free(flat);
  free(dflat);
}

static void concat_backward(struct ref_network *net, const struct ref_node *node) {
  struct ref_node *a = &net->nodes[node->inputs[0]], *b = &net->nodes[node->inputs[1]];
  int hw = node->h * node->w, ca = a->c * hw, cb = b->c * hw;
  for (int n = 0; n < net->n; n++) {
    for (int i = 0; i < ca; i++) a->gradient[n * ca + i] += node->gradient[n * (ca + cb) + i];
    for (int i = 0; i < cb; i++) b->gradient[n * cb + i] += node->gradient[n * (ca + cb) + ca + i];
  }
}

static void backward(struct ref_network *net, struct ref_node *node) {
  if (node->op == REF_INPUT) return;
  struct ref_node *in = &net->nodes[node->inputs[0]];
  int n = net->n, size = node->c * node->h * node->w, hw = node->h * node->w;
  const double *x = in->value, *dy = node->gradient;
  double *dx = in->gradient, *w = value(net, node, 0), *b = value(net, node, 1);
  double *dw = gradient(net, node, 0), *db = gradient(net, node, 1), *flat;
  switch (node->op) {
    case REF_INPUT:
      break;
    case REF_CONV2D:
      ref_conv2d_backward_data(&node->conv, dy, w, dx);
      ref_conv2d_backward_weight(&node->conv, x, dy, dw, db);
      break;
    case REF_CONV2D_TRANSPOSE:
      ref_conv2d_transpose_backward_data(&node->conv, dy, w, dx);
      ref_conv2d_transpose_backward_weight(&node->conv, x, dy, dw);
      for (int i = 0; db && i < n * size; i++) db[i / hw % node->c] += dy[i];
      break;
    case REF_DENSE:
      dense_backward(net, node, in);
      break;
    case REF_RESHAPE:
      flat = flattened(n, node, dy);
      for (int i = 0; i < n * size; i++) dx[i] += flat[i];
      free(flat);
      break;
    case REF_BATCHNORM: {
      struct ref_batchnorm d = batchnorm_of(net, node);
      ref_batchnorm_backward(&d, x, node->saved, node->saved + node->c, w, dy, dx, dw, db);
      break;
    }
    case REF_DROPOUT:
      ref_dropout_backward(n * size, node->rate, node->keep, dy, dx);
      break;
    case REF_ACTIVATE:
      ref_activation_backward(node->activation, n * size, x, dy, dx);
      break;
    case REF_SPATIAL_ATTENTION:
      ref_spatial_attention_backward(n, node->c, node->h, node->w, x, w, b, dy, dx, dw, db);
      break;
    case REF_CHANNEL_ATTENTION: {
      struct ref_channel_attention d = channel_of(net, node);
      struct ref_mlp p = mlp_of(net, node, value), g = mlp_of(net, node, gradient);
      ref_channel_attention_backward(&d, x, &p, dy, dx, &g);
      break;
    }
    case REF_CONCAT:
      concat_backward(net, node);
      break;
    case REF_REPARAMETERIZE: {
      struct ref_node *logvar = &net->nodes[node->inputs[1]];
      ref_reparameterize_backward(n * size, logvar->value, node->saved, dy, dx, logvar->gradient);
      ref_kl_backward(n, size, node->kl_weight, x, logvar->value, dx, logvar->gradient);
      break;
    }
    case REF_SIGMOID_BCE:
      ref_bce_sigmoid_backward(n * size, 1, x, net->nodes[0].value, dx);
      break;
  }
}

void ref_network_clear_gradients(struct ref_network *net) {
  for (int i = 0; i < net->parameter_count; i++)
    memset(net->parameters[i].gradient, 0, (size_t)net->parameters[i].count * sizeof(double));
}

void ref_network_backward_node(struct ref_network *net, int node) { backward(net, &net->nodes[node]); }

void ref_network_backward(struct ref_network *net) {
  ref_network_clear_gradients(net);
  for (int i = net->count - 1; i >= 0; i--) ref_network_backward_node(net, i);
}
