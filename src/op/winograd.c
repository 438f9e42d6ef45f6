/* The 3x3 convolutions that are computed by Winograd's minimal filtering (cl/winograd.cl). */
#include <stdio.h>

#include "op/op.h"

/* Decided by the shape alone, so that the bits are the same on every device. Where channels are few, or the image
 * hardly has tiles, the transforms cost more than they save. */
bool fovea_winograd_fits(const fovea_conv_shape *s) {
  enum { LEAST_CHANNELS = 8, LEAST_SIDE = 6 };
  return s->kernel == 3 && s->stride == 1 && s->c >= LEAST_CHANNELS && s->k >= LEAST_CHANNELS && s->oh >= LEAST_SIDE &&
         s->ow >= LEAST_SIDE;
}

/* Filters a tile, tiles a work-item and input channels at a time: TK accumulators of V / native registers and as many
 * transformed inputs; CC of those, 16 positions each, are the 16 KiB that a CPU's first cache holds beside the rest. */
typedef struct tile {
  int filters, group, channels;
} tile;

static tile choose(const fovea_tuning *t, int k) {
  const int filters = t->vector == 1 ? 4 : k % 5 == 0 ? 5 : 4, tiles = (k + filters - 1) / filters;
  return (tile){.filters = filters, .group = tiles < 8 ? tiles : 8, .channels = 16};
}

void fovea_record_winograd(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w, bool turned,
                           const fovea_view *bias, fovea_view y, bool accumulate) {
  const fovea_tuning *tuning = &fovea_plan_device(plan)->tuning;
  const tile t = choose(tuning, s->k);
  const size_t tiles = (size_t)((s->k + t.filters - 1) / t.filters), batch = (size_t)fovea_plan_batch(plan);
  const int padded = (int)tiles * t.filters;
  char options[80];
  snprintf(options, sizeof options, "-DTK=%d -DKG=%d -DCC=%d", t.filters, t.group, t.channels);
  fovea_view u = fovea_plan_new(plan, 16 * (size_t)padded * (size_t)s->c);
  fovea_record *r = fovea_plan_record(plan, "winograd.cl", options, "winograd_weights");
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "u", u);
  fovea_record_int(r, "k", s->k);
  fovea_record_int(r, "c", s->c);
  fovea_record_int(r, "turned", turned);
  fovea_record_int(r, "count", padded * s->c);
  fovea_record_flat(r, (size_t)padded * (size_t)s->c);

  r = fovea_plan_record(plan, "winograd.cl", options, "winograd");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "u", u);
  fovea_record_view(plan, r, "b", bias ? *bias : u);
  fovea_record_view(plan, r, "y", y);
  const int values[] = {(int)batch, s->c, s->h, s->w, s->k, s->oh, s->ow, s->top, s->left, bias != NULL, accumulate};
  static const char *const names[] = {"n", "c", "h", "w", "k", "oh", "ow", "top", "left", "has_bias", "accumulate"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) fovea_record_int(r, names[i], values[i]);
  const size_t rows = (size_t)(s->oh + 1) / 2, columns = (size_t)(s->ow + 1) / 2, group = (size_t)t.group;
  if (tuning->vector == 1)
    fovea_record_range(r, batch, tiles, rows * columns);
  else
    fovea_record_range(r, (tiles + group - 1) / group, rows, batch / (size_t)tuning->vector);
  /* as a direct convolution, so that the rates are comparable */
  fovea_record_cost(r, 2.0 * s->k * s->c * s->oh * s->ow * 9 * (double)batch,
                    4.0 * (double)batch * ((double)s->c * s->h * s->w + (double)s->k * s->oh * s->ow));
}
