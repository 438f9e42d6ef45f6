/* Units become an image; both are flattened as (c, h, w) on the device. */
#include "op/reshape.h"

#include <string.h>

#include "base/fail.h"

/* The dense layer that makes x, and what keeps its units apart in between, must be told that the file's order is
 * (h, w, c): their rows are permuted at the file boundary. */
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
    if (fovea_node_is(node, FOVEA_MAKES_UNITS)) return FOVEA_OK;
    if (!fovea_node_is(node, FOVEA_KEEPS_UNITS))
      return fovea_fail(FOVEA_INVALID, "reshape: %s is not made by a dense layer", node->op->name);
    x = node->inputs[0];
  }
}

static fovea_status added(fovea_graph *graph, fovea_tensor node) {
  const fovea_node *n = &graph->nodes[node];
  return mark_rows(graph, n->inputs[0], (int[3]){n->c, n->h, n->w});
}

fovea_tensor fovea_add_reshape(fovea_graph *graph, fovea_tensor x, int channels, int height, int width) {
  return fovea_graph_add(graph, &fovea_op_reshape, &(fovea_node){.inputs = {x}, .c = channels, .h = height, .w = width},
                         "");
}

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

FOVEA_OP(reshape, .inputs = 1, .infer = infer, .added = added, .forward = forward, .backward = backward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("channels", INT, c, 1), FOVEA_ATTRIBUTE("height", INT, h, 1),
                                        FOVEA_ATTRIBUTE("width", INT, w, 1)));
