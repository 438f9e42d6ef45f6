/* Weight gradient of a convolution with channels and filters enough for tiles of both, on a CPU:
 * conv2d_backward_weight.cl's formula and canonical order.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], partial [R][S][C / TC][K / TK][TK][TC][16], levels
 * [log2(N/16) + 1] of the same without the 16, dw [K][C][R][S].
 *
 * A work-item computes cb tiles of TC channels x kb tiles of TK filters x rb rows of taps, a block of 16 images after
 * the other. It takes up to T pixels of an image at a time: it copies dy of all its filters and, for each row of taps,
 * x of all its channels into the order in which they are multiplied, then multiplies each tile of channels by each tile
 * of filters, TK * TC sums in registers, which are kept in `partial` in between. Where an image ends, its sums become a
 * number each, 16 trees at a time, and `levels` has those that wait (reduce.clh).
 *
 * 0.57 of the fma ceiling for 110 -> 25 of stride 2 at 28x28 (Zen 3); conv2d_backward_weight_few.cl, which reads x once
 * for each three filters, reaches 0.45 to 0.5.
 *
 * Macros: V, narrower than 16 where registers are; R, S kernel size; STRIDE; TK filters and TC channels a tile; at most
 * KB, CB tiles a work-item; T pixels. */
#include "common/reduce.clh"
#include "common/vector.clh"

#define PARTS (LANES / V)

/* The most columns of x that T pixels of dy need. */
#define COLUMNS (T * (S > STRIDE ? S : STRIDE))

/* `count` columns of a row of x from `column` on, 0 outside, to to[0], to[TC], ... */
static inline void copy_columns(__global const float *x, int column, int count, int width, vfloat *to) {
  const int first = clamp(-column, 0, count), last = clamp(width - column, first, count);
  x += (ptrdiff_t)column * LANES;
  int j = 0;
  for (; j < first; j++)
    for (int part = 0; part < PARTS; part++) to[(part * COLUMNS + j) * TC] = (vfloat)(0.0f);
  for (; j < last; j++)
    for (int part = 0; part < PARTS; part++) to[(part * COLUMNS + j) * TC] = vload(x + j * LANES + part * V);
  for (; j < count; j++)
    for (int part = 0; part < PARTS; part++) to[(part * COLUMNS + j) * TC] = (vfloat)(0.0f);
}

/* acc[TK][TC] += u . v over `count` pixels in runs of a row: the first of `run` pixels, then of ow_count each. A run's
 * pixels are STRIDE columns of v apart; each run has columns of its own. */
static inline void multiply_runs(int count, int run, int ow_count, const vfloat u[T][TK], const vfloat v[COLUMNS][TC],
                                 vfloat acc[TK][TC]) {
  for (int t = 0, end = run; t < count; end = min(end + ow_count, count), v += S - STRIDE)
    for (; t < end; t++, v += STRIDE)
#pragma unroll
      for (int k = 0; k < TK; k++)
#pragma unroll
        for (int c = 0; c < TC; c++) acc[k][c] = fma(u[t][k], v[0][c], acc[k][c]);
}

/* The same, with the sums loaded from memory, unless they begin at 0, and stored there. */
static inline void multiply_in_memory(int count, int run, int ow_count, bool begins, const vfloat u[T][TK],
                                      const vfloat v[COLUMNS][TC], __global float *sum) {
  vfloat acc[TK][TC];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int c = 0; c < TC; c++) acc[k][c] = begins ? (vfloat)(0.0f) : vload(sum + (k * TC + c) * LANES);
  multiply_runs(count, run, ow_count, u, v, acc);
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int c = 0; c < TC; c++) vstore(acc[k][c], sum + (k * TC + c) * LANES);
}

static inline void copy_pixels(__global const float *dy, int count, vfloat *to) {
  for (int t = 0; t < count; t++)
    for (int part = 0; part < PARTS; part++) to[(part * T + t) * TK] = vload(dy + t * LANES + part * V);
}

/* `count` sums of 16 images each of block number `block` become numbers and go to the levels. The last ones may be
 * counted twice: that changes nothing. */
static inline void count_sums(__global const float *sum, int count, __global float *levels, size_t level, int block) {
  for (int i = 0; i < count && count < LANES; i++)
    batch_count(levels + i, level, block, tree_sum(*(__global const float16 *)(sum + i * LANES)));
  for (int i = 0; i < count && count >= LANES; i += LANES) {
    const int at = min(i, count - LANES);
    float16 v[LANES];
#pragma unroll
    for (int j = 0; j < LANES; j++) v[j] = *(__global const float16 *)(sum + (at + j) * LANES);
    float16 carry = tree_sums(v);
    int to = 0;
    for (; block >> to & 1; to++) carry = vload16(0, levels + to * level + at) + carry;
    vstore16(carry, 0, levels + to * level + at);
  }
}

/* A tap's dw of a tile, 0 where no row of x is inside; dw is that tap's of the first filter and channel. */
static inline void store_tile(__global const float *levels, size_t level, int blocks, bool inside, int k0, int c0,
                              int k_count, int c_count, __global float *dw) {
  for (int k = 0; k < TK && k0 + k < k_count; k++)
    for (int c = 0; c < TC && c0 + c < c_count; c++)
      dw[((size_t)(k0 + k) * c_count + c0 + c) * (R * S)] =
          inside ? batch_counted(levels + k * TC + c, level, blocks) : 0.0f;
}

/* Of the rows of dy, the first whose row of x for tap r is inside, and the one after the last. */
static inline int first_row(int r, int top) { return max(0, (top - r + STRIDE - 1) / STRIDE); }
static inline int end_row(int r, int top, int h, int oh_count) {
  return h - 1 + top - r < 0 ? 0 : min(oh_count, (h - 1 + top - r) / STRIDE + 1);
}

__kernel void conv2d_backward_weight_blocked(__global const float *restrict x_base, const ulong x_offset,
                                             __global const float *restrict dy_base, const ulong dy_offset,
                                             __global float *restrict partial_base, const ulong partial_offset,
                                             __global float *restrict levels_base, const ulong levels_offset,
                                             __global float *restrict dw_base, const ulong dw_offset, const int n,
                                             const int c_count, const int h, const int w_size, const int k_count,
                                             const int oh_count, const int ow_count, const int top, const int left,
                                             const int rb, const int cb, const int kb) {
  const int pixels = oh_count * ow_count, blocks = n / LANES;
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)pixels * n;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK;
  const int ct0 = (int)get_global_id(1) * cb, kt0 = (int)get_global_id(2) * kb, first_r = (int)get_global_id(0) * rb;
  const int cts = min(cb, c_tiles - ct0), kts = min(kb, k_tiles - kt0);
  const size_t channels = (size_t)k_tiles * TK * TC, tap = c_tiles * channels, level = R * S * tap; /* sums */
  const size_t here = ct0 * channels + (size_t)kt0 * TK * TC;
  __global float *partial = partial_base + partial_offset + here * LANES, *levels = levels_base + levels_offset + here;
  vfloat v[CB][PARTS][COLUMNS][TC], u[KB][PARTS][T][TK];

  for (int block = 0; block < blocks; block++)
    for (int t0 = 0; t0 < pixels; t0 += T) {
      const int count = min(T, pixels - t0);
      for (int k = 0; k < kts * TK; k++) {
        __global const float *dy =
            dy_base + dy_offset + min(kt0 * TK + k, k_count - 1) * dy_channel + vplace(t0, block * LANES, pixels);
        for (int ahead = 0; ahead < count; ahead++) vprefetch(dy + 2 * dy_channel + ahead * LANES);
        copy_pixels(dy, count, &u[k / TK][0][0][k % TK]);
      }
      for (int r = first_r; r < first_r + rb; r++) {
        const int first = first_row(r, top) * ow_count, last = end_row(r, top, h, oh_count) * ow_count;
        const int begin = max(t0, first), end = min(t0 + count, last);
        for (int t = begin, run, at = 0; t < end; t += run, at += (run - 1) * STRIDE + S) {
          const int row = t / ow_count * STRIDE + r - top, ow = t % ow_count;
          run = min(ow_count - ow, end - t);
          for (int c = 0; c < cts * TC; c++) {
            __global const float *x = x_base + x_offset + min(ct0 * TC + c, c_count - 1) * x_channel +
                                      vplace(row * w_size, block * LANES, h * w_size);
            for (int ahead = 0; ahead < run * STRIDE; ahead++)
              vprefetch(x + 2 * x_channel + (ptrdiff_t)(ow * STRIDE + ahead) * LANES);
            copy_columns(x, ow * STRIDE - left, (run - 1) * STRIDE + S, w_size, &v[c / TC][0][at][c % TC]);
          }
        }
        for (int s = 0; s < S; s++)
          for (int ct = 0; ct < cts; ct++) {
            const size_t at = (r * S + s) * tap + ct * channels;
            for (int kt = 0; kt < kts && begin < end; kt++)
              for (int part = 0; part < PARTS; part++)
                multiply_in_memory(end - begin, min(end - begin, ow_count - begin % ow_count), ow_count, begin == first,
                                   &u[kt][part][begin - t0], &v[ct][part][s],
                                   partial + (at + (size_t)kt * TK * TC) * LANES + part * V);
            if (begin < end && end == last) count_sums(partial + at * LANES, kts * TK * TC, levels + at, level, block);
          }
      }
    }

  for (int r = first_r; r < first_r + rb; r++)
    for (int s = 0; s < S; s++)
      for (int ct = 0; ct < cts; ct++)
        for (int kt = 0; kt < kts; kt++)
          store_tile(levels + (r * S + s) * tap + ct * channels + (size_t)kt * TK * TC, level, blocks,
                     first_row(r, top) < end_row(r, top, h, oh_count), (kt0 + kt) * TK, (ct0 + ct) * TC, k_count,
                     c_count, dw_base + dw_offset + r * S + s);
}
