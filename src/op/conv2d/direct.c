/* Convolutions as direct sums (cl/conv2d.cl, cl/conv2d_transpose.cl). Tiles are how a device's registers are used; they
 * never change a result. */
#include <stdio.h>

#include "op/conv2d/weights.h"

/* Filters divide the count where they can: the seed's channels are multiples of 5. */
static int most_filters(int filters) { return filters % 5 == 0 ? 5 : filters < 4 ? filters : 4; }

/* Accumulators are filters x pixels x (vector / native) registers; AVX2 has 16, AVX-512 and Arm's SIMD 32. */
static fovea_tile cpu_tile(const fovea_tuning *t, int filters, int columns) {
  fovea_tile best = {.vector = t->vector, .filters = most_filters(filters), .pixels = t->native >= 16 ? 4 : 1};
  if (best.filters < 3 && best.pixels < 4) best.pixels = 4 / best.filters;
  if (best.pixels > columns) best.pixels = columns;
  return best;
}

/* Those that fill a part of the registers that makes sense: 8 sums hide an fma's latency, AVX2 has 14 registers for
 * them beside the operands. */
static fovea_tile_list cpu_tiles(const fovea_tuning *t, int filters, int columns) {
  fovea_tile_list list = {0};
  fovea_tile_add(&list, cpu_tile(t, filters, columns));
  for (int vector = t->vector; vector >= t->native; vector /= 2)
    for (int f = filters < 8 ? filters : 8; f > 0; f--)
      for (int pixels = 1; pixels <= 8; pixels++) {
        const int sums = f * pixels * vector / t->native;
        if (sums < 8 || sums > (t->native == 8 ? 14 : 28) || (f == 1 && filters > 4)) continue;
        fovea_tile_add(&list, (fovea_tile){.vector = vector, .filters = f, .pixels = pixels});
      }
  return list;
}

/* The rows and the tiles of a row, along the range's third axis; a transposed one's have columns STRIDE apart. */
static int gpu_places(const fovea_conv_shape *s, bool transposed, int pixels) {
  const int apart = transposed ? s->stride : 1;
  return s->oh * apart * fovea_ceil_div(s->ow, pixels * apart);
}

/* What a tile's products are for, of `count` things in tiles of `each`. */
static double used(int count, int each) { return (double)count / (fovea_ceil_div(count, each) * each); }

/* The largest tile, of what of it is used, with which there are work-items enough for all units. */
static fovea_tile gpu_tile(const fovea_plan *plan, const fovea_conv_shape *s, bool transposed) {
  const int most = most_filters(s->k), columns = fovea_ceil_div(s->ow, transposed ? s->stride : 1);
  fovea_tile best = {.vector = 1, .filters = 1, .pixels = 1};
  double largest = 1;
  for (int filters = most; filters > 0; filters = filters > 2 ? 2 : filters - 1)
    for (int pixels = 4; pixels > 0; pixels /= 2) {
      const double items =
          (double)fovea_plan_batch(plan) * fovea_ceil_div(s->k, filters) * gpu_places(s, transposed, pixels);
      const double size = filters * used(s->k, filters) * pixels * used(columns, pixels);
      if (items < fovea_conv_enough_items(plan) || size <= largest) continue;
      best.filters = filters, best.pixels = pixels, largest = size;
    }
  return best;
}

static fovea_tile_list gpu_tiles(const fovea_plan *plan, const fovea_conv_shape *s, bool transposed) {
  fovea_tile_list list = {0};
  const fovea_tile first = gpu_tile(plan, s, transposed);
  fovea_tile_add(&list, first);
  for (int filters = s->k < 8 ? s->k : 8; filters > 0; filters--)
    for (int pixels = 1; pixels <= 8 && filters * pixels <= 32; pixels *= 2)
      if (filters % 2 == 0 || filters == 5 || filters == 1)
        fovea_tile_add(&list, (fovea_tile){.vector = 1, .filters = filters, .pixels = pixels});
  for (int local = 16; local <= 256; local *= 2) {
    fovea_tile tile = first;
    tile.local = local;
    fovea_tile_add(&list, tile);
  }
  return list;
}

/* Both gathers take the same arguments: from [c][h][w] to [k][oh][ow]. */
void fovea_record_conv2d_direct(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w,
                                bool transposed, fovea_epilogue epilogue, fovea_view y, double flops) {
  const char *file = transposed ? "conv2d_transpose.cl" : "conv2d.cl";
  const char *kernel = transposed ? "conv2d_transpose_forward" : "conv2d_forward";
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const fovea_tile_list list = tuning->vector == 1 ? gpu_tiles(plan, s, transposed) : cpu_tiles(tuning, s->k, s->ow);
  const fovea_tile t = fovea_conv_tile(plan, kernel, s, &list);
  const int taps = s->kernel * s->kernel;
  const bool packed = taps > 1 && s->c >= 4 && s->k >= 4; /* few weights are read where they are: a launch less */
  if (packed)
    w = fovea_pack_weights(
        plan, s, w,
        &(fovea_weights){
            .packing = FOVEA_PACKED, .from_c = transposed, .filters = t.filters, .kg = 1, .elements = taps});
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DTP=%d -DPACKED=%d", t.vector, s->kernel,
           s->kernel, s->stride, t.filters, t.pixels, packed);
  fovea_epilogue_options(epilogue, options, sizeof options);
  fovea_record *r = fovea_plan_record(plan, file, options, kernel);
  fovea_record_conv_arguments(plan, r, s, x, w, epilogue, y);
  fovea_record_int(r, "wk", (transposed ? 1 : s->c) * taps);
  fovea_record_int(r, "wc", (transposed ? s->k : 1) * taps);
  const size_t vectors = (size_t)(fovea_plan_batch(plan) / t.vector), tiles = (size_t)fovea_ceil_div(s->k, t.filters);
  if (t.vector == 1)
    fovea_record_range(r, vectors, tiles, (size_t)gpu_places(s, transposed, t.pixels));
  else
    fovea_record_range(r, tiles, (size_t)s->oh, vectors);
  fovea_record_over_batch(r, t.vector == 1 ? 0 : 2);
  fovea_record_local(r, t.local);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
}
