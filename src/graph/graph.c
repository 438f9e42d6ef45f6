#include "graph/graph.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "graph/op.h"

const char *fovea_activation_name(fovea_activation activation) {
  static const char *const names[] = {
#define X(name, NAME, moves_zero, ulp) [FOVEA_##NAME] = #name,
      FOVEA_ACTIVATIONS(X)
#undef X
  };
  return (int)activation >= 0 && (int)activation < FOVEA_ACTIVATION_COUNT ? names[activation] : NULL;
}

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

/* What every builder begins with; the op's name is what fovea_add_ is followed by. A frozen graph takes nothing, not
 * even the news of a failure. */
static bool takes(const fovea_graph *graph, const char *builder) {
  if (!graph)
    fovea_fail(FOVEA_INVALID, "fovea_add_%s: graph is NULL", builder);
  else if (graph->frozen)
    fovea_fail(FOVEA_INVALID, "fovea_add_%s: the graph is frozen, for a network was made of it", builder);
  return graph && !graph->frozen;
}

fovea_tensor fovea_graph_refuse_null(fovea_graph *graph, const char *builder, const char *argument) {
  if (!takes(graph, builder)) return -1;
  return remember(graph, fovea_fail(FOVEA_INVALID, "fovea_add_%s: %s is NULL", builder, argument));
}

/* Where the graph has the one node of an op that there can be one of; NULL: of this op there can be any number. */
static fovea_tensor *only_one(fovea_graph *graph, const fovea_op *op) {
  return op->flags & FOVEA_IS_SOURCE   ? &graph->input
         : op->flags & FOVEA_IS_SAMPLE ? &graph->latent
         : op->flags & FOVEA_IS_LOSS   ? &graph->loss
                                       : NULL;
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
  if (node->c < 1 || node->h < 1 || node->w < 1)
    return fovea_fail(FOVEA_INVALID, "%s: %dx%dx%d has no values", node->op->name, node->c, node->h, node->w);
  if (size <= INT_MAX) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: %dx%dx%d are %.0f values an image, at most %d are possible", node->op->name,
                    node->c, node->h, node->w, size, INT_MAX);
}

static fovea_status check_inputs(const fovea_graph *graph, const fovea_node *node) {
  for (int i = 0; i < node->input_count; i++) {
    if (node->inputs[i] >= 0 && node->inputs[i] < graph->count) continue;
    return fovea_fail(FOVEA_INVALID, "%s%s%s: input %d is not a tensor of this graph", node->op->name,
                      *node->name ? " " : "", node->name, node->inputs[i]);
  }
  return FOVEA_OK;
}

static fovea_status append(fovea_graph *graph, const fovea_node *node) {
  if (graph->count == graph->capacity) {
    int capacity = graph->capacity ? 2 * graph->capacity : 64;
    fovea_node *nodes = realloc(graph->nodes, (size_t)capacity * sizeof *nodes);
    if (!nodes) return fovea_fail(FOVEA_NO_MEMORY, "graph: host memory ran out");
    graph->nodes = nodes, graph->capacity = capacity;
  }
  graph->nodes[graph->count++] = *node;
  return FOVEA_OK;
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  fovea_status status = check_inputs(graph, node);
  if (status == FOVEA_OK) status = check_name(graph, node->op, node->name);
  if (status != FOVEA_OK) return status;
  status = node->op->infer(graph, node);
  if (status == FOVEA_OK) status = check_node(node);
  return status != FOVEA_OK && *node->name ? fovea_fail_in(status, "%s", node->name) : status;
}

fovea_tensor fovea_graph_add(fovea_graph *graph, const fovea_op *op, const fovea_node *asked, const char *name) {
  if (!takes(graph, op->name)) return -1;
  if (!name) return fovea_graph_refuse_null(graph, op->name, "name");
  fovea_tensor *one = only_one(graph, op);
  if (one && *one >= 0) return remember(graph, fovea_fail(FOVEA_INVALID, "%s: the graph has one already", op->name));
  fovea_node node = *asked;
  node.op = op, node.input_count = op->inputs;
  if (op->flags & FOVEA_DRAWS) node.random = graph->random_count + 1;
  if (strlen(name) >= FOVEA_NAME_SIZE) return remember(graph, check_name(graph, op, name));
  snprintf(node.name, sizeof node.name, "%s", name);
  fovea_status status = infer(graph, &node);
  if (status == FOVEA_OK) status = append(graph, &node);
  if (status != FOVEA_OK) return remember(graph, status);
  if (op->flags & FOVEA_DRAWS) graph->random_count++;
  const fovea_tensor made = graph->count - 1;
  if (one) *one = made;
  status = op->added ? op->added(graph, made) : FOVEA_OK;
  return status == FOVEA_OK ? made : remember(graph, status);
}

/* Where the name is too long, so is what is left of "name.kind". */
fovea_tensor fovea_graph_add_within(fovea_graph *graph, const fovea_op *op, const fovea_node *asked, const char *name,
                                    const char *kind) {
  char full[FOVEA_NAME_SIZE + 16];
  if (!name) return fovea_graph_refuse_null(graph, op->name, "name");
  snprintf(full, sizeof full, "%s.%s", name, kind);
  return fovea_graph_add(graph, op, asked, *name ? full : "");
}

static void set_example(fovea_node *node, const fovea_attribute *a) {
  void *member = (char *)node + a->offset;
  switch (a->kind) {
    case FOVEA_ATTRIBUTE_INT:
    case FOVEA_ATTRIBUTE_OPTIONAL_INT:
      *(int *)member = (int)a->example;
      break;
    case FOVEA_ATTRIBUTE_BOOL:
      *(bool *)member = a->example != 0;
      break;
    case FOVEA_ATTRIBUTE_FLOAT:
      *(float *)member = (float)a->example;
      break;
    case FOVEA_ATTRIBUTE_DOUBLE:
      *(double *)member = a->example;
      break;
    case FOVEA_ATTRIBUTE_ACTIVATION:
      *(fovea_activation *)member = (fovea_activation)(int)a->example;
      break;
  }
}

bool fovea_op_has_example(const fovea_op *op) {
  return !(op->flags & (FOVEA_IS_SOURCE | FOVEA_IS_SAMPLE | FOVEA_IS_LOSS | FOVEA_IS_VIEW));
}

fovea_tensor fovea_graph_add_example(fovea_graph *graph, const fovea_op *op, fovea_tensor x, fovea_tensor other) {
  fovea_node node = {.inputs = {x, other}};
  for (const fovea_attribute *a = op->attributes; a && a->name; a++) set_example(&node, a);
  return fovea_graph_add(graph, op, &node, op->name);
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
