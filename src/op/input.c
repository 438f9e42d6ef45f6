/* The images (cl/input.cl). */
#include "base/fail.h"
#include "plan/record.h"

enum { MAX_SIDE = 4096, MAX_CHANNELS = 4096 };

fovea_tensor fovea_add_input(fovea_graph *graph, int channels, int height, int width) {
  return fovea_graph_add(graph, &fovea_op_input, &(fovea_node){.c = channels, .h = height, .w = width}, "");
}

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  (void)graph;
  if (node->c < 1 || node->h < 1 || node->w < 1 || node->c > MAX_CHANNELS || node->h > MAX_SIDE || node->w > MAX_SIDE)
    return fovea_fail(FOVEA_INVALID, "input: %dx%dx%d is not a shape of at most %d channels and %d pixels a side",
                      node->c, node->h, node->w, MAX_CHANNELS, MAX_SIDE);
  return FOVEA_OK;
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_record *r = fovea_plan_record(plan, "input.cl", "", "input_forward");
  fovea_record_buffer(plan, r, "bytes", fovea_plan_pixels(plan));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "x", fovea_plan_output(plan, node));
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_shared_range(plan, r, (size_t)(n->c * n->h * n->w), 1);
  fovea_record_cost(r, 0, 5.0 * n->c * n->h * n->w * fovea_plan_batch(plan));
}

FOVEA_OP(input, .group = "data in", .infer = infer, .forward = forward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("channels", INT, c, 1), FOVEA_ATTRIBUTE("height", INT, h, 8),
                                        FOVEA_ATTRIBUTE("width", INT, w, 8)));
