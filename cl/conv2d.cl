/* Convolution, the field's cross-correlation:
 *
 *   y[k][oh][ow][n] = b[k] + sum over c, r, s of w[k][c][r][s] * x[c][oh * STRIDE + r - top][ow * STRIDE + s - left][n]
 *
 * where x outside the image is zero ('same' and explicit padding both arrive as top, left and the output's size).
 * It is also the data gradient of a transposed convolution, with x = dy.
 *
 * Layout: x [C][H][W][N], y [K][OH][OW][N], weights at k * wk + c * wc + tap, b [K]; or PACKED
 * [K / TK][C][R][S][TK] (pack.cl), where there are many of them.
 * Canonical order: acc = 0; for c, for r (rows outside the image skipped), for s (columns outside add w * 0):
 *   acc = fma(w, x, acc); then y = acc, acc + b, the activation of that, or y + acc when accumulating. V, TK, TP never
 *   change it.
 *
 * A work-item computes V images x TK channels x one output row, TP pixels at a time in registers. Per (c, r) it loads
 * (TP - 1) * STRIDE + S vectors of x and S * TK weights for S * TK * TP multiply-adds: on AVX2 (16 registers) V = 16 as
 * two registers, TK = 5, TP = 1: 21 loads for 30; on AVX-512 (weights are embedded broadcasts) TP = 4: 6 for 60.
 *
 * With the whole batch innermost this kernel reached 0.45 of the fma ceiling at batch 64 and 0.65 to 0.88 at batch 16:
 * a work-item's images were 256 bytes apart and used a quarter of the cache's sets. Prefetching, blocks of channels, V
 * = 8 with TP = 2 and 2 MiB pages did not help; 16 images innermost did. Prefetching the next pixels' columns did
 * not help either, nor did blocks of 8 or 16 channels with their sums in private memory; all filters of such a block,
 * one tile after the other, may (0.5 to 0.6 of the ceiling, 110 -> 25 of stride 2 at 28x28). Most 3x3 convolutions are
 * winograd.cl's now. Prefetching the next row into the second cache, on Zen 4: 25 -> 1 at 28x28 0.6 of the time, 1 ->
 * 35 0.85.
 *
 * Macros: R, S kernel size; STRIDE; TK channels and TP pixels a tile; PACKED, whether the weights are; ACTIVATION
 * (activation.clh). */
#include "activation.clh"

#define COLUMNS ((TP - 1) * STRIDE + S)

/* `guard` is 1 at the image's left and right ends, where a column may be outside. */
#define LOAD(column, guard) \
  (!(guard) || ((column) >= 0 && (column) < w_size) ? vload(xr + (ptrdiff_t)(column)*LANES) : (vfloat)(0.0f))

/* Asks for what the next row of outputs reads beside these rows. */
#define PREFETCH(c)                     \
  for (int p = 0; p < TP && R > 1; p++) \
  vprefetch(x + (c)*channel + ((ptrdiff_t)(oh * STRIDE + R - top) * w_size + ow * STRIDE + p) * LANES)

#define ACCUMULATE(guard)                                                                            \
  for (int c = 0; c < c_count; c++) {                                                                \
    PREFETCH(c);                                                                                     \
    for (int r = r0; r < r1; r++) {                                                                  \
      __global const float *xr = x + c * channel + (size_t)(oh * STRIDE + r - top) * w_size * LANES; \
      __global const float *wr = w + (PACKED ? (c * R + r) * S * TK : c * wc + r * S);               \
      vfloat xs[COLUMNS];                                                                            \
      _Pragma("unroll") for (int i = 0; i < COLUMNS; i++) xs[i] = LOAD(col0 + i, guard);             \
      _Pragma("unroll") for (int s = 0; s < S; s++) _Pragma("unroll") for (int k = 0; k < TK; k++)   \
          _Pragma("unroll") for (int p = 0; p < TP; p++) acc[k][p] =                                 \
              fma((vfloat)(wr[(PACKED ? s * TK : s) + at[k]]), xs[p * STRIDE + s], acc[k][p]);       \
    }                                                                                                \
  }

__kernel void conv2d_forward(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict w_base, const ulong w_offset,
                             __global const float *restrict b_base, const ulong b_offset, __global float *y_base,
                             const ulong y_offset, const int n, const int c_count, const int h, const int w_size,
                             const int k_count, const int oh_count, const int ow_count, const int top, const int left,
                             const int has_bias, const int accumulate, const int wk, const int wc) {
#if V == 1
  const int n0 = first_image(0), k0 = (int)get_global_id(1) * TK, oh = (int)get_global_id(2);
#else /* tiles of channels follow each other, as they read the same rows of x */
  const int n0 = first_image(2), k0 = (int)get_global_id(0) * TK, oh = (int)get_global_id(1);
#endif
  const size_t channel = (size_t)h * w_size * n;
  const int r0 = max(0, top - oh * STRIDE), r1 = min(R, h + top - oh * STRIDE);
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global const float *w = w_base + w_offset + (PACKED ? (size_t)k0 * c_count * R * S : (size_t)k0 * wk);
  int at[TK];
  for (int k = 0; k < TK; k++) at[k] = PACKED ? k : min(k, k_count - 1 - k0) * wk;
  const int pixels = oh_count * ow_count;
  __global float *y = y_base + y_offset + (size_t)k0 * pixels * n + vplace(oh * ow_count, n0, pixels);

  for (int ow = 0; ow < ow_count; ow += TP) {
    const int col0 = ow * STRIDE - left;
    vfloat acc[TK][TP];
    for (int k = 0; k < TK; k++)
      for (int p = 0; p < TP; p++) acc[k][p] = (vfloat)(0.0f);
    if (col0 >= 0 && col0 + COLUMNS <= w_size) {
      ACCUMULATE(0)
    } else {
      ACCUMULATE(1)
    }
    for (int k = 0; k < TK; k++)
      for (int p = 0; p < TP; p++)
        if (k0 + k < k_count && ow + p < ow_count) {
          __global float *out = y + (size_t)k * pixels * n + (size_t)(ow + p) * LANES;
          vfloat v = acc[k][p];
          if (has_bias) v += (vfloat)(b_base[b_offset + k0 + k]);
          v = activate(v);
          if (accumulate) v += vload(out);
          vstore(v, out);
        }
  }
}
