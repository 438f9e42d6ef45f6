#include "op/conv2d/weights.h"

/* A work-item has a filter of a channel, or on a CPU, of Winograd's, a vector of a tile's. */
static int items_of(const fovea_plan *plan, const fovea_conv_shape *s, const fovea_weights *p) {
  const int vector = p->packing == FOVEA_WINOGRAD ? fovea_plan_device(plan)->tuning.vector : 1;
  return fovea_ceil_div(s->k, p->filters * p->kg) * fovea_ceil_div(s->c * p->filters * p->kg, vector);
}

fovea_view fovea_pack_weights(fovea_plan *plan, const fovea_conv_shape *s, fovea_view w, const fovea_weights *p) {
  const int padded = fovea_ceil_div(s->k, p->filters * p->kg) * p->filters * p->kg;
  const double size = (double)padded * s->c * p->elements;
  const fovea_view packed = fovea_plan_multi_new(plan, FOVEA_MULTI_WEIGHTS, (size_t)size);
  fovea_plan_multi_add(
      plan, FOVEA_MULTI_WEIGHTS,
      &(fovea_part){.from = w,
                    .to = packed,
                    .values = {p->packing, s->k, s->c, s->kernel, p->from_c, p->filters, p->step, p->kg},
                    .items = items_of(plan, s, p),
                    .bytes = 4.0 * (s->kernel * s->kernel + p->elements) * padded * s->c});
  return packed;
}
