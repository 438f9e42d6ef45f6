/* Units become an image; both are flattened as (c, h, w) on the device. */
#include "base/fail.h"
#include "op/op.h"

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const double size = (double)node->c * node->h * node->w; /* which has no overflow */
  if (node->c < 1 || node->h < 1 || node->w < 1 || x->h != 1 || x->w != 1 || size != x->c)
    return fovea_fail(FOVEA_INVALID, "reshape: %dx%dx%d does not become %dx%dx%d", x->c, x->h, x->w, node->c, node->h,
                      node->w);
  return FOVEA_OK;
}

void fovea_record_reshape(fovea_plan *plan, int c, int pixels, bool to_image, fovea_view x, fovea_view y,
                          bool accumulate) {
  fovea_record *r = fovea_plan_record(plan, "reshape.cl", "", "reshape_copy");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "y", y);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", c);
  fovea_record_int(r, "pixels", pixels);
  fovea_record_int(r, "back", to_image);
  fovea_record_int(r, "accumulate", accumulate);
  fovea_record_shared_range(plan, r, (size_t)(c * pixels), 1);
  fovea_record_cost(r, 0, 8.0 * c * pixels * fovea_plan_batch(plan));
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record_reshape(plan, n->c, n->h * n->w, true, fovea_plan_input(plan, node, 0), fovea_plan_output(plan, node),
                       false);
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  if (!fovea_plan_wants_gradient(plan, node, 0)) return;
  bool accumulate;
  fovea_view dx = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  fovea_record_reshape(plan, n->c, n->h * n->w, false, fovea_plan_output_gradient(plan, node), dx, accumulate);
}

const fovea_op fovea_op_reshape = {
    "reshape", infer, forward, backward,
    FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("channels", INT, c), FOVEA_ATTRIBUTE("height", INT, h),
                     FOVEA_ATTRIBUTE("width", INT, w))};
