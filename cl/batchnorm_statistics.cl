/* The statistics of batch normalization, and of its gradient from the sums of batchnorm.cl, whose opening comment has
 * the formulas, the layout and the canonical order. Programs of their own: PoCL compiles all kernels of a program when
 * it is asked for its binary, and of batchnorm.cl there is a program for each activation.
 *
 * Macros: SCALED, 0 without it, for _moments and _channels. */
#include "common/batchnorm.clh"
#include "common/reduce.clh"

/* Merges the rows' moments of images n0 and on of a channel, at `rows` [N/16][row_count][2][16], each of in_row
 * numbers, into the first row. */
static inline moments merge_rows(__global float *rows, int n0, int row_count, float in_row) {
  const size_t at = vplace(0, n0, 2 * row_count);
  moments m = load_moments(rows + at);
  for (int h = 1; h < row_count; h++) m = merge_row(m, load_moments(rows + at + 2 * h * LANES), merger_of(h, in_row));
  store_row(m.mean, m.squares, rows + at);
  return m;
}

/* The statistics of a channel, at which every pointer is. */
static inline void write_statistics(__global float *rows, int n, int n_valid, int row_count, int in_row, int c_count,
                                    float epsilon, float momentum, __global float *stats, __global float *moving_mean,
                                    __global float *moving_var, __local float *scratch) {
  const int lane0 = (int)get_local_id(0) * V;
  const float in_image = (float)(in_row * row_count);
  vfloat sum = (vfloat)(0.0f), squares = (vfloat)(0.0f);
  for (int b = lane0; b < n; b += LANES) sum = vadd_in_order(sum, merge_rows(rows, b, row_count, (float)in_row).mean);
  const float mean = sdiv(lane_sum(sum, scratch), (float)n_valid);
  for (int b = lane0; b < n; b += LANES) {
    const moments m = load_moments(rows + vplace(0, b, 2 * row_count));
    const vfloat d = vkeep(m.mean - (vfloat)(mean), b, n_valid);
    squares += m.squares;
    squares = fma(d * d, (vfloat)(in_image), squares);
  }
  const float variance = sdiv(lane_sum(squares, scratch), in_image * (float)n_valid);
  if (lane0 > 0) return;
  stats[0] = mean;
  stats[c_count] = sdiv(1.0f, ssqrt(variance + epsilon));
  *moving_mean = fma(momentum, *moving_mean, (1.0f - momentum) * mean);
  *moving_var = fma(momentum, *moving_var, (1.0f - momentum) * variance);
}

/* Rows [C][N/16][1 or, on a GPU, H][2][16]; one work-item per V images, a channel and, on a GPU, a row. */
__kernel void batchnorm_moments(__global const float *restrict x_base, const ulong x_offset,
                                __global const float *restrict s_base, const ulong s_offset,
                                __global float *restrict rows_base, const ulong rows_offset, const int n,
                                const int h_count, const int w_count) {
  const int n0 = first_image(0), c = (int)get_global_id(2), pixels = h_count * w_count, rows = V == 1 ? h_count : 1;
  const size_t images = vplace(0, n0, pixels);
  __global const float *x = x_base + x_offset + (size_t)c * pixels * n + images, *s = s_base + s_offset + images;
  const int row = V == 1 ? (int)get_global_id(1) : 0;
  const moments m = V == 1 ? row_moments(x, s, row, w_count) : image_moments(x, s, h_count, w_count);
  store_row(m.mean, m.squares, rows_base + rows_offset + row_place(c, row, rows, n0, n));
}

/* One group of 16 lanes per channel. */
__kernel void batchnorm_statistics(__global float *restrict rows_base, const ulong rows_offset,
                                   __global const uint *restrict state, __global float *restrict stats_base,
                                   const ulong stats_offset, __global float *restrict mean_base,
                                   const ulong mean_offset, __global float *restrict var_base, const ulong var_offset,
                                   const int n, const int c_count, const int row_count, const int in_row,
                                   const float epsilon, const float momentum) {
  __local float scratch[LANES];
  const int c = (int)get_group_id(2);
  write_statistics(rows_base + rows_offset + row_place(c, 0, row_count, 0, n), n, (int)state[1], row_count, in_row,
                   c_count, epsilon, momentum, stats_base + stats_offset + c, mean_base + mean_offset + c,
                   var_base + var_offset + c, scratch);
}

#if V > 1
/* Both at once, one work-item per channel: for small images, where a launch costs as much as the rows. */
__kernel void batchnorm_channels(__global const float *restrict x_base, const ulong x_offset,
                                 __global const float *restrict s_base, const ulong s_offset,
                                 __global float *restrict rows_base, const ulong rows_offset,
                                 __global const uint *restrict state, __global float *restrict stats_base,
                                 const ulong stats_offset, __global float *restrict mean_base, const ulong mean_offset,
                                 __global float *restrict var_base, const ulong var_offset, const int n,
                                 const int c_count, const int h_count, const int w_count, const float epsilon,
                                 const float momentum) {
  const int c = (int)get_group_id(2), pixels = h_count * w_count;
  for (int n0 = 0; n0 < n; n0 += V) {
    const size_t images = vplace(0, n0, pixels);
    const moments m = image_moments(x_base + x_offset + (size_t)c * pixels * n + images, s_base + s_offset + images,
                                    h_count, w_count);
    store_row(m.mean, m.squares, rows_base + rows_offset + row_place(c, 0, 1, n0, n));
  }
  write_statistics(rows_base + rows_offset + row_place(c, 0, 1, 0, n), n, (int)state[1], 1, pixels, c_count, epsilon,
                   momentum, stats_base + stats_offset + c, mean_base + mean_offset + c, var_base + var_offset + c,
                   NULL);
}
#endif

/* mean and inv from the moving statistics, for evaluation. */
__kernel void batchnorm_moving(__global const float *restrict mean_base, const ulong mean_offset,
                               __global const float *restrict var_base, const ulong var_offset,
                               __global float *restrict stats_base, const ulong stats_offset, const int c_count,
                               const float epsilon) {
  const int c = (int)get_global_id(0);
  stats_base[stats_offset + c] = mean_base[mean_offset + c];
  stats_base[stats_offset + c_count + c] = sdiv(1.0f, ssqrt(var_base[var_offset + c] + epsilon));
}

/* One group of 16 lanes per channel; rows [C][N/16][row_count][2][16]. */
__kernel void batchnorm_backward_statistics(__global const float *restrict rows_base, const ulong rows_offset,
                                            __global const uint *restrict state, __global float *restrict stats_base,
                                            const ulong stats_offset, __global float *restrict dgamma_base,
                                            const ulong dgamma_offset, __global float *restrict dbeta_base,
                                            const ulong dbeta_offset, const int n, const int c_count,
                                            const int row_count, const int in_row) {
  __local float scratch[LANES];
  const int c = (int)get_group_id(2), lane0 = (int)get_local_id(0) * V;
  __global const float *rows = rows_base + rows_offset;
  vfloat sum = (vfloat)(0.0f), products = sum;
  for (int b = lane0; b < n; b += LANES) {
    vfloat image_sum = (vfloat)(0.0f), image_products = image_sum;
    for (int h = 0; h < row_count; h++) {
      __global const float *row = rows + row_place(c, h, row_count, b, n);
      image_sum = vadd_in_order(image_sum, vload(row));
      image_products = vadd_in_order(image_products, vload(row + LANES));
    }
    sum = vadd_in_order(sum, image_sum);
    products = vadd_in_order(products, image_products);
  }
  const float g = lane_sum(sum, scratch), product = lane_sum(products, scratch);
  if (lane0 == 0)
    write_backward_statistics(g, product, in_row * row_count * (int)state[1], c_count, stats_base + stats_offset + c,
                              dgamma_base + dgamma_offset + c, dbeta_base + dbeta_offset + c);
}
