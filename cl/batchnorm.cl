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
 * Layout: x, y, dx, dy [C][N/16][H][W][16]; stats [4][C]: mean, inv, dbeta / M, dgamma / M; blocks [C][N/16][2], the
 * moments or sums of 16 images. Canonical order of the sums: an image's row (c, h, n) first, for w; then the rows of an
 * image, in order of h; then the batch tree of reduce.clh. A row's mean and its sum of squared deviations come from two
 * sweeps while it is in the cache; rows are merged by Chan, Golub & LeVeque 1983, as merge_row of moments.clh writes
 * it; the images of a block by their mean, then the sum of their sums and of their means' squared deviations; parts of
 * the batch as merge_blocks of batchnorm_statistics.cl writes it. state: src/net/internal.h.
 *
 * Padding images (vector.clh): y is 0, since x = 0 would become (beta - gamma * mean * inv); so is dx. xhat may be
 *   anything, so the sum of its products with g is masked.
 *
 * Software prefetch in _apply and _backward_sums: 0.85 of the time (Zen 4).
 *
 * Macros: SCALED, 0 without it; ACTIVATION and DROPOUT of activation.clh. */
#include "common/activation.clh"
#include "common/batchnorm_statistics.clh"

#define AHEAD (32 * LANES)

/* What is normalized of a channel: its images, their scale, its numbers. */
typedef struct forward_channel {
  __global const float *x, *s;
  __global float *y;
  float mean, inv, gamma, beta;
  int c, pixels, n_valid;
} forward_channel;

/* Four pixels, the q-th, of V images from n0 on. */
INLINE void apply_quad(forward_channel k, dropout drop, __global const uint *state, int n0, int q) {
  const int p0 = 4 * q;
  const vfloat mean = (vfloat)(k.mean), inv = (vfloat)(k.inv), gamma = (vfloat)(k.gamma), beta = (vfloat)(k.beta);
  philox4 words;
  if (DRAWN_FORWARD) words = dropout_words(drop, state, n0, k.c, (k.pixels + 3) / 4, p0);
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (p0 + i >= k.pixels) break;
    const size_t at = vplace(p0 + i, n0, k.pixels);
    vprefetch(k.x + at + AHEAD), vprefetch(k.y + at + AHEAD);
    const vfloat u = fma(gamma, (load_x(k.x, k.s, at) - mean) * inv, beta);
    vstore(vkeep(pointwise_forward(drop, u, &words, i), n0, k.n_valid), k.y + at);
  }
}

/* One work-item per V images, four pixels and a channel. */
__kernel void batchnorm_apply(__global const float *restrict x_base, const ulong x_offset,
                              __global const float *restrict s_base, const ulong s_offset,
                              __global const float *restrict stats_base, const ulong stats_offset,
                              __global const float *restrict gamma_base, const ulong gamma_offset,
                              __global const float *restrict beta_base, const ulong beta_offset,
                              __global const uint *restrict state, __global float *restrict y_base,
                              const ulong y_offset, const int n, const int c_count, const int pixels,
                              const uint threshold, const float scale, const uint op) {
  const int c = (int)get_group_id(2), quads = (pixels + 3) / 4, end = range_end(quads);
  const size_t first = (size_t)c * pixels * n;
  const forward_channel k = {x_base + x_offset + first,
                             s_base + s_offset,
                             y_base + y_offset + first,
                             stats_base[stats_offset + c],
                             stats_base[stats_offset + c_count + c],
                             gamma_base[gamma_offset + c],
                             beta_base[beta_offset + c],
                             c,
                             pixels,
                             (int)state[1]};
  const dropout drop = {threshold, scale, op};
  for (int q = range_begin(quads); q < end; q++) apply_quad(k, drop, state, first_image(0), q);
}

#if V == 1
/* The same from the moments of at most MOST_PARTS parts of the batch, with what batchnorm_statistics does: each
 * work-item merges them for itself, and the first of a channel keeps the statistics. */
__kernel void batchnorm_merge_apply(__global const float *restrict x_base, const ulong x_offset,
                                    __global const float *restrict s_base, const ulong s_offset,
                                    __global const float *restrict blocks_base, const ulong blocks_offset,
                                    __global const uint *restrict state, __global float *restrict stats_base,
                                    const ulong stats_offset, __global float *restrict mean_base,
                                    const ulong mean_offset, __global float *restrict var_base, const ulong var_offset,
                                    __global const float *restrict gamma_base, const ulong gamma_offset,
                                    __global const float *restrict beta_base, const ulong beta_offset,
                                    __global float *restrict y_base, const ulong y_offset, const int n,
                                    const int c_count, const int pixels, const uint threshold, const float scale,
                                    const uint op, const int share, const float epsilon, const float momentum) {
  const int c = (int)get_group_id(2), n_valid = (int)state[1], count = n / LANES, quads = (pixels + 3) / 4;
  const size_t first = (size_t)c * pixels * n;
  const merged m =
      merge_parts(blocks_base + blocks_offset + (size_t)c * (count * 2), count, share, (float)pixels, n_valid);
  const float variance = sdiv(m.squares, (float)pixels * (float)n_valid);
  if (get_global_id(0) == 0 && get_global_id(1) == 0)
    store_statistics(m.mean, variance, c_count, epsilon, momentum, stats_base + stats_offset + c,
                     mean_base + mean_offset + c, var_base + var_offset + c);
  const forward_channel k = {x_base + x_offset + first,
                             s_base + s_offset,
                             y_base + y_offset + first,
                             m.mean,
                             inverse_deviation(variance, epsilon),
                             gamma_base[gamma_offset + c],
                             beta_base[beta_offset + c],
                             c,
                             pixels,
                             n_valid};
  const dropout drop = {threshold, scale, op};
  const int end = range_end(quads);
  for (int q = range_begin(quads); q < end; q++) apply_quad(k, drop, state, first_image(0), q);
}
#endif

/* How the work-items of a group share what they all have: on a GPU units of 16 lanes. */
#if V == 1
#define UNIT ((int)get_local_id(0) / LANES)
#define UNITS ((int)get_local_size(0) / LANES)
#define LANE ((int)get_local_id(0) % LANES)
#else
#define UNIT 0
#define UNITS 1
#define LANE 0
#endif

/* What one work-item of the group stored before a barrier. Volatile: libclc's barrier for AMD is no fence to LLVM,
 * which has the others load it before that, from where it is not yet. */
static inline float load_shared(__global const float *p) { return *(volatile __global const float *)p; }

/* The statistics and batchnorm_apply in one launch, one work-group per channel: for small images, where a launch costs
 * as much as the rows. */
__kernel void batchnorm_forward(__global const float *restrict x_base, const ulong x_offset,
                                __global const float *restrict s_base, const ulong s_offset,
                                __global float *restrict blocks_base, const ulong blocks_offset,
                                __global const uint *restrict state, __global float *restrict stats_base,
                                const ulong stats_offset, __global float *restrict mean_base, const ulong mean_offset,
                                __global float *restrict var_base, const ulong var_offset,
                                __global const float *restrict gamma_base, const ulong gamma_offset,
                                __global const float *restrict beta_base, const ulong beta_offset,
                                __global float *restrict y_base, const ulong y_offset, const int n, const int c_count,
                                const int h_count, const int w_count, const uint threshold, const float scale,
                                const uint op, const int rows, const float epsilon, const float momentum) {
#if V == 1
  __local float scratch[MOMENTS_SCRATCH];
#else
  __local float *scratch = NULL;
#endif
  const int c = (int)get_group_id(2), pixels = h_count * w_count, n_valid = (int)state[1], count = n / LANES;
  const size_t first = (size_t)c * pixels * n;
  const channel_images images = {x_base + x_offset + first,
                                 s_base + s_offset,
                                 blocks_base + blocks_offset + (size_t)c * (count * 2),
                                 h_count,
                                 w_count,
                                 n_valid};
  __global float *stats = stats_base + stats_offset + c;
  measure_blocks(images, 0, count, rows, scratch);
  write_statistics(images.blocks, (float)pixels * (float)n_valid, c_count, epsilon, momentum, stats,
                   mean_base + mean_offset + c, var_base + var_offset + c);
  group_barrier();
  const forward_channel k = {images.x,
                             images.s,
                             y_base + y_offset + first,
                             load_shared(stats),
                             load_shared(stats + c_count),
                             gamma_base[gamma_offset + c],
                             beta_base[beta_offset + c],
                             c,
                             pixels,
                             n_valid};
  const dropout drop = {threshold, scale, op};
  const int quads = (pixels + 3) / 4;
  for (int i = UNIT; i < count * quads; i += UNITS) apply_quad(k, drop, state, i / quads * LANES + LANE, i % quads);
}

/* The operands of V images of a channel: every pointer is at those images. */
typedef struct backward_images {
  __global const float *x, *s, *y;
  __global float *dy;
  float mean, inv;
  int n0, n_valid, c, w_count, pixels;
} backward_images;

/* From pointers to whole tensors: images n0 and on of channel c. */
INLINE backward_images images_of(__global const float *x, __global const float *s, __global const float *y,
                                 __global float *dy, __global const float *stats, __global const uint *state, int n0,
                                 int n, int c, int c_count, int h_count, int w_count) {
  const int pixels = h_count * w_count;
  const size_t images = vplace(0, n0, pixels), first = (size_t)c * pixels * n + images;
  const backward_images k = {x + first, s + images,    y + first, dy + first, stats[c], stats[c_count + c],
                             n0,        (int)state[1], c,         w_count,    pixels};
  return k;
}

typedef struct backward_pixel {
  vfloat x, y, dy;
} backward_pixel;

INLINE backward_pixel load_pixel(backward_images k, int p) {
  const size_t at = (size_t)p * LANES;
  const backward_pixel pixel = {load_x(k.x, k.s, at), vload(k.y + at), vload(k.dy + at)};
  return pixel;
}

INLINE backward_sums add_pixel(backward_images k, backward_sums sums, vfloat x, vfloat g) {
  sums.g = vadd_in_order(sums.g, g);
  sums.product = fma(g, (x - (vfloat)(k.mean)) * (vfloat)(k.inv), sums.product);
  return sums;
}

/* The sums of row h; overwrites dy with g. A GPU asks for all of four pixels before it stores one. */
INLINE backward_sums backward_row(backward_images k, dropout drop, __global const uint *state, int h) {
  const int quads = (k.pixels + 3) / 4, first = h * k.w_count, last = first + k.w_count;
  backward_sums sums = no_sums();
  for (int q = first / 4; 4 * q < last; q++) {
    philox4 words;
    if (DRAWN_BACKWARD) words = dropout_words(drop, state, k.n0, k.c, quads, 4 * q);
    if (V == 1 && 4 * q >= first && 4 * q + 4 <= last) {
      backward_pixel pixels[4];
#pragma unroll
      for (int i = 0; i < 4; i++) pixels[i] = load_pixel(k, 4 * q + i);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        pixels[i].dy = pointwise_backward(drop, pixels[i].dy, pixels[i].y, &words, i);
        sums = add_pixel(k, sums, pixels[i].x, pixels[i].dy);
      }
#pragma unroll
      for (int i = 0; i < 4; i++) vstore(pixels[i].dy, k.dy + (size_t)(4 * q + i) * LANES);
      continue;
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (4 * q + i < first || 4 * q + i >= last) continue;
      const size_t at = (size_t)(4 * q + i) * LANES;
      const size_t next_row = at + k.w_count * LANES;
      vprefetch(k.x + next_row), vprefetch(k.y + next_row), vprefetch(k.dy + next_row);
      const backward_pixel pixel = load_pixel(k, 4 * q + i);
      const vfloat g = pointwise_backward(drop, pixel.dy, pixel.y, &words, i);
      vstore(g, k.dy + at);
      sums = add_pixel(k, sums, pixel.x, g);
    }
  }
  sums.product = vkeep(sums.product, k.n0, k.n_valid);
  return sums;
}

/* The operands of a channel, from pointers to whole tensors, and the sums of its blocks, [N/16][2]. */
typedef struct backward_channel {
  __global const float *x, *s, *y;
  __global float *dy, *blocks;
  __global const float *stats;
  __global const uint *state;
  int n, c, c_count, h_count, w_count;
} backward_channel;

INLINE backward_images images_at(backward_channel k, int n0) {
  return images_of(k.x, k.s, k.y, k.dy, k.stats, k.state, n0, k.n, k.c, k.c_count, k.h_count, k.w_count);
}

#if V == 1
#define SCRATCH (2 * MOST_UNITS * LANES)

/* The sums of blocks first to end, in the place of the first's; the whole group must call. */
INLINE void sum_blocks(backward_channel k, dropout drop, int first, int end, int rows, __local float *scratch) {
  __local float *products = scratch + MOST_UNITS * LANES;
  const units u = units_of(rows);
  for (int b = first; b < end; b += u.blocks) {
    const int block = b + u.block;
    const bool has = has_block(u, block, end);
    const backward_images images = images_at(k, block * LANES + u.lane);
    backward_sums sums = no_sums();
    for (int h = 0; h < k.h_count; h += u.rows) {
      const int count = min(u.rows, k.h_count - h);
      backward_sums row = no_sums();
      if (has && u.row < count) row = backward_row(images, drop, k.state, h + u.row);
      sums.g = add_rows(sums.g, row.g, u, count, scratch);
      sums.product = add_rows(sums.product, row.product, u, count, products);
    }
    const float g = lane_sum(sums.g, scratch), product = lane_sum(sums.product, products);
    if (has && u.row == 0 && u.lane == 0) k.blocks[2 * block] = g, k.blocks[2 * block + 1] = product;
  }
  batch_tree_in_place(k.blocks, 2, first, end, 1);
}
#else
static inline void sum_blocks(backward_channel k, dropout drop, int first, int end, int rows, __local float *scratch) {
  for (int block = first; block < end; block++) {
    const backward_images images = images_at(k, block * LANES);
    backward_sums sums = no_sums();
    for (int h = 0; h < k.h_count; h++) sums = add_sums(sums, backward_row(images, drop, k.state, h));
    k.blocks[2 * block] = lane_sum(sums.g, scratch);
    k.blocks[2 * block + 1] = lane_sum(sums.product, scratch);
  }
  batch_tree_in_place(k.blocks, 2, first, end, 1);
}
#endif

/* blocks [C][N/16][2]; a work-group has `share` of a channel, one on a CPU, added to the first. */
__kernel void batchnorm_backward_sums(__global const float *restrict x_base, const ulong x_offset,
                                      __global const float *restrict s_base, const ulong s_offset,
                                      __global const float *restrict y_base, const ulong y_offset,
                                      __global float *restrict dy_base, const ulong dy_offset,
                                      __global const float *restrict stats_base, const ulong stats_offset,
                                      __global const uint *restrict state, __global float *restrict blocks_base,
                                      const ulong blocks_offset, const int n, const int c_count, const int h_count,
                                      const int w_count, const uint threshold, const float scale, const uint op,
                                      const int rows, const int share) {
#if V == 1
  __local float scratch[SCRATCH];
  const int first = (int)get_group_id(0) * share, c = (int)get_group_id(2);
#else
  __local float *scratch = NULL;
  const int first = first_image(0) / LANES, c = (int)get_group_id(2);
#endif
  const backward_channel k = {x_base + x_offset,
                              s_base + s_offset,
                              y_base + y_offset,
                              dy_base + dy_offset,
                              blocks_base + blocks_offset + (size_t)c * (n / LANES * 2),
                              stats_base + stats_offset,
                              state,
                              n,
                              c,
                              c_count,
                              h_count,
                              w_count};
  const dropout drop = {threshold, scale, op};
  sum_blocks(k, drop, first, min(first + share, n / LANES), rows, scratch);
}

/* dx of pixel p of V images from n0 on, from g; x, g and dx are at the channel. */
INLINE void apply_gradient(normalization k, __global const float *x, __global const float *g, __global float *dx,
                           int n0, int n_valid, int p, int pixels, int accumulate) {
  const size_t at = vplace(p, n0, pixels);
  vfloat v = normalization_backward(k, vload(x + at), vload(g + at), n0, n_valid);
  if (accumulate) v += vload(dx + at);
  vstore(v, dx + at);
}

/* batchnorm_backward_sums, batchnorm_backward_statistics and, where it `applies`, batchnorm_backward_apply in one
 * launch, one work-group per channel: for small images. */
__kernel void batchnorm_backward(
    __global const float *restrict x_base, const ulong x_offset, __global const float *restrict s_base,
    const ulong s_offset, __global const float *restrict y_base, const ulong y_offset, __global float *restrict dy_base,
    const ulong dy_offset, __global float *restrict stats_base, const ulong stats_offset,
    __global const uint *restrict state, __global float *restrict blocks_base, const ulong blocks_offset,
    __global float *restrict dgamma_base, const ulong dgamma_offset, __global float *restrict dbeta_base,
    const ulong dbeta_offset, __global const float *restrict gamma_base, const ulong gamma_offset,
    __global float *dx_base, const ulong dx_offset, const int n, const int c_count, const int h_count,
    const int w_count, const uint threshold, const float scale, const uint op, const int rows, const int applies,
    const int accumulate) {
#if V == 1
  __local float scratch[SCRATCH];
#else
  __local float *scratch = NULL;
#endif
  const int c = (int)get_group_id(2), count = n / LANES, pixels = h_count * w_count, n_valid = (int)state[1];
  const size_t first = (size_t)c * pixels * n;
  const backward_channel k = {x_base + x_offset,
                              s_base + s_offset,
                              y_base + y_offset,
                              dy_base + dy_offset,
                              blocks_base + blocks_offset + (size_t)c * (count * 2),
                              stats_base + stats_offset,
                              state,
                              n,
                              c,
                              c_count,
                              h_count,
                              w_count};
  const dropout drop = {threshold, scale, op};
  sum_blocks(k, drop, 0, count, rows, scratch);
  write_backward_statistics(k.blocks, pixels * n_valid, c_count, stats_base + stats_offset + c,
                            dgamma_base + dgamma_offset + c, dbeta_base + dbeta_offset + c);
  group_barrier(); /* PoCL 3.1 miscompiles a return before it */
  __global const float *stats = stats_base + stats_offset + c;
  const normalization norm = {stats[0], stats[c_count], load_shared(stats + 2 * c_count),
                              load_shared(stats + 3 * c_count), gamma_base[gamma_offset + c] * stats[c_count]};
  for (int i = UNIT; applies && i < count * pixels; i += UNITS)
    apply_gradient(norm, k.x + first, k.dy + first, dx_base + dx_offset + first, i / pixels * LANES + LANE, n_valid,
                   i % pixels, pixels, accumulate);
}

/* dx from g, which is in dy; one work-item per V images, a range of the pixels and a channel. */
__kernel void batchnorm_backward_apply(__global const float *restrict x_base, const ulong x_offset,
                                       __global const float *restrict g_base, const ulong g_offset,
                                       __global const float *restrict stats_base, const ulong stats_offset,
                                       __global const float *restrict gamma_base, const ulong gamma_offset,
                                       __global const uint *restrict state, __global float *dx_base,
                                       const ulong dx_offset, const int n, const int c_count, const int pixels,
                                       const int accumulate) {
  const int c = (int)get_group_id(2), end = range_end(pixels);
  const normalization k = normalization_of(stats_base + stats_offset + c, gamma_base + gamma_offset + c, c_count);
  const size_t first = (size_t)c * pixels * n;
  for (int p = range_begin(pixels); p < end; p++)
    apply_gradient(k, x_base + x_offset + first, g_base + g_offset + first, dx_base + dx_offset + first, first_image(0),
                   (int)state[1], p, pixels, accumulate);
}
