/* Winograd's convolutions on a GPU (cl/winograd_tiled.cl). Of a tile, `vector` is TC, the images whose sums a work-item
 * has, `filters` TK, `group` kg and `channels` CB. */
#include <stdio.h>
#include <string.h>

#include "op/conv2d/winograd.h"

/* A row of local memory has 20 floats: 16 images and what keeps rows in different banks. MOST_LOCAL, in floats: three
 * groups fit in 64 KiB. */
enum { LANES = 16, ROW = 20, WARP = 32, MOST_ITEMS = 256, MOST_LOCAL = 5 << 10, MOST_CHANNELS = 8 };

bool fovea_winograd_is_tiled(fovea_tile tile) { return tile.vector > 1; }

static int items_of(fovea_filtering f, fovea_tile t) { return f.elements * f.elements * (LANES / t.vector) * t.group; }

static int blocks_of(fovea_tile t, const fovea_conv_shape *s) { return fovea_ceil_div(s->k, t.filters * t.group); }

static int floats_of(fovea_filtering f, int channels) { return 2 * channels * f.elements * f.elements * ROW; }

/* As many channels at a time as `most` floats of local memory hold. */
static int channels_of(fovea_filtering f, int most) {
  int channels = most / floats_of(f, 1);
  return channels < MOST_CHANNELS ? channels : MOST_CHANNELS;
}

static double warps_of(const fovea_plan *plan, fovea_filtering f, fovea_tile t, const fovea_conv_shape *s) {
  const double groups = (double)fovea_winograd_tiles(f, s) * (fovea_plan_batch(plan) / LANES) * blocks_of(t, s);
  return groups * fovea_ceil_div(items_of(f, t), WARP);
}

/* Instructions that a tile's groups issue for each channel: products with what is around them, and 45 for a column or
 * row of inputs. */
static double instructions(fovea_filtering f, fovea_tile t, const fovea_conv_shape *s) {
  const double products = fovea_ceil_div(items_of(f, t), WARP) * (t.filters * t.vector + 20.0);
  return blocks_of(t, s) * (products + 45.0 * (f.inputs + f.elements) * LANES / WARP);
}

/* Whether a is to be preferred: if only one has warps enough for all units that one, if none the one with more of them,
 * else the one with fewer instructions. */
static bool is_better(const fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s, fovea_tile a,
                      fovea_tile b) {
  const double enough = fovea_conv_enough_items(plan) / WARP;
  const double some = warps_of(plan, f, a, s), others = warps_of(plan, f, b, s);
  if (some < enough || others < enough) return some > others;
  return instructions(f, a, s) < instructions(f, b, s);
}

/* Those of all numbers of filters and images whose groups the device allows, of each number of blocks the smallest. */
static fovea_tile_list all_tiles(fovea_filtering f, const fovea_conv_shape *s, int most, int channels) {
  fovea_tile_list list = {0};
  for (int filters = 5; filters >= 4; filters--)
    for (int images = LANES; images >= 4; images /= 2) {
      fovea_tile t = {.vector = images, .filters = filters, .channels = channels};
      const int parts = fovea_ceil_div(s->k, filters);
      for (int blocks = 1; blocks <= parts; blocks++) {
        t.group = fovea_ceil_div(parts, blocks);
        if (items_of(f, t) >= WARP && items_of(f, t) <= most) fovea_tile_add(&list, t);
      }
    }
  return list;
}

void fovea_winograd_add_tiled(const fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s,
                              fovea_tile_list *list) {
  const fovea_device_info *info = &fovea_plan_device(plan)->info;
  const size_t allowed = fovea_plan_most_items(plan, "winograd_tiled");
  const int most = allowed < MOST_ITEMS ? (int)allowed : MOST_ITEMS;
  const int room =
      info->local_memory / sizeof(float) < MOST_LOCAL ? (int)(info->local_memory / sizeof(float)) : MOST_LOCAL;
  const int channels = channels_of(f, room);
  if (channels == 0) return;
  const fovea_tile_list all = all_tiles(f, s, most, channels);
  if (all.count == 0) return;
  fovea_tile best = all.tiles[0];
  for (int i = 1; i < all.count; i++)
    if (is_better(plan, f, s, all.tiles[i], best)) best = all.tiles[i];
  fovea_tile_add(list, best);
  for (int i = 1; i <= channels; i++) {
    fovea_tile fewer = best;
    fewer.channels = i;
    fovea_tile_add(list, fewer);
  }
  for (int i = 0; i < all.count && list->count < FOVEA_MAX_TILES / 2; i++) fovea_tile_add(list, all.tiles[i]);
}

void fovea_record_winograd_tiled(fovea_plan *plan, fovea_filtering f, fovea_tile t, const fovea_conv_shape *s,
                                 fovea_view x, fovea_view w, bool backward_data, fovea_epilogue epilogue, fovea_view y,
                                 double flops) {
  const fovea_view u = fovea_winograd_weights(plan, f, s, w, FOVEA_TILED, t.filters, t.group, backward_data);
  const size_t groups = (size_t)fovea_winograd_tiles(f, s) * (size_t)(fovea_plan_batch(plan) / LANES);
  char options[120] = "";
  fovea_winograd_options(f, s, options, sizeof options);
  const size_t length = strlen(options);
  snprintf(options + length, sizeof options - length, " -DTK=%d -DTC=%d -DCB=%d", t.filters, t.vector, t.channels);
  fovea_epilogue_options(epilogue, options, sizeof options);
  fovea_record *r = fovea_plan_record(plan, "winograd_tiled.cl", options, "winograd_tiled");
  fovea_record_conv_arguments(plan, r, s, x, u, epilogue, y);
  fovea_record_int(r, "kg", t.group);
  fovea_record_groups(r, (size_t)items_of(f, t), groups, (size_t)blocks_of(t, s), 1);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
  fovea_record_products(
      r, (double)f.elements * f.elements * fovea_winograd_tiles(f, s) * s->c * s->k * fovea_plan_batch(plan));
}
