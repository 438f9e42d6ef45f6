/* The statistics of batch normalization, and of its gradient from the sums of batchnorm.cl, whose opening comment has
 * the formulas, the layout and the canonical order. Programs of their own: PoCL compiles all kernels of a program when
 * it is asked for its binary, and of batchnorm.cl there is a program for each activation.
 *
 * Macros: SCALED, 0 without it, for _moments. */
#include "common/batchnorm_statistics.clh"

/* The moments of the blocks of images, blocks [C][N/16][2]; a work-group has `share` of a channel, one on a CPU, merged
 * into the first. */
__kernel void batchnorm_moments(__global const float *restrict x_base, const ulong x_offset,
                                __global const float *restrict s_base, const ulong s_offset,
                                __global float *restrict blocks_base, const ulong blocks_offset,
                                __global const uint *restrict state, const int n, const int h_count, const int w_count,
                                const int rows, const int share) {
#if V == 1
  __local float scratch[MOMENTS_SCRATCH];
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
