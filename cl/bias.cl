/* Bias gradient: db[c] = sum over h, w, n of dy[c][h][w][n].
 * Canonical order: a row (c, h): lanes and tree of reduce.clh, in a lane for blocks of 16 images, for w; then the rows
 * in order of h. dy [C][H][W][N], rows [C][H], db [C]. */
#include "reduce.clh"

__kernel void bias_backward_rows(__global const float *restrict dy_base, const ulong dy_offset,
                                 __global float *restrict rows_base, const ulong rows_offset, const int n,
                                 const int h_count, const int w_count) {
  __local float scratch[LANES];
  const int lane0 = (int)get_local_id(0) * V;
  const int row = (int)get_group_id(2) * h_count + (int)get_group_id(1);
  const int pixels = h_count * w_count;
  __global const float *dy = dy_base + dy_offset + (size_t)get_group_id(2) * pixels * n;
  vfloat sum = (vfloat)(0.0f);
  for (int b = 0; b < n; b += LANES)
    for (int w = 0; w < w_count; w++) sum += vload(dy + vplace((int)get_group_id(1) * w_count + w, lane0 + b, pixels));
  const float total = lane_sum(sum, scratch);
  if (lane0 == 0) rows_base[rows_offset + row] = total;
}

/* One work-item per channel. */
__kernel void bias_backward(__global const float *restrict rows_base, const ulong rows_offset,
                            __global float *restrict db_base, const ulong db_offset, const int h_count) {
  const int c = (int)get_global_id(0);
  float sum = 0.0f;
  for (int h = 0; h < h_count; h++) sum = add_in_order(sum, rows_base[rows_offset + (size_t)c * h_count + h]);
  db_base[db_offset + c] = sum;
}
