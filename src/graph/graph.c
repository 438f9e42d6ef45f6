#include "graph/graph.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "op/op.h"

fovea_status fovea_graph_create(fovea_graph **out) {
  if (!out) return fovea_fail_null("graph");
  fovea_graph *graph = calloc(1, sizeof *graph);
  if (!graph) return fovea_fail(FOVEA_NO_MEMORY, "graph: host memory ran out");
  graph->input = graph->latent = graph->loss = -1;
  *out = graph;
  return FOVEA_OK;
}

void fovea_graph_destroy(fovea_graph *graph) {
  if (!graph) return;
  free(graph->nodes);
  free(graph);
}

fovea_status fovea_graph_check(const fovea_graph *graph) {
  if (!graph) return fovea_fail_null("graph");
  return graph->status == FOVEA_OK ? FOVEA_OK : fovea_fail(graph->status, "%s", graph->message);
}

void fovea_graph_freeze(const fovea_graph *graph) { atomic_store(&((fovea_graph *)graph)->frozen, true); }

static fovea_tensor remember(fovea_graph *graph, fovea_status status) {
  if (graph->status == FOVEA_OK) {
    graph->status = status;
    snprintf(graph->message, sizeof graph->message, "%s", fovea_error_message());
  }
  return -1;
}

static bool name_taken(const fovea_graph *graph, const char *name) {
  for (int i = 0; i < graph->count; i++)
    if (*name && strcmp(graph->nodes[i].name, name) == 0) return true;
  return false;
}

/* What every builder begins with; `op` is what fovea_add_ is followed by. A frozen graph takes nothing, not even the
 * news of a failure. */
static bool takes(const fovea_graph *graph, const fovea_op *op) {
  if (!graph)
    fovea_fail(FOVEA_INVALID, "fovea_add_%s: graph is NULL", op->name);
  else if (graph->frozen)
    fovea_fail(FOVEA_INVALID, "fovea_add_%s: the graph is frozen, for a network was made of it", op->name);
  return graph && !graph->frozen;
}

static fovea_tensor refuse_null(fovea_graph *graph, const fovea_op *op, const char *argument) {
  return remember(graph, fovea_fail(FOVEA_INVALID, "fovea_add_%s: %s is NULL", op->name, argument));
}

static fovea_status check_name(const fovea_graph *graph, const fovea_op *op, const char *name) {
  if (strlen(name) >= FOVEA_NAME_SIZE)
    return fovea_fail(FOVEA_INVALID, "%s: the name '%.100s...' is longer than %d bytes", op->name, name,
                      FOVEA_NAME_SIZE - 1);
  if (strchr(name, '"')) return fovea_fail(FOVEA_INVALID, "%s: the name '%s' has a quote in it", op->name, name);
  if (!name_taken(graph, name)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: the name '%s' is taken by another node of the graph", op->name, name);
}

/* Of what was inferred. Kernels count an image's values with an int. */
static fovea_status check_node(const fovea_node *node) {
  if (node->parameter_count > 0 && !*node->name)
    return fovea_fail(FOVEA_INVALID, "%s: the name is empty, and its parameters need one", node->op->name);
  const double size = (double)node->c * node->h * node->w;
  if (size <= INT_MAX) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: %dx%dx%d are %.0f values an image, at most %d are possible", node->op->name,
                    node->c, node->h, node->w, size, INT_MAX);
}

/* Where the inputs are good: infers and appends. */
static fovea_tensor add(fovea_graph *graph, fovea_node *node, const fovea_op *op, const char *name) {
  if (!takes(graph, op)) return -1;
  if (!name) return refuse_null(graph, op, "name");
  node->op = op;
  for (int i = 0; i < node->input_count; i++) {
    if (node->inputs[i] >= 0 && node->inputs[i] < graph->count) continue;
    return remember(graph, fovea_fail(FOVEA_INVALID, "%s%s%s: input %d is not a tensor of this graph", op->name,
                                      *name ? " " : "", name, node->inputs[i]));
  }
  fovea_status status = check_name(graph, op, name);
  if (status != FOVEA_OK) return remember(graph, status);
  snprintf(node->name, sizeof node->name, "%s", name);
  status = op->infer(graph, node);
  if (status == FOVEA_OK) status = check_node(node);
  if (status != FOVEA_OK) return remember(graph, *name ? fovea_fail_in(status, "%s", name) : status);
  if (graph->count == graph->capacity) {
    int capacity = graph->capacity ? 2 * graph->capacity : 64;
    fovea_node *nodes = realloc(graph->nodes, (size_t)capacity * sizeof *nodes);
    if (!nodes) return remember(graph, fovea_fail(FOVEA_NO_MEMORY, "graph: host memory ran out"));
    graph->nodes = nodes, graph->capacity = capacity;
  }
  graph->nodes[graph->count] = *node;
  return graph->count++;
}

static fovea_tensor add_unary(fovea_graph *graph, fovea_node *node, const fovea_op *op, fovea_tensor x,
                              const char *name) {
  node->inputs[0] = x, node->input_count = 1;
  return add(graph, node, op, name);
}

fovea_tensor fovea_add_input(fovea_graph *graph, int channels, int height, int width) {
  fovea_node node = {.c = channels, .h = height, .w = width};
  if (!takes(graph, &fovea_op_input)) return -1;
  if (graph->input >= 0) return remember(graph, fovea_fail(FOVEA_INVALID, "input: the graph has one already"));
  return graph->input = add(graph, &node, &fovea_op_input, "");
}

static fovea_tensor add_conv(fovea_graph *graph, const fovea_op *op, fovea_tensor x, const char *name,
                             const fovea_conv2d *conv) {
  if (!takes(graph, op)) return -1;
  if (!conv) return refuse_null(graph, op, "conv");
  return add_unary(graph, &(fovea_node){.conv = *conv}, op, x, name);
}

fovea_tensor fovea_add_conv2d(fovea_graph *graph, fovea_tensor x, const char *name, const fovea_conv2d *conv) {
  return add_conv(graph, &fovea_op_conv2d, x, name, conv);
}

fovea_tensor fovea_add_conv2d_transpose(fovea_graph *graph, fovea_tensor x, const char *name,
                                        const fovea_conv2d *conv) {
  return add_conv(graph, &fovea_op_conv2d_transpose, x, name, conv);
}

fovea_tensor fovea_add_dense(fovea_graph *graph, fovea_tensor x, const char *name, int units, bool bias) {
  return add_unary(graph, &(fovea_node){.conv = {.filters = units, .bias = bias}}, &fovea_op_dense, x, name);
}

fovea_tensor fovea_add_batchnorm(fovea_graph *graph, fovea_tensor x, const char *name, float momentum, float epsilon) {
  return add_unary(graph, &(fovea_node){.momentum = momentum, .epsilon = epsilon}, &fovea_op_batchnorm, x, name);
}

fovea_tensor fovea_add_dropout(fovea_graph *graph, fovea_tensor x, double rate) {
  if (!takes(graph, &fovea_op_dropout)) return -1;
  fovea_node node = {.rate = rate, .random = graph->random_count + 1};
  fovea_tensor y = add_unary(graph, &node, &fovea_op_dropout, x, "");
  if (y >= 0) graph->random_count++;
  return y;
}

fovea_tensor fovea_add_activation(fovea_graph *graph, fovea_tensor x, fovea_activation activation) {
  return add_unary(graph, &(fovea_node){.activation = activation}, &fovea_op_activation, x, "");
}

/* Where the name is too long, so is what is left of "name.kind". */
static fovea_tensor add_attention(fovea_graph *graph, const fovea_op *op, fovea_tensor x, const char *name,
                                  const char *kind) {
  char full[FOVEA_NAME_SIZE + 16];
  if (!takes(graph, op)) return -1;
  if (!name) return refuse_null(graph, op, "name");
  snprintf(full, sizeof full, "%s.%s", name, kind);
  return add_unary(graph, &(fovea_node){0}, op, x, *name ? full : "");
}

fovea_tensor fovea_add_spatial_attention(fovea_graph *graph, fovea_tensor x, const char *name) {
  return add_attention(graph, &fovea_op_spatial_attention, x, name, "spatial");
}

fovea_tensor fovea_add_channel_attention(fovea_graph *graph, fovea_tensor x, const char *name) {
  return add_attention(graph, &fovea_op_channel_attention, x, name, "channel");
}

fovea_tensor fovea_add_concat(fovea_graph *graph, fovea_tensor a, fovea_tensor b) {
  return add(graph, &(fovea_node){.inputs = {a, b}, .input_count = 2}, &fovea_op_concat, "");
}

fovea_tensor fovea_add_reparameterize(fovea_graph *graph, fovea_tensor mu, fovea_tensor logvar, float kl_weight) {
  if (!takes(graph, &fovea_op_reparameterize)) return -1;
  fovea_node node = {
      .inputs = {mu, logvar}, .input_count = 2, .kl_weight = kl_weight, .random = graph->random_count + 1};
  if (graph->latent >= 0)
    return remember(graph, fovea_fail(FOVEA_INVALID, "reparameterize: the graph has one already"));
  fovea_tensor z = add(graph, &node, &fovea_op_reparameterize, "");
  if (z >= 0) graph->random_count++, graph->latent = z;
  return z;
}

fovea_tensor fovea_add_sigmoid_bce(fovea_graph *graph, fovea_tensor x) {
  if (!takes(graph, &fovea_op_sigmoid_bce)) return -1;
  fovea_node node = {.inputs = {x, graph->input}, .input_count = 2};
  if (graph->loss >= 0) return remember(graph, fovea_fail(FOVEA_INVALID, "sigmoid_bce: the graph has one already"));
  return graph->loss = add(graph, &node, &fovea_op_sigmoid_bce, "");
}

/* The dense layer that makes x, and the norms and activations between, must be told that the file's order is (h, w, c):
 * their rows are permuted at the file boundary. */
static fovea_status mark_rows(fovea_graph *graph, fovea_tensor x, const int shape[3]) {
  for (;;) {
    fovea_node *node = &graph->nodes[x];
    for (int i = 0; i < node->parameter_count; i++) {
      int *rows = node->parameters[i].rows;
      if (rows[0] && memcmp(rows, shape, 3 * sizeof(int)) != 0)
        return fovea_fail(FOVEA_INVALID, "reshape: the units of %s are an image of %dx%dx%d already", node->name,
                          rows[0], rows[1], rows[2]);
      memcpy(rows, shape, 3 * sizeof(int));
    }
    if (node->op == &fovea_op_dense) return FOVEA_OK;
    if (node->op != &fovea_op_batchnorm && node->op != &fovea_op_dropout && node->op != &fovea_op_activation)
      return fovea_fail(FOVEA_INVALID, "reshape: %s is not made by a dense layer", node->op->name);
    x = node->inputs[0];
  }
}

fovea_tensor fovea_add_reshape(fovea_graph *graph, fovea_tensor x, int channels, int height, int width) {
  fovea_node node = {.c = channels, .h = height, .w = width};
  fovea_tensor y = add_unary(graph, &node, &fovea_op_reshape, x, "");
  if (y < 0) return y;
  fovea_status status = mark_rows(graph, x, (int[3]){channels, height, width});
  return status == FOVEA_OK ? y : remember(graph, status);
}

static fovea_status check_tensor(const fovea_graph *graph, fovea_tensor tensor) {
  if (tensor >= 0 && tensor < graph->count) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "graph: %d is not one of its %d tensors", tensor, graph->count);
}

fovea_status fovea_graph_keep(fovea_graph *graph, fovea_tensor tensor) {
  if (!graph) return fovea_fail_null("graph");
  if (graph->frozen)
    return fovea_fail(FOVEA_INVALID, "fovea_graph_keep: the graph is frozen, for a network was made of it");
  fovea_status status = fovea_graph_check(graph);
  if (status == FOVEA_OK && (status = check_tensor(graph, tensor)) != FOVEA_OK) remember(graph, status);
  if (status == FOVEA_OK) graph->nodes[tensor].kept = true;
  return status;
}

bool fovea_graph_is_result(const fovea_graph *graph, fovea_tensor tensor) {
  const fovea_node *latent = graph->latent >= 0 ? &graph->nodes[graph->latent] : NULL;
  return graph->nodes[tensor].kept || tensor == graph->count - 1 || tensor == graph->latent ||
         (latent && (tensor == latent->inputs[0] || tensor == latent->inputs[1]));
}

fovea_status fovea_tensor_shape(const fovea_graph *graph, fovea_tensor tensor, int dims[3]) {
  if (!graph) return fovea_fail_null("graph");
  if (!dims) return fovea_fail_null("dims");
  const fovea_status status = check_tensor(graph, tensor);
  if (status != FOVEA_OK) return status;
  const fovea_node *node = &graph->nodes[tensor];
  dims[0] = node->c, dims[1] = node->h, dims[2] = node->w;
  return FOVEA_OK;
}
