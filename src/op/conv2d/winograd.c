/* The 3x3 convolutions that are computed by Winograd's minimal filtering (cl/winograd.cl). */
#include <stdio.h>
#include <string.h>

#include "op/conv2d/winograd.h"

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

void fovea_record_winograd(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w, bool backward_data,
                           fovea_epilogue epilogue, fovea_view y, double flops) {
  const int vector = fovea_plan_device(plan)->tuning.vector;
  const fovea_filtering f = fovea_winograd_filtering(s, backward_data);
  const fovea_tile_list list = winograd_tiles(plan, f, s);
  const fovea_tile t = fovea_conv_tile(plan, "winograd", s, &list);
  if (fovea_winograd_is_tiled(t)) {
    fovea_record_winograd_tiled(plan, f, t, s, x, w, backward_data, epilogue, y, flops);
    return;
  }
  const size_t tiles = (size_t)fovea_ceil_div(s->k, t.filters), batch = (size_t)fovea_plan_batch(plan);
  const fovea_view u = fovea_winograd_weights(plan, f, s, w, FOVEA_WINOGRAD, t.filters, 1, backward_data);
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
