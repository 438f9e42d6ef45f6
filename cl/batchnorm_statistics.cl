/* The statistics of batch normalization, and of its gradient once batchnorm.cl has summed the rows. What they are,
 * their layout and their canonical order is said there. Apart from it, since PoCL compiles all kernels of a program
 * when it is asked for its binary, and of batchnorm.cl there is a program for each activation.
 *
 * Macros: SCALED, 0 without it, for _rows and _channels. */
#include "batchnorm.clh"
#include "reduce.clh"

/* The mean of numbers and the sum of their squared deviations from it. */
typedef struct moments {
  float mean, squares;
} moments;

/* Of row h of a channel, which begins at x. */
static inline moments row_moments(__global const float *x, __global const float *s, int h, int n, int n_valid,
                                  int w_count, int pixels, __local float *scratch) {
  const int lane0 = (int)get_local_id(0) * V;
  moments m;
  vfloat sum = (vfloat)(0.0f), squares = (vfloat)(0.0f);
  for (int b = 0; b < n; b += LANES)
    for (int w = 0; w < w_count; w++)
      sum += vkeep(load_x(x, s, vplace(h * w_count + w, lane0 + b, pixels)), lane0 + b, n_valid);
  m.mean = sdiv(lane_sum(sum, scratch), (float)(w_count * n_valid));
  for (int b = 0; b < n; b += LANES)
    for (int w = 0; w < w_count; w++) {
      const vfloat d =
          vkeep(load_x(x, s, vplace(h * w_count + w, lane0 + b, pixels)) - (vfloat)(m.mean), lane0 + b, n_valid);
      squares = fma(d, d, squares);
    }
  m.squares = lane_sum(squares, scratch);
  return m;
}

/* The h rows before with the next one, all of `in_row` numbers. */
static inline moments merge_row(moments m, moments row, int h, float in_row) {
  const float delta = row.mean - m.mean;
  m.mean = fma(delta, sdiv(1.0f, (float)(h + 1)), m.mean);
  m.squares = add_in_order(m.squares, row.squares);
  m.squares = fma(delta * delta, in_row * sdiv((float)h, (float)(h + 1)), m.squares);
  return m;
}

/* Every pointer is at the channel. */
static inline void write_statistics(moments m, float count, int c_count, float epsilon, float momentum,
                                    __global float *stats, __global float *moving_mean, __global float *moving_var) {
  const float variance = sdiv(m.squares, count);
  stats[0] = m.mean;
  stats[c_count] = sdiv(1.0f, ssqrt(variance + epsilon));
  *moving_mean = fma(momentum, *moving_mean, (1.0f - momentum) * m.mean);
  *moving_var = fma(momentum, *moving_var, (1.0f - momentum) * variance);
}

__kernel void batchnorm_rows(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict s_base, const ulong s_offset,
                             __global const uint *restrict state, __global float *restrict rows_base,
                             const ulong rows_offset, const int n, const int h_count, const int w_count) {
  __local float scratch[LANES];
  const int h = (int)get_group_id(1), c = (int)get_group_id(2), row = c * h_count + h, pixels = h_count * w_count;
  const moments m = row_moments(x_base + x_offset + (size_t)c * pixels * n, s_base + s_offset, h, n, (int)state[1],
                                w_count, pixels, scratch);
  if (get_local_id(0) == 0) {
    rows_base[rows_offset + 2 * row] = m.mean;
    rows_base[rows_offset + 2 * row + 1] = m.squares;
  }
}

/* One work-item per channel. */
__kernel void batchnorm_statistics(__global const float *restrict rows_base, const ulong rows_offset,
                                   __global const uint *restrict state, __global float *restrict stats_base,
                                   const ulong stats_offset, __global float *restrict mean_base,
                                   const ulong mean_offset, __global float *restrict var_base, const ulong var_offset,
                                   const int c_count, const int h_count, const int w_count, const float epsilon,
                                   const float momentum) {
  const int c = (int)get_global_id(0);
  __global const float *rows = rows_base + rows_offset + (size_t)c * h_count * 2;
  const float in_row = (float)(w_count * (int)state[1]);
  moments m = {rows[0], rows[1]};
  for (int h = 1; h < h_count; h++) {
    const moments row = {rows[2 * h], rows[2 * h + 1]};
    m = merge_row(m, row, h, in_row);
  }
  write_statistics(m, in_row * (float)h_count, c_count, epsilon, momentum, stats_base + stats_offset + c,
                   mean_base + mean_offset + c, var_base + var_offset + c);
}

#if V > 1
/* Both at once, one work-item per channel: for small images, where a launch costs as much as the rows. */
__kernel void batchnorm_channels(__global const float *restrict x_base, const ulong x_offset,
                                 __global const float *restrict s_base, const ulong s_offset,
                                 __global const uint *restrict state, __global float *restrict stats_base,
                                 const ulong stats_offset, __global float *restrict mean_base, const ulong mean_offset,
                                 __global float *restrict var_base, const ulong var_offset, const int n,
                                 const int c_count, const int h_count, const int w_count, const float epsilon,
                                 const float momentum) {
  const int c = (int)get_group_id(2), pixels = h_count * w_count, n_valid = (int)state[1];
  const float in_row = (float)(w_count * n_valid);
  __global const float *x = x_base + x_offset + (size_t)c * pixels * n, *s = s_base + s_offset;
  moments m = row_moments(x, s, 0, n, n_valid, w_count, pixels, NULL);
  for (int h = 1; h < h_count; h++)
    m = merge_row(m, row_moments(x, s, h, n, n_valid, w_count, pixels, NULL), h, in_row);
  write_statistics(m, in_row * (float)h_count, c_count, epsilon, momentum, stats_base + stats_offset + c,
                   mean_base + mean_offset + c, var_base + var_offset + c);
}
#endif

/* The same of the moving statistics, for evaluation. */
__kernel void batchnorm_moving(__global const float *restrict mean_base, const ulong mean_offset,
                               __global const float *restrict var_base, const ulong var_offset,
                               __global float *restrict stats_base, const ulong stats_offset, const int c_count,
                               const float epsilon) {
  const int c = (int)get_global_id(0);
  stats_base[stats_offset + c] = mean_base[mean_offset + c];
  stats_base[stats_offset + c_count + c] = sdiv(1.0f, ssqrt(var_base[var_offset + c] + epsilon));
}

/* One work-item per channel. */
__kernel void batchnorm_backward_statistics(__global const float *restrict rows_base, const ulong rows_offset,
                                            __global const uint *restrict state, __global float *restrict stats_base,
                                            const ulong stats_offset, __global float *restrict dgamma_base,
                                            const ulong dgamma_offset, __global float *restrict dbeta_base,
                                            const ulong dbeta_offset, const int c_count, const int h_count,
                                            const int w_count) {
  const int c = (int)get_global_id(0);
  __global const float *rows = rows_base + rows_offset + (size_t)c * h_count * 2;
  backward_sums sums = {0.0f, 0.0f};
  for (int h = 0; h < h_count; h++) {
    sums.g = add_in_order(sums.g, rows[2 * h]);
    sums.product = add_in_order(sums.product, rows[2 * h + 1]);
  }
  write_backward_statistics(sums, w_count * (int)state[1], h_count, c_count, stats_base + stats_offset + c,
                            dgamma_base + dgamma_offset + c, dbeta_base + dbeta_offset + c);
}
