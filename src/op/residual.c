/* The sum of two tensors (cl/residual.cl). */
#include "base/fail.h"
#include "plan/record.h"

fovea_tensor fovea_add_residual(fovea_graph *graph, fovea_tensor a, fovea_tensor b) {
  return fovea_graph_add(graph, &fovea_op_residual, &(fovea_node){.inputs = {a, b}}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *a = &graph->nodes[node->inputs[0]], *b = &graph->nodes[node->inputs[1]];
  if (a->c != b->c || a->h != b->h || a->w != b->w)
    return fovea_fail(FOVEA_INVALID, "residual: a is %dx%dx%d, b %dx%dx%d, expected one shape", a->c, a->h, a->w, b->c,
                      b->h, b->w);
  node->c = a->c, node->h = a->h, node->w = a->w;
  return FOVEA_OK;
}

static void finish(fovea_plan *plan, fovea_record *r, const fovea_node *n) {
  const double values = (double)n->c * n->h * n->w;
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_shared_range(plan, r, (size_t)(n->h * n->w), (size_t)n->c);
  fovea_record_cost(r, 0, 12.0 * values * fovea_plan_batch(plan));
}

static void forward(fovea_plan *plan, int node) {
  fovea_record *r = fovea_plan_record(plan, "residual.cl", "", "residual_forward");
  fovea_record_view(plan, r, "a", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "b", fovea_plan_input(plan, node, 1));
  fovea_record_view(plan, r, "y", fovea_plan_output(plan, node));
  finish(plan, r, fovea_plan_node(plan, node));
}

/* Of one tensor twice the second launch adds to what the first wrote. */
static void backward(fovea_plan *plan, int node) {
  for (int k = 0; k < 2; k++) {
    if (!fovea_plan_wants_gradient(plan, node, k)) continue;
    bool accumulate;
    const fovea_view dx = fovea_plan_input_gradient(plan, node, k, &accumulate);
    fovea_record *r = fovea_plan_record(plan, "residual.cl", "", "residual_backward");
    fovea_record_view(plan, r, "dy", fovea_plan_output_gradient(plan, node));
    fovea_record_view(plan, r, "dx", dx);
    fovea_record_int(r, "accumulate", accumulate);
    finish(plan, r, fovea_plan_node(plan, node));
  }
}

FOVEA_OP(residual, .inputs = 2, .group = "residual sums", .infer = infer, .forward = forward, .backward = backward);
