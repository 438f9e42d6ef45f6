/* Weight gradient of a 3x3 convolution of stride 1 by Winograd's algorithm, as winograd_backward_weight.cl and in the
 * same canonical order, for CPUs.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], dw [K][C][3][3]; of each work-item scratch
 * [4][pairs][16] and [16][pairs], partial [levels][9][pairs], pairs [cb][kb][TK][TC] and what is lacking to 16.
 *
 * A row of B' d B, and of A e A', needs only two rows of d and of e. A work-item computes cb tiles of TC channels x kb
 * tiles of TK filters of `set` blocks of 16 images. For each block and row of elements it transforms up to T tiles of
 * the image of all its channels and filters, then multiplies each channel's with each filter's, TK * TC sums in
 * registers, which are kept in `scratch` in between, and prefetches the next tiles meanwhile. Then it adds the lanes of
 * 16 sums at once, and after a block's four rows makes G' m G of 16 filters and channels at once.
 *
 * 85 -> 25 at 28x28 runs at 1.1 times the ceiling of a direct weight gradient, of which conv2d_backward_weight_few.cl
 * reaches a half (Zen 3).
 *
 * Macros: V, narrower than 16 where registers are; TK filters and TC channels a tile; at most KB, CB tiles a work-item;
 * T tiles of the image at a time.
 */
#include "common/multiply_tiles.clh"
#include "common/reduce.clh"
#include "common/winograd_backward_weight.clh"

#if V > 1
#define PARTS (LANES / V)

/* Row i of B' d is d[FIRST] + sign * d[SECOND]: d0 - d2, d1 + d2, d2 - d1, d1 - d3. */
#define FIRST_ROW(i) ((i) == 0 ? 0 : (i) == 2 ? 2 : 1)
#define SECOND_ROW(i) ((i) == 3 ? 3 : (i) == 2 ? 1 : 2)
#define SIGN(i) ((i) == 1 ? 1.0f : -1.0f)

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
/* After a block's last row of elements: its weights, into the tree over the blocks. */
static inline void finish_block(__global const float *elements, int pairs, int block, int count,
                                __global float *weights) {
  for (int at = 0; at < pairs; at += V) {
    vfloat m[16], dw[9];
#pragma unroll
    for (int p = 0; p < 16; p++) m[p] = vload(elements + p * pairs + at);
    transform_sums(m, dw);
    for (int tap = 0; tap < 9; tap++) batch_tree_add(dw[tap], weights + tap * pairs + at, 9 * pairs, block, count);
  }
}

__kernel void winograd_backward_weight_blocked(__global const float *restrict x_base, const ulong x_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global float *restrict scratch_base, const ulong scratch_offset,
                                               __global float *restrict partial_base, const ulong partial_offset,
                                               const int n, const int c_count, const int h, const int w,
                                               const int k_count, const int oh, const int ow, const int top,
                                               const int left, const int cb, const int kb, const int pairs,
                                               const int set, const int levels) {
  const size_t x_channel = (size_t)h * w * n, dy_channel = (size_t)oh * ow * n;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, columns = (ow + 1) / 2;
  const int ct0 = (int)get_global_id(0) * cb, kt0 = (int)get_global_id(1) * kb, first = (int)get_global_id(2) * set;
  const int cts = min(cb, c_tiles - ct0), kts = min(kb, k_tiles - kt0), tiles = (oh + 1) / 2 * columns;
  const int end = min(first + set, n / LANES);
  const size_t item =
      (get_global_id(2) * get_global_size(1) + get_global_id(1)) * get_global_size(0) + get_global_id(0);
  __global float *sums = scratch_base + scratch_offset + item * 80 * pairs, *elements = sums + 64 * pairs;
  __global float *weights = partial_base + partial_offset + item * levels * 9 * pairs;
  vfloat v[CB][4][PARTS][T][TC], u[KB][4][PARTS][T][TK], line[(2 * T + 2) * PARTS];

  for (int block = first; block < end; block++) {
    const int n0 = block * LANES;
    for (int i = 0; i < 4; i++)
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
        const bool more_tiles = t0 + T < tiles, more_rows = more_tiles || i < 3;
        const int next_n0 = more_rows ? n0 : min(n0 + LANES, n - LANES), next_t0 = more_tiles ? t0 + T : 0;
        const int next_i = more_tiles ? i : (i + 1) % 4, next_count = min(T, tiles - next_t0);
        __global const float *next_x = x_base + x_offset + ct0 * TC * x_channel + vplace(0, next_n0, h * w);
        __global const float *next_dy = dy_base + dy_offset + kt0 * TK * dy_channel + vplace(0, next_n0, oh * ow);
        int x_at[T], dy_at[T];
        for (int t = 0; t < next_count; t++) {
          const int row = (next_t0 + t) / columns * 2, column = (next_t0 + t) % columns * 2;
          x_at[t] = (row + FIRST_ROW(next_i) - top) * w + column + 2 - left, dy_at[t] = row * ow + column;
        }
        const int x_row = (SECOND_ROW(next_i) - FIRST_ROW(next_i)) * w, channels = cts * TC;
        const int all = next_count * (channels + kts * TK), steps = 4 * PARTS * cts * kts;
        for (int j = 0, step = 1, prefetched = 0; j < 4; j++) {
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
                multiply_tiles(count, u[kt][j][part], v[ct][j][part], t0 == 0,
                               sums + ((size_t)j * pairs + (ct * kb + kt) * TK * TC) * LANES + part * V);
              }
          for (int at = 0; at < pairs && !more_tiles; at += LANES)
            *(__global float16 *)(elements + (i * 4 + j) * pairs + at) = tree_sums_at(sums + (j * pairs + at) * LANES);
        }
      }
    finish_block(elements, pairs, block - first, end - first, weights);
  }
}
#endif
