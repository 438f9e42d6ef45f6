/* Weight gradient of a convolution with few channels or few filters, on a CPU: conv2d_backward_weight.cl's formula and
 * canonical order.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], dw [K][C][R][S], levels [log2(N/16) + 1][K][C][R][S].
 *
 * A work-item computes the 16 images of a block x TK filters x CB channels x all taps, a block after the other: for
 * each row of dy it goes over the rows of x, each in PARTS of V lanes: TK * S sums in registers, and for each pixel TK
 * loads of dy and, with STRIDE 1, one new load of x for TK * S multiply-adds. A block's sums, of which `levels` has
 * those that wait, are a number each (reduce.clh). 85 -> 25 at 28x28 reaches half of the fma ceiling (Zen 3).
 *
 * Macros: V, narrower than 16 where registers are; R, S kernel size; STRIDE; TK filters a tile; CB channels a
 * work-item. */
#include "common/reduce.clh"

#define PARTS (LANES / V)

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

/* The 16 images of the block from n0 on. */
static inline void add_block(__global const float *x_base, __global const float *dy_base, int n, int n0, int k0, int c0,
                             int channels, int h, int w_size, int k_count, int oh_count, int ow_count, int top,
                             int left, vfloat sum[PARTS][CB][R][TK][S]) {
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  for (int oh = 0; oh < oh_count; oh++) {
    const int r0 = max(0, top - oh * STRIDE), r1 = min(R, h + top - oh * STRIDE);
    __global const float *dy[TK];
    for (int k = 0; k < TK; k++)
      dy[k] = dy_base + min(k0 + k, k_count - 1) * dy_channel + vplace(oh * ow_count, n0, oh_count * ow_count);
    __global const float *x_row = x_base + c0 * x_channel + vplace(0, n0, h * w_size);
    for (int c = 0; c < channels; c++, x_row += x_channel)
      for (int r = r0; r < r1; r++) {
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

__kernel void conv2d_backward_weight_few(__global const float *restrict x_base, const ulong x_offset,
                                         __global const float *restrict dy_base, const ulong dy_offset,
                                         __global float *restrict levels_base, const ulong levels_offset,
                                         __global float *restrict dw_base, const ulong dw_offset, const int n,
                                         const int c_count, const int h, const int w_size, const int k_count,
                                         const int oh_count, const int ow_count, const int top, const int left) {
  const int k0 = (int)get_global_id(0) * TK, c0 = (int)get_global_id(1) * CB;
  const int c1 = min(c0 + CB, c_count), blocks = n / LANES;
  const size_t weights = (size_t)k_count * c_count * (R * S);
  __global float *levels = levels_base + levels_offset;

  for (int block = 0; block < blocks; block++) {
    vfloat sum[PARTS][CB][R][TK][S];
    for (int part = 0; part < PARTS; part++)
      for (int c = 0; c < CB; c++)
        for (int r = 0; r < R; r++)
          for (int k = 0; k < TK; k++)
            for (int s = 0; s < S; s++) sum[part][c][r][k][s] = (vfloat)(0.0f);
    add_block(x_base + x_offset, dy_base + dy_offset, n, block * LANES, k0, c0, c1 - c0, h, w_size, k_count, oh_count,
              ow_count, top, left, sum);
    for (int k = 0; k < TK && k0 + k < k_count; k++)
      for (int c = c0; c < c1; c++)
        for (int r = 0; r < R; r++)
          for (int s = 0; s < S; s++) {
            vfloat lanes[PARTS];
            for (int part = 0; part < PARTS; part++) lanes[part] = sum[part][c - c0][r][k][s];
            batch_count(levels + (((size_t)(k0 + k) * c_count + c) * R + r) * S + s, weights, block, parts_sum(lanes));
          }
  }
  for (int k = 0; k < TK && k0 + k < k_count; k++)
    for (size_t i = ((size_t)(k0 + k) * c_count + c0) * (R * S); i < ((size_t)(k0 + k) * c_count + c1) * (R * S); i++)
      dw_base[dw_offset + i] = batch_counted(levels + i, weights, blocks);
}
