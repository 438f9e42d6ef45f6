/* Transposed convolution: the gradient of a convolution by its input as a forward pass (cl/conv2d_transpose.cl). */
#include "base/fail.h"
#include "op/conv2d/conv2d.h"

enum { MAX_SIDE = 4096 };

fovea_tensor fovea_add_conv2d_transpose(fovea_graph *graph, fovea_tensor x, const char *name,
                                        const fovea_conv2d *conv) {
  if (!conv) return fovea_graph_refuse_null(graph, "conv2d_transpose", "conv");
  return fovea_graph_add(graph, &fovea_op_conv2d_transpose, &(fovea_node){.inputs = {x}, .conv = *conv}, name);
}

fovea_tensor fovea_add_conv2d_transpose_sized(fovea_graph *graph, fovea_tensor x, const char *name,
                                              const fovea_conv2d *conv, int out_height, int out_width) {
  if (!graph || !name || !conv) return fovea_graph_refuse_null(graph, "conv2d_transpose_sized", name ? "conv" : "name");
  const fovea_node asked = {.inputs = {x}, .conv = *conv, .out_h = out_height, .out_w = out_width};
  return fovea_graph_add(graph, &fovea_op_conv2d_transpose, &asked, name);
}

static bool comes_from(int out, int side, int stride) { return out > (side - 1) * stride && out <= side * stride; }

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const fovea_conv2d *conv = &node->conv;
  fovea_status status = fovea_conv_check(conv, x->c);
  if (status != FOVEA_OK) return status;
  if (!conv->same)
    return fovea_fail(FOVEA_INVALID, "conv2d_transpose: `same` is false, and only 'same' padding is there");
  if (x->h * conv->stride > MAX_SIDE || x->w * conv->stride > MAX_SIDE)
    return fovea_fail(FOVEA_INVALID, "conv2d_transpose: %dx%d times %d is more than %d pixels a side", x->h, x->w,
                      conv->stride, MAX_SIDE);
  node->c = conv->filters;
  node->h = node->out_h ? node->out_h : x->h * conv->stride;
  node->w = node->out_w ? node->out_w : x->w * conv->stride;
  if (!comes_from(node->h, x->h, conv->stride) || !comes_from(node->w, x->w, conv->stride))
    return fovea_fail(FOVEA_INVALID,
                      "conv2d_transpose: a result of %dx%d, of which a convolution of stride %d does not make %dx%d",
                      node->h, node->w, conv->stride, x->h, x->w);
  node->top = fovea_same_padding(node->h, conv->kernel, conv->stride);
  node->left = fovea_same_padding(node->w, conv->kernel, conv->stride);
  fovea_conv_declare(node, 1, 0, conv->kernel, x->c, conv->filters);
  return FOVEA_OK;
}

static double products(const fovea_graph *graph, const fovea_node *y) {
  const fovea_node *x = &graph->nodes[y->inputs[0]];
  return fovea_conv_products(y, y, x);
}

/* The convolution whose gradient it is: from y, the larger image, to x. */
static fovea_conv_shape shape_of(const fovea_plan *plan, int node) {
  const fovea_node *y = fovea_plan_node(plan, node), *x = fovea_plan_node(plan, y->inputs[0]);
  return fovea_conv_shape_between(y, y, x);
}

static void forward(fovea_plan *plan, int node) {
  fovea_view bias;
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_epilogue epilogue = fovea_conv_epilogue(plan, node, &bias);
  fovea_record_conv2d_backward_data(plan, &s, fovea_plan_input(plan, node, 0), fovea_plan_parameter(plan, node, 0),
                                    epilogue, fovea_conv_output(plan, node));
}

static void backward(fovea_plan *plan, int node) {
  const fovea_conv_shape s = shape_of(plan, node);
  const fovea_view x = fovea_plan_input(plan, node, 0), dy = fovea_plan_output_gradient(plan, node);
  const bool wanted = fovea_plan_wants_gradient(plan, node, 0);
  fovea_epilogue epilogue = {0};
  fovea_view dx = {0};
  fovea_conv_bias_backward(plan, node);
  if (wanted) dx = fovea_plan_input_gradient(plan, node, 0, &epilogue.accumulate);
  fovea_record_conv2d_backward_weight(plan, &s, dy, x, fovea_plan_parameter_gradient(plan, node, 0));
  if (wanted) fovea_record_conv2d(plan, &s, dy, fovea_plan_parameter(plan, node, 0), epilogue, dx);
}

FOVEA_OP(conv2d_transpose, .inputs = 1, .group = "transposed convolution", .infer = infer, .forward = forward,
         .backward = backward, .products = products,
         .attributes = FOVEA_ATTRIBUTES(
             FOVEA_ATTRIBUTE("filters", INT, conv.filters, 7), FOVEA_ATTRIBUTE("kernel", INT, conv.kernel, 3),
             FOVEA_ATTRIBUTE("stride", INT, conv.stride, 2), FOVEA_ATTRIBUTE("bias", BOOL, conv.bias, 1),
             FOVEA_ATTRIBUTE("same", BOOL, conv.same, 1), FOVEA_ATTRIBUTE("padding", INT, conv.padding, 0),
             FOVEA_ATTRIBUTE("out_height", OPTIONAL_INT, out_h, 0),
             FOVEA_ATTRIBUTE("out_width", OPTIONAL_INT, out_w, 0)));
