/* The images; plan.c records cl/input.cl for it. */
#include "base/fail.h"
#include "op/op.h"

enum { MAX_SIDE = 4096, MAX_CHANNELS = 4096 };

static fovea_status infer(const fovea_graph *graph, fovea_node *node) {
  (void)graph;
  if (node->c < 1 || node->h < 1 || node->w < 1 || node->c > MAX_CHANNELS || node->h > MAX_SIDE || node->w > MAX_SIDE)
    return fovea_fail(FOVEA_INVALID, "input: %dx%dx%d is not a shape of at most %d channels and %d pixels a side",
                      node->c, node->h, node->w, MAX_CHANNELS, MAX_SIDE);
  return FOVEA_OK;
}

const fovea_op fovea_op_input = {"input", infer, NULL, NULL,
                                 FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("channels", INT, c),
                                                  FOVEA_ATTRIBUTE("height", INT, h), FOVEA_ATTRIBUTE("width", INT, w))};
