/* Weight gradient of a convolution:
 *
 *   dw[k][c][r][s] = sum over n, oh, ow of dy[k][oh][ow][n] * x[c][oh * STRIDE + r - top][ow * STRIDE + s - left][n]
 *
 * and of a transposed one, with x and dy in each other's place.
 *
 * Layout: x [C][H][W][N], dy [K][OH][OW][N], partial [K][C][R][S][16], dw [K][C][R][S].
 * Canonical order: 16 lanes, lane l sums the images l, l + 16, ...: acc = 0; for oh (rows of x outside skipped), for
 *   blocks of 16 images, for ow (columns outside add dy * 0): acc = fma(dy, x, acc); then the tree of reduce.clh.
 *
 * A work-item of conv2d_backward_weight computes V of the 16 lanes x TK filters x CB channels x all taps. A row of dy
 * stays in the cache while the CB channels and R rows use it; TK * S accumulators are in registers for a row of pixels
 * and TK + S loads feed TK * S multiply-adds.
 *
 * Macros: R, S kernel size; STRIDE; TK filters a tile; CB channels a work-item (1 on a GPU, where the accumulators must
 * all be registers). */
#include "reduce.clh"

__kernel void conv2d_backward_weight(__global const float *restrict x_base, const ulong x_offset,
                                     __global const float *restrict dy_base, const ulong dy_offset,
                                     __global float *restrict partial_base, const ulong partial_offset, const int n,
                                     const int c_count, const int h, const int w_size, const int k_count,
                                     const int oh_count, const int ow_count, const int top, const int left) {
  const int lane0 = (int)get_global_id(0) * V;
  const int k0 = (int)get_global_id(1) * TK;
  const int c0 = (int)get_global_id(2) * CB;
  const int c1 = CB == 1 ? c0 + 1 : min(c0 + CB, c_count);
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  /* ow in [inside0, inside1) touches no column outside */
  const int inside0 = min((left + STRIDE - 1) / STRIDE, ow_count);
  const int inside1 = max(inside0, min(ow_count, w_size - S + left < 0 ? 0 : (w_size - S + left) / STRIDE + 1));

  vfloat sum[CB][R][TK][S];
  for (int c = 0; c < CB; c++)
    for (int r = 0; r < R; r++)
      for (int k = 0; k < TK; k++)
        for (int s = 0; s < S; s++) sum[c][r][k][s] = (vfloat)(0.0f);

  for (int oh = 0; oh < oh_count; oh++)
    for (int c = c0; c < c1; c++)
#if V == 1 /* a GPU's compiler keeps `sum` in registers only where every index is a constant */
#pragma unroll
#endif
      for (int r = 0; r < R; r++) {
        const int ih = oh * STRIDE + r - top;
        if (ih < 0 || ih >= h) continue;
        vfloat acc[TK][S];
        for (int k = 0; k < TK; k++)
          for (int s = 0; s < S; s++) acc[k][s] = sum[c - c0][r][k][s];
        for (int n0 = lane0; n0 < n; n0 += LANES) {
          __global const float *xr = x_base + x_offset + c * x_channel + vplace(ih * w_size, n0, h * w_size);
          __global const float *dyr[TK];
          for (int k = 0; k < TK; k++)
            dyr[k] = dy_base + dy_offset + min(k0 + k, k_count - 1) * dy_channel +
                     vplace(oh * ow_count, n0, oh_count * ow_count);
          int ow = 0;
          for (int part = 0; part < 3; part++) {
            const int end = part == 0 ? inside0 : part == 1 ? inside1 : ow_count;
            if (part == 1)
              for (; ow < end; ow++) {
                vfloat xs[S];
#pragma unroll
                for (int s = 0; s < S; s++) xs[s] = vload(xr + (size_t)(ow * STRIDE + s - left) * LANES);
#pragma unroll
                for (int k = 0; k < TK; k++) {
                  const vfloat g = vload(dyr[k] + (size_t)ow * LANES);
#pragma unroll
                  for (int s = 0; s < S; s++) acc[k][s] = fma(g, xs[s], acc[k][s]);
                }
              }
            else
              for (; ow < end; ow++)
                for (int s = 0; s < S; s++) {
                  const int iw = ow * STRIDE + s - left;
                  const vfloat xv = iw >= 0 && iw < w_size ? vload(xr + (size_t)iw * LANES) : (vfloat)(0.0f);
                  for (int k = 0; k < TK; k++) acc[k][s] = fma(vload(dyr[k] + (size_t)ow * LANES), xv, acc[k][s]);
                }
          }
        }
        for (int k = 0; k < TK; k++)
          for (int s = 0; s < S; s++) sum[c - c0][r][k][s] = acc[k][s];
      }

  for (int c = c0; c < c1; c++)
#if V == 1
#pragma unroll
#endif
    for (int r = 0; r < R; r++)
      for (int k = 0; k < TK && k0 + k < k_count; k++)
        for (int s = 0; s < S; s++)
          vstore(sum[c - c0][r][k][s],
                 partial_base + partial_offset + ((((size_t)(k0 + k) * c_count + c) * R + r) * S + s) * LANES + lane0);
}

/* dw[i] = the tree sum of partial[i][0..15]; one work-item per element, `count` of them. */
__kernel void reduce_lanes(__global const float *restrict partial_base, const ulong partial_offset,
                           __global float *restrict dw_base, const ulong dw_offset, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  dw_base[dw_offset + i] = tree_sum(*(__global const float16 *)(partial_base + partial_offset + (size_t)i * LANES));
}
