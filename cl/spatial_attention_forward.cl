/* A spatial attention's scale in one launch, as spatial_attention.cl and conv2d.cl make it in two, for a CPU whose
 * units each have a block of images: a work-item has all pixels of V images.
 *
 * Layout: a [C][pixels][N]; w [1][2][R][S]; b [1]; pooled [2][pixels][N]; s [pixels][N].
 * Canonical order: spatial_attention.cl's, then conv2d.cl's, of 'same' padding.
 *
 * Macros: those of conv2d.clh, for the convolution to one channel, ACTIVATION its sigmoid. */
#include "conv2d.clh"
#include "spatial_attention.clh"

__kernel void spatial_attention_forward(__global const float *restrict a_base, const ulong a_offset,
                                        __global const float *restrict w_base, const ulong w_offset,
                                        __global const float *restrict b_base, const ulong b_offset,
                                        __global float *pooled_base, const ulong pooled_offset, __global float *s_base,
                                        const ulong s_offset, const int n, const int c_count, const int h,
                                        const int w_size) {
  const int pixels = h * w_size, at[TK] = {0};
  const size_t images = vplace(0, first_image(0), pixels), channel = (size_t)pixels * n;
  __global float *pooled = pooled_base + pooled_offset + images, *s = s_base + s_offset + images;
  pool_pixels(0, pixels, a_base + a_offset + images, channel, c_count, pooled);
  for (int oh = 0; oh < h; oh++)
    convolve_row(pooled, channel, 2, h, w_size, w_base + w_offset, at, R * S, b_base + b_offset, 0,
                 s + (size_t)oh * w_size * LANES, channel, 1, w_size, oh, R / 2, S / 2);
}
