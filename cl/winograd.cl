/* A 3x3 convolution by Winograd's minimal filtering F(M x M, 3 x 3) (Lavin & Gray 2016, arXiv:1509.09308): with M = 2,
 * 16 multiplications for 4 outputs in place of 36; with M = 4, 36 for 16 in place of 144; of stride 2, 25 for 4 in
 * place of 36. For each tile of M x M outputs, whose inputs d are D x D and whose elements are E x E,
 *
 *   y = A' [(G g G') * (B' d B), summed over the input channels] A      (* element by element)
 *
 * It is the data gradient of such a convolution, too: of stride 1 an ordinary convolution, the filters rotated by 180
 * degrees, channels exchanged; of stride 2 a transposed one, TRANSPOSED. With stride 2 the even inputs are multiplied
 * by the taps 0 and 2, a convolution of two taps, F(2, 2) in three multiplications, and the odd ones by tap 1.
 *
 * Layout: x [C][N/16][H][W][16], y [K][N/16][OH][OW][16], u [K / TK][U U][C][TK], b [K].
 * Canonical order. G g G': rows first (the products along a column of g); B' d B and A' m A likewise: along the image's
 * columns first. What each step computes of its 3, D or E numbers:
 *   M = 2 (points 0, 1, -1, infinity): of g: g0, s + h, s - h, g2 with s = (g0 + g2) / 2, h = g1 / 2. Of d: d0 - d2,
 *   d1 + d2, d2 - d1, d1 - d3. Of m: (m0 + m1) + m2, (m1 - m2) - m3.
 *   M = 4 (points 0, 1, -1, 1/2, -2, infinity; each a * b + c here is one fma): of g, with a = (g0 + g2) * 1/3,
 *   b = g1 * 1/3: g0, a + b, b - a, (g2/4 + (g1/2 + g0)) * -16/15, (4 g2 + (-2 g1 + g0)) * 1/15, g2; the three
 *   constants rounded to floats. Of d, with a = d4 - d2, b = d3 - d1, p = 1.5 d3 + a, q = 1.5 d2 + b:
 *   1.5 b + (a - (d2 - d0)), p + q, p - q, 2 b + a, -b/2 + a, 1.5 a + ((d5 - d3) - b). Of m, with a = m1 + m2,
 *   b = m1 - m2: (m0 + a) + (m3 + m4), -2 m4 + (m3/2 + b), 4 m4 + (m3/4 + a), (-8 m4 + (m3/8 + b)) + m5.
 *   Stride 2: of g: g0, g0 + g2, g2, g1, g1. Of d: d0 - d2, d2, d2 - d4, d1, d3. Of m: (m0 + m1) + m3, (m1 - m2) + m4.
 *   TRANSPOSED: of g: g2, g0 + g2, g0, g1, g1. Of d: d0 - d1, d1, d1 - d2, d1, d2. Of m: m0 + m1, m3, m1 - m2, m4. The
 *   first tile begins `padding` % 2 outputs before the image, and with input padding / 2 - 1.
 * The sum: acc = 0; for c ascending acc = fma(u, v, acc). Then y, y + b, the activation of that, or y + what was there
 * when accumulating. Inputs outside the image are 0.
 *
 * With V > 1 a work-item computes V images x kg tiles of TK channels x one tile of the image: it transforms the tile's
 * inputs of all channels (of CC, if there are more: then the sums are kept in m), then multiplies them by its filters,
 * one of the elements after the other, so that an element's inputs stay in the first-level cache for all filters. While
 * multiplying it prefetches the next tile's inputs, a few after every CHANNELS channels: 85 channels of a tile are
 * 2,000 cache lines that no hardware prefetcher follows. With V = 1 it computes one image x TK channels x one tile, all
 * in registers, and each of the K / TK work-items transforms the inputs again: for GPUs whose work-groups are too small
 * for winograd_tiled.cl.
 *
 * Speed: 85 -> 25 at 28x28 runs at twice the ceiling of a direct convolution with M = 4 (Zen 3). Error: M = 4
 * has 2.1e-6 of the largest output, M = 2 3.9e-7, a direct convolution 9.3e-7 (85 channels).
 *
 * Macros: ACTIVATION (activation.clh); M; STRIDE 1 or 2; TRANSPOSED 0 or 1; TK channels a tile; V > 1: CC channels of
 * input at a time, at most KG tiles of channels a work-item. */
#include "common/convolution_output.clh"
#include "common/winograd.clh" /* last: its macros have short names */

/* t[E][D] = B' d of the tile whose first input is at row, column of the channel x. */
static inline void transform_columns(__global const float *x, int row, int column, int h, int w, vfloat t[E * D]) {
  const int r0 = max(-row, 0), r1 = min(h - row, D), c0 = max(-column, 0), c1 = min(w - column, D);
  vfloat d[D];
  x += ((ptrdiff_t)row * w + column) * LANES;
  if (r0 == 0 && r1 == D && c0 == 0 && c1 == D) {
#pragma unroll
    for (int j = 0; j < D; j++) {
#pragma unroll
      for (int i = 0; i < D; i++) d[i] = vload(x + ((ptrdiff_t)i * w + j) * LANES);
      input_step(d, 1, t + j, D);
    }
  } else {
#pragma unroll
    for (int j = 0; j < D; j++) {
      if (j < c0 || j >= c1) {
#pragma unroll
        for (int i = 0; i < E; i++) t[D * i + j] = (vfloat)(0.0f);
      } else {
#pragma unroll
        for (int i = 0; i < D; i++)
          d[i] = i < r0 || i >= r1 ? (vfloat)(0.0f) : vload(x + ((ptrdiff_t)i * w + j) * LANES);
        input_step(d, 1, t + j, D);
      }
    }
  }
}

#if V > 1
/* How many channels are multiplied between two prefetches. */
#define CHANNELS 8

/* Prefetches a row of a tile's inputs from x on, D of them or only JUMP. */
static inline void prefetch_inputs(__global const float *x, bool all) {
#pragma unroll
  for (int j = 0; j < JUMP; j++) vprefetch(x + j * LANES);
  if (all)
#pragma unroll
    for (int j = JUMP; j < D; j++) vprefetch(x + j * LANES);
}

static inline void prefetch_outputs(__global const float *y) {
#pragma unroll
  for (int j = 0; j < M; j++) vprefetch(y + j * LANES);
}
#endif

/* The tile's outputs of one channel from m, to y: those inside the image, where oh, ow is the first one. */
static inline void write_output(const vfloat m[E * E], __global const float *bias, int accumulate, int n0, int n_valid,
                                __global float *y, int oh, int ow, int oh_count, int ow_count) {
  vfloat t[M * E];
#pragma unroll
  for (int j = 0; j < E; j++) output_step(m + j, E, t + j, E);
#pragma unroll
  for (int i = 0; i < M; i++) {
    vfloat row[M];
    output_step(t + E * i, 1, row, 1);
#pragma unroll
    for (int j = 0; j < M; j++) {
      if (oh + i < 0 || oh + i >= oh_count || ow + j < 0 || ow + j >= ow_count) continue;
      __global float *at = y + ((ptrdiff_t)(oh + i) * ow_count + ow + j) * LANES;
      vfloat v = convolution_output(row[j], bias, n0, n_valid);
      if (accumulate) v += vload(at);
      vstore(v, at);
    }
  }
}

__kernel void winograd(__global const float *restrict x_base, const ulong x_offset,
                       __global const float *restrict u_base, const ulong u_offset,
                       __global const float *restrict b_base, const ulong b_offset, __global const uint *restrict state,
                       __global float *y_base, const ulong y_offset, const int n, const int c_count, const int h,
                       const int w_size, const int k_count, const int oh_count, const int ow_count, const int top,
                       const int left, const int has_bias, const int accumulate, const int kg) {
#if V > 1
  const int kt0 = (int)get_global_id(0) * kg, n0 = first_image(2), tile = (int)get_global_id(1);
#else
  const int n0 = first_image(0), kt = (int)get_group_id(1), tile = (int)get_group_id(2);
#endif
  /* the tile's first output and first input */
  const int columns = (ow_count + SHIFT(left) + M - 1) / M;
  const int oh = tile / columns * M - SHIFT(top), ow = tile % columns * M - SHIFT(left);
  const int row = tile / columns * JUMP - BEFORE(top), column = tile % columns * JUMP - BEFORE(left);
  const int pixels = oh_count * ow_count, n_valid = (int)state[1];
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global float *y = y_base + y_offset + vplace(0, n0, pixels);
  const size_t channel = (size_t)h * w_size * n, position = (size_t)c_count * TK;
#if V > 1
  const int kt1 = min(kt0 + kg, (k_count + TK - 1) / TK), k0 = kt0 * TK, k1 = min(kt1 * TK, k_count);
  /* prefetched while multiplying: the next tile's columns that this one does not have, and the outputs */
  const bool row_ends = ow + M >= ow_count;
  const int next_row = row_ends ? row + JUMP : row, next_column = row_ends ? -BEFORE(left) : column + D;
  __global const float *next_x = x + ((ptrdiff_t)next_row * w_size + next_column) * LANES;
  __global const float *next_y = y + ((ptrdiff_t)oh * ow_count + ow) * LANES;
  vfloat v[E * E][CC], m[KG][E * E][TK];

  for (int c0 = 0; c0 < c_count; c0 += CC) {
    const int some = min(CC, c_count - c0), steps = E * E * (kt1 - kt0) * ((some + CHANNELS - 1) / CHANNELS);
    const int input_rows = some * D, output_rows = c0 + some < c_count ? 0 : (k1 - k0) * M;
    for (int c = 0; c < some; c++) {
      vfloat t[E * D];
      transform_columns(x + (c0 + c) * channel, row, column, h, w_size, t);
#pragma unroll
      for (int i = 0; i < E; i++) input_step(t + D * i, 1, &v[E * i][c], CC);
    }
    for (int p = 0, step = 1, inputs_asked = 0, outputs_asked = 0; p < E * E; p++)
      for (int kt = kt0; kt < kt1; kt++) {
        __global const float *u =
            u_base + u_offset + (size_t)(kt * (U * U) + filter_element(p)) * position + (size_t)c0 * TK;
        vfloat acc[TK];
#pragma unroll
        for (int k = 0; k < TK; k++) acc[k] = c0 == 0 ? (vfloat)(0.0f) : m[kt - kt0][p][k];
        for (int c = 0; c < some; step++) {
          for (const int end = min(c + CHANNELS, some); c < end; c++) {
            const vfloat vc = v[p][c];
#pragma unroll
            for (int k = 0; k < TK; k++) acc[k] = fma((vfloat)(u[c * TK + k]), vc, acc[k]);
          }
          for (; inputs_asked * steps < input_rows * step; inputs_asked++)
            prefetch_inputs(next_x + (c0 + inputs_asked / D) * channel + (ptrdiff_t)(inputs_asked % D) * w_size * LANES,
                            row_ends);
          for (; outputs_asked * steps < output_rows * step; outputs_asked++)
            prefetch_outputs(next_y + (size_t)(k0 + outputs_asked / M) * pixels * n +
                             outputs_asked % M * ow_count * LANES);
        }
#pragma unroll
        for (int k = 0; k < TK; k++) m[kt - kt0][p][k] = acc[k];
      }
  }
  for (int k = k0; k < k1; k++) {
    vfloat one[E * E];
#pragma unroll
    for (int p = 0; p < E * E; p++) one[p] = m[k / TK - kt0][p][k % TK];
    write_output(one, has_bias ? b_base + b_offset + k : NULL, accumulate, n0, n_valid, y + (size_t)k * pixels * n, oh,
                 ow, oh_count, ow_count);
  }
#else
  __global const float *u = u_base + u_offset + (size_t)kt * (U * U) * c_count * TK;
  float m[TK][E * E];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int p = 0; p < E * E; p++) m[k][p] = 0.0f;
  for (int c = 0; c < c_count; c++, x += channel, u += TK) {
    float t[E * D];
    transform_columns(x, row, column, h, w_size, t);
#pragma unroll
    for (int i = 0; i < E; i++) {
      float v[E];
      input_step(t + D * i, 1, v, 1);
#pragma unroll
      for (int j = 0; j < E; j++)
#pragma unroll
        for (int k = 0; k < TK; k++) {
          const int p = E * i + j;
          m[k][p] = fma(u[filter_element(p) * position + k], v[j], m[k][p]);
        }
    }
  }
#pragma unroll
  for (int k = 0; k < TK; k++) {
    if (kt * TK + k >= k_count) break;
    write_output(m[k], has_bias ? b_base + b_offset + kt * TK + k : NULL, accumulate, n0, n_valid,
                 y + (size_t)(kt * TK + k) * pixels * n, oh, ow, oh_count, ow_count);
  }
#endif
}
