/* The ops of the canonical reference's network, each by the functions of canonical_ops.h. An op of a file of its own
 * has its two functions there. */
#include <string.h>

#include "ref/canonical_node.h"

/* --- the images --------------------------------------------------------------------------------------------------- */

void canonical_forward_input(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  if (net->training && net->augment)
    canonical_augment_images(&s, net->augment, net->draw.seed, net->pixels, canonical_node_value(net, node));
  else
    canonical_input(&s, net->pixels, canonical_node_value(net, node));
}

void canonical_backward_input(struct canonical_network *net, int node) { (void)net, (void)node; }

/* --- convolutions, dense layers ----------------------------------------------------------------------------------- */

/* The convolution that a node is, or whose gradient it is. */
static struct ref_conv2d conv_of(const struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node], *x = &net->topology->nodes[n->inputs[0]];
  if (n->op == REF_DENSE) return ref_conv2d_same(net->batch, x->c * x->h * x->w, 1, 1, n->c, 1, 1);
  struct ref_conv2d d = n->conv;
  d.n = net->batch;
  return d;
}

typedef void convolve(const struct ref_conv2d *d, const float *x, const float *w, const float *b, bool accumulate,
                      float *y);

static void convolution(struct canonical_network *net, int node, convolve *by) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct ref_conv2d d = conv_of(net, node);
  const float *b = canonical_node_parameter(net, node, 1, CANONICAL_VALUE);
  float *y = canonical_node_value(net, node);
  by(&d, canonical_input_value(net, node, 0), canonical_node_parameter(net, node, 0, CANONICAL_VALUE), b, false, y);
  if (b) canonical_keep(&s, s.c * s.h * s.w, y);
}

void canonical_forward_conv2d(struct canonical_network *net, int node) { convolution(net, node, canonical_conv2d); }
void canonical_forward_dense(struct canonical_network *net, int node) { convolution(net, node, canonical_conv2d); }
void canonical_forward_conv2d_transpose(struct canonical_network *net, int node) {
  convolution(net, node, canonical_conv2d_backward_data);
}

static void conv_backward(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct ref_conv2d d = conv_of(net, node);
  const bool transpose = n->op == REF_CONV2D_TRANSPOSE;
  const float *x = canonical_node_value(net, n->inputs[0]), *dy = canonical_node_gradient(net, node);
  const float *w = canonical_node_parameter(net, node, 0, CANONICAL_VALUE);
  float *dw = canonical_node_parameter(net, node, 0, CANONICAL_GRADIENT),
        *db = canonical_node_parameter(net, node, 1, CANONICAL_GRADIENT);
  if (db) canonical_bias_backward(net->batch, n->c, n->h, n->w, dy, db);
  canonical_conv2d_backward_weight(&d, transpose ? dy : x, transpose ? x : dy, dw);
  bool accumulate;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  if (dx && transpose) canonical_conv2d(&d, dy, w, NULL, accumulate, dx);
  if (dx && !transpose) canonical_conv2d_backward_data(&d, dy, w, NULL, accumulate, dx);
}

void canonical_backward_conv2d(struct canonical_network *net, int node) { conv_backward(net, node); }
void canonical_backward_dense(struct canonical_network *net, int node) { conv_backward(net, node); }
void canonical_backward_conv2d_transpose(struct canonical_network *net, int node) { conv_backward(net, node); }

/* A reshape's value is its input's. */
void canonical_forward_reshape(struct canonical_network *net, int node) { (void)net, (void)node; }
void canonical_backward_reshape(struct canonical_network *net, int node) { (void)net, (void)node; }

/* --- dropout and activation, batch normalization ------------------------------------------------------------------ */

static struct canonical_pointwise pointwise_of(const struct canonical_network *net, int node) {
  struct canonical_pointwise p = net->nodes[node].pointwise;
  if (!net->training) p.rate = 0.0;
  return p;
}

void canonical_forward_activation(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_pointwise pointwise = pointwise_of(net, node);
  canonical_activation(&s, &pointwise, &net->draw, canonical_input_value(net, node, 0),
                       canonical_node_value(net, node));
}

void canonical_backward_activation(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_pointwise pointwise = pointwise_of(net, node);
  bool accumulate = false;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  if (dx)
    canonical_activation_backward(&s, &pointwise, &net->draw, canonical_node_value(net, node),
                                  canonical_node_gradient(net, node), accumulate, dx);
}

void canonical_forward_dropout(struct canonical_network *net, int node) { canonical_forward_activation(net, node); }
void canonical_backward_dropout(struct canonical_network *net, int node) { canonical_backward_activation(net, node); }

void canonical_forward_batchnorm(struct canonical_network *net, int node) {
  const float *x = canonical_input_value(net, node, 0);
  const struct ref_node *n = &net->topology->nodes[node];
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_pointwise p = pointwise_of(net, node);
  const float *gamma = canonical_node_parameter(net, node, 0, CANONICAL_VALUE),
              *beta = canonical_node_parameter(net, node, 1, CANONICAL_VALUE);
  float *mean = canonical_node_parameter(net, node, 2, CANONICAL_VALUE),
        *var = canonical_node_parameter(net, node, 3, CANONICAL_VALUE);
  float *stats = canonical_saved(net, node, 0, 4 * (size_t)s.c), *y = canonical_node_value(net, node);
  if (net->training)
    canonical_batchnorm_statistics(&s, x, (float)n->asked.epsilon, (float)n->asked.momentum, stats, mean, var);
  else
    canonical_batchnorm_moving(s.c, (float)n->asked.epsilon, mean, var, stats);
  canonical_batchnorm(&s, x, stats, gamma, beta, y);
  canonical_activation(&s, &p, &net->draw, y, y);
  canonical_keep(&s, s.c * s.h * s.w, y);
}

void canonical_backward_batchnorm(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_pointwise p = pointwise_of(net, node);
  const float *x = canonical_node_value(net, net->topology->nodes[node].inputs[0]);
  float *stats = net->nodes[node].saved[0], *g = canonical_saved(net, node, 1, canonical_node_size(net, node));
  canonical_activation_backward(&s, &p, &net->draw, canonical_node_value(net, node), canonical_node_gradient(net, node),
                                false, g);
  canonical_batchnorm_backward_sums(&s, x, g, stats, canonical_node_parameter(net, node, 0, CANONICAL_GRADIENT),
                                    canonical_node_parameter(net, node, 1, CANONICAL_GRADIENT));
  bool accumulate;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  if (dx)
    canonical_batchnorm_backward(&s, x, g, stats, canonical_node_parameter(net, node, 0, CANONICAL_VALUE), accumulate,
                                 dx);
}

/* --- attention ---------------------------------------------------------------------------------------------------- */

void canonical_forward_spatial_attention(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const size_t map = (size_t)(s.h * s.w) * (size_t)s.n;
  canonical_spatial_attention(
      &s, canonical_input_value(net, node, 0), canonical_node_parameter(net, node, 0, CANONICAL_VALUE),
      canonical_node_parameter(net, node, 1, CANONICAL_VALUE), canonical_saved(net, node, 0, 2 * map),
      canonical_saved(net, node, 1, map), canonical_node_value(net, node));
}

void canonical_backward_spatial_attention(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  float **saved = net->nodes[node].saved;
  bool accumulate = false;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  canonical_spatial_attention_backward(
      &s, canonical_input_value(net, node, 0), canonical_node_parameter(net, node, 0, CANONICAL_VALUE), saved[0],
      saved[1], canonical_node_gradient(net, node), canonical_node_parameter(net, node, 0, CANONICAL_GRADIENT),
      canonical_node_parameter(net, node, 1, CANONICAL_GRADIENT), accumulate, dx);
}

static int hidden_units(const struct canonical_network *net, int node) {
  return net->topology->parameters[net->topology->nodes[node].parameters[1]].count;
}

static struct canonical_mlp mlp_of(const struct canonical_network *net, int node, enum canonical_array which) {
  return (struct canonical_mlp){hidden_units(net, node), canonical_node_parameter(net, node, 0, which),
                                canonical_node_parameter(net, node, 1, which),
                                canonical_node_parameter(net, node, 2, which),
                                canonical_node_parameter(net, node, 3, which)};
}

void canonical_forward_channel_attention(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_mlp mlp = mlp_of(net, node, CANONICAL_VALUE);
  const size_t c = (size_t)s.c, batch = (size_t)s.n;
  canonical_channel_attention(&s, canonical_input_value(net, node, 0), &mlp,
                              canonical_saved(net, node, 0, 2 * c * batch),
                              canonical_saved(net, node, 1, 2 * (size_t)mlp.hidden * batch),
                              canonical_saved(net, node, 2, c * batch), canonical_node_value(net, node));
}

void canonical_backward_channel_attention(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const struct canonical_mlp mlp = mlp_of(net, node, CANONICAL_VALUE), g = mlp_of(net, node, CANONICAL_GRADIENT);
  float **saved = net->nodes[node].saved;
  bool accumulate = false;
  float *dx = canonical_input_gradient(net, node, 0, &accumulate);
  canonical_channel_attention_backward(&s, canonical_input_value(net, node, 0), &mlp, saved[0], saved[1], saved[2],
                                       canonical_node_gradient(net, node), &g, accumulate, dx);
}

/* --- concatenation ------------------------------------------------------------------------------------------------ */

/* Operands that do not lie in the result are copied. */
void canonical_forward_concat(struct canonical_network *net, int node) {
  float *y = canonical_node_value(net, node);
  for (int k = 0; k < 2; k++) {
    const int operand = net->topology->nodes[node].inputs[k];
    const float *x = canonical_node_value(net, operand);
    const size_t size = canonical_node_size(net, operand);
    if (x != y) memcpy(y, x, size * sizeof *y);
    y += size;
  }
}

void canonical_backward_concat(struct canonical_network *net, int node) {
  const float *y = canonical_node_value(net, node), *dy = canonical_node_gradient(net, node);
  for (int k = 0; k < 2; k++) {
    const int operand = net->topology->nodes[node].inputs[k];
    const size_t size = canonical_node_size(net, operand);
    bool accumulate, in_place = canonical_node_value(net, operand) == y;
    float *dx = in_place ? NULL : canonical_input_gradient(net, node, k, &accumulate);
    for (size_t i = 0; dx && i < size; i++) dx[i] = accumulate ? dy[i] + dx[i] : dy[i];
    y += size, dy += size;
  }
}

/* --- the sample and the loss -------------------------------------------------------------------------------------- */

/* An evaluation's samples are another op's than training's. */
static const uint32_t EVALUATION = 0x80000000u;

void canonical_forward_reparameterize(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const uint32_t random = canonical_topology(net, node)->random, op = net->training ? random : random | EVALUATION;
  float *e = canonical_saved(net, node, 0, (size_t)(s.c * s.n));
  net->kl = canonical_reparameterize(&s, op, &net->draw, canonical_input_value(net, node, 0),
                                     canonical_input_value(net, node, 1), e, canonical_node_value(net, node)) /
            (float)s.n_valid;
}

void canonical_backward_reparameterize(struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  const struct canonical_shape s = canonical_shape_of(net, node);
  bool accumulate_mu, accumulate_logvar;
  float *dmu = canonical_input_gradient(net, node, 0, &accumulate_mu);
  float *dlogvar = canonical_input_gradient(net, node, 1, &accumulate_logvar);
  canonical_reparameterize_backward(&s, (float)n->asked.kl_weight, canonical_node_value(net, n->inputs[0]),
                                    canonical_node_value(net, n->inputs[1]), net->nodes[node].saved[0],
                                    canonical_node_gradient(net, node), accumulate_mu, dmu, accumulate_logvar, dlogvar);
}

void canonical_forward_sigmoid_bce(struct canonical_network *net, int node) {
  const struct canonical_shape s = canonical_shape_of(net, node);
  const float *x = canonical_input_value(net, node, 0), *t = canonical_input_value(net, node, 1);
  bool accumulate;
  float *dx = net->training ? canonical_input_gradient(net, node, 0, &accumulate) : NULL;
  const float sum = canonical_sigmoid_bce(&s, x, t, canonical_node_value(net, node), dx);
  net->bce = sum / ((float)s.n_valid * (float)(s.c * s.h * s.w));
}

/* Made by the forward pass. */
void canonical_backward_sigmoid_bce(struct canonical_network *net, int node) { (void)net, (void)node; }
