/* A spatial attention's scale in one launch, as spatial_attention.cl and conv2d.cl compute it in two, for a CPU whose
 * compute units each have a block of images: a work-item has all pixels of V images. A batch normalization that reads
 * the attention's output can be fused, row by row, so that a is still in the second-level cache: with NORMALIZED, in an
 * evaluation, whose statistics are known before, its output, as batchnorm.cl computes it; with MEASURED, in training,
 * the moments from which batchnorm_statistics.cl computes its statistics (0.96 to 0.98 of the forward pass's time, Zen
 * 5).
 *
 * Layout: a, y [C][N/16][pixels][16]; w [1][2][R][S]; b [1]; pooled [2][N/16][pixels][16]; s [N/16][pixels][16]; stats,
 *   gamma, beta, blocks as in batchnorm.cl; rows [C][N/16][2][16], moments of each image.
 * Canonical order: spatial_attention.cl's, then conv2d.cl's, of 'same' padding, then batchnorm.cl's.
 *
 * Macros: those of conv2d.clh, for the convolution to one channel; NORMALIZED, 0 without it, ACTIVATION then y's;
 * MEASURED, 0 without it. */
#define EPILOGUE(v) vsigmoid(v)
#define SCALED 1
#include "common/conv2d.clh"
#include "common/moments.clh"
#include "common/reduce.clh"
#include "common/spatial_attention.clh"

#ifndef MEASURED
#define MEASURED 0
#endif

#if NORMALIZED
/* y of pixels p to end, of images n0 and on, of which n_valid are real. */
static inline void normalize_pixels(int p, int end, __global const float *a, __global const float *s,
                                    __global const float *stats, __global const float *gamma,
                                    __global const float *beta, size_t channel, int c_count, int n0, int n_valid,
                                    __global float *y) {
  for (int c = 0; c < c_count; c++, a += channel, y += channel) {
    const vfloat mean = (vfloat)(stats[c]), inv = (vfloat)(stats[c_count + c]);
    for (int i = p; i < end; i++) {
      const size_t at = (size_t)i * LANES;
      if (c + 1 < c_count) vprefetch(y + channel + at);
      const vfloat x = vload(a + at) * vload(s + at);
      const vfloat u = fma((vfloat)(gamma[c]), (x - mean) * inv, (vfloat)(beta[c]));
      vstore(vkeep(activate(u), n0, n_valid), y + at);
    }
  }
}
#endif

#if MEASURED
/* Merges the moments of row h of V images into those of the rows before it, rows [C][N/16][2][16], at the images; after
 * the last row, stores those of the block of images, blocks [C][N/16][2], at the block. */
static inline void measure_row(int h, int h_count, int w_size, __global const float *a, __global const float *s,
                               size_t channel, int n, int c_count, int images, __global float *rows,
                               __global float *blocks) {
  const merger k = merger_of(h, (float)w_size);
  for (int c = 0; c < c_count; c++, a += channel, rows += 2 * n, blocks += 2 * (n / LANES)) {
    moments m = row_moments(a, s, h, w_size);
    if (h > 0) {
      const moments before = {vload(rows), vload(rows + LANES)};
      m = merge_row(before, m, k);
    }
    vstore(m.mean, rows);
    vstore(m.squares, rows + LANES);
    if (h + 1 == h_count) store_block(m, images, (float)(h_count * w_size), true, blocks, NULL);
  }
}
#endif

__kernel void spatial_attention_forward(__global const float *restrict a_base, const ulong a_offset,
                                        __global const float *restrict w_base, const ulong w_offset,
                                        __global const float *restrict b_base, const ulong b_offset,
                                        __global const uint *restrict state, __global float *pooled_base,
                                        const ulong pooled_offset, __global float *s_base, const ulong s_offset,
#if MEASURED
                                        __global float *restrict rows_base, const ulong rows_offset,
                                        __global float *restrict blocks_base, const ulong blocks_offset,
#endif
#if NORMALIZED
                                        __global const float *restrict stats_base, const ulong stats_offset,
                                        __global const float *restrict gamma_base, const ulong gamma_offset,
                                        __global const float *restrict beta_base, const ulong beta_offset,
                                        __global float *restrict y_base, const ulong y_offset,
#endif
                                        const int n, const int c_count, const int h, const int w_size) {
  const int pixels = h * w_size, at[TK] = {0}, n0 = first_image(0), n_valid = (int)state[1];
  const size_t images = vplace(0, n0, pixels), channel = (size_t)pixels * n;
  __global const float *a = a_base + a_offset + images;
  __global float *pooled = pooled_base + pooled_offset + images, *s = s_base + s_offset + images;
  for (int oh = 0, pooled_rows = 0; oh < h; oh++) {
    const int needed = min(oh + R / 2 + 1, h);
    pool_pixels(pooled_rows * w_size, needed * w_size, a, channel, c_count, pooled);
    pooled_rows = needed;
    convolve_row(pooled, channel, 2, h, w_size, w_base + w_offset, at, R * S, b_base + b_offset, 0,
                 s + (size_t)oh * w_size * LANES, channel, 1, w_size, oh, R / 2, S / 2, n0, n_valid);
#if MEASURED
    measure_row(oh, h, w_size, a, s, channel, n, c_count, real_images(n0 / LANES, 1, n_valid),
                rows_base + rows_offset + vplace(0, n0, 2), blocks_base + blocks_offset + 2 * (n0 / LANES));
#endif
#if NORMALIZED
    normalize_pixels(oh * w_size, (oh + 1) * w_size, a, s, stats_base + stats_offset, gamma_base + gamma_offset,
                     beta_base + beta_offset, channel, c_count, n0, n_valid, y_base + y_offset + images);
#endif
  }
}
