/* Spatial attention: cl/spatial_attention.cl around a 5x5 convolution. */
#include <stdio.h>

#include "core/fail.h"
#include "op/op.h"

enum { KERNEL = 5, WEIGHT = 0, BIAS = 1, POOLED = 0 };

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  node->c = x->c, node->h = x->h, node->w = x->w;
  node->parameter_count = 2;
  fovea_parameter_spec *w = &node->parameters[WEIGHT], *b = &node->parameters[BIAS];
  *w = (fovea_parameter_spec){.rank = 4,
                              .dims = {1, 2, KERNEL, KERNEL},
                              .trainable = true,
                              .initial = FOVEA_GLOROT,
                              .fan_in = 2 * KERNEL * KERNEL,
                              .fan_out = KERNEL * KERNEL};
  *b = (fovea_parameter_spec){.rank = 1, .dims = {1}, .trainable = true, .initial = FOVEA_ZEROS};
  snprintf(w->name, sizeof w->name, "%s.weight", node->name);
  snprintf(b->name, sizeof b->name, "%s.bias", node->name);
  return FOVEA_OK;
}

static fovea_conv_shape conv_of(const fovea_node *n) {
  return (fovea_conv_shape){.c = 2,
                            .h = n->h,
                            .w = n->w,
                            .k = 1,
                            .oh = n->h,
                            .ow = n->w,
                            .kernel = KERNEL,
                            .stride = 1,
                            .top = KERNEL / 2,
                            .left = KERNEL / 2};
}

static void finish(fovea_plan *plan, fovea_record *r, const fovea_node *n, double tensors) {
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_shared_range(plan, r, (size_t)(n->h * n->w), 1);
  fovea_record_cost(r, 0, 4.0 * tensors * n->c * n->h * n->w * fovea_plan_batch(plan));
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view a = fovea_plan_input(plan, node, 0), pooled = fovea_plan_save_images(plan, node, POOLED, 2, n->h * n->w);
  fovea_view scale = fovea_plan_save_images(plan, node, FOVEA_ATTENTION_SCALE, 1, n->h * n->w),
             bias = fovea_plan_parameter(plan, node, BIAS);

  fovea_record *r = fovea_plan_record(plan, "spatial_attention.cl", "", "spatial_attention_pool");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "pooled", pooled);
  finish(plan, r, n, 1);

  fovea_conv_shape conv = conv_of(n);
  const fovea_epilogue epilogue = {.bias = &bias, .activation = FOVEA_SIGMOID};
  fovea_record_conv2d(plan, &conv, pooled, fovea_plan_parameter(plan, node, WEIGHT), epilogue, scale);
  if (fovea_plan_merged(plan, node) >= 0) return;

  r = fovea_plan_record(plan, "spatial_attention.cl", "", "spatial_attention_apply");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "s", scale);
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  finish(plan, r, n, 2);
}

/* A backward kernel with what it makes dy of: dy itself, or a merged normalization's g, statistics and gamma. */
static fovea_record *record_backward(fovea_plan *plan, int node, const char *kernel) {
  const int norm = fovea_plan_merged(plan, node);
  const fovea_view a = fovea_plan_input(plan, node, 0);
  fovea_record *r = fovea_plan_record(plan, "spatial_attention.cl", norm < 0 ? "" : "-DNORMALIZED=1", kernel);
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "dy", fovea_plan_output_gradient(plan, norm < 0 ? node : norm));
  fovea_record_view(plan, r, "s", fovea_plan_saved(plan, node, FOVEA_ATTENTION_SCALE));
  fovea_record_view(plan, r, "stats", norm < 0 ? a : fovea_plan_saved(plan, norm, FOVEA_BATCHNORM_STATS));
  fovea_record_view(plan, r, "gamma", norm < 0 ? a : fovea_plan_parameter(plan, norm, FOVEA_BATCHNORM_GAMMA));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  return r;
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view pooled = fovea_plan_saved(plan, node, POOLED);
  const int pixels = n->h * n->w;
  fovea_view dt = fovea_plan_new_images(plan, 1, pixels), dpooled = fovea_plan_new_images(plan, 2, pixels);

  fovea_record *r = record_backward(plan, node, "spatial_attention_backward_scale");
  fovea_record_view(plan, r, "dt", dt);
  finish(plan, r, n, 2);

  fovea_conv_shape conv = conv_of(n);
  fovea_record_conv2d_backward_weight(plan, &conv, pooled, dt, fovea_plan_parameter_gradient(plan, node, WEIGHT));
  fovea_record_bias_backward(plan, 1, n->h, n->w, dt, fovea_plan_parameter_gradient(plan, node, BIAS));
  if (!fovea_plan_wants_gradient(plan, node, 0)) return;
  fovea_record_conv2d_backward_data(plan, &conv, dt, fovea_plan_parameter(plan, node, WEIGHT), (fovea_epilogue){0},
                                    dpooled);

  bool accumulate;
  fovea_view da = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  r = record_backward(plan, node, "spatial_attention_backward_apply");
  fovea_record_view(plan, r, "pooled", pooled);
  fovea_record_view(plan, r, "dpooled", dpooled);
  fovea_record_view(plan, r, "da", da);
  finish(plan, r, n, 3);
  fovea_record_int(r, "accumulate", accumulate);
}

const fovea_op fovea_op_spatial_attention = {"spatial_attention", infer, forward, backward};
