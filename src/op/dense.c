/* Dense layers: a convolution of images of one pixel, or CLBlast's product. */
#include <string.h>

#include "base/fail.h"
#include "op/conv2d/conv2d.h"
#include "op/reshape.h"

fovea_tensor fovea_add_dense(fovea_graph *graph, fovea_tensor x, const char *name, int units, bool bias) {
  return fovea_graph_add(graph, &fovea_op_dense, &(fovea_node){.inputs = {x}, .conv = {.filters = units, .bias = bias}},
                         name);
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  long long size = (long long)x->c * x->h * x->w;
  if (node->conv.filters < 1 || node->conv.filters > FOVEA_MAX_FILTERS || size > FOVEA_MAX_FILTERS)
    return fovea_fail(FOVEA_INVALID, "dense: %lld inputs to %d units, expected 1 to %d of each", size,
                      node->conv.filters, FOVEA_MAX_FILTERS);
  if (size * node->conv.filters > FOVEA_MAX_WEIGHTS)
    return fovea_fail(FOVEA_INVALID, "dense: %lld inputs to %d units are %lld weights, expected at most %d", size,
                      node->conv.filters, size * node->conv.filters, FOVEA_MAX_WEIGHTS);
  node->c = node->conv.filters, node->h = node->w = 1;
  fovea_conv_declare(node, 0, 1, 1, (int)size, node->c);
  node->parameters[0].rank = 2;
  if (x->h * x->w > 1) {
    int shape[3] = {x->c, x->h, x->w};
    memcpy(node->parameters[0].columns, shape, sizeof shape);
  }
  return FOVEA_OK;
}

static double products(const fovea_graph *graph, const fovea_node *y) {
  const fovea_node *x = &graph->nodes[y->inputs[0]];
  return (double)x->c * x->h * x->w * y->c;
}

static fovea_conv_shape shape_of(const fovea_plan *plan, int node) {
  const fovea_node *y = fovea_plan_node(plan, node), *x = fovea_plan_node(plan, y->inputs[0]);
  return (fovea_conv_shape){
      .c = x->c * x->h * x->w, .h = 1, .w = 1, .k = y->c, .oh = 1, .ow = 1, .kernel = 1, .stride = 1};
}

/* Those with a bias are small, and stay ours. */
static bool by_clblast(const fovea_plan *plan, int node) {
  return fovea_plan_clblast(plan) && !fovea_plan_node(plan, node)->conv.bias;
}

/* An image that a dense layer reads is made a vector first, and kept as one for backward. */
enum { FLAT = 0 };

static bool reads_image(const fovea_plan *plan, int node) {
  const fovea_node *x = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[0]);
  return x->h * x->w > 1;
}

static fovea_view flatten(fovea_plan *plan, int node) {
  const fovea_node *x = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[0]);
  const int pixels = x->h * x->w;
  fovea_view flat = fovea_plan_save(plan, node, FLAT, (size_t)(x->c * pixels) * (size_t)fovea_plan_batch(plan));
  fovea_record_reshape(plan, x->c, pixels, false, fovea_plan_input(plan, node, 0), flat, false);
  return flat;
}

static void forward(fovea_plan *plan, int node) {
  fovea_view bias;
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_view x = reads_image(plan, node) ? flatten(plan, node) : fovea_plan_input(plan, node, 0);
  const fovea_view w = fovea_plan_parameter(plan, node, 0), y = fovea_plan_output(plan, node);
  const size_t batch = (size_t)fovea_plan_batch(plan);
  if (by_clblast(plan, node))
    fovea_record_gemm(
        plan,
        &(fovea_gemm){.m = (size_t)s.k, .n = batch, .k = (size_t)s.c, .lda = (size_t)s.c, .ldb = batch, .ldc = batch},
        w, x, y);
  else
    fovea_record_conv2d(plan, &s, x, w, fovea_conv_epilogue(plan, node, &bias), y);
}

static void backward_by_clblast(fovea_plan *plan, int node, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                const fovea_view *dx, bool accumulate) {
  size_t batch = (size_t)fovea_plan_batch(plan), c = (size_t)s->c, k = (size_t)s->k;
  fovea_record_gemm(
      plan, &(fovea_gemm){.transpose_b = true, .m = k, .n = c, .k = batch, .lda = batch, .ldb = batch, .ldc = c}, dy, x,
      fovea_plan_parameter_gradient(plan, node, 0));
  if (!dx) return;
  fovea_record_gemm(plan,
                    &(fovea_gemm){.transpose_a = true,
                                  .m = c,
                                  .n = batch,
                                  .k = k,
                                  .lda = c,
                                  .ldb = batch,
                                  .ldc = batch,
                                  .beta = accumulate ? 1.0f : 0.0f},
                    fovea_plan_parameter(plan, node, 0), dy, *dx);
}

/* dw, and dx where that is not NULL. */
static void record_gradients(fovea_plan *plan, int node, fovea_view x, const fovea_view *dx, bool accumulate) {
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_view dy = fovea_plan_output_gradient(plan, node), w = fovea_plan_parameter(plan, node, 0);
  if (by_clblast(plan, node)) {
    backward_by_clblast(plan, node, &s, x, dy, dx, accumulate);
    return;
  }
  fovea_record_conv2d_backward_weight(plan, &s, x, dy, fovea_plan_parameter_gradient(plan, node, 0));
  if (dx) fovea_record_conv2d_backward_data(plan, &s, dy, w, (fovea_epilogue){.accumulate = accumulate}, *dx);
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *in = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[0]);
  const bool image = reads_image(plan, node), wanted = fovea_plan_wants_gradient(plan, node, 0);
  fovea_view x = image ? fovea_plan_saved(plan, node, FLAT) : fovea_plan_input(plan, node, 0), dx = {0};
  bool accumulate = false;
  fovea_conv_bias_backward(plan, node);
  if (wanted) dx = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  if (!image || !wanted) {
    record_gradients(plan, node, x, wanted ? &dx : NULL, accumulate);
    return;
  }
  const int pixels = in->h * in->w;
  fovea_view flat = fovea_plan_new(plan, (size_t)(in->c * pixels) * (size_t)fovea_plan_batch(plan));
  record_gradients(plan, node, x, &flat, false);
  fovea_record_reshape(plan, in->c, pixels, true, flat, dx, accumulate);
}

FOVEA_OP(dense, .inputs = 1, .group = "dense layers", .infer = infer, .forward = forward, .backward = backward,
         .products = products,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("units", INT, conv.filters, 7),
                                        FOVEA_ATTRIBUTE("bias", BOOL, conv.bias, 1)));
