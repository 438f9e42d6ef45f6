/* The 3x3 convolutions that are computed by Winograd's minimal filtering (cl/winograd.cl). */
#include <stdio.h>
#include <string.h>

#include "op/conv2d/winograd.h"

/* A side's outputs, with those of a transposed convolution's first tile that are before the image. */
static int from_first(fovea_filtering f, int outputs, int padding) {
  return f.transposed ? outputs + padding % 2 : outputs;
}

static int tile_rows(fovea_filtering f, const fovea_conv_shape *s) {
  return fovea_ceil_div(from_first(f, s->oh, s->top), f.outputs);
}

static int tile_columns(fovea_filtering f, const fovea_conv_shape *s) {
  return fovea_ceil_div(from_first(f, s->ow, s->left), f.outputs);
}

int fovea_winograd_tiles(fovea_filtering f, const fovea_conv_shape *s) { return tile_rows(f, s) * tile_columns(f, s); }

void fovea_winograd_options(fovea_filtering f, const fovea_conv_shape *s, char *options, size_t size) {
  snprintf(options, size, "-DM=%d -DSTRIDE=%d -DTRANSPOSED=%d", f.outputs, s->stride, f.transposed);
}

/* Products of a filter and a channel: of tiles that are partly outside the image all of them. */
static int products(fovea_filtering f, const fovea_conv_shape *s) {
  return f.elements * f.elements * fovea_winograd_tiles(f, s);
}

/* Of stride 1: 4 outputs where they save a quarter of the multiplications of 2. Below that they are hardly faster
 * (winograd.cl) and round worse. */
static fovea_filtering choose_filtering(const fovea_conv_shape *s, bool backward_data) {
  const fovea_filtering small = {2, 4, 4, 4, false}, large = {4, 6, 6, 6, false};
  const fovea_filtering strided = {2, 5, 5, 4, false}, transposed = {4, 3, 5, 4, true};
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
  const fovea_filtering f = choose_filtering(s, backward_data);
  const int step = f.transposed ? 2 : 1; /* the four outputs of a transposed one's input have nine taps together */
  const int h = from_first(f, s->oh, s->top), w = from_first(f, s->ow, s->left);
  const int direct = 9 * fovea_ceil_div(h, step) * fovea_ceil_div(w, step);
  return 4 * products(f, s) <= 3 * direct;
}

/* Filters a tile and tiles a work-item: TK accumulators of V / native registers. The transformed inputs of CC channels,
 * odd in number as winograd.cl says, are up to 218 KiB, the sums up to 270. */
enum { MOST_FILTERS = 120 };

static int channels_at_a_time(fovea_filtering f) { return f.elements == 5 ? 139 : 97; }

static int most_tiles(int filters) { return MOST_FILTERS / filters; }

/* `groups`: at least, of work-items along the filters. */
static fovea_tile choose(int k, int filters, int groups) {
  const int tiles = fovea_ceil_div(k, filters), least = fovea_ceil_div(tiles, most_tiles(filters));
  return (fovea_tile){.filters = filters, .group = fovea_ceil_div(tiles, groups > least ? groups : least)};
}

/* A GPU's are winograd_tiled.c's; but where its work-groups are too small for those, a work-item has all sums of its
 * filters in registers, 16 to 36 of each: of two by 36 some spill on AMD's gfx1100. */
static fovea_tile_list winograd_tiles(const fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s) {
  const fovea_tuning *t = &fovea_plan_device(plan)->tuning;
  fovea_tile_list list = {0};
  if (t->vector == 1) {
    fovea_winograd_add_tiled(plan, f, s, &list);
    for (int filters = f.elements == 4 ? 4 : f.elements == 5 ? 2 : 1; filters > 0; filters /= 2)
      fovea_tile_add(&list, choose(s->k, filters, 1));
    return list;
  }
  fovea_tile_add(&list, choose(s->k, fovea_filters_a_tile(t, s->k, 25), 1));
  for (int filters = t->native == 16 ? 10 : 6; filters >= 2; filters--)
    for (int groups = 1; groups <= 4; groups *= 2) fovea_tile_add(&list, choose(s->k, filters, groups));
  return list;
}

static fovea_view transform_weights(fovea_plan *plan, fovea_filtering f, fovea_tile t, const fovea_conv_shape *s,
                                    fovea_view w, bool backward_data) {
  const int elements = f.filter_elements * f.filter_elements, tiles = fovea_ceil_div(s->k, t.filters);
  const int padded = tiles * t.filters, vector = fovea_plan_device(plan)->tuning.vector;
  char options[80];
  fovea_winograd_options(f, s, options, sizeof options);
  fovea_view u = fovea_plan_new(plan, (size_t)(elements * padded) * (size_t)s->c);
  fovea_record *r = fovea_plan_record(plan, "winograd_weights.cl", options, "winograd_weights");
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "u", u);
  fovea_record_int(r, "k", s->k);
  fovea_record_int(r, "c", s->c);
  fovea_record_int(r, "tk", t.filters);
  fovea_record_int(r, "backward_data", backward_data);
  fovea_record_range(r, (size_t)fovea_ceil_div(s->c * t.filters, vector), (size_t)tiles, 1);
  fovea_record_prepacks_weights(plan, r);
  fovea_record_cost(r, 0, 4.0 * (9 + elements) * padded * s->c);
  return u;
}

void fovea_record_winograd(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w, bool backward_data,
                           fovea_epilogue epilogue, fovea_view y, double flops) {
  const int vector = fovea_plan_device(plan)->tuning.vector;
  const fovea_filtering f = choose_filtering(s, backward_data);
  const fovea_tile_list list = winograd_tiles(plan, f, s);
  const fovea_tile t = fovea_conv_tile(plan, "winograd", s, &list);
  if (fovea_winograd_is_tiled(t)) {
    fovea_record_winograd_tiled(plan, f, t, s, x, w, backward_data, epilogue, y, flops);
    return;
  }
  const size_t tiles = (size_t)fovea_ceil_div(s->k, t.filters), batch = (size_t)fovea_plan_batch(plan);
  const fovea_view u = transform_weights(plan, f, t, s, w, backward_data);
  char options[120];
  fovea_winograd_options(f, s, options, sizeof options);
  const size_t length = strlen(options), places = (size_t)fovea_winograd_tiles(f, s);
  snprintf(options + length, sizeof options - length, " -DTK=%d -DKG=%d -DCC=%d", t.filters, most_tiles(t.filters),
           channels_at_a_time(f));
  fovea_epilogue_options(epilogue, options, sizeof options);
  fovea_record *r = fovea_plan_record(plan, "winograd.cl", options, "winograd");
  fovea_record_conv_arguments(plan, r, s, x, u, epilogue, y);
  fovea_record_int(r, "kg", t.group);
  if (vector == 1)
    fovea_record_range(r, batch, tiles, places);
  else
    fovea_record_range(r, (size_t)fovea_ceil_div((int)tiles, t.group), places, batch / (size_t)vector);
  fovea_record_over_batch(r, vector == 1 ? 0 : 2);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
  fovea_record_products(r, (double)f.elements * f.elements * (double)places * s->c * s->k * (double)batch);
}
