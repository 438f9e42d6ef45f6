/* Transposed convolution as a gather, the exact gradient of conv2d.cl's convolution with respect to its input:
 *
 *   y[k][oh][ow][n] = sum over c and the taps (r, s) for which ih, iw are whole and inside, of
 *                     w[k][c][r][s] * x[c][ih][iw][n],  ih = (oh + top - r) / STRIDE, iw = (ow + left - s) / STRIDE
 *
 * With STRIDE 1 it is the data gradient of an ordinary convolution, with x = dy.
 *
 * Layout: x [C][H][W][N], y [K][OH][OW][N], weights at k * wk + c * wc + tap, b [K]; or PACKED
 * [K / TK][C][R][S][TK] (pack.cl), where there are many of them.
 * Canonical order: acc = 0; for c, for r, for s, taps whose row is not whole or not inside skipped, whose column is not
 *   whole skipped, whose column is outside added as w * 0: acc = fma(w, x, acc); then y = acc, acc + b, the
 *   activation of that, or y + acc.
 *
 * A work-item computes V images x TK channels x one output row; of a row first the columns 0, STRIDE, ..., then
 * 1, 1 + STRIDE, ..., TP of them at a time, since those share their taps.
 *
 * Macros: R, S kernel size; STRIDE; TK channels and TP pixels a tile; PACKED, whether the weights are; ACTIVATION
 * (activation.clh). */
#include "activation.clh"

#define LOAD(i, column, guard) \
  (!(guard) || ((column) >= 0 && (column) < w_size) ? vload(xr + (ptrdiff_t)(column)*LANES) : (vfloat)(0.0f))

#define ACCUMULATE(guard)                                                                                         \
  for (int c = 0; c < c_count; c++)                                                                               \
    for (int r = first_r; r < R; r += STRIDE) {                                                                   \
      const int ih = (oh + top - r) / STRIDE;                                                                     \
      if (oh + top - r < 0 || ih >= h) continue;                                                                  \
      __global const float *xr = x + c * channel + (size_t)ih * w_size * LANES;                                   \
      __global const float *wr = w + (PACKED ? (c * R + r) * S * TK : c * wc + r * S);                            \
      _Pragma("unroll") for (int s = 0; s < S; s++) {                                                             \
        if (STRIDE > 1 && (phase + left - s) % STRIDE != 0) continue;                                             \
        const int column = j + (phase + left - s) / STRIDE;                                                       \
        vfloat xs[TP];                                                                                            \
        _Pragma("unroll") for (int p = 0; p < TP; p++) xs[p] = LOAD(p, column + p, guard);                        \
        _Pragma("unroll") for (int k = 0; k < TK; k++) _Pragma("unroll") for (int p = 0; p < TP; p++) acc[k][p] = \
            fma((vfloat)(wr[(PACKED ? s * TK : s) + at[k]]), xs[p], acc[k][p]);                                   \
      }                                                                                                           \
    }

__kernel void conv2d_transpose_forward(__global const float *restrict x_base, const ulong x_offset,
                                       __global const float *restrict w_base, const ulong w_offset,
                                       __global const float *restrict b_base, const ulong b_offset,
                                       __global float *y_base, const ulong y_offset, const int n, const int c_count,
                                       const int h, const int w_size, const int k_count, const int oh_count,
                                       const int ow_count, const int top, const int left, const int has_bias,
                                       const int accumulate, const int wk, const int wc) {
#if V == 1
  const int n0 = first_image(0), k0 = (int)get_global_id(1) * TK, oh = (int)get_global_id(2);
#else /* as conv2d.cl */
  const int n0 = first_image(2), k0 = (int)get_global_id(0) * TK, oh = (int)get_global_id(1);
#endif
  const size_t channel = (size_t)h * w_size * n;
  const int first_r = (oh + top) % STRIDE;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global const float *w = w_base + w_offset + (PACKED ? (size_t)k0 * c_count * R * S : (size_t)k0 * wk);
  int at[TK];
  for (int k = 0; k < TK; k++) at[k] = PACKED ? k : min(k, k_count - 1 - k0) * wk;
  const int pixels = oh_count * ow_count;
  __global float *y = y_base + y_offset + (size_t)k0 * pixels * n + vplace(oh * ow_count, n0, pixels);

  for (int phase = 0; phase < STRIDE; phase++)
    for (int j = 0; phase + j * STRIDE < ow_count; j += TP) {
      vfloat acc[TK][TP];
      for (int k = 0; k < TK; k++)
        for (int p = 0; p < TP; p++) acc[k][p] = (vfloat)(0.0f);
      /* A negative numerator only rounds the bound up to 0, so it is tested before it is divided. */
      const int lowest = j * STRIDE + phase + left - (S - 1), highest = j + (phase + left) / STRIDE + TP - 1;
      if (lowest >= 0 && highest < w_size) {
        ACCUMULATE(0)
      } else {
        ACCUMULATE(1)
      }
      for (int k = 0; k < TK; k++)
        for (int p = 0; p < TP; p++) {
          const int ow = phase + (j + p) * STRIDE;
          if (k0 + k < k_count && ow < ow_count) {
            __global float *out = y + (size_t)k * pixels * n + (size_t)ow * LANES;
            vfloat v = acc[k][p];
            if (has_bias) v += (vfloat)(b_base[b_offset + k0 + k]);
            v = activate(v);
            if (accumulate) v += vload(out);
            vstore(v, out);
          }
        }
    }
}
