/* Channels of a, then of b. The plan lays operands into the result where it can; the others are copied. */
#include <limits.h>

#include "base/fail.h"
#include "op/pointwise.h"

fovea_tensor fovea_add_concat(fovea_graph *graph, fovea_tensor a, fovea_tensor b) {
  return fovea_graph_add(graph, &fovea_op_concat, &(fovea_node){.inputs = {a, b}}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *a = &graph->nodes[node->inputs[0]], *b = &graph->nodes[node->inputs[1]];
  if (a->h != b->h || a->w != b->w)
    return fovea_fail(FOVEA_INVALID, "concat: images of %dx%d and %dx%d", a->h, a->w, b->h, b->w);
  if (a->c > INT_MAX - b->c)
    return fovea_fail(FOVEA_INVALID, "concat: %d and %d channels are more than %d", a->c, b->c, INT_MAX);
  node->c = a->c + b->c, node->h = a->h, node->w = a->w;
  return FOVEA_OK;
}

/* The slice of the whole that is operand k's. */
static fovea_view slice(const fovea_plan *plan, fovea_view whole, int node, int k) {
  const fovea_node *a = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[0]);
  size_t size = (size_t)a->c * (size_t)a->h * (size_t)a->w * (size_t)fovea_plan_batch(plan);
  return (fovea_view){whole.storage, whole.offset + (k ? size : 0)};
}

static bool in_place(const fovea_plan *plan, int node, int k) {
  fovea_view wanted = slice(plan, fovea_plan_output(plan, node), node, k), is = fovea_plan_input(plan, node, k);
  return wanted.storage == is.storage && wanted.offset == is.offset;
}

static void forward(fovea_plan *plan, int node) {
  for (int k = 0; k < 2; k++) {
    if (in_place(plan, node, k)) continue;
    const fovea_node *x = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[k]);
    fovea_record_activation(plan, &(fovea_pointwise){0}, x->c, x->h * x->w, fovea_plan_input(plan, node, k),
                            slice(plan, fovea_plan_output(plan, node), node, k));
  }
}

static void backward(fovea_plan *plan, int node) {
  for (int k = 0; k < 2; k++) {
    if (in_place(plan, node, k) || !fovea_plan_wants_gradient(plan, node, k)) continue;
    const fovea_node *x = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[k]);
    fovea_view dy = slice(plan, fovea_plan_output_gradient(plan, node), node, k);
    bool accumulate;
    fovea_view dx = fovea_plan_input_gradient(plan, node, k, &accumulate);
    fovea_record_activation_backward(plan, &(fovea_pointwise){0}, x->c, x->h * x->w, fovea_plan_input(plan, node, k),
                                     dy, dx, accumulate);
  }
}

FOVEA_OP(concat, .inputs = 2, .infer = infer, .forward = forward, .backward = backward);
