/* Convolution (cl/conv2d.cl and its kin: src/op/conv2d). */
#include "op/conv2d/conv2d.h"

#include "base/fail.h"

fovea_tensor fovea_add_conv2d(fovea_graph *graph, fovea_tensor x, const char *name, const fovea_conv2d *conv) {
  if (!conv) return fovea_graph_refuse_null(graph, "conv2d", "conv");
  return fovea_graph_add(graph, &fovea_op_conv2d, &(fovea_node){.inputs = {x}, .conv = *conv}, name);
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const fovea_conv2d *conv = &node->conv;
  fovea_status status = fovea_conv_check(conv, x->c);
  if (status != FOVEA_OK) return status;
  if (conv->same) {
    node->h = (x->h + conv->stride - 1) / conv->stride, node->w = (x->w + conv->stride - 1) / conv->stride;
    node->top = fovea_same_padding(x->h, conv->kernel, conv->stride);
    node->left = fovea_same_padding(x->w, conv->kernel, conv->stride);
  } else {
    int h = x->h + 2 * conv->padding - conv->kernel, w = x->w + 2 * conv->padding - conv->kernel;
    if (h < 0 || w < 0)
      return fovea_fail(FOVEA_INVALID, "conv2d: an image of %dx%d is smaller than the kernel of %d", x->h, x->w,
                        conv->kernel);
    node->h = h / conv->stride + 1, node->w = w / conv->stride + 1;
    node->top = node->left = conv->padding;
  }
  node->c = conv->filters;
  fovea_conv_declare(node, 0, 1, conv->kernel, x->c, conv->filters);
  return FOVEA_OK;
}

static double products(const fovea_graph *graph, const fovea_node *y) {
  const fovea_node *x = &graph->nodes[y->inputs[0]];
  return fovea_conv_products(y, x, y);
}

static fovea_conv_shape shape_of(const fovea_plan *plan, int node) {
  const fovea_node *y = fovea_plan_node(plan, node), *x = fovea_plan_node(plan, y->inputs[0]);
  return fovea_conv_shape_between(y, x, y);
}

static void forward(fovea_plan *plan, int node) {
  fovea_view bias;
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_epilogue epilogue = fovea_conv_epilogue(plan, node, &bias);
  fovea_record_conv2d(plan, &s, fovea_plan_input(plan, node, 0), fovea_plan_parameter(plan, node, 0), epilogue,
                      fovea_conv_output(plan, node));
}

static void backward(fovea_plan *plan, int node) {
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_view x = fovea_plan_input(plan, node, 0), dy = fovea_plan_output_gradient(plan, node);
  const bool wanted = fovea_plan_wants_gradient(plan, node, 0);
  fovea_epilogue epilogue = {0};
  fovea_view dx = {0};
  fovea_conv_bias_backward(plan, node);
  if (wanted) dx = fovea_plan_input_gradient(plan, node, 0, &epilogue.accumulate);
  fovea_record_conv2d_backward_weight(plan, &s, x, dy, fovea_plan_parameter_gradient(plan, node, 0));
  if (wanted) fovea_record_conv2d_backward_data(plan, &s, dy, fovea_plan_parameter(plan, node, 0), epilogue, dx);
}

FOVEA_OP(conv2d, .inputs = 1, .group = "convolution", .infer = infer, .forward = forward, .backward = backward,
         .products = products,
         .attributes = FOVEA_ATTRIBUTES(
             FOVEA_ATTRIBUTE("filters", INT, conv.filters, 7), FOVEA_ATTRIBUTE("kernel", INT, conv.kernel, 3),
             FOVEA_ATTRIBUTE("stride", INT, conv.stride, 1), FOVEA_ATTRIBUTE("bias", BOOL, conv.bias, 1),
             FOVEA_ATTRIBUTE("same", BOOL, conv.same, 1), FOVEA_ATTRIBUTE("padding", INT, conv.padding, 0)));
