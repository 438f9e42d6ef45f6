/* Winograd's weight gradient of a 3x3 convolution of stride 1 (cl/winograd_backward_weight.cl for a GPU,
 * cl/winograd_backward_weight_blocked.cl for a CPU). Which blocks of images a work-item takes never changes a bit: a
 * set of them is a subtree of the batch tree. */
#include <stdio.h>

#include "op/conv2d/conv2d.h"
#include "op/conv2d/final_sum.h"

enum { LANES = 16 };

/* Multiply-adds: 16 for each tile of 2 x 2 gradients. */
static double products(const fovea_plan *plan, const fovea_conv_shape *s) {
  return 16.0 * fovea_ceil_div(s->oh, 2) * fovea_ceil_div(s->ow, 2) * s->c * s->k * fovea_plan_batch(plan);
}

/* Of a set: the sums of blocks that wait in batch_tree_add. */
static int tree_levels(int set) {
  int levels = 1;
  while (1 << levels < set) levels++;
  return levels;
}

/* The set to take for a smaller one: a subtree of the batch tree has a power of two of its blocks, or its last. */
static int smaller_set(int set) {
  int smaller = 1;
  while (2 * smaller < set) smaller *= 2;
  return smaller;
}

/* --- on a CPU ----------------------------------------------------------------------------------------------------- */

enum { MOST_CHANNELS = 44, MOST_FILTERS = 30 };

/* Of a work-item: tiles of channels and of filters, those pairs of a channel and a filter, and blocks of images; how
 * many work-items there are along each. */
typedef struct work {
  int cb, kb, pairs, set;
  int c_items, k_items, sets;
} work;

/* Each unit has equally many work-items, if they are few: of as many images as there can be; of fewer channels only
 * where a batch is small, since the output's gradient is transformed for each. */
static work divide(const fovea_plan *plan, const fovea_conv_shape *s, fovea_tile tile) {
  const int units = (int)fovea_plan_device(plan)->info.compute_units, blocks = fovea_plan_batch(plan) / LANES;
  const int c_tiles = fovea_ceil_div(s->c, tile.channels), k_tiles = fovea_ceil_div(s->k, tile.filters);
  work w = {.set = blocks, .sets = 1};
  int along_c = fovea_ceil_div(s->c, MOST_CHANNELS);
  w.k_items = fovea_ceil_div(s->k, MOST_FILTERS);
  for (; w.set > 1 && along_c * w.k_items * w.sets % units != 0; w.sets = fovea_ceil_div(blocks, w.set))
    w.set = smaller_set(w.set);
  while (along_c * w.k_items * w.sets < units && c_tiles / along_c > 4) along_c++;
  w.cb = fovea_ceil_div(c_tiles, along_c), w.kb = fovea_ceil_div(k_tiles, w.k_items);
  w.c_items = fovea_ceil_div(c_tiles, w.cb), w.k_items = fovea_ceil_div(k_tiles, w.kb);
  w.pairs = fovea_ceil_div(w.cb * w.kb * tile.filters * tile.channels, LANES) * LANES;
  return w;
}

static void record_blocked(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy, fovea_view dw) {
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const fovea_tile_list list = fovea_product_tiles(tuning, s->k, 14, false);
  const fovea_tile t = fovea_conv_tile(plan, "winograd_backward_weight", s, &list);
  const work w = divide(plan, s, t);
  const size_t items = (size_t)w.c_items * (size_t)w.k_items * (size_t)w.sets, pairs = (size_t)w.pairs;
  const int levels = tree_levels(w.set);
  const fovea_view scratch = fovea_plan_new(plan, items * 80 * pairs);
  const fovea_view partial = fovea_sums_new(plan, items * (size_t)levels * 9 * pairs);
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DTK=%d -DTC=%d -DKB=%d -DCB=%d -DT=%d", tuning->native, t.filters,
           t.channels, fovea_ceil_div(MOST_FILTERS, t.filters), fovea_ceil_div(MOST_CHANNELS, t.channels), t.pixels);
  fovea_record *r =
      fovea_plan_record(plan, "winograd_backward_weight_blocked.cl", options, "winograd_backward_weight_blocked");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "scratch", scratch);
  fovea_record_view(plan, r, "partial", partial);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "cb", w.cb);
  fovea_record_int(r, "kb", w.kb);
  fovea_record_int(r, "pairs", w.pairs);
  fovea_record_int(r, "set", w.set);
  fovea_record_int(r, "levels", levels);
  fovea_record_range(r, (size_t)w.c_items, (size_t)w.k_items, (size_t)w.sets);
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
  fovea_record_products(r, products(plan, s));
  fovea_plan_multi_add(plan, FOVEA_MULTI_SUMS,
                       &(fovea_part){.from = partial,
                                     .to = dw,
                                     .values = {1, s->c, s->k, w.cb, w.kb, w.pairs, levels, w.c_items, w.k_items,
                                                w.sets, t.filters, t.channels},
                                     .items = w.c_items * w.k_items * w.pairs / tuning->vector,
                                     .bytes = 36.0 * s->k * s->c * (w.sets + 1)});
}

/* --- on a GPU ----------------------------------------------------------------------------------------------------- */

/* A tile: filters and channels a work-item, `group` work-items beside each other along the channels, `local` of a
 * work-group. Those that are beside each other along the filters are what is left of it: four work-items of 16 lanes
 * have a tile's four rows of elements, where there may be as many. */
static int along_filters(fovea_tile t) { return t.local < 64 ? 1 : t.local / (64 * t.group); }

static int groups_a_block(const fovea_conv_shape *s, fovea_tile t) {
  return fovea_ceil_div(s->k, t.filters * along_filters(t)) * fovea_ceil_div(s->c, t.channels * t.group);
}

/* 5 or 4, whichever takes fewer instructions: of a tile of the image some 11 for each filter and 45 besides. 6 of 2
 * channels spill on AMD's gfx1100. */
static int filters_an_item(int k) {
  return fovea_ceil_div(k, 5) * (11 * 5 + 45) <= fovea_ceil_div(k, 4) * (11 * 4 + 45) ? 5 : 4;
}

/* Whether the device has groups of `local` work-items and their local memory, 90 to 125 bytes each. */
static bool has_groups(const fovea_plan *plan, int local) {
  return (size_t)local <= fovea_plan_most_items(plan, "winograd_backward_weight") &&
         128 * (size_t)local <= fovea_plan_device(plan)->info.local_memory;
}

/* The largest of these tiles that leaves few of the device's units without a group. */
static fovea_tile gpu_tile(const fovea_plan *plan, const fovea_conv_shape *s) {
  const int units = (int)fovea_plan_device(plan)->info.compute_units;
  const int blocks = fovea_plan_batch(plan) / LANES, enough = 3 * units / (4 * blocks);
  fovea_tile t = {.filters = filters_an_item(s->k), .channels = 2, .group = 4, .local = 256};
  while (t.local > 16 && !has_groups(plan, t.local)) t.local /= 2;
  t.group = t.local >= 64 ? t.local / 64 : 1;
  if (t.local < 64) t.filters = 4, t.channels = 1; /* which ask for more inputs each */
  if (groups_a_block(s, t) < enough) t.channels = 1;
  while (t.group > 1 && groups_a_block(s, t) < enough) t.group /= 2, t.local /= 2;
  return t;
}

static fovea_tile_list gpu_tiles(const fovea_plan *plan, const fovea_conv_shape *s) {
  fovea_tile_list list = {0};
  fovea_tile_add(&list, gpu_tile(plan, s));
  for (int filters = 7; filters >= 4; filters--)
    for (int channels = filters < 6 ? 4 : 2; channels >= 1; channels--)
      for (int local = 256; local >= 64; local /= 2) {
        if (!has_groups(plan, local)) continue;
        fovea_tile t = {.filters = filters, .channels = channels, .group = local / 64, .local = local};
        if (t.channels > 2 && t.group > 1) t.group /= 2; /* as many inputs as gradients */
        fovea_tile_add(&list, t);
      }
  return list;
}

/* Blocks of images a group: more than one where that leaves 16 groups a unit, or memory is short. */
static int choose_set(const fovea_plan *plan, const fovea_conv_shape *s, fovea_tile t) {
  const int blocks = fovea_plan_batch(plan) / LANES, many = 16 * (int)fovea_plan_device(plan)->info.compute_units;
  const double groups = groups_a_block(s, t), weights = 9.0 * s->k * s->c;
  int set = 1;
  while (set < blocks &&
         (groups * fovea_ceil_div(blocks, 2 * set) >= many ||
          weights * fovea_ceil_div(blocks, set) * tree_levels(set) > (double)fovea_plan_workspace(plan)))
    set *= 2;
  return set < blocks ? set : blocks;
}

static void record_grouped(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy, fovea_view dw) {
  const fovea_tile_list list = gpu_tiles(plan, s);
  const fovea_tile t = fovea_conv_tile(plan, "winograd_backward_weight", s, &list);
  const int sk = along_filters(t), set = choose_set(plan, s, t), levels = tree_levels(set);
  const int count = 9 * s->k * s->c, sets = fovea_ceil_div(fovea_plan_batch(plan) / LANES, set);
  const fovea_view partial = fovea_sums_new(plan, (size_t)count * (size_t)(sets * levels));
  char options[120];
  snprintf(options, sizeof options, "-DGROUP=%d -DTK=%d -DTC=%d -DSK=%d -DSC=%d", t.local, t.filters, t.channels, sk,
           t.group);
  fovea_record *r = fovea_plan_record(plan, "winograd_backward_weight.cl", options, "winograd_backward_weight");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "partial", partial);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "set", set);
  fovea_record_int(r, "levels", levels);
  fovea_record_groups(r, (size_t)t.local, (size_t)fovea_ceil_div(s->k, t.filters * sk),
                      (size_t)fovea_ceil_div(s->c, t.channels * t.group), (size_t)sets);
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));
  fovea_record_products(r, products(plan, s));
  fovea_record_final_sum(plan, partial, count, (fovea_sum_strides){1, levels * count, sets}, dw);
}

void fovea_record_winograd_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                           fovea_view dw) {
  if (fovea_plan_device(plan)->tuning.vector > 1)
    record_blocked(plan, s, x, dy, dw);
  else
    record_grouped(plan, s, x, dy, dw);
}
