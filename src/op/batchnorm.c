/* Batch normalization with the dropout and activation fused into it (cl/batchnorm.cl, cl/batchnorm_statistics.cl). */
#include <stdio.h>

#include "base/fail.h"
#include "op/batchnorm_sums.h"
#include "op/conv2d/batch_sum.h"
#include "op/pointwise.h"
#include "op/spatial_attention.h"

enum { GAMMA = FOVEA_BATCHNORM_GAMMA, BETA = FOVEA_BATCHNORM_BETA, MEAN, VARIANCE, STATS = FOVEA_BATCHNORM_STATS };

fovea_tensor fovea_add_batchnorm(fovea_graph *graph, fovea_tensor x, const char *name, float momentum, float epsilon) {
  return fovea_graph_add(graph, &fovea_op_batchnorm,
                         &(fovea_node){.inputs = {x}, .momentum = momentum, .epsilon = epsilon}, name);
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  static const struct {
    const char *name;
    bool trainable;
    fovea_initial initial;
  } specs[] = {{"weight", true, FOVEA_ONES},
               {"bias", true, FOVEA_ZEROS},
               {"running_mean", false, FOVEA_ZEROS},
               {"running_var", false, FOVEA_ONES}};
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  if (!(node->momentum >= 0.0f && node->momentum < 1.0f))
    return fovea_fail(FOVEA_INVALID, "batchnorm: momentum %g, expected at least 0 and below 1", (double)node->momentum);
  if (!(node->epsilon > 0.0f && node->epsilon < 1.0f))
    return fovea_fail(FOVEA_INVALID, "batchnorm: epsilon %g, expected above 0 and below 1", (double)node->epsilon);
  node->c = x->c, node->h = x->h, node->w = x->w;
  for (int i = 0; i < 4; i++) {
    fovea_parameter_spec *p = &node->parameters[node->parameter_count++];
    snprintf(p->name, sizeof p->name, "%s.%s", node->name, specs[i].name);
    p->rank = 1, p->dims[0] = x->c;
    p->trainable = specs[i].trainable, p->initial = specs[i].initial;
  }
  return FOVEA_OK;
}

static double tensor_bytes(const fovea_plan *plan, const fovea_node *n) {
  return 4.0 * n->c * n->h * n->w * fovea_plan_batch(plan);
}

/* A kernel of batchnorm.cl if `pointwise`, else of batchnorm_statistics.cl; SCALED only if it says so. */
static fovea_record *record_kernel(fovea_plan *plan, int node, bool scaled, bool pointwise, const char *kernel) {
  char options[24 + FOVEA_POINTWISE_OPTIONS];
  const int length = snprintf(options, sizeof options, "-DSCALED=%d%s", scaled, pointwise ? " " : "");
  if (pointwise) fovea_pointwise_options(plan, fovea_plan_pointwise(plan, node), options + length);
  return fovea_plan_record(plan, pointwise ? "batchnorm.cl" : "batchnorm_statistics.cl", options, kernel);
}

/* One with its input: x, or what a fused attention makes it of. */
static fovea_record *record_with_input(fovea_plan *plan, int node, bool pointwise, const char *kernel) {
  const int attention = fovea_plan_fused(plan, node);
  fovea_view x = fovea_plan_input(plan, attention < 0 ? node : attention, 0);
  fovea_record *r = record_kernel(plan, node, attention >= 0, pointwise, kernel);
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "s", attention < 0 ? x : fovea_plan_saved(plan, attention, FOVEA_ATTENTION_SCALE));
  return r;
}

static void record_moments(fovea_plan *plan, int node, const fovea_batch_sum *sum, fovea_view blocks) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record *r = record_with_input(plan, node, false, "batchnorm_moments");
  fovea_record_view(plan, r, "blocks", blocks);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_int(r, "rows", sum->rows);
  fovea_record_int(r, "share", sum->share);
  fovea_record_batch_sum(plan, r, sum, 1, (size_t)n->c);
  fovea_record_cost(r, 0, tensor_bytes(plan, n));
}

/* What batchnorm_statistics and its gradient's have in the end. */
static void finish_statistics(fovea_plan *plan, fovea_record *r, const fovea_node *n, const fovea_batch_sum *sum) {
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_int(r, "share", sum->share);
  fovea_record_batch_tree(plan, r, (size_t)n->c);
  fovea_record_cost(r, 0, 8.0 * n->c * fovea_plan_batch(plan) / 16);
}

static size_t rounded_up(int floats) { return ((size_t)floats + 15) / 16 * 16; }

/* A kernel of ranks.cl that reads what each rank has at `own`, a work-item a channel. */
static fovea_record *record_of_all(fovea_plan *plan, const char *kernel, fovea_view own, size_t size) {
  const fovea_view all = fovea_record_meeting(plan, own, size);
  fovea_record *r = fovea_plan_record(plan, "ranks.cl", "", kernel);
  fovea_record_view(plan, r, "all", all);
  fovea_record_buffer(plan, r, "merges", fovea_plan_merges(plan));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  return r;
}

static void finish_of_all(fovea_plan *plan, fovea_record *r, const fovea_node *n, size_t size) {
  fovea_record_int(r, "ranks", fovea_plan_ranks(plan));
  fovea_record_int(r, "size", (int)size);
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_range(r, (size_t)n->c, 1, 1);
}

/* The attention whose launch this normalization records, fused with it, or -1. */
static int fused_attention(const fovea_plan *plan, int node) {
  const int attention = fovea_plan_fused(plan, node);
  return attention >= 0 && fovea_attention_is_fused(plan, attention) ? attention : -1;
}

/* The last arguments of what makes statistics, before the shape. */
static void record_statistics_arguments(fovea_plan *plan, fovea_record *r, int node, fovea_view blocks,
                                        fovea_view stats) {
  fovea_record_view(plan, r, "blocks", blocks);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "stats", stats);
  fovea_record_view(plan, r, "mean", fovea_plan_parameter(plan, node, MEAN));
  fovea_record_view(plan, r, "var", fovea_plan_parameter(plan, node, VARIANCE));
}

/* The moments of this rank's images, then of those of all ranks. */
static void record_statistics_of_all(fovea_plan *plan, int node, const fovea_batch_sum *sum, fovea_view blocks,
                                     fovea_view stats) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const size_t size = rounded_up(2 * n->c);
  const fovea_view own = fovea_plan_new(plan, size);
  fovea_record *r = fovea_plan_record(plan, "ranks.cl", "", "ranks_moments");
  fovea_record_view(plan, r, "blocks", blocks);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "own", own);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_int(r, "share", sum->share);
  fovea_record_batch_tree(plan, r, (size_t)n->c);

  r = record_of_all(plan, "ranks_statistics", own, size);
  fovea_record_view(plan, r, "stats", stats);
  fovea_record_view(plan, r, "mean", fovea_plan_parameter(plan, node, MEAN));
  fovea_record_view(plan, r, "var", fovea_plan_parameter(plan, node, VARIANCE));
  finish_of_all(plan, r, n, size);
  fovea_record_float(r, "epsilon", n->epsilon);
  fovea_record_float(r, "momentum", n->momentum);
}

static void record_statistics(fovea_plan *plan, int node, fovea_view stats) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int attention = fused_attention(plan, node);
  fovea_batch_sum sum = fovea_batchnorm_division(plan, n, 1);
  const fovea_view blocks = fovea_batch_sum_new(plan, n->c, 2);
  if (attention >= 0)
    fovea_record_measured_attention(plan, attention, blocks), sum = (fovea_batch_sum){.share = 1};
  else
    record_moments(plan, node, &sum, blocks);
  if (fovea_plan_shares_statistics(plan)) {
    record_statistics_of_all(plan, node, &sum, blocks, stats);
    return;
  }
  fovea_record *r = record_kernel(plan, node, false, false, "batchnorm_statistics");
  record_statistics_arguments(plan, r, node, blocks, stats);
  finish_statistics(plan, r, n, &sum);
  fovea_record_float(r, "epsilon", n->epsilon);
  fovea_record_float(r, "momentum", n->momentum);
}

/* Whether a training's forward pass is one launch. */
static bool is_whole(const fovea_plan *plan, int node) {
  return fovea_plan_training(plan) && !fovea_plan_shares_statistics(plan) && fused_attention(plan, node) < 0 &&
         fovea_batchnorm_division(plan, fovea_plan_node(plan, node), 1).whole;
}

static void record_affine(fovea_plan *plan, fovea_record *r, int node) {
  fovea_record_view(plan, r, "gamma", fovea_plan_parameter(plan, node, GAMMA));
  fovea_record_view(plan, r, "beta", fovea_plan_parameter(plan, node, BETA));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
}

static void record_whole(fovea_plan *plan, int node, fovea_view stats) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const fovea_batch_sum sum = fovea_batchnorm_division(plan, n, 1);
  fovea_record *r = record_with_input(plan, node, true, "batchnorm_forward");
  record_statistics_arguments(plan, r, node, fovea_batch_sum_new(plan, n->c, 2), stats);
  record_affine(plan, r, node);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_pointwise_arguments(plan, r, fovea_plan_pointwise(plan, node));
  fovea_record_int(r, "rows", sum.rows);
  fovea_record_float(r, "epsilon", n->epsilon);
  fovea_record_float(r, "momentum", n->momentum);
  fovea_record_batch_sum(plan, r, &sum, 1, (size_t)n->c);
  fovea_record_cost(r, 0, 2 * tensor_bytes(plan, n));
}

static void record_moving(fovea_plan *plan, int node, fovea_view stats) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record *r = record_kernel(plan, node, false, false, "batchnorm_moving");
  fovea_record_view(plan, r, "mean", fovea_plan_parameter(plan, node, MEAN));
  fovea_record_view(plan, r, "var", fovea_plan_parameter(plan, node, VARIANCE));
  fovea_record_view(plan, r, "stats", stats);
  fovea_record_int(r, "c", n->c);
  fovea_record_float(r, "epsilon", n->epsilon);
  fovea_record_range(r, (size_t)n->c, 1, 1);
  fovea_record_prepacks_weights(plan, r);
  fovea_record_cost(r, 0, 16.0 * n->c);
}

/* Moments of a few parts of the batch, and what merges and applies them. */
static void record_merged(fovea_plan *plan, int node, fovea_view stats) {
  enum { QUADS = 4 }; /* a work-item, which merges them first */
  const fovea_node *n = fovea_plan_node(plan, node);
  const fovea_batch_sum sum = fovea_batch_sum_in_few_parts(plan, fovea_batchnorm_division(plan, n, 1));
  const fovea_view blocks = fovea_batch_sum_new(plan, n->c, 2);
  record_moments(plan, node, &sum, blocks);
  fovea_record *r = record_with_input(plan, node, true, "batchnorm_merge_apply");
  record_statistics_arguments(plan, r, node, blocks, stats);
  record_affine(plan, r, node);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_pointwise_arguments(plan, r, fovea_plan_pointwise(plan, node));
  fovea_record_int(r, "share", sum.share);
  fovea_record_float(r, "epsilon", n->epsilon);
  fovea_record_float(r, "momentum", n->momentum);
  fovea_record_batch_range(plan, r, (size_t)(n->h * n->w + 4 * QUADS - 1) / (4 * QUADS), (size_t)n->c);
  fovea_record_cost(r, 0, 2 * tensor_bytes(plan, n));
}

/* A training's, in two launches or one; false: it is made otherwise. */
static bool record_together(fovea_plan *plan, int node, fovea_view stats) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const fovea_batch_sum sum = fovea_batchnorm_division(plan, n, 1);
  const bool merged = fovea_plan_training(plan) && fovea_batchnorm_is_merged(plan, n, &sum);
  if (is_whole(plan, node)) record_whole(plan, node, stats);
  if (merged) record_merged(plan, node, stats);
  return merged || is_whole(plan, node);
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view stats = fovea_plan_save(plan, node, STATS, 4 * (size_t)n->c);
  if (record_together(plan, node, stats)) return;
  if (fovea_plan_training(plan))
    record_statistics(plan, node, stats);
  else
    record_moving(plan, node, stats);
  const int attention = fused_attention(plan, node);
  if (attention >= 0 && !fovea_plan_training(plan)) {
    fovea_record_normalized_attention(plan, attention, stats);
    return;
  }
  fovea_record *r = record_with_input(plan, node, true, "batchnorm_apply");
  fovea_record_view(plan, r, "stats", stats);
  fovea_record_view(plan, r, "gamma", fovea_plan_parameter(plan, node, GAMMA));
  fovea_record_view(plan, r, "beta", fovea_plan_parameter(plan, node, BETA));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_pointwise_arguments(plan, r, fovea_plan_pointwise(plan, node));
  fovea_record_shared_range(plan, r, (size_t)(n->h * n->w + 3) / 4, (size_t)n->c);
  fovea_record_cost(r, 0, 2 * tensor_bytes(plan, n));
}

/* A kernel that makes g of dy, with what it reads and is given of the fused ops in the end. */
static fovea_record *record_with_gradient(fovea_plan *plan, int node, const char *kernel) {
  fovea_record *r = record_with_input(plan, node, true, kernel);
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  fovea_record_view(plan, r, "dy", fovea_plan_output_gradient(plan, node));
  fovea_record_view(plan, r, "stats", fovea_plan_saved(plan, node, STATS));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  return r;
}

static void finish_with_gradient(fovea_plan *plan, fovea_record *r, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_pointwise_arguments(plan, r, fovea_plan_pointwise(plan, node));
  fovea_record_cost(r, 0, 4 * tensor_bytes(plan, n));
}

static void record_parameter_gradients(fovea_plan *plan, fovea_record *r, int node) {
  fovea_record_view(plan, r, "dgamma", fovea_plan_parameter_gradient(plan, node, GAMMA));
  fovea_record_view(plan, r, "dbeta", fovea_plan_parameter_gradient(plan, node, BETA));
}

/* From the parameters' gradients by the images of each rank, gamma's and after it beta's. */
static void record_backward_statistics_of_all(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const size_t size = 2 * rounded_up(n->c);
  fovea_record *r =
      record_of_all(plan, "ranks_backward_statistics", fovea_plan_parameter_gradient(plan, node, GAMMA), size);
  fovea_record_view(plan, r, "stats", fovea_plan_saved(plan, node, STATS));
  finish_of_all(plan, r, n, size);
}

/* Without the statistics where the attention that is fused makes them. */
static void record_backward_sums(fovea_plan *plan, int node, fovea_batch_sum sum) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int merged = fovea_batchnorm_blocks_a_sum(plan, node);
  const fovea_view blocks =
      merged ? fovea_plan_save(plan, node, FOVEA_BATCHNORM_SUMS, (size_t)n->c * (size_t)fovea_plan_batch(plan) / 8)
             : fovea_batch_sum_new(plan, n->c, 2);
  if (merged) sum.share = merged;
  fovea_record *r = record_with_gradient(plan, node, "batchnorm_backward_sums");
  fovea_record_view(plan, r, "blocks", blocks);
  finish_with_gradient(plan, r, node);
  fovea_record_int(r, "rows", sum.rows);
  fovea_record_int(r, "share", sum.share);
  fovea_record_batch_sum(plan, r, &sum, 1, (size_t)n->c);
  if (merged) return;

  r = record_kernel(plan, node, false, false, "batchnorm_backward_statistics");
  fovea_record_view(plan, r, "blocks", blocks);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "stats", fovea_plan_saved(plan, node, STATS));
  record_parameter_gradients(plan, r, node);
  finish_statistics(plan, r, n, &sum);
  if (fovea_plan_shares_statistics(plan)) record_backward_statistics_of_all(plan, node);
}

/* dx NULL: not wanted, or made by the attention that is fused with it. */
static void record_whole_backward(fovea_plan *plan, int node, const fovea_batch_sum *sum, const fovea_view *dx,
                                  bool accumulate) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record *r = record_with_gradient(plan, node, "batchnorm_backward");
  fovea_record_view(plan, r, "blocks", fovea_batch_sum_new(plan, n->c, 2));
  record_parameter_gradients(plan, r, node);
  fovea_record_view(plan, r, "gamma", fovea_plan_parameter(plan, node, GAMMA));
  fovea_record_view(plan, r, "dx", dx ? *dx : fovea_plan_output_gradient(plan, node));
  finish_with_gradient(plan, r, node);
  fovea_record_int(r, "rows", sum->rows);
  fovea_record_int(r, "applies", dx != NULL);
  fovea_record_int(r, "accumulate", accumulate);
  fovea_record_batch_sum(plan, r, sum, 1, (size_t)n->c);
}

static void record_backward_apply(fovea_plan *plan, int node, fovea_view dx, bool accumulate) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record *r = record_kernel(plan, node, false, true, "batchnorm_backward_apply");
  fovea_record_view(plan, r, "x", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "g", fovea_plan_output_gradient(plan, node));
  fovea_record_view(plan, r, "stats", fovea_plan_saved(plan, node, STATS));
  fovea_record_view(plan, r, "gamma", fovea_plan_parameter(plan, node, GAMMA));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "dx", dx);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_int(r, "accumulate", accumulate);
  fovea_record_shared_range(plan, r, (size_t)(n->h * n->w), (size_t)n->c);
  fovea_record_cost(r, 0, 3 * tensor_bytes(plan, n));
}

static void backward(fovea_plan *plan, int node) {
  const fovea_batch_sum sum = fovea_batchnorm_division(plan, fovea_plan_node(plan, node), 4);
  const bool wants = fovea_plan_wants_gradient(plan, node, 0), applies = wants && fovea_plan_fused(plan, node) < 0;
  bool accumulate = false;
  const fovea_view dx = wants ? fovea_plan_input_gradient(plan, node, 0, &accumulate) : (fovea_view){0};
  if (sum.whole && !fovea_plan_shares_statistics(plan)) {
    record_whole_backward(plan, node, &sum, applies ? &dx : NULL, accumulate);
    return;
  }
  record_backward_sums(plan, node, sum);
  if (applies) record_backward_apply(plan, node, dx, accumulate);
}

FOVEA_OP(batchnorm, .inputs = 1, .group = "batch normalization", .infer = infer, .forward = forward,
         .backward = backward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("momentum", FLOAT, momentum, 0.9),
                                        FOVEA_ATTRIBUTE("epsilon", FLOAT, epsilon, 1e-3)));
