/* The ops of the reference's network, each by the functions of ref.h. An op of a file of its own has its three
 * functions there. */
#include "ref/node.h"

#include <string.h>

/* --- the images --------------------------------------------------------------------------------------------------- */

void ref_shape_input(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)net, (void)name;
  node->c = node->asked.c, node->h = node->asked.h, node->w = node->asked.w;
}

void ref_forward_input(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  for (int i = 0; i < ref_size(net, node); i++) node->value[i] = pass->pixels[i] / 255.0;
}

void ref_backward_input(struct ref_network *net, struct ref_node *node) { (void)net, (void)node; }

/* --- convolutions ------------------------------------------------------------------------------------------------- */

static void declare_products(struct ref_network *net, struct ref_node *node, const char *name, int weights) {
  ref_declare(net, node, name, "weight", weights, true);
  if (node->asked.bias) ref_declare(net, node, name, "bias", node->c, true);
}

void ref_shape_conv2d(struct ref_network *net, struct ref_node *node, const char *name) {
  const struct ref_asked *a = &node->asked;
  const struct ref_node *x = ref_input(net, node, 0);
  struct ref_conv2d *d = &node->conv;
  *d = ref_conv2d_same(0, x->c, x->h, x->w, a->filters, a->kernel, a->stride);
  if (a->padding >= 0) {
    d->top = d->left = a->padding;
    d->oh = (x->h + 2 * a->padding - a->kernel) / a->stride + 1,
    d->ow = (x->w + 2 * a->padding - a->kernel) / a->stride + 1;
  }
  node->c = a->filters, node->h = d->oh, node->w = d->ow;
  declare_products(net, node, name, a->filters * x->c * a->kernel * a->kernel);
}

void ref_forward_conv2d(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  node->conv.n = net->n;
  ref_conv2d(&node->conv, ref_input(net, node, 0)->value, ref_value(net, node, 0), ref_value(net, node, 1),
             node->value);
}

void ref_backward_conv2d(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  ref_conv2d_backward_data(&node->conv, node->gradient, ref_value(net, node, 0), x->gradient);
  ref_conv2d_backward_weight(&node->conv, x->value, node->gradient, ref_gradient(net, node, 0),
                             ref_gradient(net, node, 1));
}

void ref_shape_conv2d_transpose(struct ref_network *net, struct ref_node *node, const char *name) {
  const struct ref_asked *a = &node->asked;
  const struct ref_node *x = ref_input(net, node, 0);
  node->c = a->filters;
  node->h = a->out_h ? a->out_h : x->h * a->stride, node->w = a->out_w ? a->out_w : x->w * a->stride;
  node->conv = ref_conv2d_same(0, node->c, node->h, node->w, x->c, a->kernel, a->stride);
  declare_products(net, node, name, a->filters * x->c * a->kernel * a->kernel);
}

void ref_forward_conv2d_transpose(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const double *b = ref_value(net, node, 1);
  node->conv.n = net->n;
  ref_conv2d_transpose(&node->conv, ref_input(net, node, 0)->value, ref_value(net, node, 0), node->value);
  for (int i = 0; b && i < ref_size(net, node); i++) node->value[i] += b[i / (node->h * node->w) % node->c];
}

void ref_backward_conv2d_transpose(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  double *db = ref_gradient(net, node, 1);
  ref_conv2d_transpose_backward_data(&node->conv, node->gradient, ref_value(net, node, 0), x->gradient);
  ref_conv2d_transpose_backward_weight(&node->conv, x->value, node->gradient, ref_gradient(net, node, 0));
  for (int i = 0; db && i < ref_size(net, node); i++) db[i / (node->h * node->w) % node->c] += node->gradient[i];
}

/* --- units and images --------------------------------------------------------------------------------------------- */

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

void ref_shape_dense(struct ref_network *net, struct ref_node *node, const char *name) {
  const struct ref_node *x = ref_input(net, node, 0);
  node->c = node->asked.filters, node->h = node->w = 1;
  declare_products(net, node, name, node->c * x->c * x->h * x->w);
}

void ref_forward_dense(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const struct ref_node *x = ref_input(net, node, 0);
  double *flat = flattened(net->n, x, x->value);
  ref_dense(net->n, x->c * x->h * x->w, node->c, flat, ref_value(net, node, 0), ref_value(net, node, 1), node->value);
  free(flat);
}

void ref_backward_dense(struct ref_network *net, struct ref_node *node) {
  struct ref_node *in = ref_input(net, node, 0);
  int n = net->n, size = in->c * in->h * in->w;
  double *flat = flattened(n, in, in->value), *dflat = ref_alloc(n * size);
  ref_dense_backward(n, size, node->c, flat, ref_value(net, node, 0), node->gradient, dflat, ref_gradient(net, node, 0),
                     ref_gradient(net, node, 1));
  unflatten(n, in, dflat, in->gradient, true);
  free(flat);
  free(dflat);
}

void ref_shape_reshape(struct ref_network *net, struct ref_node *node, const char *name) {
  ref_shape_input(net, node, name);
}

void ref_forward_reshape(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  unflatten(net->n, node, ref_input(net, node, 0)->value, node->value, false);
}

void ref_backward_reshape(struct ref_network *net, struct ref_node *node) {
  double *flat = flattened(net->n, node, node->gradient);
  for (int i = 0; i < ref_size(net, node); i++) ref_input(net, node, 0)->gradient[i] += flat[i];
  free(flat);
}

/* --- batch normalization ------------------------------------------------------------------------------------------ */

void ref_shape_batchnorm(struct ref_network *net, struct ref_node *node, const char *name) {
  ref_shape_like(node, ref_input(net, node, 0));
  ref_declare(net, node, name, "weight", node->c, true);
  ref_declare(net, node, name, "bias", node->c, true);
  ref_declare(net, node, name, "running_mean", node->c, false);
  ref_declare(net, node, name, "running_var", node->c, false);
}

static struct ref_batchnorm batchnorm_of(const struct ref_network *net, const struct ref_node *node) {
  return (struct ref_batchnorm){net->n, net->n, node->c, node->h * node->w, node->asked.epsilon};
}

void ref_forward_batchnorm(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  const double *x = ref_input(net, node, 0)->value;
  struct ref_batchnorm d = batchnorm_of(net, node);
  double *mean = node->saved = ref_alloc(2 * node->c), *var = mean + node->c;
  memcpy(mean, ref_value(net, node, 2), (size_t)node->c * sizeof *mean);
  memcpy(var, ref_value(net, node, 3), (size_t)node->c * sizeof *var);
  if (pass->training) {
    ref_batchnorm_statistics(&d, x, mean, var);
    ref_batchnorm_moving(node->c, node->asked.momentum, mean, ref_value(net, node, 2));
    ref_batchnorm_moving(node->c, node->asked.momentum, var, ref_value(net, node, 3));
  }
  ref_batchnorm(&d, x, mean, var, ref_value(net, node, 0), ref_value(net, node, 1), node->value);
}

void ref_backward_batchnorm(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  const struct ref_batchnorm d = batchnorm_of(net, node);
  ref_batchnorm_backward(&d, x->value, node->saved, node->saved + node->c, ref_value(net, node, 0), node->gradient,
                         x->gradient, ref_gradient(net, node, 0), ref_gradient(net, node, 1));
}

/* --- dropout and activation --------------------------------------------------------------------------------------- */

void ref_shape_dropout(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
  ref_draws(net, node);
}

void ref_forward_dropout(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  const int size = ref_size(net, node);
  const double rate = node->asked.rate;
  node->keep = malloc((size_t)size);
  if (!node->keep) abort();
  if (pass->training)
    ref_dropout_mask(net->n, node->c, node->h * node->w, rate, node->random, pass->step, net->seed, node->keep);
  else
    memset(node->keep, 1, (size_t)size);
  ref_dropout(size, pass->training ? rate : 0, node->keep, ref_input(net, node, 0)->value, node->value);
}

void ref_backward_dropout(struct ref_network *net, struct ref_node *node) {
  ref_dropout_backward(ref_size(net, node), node->asked.rate, node->keep, node->gradient,
                       ref_input(net, node, 0)->gradient);
}

void ref_shape_activation(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
}

void ref_forward_activation(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  ref_activation(node->asked.activation, ref_size(net, node), ref_input(net, node, 0)->value, node->value);
}

void ref_backward_activation(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  ref_activation_backward(node->asked.activation, ref_size(net, node), x->value, node->gradient, x->gradient);
}

/* --- attention ---------------------------------------------------------------------------------------------------- */

void ref_shape_spatial_attention(struct ref_network *net, struct ref_node *node, const char *name) {
  ref_shape_like(node, ref_input(net, node, 0));
  ref_declare(net, node, name, "weight", 2 * 5 * 5, true);
  ref_declare(net, node, name, "bias", 1, true);
}

void ref_forward_spatial_attention(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  ref_spatial_attention(net->n, node->c, node->h, node->w, ref_input(net, node, 0)->value, ref_value(net, node, 0),
                        ref_value(net, node, 1), node->value, NULL);
}

void ref_backward_spatial_attention(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  ref_spatial_attention_backward(net->n, node->c, node->h, node->w, x->value, ref_value(net, node, 0),
                                 ref_value(net, node, 1), node->gradient, x->gradient, ref_gradient(net, node, 0),
                                 ref_gradient(net, node, 1));
}

static int hidden_units(int c) { return c / 16 > 1 ? c / 16 : 1; }

void ref_shape_channel_attention(struct ref_network *net, struct ref_node *node, const char *name) {
  ref_shape_like(node, ref_input(net, node, 0));
  const int hidden = hidden_units(node->c);
  ref_declare(net, node, name, "fc1.weight", hidden * node->c, true);
  ref_declare(net, node, name, "fc1.bias", hidden, true);
  ref_declare(net, node, name, "fc2.weight", hidden * node->c, true);
  ref_declare(net, node, name, "fc2.bias", node->c, true);
}

static struct ref_channel_attention channel_of(const struct ref_network *net, const struct ref_node *node) {
  return (struct ref_channel_attention){net->n, node->c, node->h * node->w, hidden_units(node->c)};
}

static struct ref_mlp mlp_of(const struct ref_network *net, const struct ref_node *node,
                             double *(*get)(const struct ref_network *, const struct ref_node *, int)) {
  return (struct ref_mlp){get(net, node, 0), get(net, node, 1), get(net, node, 2), get(net, node, 3)};
}

void ref_forward_channel_attention(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const struct ref_channel_attention d = channel_of(net, node);
  const struct ref_mlp p = mlp_of(net, node, ref_value);
  ref_channel_attention(&d, ref_input(net, node, 0)->value, &p, node->value, NULL);
}

void ref_backward_channel_attention(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  const struct ref_channel_attention d = channel_of(net, node);
  const struct ref_mlp p = mlp_of(net, node, ref_value), g = mlp_of(net, node, ref_gradient);
  ref_channel_attention_backward(&d, x->value, &p, node->gradient, x->gradient, &g);
}

/* --- concatenation ------------------------------------------------------------------------------------------------ */

void ref_shape_concat(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
  node->c += ref_input(net, node, 1)->c;
}

void ref_forward_concat(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const struct ref_node *a = ref_input(net, node, 0), *b = ref_input(net, node, 1);
  int hw = node->h * node->w, ca = a->c * hw, cb = b->c * hw;
  for (int n = 0; n < net->n; n++) {
    memcpy(node->value + n * (ca + cb), a->value + n * ca, (size_t)ca * sizeof(double));
    memcpy(node->value + n * (ca + cb) + ca, b->value + n * cb, (size_t)cb * sizeof(double));
  }
}

void ref_backward_concat(struct ref_network *net, struct ref_node *node) {
  struct ref_node *a = ref_input(net, node, 0), *b = ref_input(net, node, 1);
  int hw = node->h * node->w, ca = a->c * hw, cb = b->c * hw;
  for (int n = 0; n < net->n; n++) {
    for (int i = 0; i < ca; i++) a->gradient[n * ca + i] += node->gradient[n * (ca + cb) + i];
    for (int i = 0; i < cb; i++) b->gradient[n * cb + i] += node->gradient[n * (ca + cb) + ca + i];
  }
}

/* --- the sample and the loss -------------------------------------------------------------------------------------- */

void ref_shape_reparameterize(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
  ref_draws(net, node);
}

void ref_forward_reparameterize(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  const double *mu = ref_input(net, node, 0)->value, *logvar = ref_input(net, node, 1)->value;
  const uint32_t op = pass->training ? node->random : node->random | 0x80000000u;
  node->saved = ref_alloc(ref_size(net, node));
  ref_normal(net->n, node->c, op, pass->step, net->seed, node->saved);
  ref_reparameterize(ref_size(net, node), mu, logvar, node->saved, node->value);
  net->kl = ref_kl(net->n, node->c, mu, logvar);
  net->total += node->asked.kl_weight * net->kl;
}

void ref_backward_reparameterize(struct ref_network *net, struct ref_node *node) {
  struct ref_node *mu = ref_input(net, node, 0), *logvar = ref_input(net, node, 1);
  ref_reparameterize_backward(ref_size(net, node), logvar->value, node->saved, node->gradient, mu->gradient,
                              logvar->gradient);
  ref_kl_backward(net->n, node->c, node->asked.kl_weight, mu->value, logvar->value, mu->gradient, logvar->gradient);
}

void ref_shape_sigmoid_bce(struct ref_network *net, struct ref_node *node, const char *name) {
  (void)name;
  ref_shape_like(node, ref_input(net, node, 0));
}

void ref_forward_sigmoid_bce(struct ref_network *net, struct ref_node *node, const struct ref_pass *pass) {
  (void)pass;
  const double *x = ref_input(net, node, 0)->value;
  net->bce = ref_bce_sigmoid(ref_size(net, node), x, ref_input(net, node, 1)->value);
  net->total += net->bce;
  for (int i = 0; i < ref_size(net, node); i++) node->value[i] = ref_sigmoid(x[i]);
}

void ref_backward_sigmoid_bce(struct ref_network *net, struct ref_node *node) {
  struct ref_node *x = ref_input(net, node, 0);
  ref_bce_sigmoid_backward(ref_size(net, node), 1, x->value, ref_input(net, node, 1)->value, x->gradient);
}
