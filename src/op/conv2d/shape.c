/* What the algorithms of a convolution share: its arguments, its cost, and how a tile is asked for. */
#include <stdio.h>
#include <string.h>

#include "op/conv2d/conv2d.h"

int fovea_same_padding(int n, int kernel, int stride) {
  int total = ((n + stride - 1) / stride - 1) * stride + kernel - n;
  return total > 0 ? total / 2 : 0;
}

fovea_tile fovea_conv_tile(fovea_plan *plan, const char *kernel, const fovea_conv_shape *s,
                           const fovea_tile_list *list) {
  char key[FOVEA_TILE_KEY];
  snprintf(key, sizeof key, "%s %dx%dx%d %dx%dx%d %dx%d s%d n%d", kernel, s->c, s->h, s->w, s->k, s->oh, s->ow,
           s->kernel, s->kernel, s->stride, fovea_plan_batch(plan));
  return fovea_plan_tile(plan, key, list);
}

/* Where registers are many: with two units for fma (Zen 5) five sums of a register each wait for each other. */
int fovea_filters_a_tile(const fovea_tuning *tuning, int k, int most) {
  const int step = k % 5 == 0 ? 5 : 4;
  if (tuning->native < 16) return step;
  int best = 2 * step;
  for (int filters = best + step; filters <= most; filters += step)
    if (fovea_ceil_div(k, filters) * filters <= fovea_ceil_div(k, best) * best) best = filters;
  return best;
}

fovea_tile_list fovea_product_tiles(const fovea_tuning *tuning, int k, int pixels, bool wide) {
  fovea_tile_list list = {0};
  const int first = k % 5 == 0 ? 5 : 4, most = tuning->native == 16 ? 20 : 12;
  if (wide) fovea_tile_add(&list, (fovea_tile){.filters = first, .channels = 4, .pixels = pixels});
  for (int times = 1; times <= 2; times++)
    fovea_tile_add(&list, (fovea_tile){.filters = first, .channels = first == 5 ? 2 : 3, .pixels = times * pixels});
  for (int filters = 3; filters <= 6; filters++)
    for (int channels = 2; channels <= 4; channels++)
      if (filters * channels >= 8 && filters * channels <= most)
        fovea_tile_add(&list, (fovea_tile){.filters = filters, .channels = channels, .pixels = pixels});
  return list;
}

double fovea_conv_enough_items(const fovea_plan *plan) {
  return 4.0 * 32 * fovea_plan_device(plan)->info.compute_units;
}

double fovea_conv_flops(const fovea_plan *plan, const fovea_conv_shape *s) {
  return 2.0 * s->k * s->c * s->oh * s->ow * s->kernel * s->kernel * fovea_plan_batch(plan);
}

double fovea_conv_bytes(const fovea_plan *plan, const fovea_conv_shape *s) {
  return 4.0 * fovea_plan_batch(plan) * ((double)s->c * s->h * s->w + (double)s->k * s->oh * s->ow);
}

void fovea_record_conv_shape(fovea_plan *plan, fovea_record *r, const fovea_conv_shape *s) {
  const int values[] = {fovea_plan_batch(plan), s->c, s->h, s->w, s->k, s->oh, s->ow, s->top, s->left};
  static const char *const names[] = {"n", "c", "h", "w", "k", "oh", "ow", "top", "left"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) fovea_record_int(r, names[i], values[i]);
}

void fovea_record_conv_arguments(fovea_plan *plan, fovea_record *r, const fovea_conv_shape *s, fovea_view x,
                                 fovea_view w, fovea_epilogue epilogue, fovea_view y) {
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "b", epilogue.bias ? *epilogue.bias : w);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "y", y);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "has_bias", epilogue.bias != NULL);
  fovea_record_int(r, "accumulate", epilogue.accumulate);
}

void fovea_epilogue_options(fovea_epilogue epilogue, char *options, size_t size) {
  const size_t length = strlen(options);
  if (epilogue.activation != FOVEA_LINEAR)
    snprintf(options + length, size - length, " -DACTIVATION=%d", (int)epilogue.activation);
}
