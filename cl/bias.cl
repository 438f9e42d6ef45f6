/* Bias gradient: db[c] = sum over h, w, n of dy[c][h][w][n].
 *
 * Layout: dy [C][N/16][H][W][16], rows [C][H], db [C].
 * Canonical order: a row (c, h): lanes and tree of reduce.clh, in a lane for blocks of 16 images, for w; then the rows
 *   in order of h.
 *
 * A GPU has a group of 16 lanes for each row, and a second kernel for the rows' sums. On a CPU a work-item does a whole
 * channel, since a launch costs as much there as the sums of one channel. */
#include "common/reduce.clh"

/* The sum of one row; dy is at its channel. */
static inline float row_sum(__global const float *dy, int h, int n, int w_count, int pixels, __local float *scratch) {
  const int lane0 = (int)get_local_id(0) * V;
  vfloat sum = (vfloat)(0.0f);
  for (int b = 0; b < n; b += LANES)
    for (int w = 0; w < w_count; w++) sum += vload(dy + vplace(h * w_count + w, lane0 + b, pixels));
  return lane_sum(sum, scratch);
}

#if V == 1
__kernel void bias_backward_rows(__global const float *restrict dy_base, const ulong dy_offset,
                                 __global float *restrict rows_base, const ulong rows_offset, const int n,
                                 const int h_count, const int w_count) {
  __local float scratch[LANES];
  const int h = (int)get_group_id(1), c = (int)get_group_id(2), pixels = h_count * w_count;
  const float sum = row_sum(dy_base + dy_offset + (size_t)c * pixels * n, h, n, w_count, pixels, scratch);
  if (get_local_id(0) == 0) rows_base[rows_offset + c * h_count + h] = sum;
}

/* One work-item per channel. */
__kernel void bias_backward(__global const float *restrict rows_base, const ulong rows_offset,
                            __global float *restrict db_base, const ulong db_offset, const int h_count) {
  const int c = (int)get_global_id(0);
  float sum = 0.0f;
  for (int h = 0; h < h_count; h++) sum = add_in_order(sum, rows_base[rows_offset + (size_t)c * h_count + h]);
  db_base[db_offset + c] = sum;
}
#else
__kernel void bias_backward(__global const float *restrict dy_base, const ulong dy_offset,
                            __global float *restrict db_base, const ulong db_offset, const int n, const int h_count,
                            const int w_count) {
  const int c = (int)get_group_id(2), pixels = h_count * w_count;
  float sum = 0.0f;
  for (int h = 0; h < h_count; h++)
    sum = add_in_order(sum, row_sum(dy_base + dy_offset + (size_t)c * pixels * n, h, n, w_count, pixels, NULL));
  db_base[db_offset + c] = sum;
}
#endif
