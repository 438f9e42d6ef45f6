/* Convolution, the field's cross-correlation:
 *
 *   y[k][oh][ow][n] = b[k] + sum over c, r, s of w[k][c][r][s] * x[c][oh * STRIDE + r - top][ow * STRIDE + s - left][n]
 *
 * where x outside the image is zero ('same' and explicit padding both arrive as top, left and the output's size).
 * It is also the data gradient of a transposed convolution, with x = dy. Most 3x3 convolutions are winograd.cl's.
 *
 * Layout: x [C][N/16][H][W][16], y [K][N/16][OH][OW][16], weights at k * wk + c * wc + tap, b [K]; or, where there are
 *   many weights, PACKED [K / TK][C][R][S][TK] (weights.cl).
 * Canonical order: acc = 0; for c, for r (rows outside the image skipped), for s (columns outside add w * 0):
 *   acc = fma(w, x, acc); then y = acc, acc + b, the activation of that, or y + acc when accumulating. V, TK, TP never
 *   change it. Padding images, state: convolution_output.clh.
 *
 * A work-item computes V images x TK channels x one output row, TP pixels at a time in registers; on a GPU, whose
 * work-items should be many, only TP pixels. There weights are found by the work-group's number, which compilers know
 * to be the same for all its work-items, so that AMD's have them in scalar registers. Per (c, r) it loads (TP - 1) *
 * STRIDE + S vectors of x and S * TK weights for S * TK * TP multiply-adds: on AVX2 (16 registers) V = 16 as two
 * registers, TK = 5, TP = 1: 21 loads for 30; on AVX-512 (weights are embedded broadcasts) TP = 4: 6 for 60. The next
 * row is prefetched: 0.6 of the time for 25 -> 1 channels at 28x28 (Zen 4).
 *
 * Macros: R, S kernel size; STRIDE; TK channels and TP pixels a tile; PACKED, whether the weights are; ACTIVATION
 * (activation.clh). */
#include "common/conv2d.clh"

__kernel void conv2d_forward(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict w_base, const ulong w_offset,
                             __global const float *restrict b_base, const ulong b_offset,
                             __global const uint *restrict state, __global float *y_base, const ulong y_offset,
                             const int n, const int c_count, const int h, const int w_size, const int k_count,
                             const int oh_count, const int ow_count, const int top, const int left, const int has_bias,
                             const int accumulate, const int wk, const int wc) {
#if V == 1
  const int n0 = first_image(0), k0 = (int)get_group_id(1) * TK, parts = (ow_count + TP - 1) / TP;
  const int oh = (int)get_group_id(2) / parts, ow = (int)get_group_id(2) % parts * TP;
#else /* tiles of channels follow each other, as they read the same rows of x */
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
  convolve_pixels(x, channel, c_count, h, w_size, w, at, wc, has_bias ? b_base + b_offset + k0 : NULL, accumulate, y,
                  (size_t)pixels * n, k_count - k0, ow_count, oh, ow, top, left, n0, (int)state[1]);
#else
  convolve_row(x, channel, c_count, h, w_size, w, at, wc, has_bias ? b_base + b_offset + k0 : NULL, accumulate, y,
               (size_t)pixels * n, k_count - k0, ow_count, oh, top, left, n0, (int)state[1]);
#endif
}
