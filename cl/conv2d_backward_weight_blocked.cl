/* Weight gradient of a convolution, as conv2d_backward_weight.cl and in the same canonical order, for CPUs and for many
 * channels and filters.
 *
 * Layout: x [C][H][W][N], dy [K][OH][OW][N], partial [R][S][C / TC][K / TK][TK][TC][16], dw [K][C][R][S].
 *
 * A work-item computes the 16 lanes x cb tiles of TC channels x kb tiles of TK filters x rb rows of
 * taps. For each row of dy it takes up to T pixels of the batch at a time: it copies dy of all its filters, and for
 * each column of taps x of all its channels, so that they lie in the order in which they are multiplied; then each tile
 * of channels with each tile of filters, TK * TC sums in registers, which wait in `partial`.
 *
 * Measured on Zen 3, one thread, batch 64: 110 -> 25 of stride 2 at 28x28 60 GFLOP/s, 0.6 of the fma ceiling, where
 * conv2d_backward_weight reaches 0.45 to 0.5: that one goes over x once for each three filters. One row of taps a
 * work-item gave 55 and no prefetching 43: a third of the time was waiting for x.
 *
 * Macros: V, narrower than 16 where registers are; R, S kernel size; STRIDE; TK filters and TC channels a tile; at most
 * KB, CB tiles a work-item; T pixels. */
#include "multiply_tiles.clh"
#include "reduce.clh"

#define PARTS (LANES / V)

/* Columns column, column + STRIDE, ... of a row of x, 0 outside, to to[0], to[TC], ...: `count` of them. */
static inline void gather_columns(__global const float *x, int column, int count, int width, vfloat *to) {
  const int first = clamp(column < 0 ? (STRIDE - 1 - column) / STRIDE : 0, 0, count);
  const int last = clamp(width - column < 0 ? 0 : (width - column + STRIDE - 1) / STRIDE, first, count);
  for (int part = 0; part < PARTS; part++, to += T * TC, x += V) {
    int t = 0;
    for (; t < first; t++) to[t * TC] = (vfloat)(0.0f);
    for (; t < last; t++) to[t * TC] = vload(x + ((ptrdiff_t)column + t * STRIDE) * LANES);
    for (; t < count; t++) to[t * TC] = (vfloat)(0.0f);
  }
}

static inline void copy_columns(__global const float *dy, int count, vfloat *to) {
  for (int part = 0; part < PARTS; part++, to += T * TK, dy += V)
    for (int t = 0; t < count; t++) to[t * TK] = vload(dy + t * LANES);
}

__kernel void conv2d_backward_weight_blocked(__global const float *restrict x_base, const ulong x_offset,
                                             __global const float *restrict dy_base, const ulong dy_offset,
                                             __global float *restrict partial_base, const ulong partial_offset,
                                             const int n, const int c_count, const int h, const int w_size,
                                             const int k_count, const int oh_count, const int ow_count, const int top,
                                             const int left, const int rb, const int cb, const int kb) {
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, all = n / LANES * ow_count;
  const int first_r = (int)get_global_id(0) * rb, ct0 = (int)get_global_id(1) * cb, kt0 = (int)get_global_id(2) * kb;
  const int cts = min(cb, c_tiles - ct0), kts = min(kb, k_tiles - kt0);
  const size_t tap = (size_t)c_tiles * k_tiles * TK * TC * LANES, channels = (size_t)k_tiles * TK * TC * LANES;
  __global float *partial = partial_base + partial_offset + ct0 * channels + (size_t)kt0 * TK * TC * LANES;
  vfloat v[CB][S][PARTS][T][TC], u[KB][PARTS][T][TK];

  for (int i = first_r * S; i < (first_r + rb) * S; i++)
    for (int ct = 0; ct < cts; ct++)
      for (int j = 0; j < kts * TK * TC * PARTS; j++) vstore((vfloat)(0.0f), partial + i * tap + ct * channels + j * V);
  for (int oh = 0; oh < oh_count; oh++)
    for (int t0 = 0; t0 < all; t0 += T) {
      const int count = min(T, all - t0);
      for (int done = 0, run; done < count; done += run) { /* a run of pixels of the same images */
        const int n0 = (t0 + done) / ow_count * LANES, ow = (t0 + done) % ow_count;
        run = min(ow_count - ow, count - done);
        for (int k = 0; k < kts * TK; k++)
          copy_columns(dy_base + dy_offset + min(kt0 * TK + k, k_count - 1) * dy_channel +
                           vplace(oh * ow_count + ow, n0, oh_count * ow_count),
                       run, &u[k / TK][0][done][k % TK]);
      }
      for (int r = first_r; r < first_r + rb; r++) {
        const int row = oh * STRIDE + r - top;
        if (row < 0 || row >= h) continue;
        for (int done = 0, run; done < count; done += run) {
          const int n0 = (t0 + done) / ow_count * LANES, ow = (t0 + done) % ow_count;
          run = min(ow_count - ow, count - done);
          for (int c = 0; c < cts * TC; c++) {
            __global const float *x =
                x_base + x_offset + min(ct0 * TC + c, c_count - 1) * x_channel + vplace(row * w_size, n0, h * w_size);
            for (int ahead = 0; ahead < run * STRIDE; ahead++)
              vprefetch(x + 2 * x_channel + (ptrdiff_t)(ow * STRIDE + ahead) * LANES);
            for (int s = 0; s < S; s++)
              gather_columns(x, ow * STRIDE + s - left, run, w_size, &v[c / TC][s][0][done][c % TC]);
          }
        }
        for (int s = 0; s < S; s++)
          for (int part = 0; part < PARTS; part++)
            for (int ct = 0; ct < cts; ct++)
              for (int kt = 0; kt < kts; kt++)
                multiply_tiles(count, u[kt][part], v[ct][s][part], false,
                               partial + (r * S + s) * tap + ct * channels + (size_t)kt * TK * TC * LANES + part * V);
      }
    }
}

/* dw[k][c][tap] from the sums of conv2d_backward_weight_blocked: one work-item each, `count` of them. */
__kernel void reduce_blocked_lanes(__global const float *restrict partial_base, const ulong partial_offset,
                                   __global float *restrict dw_base, const ulong dw_offset, const int c_count,
                                   const int k_count, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  const int tap = i % (R * S), c = i / (R * S) % c_count, k = i / (R * S) / c_count;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK;
  const size_t at = (((size_t)tap * c_tiles + c / TC) * k_tiles + k / TK) * TK * TC + k % TK * TC + c % TC;
  dw_base[dw_offset + i] = tree_sum(*(__global const float16 *)(partial_base + partial_offset + at * LANES));
}
