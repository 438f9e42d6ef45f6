/* A spatial attention's gradients but for its weights', as spatial_attention.cl and conv2d_transpose.cl compute them:
 * that by its input, with the convolution's in the same launch; and all in one launch, for a CPU whose compute units
 * each have a block of images, where a work-item has all pixels of V images.
 *
 * Layout: a, dy, da [C][N/16][pixels][16]; w [1][2][R][S]; pooled, dpooled [2][N/16][pixels][16]; s, dt
 *   [N/16][pixels][16].
 * Canonical order: spatial_attention.cl's and conv2d_transpose.cl's, of 'same' padding.
 *
 * Macros: NORMALIZED of spatial_attention.clh; those of conv2d_transpose.clh, for a convolution of one channel to two,
 * TK 2. */
#include "common/conv2d_transpose.clh"
#include "common/spatial_attention.clh"

static inline void place_filters(int at[TK]) {
  for (int k = 0; k < TK; k++) at[k] = min(k, 1) * R * S;
}

__kernel void spatial_attention_backward(__global const float *restrict a_base, const ulong a_offset,
                                         __global const float *restrict dy_base, const ulong dy_offset,
                                         __global const float *restrict s_base, const ulong s_offset,
                                         __global const float *restrict stats_base, const ulong stats_offset,
                                         __global const float *restrict gamma_base, const ulong gamma_offset,
                                         __global const uint *restrict state, __global const float *restrict w_base,
                                         const ulong w_offset, __global const float *restrict pooled_base,
                                         const ulong pooled_offset, __global float *dt_base, const ulong dt_offset,
                                         __global float *dpooled_base, const ulong dpooled_offset,
                                         __global float *da_base, const ulong da_offset, const int n, const int c_count,
                                         const int h, const int w_size, const int accumulate) {
  const int pixels = h * w_size;
  int at[TK];
  place_filters(at);
  const size_t images = vplace(0, first_image(0), pixels), channel = (size_t)pixels * n;
  const attention_gradient d =
      gradient_of_images(a_base + a_offset, dy_base + dy_offset, s_base + s_offset, stats_base + stats_offset,
                         gamma_base + gamma_offset, state, first_image(0), images);
  __global float *dt = dt_base + dt_offset + images, *dpooled = dpooled_base + dpooled_offset + images;
  differentiate_scale(0, pixels, d, channel, c_count, NULL, dt);
  for (int oh = 0; oh < h; oh++)
    convolve_row_transposed(dt, channel, 1, h, w_size, w_base + w_offset, at, 0, NULL, 0,
                            dpooled + (size_t)oh * w_size * LANES, channel, 2, w_size, oh, R / 2, S / 2, d.n0,
                            d.n_valid);
  differentiate_input(0, pixels, d, channel, c_count, pooled_base + pooled_offset + images, dpooled,
                      da_base + da_offset + images, accumulate);
}

/* The part after dt; a work-item has V images and a range of the pixels, of each of which it computes dpooled first. */
__kernel void spatial_attention_backward_input(
    __global const float *restrict a_base, const ulong a_offset, __global const float *restrict dy_base,
    const ulong dy_offset, __global const float *restrict s_base, const ulong s_offset,
    __global const float *restrict stats_base, const ulong stats_offset, __global const float *restrict gamma_base,
    const ulong gamma_offset, __global const uint *restrict state, __global const float *restrict w_base,
    const ulong w_offset, __global const float *restrict pooled_base, const ulong pooled_offset,
    __global const float *dt_base, const ulong dt_offset, __global float *dpooled_base, const ulong dpooled_offset,
    __global float *da_base, const ulong da_offset, const int n, const int c_count, const int h, const int w_size,
    const int accumulate) {
  const int pixels = h * w_size, end = range_end(pixels);
  int at[TK];
  place_filters(at);
  const size_t images = vplace(0, first_image(0), pixels), channel = (size_t)pixels * n;
  const attention_gradient d =
      gradient_of_images(a_base + a_offset, dy_base + dy_offset, s_base + s_offset, stats_base + stats_offset,
                         gamma_base + gamma_offset, state, first_image(0), images);
  __global const float *dt = dt_base + dt_offset + images;
  __global float *dpooled = dpooled_base + dpooled_offset + images;
  for (int p = range_begin(pixels); p < end; p++)
    convolve_pixels_transposed(dt, channel, 1, h, w_size, w_base + w_offset, at, 0, NULL, 0,
                               dpooled + (size_t)(p - p % w_size) * LANES, channel, 2, w_size, p / w_size, 0,
                               p % w_size, R / 2, S / 2, d.n0, d.n_valid);
  differentiate_input(range_begin(pixels), end, d, channel, c_count, pooled_base + pooled_offset + images, dpooled,
                      da_base + da_offset + images, accumulate);
}
