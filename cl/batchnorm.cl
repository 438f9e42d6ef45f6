/* Batch normalization (Ioffe & Szegedy 2015), with the dropout and the activation that follow it fused:
 *
 *   xhat = (x - mean) * inv,  u = gamma * xhat + beta,  y = activation(dropout(u)),  inv = 1 / sqrt(var + epsilon)
 *
 * mean and the biased variance are a channel's over pixels and the n_valid real images. In evaluation they are the
 * moving ones and dropout is the identity.
 *
 *   g = dropout'(activation'(dy)),  dbeta = sum g,  dgamma = sum g * xhat,
 *   dx = gamma * inv * (g - dbeta / M - xhat * dgamma / M),  M = H * W * n_valid
 *
 * With SCALED a spatial attention before it is fused: x is not in memory but computed as a * s, the attention's input
 * and its scale [N/16][pixels][16]. The kernels of spatial_attention.cl then compute dx from g.
 *
 * Layout: x, y, dx, dy [C][N/16][H][W][16]; stats [4][C]: mean, inv, dbeta / M, dgamma / M; rows
 * [C][N/16][rows][2][16], one row of all pixels on a CPU, H rows on a GPU. Canonical order of the sums: an image's row
 * (c, h, n) first, for w; then the rows of an image, in order of h; then images: lanes and tree of reduce.clh. A row's
 * mean and its sum of squared deviations come from two sweeps while it is in the cache; rows are merged by Chan, Golub
 * & LeVeque 1983, as merge_row of batchnorm.clh writes it; images by their mean, then the sum of their sums and of
 * their means' squared deviations. state: src/net/internal.h.
 *
 * Padding images (vector.clh): y is 0, since x = 0 would become (beta - gamma * mean * inv); so is dx. xhat may be
 *   anything, so the sum of its products with g is masked.
 *
 * Software prefetch in _apply and _backward_sums: 0.85 of the time (Zen 4).
 *
 * Macros: SCALED, 0 without it; ACTIVATION and DROPOUT of activation.clh. */
#include "common/activation.clh"
#include "common/batchnorm.clh"
#include "common/reduce.clh"

#define AHEAD (32 * LANES)

/* One work-item per V images, four pixels and a channel. */
__kernel void batchnorm_apply(__global const float *restrict x_base, const ulong x_offset,
                              __global const float *restrict s_base, const ulong s_offset,
                              __global const float *restrict stats_base, const ulong stats_offset,
                              __global const float *restrict gamma_base, const ulong gamma_offset,
                              __global const float *restrict beta_base, const ulong beta_offset,
                              __global const uint *restrict state, __global float *restrict y_base,
                              const ulong y_offset, const int n, const int c_count, const int pixels,
                              const uint threshold, const float scale, const uint op) {
  const int n0 = first_image(0), c = (int)get_global_id(2), quads = (pixels + 3) / 4, n_valid = (int)state[1];
  const vfloat mean = (vfloat)(stats_base[stats_offset + c]), inv = (vfloat)(stats_base[stats_offset + c_count + c]);
  const vfloat gamma = (vfloat)(gamma_base[gamma_offset + c]), beta = (vfloat)(beta_base[beta_offset + c]);
  const dropout drop = {threshold, scale, op};
  __global const float *x = x_base + x_offset + (size_t)c * pixels * n, *s = s_base + s_offset;
  __global float *y = y_base + y_offset + (size_t)c * pixels * n;
  const int end = range_end(quads);
  for (int q = range_begin(quads); q < end; q++) {
    const int p0 = 4 * q;
    philox4 words;
    if (DRAWN_FORWARD) words = dropout_words(drop, state, n0, c, quads, p0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (p0 + i >= pixels) break;
      const size_t at = vplace(p0 + i, n0, pixels);
      vprefetch(x + at + AHEAD), vprefetch(y + at + AHEAD);
      const vfloat u = fma(gamma, (load_x(x, s, at) - mean) * inv, beta);
      vstore(vkeep(pointwise_forward(drop, u, &words, i), n0, n_valid), y + at);
    }
  }
}

/* The operands of V images of a channel: every pointer is at those images. */
typedef struct backward_images {
  __global const float *x, *s, *y;
  __global float *dy;
  float mean, inv;
  int n0, n_valid, c, w_count, pixels;
} backward_images;

/* From pointers to whole tensors: images n0 and on of channel c. */
static inline backward_images images_of(__global const float *x, __global const float *s, __global const float *y,
                                        __global float *dy, __global const float *stats, __global const uint *state,
                                        int n0, int n, int c, int c_count, int h_count, int w_count) {
  const int pixels = h_count * w_count;
  const size_t images = vplace(0, n0, pixels), first = (size_t)c * pixels * n + images;
  const backward_images k = {x + first, s + images,    y + first, dy + first, stats[c], stats[c_count + c],
                             n0,        (int)state[1], c,         w_count,    pixels};
  return k;
}

/* The sums of row h; overwrites dy with g. */
static inline backward_sums backward_row(backward_images k, dropout drop, __global const uint *state, int h) {
  const int quads = (k.pixels + 3) / 4, first = h * k.w_count, last = first + k.w_count;
  const vfloat mean = (vfloat)(k.mean), inv = (vfloat)(k.inv);
  backward_sums sums = no_sums();
  for (int q = first / 4; 4 * q < last; q++) {
    philox4 words;
    if (DRAWN_BACKWARD) words = dropout_words(drop, state, k.n0, k.c, quads, 4 * q);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (4 * q + i < first || 4 * q + i >= last) continue;
      const size_t at = (size_t)(4 * q + i) * LANES;
      const size_t next_row = at + k.w_count * LANES;
      vprefetch(k.x + next_row), vprefetch(k.y + next_row), vprefetch(k.dy + next_row);
      const vfloat g = pointwise_backward(drop, vload(k.dy + at), vload(k.y + at), &words, i);
      vstore(g, k.dy + at);
      sums.g = vadd_in_order(sums.g, g);
      sums.product = fma(g, (load_x(k.x, k.s, at) - mean) * inv, sums.product);
    }
  }
  sums.product = vkeep(sums.product, k.n0, k.n_valid);
  return sums;
}

static inline backward_sums backward_rows(backward_images k, dropout drop, __global const uint *state, int h_count) {
  backward_sums sums = no_sums();
  for (int h = 0; h < h_count; h++) sums = add_sums(sums, backward_row(k, drop, state, h));
  return sums;
}

/* One work-item per V images, a channel and, on a GPU, a row. */
__kernel void batchnorm_backward_sums(__global const float *restrict x_base, const ulong x_offset,
                                      __global const float *restrict s_base, const ulong s_offset,
                                      __global const float *restrict y_base, const ulong y_offset,
                                      __global float *restrict dy_base, const ulong dy_offset,
                                      __global const float *restrict stats_base, const ulong stats_offset,
                                      __global const uint *restrict state, __global float *restrict rows_base,
                                      const ulong rows_offset, const int n, const int c_count, const int h_count,
                                      const int w_count, const uint threshold, const float scale, const uint op) {
  const int n0 = first_image(0), c = (int)get_global_id(2), rows = V == 1 ? h_count : 1;
  const int row = V == 1 ? (int)get_global_id(1) : 0;
  const backward_images k = images_of(x_base + x_offset, s_base + s_offset, y_base + y_offset, dy_base + dy_offset,
                                      stats_base + stats_offset, state, n0, n, c, c_count, h_count, w_count);
  const dropout drop = {threshold, scale, op};
  const backward_sums sums = V == 1 ? backward_row(k, drop, state, row) : backward_rows(k, drop, state, h_count);
  store_row(sums.g, sums.product, rows_base + rows_offset + row_place(c, row, rows, n0, n));
}

#if V > 1
/* batchnorm_backward_sums and batchnorm_backward_statistics in one launch, one work-item per channel: for small images.
 */
__kernel void batchnorm_backward_channels(__global const float *restrict x_base, const ulong x_offset,
                                          __global const float *restrict s_base, const ulong s_offset,
                                          __global const float *restrict y_base, const ulong y_offset,
                                          __global float *restrict dy_base, const ulong dy_offset,
                                          __global float *restrict stats_base, const ulong stats_offset,
                                          __global const uint *restrict state, __global float *restrict dgamma_base,
                                          const ulong dgamma_offset, __global float *restrict dbeta_base,
                                          const ulong dbeta_offset, const int n, const int c_count, const int h_count,
                                          const int w_count, const uint threshold, const float scale, const uint op) {
  const int c = (int)get_group_id(2);
  const dropout drop = {threshold, scale, op};
  backward_sums sums = no_sums();
  for (int n0 = 0; n0 < n; n0 += V) {
    const backward_images k = images_of(x_base + x_offset, s_base + s_offset, y_base + y_offset, dy_base + dy_offset,
                                        stats_base + stats_offset, state, n0, n, c, c_count, h_count, w_count);
    sums = add_sums(sums, backward_rows(k, drop, state, h_count));
  }
  write_backward_statistics(lane_sum(sums.g, NULL), lane_sum(sums.product, NULL), h_count * w_count * (int)state[1],
                            c_count, stats_base + stats_offset + c, dgamma_base + dgamma_offset + c,
                            dbeta_base + dbeta_offset + c);
}
#endif

/* dx from g, which is in dy; one work-item per V images, a range of the pixels and a channel. */
__kernel void batchnorm_backward_apply(__global const float *restrict x_base, const ulong x_offset,
                                       __global const float *restrict g_base, const ulong g_offset,
                                       __global const float *restrict stats_base, const ulong stats_offset,
                                       __global const float *restrict gamma_base, const ulong gamma_offset,
                                       __global const uint *restrict state, __global float *dx_base,
                                       const ulong dx_offset, const int n, const int c_count, const int pixels,
                                       const int accumulate) {
  const int n0 = first_image(0), c = (int)get_global_id(2), n_valid = (int)state[1];
  const normalization k = normalization_of(stats_base + stats_offset + c, gamma_base + gamma_offset + c, c_count);
  const size_t channel = (size_t)c * pixels * n;
  const int end = range_end(pixels);
  for (int p = range_begin(pixels); p < end; p++) {
    const size_t at = channel + vplace(p, n0, pixels);
    vfloat dx = normalization_backward(k, vload(x_base + x_offset + at), vload(g_base + g_offset + at), n0, n_valid);
    if (accumulate) dx += vload(dx_base + dx_offset + at);
    vstore(dx, dx_base + dx_offset + at);
  }
}
