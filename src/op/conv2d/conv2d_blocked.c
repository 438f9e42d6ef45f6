/* Convolutions on a CPU, where there are channels and filters enough for tiles of both: each work-item copies what it
 * is about to multiply (cl/conv2d_blocked.cl, cl/conv2d_backward_weight_blocked.cl). */
#include <math.h>
#include <stdio.h>

#include "op/conv2d/weights.h"

enum { LANES = 16 };

/* --- the gathers -------------------------------------------------------------------------------------------------- */

/* TK accumulators of V / native registers; MOST_K filters a work-item, whose sums that wait are up to 179 KiB; MOST
 * copies of V images, 48 KiB, are enough for a channel of 15 x 15 taps. */
enum { MOST_K = 50, MOST_POSITIONS = 14, MOST_COPIES = 768 };

/* One wide tile of all filters first, where it saves enough to be worth a program of its own. */
static fovea_tile_list gather_tiles(const fovea_tuning *tuning, const fovea_conv_shape *s) {
  enum { WIDEST = 15, LITTLE = 1 << 16 };
  fovea_tile_list list = {0};
  const double products = (double)s->c * s->k * s->kernel * s->kernel * fmin(s->h * s->w, s->oh * s->ow);
  const bool wide = s->k <= WIDEST && products >= LITTLE;
  fovea_tile_add(&list, (fovea_tile){.filters = wide            ? fovea_filters_a_tile(tuning, s->k, WIDEST)
                                                : s->k % 5 == 0 ? 5
                                                                : 4});
  for (int filters = tuning->native == 16 ? 15 : 6; filters >= 3; filters--)
    fovea_tile_add(&list, (fovea_tile){.filters = filters});
  return list;
}

void fovea_record_conv2d_blocked(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w,
                                 bool transposed, fovea_epilogue epilogue, fovea_view y, double flops) {
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const fovea_tile_list list = gather_tiles(tuning, s);
  const fovea_tile t = fovea_conv_tile(plan, transposed ? "conv2d_transpose_blocked" : "conv2d_blocked", s, &list);
  const int tiles = fovea_ceil_div(s->k, t.filters), most = (transposed ? MOST_K / 2 : MOST_K) / t.filters;
  const int group = fovea_ceil_div(tiles, fovea_ceil_div(tiles, most));
  const int rows = transposed ? (s->oh - 1 + s->top) / s->stride - s->top / s->stride + 1 : s->oh;
  const int columns = transposed ? (s->ow - 1 + s->left) / s->stride - s->left / s->stride + 1 : s->ow;
  const int parts = fovea_ceil_div(columns, MOST_POSITIONS), positions = fovea_ceil_div(columns, parts);
  char options[140];
  snprintf(options, sizeof options, "-DR=%d -DS=%d -DSTRIDE=%d -DTRANSPOSED=%d -DTK=%d -DKG=%d -DP=%d -DMOST=%d",
           s->kernel, s->kernel, s->stride, transposed, t.filters, most, MOST_POSITIONS, MOST_COPIES);
  fovea_epilogue_options(epilogue, options, sizeof options);
  const fovea_view packed = fovea_pack_weights(plan, s, w,
                                               &(fovea_weights){.packing = FOVEA_BLOCKED,
                                                                .from_c = transposed,
                                                                .filters = t.filters,
                                                                .kg = 1,
                                                                .step = transposed ? s->stride : 1,
                                                                .elements = s->kernel * s->kernel});
  fovea_record *r = fovea_plan_record(plan, "conv2d_blocked.cl", options, "conv2d_blocked");
  fovea_record_conv_arguments(plan, r, s, x, packed, epilogue, y);
  fovea_record_int(r, "kg", group);
  fovea_record_int(r, "positions", positions);
  fovea_record_range(r, (size_t)fovea_ceil_div(tiles, group), (size_t)(rows * fovea_ceil_div(columns, positions)),
                     (size_t)(fovea_plan_batch(plan) / tuning->vector));
  fovea_record_over_batch(r, 2);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
}

/* --- the weight gradient ------------------------------------------------------------------------------------------ */

void fovea_record_blocked_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                          fovea_view dw) {
  enum { MOST_CHANNELS = 30, MOST_FILTERS = 30, PIXELS = 28 };
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const fovea_tile_list list = fovea_product_tiles(tuning, s->k, PIXELS, tuning->native == 16);
  const fovea_tile t = fovea_conv_tile(plan, "conv2d_backward_weight_blocked", s, &list);
  const int filters = t.filters, channels = t.channels;
  const int k_tiles = fovea_ceil_div(s->k, filters), c_tiles = fovea_ceil_div(s->c, channels);
  const int kb = fovea_ceil_div(k_tiles, fovea_ceil_div(s->k, MOST_FILTERS));
  const int units = (int)fovea_plan_device(plan)->info.compute_units;
  int blocks = fovea_ceil_div(s->c, MOST_CHANNELS);
  while (fovea_ceil_div(k_tiles, kb) * blocks % units != 0 && c_tiles / blocks > 4) blocks++;
  const int cb = fovea_ceil_div(c_tiles, blocks);
  const int rb = fovea_ceil_div(k_tiles, kb) * fovea_ceil_div(c_tiles, cb) < units ? 1 : s->kernel;
  char options[160];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DTC=%d -DKB=%d -DCB=%d -DT=%d",
           tuning->native, s->kernel, s->kernel, s->stride, filters, channels, fovea_ceil_div(MOST_FILTERS, filters),
           fovea_ceil_div(MOST_CHANNELS, channels), t.pixels);
  fovea_record *r =
      fovea_plan_record(plan, "conv2d_backward_weight_blocked.cl", options, "conv2d_backward_weight_blocked");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  const size_t taps = (size_t)(s->kernel * s->kernel);
  const size_t sums = (size_t)(k_tiles * filters) * (size_t)(c_tiles * channels) * taps;
  fovea_record_view(plan, r, "partial", fovea_plan_new(plan, sums * LANES));
  fovea_record_view(plan, r, "levels", fovea_plan_new(plan, sums * (size_t)fovea_levels(fovea_plan_batch(plan))));
  fovea_record_view(plan, r, "dw", dw);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "rb", rb);
  fovea_record_int(r, "cb", cb);
  fovea_record_int(r, "kb", kb);
  fovea_record_range(r, (size_t)(s->kernel / rb), (size_t)fovea_ceil_div(c_tiles, cb),
                     (size_t)fovea_ceil_div(k_tiles, kb));
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
}
