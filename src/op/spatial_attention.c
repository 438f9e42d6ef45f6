/* Spatial attention: cl/spatial_attention.cl around a 5x5 convolution, or cl/spatial_attention_forward.cl and
 * _backward.cl. */
#include "op/spatial_attention.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "op/batchnorm_sums.h"
#include "op/conv2d/bias.h"
#include "op/conv2d/conv2d.h"
#include "op/pointwise.h"

enum { KERNEL = 5, WEIGHT = 0, BIAS = 1, POOLED = 0 };

fovea_tensor fovea_add_spatial_attention(fovea_graph *graph, fovea_tensor x, const char *name) {
  return fovea_graph_add_within(graph, &fovea_op_spatial_attention, &(fovea_node){.inputs = {x}}, name, "spatial");
}

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

static double products(const fovea_graph *graph, const fovea_node *node) {
  (void)graph;
  return 2.0 * KERNEL * KERNEL * node->h * node->w;
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

/* Whether a pass is one launch with a work-item for each block of images: on a CPU whose units then have as much to do
 * as each other. An evaluation of the seed network takes 0.98 of the time so. */
static bool is_one_launch(const fovea_plan *plan) {
  const fovea_device *device = fovea_plan_device(plan);
  return device->tuning.vector > 1 && fovea_plan_divides_evenly(plan, (int)device->info.compute_units);
}

/* A kernel with a convolution in it, for which these are the macros of common/conv2d.clh; `pixels` at a time. */
static fovea_record *record_with_convolution(fovea_plan *plan, const char *file, const char *options, int filters,
                                             int pixels, const char *kernel) {
  char all[160];
  snprintf(all, sizeof all, "-DR=%d -DS=%d -DSTRIDE=1 -DTK=%d -DTP=%d -DPACKED=0%s%s", KERNEL, KERNEL, filters, pixels,
           *options ? " " : "", options);
  return fovea_plan_record(plan, file, all, kernel);
}

static fovea_record *record_one_launch(fovea_plan *plan, const char *file, const char *options, int filters,
                                       const char *kernel) {
  const int pixels = fovea_plan_device(plan)->tuning.native >= 16 || filters == 1 ? 4 : 2;
  return record_with_convolution(plan, file, options, filters, pixels, kernel);
}

static void finish_one_launch(fovea_plan *plan, fovea_record *r, const fovea_node *n, double tensors) {
  const fovea_conv_shape conv = conv_of(n);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_batch_range(plan, r, 1, 1);
  fovea_record_cost(r, fovea_conv_flops(plan, &conv),
                    4.0 * tensors * n->c * n->h * n->w * fovea_plan_batch(plan) + fovea_conv_bytes(plan, &conv));
}

/* The scale's arguments, with those of a normalization between them and the shape. */
static fovea_record *record_scale_in_one_launch(fovea_plan *plan, int node, const char *options) {
  fovea_record *r = record_one_launch(plan, "spatial_attention_forward.cl", options, 1, "spatial_attention_forward");
  fovea_record_view(plan, r, "a", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "w", fovea_plan_parameter(plan, node, WEIGHT));
  fovea_record_view(plan, r, "b", fovea_plan_parameter(plan, node, BIAS));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "pooled", fovea_plan_saved(plan, node, POOLED));
  fovea_record_view(plan, r, "s", fovea_plan_saved(plan, node, FOVEA_ATTENTION_SCALE));
  return r;
}

static void record_scale(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  if (is_one_launch(plan)) {
    finish_one_launch(plan, record_scale_in_one_launch(plan, node, ""), n, 1);
    return;
  }
  const fovea_view pooled = fovea_plan_saved(plan, node, POOLED), bias = fovea_plan_parameter(plan, node, BIAS);
  fovea_record *r = fovea_plan_record(plan, "spatial_attention.cl", "", "spatial_attention_pool");
  fovea_record_view(plan, r, "a", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "pooled", pooled);
  finish(plan, r, n, 1);
  const fovea_conv_shape conv = conv_of(n);
  const fovea_epilogue epilogue = {.bias = &bias, .activation = FOVEA_SIGMOID};
  fovea_record_conv2d(plan, &conv, pooled, fovea_plan_parameter(plan, node, WEIGHT), epilogue,
                      fovea_plan_saved(plan, node, FOVEA_ATTENTION_SCALE));
}

bool fovea_attention_is_fused(const fovea_plan *plan, int attention) {
  return fovea_plan_fused(plan, attention) >= 0 && is_one_launch(plan);
}

void fovea_record_measured_attention(fovea_plan *plan, int attention, fovea_view blocks) {
  const fovea_node *n = fovea_plan_node(plan, attention);
  fovea_record *r = record_scale_in_one_launch(plan, attention, "-DMEASURED=1");
  fovea_record_view(plan, r, "rows", fovea_plan_new_images(plan, n->c, 2));
  fovea_record_view(plan, r, "blocks", blocks);
  finish_one_launch(plan, r, n, 1);
}

void fovea_record_normalized_attention(fovea_plan *plan, int attention, fovea_view stats) {
  const int norm = fovea_plan_fused(plan, attention);
  char options[24 + FOVEA_POINTWISE_OPTIONS] = "-DNORMALIZED=1 ";
  const size_t length = strlen(options);
  fovea_pointwise_options(plan, fovea_plan_pointwise(plan, norm), options + length);
  fovea_record *r = record_scale_in_one_launch(plan, attention, options);
  fovea_record_view(plan, r, "stats", stats);
  fovea_record_view(plan, r, "gamma", fovea_plan_parameter(plan, norm, FOVEA_BATCHNORM_GAMMA));
  fovea_record_view(plan, r, "beta", fovea_plan_parameter(plan, norm, FOVEA_BATCHNORM_BETA));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, norm));
  finish_one_launch(plan, r, fovea_plan_node(plan, attention), 3);
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int pixels = n->h * n->w;
  fovea_plan_save_images(plan, node, POOLED, 2, pixels);
  fovea_plan_save_images(plan, node, FOVEA_ATTENTION_SCALE, 1, pixels);
  if (fovea_attention_is_fused(plan, node)) return;
  record_scale(plan, node);
  if (fovea_plan_fused(plan, node) >= 0) return;

  fovea_record *r = fovea_plan_record(plan, "spatial_attention.cl", "", "spatial_attention_apply");
  fovea_record_view(plan, r, "a", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "s", fovea_plan_saved(plan, node, FOVEA_ATTENTION_SCALE));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  finish(plan, r, n, 2);
}

/* A backward kernel's first arguments: what it makes dy of, dy itself or a fused normalization's g, statistics and
 * gamma. */
static void add_gradient(fovea_plan *plan, fovea_record *r, int node) {
  const int norm = fovea_plan_fused(plan, node);
  const fovea_view a = fovea_plan_input(plan, node, 0);
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "dy", fovea_plan_output_gradient(plan, norm < 0 ? node : norm));
  fovea_record_view(plan, r, "s", fovea_plan_saved(plan, node, FOVEA_ATTENTION_SCALE));
  fovea_record_view(plan, r, "stats", norm < 0 ? a : fovea_plan_saved(plan, norm, FOVEA_BATCHNORM_STATS));
  fovea_record_view(plan, r, "gamma", norm < 0 ? a : fovea_plan_parameter(plan, norm, FOVEA_BATCHNORM_GAMMA));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
}

static const char *normalized(const fovea_plan *plan, int node) {
  return fovea_plan_fused(plan, node) < 0 ? "" : "-DNORMALIZED=1";
}

static void record_weight_gradients(fovea_plan *plan, int node, fovea_view dt) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const fovea_conv_shape conv = conv_of(n);
  fovea_record_conv2d_backward_weight(plan, &conv, fovea_plan_saved(plan, node, POOLED), dt,
                                      fovea_plan_parameter_gradient(plan, node, WEIGHT));
  fovea_record_bias_backward(plan, 1, n->h, n->w, dt, fovea_plan_parameter_gradient(plan, node, BIAS));
}

/* The gradient by the input, and with it, where all is one launch, dt. */
static void record_input_gradient(fovea_plan *plan, int node, fovea_view dt, bool one_launch) {
  static const char file[] = "spatial_attention_backward.cl";
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view dpooled = fovea_plan_new_images(plan, 2, n->h * n->w);
  bool accumulate;
  fovea_view da = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  fovea_record *r = one_launch ? record_one_launch(plan, file, normalized(plan, node), 2, "spatial_attention_backward")
                               : record_with_convolution(plan, file, normalized(plan, node), 2, 1,
                                                         "spatial_attention_backward_input");
  add_gradient(plan, r, node);
  fovea_record_view(plan, r, "w", fovea_plan_parameter(plan, node, WEIGHT));
  fovea_record_view(plan, r, "pooled", fovea_plan_saved(plan, node, POOLED));
  fovea_record_view(plan, r, "dt", dt);
  fovea_record_view(plan, r, "dpooled", dpooled);
  fovea_record_view(plan, r, "da", da);
  finish_one_launch(plan, r, n, one_launch ? 5 : 3);
  fovea_record_int(r, "accumulate", accumulate);
  if (!one_launch) fovea_record_shared_range(plan, r, (size_t)(n->h * n->w), 1);
}

/* dt; and where the normalization leaves that to it, the statistics of its gradient. */
static void record_scale_gradient(fovea_plan *plan, int node, fovea_view dt) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int norm = fovea_plan_fused(plan, node), share = norm < 0 ? 0 : fovea_batchnorm_blocks_a_sum(plan, norm);
  fovea_record *r = share ? fovea_plan_record(plan, "spatial_attention.cl", "-DNORMALIZED=1 -DMERGED=1",
                                              "spatial_attention_merge_backward_scale")
                          : fovea_plan_record(plan, "spatial_attention.cl", normalized(plan, node),
                                              "spatial_attention_backward_scale");
  add_gradient(plan, r, node);
  if (share) {
    fovea_record_view(plan, r, "blocks", fovea_plan_saved(plan, norm, FOVEA_BATCHNORM_SUMS));
    fovea_record_view(plan, r, "dgamma", fovea_plan_parameter_gradient(plan, norm, FOVEA_BATCHNORM_GAMMA));
    fovea_record_view(plan, r, "dbeta", fovea_plan_parameter_gradient(plan, norm, FOVEA_BATCHNORM_BETA));
  }
  fovea_record_view(plan, r, "dt", dt);
  finish(plan, r, n, 2);
  if (share) fovea_record_int(r, "share", share);
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view dt = fovea_plan_new_images(plan, 1, n->h * n->w);
  const bool wants = fovea_plan_wants_gradient(plan, node, 0), one_launch = wants && is_one_launch(plan);
  if (one_launch) {
    record_input_gradient(plan, node, dt, true);
  } else {
    record_scale_gradient(plan, node, dt);
  }
  record_weight_gradients(plan, node, dt);
  if (wants && !one_launch) record_input_gradient(plan, node, dt, false);
}

FOVEA_OP(spatial_attention, .inputs = 1, .group = "attention", .infer = infer, .forward = forward, .backward = backward,
         .products = products);
