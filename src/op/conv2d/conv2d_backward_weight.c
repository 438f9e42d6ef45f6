/* Weight gradients as direct sums: on a GPU (cl/conv2d_backward_weight.cl), on a CPU of few channels or filters
 * (cl/conv2d_backward_weight_few.cl), and of dense layers (cl/dense_backward_weight.cl). Tiles never change a result.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "op/conv2d/conv2d.h"
#include "op/conv2d/final_sum.h"

enum { LANES = 16 };

int fovea_levels(int batch) {
  int levels = 1;
  while (batch / LANES >> levels) levels++;
  return levels;
}

static size_t weights_of(const fovea_conv_shape *s) {
  return (size_t)s->k * (size_t)s->c * (size_t)(s->kernel * s->kernel);
}

/* --- a CPU, few channels or filters ------------------------------------------------------------------------------- */

/* TK * S accumulators of a register each, S columns of x and one of dy: on AVX2 3 filters and 2 channels are fastest
 * (17.3 ms for 85 to 25 channels at 28x28, 4 filters 28, for want of registers for the pointers). A 1x1 kernel has
 * enough sums only with many filters, a wide one with one. */
static fovea_tile_list few_tiles(const fovea_tuning *tuning, const fovea_conv_shape *s) {
  fovea_tile_list list = {0};
  const int registers = tuning->native == 16 ? 24 : 15;
  fovea_tile first = {.vector = tuning->native, .channels = 2};
  first.filters = s->kernel >= 5 ? 1 : s->kernel == 1 ? 8 : tuning->native == 16 ? 4 : 3;
  if (first.filters > s->k) first.filters = s->k;
  fovea_tile_add(&list, first);
  for (int filters = s->k < 8 ? s->k : 8; filters > 1; filters--)
    for (int channels = 2; channels <= 8 && filters * s->kernel <= registers; channels *= 2)
      fovea_tile_add(&list, (fovea_tile){.vector = tuning->native, .filters = filters, .channels = channels});
  return list;
}

static void record_few(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy, fovea_view dw) {
  const fovea_tile_list list = few_tiles(&fovea_plan_device(plan)->tuning, s);
  const fovea_tile t = fovea_conv_tile(plan, "conv2d_backward_weight_few", s, &list);
  const size_t levels = (size_t)fovea_levels(fovea_plan_batch(plan));
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DCB=%d", t.vector, s->kernel, s->kernel,
           s->stride, t.filters, t.channels);
  fovea_record *r = fovea_plan_record(plan, "conv2d_backward_weight_few.cl", options, "conv2d_backward_weight_few");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "levels", fovea_plan_new(plan, levels * weights_of(s)));
  fovea_record_view(plan, r, "dw", dw);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_range(r, (size_t)fovea_ceil_div(s->k, t.filters), (size_t)fovea_ceil_div(s->c, t.channels), 1);
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
}

/* --- a GPU -------------------------------------------------------------------------------------------------------- */

/* WARPS of 32 work-items keep a large GPU busy, ITEM_FLOPS a work-item short. VALUES, sums and what is loaded at a
 * time, are in registers: at most 128 of NVIDIA's and of AMD's gfx1100, about that of gfx90a. */
enum { WARPS = 528, WARP = 32, ITEM_FLOPS = 65536, SUMS = 48, VALUES = 65, MOST_PIXELS = 28, MOST_LOCAL = 256 };

static int tiles_of(const fovea_conv_shape *s, const fovea_tile *t) {
  return fovea_ceil_div(s->k, t->filters) * fovea_ceil_div(s->c, t->channels) * s->kernel;
}

/* As many pixels at a time as registers allow, since their loads wait together; but equal pieces of a row. */
static int pixels_of(const fovea_conv_shape *s, int filters, int channels) {
  const int left = VALUES - filters * channels * s->kernel - channels * (s->kernel - s->stride);
  int most = left / (filters + channels * s->stride);
  most = most > MOST_PIXELS ? MOST_PIXELS : most < 2 ? 2 : most;
  return fovea_ceil_div(s->ow, fovea_ceil_div(s->ow, most));
}

/* A work-item's sums are in registers, and the offsets of its channels, floats, are ints. */
static bool tile_fits(const fovea_plan *plan, const fovea_conv_shape *s, int filters, int channels) {
  const double channel = fmax(s->h * s->w, s->oh * s->ow) * (double)fovea_plan_batch(plan);
  if (filters == 1 && channels == 1) return true;
  return filters <= s->k && channels <= s->c && filters * channels * s->kernel <= SUMS &&
         channel * fmax(filters, channels) < INT_MAX;
}

/* First the largest tile that leaves work-items enough, else the smallest; then the others, smaller pieces of a row,
 * and larger groups. */
static fovea_tile_list gpu_tiles(const fovea_plan *plan, const fovea_conv_shape *s) {
  static const int sizes[][2] = {{4, 4}, {4, 2}, {2, 4}, {8, 1}, {1, 8}, {2, 2},
                                 {4, 1}, {1, 4}, {2, 1}, {1, 2}, {1, 1}};
  const fovea_device *device = fovea_plan_device(plan);
  fovea_tile_list all = {0}, list = {0};
  const int most = (int)fovea_plan_most_items(plan, "conv2d_backward_weight");
  int best = -1, local = LANES;
  while (2 * local <= (int)device->tuning.group && 2 * local <= most) local *= 2;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    fovea_tile t = {.filters = sizes[i][0], .channels = sizes[i][1], .local = local};
    if (!tile_fits(plan, s, t.filters, t.channels)) continue;
    t.pixels = pixels_of(s, t.filters, t.channels);
    const double warps = (double)tiles_of(s, &t) * fovea_plan_batch(plan) / WARP;
    const double flops = 2.0 * t.filters * t.channels * s->kernel * s->oh * s->ow;
    if (best < 0 && warps >= WARPS && flops <= ITEM_FLOPS) best = all.count;
    fovea_tile_add(&all, t);
  }
  fovea_tile_add(&list, all.tiles[best < 0 ? all.count - 1 : best]);
  for (int i = 0; i < all.count; i++) fovea_tile_add(&list, all.tiles[i]);
  for (int i = 0; i < all.count; i++) {
    fovea_tile t = all.tiles[i];
    t.pixels = fovea_ceil_div(t.pixels, 2);
    fovea_tile_add(&list, t);
    for (t = all.tiles[i], t.local *= 2; t.local <= MOST_LOCAL && t.local <= most; t.local *= 2)
      fovea_tile_add(&list, t);
  }
  return list;
}

/* How the batch is divided: work-groups have `side` blocks of images at once, `serial` times. */
typedef struct division {
  int side, serial, parts;
} division;

static int levels_of(int serial) { return serial > 1 ? fovea_levels(serial * LANES) : 0; }

/* A launch of few groups has several blocks in each, and often no reduction; parts have no more partial sums than what
 * they are sums of, nor than there is memory for. */
static division divide(const fovea_plan *plan, const fovea_conv_shape *s, const fovea_tile *t) {
  enum { FEW_TILES = 256 };
  const int batch = fovea_plan_batch(plan), blocks = batch / LANES;
  const double values = fovea_conv_bytes(plan, s) / 4, room = (double)fovea_plan_workspace(plan);
  division d = {.side = 1, .serial = 1};
  while (2 * d.side <= t->local / LANES && d.side < blocks && tiles_of(s, t) <= FEW_TILES) d.side *= 2;
  for (;; d.serial *= 2) {
    d.parts = fovea_ceil_div(blocks, d.side * d.serial);
    const double sums = (double)weights_of(s) * d.parts;
    if (d.parts == 1 || (sums <= values && sums * (1 + levels_of(d.serial)) <= room)) return d;
  }
}

static void record_gpu(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy, fovea_view dw) {
  const fovea_tile_list list = gpu_tiles(plan, s);
  const fovea_tile t = fovea_conv_tile(plan, "conv2d_backward_weight", s, &list);
  const division d = divide(plan, s, &t);
  const int levels = levels_of(d.serial);
  const fovea_view out = d.parts > 1 ? fovea_sums_new(plan, (size_t)d.parts * weights_of(s)) : dw;
  char options[140];
  snprintf(options, sizeof options, "-DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DTC=%d -DP=%d -DREST=%d -DSUBS=%d", s->kernel,
           s->kernel, s->stride, t.filters, t.channels, t.pixels, s->ow % t.pixels, t.local / LANES);
  fovea_record *r = fovea_plan_record(plan, "conv2d_backward_weight.cl", options, "conv2d_backward_weight");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "levels", levels ? fovea_plan_new(plan, (size_t)(d.parts * levels) * weights_of(s)) : out);
  fovea_record_view(plan, r, "out", out);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "side", d.side);
  fovea_record_int(r, "serial", d.serial);
  fovea_record_int(r, "level_count", levels);
  fovea_record_groups(r, (size_t)t.local, (size_t)fovea_ceil_div(tiles_of(s, &t), t.local / LANES / d.side),
                      (size_t)d.parts, 1);
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
  fovea_record_alike(plan, r, s->c + s->k);
  const int count = (int)weights_of(s);
  if (d.parts > 1) fovea_record_final_sum(plan, out, count, (fovea_sum_strides){1, count, d.parts}, dw);
}

/* --- dense layers ------------------------------------------------------------------------------------------------- */

/* A GPU's: rows of b a work-item, each of which has `levels` sums that wait. */
static fovea_tile_list dense_tiles(int a, int b, int levels) {
  fovea_tile_list list = {0};
  const int most = levels <= 5 ? 4 : 2; /* 8 spill on AMD's gfx1100 */
  int first = most;
  while (first > 1 && (first > b || fovea_ceil_div(a, WARP) * fovea_ceil_div(b, first) < WARPS)) first /= 2;
  fovea_tile_add(&list, (fovea_tile){.filters = first});
  for (int rows = most; rows > 0; rows /= 2)
    if (rows <= b) fovea_tile_add(&list, (fovea_tile){.filters = rows});
  return list;
}

/* A CPU's: as many rows of b as leave its units enough work-items. */
static int dense_rows(const fovea_device *device, int a, int b) {
  enum { ITEMS = 4 };
  const int wanted = ITEMS * (int)device->info.compute_units;
  const int pieces = fovea_ceil_div(wanted, fovea_ceil_div(a, LANES));
  return fovea_ceil_div(b, pieces);
}

static void record_dense(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy, fovea_view dw) {
  enum { COARSE = 4 }; /* so that few programs serve all batches */
  const fovea_device *device = fovea_plan_device(plan);
  const bool gpu = device->tuning.vector == 1, x_first = s->c >= s->k;
  const int a = x_first ? s->c : s->k, b = x_first ? s->k : s->c;
  const int fours = fovea_ceil_div(fovea_plan_batch(plan), 4 * LANES);
  const int levels = fovea_ceil_div(fovea_levels(fours * LANES) - 1, COARSE) * COARSE + 1;
  const fovea_tile_list list = dense_tiles(a, b, levels);
  fovea_tile t = {0};
  char options[40] = "";
  if (gpu) {
    t = fovea_conv_tile(plan, "dense_backward_weight", s, &list);
    snprintf(options, sizeof options, "-DTB=%d -DLEVELS=%d", t.filters, levels);
  }
  fovea_record *r = fovea_plan_record(plan, "dense_backward_weight.cl", options, "dense_backward_weight");
  fovea_record_view(plan, r, "a", x_first ? x : dy);
  fovea_record_view(plan, r, "b", x_first ? dy : x);
  fovea_record_view(plan, r, "dw", dw);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "a", a);
  fovea_record_int(r, "b", b);
  fovea_record_int(r, "a_stride", x_first ? 1 : s->c);
  fovea_record_int(r, "b_stride", x_first ? s->c : 1);
  if (gpu) {
    const size_t most = fovea_plan_most_items(plan, "dense_backward_weight");
    const size_t local = device->tuning.group < most ? device->tuning.group : most;
    fovea_record_groups(r, local, ((size_t)a + local - 1) / local, (size_t)fovea_ceil_div(b, t.filters), 1);
  } else {
    const int rows = dense_rows(device, a, b);
    fovea_record_int(r, "rows", rows);
    fovea_record_range(r, (size_t)fovea_ceil_div(a, LANES), (size_t)fovea_ceil_div(b, rows), 1);
  }
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
}

void fovea_record_direct_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                         fovea_view dw) {
  if (fovea_conv_is_dense(s))
    record_dense(plan, s, x, dy, dw);
  else if (fovea_plan_device(plan)->tuning.vector == 1)
    record_gpu(plan, s, x, dy, dw);
  else
    record_few(plan, s, x, dy, dw);
}
