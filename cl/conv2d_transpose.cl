/* Transposed convolution as a gather, the exact gradient of conv2d.cl's convolution with respect to its input:
 *
 *   y[k][oh][ow][n] = sum over c and the taps (r, s) for which ih, iw are integers and inside, of
 *                     w[k][c][r][s] * x[c][ih][iw][n],  ih = (oh + top - r) / STRIDE, iw = (ow + left - s) / STRIDE
 *
 * With STRIDE 1 it is the data gradient of an ordinary convolution, with x = dy.
 *
 * Layout: x [C][N/16][H][W][16], y [K][N/16][OH][OW][16], weights at k * wk + c * wc + tap, b [K]; or, where there are
 *   many weights, PACKED [K / TK][C][R][S][TK] (weights.cl).
 * Canonical order: acc = 0; for c, for r, for s, taps whose row is no integer or not inside skipped, whose column is no
 *   integer skipped, whose column is outside added as w * 0: acc = fma(w, x, acc); then y = acc, acc + b, the
 *   activation of that, or y + acc. Padding images, state: convolution_output.clh.
 *
 * A work-item computes V images x TK channels x one output row; of a row first the columns 0, STRIDE, ..., then
 * 1, 1 + STRIDE, ..., TP of them at a time, since those have the same taps; on a GPU only TP of them.
 *
 * Macros: R, S kernel size; STRIDE; TK channels and TP pixels a tile; PACKED, whether the weights are; ACTIVATION
 * (activation.clh). */
#include "common/conv2d_transpose.clh"

__kernel void conv2d_transpose_forward(__global const float *restrict x_base, const ulong x_offset,
                                       __global const float *restrict w_base, const ulong w_offset,
                                       __global const float *restrict b_base, const ulong b_offset,
                                       __global const uint *restrict state, __global float *y_base,
                                       const ulong y_offset, const int n, const int c_count, const int h,
                                       const int w_size, const int k_count, const int oh_count, const int ow_count,
                                       const int top, const int left, const int has_bias, const int accumulate,
                                       const int wk, const int wc) {
#if V == 1
  const int n0 = first_image(0), k0 = (int)get_group_id(1) * TK;
  const int parts = (ow_count + TP * STRIDE - 1) / (TP * STRIDE), part = (int)get_group_id(2) % (parts * STRIDE);
  const int oh = (int)get_group_id(2) / (parts * STRIDE), phase = part / parts, j = part % parts * TP;
#else /* as conv2d.cl */
  const int n0 = first_image(2), k0 = (int)get_global_id(0) * TK, oh = (int)get_global_id(1);
#endif
  const size_t channel = (size_t)h * w_size * n;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global const float *w = w_base + w_offset + (PACKED ? (size_t)k0 * c_count * R * S : (size_t)k0 * wk);
  int at[TK];
  for (int k = 0; k < TK; k++) at[k] = PACKED ? k : min(k, k_count - 1 - k0) * wk;
  const int pixels = oh_count * ow_count;
  __global float *y = y_base + y_offset + (size_t)k0 * pixels * n + vplace(oh * ow_count, n0, pixels);
#if V == 1
  convolve_pixels_transposed(x, channel, c_count, h, w_size, w, at, wc, has_bias ? b_base + b_offset + k0 : NULL,
                             accumulate, y, (size_t)pixels * n, k_count - k0, ow_count, oh, phase, j, top, left, n0,
                             (int)state[1]);
#else
  convolve_row_transposed(x, channel, c_count, h, w_size, w, at, wc, has_bias ? b_base + b_offset + k0 : NULL,
                          accumulate, y, (size_t)pixels * n, k_count - k0, ow_count, oh, top, left, n0, (int)state[1]);
#endif
}
