/* The reconstruction p = sigmoid(x) and its cross-entropy against the images (cl/sigmoid_bce.cl). The gradient by x is
 * made in the forward pass, where p is at hand. */
#include "base/fail.h"
#include "op/losses.h"

enum { ROWS = 0 };

fovea_tensor fovea_add_sigmoid_bce(fovea_graph *graph, fovea_tensor x) {
  return fovea_graph_add(graph, &fovea_op_sigmoid_bce, &(fovea_node){.inputs = {x, graph ? graph->input : -1}}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]], *t = &graph->nodes[node->inputs[1]];
  if (x->c != t->c || x->h != t->h || x->w != t->w)
    return fovea_fail(FOVEA_INVALID, "sigmoid_bce: the reconstruction is %dx%dx%d, the images are %dx%dx%d", x->c, x->h,
                      x->w, t->c, t->h, t->w);
  node->c = x->c, node->h = x->h, node->w = x->w;
  return FOVEA_OK;
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  int rows_count = n->c * n->h, values = n->c * n->h * n->w;
  bool training = fovea_plan_training(plan) && fovea_plan_wants_gradient(plan, node, 0), accumulate = false;
  fovea_view rows = fovea_plan_save(plan, node, ROWS, (size_t)rows_count), p = fovea_plan_output(plan, node);
  fovea_view dx = training ? fovea_plan_input_gradient(plan, node, 0, &accumulate) : p;
  fovea_record *r = fovea_plan_record(plan, "sigmoid_bce.cl", "", "sigmoid_bce");
  fovea_record_view(plan, r, "x", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "t", fovea_plan_input(plan, node, 1));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "p", p);
  fovea_record_view(plan, r, "dx", dx);
  fovea_record_view(plan, r, "rows", rows);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_int(r, "values", values);
  fovea_record_int(r, "training", training);
  fovea_record_lane_groups(plan, r, (size_t)n->h, (size_t)n->c);
  fovea_record_cost(r, 0, 4.0 * (training ? 4 : 3) * values * fovea_plan_batch(plan));
}

/* After the whole forward pass, of which the divergence is part. */
static void end_forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const int latent = fovea_plan_latent(plan), rows = n->c * n->h;
  const fovea_view sums = fovea_plan_saved(plan, node, ROWS);
  fovea_record *r = fovea_plan_record(plan, "losses.cl", "", "losses_log");
  fovea_record_view(plan, r, "rows", sums);
  fovea_record_view(plan, r, "kl", latent >= 0 ? fovea_plan_saved(plan, latent, FOVEA_SAMPLE_KL) : sums);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_buffer(plan, r, "log", fovea_plan_losses(plan));
  fovea_record_int(r, "rows", rows);
  fovea_record_int(r, "values", rows * n->w);
  fovea_record_int(r, "has_kl", latent >= 0);
  fovea_record_int(r, "training", fovea_plan_training(plan));
  fovea_record_range(r, 1, 1, 1);
  fovea_record_cost(r, 0, 4.0 * rows);
}

FOVEA_OP(sigmoid_bce, .inputs = 2, .group = "loss", .infer = infer, .forward = forward, .end_forward = end_forward);
