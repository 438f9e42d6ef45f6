/* Weight gradient of a convolution:
 *
 *   dw[k][c][r][s] = sum over n, oh, ow of dy[k][oh][ow][n] * x[c][oh * STRIDE + r - top][ow * STRIDE + s - left][n]
 *
 * and of a transposed one, with x and dy exchanged.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], dw [K][C][R][S]; on a GPU, where a work-item has one of the
 * 16 lanes, partial [K][C][R][S][16], which reduce_lanes sums to dw. Canonical order: 16 lanes, lane l sums the images
 * l, l + 16, ...: acc = 0; for oh (rows of x outside skipped), for blocks of 16 images, for ow (columns outside add dy
 * * 0): acc = fma(dy, x, acc); then the tree of reduce.clh.
 *
 * A work-item of conv2d_backward_weight computes the 16 lanes (on a GPU one of them) x TK filters x CB channels x all
 * taps. For each row of dy and block of 16 images it goes over the rows of x, each in PARTS of V lanes: TK * S sums in
 * registers, and for each pixel TK loads of dy and, with STRIDE 1, one new load of x for TK * S multiply-adds. 85 -> 25
 * at 28x28 reaches half of the fma ceiling (Zen 3).
 *
 * Macros: R, S kernel size; STRIDE; TK filters a tile; CB channels a work-item (1 on a GPU, where the accumulators must
 * all be registers). */
#include "common/reduce.clh"

#if V == 1
#define PARTS 1
#else
#define PARTS (LANES / V)
#endif

/* Column iw of a row of x, 0 outside. */
#define COLUMN(iw) ((iw) >= 0 && (iw) < w_size ? vload(x + (ptrdiff_t)(iw)*LANES) : (vfloat)(0.0f))

/* acc[k][s] += dy[k][ow] * xs[s], every index a constant: the sums stay in registers. */
#define ADD_PIXEL(ow)                                                                   \
  _Pragma("unroll") for (int k = 0; k < TK; k++) {                                      \
    const vfloat g = vload(dy[k] + (ptrdiff_t)(ow)*LANES);                              \
    _Pragma("unroll") for (int s = 0; s < S; s++) acc[k][s] = fma(g, xs[s], acc[k][s]); \
  }

/* The products of one row of dy with one row of x. Columns of x that may be outside are guarded: the first ones before
 * the loop, the last ones in a loop of their own. */
static inline void add_row(__global const float *x, __global const float *const dy[TK], int ow_count, int w_size,
                           int left, vfloat sum[TK][S]) {
  vfloat xs[S], acc[TK][S];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int s = 0; s < S; s++) acc[k][s] = sum[k][s];
  int ow = 0;
#if STRIDE == 1 /* all columns but the last are the previous pixel's */
  const int inside = min(ow_count, w_size - (S - 1) + left);
#pragma unroll
  for (int s = 0; s < S - 1; s++) xs[s + 1] = COLUMN(s - left);
  for (; ow < inside; ow++) {
#pragma unroll
    for (int s = 0; s < S - 1; s++) xs[s] = xs[s + 1];
    xs[S - 1] = vload(x + (ptrdiff_t)(ow + S - 1 - left) * LANES);
    ADD_PIXEL(ow)
  }
  for (; ow < ow_count; ow++) {
#pragma unroll
    for (int s = 0; s < S - 1; s++) xs[s] = xs[s + 1];
    xs[S - 1] = COLUMN(ow + S - 1 - left);
    ADD_PIXEL(ow)
  }
#else
  const int first = min(ow_count, (left + STRIDE - 1) / STRIDE);
  const int inside = min(ow_count, w_size - S + left < 0 ? 0 : (w_size - S + left) / STRIDE + 1);
  for (; ow < first; ow++) {
#pragma unroll
    for (int s = 0; s < S; s++) xs[s] = COLUMN(ow * STRIDE + s - left);
    ADD_PIXEL(ow)
  }
  for (; ow < inside; ow++) {
#pragma unroll
    for (int s = 0; s < S; s++) xs[s] = vload(x + (ptrdiff_t)(ow * STRIDE + s - left) * LANES);
    ADD_PIXEL(ow)
  }
  for (; ow < ow_count; ow++) {
#pragma unroll
    for (int s = 0; s < S; s++) xs[s] = COLUMN(ow * STRIDE + s - left);
    ADD_PIXEL(ow)
  }
#endif
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int s = 0; s < S; s++) sum[k][s] = acc[k][s];
}

__kernel void conv2d_backward_weight(__global const float *restrict x_base, const ulong x_offset,
                                     __global const float *restrict dy_base, const ulong dy_offset,
                                     __global float *restrict out_base, const ulong out_offset, const int n,
                                     const int c_count, const int h, const int w_size, const int k_count,
                                     const int oh_count, const int ow_count, const int top, const int left) {
  const int lane0 = V == 1 ? (int)get_global_id(0) : 0;
  const int k0 = (int)get_global_id(1) * TK;
  const int c0 = (int)get_global_id(2) * CB;
  const int c1 = CB == 1 ? c0 + 1 : min(c0 + CB, c_count);
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;

  vfloat sum[PARTS][CB][R][TK][S];
  for (int part = 0; part < PARTS; part++)
    for (int c = 0; c < CB; c++)
      for (int r = 0; r < R; r++)
        for (int k = 0; k < TK; k++)
          for (int s = 0; s < S; s++) sum[part][c][r][k][s] = (vfloat)(0.0f);

  for (int oh = 0; oh < oh_count; oh++) {
    const int r0 = max(0, top - oh * STRIDE), r1 = min(R, h + top - oh * STRIDE);
    for (int n0 = lane0; n0 < n; n0 += LANES) {
      __global const float *dy[TK];
      for (int k = 0; k < TK; k++)
        dy[k] = dy_base + dy_offset + min(k0 + k, k_count - 1) * dy_channel +
                vplace(oh * ow_count, n0, oh_count * ow_count);
      __global const float *x_row = x_base + x_offset + c0 * x_channel + vplace(0, n0, h * w_size);
      for (int c = 0; c < c1 - c0; c++, x_row += x_channel)
#if FOVEA_V == 1 /* a GPU's compiler keeps `sum` in registers only where every index is a constant */
#pragma unroll
        for (int r = 0; r < R; r++) {
          if (r < r0 || r >= r1) continue;
#else
        for (int r = r0; r < r1; r++) {
#endif
          __global const float *x = x_row + (ptrdiff_t)(oh * STRIDE + r - top) * w_size * LANES;
#pragma unroll
          for (int part = 0; part < PARTS; part++) {
            __global const float *rows[TK];
            for (int k = 0; k < TK; k++) rows[k] = dy[k] + part * V;
            add_row(x + part * V, rows, ow_count, w_size, left, sum[part][c][r]);
          }
        }
    }
  }

  for (int c = c0; c < c1; c++)
#if FOVEA_V == 1
#pragma unroll
#endif
    for (int r = 0; r < R; r++)
      for (int k = 0; k < TK && k0 + k < k_count; k++)
        for (int s = 0; s < S; s++) {
          const size_t i = (((size_t)(k0 + k) * c_count + c) * R + r) * S + s;
#if V == 1
          out_base[out_offset + i * LANES + lane0] = sum[0][c - c0][r][k][s];
#else
          vfloat lanes[PARTS];
          for (int part = 0; part < PARTS; part++) lanes[part] = sum[part][c - c0][r][k][s];
          out_base[out_offset + i] = parts_sum(lanes);
#endif
        }
}

#if V == 1
/* dw[i] = the tree sum of partial[i][0..15]; one work-item per element, `count` of them. */
__kernel void reduce_lanes(__global const float *restrict partial_base, const ulong partial_offset,
                           __global float *restrict dw_base, const ulong dw_offset, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  dw_base[dw_offset + i] = tree_sum(*(__global const float16 *)(partial_base + partial_offset + (size_t)i * LANES));
}
#endif
