/* A 3x3 convolution of stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin & Gray 2016, arXiv:1509.09308): 16
 * multiplications for 4 outputs in place of 36. For each tile of 2 x 2 outputs, whose inputs d are 4 x 4,
 *
 *   y = A' [(G g G') * (B' d B), summed over the input channels] A      (* element by element)
 *
 * It is the data gradient of such a convolution, too: the filters turned by half a circle, channels exchanged.
 *
 * Layout: x [C][N/16][H][W][16], y [K][N/16][OH][OW][16], u [K / TK][16][C][TK], b [K].
 * Canonical order. G g G': rows first; of (g0, g1, g2): g0, s + h, s - h, g2 with s = (g0 + g2) / 2, h = g1 / 2. B' d
 * B: rows of d (the image's columns) first; of (d0, d1, d2, d3): d0 - d2, d1 + d2, d2 - d1, d1 - d3. The sum: acc = 0;
 * for c ascending acc = fma(u, v, acc). A' m A: rows first; of (m0, m1, m2, m3): (m0 + m1) + m2, (m1 - m2) - m3. Then
 * y, y + b, or y + what was there when accumulating. Inputs outside the image are 0.
 *
 * With V > 1 a work-item computes V images x kg tiles of TK channels x one row of tiles: it transforms the tile's
 * inputs of all channels (of CC, if there are more: then the sums wait in m), then multiplies them by its filters, one
 * of the 16 elements after the other. With V = 1 (a GPU) it computes one image x TK channels x one tile, all in
 * registers, and each of the K / TK work-items transforms the inputs again.
 *
 * Measured on Zen 3, one thread, batch 64, as a direct convolution's flops: 85 -> 25 at 28x28 145 GFLOP/s, 1.45 of the
 * fma ceiling; 35 -> 15 at 7x7, where a quarter of the last tiles is outside, half as much. The products (10 fma to 7
 * loads) run at 0.9 of the ceiling and are 0.6 of the time; the rest waits for the inputs. What helped: elements
 * outermost, so that their inputs stay in the first cache for all filters, and all channels at once (85 channels in 16s
 * with filters outermost: 110); CC odd, for the 16 elements of a channel would else share few sets of the cache (0.05);
 * prefetching the next tile's columns (0.25); m with the tile's channels innermost and unguarded loads inside the image
 * (0.15).
 *
 * Macros: TK channels a tile; V > 1: CC channels of input at a time, at most KG tiles of channels a work-item. */
#include "vector.clh"

#define TRANSFORM_INPUT(d0, d1, d2, d3, t0, t1, t2, t3) \
  t0 = (d0) - (d2), t1 = (d1) + (d2), t2 = (d2) - (d1), t3 = (d1) - (d3)

/* v = B' d B of the 4 x 4 inputs that begin at x, of which those outside the image are 0. `guard` is 0 for a tile that
 * is inside as a whole. */
#define LOAD(i, j)                                                                      \
  (!guard || (row + (i) >= 0 && row + (i) < h && column + (j) >= 0 && column + (j) < w) \
       ? vload(x + ((ptrdiff_t)(i)*w + (j)) * LANES)                                    \
       : (vfloat)(0.0f))

static inline void transform_inputs(__global const float *x, int row, int column, int h, int w, const bool guard,
                                    vfloat v[16]) {
  vfloat t[16];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    const vfloat d0 = LOAD(0, j), d1 = LOAD(1, j), d2 = LOAD(2, j), d3 = LOAD(3, j);
    TRANSFORM_INPUT(d0, d1, d2, d3, t[j], t[4 + j], t[8 + j], t[12 + j]);
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
    TRANSFORM_INPUT(t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3], v[4 * i], v[4 * i + 1], v[4 * i + 2],
                    v[4 * i + 3]);
}

/* Of the tile whose first input is at row, column of the channel x. */
static inline void transform_tile(__global const float *x, int row, int column, int h, int w, vfloat v[16]) {
  x += ((ptrdiff_t)row * w + column) * LANES;
  if (row >= 0 && row + 4 <= h && column >= 0 && column + 4 <= w)
    transform_inputs(x, row, column, h, w, false, v);
  else
    transform_inputs(x, row, column, h, w, true, v);
}

#if V > 1
/* The next tile's columns that this one had not. */
static inline void prefetch_tile(__global const float *x, int row, int column, int w) {
  x += ((ptrdiff_t)row * w + column) * LANES;
#pragma unroll
  for (int i = 0; i < 4; i++) {
    vprefetch(x + (ptrdiff_t)i * w * LANES);
    vprefetch(x + ((ptrdiff_t)i * w + 1) * LANES);
  }
}
#endif

/* The tile's outputs of one channel from m, to out: those inside the image. */
static inline void write_output(const vfloat m[16], float bias, int has_bias, int accumulate, __global float *out,
                                int rows, int columns, int ow_count) {
  vfloat t[8];
#pragma unroll
  for (int j = 0; j < 4; j++) {
    t[j] = (m[j] + m[4 + j]) + m[8 + j];
    t[4 + j] = (m[4 + j] - m[8 + j]) - m[12 + j];
  }
#pragma unroll
  for (int i = 0; i < 2; i++) {
    vfloat y[2];
    y[0] = (t[4 * i] + t[4 * i + 1]) + t[4 * i + 2];
    y[1] = (t[4 * i + 1] - t[4 * i + 2]) - t[4 * i + 3];
#pragma unroll
    for (int j = 0; j < 2; j++) {
      if (i >= rows || j >= columns) continue;
      __global float *at = out + (i * ow_count + j) * LANES;
      vfloat v = y[j];
      if (has_bias) v += (vfloat)(bias);
      if (accumulate) v += vload(at);
      vstore(v, at);
    }
  }
}

/* u of each (k, c): one work-item. w is [K][C][3][3], or, turned, [C][K][3][3] read backwards. Channels past K are 0.
 */
__kernel void winograd_weights(__global const float *restrict w_base, const ulong w_offset,
                               __global float *restrict u_base, const ulong u_offset, const int k_count,
                               const int c_count, const int turned, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  const int c = i % c_count, k = i / c_count;
  float g[9], t[12];
  for (int tap = 0; tap < 9; tap++)
    g[tap] = k >= k_count ? 0.0f
             : turned     ? w_base[w_offset + ((size_t)c * k_count + k) * 9 + 8 - tap]
                          : w_base[w_offset + ((size_t)k * c_count + c) * 9 + tap];
  for (int j = 0; j < 3; j++) {
    const float s = (g[j] + g[6 + j]) * 0.5f, h = g[3 + j] * 0.5f;
    t[j] = g[j], t[3 + j] = s + h, t[6 + j] = s - h, t[9 + j] = g[6 + j];
  }
  __global float *u = u_base + u_offset + (size_t)(k / TK) * 16 * c_count * TK + (size_t)c * TK + k % TK;
  const size_t position = (size_t)c_count * TK;
  for (int r = 0; r < 4; r++) {
    const float s = (t[3 * r] + t[3 * r + 2]) * 0.5f, h = t[3 * r + 1] * 0.5f;
    u[(4 * r) * position] = t[3 * r];
    u[(4 * r + 1) * position] = s + h;
    u[(4 * r + 2) * position] = s - h;
    u[(4 * r + 3) * position] = t[3 * r + 2];
  }
}

__kernel void winograd(__global const float *restrict x_base, const ulong x_offset,
                       __global const float *restrict u_base, const ulong u_offset,
                       __global const float *restrict b_base, const ulong b_offset, __global float *y_base,
                       const ulong y_offset, const int n, const int c_count, const int h, const int w_size,
                       const int k_count, const int oh_count, const int ow_count, const int top, const int left,
                       const int has_bias, const int accumulate, const int kg) {
#if V > 1
  const int kt0 = (int)get_global_id(0) * kg, oh = (int)get_global_id(1) * 2, n0 = (int)get_global_id(2) * V;
  const int kt1 = min(kt0 + kg, (k_count + TK - 1) / TK), pixels = oh_count * ow_count;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global float *y = y_base + y_offset + vplace(oh * ow_count, n0, pixels);
  const size_t channel = (size_t)h * w_size * n, position = (size_t)c_count * TK;
  vfloat v[16][CC], m[KG][16][TK];

  for (int ow = 0; ow < ow_count; ow += 2) {
    for (int c0 = 0; c0 < c_count; c0 += CC) {
      const int some = min(CC, c_count - c0);
      for (int c = 0; c < some; c++) {
        vfloat one[16];
        transform_tile(x + (c0 + c) * channel, oh - top, ow - left, h, w_size, one);
        prefetch_tile(x + (c0 + c) * channel, oh - top, ow - left + 4, w_size);
#pragma unroll
        for (int p = 0; p < 16; p++) v[p][c] = one[p];
      }
      for (int p = 0; p < 16; p++)
        for (int kt = kt0; kt < kt1; kt++) {
          __global const float *u = u_base + u_offset + (size_t)(kt * 16 + p) * position + (size_t)c0 * TK;
          vfloat acc[TK];
#pragma unroll
          for (int k = 0; k < TK; k++) acc[k] = c0 == 0 ? (vfloat)(0.0f) : m[kt - kt0][p][k];
          for (int c = 0; c < some; c++) {
            const vfloat vc = v[p][c];
#pragma unroll
            for (int k = 0; k < TK; k++) acc[k] = fma((vfloat)(u[c * TK + k]), vc, acc[k]);
          }
#pragma unroll
          for (int k = 0; k < TK; k++) m[kt - kt0][p][k] = acc[k];
        }
    }
    for (int k = kt0 * TK; k < min(kt1 * TK, k_count); k++) {
      vfloat one[16];
#pragma unroll
      for (int p = 0; p < 16; p++) one[p] = m[k / TK - kt0][p][k % TK];
      write_output(one, has_bias ? b_base[b_offset + k] : 0.0f, has_bias, accumulate,
                   y + (size_t)k * pixels * n + (size_t)ow * LANES, oh_count - oh, ow_count - ow, ow_count);
    }
  }
#else
  const int n0 = (int)get_global_id(0), kt = (int)get_global_id(1), tiles = (ow_count + 1) / 2;
  const int oh = (int)get_global_id(2) / tiles * 2, ow = (int)get_global_id(2) % tiles * 2,
            pixels = oh_count * ow_count;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global const float *u = u_base + u_offset + (size_t)kt * 16 * c_count * TK;
  const size_t channel = (size_t)h * w_size * n, position = (size_t)c_count * TK;
  float m[TK][16];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int p = 0; p < 16; p++) m[k][p] = 0.0f;
  for (int c = 0; c < c_count; c++, x += channel, u += TK) {
    float v[16];
    transform_tile(x, oh - top, ow - left, h, w_size, v);
#pragma unroll
    for (int p = 0; p < 16; p++)
#pragma unroll
      for (int k = 0; k < TK; k++) m[k][p] = fma(u[p * position + k], v[p], m[k][p]);
  }
#pragma unroll
  for (int k = 0; k < TK; k++) {
    if (kt * TK + k >= k_count) break;
    write_output(m[k], has_bias ? b_base[b_offset + kt * TK + k] : 0.0f, has_bias, accumulate,
                 y_base + y_offset + (size_t)(kt * TK + k) * pixels * n + vplace(oh * ow_count + ow, n0, pixels),
                 oh_count - oh, ow_count - ow, ow_count);
  }
#endif
}
