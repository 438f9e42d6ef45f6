#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ref/canonical_plan.h"

enum { LANES = 16 };

/* --- parameters: the file's order and the device's ---------------------------------------------------------------- */

/* An image's flattened index is (h, w, c) in the file and (c, h, w) on the device; NULL: no image. */
static int device_index(const struct ref_node *image, int file) {
  if (!image) return file;
  return (file % image->c * image->h + file / image->c / image->w) * image->w + file / image->c % image->w;
}

static void set_places(struct canonical_network *net, int parameter, int rows_count, const struct ref_node *rows,
                       const struct ref_node *columns) {
  struct canonical_parameter_arrays *p = &net->parameters[parameter];
  const int count = net->topology->parameters[parameter].count, columns_count = count / rows_count;
  free(p->place);
  p->place = malloc((size_t)count * sizeof *p->place);
  if (!p->place) exit(4);
  for (int i = 0; i < count; i++)
    p->place[i] = device_index(rows, i / columns_count) * columns_count + device_index(columns, i % columns_count);
}

/* The image that a dense layer reads, NULL where it reads a vector. */
static const struct ref_node *flattened_image(const struct ref_network *t, int dense) {
  const struct ref_node *x = &t->nodes[t->nodes[dense].inputs[0]];
  return x->h * x->w > 1 ? x : NULL;
}

/* The dense layer whose output becomes an image, and the norms between: their rows are in Keras's order in the file. */
static void mark_rows(struct canonical_network *net, int reshape) {
  const struct ref_network *t = net->topology;
  const struct ref_node *image = &t->nodes[reshape];
  for (int x = image->inputs[0];; x = t->nodes[x].inputs[0]) {
    const struct ref_node *node = &t->nodes[x];
    const bool dense = node->op == REF_DENSE;
    for (int i = 0; i < 4; i++)
      if (node->parameters[i] >= 0)
        set_places(net, node->parameters[i], node->c, image, dense && i == 0 ? flattened_image(t, x) : NULL);
    if (node->op != REF_BATCHNORM && node->op != REF_DROPOUT && node->op != REF_ACTIVATE) return;
  }
}

static void create_parameters(struct canonical_network *net) {
  const struct ref_network *t = net->topology;
  for (int i = 0; i < t->count; i++)
    if (t->nodes[i].op == REF_DENSE && flattened_image(t, i))
      set_places(net, t->nodes[i].parameters[0], t->nodes[i].c, NULL, flattened_image(t, i));
  for (int i = 0; i < t->count; i++)
    if (t->nodes[i].op == REF_RESHAPE) mark_rows(net, i);
  for (int i = 0; i < t->parameter_count; i++) {
    struct canonical_parameter_arrays *p = &net->parameters[i];
    const int count = t->parameters[i].count;
    for (int k = 0; k < 4; k++) p->array[k] = canonical_alloc((size_t)count);
    for (int k = 0; k < 2; k++) p->device[k] = p->place ? canonical_alloc((size_t)count) : p->array[k];
    for (int j = 0; j < count; j++) p->array[CANONICAL_VALUE][j] = (float)t->parameters[i].value[j];
  }
}

/* Copies values to the device's order, or what a pass made back to the file's. */
static void permute(struct canonical_network *net, enum canonical_array which, bool to_device) {
  for (int i = 0; i < net->topology->parameter_count; i++) {
    const struct canonical_parameter_arrays *p = &net->parameters[i];
    float *file = p->array[which], *device = p->device[which];
    for (int j = 0; p->place && j < net->topology->parameters[i].count; j++)
      if (to_device)
        device[p->place[j]] = file[j];
      else
        file[j] = device[p->place[j]];
  }
}

static float *parameter(const struct canonical_network *net, int node, int i, enum canonical_array which) {
  const int index = net->topology->nodes[node].parameters[i];
  return index < 0 ? NULL : net->parameters[index].device[which];
}

/* --- creation ----------------------------------------------------------------------------------------------------- */

static int hidden_units(const struct canonical_network *net, int node) {
  return net->topology->parameters[net->topology->nodes[node].parameters[1]].count;
}

static void create_saved(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  struct canonical_node *p = &net->nodes[node];
  const size_t batch = (size_t)net->batch, c = (size_t)n->c, map = (size_t)(n->h * n->w) * batch;
  size_t sizes[3] = {0};
  if (n->op == REF_BATCHNORM) sizes[0] = 4 * c, sizes[1] = canonical_node_size(net, node);
  if (n->op == REF_SPATIAL_ATTENTION) sizes[0] = 2 * map, sizes[1] = map;
  if (n->op == REF_CHANNEL_ATTENTION)
    sizes[0] = 2 * c * batch, sizes[1] = 2 * (size_t)hidden_units(net, node) * batch, sizes[2] = c * batch;
  if (n->op == REF_REPARAMETERIZE) sizes[0] = c * batch;
  for (int i = 0; i < 3; i++)
    if (sizes[i]) p->saved[i] = canonical_alloc(sizes[i]);
}

struct canonical_network *canonical_create(const struct ref_network *topology, int batch) {
  struct canonical_network *net = calloc(1, sizeof *net);
  if (!net) exit(4);
  net->topology = topology;
  net->batch = (batch + LANES - 1) / LANES * LANES;
  net->draw.seed = topology->seed;
  create_parameters(net);
  canonical_plan(net);
  for (int i = 0; i < topology->count; i++) create_saved(net, i);
  return net;
}

void canonical_destroy(struct canonical_network *net) {
  if (!net) return;
  for (int i = 0; i < net->storage_count; i++) free(net->storages[i].value), free(net->storages[i].gradient);
  for (int i = 0; i < net->topology->count; i++) {
    for (int k = 0; k < 3; k++) free(net->nodes[i].saved[k]);
    free(net->nodes[i].found);
  }
  for (int i = 0; i < net->topology->parameter_count; i++) {
    struct canonical_parameter_arrays *p = &net->parameters[i];
    for (int k = 0; k < 2; k++)
      if (p->place) free(p->device[k]);
    for (int k = 0; k < 4; k++) free(p->array[k]);
    free(p->place);
  }
  free(net);
}

/* --- passes ------------------------------------------------------------------------------------------------------- */

/* An evaluation's samples are another op's than training's. */
static const uint32_t EVALUATION = 0x80000000u;

static struct canonical_shape shape_of(const struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  return (struct canonical_shape){.n = net->batch, .n_valid = net->count, .c = n->c, .h = n->h, .w = n->w};
}

/* The convolution that a node is, or whose gradient it is. */
static struct ref_conv2d conv_of(const struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node], *x = &net->topology->nodes[n->inputs[0]];
  if (n->op == REF_DENSE) return ref_conv2d_same(net->batch, x->c * x->h * x->w, 1, 1, n->c, 1, 1);
  struct ref_conv2d d = n->conv;
  d.n = net->batch;
  return d;
}

static struct canonical_mlp mlp_of(const struct canonical_network *net, int node, enum canonical_array which) {
  return (struct canonical_mlp){hidden_units(net, node), parameter(net, node, 0, which), parameter(net, node, 1, which),
                                parameter(net, node, 2, which), parameter(net, node, 3, which)};
}

static struct canonical_pointwise pointwise_of(const struct canonical_network *net, int node) {
  struct canonical_pointwise p = net->nodes[node].pointwise;
  if (!net->training) p.rate = 0.0;
  return p;
}

static void batchnorm_forward(struct canonical_network *net, int node, const float *x, float *y) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct canonical_shape s = shape_of(net, node);
  const struct canonical_pointwise p = pointwise_of(net, node);
  const float *gamma = parameter(net, node, 0, CANONICAL_VALUE), *beta = parameter(net, node, 1, CANONICAL_VALUE);
  float *mean = parameter(net, node, 2, CANONICAL_VALUE), *var = parameter(net, node, 3, CANONICAL_VALUE);
  float *stats = net->nodes[node].saved[0];
  if (net->training)
    canonical_batchnorm_statistics(&s, x, (float)n->epsilon, (float)n->momentum, stats, mean, var);
  else
    canonical_batchnorm_moving(s.c, (float)n->epsilon, mean, var, stats);
  canonical_batchnorm(&s, x, stats, gamma, beta, y);
  canonical_activation(&s, &p, &net->draw, y, y);
  canonical_keep(&s, s.c * s.h * s.w, y);
}

/* Operands that do not lie in the result are copied. */
static void concat_forward(struct canonical_network *net, int node, float *y) {
  for (int k = 0; k < 2; k++) {
    const int operand = net->topology->nodes[node].inputs[k];
    const float *x = canonical_node_value(net, operand);
    const size_t size = canonical_node_size(net, operand);
    if (x != y) memcpy(y, x, size * sizeof *y);
    y += size;
  }
}

static void bce_forward(struct canonical_network *net, int node, const float *x, float *p) {
  const struct canonical_shape s = shape_of(net, node);
  const float *t = canonical_node_value(net, net->topology->nodes[node].inputs[1]);
  bool accumulate;
  float *dx = net->training ? canonical_input_gradient(net, node, 0, &accumulate) : NULL;
  const float sum = canonical_sigmoid_bce(&s, x, t, p, dx);
  net->bce = sum / ((float)s.n_valid * (float)(s.c * s.h * s.w));
}

static void forward(struct canonical_network *net, int node, const uint8_t *pixels) {
  const struct ref_node *n = &net->topology->nodes[node];
  struct canonical_node *p = &net->nodes[node];
  const struct canonical_shape s = shape_of(net, node);
  const float *x = n->inputs[0] < 0 ? NULL : canonical_node_value(net, n->inputs[0]);
  const float *w = parameter(net, node, 0, CANONICAL_VALUE), *b = parameter(net, node, 1, CANONICAL_VALUE);
  float *y = canonical_node_value(net, node);
  struct ref_conv2d d;
  switch (n->op) {
    case REF_INPUT:
      canonical_input(&s, pixels, y);
      break;
    case REF_CONV2D:
    case REF_DENSE:
      d = conv_of(net, node);
      canonical_conv2d(&d, x, w, b, false, y);
      if (b) canonical_keep(&s, s.c * s.h * s.w, y);
      break;
    case REF_CONV2D_TRANSPOSE:
      d = conv_of(net, node);
      canonical_conv2d_backward_data(&d, x, w, b, false, y);
      if (b) canonical_keep(&s, s.c * s.h * s.w, y);
      break;
    case REF_RESHAPE:
      break;
    case REF_BATCHNORM:
      batchnorm_forward(net, node, x, y);
      break;
    case REF_DROPOUT:
    case REF_ACTIVATE: {
      const struct canonical_pointwise pointwise = pointwise_of(net, node);
      canonical_activation(&s, &pointwise, &net->draw, x, y);
      break;
    }
    case REF_SPATIAL_ATTENTION:
      canonical_spatial_attention(&s, x, w, b, p->saved[0], p->saved[1], y);
      break;
    case REF_CHANNEL_ATTENTION: {
      const struct canonical_mlp mlp = mlp_of(net, node, CANONICAL_VALUE);
      canonical_channel_attention(&s, x, &mlp, p->saved[0], p->saved[1], p->saved[2], y);
      break;
    }
    case REF_CONCAT:
      concat_forward(net, node, y);
      break;
    case REF_REPARAMETERIZE: {
      const uint32_t op = net->training ? n->random : n->random | EVALUATION;
      const float *logvar = canonical_node_value(net, n->inputs[1]);
      net->kl = canonical_reparameterize(&s, op, &net->draw, x, logvar, p->saved[0], y) / (float)s.n_valid;
      break;
    }
    case REF_SIGMOID_BCE:
      bce_forward(net, node, x, y);
      break;
  }
}

void canonical_begin(struct canonical_network *net, int count, uint32_t step, bool training) {
  net->count = count, net->training = training, net->draw.step = step;
  net->bce = net->kl = 0.0f;
  for (int i = 0; i < net->storage_count; i++) net->storages[i].written = false;
  permute(net, CANONICAL_VALUE, true);
}

void canonical_forward_node(struct canonical_network *net, int node, const uint8_t *pixels) {
  net->nodes[node].reached = false;
  if (net->nodes[node].alias == node) forward(net, node, pixels);
}

void canonical_end_forward(struct canonical_network *net) {
  if (net->training) permute(net, CANONICAL_VALUE, false); /* the moving statistics */
}

void canonical_forward(struct canonical_network *net, int count, const uint8_t *pixels, uint32_t step, bool training) {
  canonical_begin(net, count, step, training);
  for (int i = 0; i < net->topology->count; i++) canonical_forward_node(net, i, pixels);
  canonical_end_forward(net);
}

static void conv_backward(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct ref_conv2d d = conv_of(net, node);
  const bool transpose = n->op == REF_CONV2D_TRANSPOSE;
  const float *x = canonical_node_value(net, n->inputs[0]), *dy = canonical_node_gradient(net, node);
  const float *w = parameter(net, node, 0, CANONICAL_VALUE);
  float *dw = parameter(net, node, 0, CANONICAL_GRADIENT), *db = parameter(net, node, 1, CANONICAL_GRADIENT);
  if (db) canonical_bias_backward(net->batch, n->c, n->h, n->w, dy, db);
  canonical_conv2d_backward_weight(&d, transpose ? dy : x, transpose ? x : dy, dw);
  bool accumulate;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  if (dx && transpose) canonical_conv2d(&d, dy, w, NULL, accumulate, dx);
  if (dx && !transpose) canonical_conv2d_backward_data(&d, dy, w, NULL, accumulate, dx);
}

static void batchnorm_backward(struct canonical_network *net, int node) {
  const struct canonical_shape s = shape_of(net, node);
  const struct canonical_pointwise p = pointwise_of(net, node);
  const float *x = canonical_node_value(net, net->topology->nodes[node].inputs[0]);
  float *stats = net->nodes[node].saved[0], *g = net->nodes[node].saved[1];
  canonical_activation_backward(&s, &p, &net->draw, canonical_node_value(net, node), canonical_node_gradient(net, node),
                                false, g);
  canonical_batchnorm_backward_sums(&s, x, g, stats, parameter(net, node, 0, CANONICAL_GRADIENT),
                                    parameter(net, node, 1, CANONICAL_GRADIENT));
  bool accumulate;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  if (dx) canonical_batchnorm_backward(&s, x, g, stats, parameter(net, node, 0, CANONICAL_VALUE), accumulate, dx);
}

static void concat_backward(struct canonical_network *net, int node, const float *dy) {
  const float *y = canonical_node_value(net, node);
  for (int k = 0; k < 2; k++) {
    const int operand = net->topology->nodes[node].inputs[k];
    const size_t size = canonical_node_size(net, operand);
    bool accumulate, in_place = canonical_node_value(net, operand) == y;
    float *dx = in_place ? NULL : canonical_input_gradient(net, node, k, &accumulate);
    for (size_t i = 0; dx && i < size; i++) dx[i] = accumulate ? dy[i] + dx[i] : dy[i];
    y += size, dy += size;
  }
}

static void reparameterize_backward(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct canonical_shape s = shape_of(net, node);
  bool accumulate_mu, accumulate_logvar;
  float *dmu = canonical_input_gradient(net, node, 0, &accumulate_mu);
  float *dlogvar = canonical_input_gradient(net, node, 1, &accumulate_logvar);
  canonical_reparameterize_backward(&s, (float)n->kl_weight, canonical_node_value(net, n->inputs[0]),
                                    canonical_node_value(net, n->inputs[1]), net->nodes[node].saved[0],
                                    canonical_node_gradient(net, node), accumulate_mu, dmu, accumulate_logvar, dlogvar);
}

static void backward(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct canonical_node *p = &net->nodes[node];
  const struct canonical_shape s = shape_of(net, node);
  const float *x = canonical_node_value(net, n->inputs[0]), *dy = canonical_node_gradient(net, node);
  bool accumulate = false;
  float *dx;
  switch (n->op) {
    case REF_CONV2D:
    case REF_CONV2D_TRANSPOSE:
    case REF_DENSE:
      conv_backward(net, node);
      break;
    case REF_BATCHNORM:
      batchnorm_backward(net, node);
      break;
    case REF_DROPOUT:
    case REF_ACTIVATE: {
      const struct canonical_pointwise pointwise = pointwise_of(net, node);
      dx = canonical_input_gradient(net, node, 0, &accumulate);
      if (dx)
        canonical_activation_backward(&s, &pointwise, &net->draw, canonical_node_value(net, node), dy, accumulate, dx);
      break;
    }
    case REF_SPATIAL_ATTENTION:
      dx = canonical_input_gradient(net, node, 0, &accumulate);
      canonical_spatial_attention_backward(&s, x, parameter(net, node, 0, CANONICAL_VALUE), p->saved[0], p->saved[1],
                                           dy, parameter(net, node, 0, CANONICAL_GRADIENT),
                                           parameter(net, node, 1, CANONICAL_GRADIENT), accumulate, dx);
      break;
    case REF_CHANNEL_ATTENTION: {
      const struct canonical_mlp mlp = mlp_of(net, node, CANONICAL_VALUE), g = mlp_of(net, node, CANONICAL_GRADIENT);
      dx = canonical_input_gradient(net, node, 0, &accumulate);
      canonical_channel_attention_backward(&s, x, &mlp, p->saved[0], p->saved[1], p->saved[2], dy, &g, accumulate, dx);
      break;
    }
    case REF_CONCAT:
      concat_backward(net, node, dy);
      break;
    case REF_REPARAMETERIZE:
      reparameterize_backward(net, node);
      break;
    case REF_INPUT:
    case REF_RESHAPE:
    case REF_SIGMOID_BCE: /* made by forward */
      break;
  }
}

const float *canonical_pending_gradient(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[node];
  if (p->alias != node || net->topology->nodes[node].op == REF_INPUT || !net->storages[p->storage].written) return NULL;
  return canonical_node_gradient(net, node);
}

void canonical_backward_node(struct canonical_network *net, int node) {
  struct canonical_node *p = &net->nodes[node];
  const float *gradient = canonical_pending_gradient(net, node);
  if (!gradient) return;
  p->reached = true;
  if (p->found) memcpy(p->found, gradient, canonical_node_size(net, node) * sizeof(float));
  backward(net, node);
}

void canonical_end_backward(struct canonical_network *net) { permute(net, CANONICAL_GRADIENT, false); }

void canonical_backward(struct canonical_network *net) {
  for (int i = net->topology->count - 1; i >= 0; i--) canonical_backward_node(net, i);
  canonical_end_backward(net);
}

void canonical_set_value(struct canonical_network *net, int node, const float *value) {
  if (net->nodes[node].alias != node) return;
  memcpy(canonical_node_value(net, node), value, canonical_node_size(net, node) * sizeof *value);
}

void canonical_set_gradient(struct canonical_network *net, int node, const float *gradient) {
  if (net->nodes[node].alias != node) return;
  memcpy(canonical_node_gradient(net, node), gradient, canonical_node_size(net, node) * sizeof *gradient);
}

float canonical_alpha(float learning_rate, uint32_t t) {
  return (float)((double)learning_rate * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t)));
}

void canonical_adam(struct canonical_network *net, float alpha) {
  for (int i = 0; i < net->topology->parameter_count; i++) {
    float *const *a = net->parameters[i].array;
    if (net->topology->parameters[i].trainable)
      canonical_adam_update(net->topology->parameters[i].count, alpha, a[CANONICAL_GRADIENT], a[CANONICAL_FIRST_MOMENT],
                            a[CANONICAL_SECOND_MOMENT], a[CANONICAL_VALUE]);
  }
}

/* --- results ------------------------------------------------------------------------------------------------------ */

float *canonical_parameter(struct canonical_network *net, int index, enum canonical_array which) {
  return net->parameters[index].array[which];
}

float canonical_bce(const struct canonical_network *net) { return net->bce; }
float canonical_kl(const struct canonical_network *net) { return net->kl; }
int canonical_batch(const struct canonical_network *net) { return net->batch; }

const float *canonical_value(const struct canonical_network *net, int node) {
  return net->nodes[node].alias == node ? canonical_node_value(net, node) : NULL;
}

const float *canonical_gradient(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[node];
  if (!p->reached) return NULL;
  return p->found ? p->found : canonical_node_gradient(net, node);
}
