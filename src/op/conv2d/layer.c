/* What the ops that are convolutions have in common. */
#include <stdio.h>

#include "base/fail.h"
#include "op/conv2d/bias.h"
#include "op/conv2d/conv2d.h"

enum { MAX_KERNEL = 15 };

fovea_status fovea_conv_check(const fovea_conv2d *conv, int channels) {
  if (conv->filters < 1 || conv->filters > FOVEA_MAX_FILTERS)
    return fovea_fail(FOVEA_INVALID, "conv2d: %d filters, expected 1 to %d", conv->filters, FOVEA_MAX_FILTERS);
  if (conv->kernel < 1 || conv->kernel > MAX_KERNEL || conv->kernel % 2 == 0)
    return fovea_fail(FOVEA_INVALID, "conv2d: kernel %d, expected an odd size up to %d", conv->kernel, MAX_KERNEL);
  if (conv->stride < 1 || conv->stride > 2)
    return fovea_fail(FOVEA_INVALID, "conv2d: stride %d, expected 1 or 2", conv->stride);
  if (!conv->same && (conv->padding < 0 || conv->padding >= conv->kernel))
    return fovea_fail(FOVEA_INVALID, "conv2d: padding %d, expected 0 to %d", conv->padding, conv->kernel - 1);
  if ((long long)channels * conv->filters * conv->kernel * conv->kernel > FOVEA_MAX_WEIGHTS)
    return fovea_fail(FOVEA_INVALID, "conv2d: %dx%dx%dx%d weights are more than %d", conv->filters, channels,
                      conv->kernel, conv->kernel, FOVEA_MAX_WEIGHTS);
  return FOVEA_OK;
}

void fovea_conv_declare(fovea_node *node, int out_axis, int in_axis, int kernel, int channels, int filters) {
  fovea_parameter_spec *w = &node->parameters[node->parameter_count++];
  snprintf(w->name, sizeof w->name, "%s.weight", node->name);
  w->rank = 4;
  w->dims[out_axis] = filters, w->dims[in_axis] = channels, w->dims[2] = w->dims[3] = kernel;
  w->trainable = true;
  w->initial = FOVEA_GLOROT;
  w->fan_in = (double)channels * kernel * kernel, w->fan_out = (double)filters * kernel * kernel;
  if (!node->conv.bias) return;
  fovea_parameter_spec *b = &node->parameters[node->parameter_count++];
  snprintf(b->name, sizeof b->name, "%s.bias", node->name);
  b->rank = 1, b->dims[0] = filters, b->trainable = true, b->initial = FOVEA_ZEROS;
}

fovea_conv_shape fovea_conv_shape_between(const fovea_node *y, const fovea_node *larger, const fovea_node *smaller) {
  return (fovea_conv_shape){.c = larger->c,
                            .h = larger->h,
                            .w = larger->w,
                            .k = smaller->c,
                            .oh = smaller->h,
                            .ow = smaller->w,
                            .kernel = y->conv.kernel,
                            .stride = y->conv.stride,
                            .top = y->top,
                            .left = y->left};
}

double fovea_conv_products(const fovea_node *y, const fovea_node *larger, const fovea_node *smaller) {
  return (double)y->conv.kernel * y->conv.kernel * larger->c * ((double)smaller->c * smaller->h * smaller->w);
}

fovea_epilogue fovea_conv_epilogue(const fovea_plan *plan, int node, fovea_view *bias) {
  const int activation = fovea_plan_fused(plan, node);
  *bias = fovea_plan_parameter(plan, node, 1);
  return (fovea_epilogue){.bias = fovea_plan_node(plan, node)->conv.bias ? bias : NULL,
                          .activation = activation < 0 ? FOVEA_LINEAR : fovea_plan_node(plan, activation)->activation};
}

fovea_view fovea_conv_output(const fovea_plan *plan, int node) {
  const int activation = fovea_plan_fused(plan, node);
  return fovea_plan_output(plan, activation < 0 ? node : activation);
}

void fovea_conv_bias_backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  if (!n->conv.bias) return;
  fovea_record_bias_backward(plan, n->c, n->h, n->w, fovea_plan_output_gradient(plan, node),
                             fovea_plan_parameter_gradient(plan, node, 1));
}
