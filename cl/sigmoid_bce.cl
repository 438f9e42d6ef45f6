/* p = sigmoid(x) and binary cross-entropy against the target t:
 *
 *   q = clip(p, 1e-7, 1 - 1e-7),  loss = -(t ln q + (1 - t) ln(1 - q)),  dx = (p - t) / count, 0 where p was clipped
 *
 * count = n_valid * C * H * W: the loss is a mean over pixels and batch. (p - t) is p (1 - p) times the derivative by
 * p, simplified, so it has no division that can overflow.
 *
 * Layout: x, p, t, dx [C][N/16][H][W][16], rows [C][H]. Canonical order: a row's sum by the lanes and tree of
 * reduce.clh, in a lane for blocks of 16 images, for w. Padding images: p and dx are 0 (vector.clh). dx is not written
 * when `training` is 0. */
#include "common/math.clh"
#include "common/reduce.clh"

__kernel void sigmoid_bce(__global const float *restrict x_base, const ulong x_offset,
                          __global const float *restrict t_base, const ulong t_offset,
                          __global const uint *restrict state, __global float *restrict p_base, const ulong p_offset,
                          __global float *restrict dx_base, const ulong dx_offset, __global float *restrict rows_base,
                          const ulong rows_offset, const int n, const int h_count, const int w_count, const int values,
                          const int training) {
  __local float scratch[LANES];
  const int lane0 = (int)get_local_id(0) * V, n_valid = (int)state[1];
  const int row = (int)get_group_id(2) * h_count + (int)get_group_id(1), pixels = h_count * w_count;
  const vfloat one = (vfloat)(1.0f), zero = (vfloat)(0.0f);
  const vfloat low = (vfloat)(1e-7f), high = (vfloat)(1.0f - 1e-7f);
  const vfloat share = (vfloat)(sdiv(1.0f, (float)n_valid * (float)values));
  vfloat sum = zero;
  for (int b = lane0; b < n; b += LANES)
    for (int w = 0; w < w_count; w++) {
      const size_t at = (size_t)get_group_id(2) * pixels * n + vplace((int)get_group_id(1) * w_count + w, b, pixels);
      const vfloat p = vsigmoid(vload(x_base + x_offset + at)), t = vload(t_base + t_offset + at);
      vstore(vkeep(p, b, n_valid), p_base + p_offset + at);
      vfloat q = vselect(p, low, vmask(p < low));
      q = vselect(q, high, vmask(q > high));
      const vfloat loss = -fma(t, vlog(q), (one - t) * vlog(one - q));
      sum += vkeep(vselect(loss, p, vmask(p != p)), b, n_valid); /* a NaN stays one */
      if (training) {
        const vfloat dx = vselect((p - t) * share, zero, vmask(p != q) & vmask(p == p));
        vstore(vkeep(dx, b, n_valid), dx_base + dx_offset + at);
      }
    }
  const float total = lane_sum(sum, scratch);
  if (lane0 == 0) rows_base[rows_offset + row] = total;
}
