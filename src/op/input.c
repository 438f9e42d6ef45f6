/* The images (cl/input.cl, and cl/augment.cl in training). */
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

static void augment_arguments(fovea_record *r, const fovea_node *n, const fovea_augmentation *a) {
  fovea_record_int(r, "h", n->h);
  fovea_record_int(r, "w", n->w);
  fovea_record_int(r, "shift", a->shift);
  fovea_record_int(r, "edge", a->fill == FOVEA_FILL_EDGE);
  fovea_record_int(r, "flips", (int)a->flip);
  fovea_record_int(r, "crop", a->crop);
  fovea_record_float(r, "contrast", (float)a->contrast);
  fovea_record_float(r, "brightness", (float)a->brightness);
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  const fovea_augmentation *a = fovea_plan_augmentation(plan);
  fovea_record *r = fovea_plan_record(plan, a ? "augment.cl" : "input.cl", "", a ? "augment_forward" : "input_forward");
  fovea_record_buffer(plan, r, "bytes", fovea_plan_pixels(plan));
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "x", fovea_plan_output(plan, node));
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "c", n->c);
  if (a)
    augment_arguments(r, n, a);
  else
    fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_shared_range(plan, r, (size_t)(n->c * n->h * n->w), 1);
  fovea_record_cost(r, 0, 5.0 * n->c * n->h * n->w * fovea_plan_batch(plan));
}

FOVEA_OP(input, .group = "data in", .infer = infer, .forward = forward,
         .attributes = FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("channels", INT, c, 1), FOVEA_ATTRIBUTE("height", INT, h, 8),
                                        FOVEA_ATTRIBUTE("width", INT, w, 8)));
