#include "op/pointwise.h"

#include <stdio.h>

static double rate_of(const fovea_plan *plan, const fovea_pointwise *p) {
  return fovea_plan_training(plan) ? p->rate : 0.0;
}

void fovea_pointwise_options(const fovea_plan *plan, const fovea_pointwise *p, char options[FOVEA_POINTWISE_OPTIONS]) {
  snprintf(options, FOVEA_POINTWISE_OPTIONS, "-DACTIVATION=%d -DDROPOUT=%d", (int)p->activation,
           rate_of(plan, p) > 0.0);
}

void fovea_record_pointwise_arguments(fovea_plan *plan, fovea_record *record, const fovea_pointwise *p) {
  const double rate = rate_of(plan, p);
  fovea_record_uint(record, "threshold", (uint32_t)(rate * 4294967296.0 + 0.5));
  fovea_record_float(record, "scale", (float)(1.0 / (1.0 - rate)));
  fovea_record_uint(record, "op", p->random);
}

void fovea_record_activation(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels, fovea_view x,
                             fovea_view y) {
  char options[FOVEA_POINTWISE_OPTIONS];
  fovea_pointwise_options(plan, pointwise, options);
  fovea_record *r = fovea_plan_record(plan, "activation.cl", options, "activation_forward");
  fovea_record_view(plan, r, "x", x);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "y", y);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "pixels", pixels);
  fovea_record_pointwise_arguments(plan, r, pointwise);
  fovea_record_shared_range(plan, r, (size_t)(pixels + 3) / 4, (size_t)c);
  fovea_record_cost(r, 0, 8.0 * c * pixels * fovea_plan_batch(plan));
}

void fovea_record_activation_backward(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels,
                                      fovea_view y, fovea_view dy, fovea_view dx, bool accumulate) {
  char options[FOVEA_POINTWISE_OPTIONS];
  fovea_pointwise_options(plan, pointwise, options);
  fovea_record *r = fovea_plan_record(plan, "activation.cl", options, "activation_backward");
  fovea_record_view(plan, r, "y", y);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "dx", dx);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "pixels", pixels);
  fovea_record_pointwise_arguments(plan, r, pointwise);
  fovea_record_int(r, "accumulate", accumulate);
  fovea_record_shared_range(plan, r, (size_t)(pixels + 3) / 4, (size_t)c);
  fovea_record_cost(r, 0, 12.0 * c * pixels * fovea_plan_batch(plan));
}

void fovea_record_pointwise_node(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record_activation(plan, fovea_plan_pointwise(plan, node), n->c, n->h * n->w, fovea_plan_input(plan, node, 0),
                          fovea_plan_output(plan, node));
}

void fovea_record_pointwise_node_backward(fovea_plan *plan, int node) {
  if (!fovea_plan_wants_gradient(plan, node, 0)) return;
  const fovea_node *n = fovea_plan_node(plan, node);
  bool accumulate;
  fovea_view dy = fovea_plan_output_gradient(plan, node);
  fovea_view dx = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  fovea_record_activation_backward(plan, fovea_plan_pointwise(plan, node), n->c, n->h * n->w,
                                   fovea_plan_output(plan, node), dy, dx, accumulate);
}
