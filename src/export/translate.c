/* The ops as ONNX's operators, of the sets 13 to 23: between those only the axes of ReduceMax and ReduceMean have
 * changed, from an attribute to an input in 18. */
#include "export/translate.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "graph/op.h"
#include "graph/pads.h"

enum { NAME = FOVEA_EXPORT_NAME + 64, AXES_ARE_INPUTS = 18 };

typedef struct translation {
  fovea_export *e;
  fovea_onnx_model *model;
  int opset;
} translation;

static const fovea_node *node_of(const translation *t, int i) { return &t->e->graph->nodes[i]; }
static char *name_of(const translation *t, int i) { return t->e->nodes[i].name; }

/* "NAME/part": a tensor within the node. */
static const char *within(const translation *t, int i, const char *part, char name[NAME]) {
  snprintf(name, NAME, "%.*s/%.60s", FOVEA_EXPORT_NAME - 1, name_of(t, i), part);
  return name;
}

static fovea_onnx_node *add1(const translation *t, const char *op, const char *output, const char *x) {
  return fovea_onnx_add(t->model, op, output, &x, 1);
}

static fovea_onnx_node *add2(const translation *t, const char *op, const char *output, const char *a, const char *b) {
  return fovea_onnx_add(t->model, op, output, (const char *const[]){a, b}, 2);
}

/* y = x, reshaped to 0 (the batch) and `shape`, which has -1 once at most. */
static void add_reshape(const translation *t, const char *y, const char *x, const int *shape, size_t count) {
  char name[NAME + 8];
  int64_t dims[4] = {0};
  for (size_t i = 0; i < count; i++) dims[1 + i] = shape[i];
  snprintf(name, sizeof name, "%s/shape", y);
  fovea_onnx_add_ints(t->model, name, dims, count + 1);
  add2(t, "Reshape", y, x, name);
}

/* Input k of node i as an image, or as units; made so where it is the other. */
static const char *image(const translation *t, int i, int k, char name[NAME]) {
  const fovea_tensor x = node_of(t, i)->inputs[k];
  if (t->e->nodes[x].rank == 4) return name_of(t, x);
  add_reshape(t, within(t, i, k ? "image1" : "image", name), name_of(t, x), (const int[]){-1, 1, 1}, 3);
  return name;
}

static const char *units(const translation *t, int i, char name[NAME]) {
  const fovea_tensor x = node_of(t, i)->inputs[0];
  if (t->e->nodes[x].rank == 2) return name_of(t, x);
  add1(t, "Flatten", within(t, i, "flat", name), name_of(t, x));
  return name;
}

/* The constant of parameter k, with these dims. */
static const char *constant(const translation *t, int i, int k, const int *dims, int rank) {
  const char *name = node_of(t, i)->parameters[k].name;
  fovea_onnx_add_floats(t->model, name, dims, rank, t->e->nodes[i].parameters[k]);
  return name;
}

static const char *parameter(const translation *t, int i, int k) {
  const fovea_parameter_spec *p = &node_of(t, i)->parameters[k];
  return constant(t, i, k, p->dims, p->rank);
}

/* The node's tensor is its input's. */
static void same(const translation *t, int i) {
  const fovea_tensor x = node_of(t, i)->inputs[0];
  if (t->e->nodes[i].result)
    add1(t, "Identity", name_of(t, i), name_of(t, x));
  else
    memmove(name_of(t, i), name_of(t, x), FOVEA_EXPORT_NAME);
}

/* --- products ------------------------------------------------------------------------------------------------------
 */

/* Weight and bias of a product as inputs 1 and 2; how many inputs there are. A folded batch normalization may have made
 * the bias. */
static size_t product_inputs(const translation *t, int i, const char *inputs[3], char bias[NAME]) {
  const fovea_node *n = node_of(t, i);
  inputs[1] = parameter(t, i, 0);
  if (!t->e->nodes[i].parameters[1]) return 2;
  inputs[2] = n->parameter_count > 1 ? n->parameters[1].name : within(t, i, "bias", bias);
  fovea_onnx_add_floats(t->model, inputs[2], &n->c, 1, t->e->nodes[i].parameters[1]);
  return 3;
}

static void set_square(const translation *t, fovea_onnx_node *node, const char *attribute, int side) {
  fovea_onnx_set_ints(t->model, node, attribute, (const int[]){side, side}, 2);
}

static fovea_onnx_node *convolution(const translation *t, int i, const char *op, fovea_pads *pads) {
  const fovea_node *n = node_of(t, i);
  char bias[NAME], x[NAME];
  const char *inputs[3] = {image(t, i, 0, x)};
  const size_t count = product_inputs(t, i, inputs, bias);
  fovea_graph_pads(t->e->graph, n, pads);
  fovea_onnx_node *node = fovea_onnx_add(t->model, op, name_of(t, i), inputs, count);
  set_square(t, node, "kernel_shape", n->conv.kernel);
  set_square(t, node, "strides", n->conv.stride);
  fovea_onnx_set_ints(t->model, node, "pads", (const int[]){pads->top, pads->left, pads->bottom, pads->right}, 4);
  return node;
}

static void conv2d(const translation *t, int i) {
  fovea_pads pads;
  convolution(t, i, "Conv", &pads);
}

static void conv2d_transpose(const translation *t, int i) {
  fovea_pads pads;
  fovea_onnx_node *node = convolution(t, i, "ConvTranspose", &pads);
  fovea_onnx_set_ints(t->model, node, "output_padding", (const int[]){pads.more_h, pads.more_w}, 2);
}

/* Of an image the values in its own order, (c, h, w), in which the weights' columns are here. */
static void dense(const translation *t, int i) {
  char bias[NAME], x[NAME];
  const char *inputs[3] = {units(t, i, x)};
  const size_t count = product_inputs(t, i, inputs, bias);
  fovea_onnx_set_int(t->model, fovea_onnx_add(t->model, "Gemm", name_of(t, i), inputs, count), "transB", 1);
}

static void reshape(const translation *t, int i) {
  const fovea_node *n = node_of(t, i);
  char x[NAME];
  add_reshape(t, name_of(t, i), units(t, i, x), (const int[]){n->c, n->h, n->w}, 3);
}

/* --- value by value ------------------------------------------------------------------------------------------------
 */

static void batchnorm(const translation *t, int i) {
  const fovea_node *n = node_of(t, i);
  if (t->e->nodes[i].folded) {
    same(t, i);
    return;
  }
  const char *inputs[5] = {name_of(t, n->inputs[0])};
  for (int k = 0; k < 4; k++) inputs[1 + k] = parameter(t, i, k);
  fovea_onnx_node *node = fovea_onnx_add(t->model, "BatchNormalization", name_of(t, i), inputs, 5);
  fovea_onnx_set_float(t->model, node, "epsilon", n->epsilon);
}

/* ONNX's; NULL: has none, and cannot be exported. */
static const char *const activations[FOVEA_ACTIVATION_COUNT] = {
    [FOVEA_LINEAR] = "Identity", [FOVEA_ELU] = "Elu",   [FOVEA_RELU] = "Relu",           [FOVEA_SELU] = "Selu",
    [FOVEA_SIGMOID] = "Sigmoid", [FOVEA_TANH] = "Tanh", [FOVEA_LEAKY_RELU] = "LeakyRelu"};

static void activation(const translation *t, int i) {
  const fovea_node *n = node_of(t, i);
  if (n->activation == FOVEA_LINEAR) {
    same(t, i);
    return;
  }
  fovea_onnx_node *node = add1(t, activations[n->activation], name_of(t, i), name_of(t, n->inputs[0]));
  if (n->activation == FOVEA_LEAKY_RELU) fovea_onnx_set_float(t->model, node, "alpha", 0.3f);
}

static void sigmoid_bce(const translation *t, int i) {
  add1(t, "Sigmoid", name_of(t, i), name_of(t, node_of(t, i)->inputs[0]));
}

static void concat(const translation *t, int i) {
  char a[NAME], b[NAME];
  const char *first = image(t, i, 0, a);
  fovea_onnx_set_int(t->model, add2(t, "Concat", name_of(t, i), first, image(t, i, 1, b)), "axis", 1);
}

static void residual(const translation *t, int i) {
  char a[NAME], b[NAME];
  const char *first = image(t, i, 0, a);
  add2(t, "Add", name_of(t, i), first, image(t, i, 1, b));
}

/* The mean of the code. */
static void reparameterize(const translation *t, int i) {
  if (t->e->nodes[node_of(t, i)->inputs[0]].rank == 2)
    same(t, i);
  else
    add1(t, "Flatten", name_of(t, i), name_of(t, node_of(t, i)->inputs[0]));
}

/* --- attention -----------------------------------------------------------------------------------------------------
 */

/* Over channels. */
static const char *reduce(const translation *t, int i, const char *op, const char *part, const char *x,
                          const char *axes, char name[NAME]) {
  const bool by_input = t->opset >= AXES_ARE_INPUTS;
  const char *const inputs[] = {x, axes};
  fovea_onnx_node *node = fovea_onnx_add(t->model, op, within(t, i, part, name), inputs, by_input ? 2 : 1);
  if (!by_input) fovea_onnx_set_ints(t->model, node, "axes", (const int[]){1}, 1);
  fovea_onnx_set_int(t->model, node, "keepdims", 1);
  return name;
}

static void spatial_attention(const translation *t, int i) {
  const int kernel = node_of(t, i)->parameters[0].dims[2], pad = kernel / 2;
  char x_name[NAME], axes[NAME], most[NAME], mean[NAME], pooled[NAME], sum[NAME], scale[NAME];
  const char *x = image(t, i, 0, x_name);
  if (t->opset >= AXES_ARE_INPUTS) fovea_onnx_add_ints(t->model, within(t, i, "axes", axes), (const int64_t[]){1}, 1);
  reduce(t, i, "ReduceMax", "max", x, axes, most);
  reduce(t, i, "ReduceMean", "mean", x, axes, mean);
  fovea_onnx_node *node = add2(t, "Concat", within(t, i, "pooled", pooled), most, mean);
  fovea_onnx_set_int(t->model, node, "axis", 1);
  const char *const inputs[] = {pooled, parameter(t, i, 0), parameter(t, i, 1)};
  node = fovea_onnx_add(t->model, "Conv", within(t, i, "conv", sum), inputs, 3);
  set_square(t, node, "kernel_shape", kernel);
  fovea_onnx_set_ints(t->model, node, "pads", (const int[]){pad, pad, pad, pad}, 4);
  add1(t, "Sigmoid", within(t, i, "scale", scale), sum);
  add2(t, "Mul", name_of(t, i), x, scale);
}

/* The two layers after a pooling, "POOL" and what its tensors are called by. */
static const char *perceptron(const translation *t, int i, const char *op, const char *pool, const char *x,
                              const char *const parameters[4], char result[NAME]) {
  char part[32], pooled[NAME], hidden[NAME], relu[NAME];
  add1(t, op, within(t, i, pool, pooled), x);
  snprintf(part, sizeof part, "%s/hidden", pool);
  fovea_onnx_add(t->model, "Conv", within(t, i, part, hidden),
                 (const char *const[]){pooled, parameters[0], parameters[1]}, 3);
  snprintf(part, sizeof part, "%s/relu", pool);
  add1(t, "Relu", within(t, i, part, relu), hidden);
  snprintf(part, sizeof part, "%s/result", pool);
  fovea_onnx_add(t->model, "Conv", within(t, i, part, result),
                 (const char *const[]){relu, parameters[2], parameters[3]}, 3);
  return result;
}

/* Its dense layers are convolutions of images of one pixel. */
static void channel_attention(const translation *t, int i) {
  const fovea_node *n = node_of(t, i);
  const int c = n->c, hidden = n->parameters[0].dims[0];
  char x_name[NAME], mean[NAME], most[NAME], sum[NAME], scale[NAME];
  const char *x = image(t, i, 0, x_name);
  const char *const parameters[] = {constant(t, i, 0, (const int[]){hidden, c, 1, 1}, 4), parameter(t, i, 1),
                                    constant(t, i, 2, (const int[]){c, hidden, 1, 1}, 4), parameter(t, i, 3)};
  perceptron(t, i, "GlobalAveragePool", "mean", x, parameters, mean);
  perceptron(t, i, "GlobalMaxPool", "max", x, parameters, most);
  add2(t, "Add", within(t, i, "sum", sum), mean, most);
  add1(t, "Sigmoid", within(t, i, "scale", scale), sum);
  add2(t, "Mul", name_of(t, i), x, scale);
}

/* --- the graph -----------------------------------------------------------------------------------------------------
 */

typedef void translate(const translation *t, int i);

/* The input is declared and not made. */
static translate *const ops[FOVEA_OP_KINDS] = {[FOVEA_OP_CONV2D] = conv2d,
                                               [FOVEA_OP_CONV2D_TRANSPOSE] = conv2d_transpose,
                                               [FOVEA_OP_DENSE] = dense,
                                               [FOVEA_OP_RESHAPE] = reshape,
                                               [FOVEA_OP_BATCHNORM] = batchnorm,
                                               [FOVEA_OP_DROPOUT] = same,
                                               [FOVEA_OP_ACTIVATION] = activation,
                                               [FOVEA_OP_SPATIAL_ATTENTION] = spatial_attention,
                                               [FOVEA_OP_CHANNEL_ATTENTION] = channel_attention,
                                               [FOVEA_OP_CONCAT] = concat,
                                               [FOVEA_OP_RESIDUAL] = residual,
                                               [FOVEA_OP_REPARAMETERIZE] = reparameterize,
                                               [FOVEA_OP_SIGMOID_BCE] = sigmoid_bce};

static void declare(const translation *t, fovea_onnx_place place, fovea_tensor tensor, int rank, const char *name,
                    const char *about) {
  const fovea_node *n = node_of(t, tensor);
  fovea_onnx_declare(t->model, place, name, (const int[]){FOVEA_ONNX_BATCH, n->c, n->h, n->w}, rank, about);
}

/* Outputs that are no tensor under that name yet. */
static void add_outputs(const translation *t) {
  for (int i = 0; i < t->e->output_count; i++) {
    const fovea_export_output *o = &t->e->outputs[i];
    const int rank = t->e->nodes[o->tensor].rank;
    const char *name = name_of(t, o->tensor);
    if (strcmp(name, o->name) != 0) add1(t, o->units && rank == 4 ? "Flatten" : "Identity", o->name, name);
    declare(t, FOVEA_ONNX_OUTPUT, o->tensor, o->units ? 2 : rank, o->name, NULL);
  }
}

/* Its shape, for viewers: of a tensor that is another's, or an output, it is said there. */
static bool has_own_name(const translation *t, int i) {
  return !t->e->nodes[i].result && strcmp(name_of(t, i), name_of(t, node_of(t, i)->inputs[0])) != 0;
}

fovea_status fovea_export_translate(fovea_export *e, int opset, fovea_onnx_model *model) {
  const translation t = {e, model, opset};
  const bool images = e->given == e->graph->input;
  declare(&t, FOVEA_ONNX_INPUT, e->given, e->nodes[e->given].rank, name_of(&t, e->given),
          images ? "pixels from 0 to 1: of 8 bits divided by 255" : "codes, such as mu");
  for (int i = 0; i < e->graph->count; i++) {
    const fovea_node *n = node_of(&t, i);
    if (!e->nodes[i].needed || i == e->given) continue;
    if (!ops[n->op->kind] || !activations[n->activation])
      return fovea_fail(FOVEA_INVALID, "onnx: the op %s of tensor %d%s%s cannot be exported",
                        ops[n->op->kind] ? fovea_activation_name(n->activation) : n->op->name, i, *n->name ? ", " : "",
                        n->name);
    ops[n->op->kind](&t, i);
    if (has_own_name(&t, i)) declare(&t, FOVEA_ONNX_BETWEEN, i, e->nodes[i].rank, name_of(&t, i), NULL);
  }
  add_outputs(&t);
  return FOVEA_OK;
}
