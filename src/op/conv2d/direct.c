/* Convolutions as direct sums (cl/conv2d.cl, cl/conv2d_transpose.cl). Tiles are how a device's registers are used; they
 * never change a result. */
#include <stdio.h>

#include "op/conv2d/conv2d.h"

/* Accumulators are filters x pixels x (vector / native) registers; AVX2 has 16, AVX-512 and Arm's SIMD 32, and a GPU
 * many. Filters divide the count where they can: the seed's channels are multiples of 5. */
static fovea_tile conv_tile(const fovea_tuning *t, int filters, int columns) {
  fovea_tile best = {.vector = t->vector, .filters = filters % 5 == 0 ? 5 : filters < 4 ? filters : 4, .pixels = 1};
  if (t->vector == 1 || t->native >= 16) best.pixels = 4;
  if (best.filters < 3 && best.pixels < 4) best.pixels = 4 / best.filters;
  if (best.pixels > columns) best.pixels = columns;
  return best;
}

/* Those that fill a part of the registers that makes sense: 8 sums hide an fma's latency, AVX2 has 14 registers for
 * them beside the operands. A GPU's work-items are many, a few sums each are enough. */
static fovea_tile_list conv_tiles(const fovea_tuning *t, int filters, int columns) {
  fovea_tile_list list = {0};
  const fovea_tile first = conv_tile(t, filters, columns);
  const int most = t->vector == 1 ? 32 : t->native == 8 ? 14 : 28, least = t->vector == 1 ? 4 : 8;
  fovea_tile_add(&list, first);
  for (int vector = t->vector; vector >= t->native; vector /= 2)
    for (int f = filters < 8 ? filters : 8; f > 0; f--)
      for (int pixels = 1; pixels <= 8; pixels++) {
        const int sums = f * pixels * vector / t->native;
        const bool odd = (f > 1 && f % 2 && f != 5) || (pixels > 1 && pixels % 2);
        if (sums < least || sums > most || (t->vector == 1 && odd) || (f == 1 && filters > 4)) continue;
        fovea_tile_add(&list, (fovea_tile){.vector = vector, .filters = f, .pixels = pixels});
      }
  for (int local = 16; t->vector == 1 && local <= 256; local *= 2) {
    fovea_tile tile = first;
    tile.local = local;
    fovea_tile_add(&list, tile);
  }
  return list;
}

static fovea_view pack(fovea_plan *plan, fovea_view w, int k, int c, int taps, int filters, bool transposed) {
  int count = fovea_ceil_div(k, filters) * filters * c * taps;
  fovea_view packed = fovea_plan_new(plan, (size_t)count);
  fovea_record *r = fovea_plan_record(plan, "pack.cl", "", "pack_weights");
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "packed", packed);
  fovea_record_int(r, "k", k);
  fovea_record_int(r, "c", c);
  fovea_record_int(r, "taps", taps);
  fovea_record_int(r, "tile", filters);
  fovea_record_int(r, "transposed", transposed);
  fovea_record_int(r, "count", count);
  fovea_record_flat(r, (size_t)count);
  fovea_record_prepacks_weights(plan, r);
  fovea_record_cost(r, 0, 8.0 * count);
  return packed;
}

/* Both gathers take the same arguments: from [c][h][w] to [k][oh][ow]. */
void fovea_record_conv2d_direct(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w,
                                bool transposed, fovea_epilogue epilogue, fovea_view y, double flops) {
  const char *file = transposed ? "conv2d_transpose.cl" : "conv2d.cl";
  const char *kernel = transposed ? "conv2d_transpose_forward" : "conv2d_forward";
  const fovea_tile_list list = conv_tiles(&fovea_plan_device(plan)->tuning, s->k, s->ow);
  const fovea_tile t = fovea_conv_tile(plan, kernel, s, &list);
  const int taps = s->kernel * s->kernel;
  const bool packed = taps > 1 && s->c >= 4 && s->k >= 4; /* few weights are read where they are: a launch less */
  if (packed) w = pack(plan, w, s->k, s->c, taps, t.filters, transposed);
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DTP=%d -DPACKED=%d", t.vector, s->kernel,
           s->kernel, s->stride, t.filters, t.pixels, packed);
  fovea_epilogue_options(epilogue, options, sizeof options);
  fovea_record *r = fovea_plan_record(plan, file, options, kernel);
  fovea_record_conv_arguments(plan, r, s, x, w, epilogue, y);
  fovea_record_int(r, "wk", (transposed ? 1 : s->c) * taps);
  fovea_record_int(r, "wc", (transposed ? s->k : 1) * taps);
  const size_t vectors = (size_t)(fovea_plan_batch(plan) / t.vector), rows = (size_t)s->oh;
  const size_t tiles = (size_t)fovea_ceil_div(s->k, t.filters);
  if (t.vector == 1)
    fovea_record_range(r, vectors, tiles, rows);
  else
    fovea_record_range(r, tiles, rows, vectors);
  fovea_record_over_batch(r, t.vector == 1 ? 0 : 2);
  fovea_record_local(r, t.local);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
}
