/* Which of Winograd's algorithms a convolution gets, and the tiles that its image has. */
#include <stdio.h>

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
fovea_filtering fovea_winograd_filtering(const fovea_conv_shape *s, bool backward_data) {
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
  const fovea_filtering f = fovea_winograd_filtering(s, backward_data);
  const int step = f.transposed ? 2 : 1; /* the four outputs of a transposed one's input have nine taps together */
  const int h = from_first(f, s->oh, s->top), w = from_first(f, s->ow, s->left);
  const int direct = 9 * fovea_ceil_div(h, step) * fovea_ceil_div(w, step);
  return 4 * products(f, s) <= 3 * direct;
}

/* Which of cl/weights.cl's products with G. */
static int step_of(fovea_filtering f, const fovea_conv_shape *s) {
  enum { OUTPUTS_4, OUTPUTS_2, STRIDE_2, TRANSPOSED_2 };
  if (s->stride == 2) return f.transposed ? TRANSPOSED_2 : STRIDE_2;
  return f.outputs == 4 ? OUTPUTS_4 : OUTPUTS_2;
}

fovea_view fovea_winograd_weights(fovea_plan *plan, fovea_filtering f, const fovea_conv_shape *s, fovea_view w,
                                  fovea_packing packing, int filters, int kg, bool backward_data) {
  return fovea_pack_weights(plan, s, w,
                            &(fovea_weights){.packing = packing,
                                             .from_c = backward_data,
                                             .filters = filters,
                                             .kg = kg,
                                             .step = step_of(f, s),
                                             .elements = f.filter_elements * f.filter_elements});
}
