/* z = mu + exp(logvar / 2) eps and the divergence's loss (cl/reparameterize.cl). */
#include "base/fail.h"
#include "op/losses.h"

enum { E = 0, KL = FOVEA_SAMPLE_KL };

/* An evaluation's samples are another op's than training's, so that they are never the same. */
static const uint32_t EVALUATION = 0x80000000u;

fovea_tensor fovea_add_reparameterize(fovea_graph *graph, fovea_tensor mu, fovea_tensor logvar, float kl_weight) {
  return fovea_graph_add(graph, &fovea_op_reparameterize, &(fovea_node){.inputs = {mu, logvar}, .kl_weight = kl_weight},
                         "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *mu = &graph->nodes[node->inputs[0]], *logvar = &graph->nodes[node->inputs[1]];
  if (mu->c != logvar->c || mu->h * mu->w != 1 || logvar->h * logvar->w != 1)
    return fovea_fail(FOVEA_INVALID, "reparameterize: mu is %dx%dx%d, logvar %dx%dx%d, expected units x 1 x 1 of both",
                      mu->c, mu->h, mu->w, logvar->c, logvar->h, logvar->w);
  if (!(node->kl_weight >= 0.0f && node->kl_weight < 1e9f))
    return fovea_fail(FOVEA_INVALID, "reparameterize: KL weight %g, expected at least 0", (double)node->kl_weight);
  node->c = mu->c, node->h = node->w = 1;
  return FOVEA_OK;
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_view rows = fovea_plan_save_images(plan, node, KL, 1, n->c);
  fovea_record *r = fovea_plan_record(plan, "reparameterize.cl", "", "reparameterize_forward");
  fovea_record_view(plan, r, "mu", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "logvar", fovea_plan_input(plan, node, 1));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "e", fovea_plan_save(plan, node, E, (size_t)n->c * (size_t)fovea_plan_batch(plan)));
  fovea_record_view(plan, r, "z", fovea_plan_output(plan, node));
  fovea_record_view(plan, r, "rows", rows);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "j", n->c);
  fovea_record_uint(r, "op", fovea_plan_training(plan) ? n->random : n->random | EVALUATION);
  fovea_record_batch_range(plan, r, (size_t)n->c, 1);
  fovea_record_cost(r, 0, 20.0 * n->c * fovea_plan_batch(plan));
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  bool accumulate_mu, accumulate_logvar;
  fovea_view dz = fovea_plan_output_gradient(plan, node);
  fovea_view dmu = fovea_plan_input_gradient(plan, node, 0, &accumulate_mu);
  fovea_view dlogvar = fovea_plan_input_gradient(plan, node, 1, &accumulate_logvar);
  fovea_record *r = fovea_plan_record(plan, "reparameterize.cl", "", "reparameterize_backward");
  fovea_record_view(plan, r, "mu", fovea_plan_input(plan, node, 0));
  fovea_record_view(plan, r, "logvar", fovea_plan_input(plan, node, 1));
  fovea_record_view(plan, r, "e", fovea_plan_saved(plan, node, E));
  fovea_record_view(plan, r, "dz", dz);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "dmu", dmu);
  fovea_record_view(plan, r, "dlogvar", dlogvar);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_float(r, "weight", n->kl_weight);
  fovea_record_int(r, "accumulate_mu", accumulate_mu);
  fovea_record_int(r, "accumulate_logvar", accumulate_logvar);
  fovea_record_batch_range(plan, r, (size_t)n->c, 1);
  fovea_record_cost(r, 0, 24.0 * n->c * fovea_plan_batch(plan));
}

FOVEA_OP(reparameterize, .inputs = 2, .group = "loss, sampling", .infer = infer, .forward = forward,
         .backward = backward, .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("kl_weight", FLOAT, kl_weight, 0.5)));
