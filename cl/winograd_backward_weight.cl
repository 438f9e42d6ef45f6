/* Weight gradient of a 3x3 convolution of stride 1 by Winograd's minimal filtering F(3x3, 2x2), the transpose of
 * winograd.cl's F(2x2, 3x3): 16 multiplications for a tile's 2 x 2 output gradients e and 4 x 4 inputs d, not 36.
 *
 *   dw = G' [sum over tiles and images of (A e A') . (B' d B)] G      (. element by element)
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], partial [16][C / TC][K / TK][TK][TC][16], dw [K][C][3][3].
 * Canonical order. B' d B as in winograd.cl. A e A': rows first; of (e0, e1): e0, e0 + e1, e0 - e1, e1 (the sign of the
 * last is in G'). Then 16 lanes, lane l sums the images l, l + 16, ...: acc = 0; for blocks of 16 images, for tiles,
 * row by row: acc = fma(u, v, acc); then the tree of reduce.clh. G' m G: rows first; of (m0, m1, m2,
 * m3), with s = (m1 + m2) / 2: m0 + s, (m1 - m2) / 2, s - m3. What is outside either image is 0.
 *
 * A row of B' d B, and of A e A', needs only two rows of d and of e. With V > 1 a work-item computes cb tiles of TC
 * channels x kb tiles of TK filters x ib of the four rows: for each block of 16 images and row of elements it
 * transforms up to T tiles of the image of all its channels and filters, then multiplies each channel's with each
 * filter's, TK * TC sums in registers, which are kept in `partial` in between, and prefetches the next tiles meanwhile.
 * With V = 1 (a GPU) it computes one lane x one row x TC channels x TK filters, all in registers.
 *
 * 85 -> 25 at 28x28 runs at 1.1 times the ceiling of a direct weight gradient, of which conv2d_backward_weight.cl
 * reaches 0.6 (Zen 3).
 *
 * Macros: TK filters and TC channels a tile; V > 1: at most KB, CB tiles a work-item, T tiles of the image at a time.
 */
#include "common/multiply_tiles.clh"
#include "common/reduce.clh"

#if V == 1
#define PARTS 1
#else
#define PARTS (LANES / V)
#endif

/* Row i of B' d is d[FIRST] + sign * d[SECOND]: d0 - d2, d1 + d2, d2 - d1, d1 - d3. */
#define FIRST_ROW(i) ((i) == 0 ? 0 : (i) == 2 ? 2 : 1)
#define SECOND_ROW(i) ((i) == 3 ? 3 : (i) == 2 ? 1 : 2)
#define SIGN(i) ((i) == 1 ? 1.0f : -1.0f)

#if V > 1
/* Columns column to column + count of a[] + sign * b[], rows of `width` columns of which one or both may be missing. */
static inline void add_rows(__global const float *a, bool has_a, float sign, __global const float *b, bool has_b,
                            int column, int count, int width, vfloat *line) {
  const int first = has_a || has_b ? clamp(-column, 0, count) : count, last = clamp(width - column, first, count);
  const vfloat zero = (vfloat)(0.0f), s = (vfloat)(sign);
  a += (ptrdiff_t)column * LANES, b += (ptrdiff_t)column * LANES;
  for (int i = 0; i < first * PARTS; i++) line[i] = zero;
  if (has_a && has_b)
    for (int i = first * PARTS; i < last * PARTS; i++) line[i] = fma(s, vload(b + i * V), vload(a + i * V));
  else if (has_a)
    for (int i = first * PARTS; i < last * PARTS; i++) line[i] = vload(a + i * V);
  else
    for (int i = first * PARTS; i < last * PARTS; i++) line[i] = s * vload(b + i * V);
  for (int i = last * PARTS; i < count * PARTS; i++) line[i] = zero;
}

/* Prefetches two columns at x and two in another row. */
static inline void prefetch_tile(__global const float *x, int to_other) {
  vprefetch(x), vprefetch(x + LANES);
  x += (ptrdiff_t)to_other * LANES;
  vprefetch(x), vprefetch(x + LANES);
}

/* v[j][part][t] of `count` neighbouring tiles of a row of tiles, from their row of B' d. */
static inline void transform_inputs(const vfloat *line, int count, vfloat *v) {
#pragma unroll
  for (int part = 0; part < PARTS; part++) {
    vfloat *out = v + part * T * TC;
    vfloat d0 = line[part], d1 = line[PARTS + part];
    for (int t = 0; t < count; t++, out += TC) {
      const vfloat d2 = line[(2 * t + 2) * PARTS + part], d3 = line[(2 * t + 3) * PARTS + part];
      out[0] = d0 - d2, out[PARTS * T * TC] = d1 + d2, out[2 * PARTS * T * TC] = d2 - d1,
      out[3 * PARTS * T * TC] = d1 - d3;
      d0 = d2, d1 = d3;
    }
  }
}

static inline void transform_gradients(const vfloat *line, int count, vfloat *u) {
#pragma unroll
  for (int part = 0; part < PARTS; part++) {
    vfloat *out = u + part * T * TK;
    for (int t = 0; t < count; t++, out += TK) {
      const vfloat e0 = line[2 * t * PARTS + part], e1 = line[(2 * t + 1) * PARTS + part];
      out[0] = e0, out[PARTS * T * TK] = e0 + e1, out[2 * PARTS * T * TK] = e0 - e1, out[3 * PARTS * T * TK] = e1;
    }
  }
}
#else
/* One image's x[row][column], 0 outside. */
static inline float pixel(__global const float *x, int row, int column, int h, int w) {
  return row >= 0 && row < h && column >= 0 && column < w ? x[((ptrdiff_t)row * w + column) * LANES] : 0.0f;
}

/* Row i of B' d B of the tile that begins at row, column. */
static inline void transform_input(__global const float *x, int i, int row, int column, int h, int w, float v[4]) {
  float d[4];
#pragma unroll
  for (int j = 0; j < 4; j++)
    d[j] =
        fma(SIGN(i), pixel(x, row + SECOND_ROW(i), column + j, h, w), pixel(x, row + FIRST_ROW(i), column + j, h, w));
  v[0] = d[0] - d[2], v[1] = d[1] + d[2], v[2] = d[2] - d[1], v[3] = d[1] - d[3];
}

/* Row i of A e A'. */
static inline void transform_gradient(__global const float *dy, int i, int row, int column, int oh, int ow,
                                      float u[4]) {
  float e[2];
#pragma unroll
  for (int j = 0; j < 2; j++) {
    const float first = pixel(dy, row, column + j, oh, ow), second = pixel(dy, row + 1, column + j, oh, ow);
    e[j] = i == 0 ? first : i == 3 ? second : fma(SIGN(i), second, first);
  }
  u[0] = e[0], u[1] = e[0] + e[1], u[2] = e[0] - e[1], u[3] = e[1];
}
#endif

__kernel void winograd_backward_weight(__global const float *restrict x_base, const ulong x_offset,
                                       __global const float *restrict dy_base, const ulong dy_offset,
                                       __global float *restrict partial_base, const ulong partial_offset, const int n,
                                       const int c_count, const int h, const int w, const int k_count, const int oh,
                                       const int ow, const int top, const int left, const int cb, const int kb,
                                       const int ib) {
  const size_t x_channel = (size_t)h * w * n, dy_channel = (size_t)oh * ow * n;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, columns = (ow + 1) / 2;
  __global float *partial = partial_base + partial_offset;
#if V > 1
  const int i0 = (int)get_global_id(0) * ib, ct0 = (int)get_global_id(1) * cb, kt0 = (int)get_global_id(2) * kb;
  const int cts = min(cb, c_tiles - ct0), kts = min(kb, k_tiles - kt0), tiles = (oh + 1) / 2 * columns;
  vfloat v[CB][4][PARTS][T][TC], u[KB][4][PARTS][T][TK], line[(2 * T + 2) * PARTS];

  for (int n0 = 0; n0 < n; n0 += LANES)
    for (int i = i0; i < i0 + ib; i++)
      for (int t0 = 0; t0 < tiles; t0 += T) {
        const int count = min(T, tiles - t0);
        for (int done = 0, run; done < count; done += run) { /* a run of tiles of the same row */
          const int row = (t0 + done) / columns * 2, column = (t0 + done) % columns * 2;
          const int r0 = row - top + FIRST_ROW(i), r1 = row - top + SECOND_ROW(i);
          const bool has0 = r0 >= 0 && r0 < h, has1 = r1 >= 0 && r1 < h;
          run = min(columns - column / 2, count - done);
          for (int c = 0; c < cts * TC; c++) {
            __global const float *x =
                x_base + x_offset + min(ct0 * TC + c, c_count - 1) * x_channel + vplace(0, n0, h * w);
            __global const float *a = x + (ptrdiff_t)r0 * w * LANES, *b = x + (ptrdiff_t)r1 * w * LANES;
            add_rows(a, has0, SIGN(i), b, has1, column - left, 2 * run + 2, w, line);
            transform_inputs(line, run, &v[c / TC][0][0][done][c % TC]);
          }
          for (int k = 0; k < kts * TK; k++) {
            __global const float *dy =
                dy_base + dy_offset + min(kt0 * TK + k, k_count - 1) * dy_channel + vplace(row * ow, n0, oh * ow);
            add_rows(dy, i < 3, i == 2 ? -1.0f : 1.0f, dy + (ptrdiff_t)ow * LANES, i > 0 && row + 1 < oh, column,
                     2 * run, ow, line);
            transform_gradients(line, run, &u[k / TK][0][0][done][k % TK]);
          }
        }
        /* prefetched while multiplying: the next tiles, after the last the next row of elements, then the next images
         */
        const bool more_tiles = t0 + T < tiles, more_rows = more_tiles || i + 1 < i0 + ib;
        const int next_n0 = more_rows ? n0 : min(n0 + LANES, n - LANES), next_t0 = more_tiles ? t0 + T : 0;
        const int next_i = more_tiles ? i : more_rows ? i + 1 : i0, next_count = min(T, tiles - next_t0);
        __global const float *next_x = x_base + x_offset + ct0 * TC * x_channel + vplace(0, next_n0, h * w);
        __global const float *next_dy = dy_base + dy_offset + kt0 * TK * dy_channel + vplace(0, next_n0, oh * ow);
        int x_at[T], dy_at[T];
        for (int t = 0; t < next_count; t++) {
          const int row = (next_t0 + t) / columns * 2, column = (next_t0 + t) % columns * 2;
          x_at[t] = (row + FIRST_ROW(next_i) - top) * w + column + 2 - left, dy_at[t] = row * ow + column;
        }
        const int x_row = (SECOND_ROW(next_i) - FIRST_ROW(next_i)) * w, channels = cts * TC;
        const int all = next_count * (channels + kts * TK), steps = 4 * PARTS * cts * kts;
        for (int j = 0, step = 1, prefetched = 0; j < 4; j++)
          for (int part = 0; part < PARTS; part++)
            for (int ct = 0; ct < cts; ct++)
              for (int kt = 0; kt < kts; kt++, step++) {
                for (; prefetched * steps < all * step; prefetched++) {
                  const int c = prefetched / next_count, t = prefetched % next_count;
                  if (c < channels)
                    prefetch_tile(next_x + c * x_channel + (ptrdiff_t)x_at[t] * LANES, x_row);
                  else
                    prefetch_tile(next_dy + (c - channels) * dy_channel + dy_at[t] * LANES, ow);
                }
                multiply_tiles(count, u[kt][j][part], v[ct][j][part], n0 == 0 && t0 == 0,
                               partial +
                                   (((size_t)(i * 4 + j) * c_tiles + ct0 + ct) * k_tiles + kt0 + kt) * TK * TC * LANES +
                                   part * V);
              }
      }
#else
  const int lane = (int)get_global_id(0), i = (int)get_global_id(1) % 4, kt = (int)get_global_id(1) / 4;
  const int ct = (int)get_global_id(2), rows = (oh + 1) / 2;
  float acc[4][TK][TC];
#pragma unroll
  for (int j = 0; j < 4; j++)
#pragma unroll
    for (int k = 0; k < TK; k++)
#pragma unroll
      for (int c = 0; c < TC; c++) acc[j][k][c] = 0.0f;
  for (int n0 = lane; n0 < n; n0 += LANES)
    for (int tile = 0; tile < rows * columns; tile++) {
      const int row = tile / columns * 2, column = tile % columns * 2;
      float v[TC][4];
#pragma unroll
      for (int c = 0; c < TC; c++)
        transform_input(x_base + x_offset + min(ct * TC + c, c_count - 1) * x_channel + vplace(0, n0, h * w), i,
                        row - top, column - left, h, w, v[c]);
#pragma unroll
      for (int k = 0; k < TK; k++) {
        float u[4];
        transform_gradient(dy_base + dy_offset + min(kt * TK + k, k_count - 1) * dy_channel + vplace(0, n0, oh * ow), i,
                           row, column, oh, ow, u);
#pragma unroll
        for (int j = 0; j < 4; j++)
#pragma unroll
          for (int c = 0; c < TC; c++) acc[j][k][c] = fma(u[j], v[c][j], acc[j][k][c]);
      }
    }
#pragma unroll
  for (int j = 0; j < 4; j++)
#pragma unroll
    for (int k = 0; k < TK; k++)
#pragma unroll
      for (int c = 0; c < TC; c++)
        partial[((((size_t)(i * 4 + j) * c_tiles + ct) * k_tiles + kt) * TK * TC + k * TC + c) * LANES + lane] =
            acc[j][k][c];
#endif
}

/* dw of each (k, c) from the sums of its 16 elements: one work-item each, `count` of them. */
__kernel void winograd_reduce_lanes(__global const float *restrict partial_base, const ulong partial_offset,
                                    __global float *restrict dw_base, const ulong dw_offset, const int c_count,
                                    const int k_count, const int count) {
  const int at = (int)get_global_id(0);
  if (at >= count) return;
  const int c = at % c_count, k = at / c_count;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK;
  const size_t element = (size_t)c_tiles * k_tiles * TK * TC * LANES;
  __global const float *partial =
      partial_base + partial_offset + (((size_t)(c / TC) * k_tiles + k / TK) * TK * TC + k % TK * TC + c % TC) * LANES;
  float m[16], t[12];
  for (int p = 0; p < 16; p++) m[p] = tree_sum(*(__global const float16 *)(partial + p * element));
  for (int j = 0; j < 4; j++) {
    const float s = (m[4 + j] + m[8 + j]) * 0.5f;
    t[j] = m[j] + s, t[4 + j] = (m[4 + j] - m[8 + j]) * 0.5f, t[8 + j] = s - m[12 + j];
  }
  __global float *dw = dw_base + dw_offset + (size_t)at * 9;
  for (int i = 0; i < 3; i++) {
    const float s = (t[4 * i + 1] + t[4 * i + 2]) * 0.5f;
    dw[3 * i] = t[4 * i] + s;
    dw[3 * i + 1] = (t[4 * i + 1] - t[4 * i + 2]) * 0.5f;
    dw[3 * i + 2] = s - t[4 * i + 3];
  }
}
