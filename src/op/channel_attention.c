/* Channel attention of CBAM: cl/channel_attention.cl around a two-layer perceptron, which is 1x1 convolutions over the
 * two descriptors as the two pixels of an image. */
#include <stdio.h>

#include "base/fail.h"
#include "op/conv2d/bias.h"
#include "op/conv2d/conv2d.h"
#include "op/pointwise.h"

enum { REDUCTION = 16, FC1 = 0, BIAS1 = 1, FC2 = 2, BIAS2 = 3, Q = 0, HIDDEN = 1, SCALE = 2 };

static int hidden_units(int channels) { return channels > REDUCTION ? channels / REDUCTION : 1; }

fovea_tensor fovea_add_channel_attention(fovea_graph *graph, fovea_tensor x, const char *name) {
  return fovea_graph_add_within(graph, &fovea_op_channel_attention, &(fovea_node){.inputs = {x}}, name, "channel");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  static const char *const names[] = {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"};
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  node->c = x->c, node->h = x->h, node->w = x->w;
  int hidden = hidden_units(x->c);
  for (int i = 0; i < 4; i++) {
    int out = i < 2 ? hidden : x->c, in = i < 2 ? x->c : hidden;
    fovea_parameter_spec *p = &node->parameters[node->parameter_count++];
    *p = (fovea_parameter_spec){.rank = i % 2 ? 1 : 2,
                                .dims = {out, i % 2 ? 0 : in},
                                .trainable = true,
                                .initial = i % 2 ? FOVEA_ZEROS : FOVEA_GLOROT,
                                .fan_in = in,
                                .fan_out = out};
    snprintf(p->name, sizeof p->name, "%s.%s", node->name, names[i]);
  }
  return FOVEA_OK;
}

/* Of two descriptors. */
static double products(const fovea_graph *graph, const fovea_node *node) {
  (void)graph;
  return 4.0 * hidden_units(node->c) * node->c;
}

static fovea_conv_shape layer(int in, int out) {
  return (fovea_conv_shape){.c = in, .h = 1, .w = 2, .k = out, .oh = 1, .ow = 2, .kernel = 1, .stride = 1};
}

static void finish(fovea_plan *plan, fovea_record *r, const fovea_node *n, double tensors) {
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_batch_range(plan, r, (size_t)n->c, 1);
  fovea_record_cost(r, 0, 4.0 * tensors * n->c * n->h * n->w * fovea_plan_batch(plan));
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  size_t batch = (size_t)fovea_plan_batch(plan), c = (size_t)n->c;
  int hidden = hidden_units(n->c);
  fovea_view a = fovea_plan_input(plan, node, 0), q = fovea_plan_save(plan, node, Q, 2 * c * batch);
  fovea_view h = fovea_plan_save(plan, node, HIDDEN, 2 * (size_t)hidden * batch);
  fovea_view o = fovea_plan_new(plan, 2 * c * batch);
  fovea_view b1 = fovea_plan_parameter(plan, node, BIAS1), b2 = fovea_plan_parameter(plan, node, BIAS2);

  fovea_record *r = fovea_plan_record(plan, "channel_attention.cl", "", "channel_attention_pool");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "q", q);
  finish(plan, r, n, 1);

  fovea_conv_shape first = layer(n->c, hidden), second = layer(hidden, n->c);
  const fovea_epilogue relu = {.bias = &b1, .activation = FOVEA_RELU}, linear = {.bias = &b2};
  fovea_record_conv2d(plan, &first, q, fovea_plan_parameter(plan, node, FC1), relu, h);
  fovea_record_conv2d(plan, &second, h, fovea_plan_parameter(plan, node, FC2), linear, o);

  r = fovea_plan_record(plan, "channel_attention.cl", "", "channel_attention_apply");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "o", o);
  fovea_record_view(plan, r, "s", fovea_plan_save(plan, node, SCALE, c * batch));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  finish(plan, r, n, 2);
}

/* From do to dq, with the parameters' gradients on the way. */
static void backward_mlp(fovea_plan *plan, int node, fovea_view d_o, fovea_view dq) {
  static const fovea_pointwise relu = {.activation = FOVEA_RELU};
  const fovea_node *n = fovea_plan_node(plan, node);
  int hidden = hidden_units(n->c);
  fovea_conv_shape first = layer(n->c, hidden), second = layer(hidden, n->c);
  fovea_view h = fovea_plan_saved(plan, node, HIDDEN);
  fovea_view dh = fovea_plan_new(plan, 2 * (size_t)hidden * (size_t)fovea_plan_batch(plan));
  fovea_record_conv2d_backward_weight(plan, &second, h, d_o, fovea_plan_parameter_gradient(plan, node, FC2));
  fovea_record_bias_backward(plan, n->c, 1, 2, d_o, fovea_plan_parameter_gradient(plan, node, BIAS2));
  fovea_record_conv2d_backward_data(plan, &second, d_o, fovea_plan_parameter(plan, node, FC2), (fovea_epilogue){0}, dh);
  fovea_record_activation_backward(plan, &relu, hidden, 2, h, dh, dh, false);
  fovea_record_conv2d_backward_weight(plan, &first, fovea_plan_saved(plan, node, Q), dh,
                                      fovea_plan_parameter_gradient(plan, node, FC1));
  fovea_record_bias_backward(plan, hidden, 1, 2, dh, fovea_plan_parameter_gradient(plan, node, BIAS1));
  fovea_record_conv2d_backward_data(plan, &first, dh, fovea_plan_parameter(plan, node, FC1), (fovea_epilogue){0}, dq);
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  size_t size = 2 * (size_t)n->c * (size_t)fovea_plan_batch(plan);
  fovea_view a = fovea_plan_input(plan, node, 0), dy = fovea_plan_output_gradient(plan, node);
  fovea_view scale = fovea_plan_saved(plan, node, SCALE);
  fovea_view d_o = fovea_plan_new(plan, size), dq = fovea_plan_new(plan, size);

  fovea_record *r = fovea_plan_record(plan, "channel_attention.cl", "", "channel_attention_backward_scale");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "s", scale);
  fovea_record_view(plan, r, "do", d_o);
  finish(plan, r, n, 2);
  backward_mlp(plan, node, d_o, dq);
  if (!fovea_plan_wants_gradient(plan, node, 0)) return;

  bool accumulate;
  fovea_view da = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  r = fovea_plan_record(plan, "channel_attention.cl", "", "channel_attention_backward_apply");
  fovea_record_view(plan, r, "a", a);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "s", scale);
  fovea_record_view(plan, r, "q", fovea_plan_saved(plan, node, Q));
  fovea_record_view(plan, r, "dq", dq);
  fovea_record_view(plan, r, "da", da);
  finish(plan, r, n, 3);
  fovea_record_int(r, "accumulate", accumulate);
}

FOVEA_OP(channel_attention, .inputs = 1, .group = "attention", .infer = infer, .forward = forward, .backward = backward,
         .products = products);
