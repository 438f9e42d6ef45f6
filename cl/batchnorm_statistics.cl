/* The statistics of batch normalization, and of its gradient from the sums of batchnorm.cl, whose opening comment has
 * the formulas, the layout and the canonical order. Programs of their own: PoCL compiles all kernels of a program when
 * it is asked for its binary, and of batchnorm.cl there is a program for each activation.
 *
 * Macros: SCALED, 0 without it, for _moments and _channels. */
#include "common/batchnorm.clh"
#include "common/moments.clh"
#include "common/reduce.clh"

/* The tree over blocks first to end of a channel, whose moments are at blocks [N/16][2], as batch_tree_in_place has it;
 * two parts are merged as Chan, Golub & LeVeque do. */
static inline void merge_blocks(__global float *blocks, int first, int end, int step, float in_image, int n_valid) {
  const int item = (int)get_local_id(0), items = (int)get_local_size(0);
  for (; step < end - first; step *= 2) {
    group_barrier();
    for (int i = first + 2 * step * item; i + step < end; i += 2 * step * items) {
      __global float *a = blocks + 2 * i, *b = a + 2 * step;
      const int before = real_images(i, step, n_valid), after = real_images(i + step, step, n_valid);
      const float share = sdiv((float)after, (float)max(before + after, 1)), delta = b[0] - a[0];
      a[0] = fma(delta, share, a[0]);
      a[1] = fma(delta * delta, in_image * ((float)before * share), a[1] + b[1]);
    }
  }
}

/* What is summed of a channel: its images and their scale, which begin at x and s; the moments of its blocks. */
typedef struct channel_images {
  __global const float *x, *s;
  __global float *blocks;
  int h_count, w_count, n_valid;
} channel_images;

#if V == 1
/* The moments of blocks first to end, in the place of the first's; the whole group must call. A chunk of rows is
 * measured side by side, with the weights by which its rows are merged; then a block's first 16 lanes merge them. */
__attribute__((always_inline)) static inline void measure_blocks(channel_images k, int first, int end, int rows,
                                                                 __local float *scratch) {
  __local float *mean = scratch, *squares = mean + MOST_UNITS * LANES;
  __local merger *mergers = (__local merger *)(squares + MOST_UNITS * LANES);
  const units u = units_of(rows);
  const int item = (int)get_local_id(0), pixels = k.h_count * k.w_count;
  for (int b = first; b < end; b += u.blocks) {
    const int block = b + u.block;
    const bool has = has_block(u, block, end);
    const size_t images = vplace(0, block * LANES + u.lane, pixels);
    moments m = {0.0f, 0.0f};
    for (int h = 0; h < k.h_count; h += u.rows) {
      moments row = {0.0f, 0.0f};
      if (has && h + u.row < k.h_count) row = row_moments(k.x + images, k.s + images, h + u.row, k.w_count);
      barrier(CLK_LOCAL_MEM_FENCE);
      mean[item] = row.mean;
      squares[item] = row.squares;
      if (item < u.rows) mergers[item] = merger_of(h + item, (float)k.w_count);
      barrier(CLK_LOCAL_MEM_FENCE);
      const int count = has && u.row == 0 ? min(u.rows, k.h_count - h) : 0;
      for (int i = 0; i < count; i++) {
        const moments next = {mean[item + i * LANES], squares[item + i * LANES]};
        m = h + i == 0 ? next : merge_row(m, next, mergers[i]);
      }
    }
    store_block(m, real_images(block, 1, k.n_valid), (float)pixels, has && u.row == 0 && u.lane == 0,
                k.blocks + 2 * block, scratch);
  }
  merge_blocks(k.blocks, first, end, 1, (float)pixels, k.n_valid);
}
#define SCRATCH (2 * MOST_UNITS * (LANES + 1))
#else
static inline void measure_blocks(channel_images k, int first, int end, int rows, __local float *scratch) {
  const int pixels = k.h_count * k.w_count;
  for (int block = first; block < end; block++) {
    const size_t images = vplace(0, block * LANES, pixels);
    const moments m = image_moments(k.x + images, k.s + images, k.h_count, k.w_count);
    store_block(m, real_images(block, 1, k.n_valid), (float)pixels, true, k.blocks + 2 * block, scratch);
  }
  merge_blocks(k.blocks, first, end, 1, (float)pixels, k.n_valid);
}
#endif

/* The statistics of a channel, at which every pointer is, by the group's first work-item, which merged the blocks. */
static inline void write_statistics(__global const float *blocks, float count, int c_count, float epsilon,
                                    float momentum, __global float *stats, __global float *moving_mean,
                                    __global float *moving_var) {
  if (get_local_id(0) > 0) return;
  const float mean = blocks[0], variance = sdiv(blocks[1], count);
  stats[0] = mean;
  stats[c_count] = sdiv(1.0f, ssqrt(variance + epsilon));
  *moving_mean = fma(momentum, *moving_mean, (1.0f - momentum) * mean);
  *moving_var = fma(momentum, *moving_var, (1.0f - momentum) * variance);
}

/* The moments of the blocks of images, blocks [C][N/16][2]; a work-group has `share` of a channel, one on a CPU, merged
 * into the first. */
__kernel void batchnorm_moments(__global const float *restrict x_base, const ulong x_offset,
                                __global const float *restrict s_base, const ulong s_offset,
                                __global float *restrict blocks_base, const ulong blocks_offset,
                                __global const uint *restrict state, const int n, const int h_count, const int w_count,
                                const int rows, const int share) {
#if V == 1
  __local float scratch[SCRATCH];
  const int first = (int)get_group_id(0) * share, c = (int)get_group_id(2);
#else
  __local float *scratch = NULL;
  const int first = first_image(0) / LANES, c = (int)get_group_id(2);
#endif
  const channel_images k = {x_base + x_offset + (size_t)c * h_count * w_count * n,
                            s_base + s_offset,
                            blocks_base + blocks_offset + (size_t)c * (n / LANES * 2),
                            h_count,
                            w_count,
                            (int)state[1]};
  measure_blocks(k, first, min(first + share, n / LANES), rows, scratch);
}

/* One work-group per channel; every `share` blocks are merged already. */
__kernel void batchnorm_statistics(__global float *restrict blocks_base, const ulong blocks_offset,
                                   __global const uint *restrict state, __global float *restrict stats_base,
                                   const ulong stats_offset, __global float *restrict mean_base,
                                   const ulong mean_offset, __global float *restrict var_base, const ulong var_offset,
                                   const int n, const int c_count, const int pixels, const int share,
                                   const float epsilon, const float momentum) {
  const int c = (int)get_group_id(2), n_valid = (int)state[1], count = n / LANES;
  __global float *blocks = blocks_base + blocks_offset + (size_t)c * (count * 2);
  merge_blocks(blocks, 0, count, share, (float)pixels, n_valid);
  write_statistics(blocks, (float)pixels * (float)n_valid, c_count, epsilon, momentum, stats_base + stats_offset + c,
                   mean_base + mean_offset + c, var_base + var_offset + c);
}

/* Both at once, one work-group per channel: for small images, where a launch costs as much as the rows. */
__kernel void batchnorm_channels(__global const float *restrict x_base, const ulong x_offset,
                                 __global const float *restrict s_base, const ulong s_offset,
                                 __global float *restrict blocks_base, const ulong blocks_offset,
                                 __global const uint *restrict state, __global float *restrict stats_base,
                                 const ulong stats_offset, __global float *restrict mean_base, const ulong mean_offset,
                                 __global float *restrict var_base, const ulong var_offset, const int n,
                                 const int c_count, const int h_count, const int w_count, const int rows,
                                 const float epsilon, const float momentum) {
#if V == 1
  __local float scratch[SCRATCH];
#else
  __local float *scratch = NULL;
#endif
  const int c = (int)get_group_id(2), pixels = h_count * w_count, n_valid = (int)state[1], count = n / LANES;
  const channel_images k = {x_base + x_offset + (size_t)c * pixels * n,
                            s_base + s_offset,
                            blocks_base + blocks_offset + (size_t)c * (count * 2),
                            h_count,
                            w_count,
                            n_valid};
  measure_blocks(k, 0, count, rows, scratch);
  write_statistics(k.blocks, (float)pixels * (float)n_valid, c_count, epsilon, momentum, stats_base + stats_offset + c,
                   mean_base + mean_offset + c, var_base + var_offset + c);
}

/* mean and inv from the moving statistics, for evaluation. */
__kernel void batchnorm_moving(__global const float *restrict mean_base, const ulong mean_offset,
                               __global const float *restrict var_base, const ulong var_offset,
                               __global float *restrict stats_base, const ulong stats_offset, const int c_count,
                               const float epsilon) {
  const int c = (int)get_global_id(0);
  stats_base[stats_offset + c] = mean_base[mean_offset + c];
  stats_base[stats_offset + c_count + c] = sdiv(1.0f, ssqrt(var_base[var_offset + c] + epsilon));
}

/* One work-group per channel, from blocks [C][N/16][2]; every `share` of them are added already. */
__kernel void batchnorm_backward_statistics(__global float *restrict blocks_base, const ulong blocks_offset,
                                            __global const uint *restrict state, __global float *restrict stats_base,
                                            const ulong stats_offset, __global float *restrict dgamma_base,
                                            const ulong dgamma_offset, __global float *restrict dbeta_base,
                                            const ulong dbeta_offset, const int n, const int c_count, const int pixels,
                                            const int share) {
  const int c = (int)get_group_id(2), count = n / LANES;
  __global float *blocks = blocks_base + blocks_offset + (size_t)c * (count * 2);
  batch_tree_in_place(blocks, 2, 0, count, share);
  write_backward_statistics(blocks, pixels * (int)state[1], c_count, stats_base + stats_offset + c,
                            dgamma_base + dgamma_offset + c, dbeta_base + dbeta_offset + c);
}
