/* The 3x3 convolutions that are computed by Winograd's minimal filtering (cl/winograd.cl). */
#include <stdio.h>

#include "op/conv2d/conv2d.h"

/* A side: how many outputs a tile has, and elements, and how many elements a filter. */
typedef struct filtering {
  int outputs, elements, filter_elements;
  bool transposed; /* of stride 2 */
} filtering;

/* A side's outputs, with those of a transposed convolution's first tile that are before the image. */
static int from_first(filtering f, int outputs, int padding) { return f.transposed ? outputs + padding % 2 : outputs; }

static int tile_rows(filtering f, const fovea_conv_shape *s) {
  return fovea_ceil_div(from_first(f, s->oh, s->top), f.outputs);
}

static int tile_columns(filtering f, const fovea_conv_shape *s) {
  return fovea_ceil_div(from_first(f, s->ow, s->left), f.outputs);
}

/* Products of a filter and a channel: of tiles that are partly outside the image all of them. */
static int products(filtering f, const fovea_conv_shape *s) {
  return f.elements * f.elements * tile_rows(f, s) * tile_columns(f, s);
}

/* Of stride 1: 4 outputs where they save a quarter of the multiplications of 2. Below that they are hardly faster
 * (winograd.cl) and round worse. */
static filtering choose_filtering(const fovea_conv_shape *s, bool backward_data) {
  const filtering small = {2, 4, 4, false}, large = {4, 6, 6, false};
  const filtering strided = {2, 5, 4, false}, transposed = {4, 5, 4, true};
  if (s->stride == 2) return backward_data ? transposed : strided;
  return 4 * products(large, s) < 3 * products(small, s) ? large : small;
}

/* Decided by the shape alone, so that the bits are the same on every device. Where channels are few, or the image
 * hardly has tiles, the transforms cost more than they save; of stride 2 they have to save a quarter of the products.
 */
bool fovea_winograd_fits(const fovea_conv_shape *s, bool backward_data) {
  enum { LEAST_CHANNELS = 8, LEAST_SIDE = 6 };
  if (s->kernel != 3 || s->c < LEAST_CHANNELS || s->k < LEAST_CHANNELS || s->oh < LEAST_SIDE || s->ow < LEAST_SIDE)
    return false;
  if (s->stride == 1) return true;
  const filtering f = choose_filtering(s, backward_data);
  const int step = f.transposed ? 2 : 1; /* the four outputs of a transposed one's input have nine taps together */
  const int h = from_first(f, s->oh, s->top), w = from_first(f, s->ow, s->left);
  const int direct = 9 * fovea_ceil_div(h, step) * fovea_ceil_div(w, step);
  return 4 * products(f, s) <= 3 * direct;
}

/* Filters a tile and tiles a work-item: TK accumulators of V / native registers. The transformed inputs of CC channels,
 * odd in number as winograd.cl says, are up to 218 KiB, the sums up to 270. */
enum { MOST_FILTERS = 120 };

static int channels_at_a_time(filtering f) { return f.elements == 5 ? 139 : 97; }

static int most_tiles(int filters) { return MOST_FILTERS / filters; }

/* `groups`: at least, of work-items along the filters. */
static fovea_tile choose(int k, int filters, int groups, int local) {
  const int tiles = fovea_ceil_div(k, filters), least = fovea_ceil_div(tiles, most_tiles(filters));
  return (fovea_tile){
      .filters = filters, .group = fovea_ceil_div(tiles, groups > least ? groups : least), .local = local};
}

/* A GPU has all sums of its filters in registers, 16 to 36 of each: of two by 36 some spill on AMD's gfx1100. */
static fovea_tile_list winograd_tiles(const fovea_tuning *t, filtering f, int k) {
  fovea_tile_list list = {0};
  const int gpu = f.elements == 4 ? 4 : f.elements == 5 ? 2 : 1, most = f.elements == 4 ? 8 : 4;
  fovea_tile_add(&list, choose(k, t->vector == 1 ? gpu : fovea_filters_a_tile(t, k, 25), 1, 0));
  for (int local = 16; t->vector == 1 && local <= 256; local *= 2) fovea_tile_add(&list, choose(k, gpu, 1, local));
  for (int filters = t->native == 16 ? 10 : t->vector == 1 ? most : 6; filters >= 2; filters--)
    for (int groups = 1; groups <= (t->vector == 1 ? 1 : 4); groups *= 2)
      fovea_tile_add(&list, choose(k, filters, groups, 0));
  return list;
}

void fovea_record_winograd(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w, bool backward_data,
                           fovea_epilogue epilogue, fovea_view y, double flops) {
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const filtering f = choose_filtering(s, backward_data);
  const int elements = f.filter_elements * f.filter_elements;
  const fovea_tile_list list = winograd_tiles(tuning, f, s->k);
  const fovea_tile t = fovea_conv_tile(plan, "winograd", s, &list);
  const size_t tiles = (size_t)fovea_ceil_div(s->k, t.filters), batch = (size_t)fovea_plan_batch(plan);
  const int padded = (int)tiles * t.filters;
  char options[120];
  const int length =
      snprintf(options, sizeof options, "-DM=%d -DSTRIDE=%d -DTRANSPOSED=%d", f.outputs, s->stride, f.transposed);
  fovea_view u = fovea_plan_new(plan, (size_t)(elements * padded) * (size_t)s->c);
  fovea_record *r = fovea_plan_record(plan, "winograd_weights.cl", options, "winograd_weights");
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "u", u);
  fovea_record_int(r, "k", s->k);
  fovea_record_int(r, "c", s->c);
  fovea_record_int(r, "tk", t.filters);
  fovea_record_int(r, "backward_data", backward_data);
  fovea_record_range(r, (size_t)fovea_ceil_div(s->c * t.filters, tuning->vector), tiles, 1);
  fovea_record_prepacks_weights(plan, r);
  fovea_record_cost(r, 0, 4.0 * (9 + elements) * padded * s->c);

  snprintf(options + length, sizeof options - (size_t)length, " -DTK=%d -DKG=%d -DCC=%d", t.filters,
           most_tiles(t.filters), channels_at_a_time(f));
  fovea_epilogue_options(epilogue, options, sizeof options);
  r = fovea_plan_record(plan, "winograd.cl", options, "winograd");
  fovea_record_conv_arguments(plan, r, s, x, u, epilogue, y);
  fovea_record_int(r, "kg", t.group);
  const size_t places = (size_t)tile_rows(f, s) * (size_t)tile_columns(f, s);
  if (tuning->vector == 1)
    fovea_record_range(r, batch, tiles, places);
  else
    fovea_record_range(r, (size_t)fovea_ceil_div((int)tiles, t.group), places, batch / (size_t)tuning->vector);
  fovea_record_over_batch(r, tuning->vector == 1 ? 0 : 2);
  fovea_record_local(r, t.local);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
  fovea_record_products(r, (double)f.elements * f.elements * (double)places * s->c * s->k * (double)batch);
}

/* --- the weight gradient ------------------------------------------------------------------------------------------ */

/* TK x TC sums of a native vector each; the tiles of filters and of channels that a work-item takes, the rows of
 * elements, and the tiles of the image that it transforms at a time. */
typedef struct weight_tile {
  int filters, channels, filter_tiles, channel_tiles, rows, image;
} weight_tile;

enum { MOST_WEIGHT_CHANNELS = 44, MOST_WEIGHT_FILTERS = 30 };

static fovea_tile_list weight_tiles(const fovea_tuning *tuning, int k) {
  if (tuning->vector > 1) return fovea_product_tiles(tuning, k, 14, false);
  fovea_tile_list list = {0};
  for (int filters = 4; filters > 1; filters /= 2) /* four of each spill on AMD's gfx1100 */
    fovea_tile_add(&list, (fovea_tile){.filters = filters, .channels = 2, .pixels = 1});
  return list;
}

/* As few work-items as the device has units, if they are few: each goes over the whole batch, and the more channels it
 * has, the less often the output's gradient is transformed. */
static weight_tile choose_weights(const fovea_device *device, fovea_tile tile, int c, int k) {
  if (device->tuning.vector == 1) return (weight_tile){tile.filters, tile.channels, 1, 1, 1, 1};
  weight_tile t = {.filters = tile.filters, .channels = tile.channels, .rows = 4, .image = tile.pixels};
  const int units = (int)device->info.compute_units, channels = fovea_ceil_div(c, t.channels);
  const int filter_blocks = fovea_ceil_div(k, MOST_WEIGHT_FILTERS);
  int blocks = fovea_ceil_div(c, MOST_WEIGHT_CHANNELS);
  while (t.rows > 1 && filter_blocks * blocks * (4 / t.rows) % units != 0) t.rows /= 2;
  while (filter_blocks * blocks * (4 / t.rows) < units && channels / blocks > 4) blocks++;
  t.channel_tiles = fovea_ceil_div(channels, blocks);
  t.filter_tiles = fovea_ceil_div(fovea_ceil_div(k, t.filters), filter_blocks);
  return t;
}

void fovea_record_winograd_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                           fovea_view dw) {
  enum { LANES = 16 };
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const fovea_tile_list list = weight_tiles(tuning, s->k);
  const fovea_tile tile = fovea_conv_tile(plan, "winograd_backward_weight", s, &list);
  const weight_tile t = choose_weights(fovea_plan_device(plan), tile, s->c, s->k);
  const int filters = fovea_ceil_div(s->k, t.filters), channels = fovea_ceil_div(s->c, t.channels);
  fovea_view partial =
      fovea_plan_new(plan, 16 * (size_t)(filters * t.filters) * (size_t)(channels * t.channels) * (size_t)LANES);
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DTK=%d -DTC=%d -DKB=%d -DCB=%d -DT=%d", tuning->native, t.filters,
           t.channels, fovea_ceil_div(MOST_WEIGHT_FILTERS, t.filters), fovea_ceil_div(MOST_WEIGHT_CHANNELS, t.channels),
           t.image);
  fovea_record *r = fovea_plan_record(plan, "winograd_backward_weight.cl", options, "winograd_backward_weight");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "partial", partial);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "cb", t.channel_tiles);
  fovea_record_int(r, "kb", t.filter_tiles);
  fovea_record_int(r, "ib", t.rows);
  if (tuning->vector == 1)
    fovea_record_range(r, LANES, 4 * (size_t)filters, (size_t)channels);
  else
    fovea_record_range(r, 4 / (size_t)t.rows, (size_t)fovea_ceil_div(channels, t.channel_tiles),
                       (size_t)fovea_ceil_div(filters, t.filter_tiles));
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
  fovea_record_products(
      r, 16.0 * fovea_ceil_div(s->oh, 2) * fovea_ceil_div(s->ow, 2) * s->c * s->k * fovea_plan_batch(plan));

  r = fovea_plan_record(plan, "winograd_backward_weight.cl", options, "winograd_reduce_lanes");
  fovea_record_view(plan, r, "partial", partial);
  fovea_record_view(plan, r, "dw", dw);
  fovea_record_int(r, "c", s->c);
  fovea_record_int(r, "k", s->k);
  fovea_record_int(r, "count", s->k * s->c);
  fovea_record_flat(r, (size_t)s->k * (size_t)s->c);
  fovea_record_cost(r, 0, 4.0 * s->k * s->c * (16 * LANES + 9));
}
