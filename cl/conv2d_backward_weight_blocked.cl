/* Weight gradient of a convolution, as conv2d_backward_weight.cl and in the same canonical order, for CPUs and for many
 * channels and filters.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], partial [R][S][C / TC][K / TK][TK][TC][16], dw [K][C][R][S].
 *
 * A work-item computes the 16 lanes x cb tiles of TC channels x kb tiles of TK filters x rb rows of taps. For each row
 * of dy it takes up to T pixels of the batch at a time: it copies dy of all its filters and, for each row of taps, x of
 * all its channels into the order in which they are multiplied, then multiplies each tile of channels by each tile of
 * filters, TK * TC sums in registers, which are kept in `partial` in between. 0.57 of the fma ceiling for 110 -> 25 of
 * stride 2 at 28x28 (Zen 3); conv2d_backward_weight.cl, which reads x once for each three filters, reaches 0.45 to 0.5.
 *
 * With DENSE, of a dense layer (images, kernel and dy of one pixel) whose batch is T pixels at most, the sums stay in
 * registers: `partial` of a 3920 x 3920 layer would take 0.5 GB.
 *
 * Macros: V, narrower than 16 where registers are; R, S kernel size; STRIDE; TK filters and TC channels a tile; at most
 * KB, CB tiles a work-item; T pixels; DENSE, 0 without it. */
#include "common/reduce.clh"
#include "common/vector.clh"

#if !defined(DENSE) || V == 1 /* parts_sum is of vectors */
#undef DENSE
#define DENSE 0
#endif

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

/* acc[TK][TC] += u . v over `count` pixels in runs of the same images: the first of `run` pixels, then of ow_count
 * each. A run's pixels are STRIDE columns of v apart; each run has columns of its own. */
static inline void multiply_runs(int count, int run, int ow_count, const vfloat u[T][TK], const vfloat v[COLUMNS][TC],
                                 vfloat acc[TK][TC]) {
  for (int t = 0, end = run; t < count; end = min(end + ow_count, count), v += S - STRIDE)
    for (; t < end; t++, v += STRIDE)
#pragma unroll
      for (int k = 0; k < TK; k++)
#pragma unroll
        for (int c = 0; c < TC; c++) acc[k][c] = fma(u[t][k], v[0][c], acc[k][c]);
}

static inline void copy_pixels(__global const float *dy, int count, vfloat *to) {
  for (int t = 0; t < count; t++)
    for (int part = 0; part < PARTS; part++) to[(part * T + t) * TK] = vload(dy + t * LANES + part * V);
}

#if DENSE
/* dw of a tile, from all `count` blocks of 16 images at once. */
static inline void differentiate_dense(int count, const vfloat u[PARTS][T][TK], const vfloat v[PARTS][COLUMNS][TC],
                                       int k_valid, int c_valid, int c_count, __global float *dw) {
  vfloat sums[TK][TC][PARTS];
#pragma unroll
  for (int part = 0; part < PARTS; part++) {
    vfloat acc[TK][TC];
#pragma unroll
    for (int k = 0; k < TK; k++)
#pragma unroll
      for (int c = 0; c < TC; c++) acc[k][c] = (vfloat)(0.0f);
    multiply_runs(count, 1, 1, u[part], v[part], acc);
#pragma unroll
    for (int k = 0; k < TK; k++)
#pragma unroll
      for (int c = 0; c < TC; c++) sums[k][c][part] = acc[k][c];
  }
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int c = 0; c < TC; c++)
      if (k < k_valid && c < c_valid) dw[(size_t)k * c_count + c] = parts_sum(sums[k][c]);
}
#else
/* The same, with the sums loaded from and stored to memory. */
static inline void multiply_in_memory(int count, int run, int ow_count, const vfloat u[T][TK],
                                      const vfloat v[COLUMNS][TC], __global float *sum) {
  vfloat acc[TK][TC];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int c = 0; c < TC; c++) acc[k][c] = vload(sum + (k * TC + c) * LANES);
  multiply_runs(count, run, ow_count, u, v, acc);
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int c = 0; c < TC; c++) vstore(acc[k][c], sum + (k * TC + c) * LANES);
}

/* A tap's dw of a tile from its sums [TK][TC][16]; dw is that tap's of the first filter and channel. */
static inline void sum_lanes(__global const float *sum, int k0, int c0, int k_count, int c_count, __global float *dw) {
  for (int k = 0; k < TK && k0 + k < k_count; k++)
    for (int c = 0; c < TC && c0 + c < c_count; c++)
      dw[((size_t)(k0 + k) * c_count + c0 + c) * (R * S)] =
          tree_sum(*(__global const float16 *)(sum + (k * TC + c) * LANES));
}
#endif

__kernel void conv2d_backward_weight_blocked(__global const float *restrict x_base, const ulong x_offset,
                                             __global const float *restrict dy_base, const ulong dy_offset,
#if !DENSE
                                             __global float *restrict partial_base, const ulong partial_offset,
#endif
                                             __global float *restrict dw_base, const ulong dw_offset, const int n,
                                             const int c_count, const int h, const int w_size, const int k_count,
                                             const int oh_count, const int ow_count, const int top, const int left,
                                             const int rb, const int cb, const int kb) {
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, all = n / LANES * ow_count;
  const int ct0 = (int)get_global_id(1) * cb, kt0 = (int)get_global_id(2) * kb;
  const int cts = min(cb, c_tiles - ct0), kts = min(kb, k_tiles - kt0);
  vfloat v[CB][PARTS][COLUMNS][TC], u[KB][PARTS][T][TK];

#if DENSE
  for (int k = 0; k < kts * TK; k++)
    copy_pixels(dy_base + dy_offset + min(kt0 * TK + k, k_count - 1) * dy_channel, all, &u[k / TK][0][0][k % TK]);
  for (int c = 0; c < cts * TC; c++)
    copy_columns(x_base + x_offset + min(ct0 * TC + c, c_count - 1) * x_channel, 0, all, all, &v[c / TC][0][0][c % TC]);
  for (int kt = 0; kt < kts; kt++)
    for (int ct = 0; ct < cts; ct++) {
      const int k0 = (kt0 + kt) * TK, c0 = (ct0 + ct) * TC;
      differentiate_dense(all, u[kt], v[ct], k_count - k0, c_count - c0, c_count,
                          dw_base + dw_offset + (size_t)k0 * c_count + c0);
    }
#else
  const int first_r = (int)get_global_id(0) * rb;
  const size_t tap = (size_t)c_tiles * k_tiles * TK * TC * LANES, channels = (size_t)k_tiles * TK * TC * LANES;
  __global float *partial = partial_base + partial_offset + ct0 * channels + (size_t)kt0 * TK * TC * LANES;
  for (int i = first_r * S; i < (first_r + rb) * S; i++)
    for (int ct = 0; ct < cts; ct++)
      for (int j = 0; j < kts * TK * TC * PARTS; j++) vstore((vfloat)(0.0f), partial + i * tap + ct * channels + j * V);
  for (int oh = 0; oh < oh_count; oh++)
    for (int t0 = 0; t0 < all; t0 += T) {
      const int count = min(T, all - t0);
      for (int done = 0, run; done < count; done += run) { /* a run of pixels of the same images */
        const int n0 = (t0 + done) / ow_count * LANES, ow = (t0 + done) % ow_count;
        run = min(ow_count - ow, count - done);
        for (int k = 0; k < kts * TK; k++) {
          __global const float *dy = dy_base + dy_offset + min(kt0 * TK + k, k_count - 1) * dy_channel +
                                     vplace(oh * ow_count + ow, n0, oh_count * ow_count);
          for (int ahead = 0; ahead < run; ahead++) vprefetch(dy + 2 * dy_channel + ahead * LANES);
          copy_pixels(dy, run, &u[k / TK][0][done][k % TK]);
        }
      }
      for (int r = first_r; r < first_r + rb; r++) {
        const int row = oh * STRIDE + r - top;
        if (row < 0 || row >= h) continue;
        for (int done = 0, run, at = 0; done < count; done += run, at += (run - 1) * STRIDE + S) {
          const int n0 = (t0 + done) / ow_count * LANES, ow = (t0 + done) % ow_count;
          run = min(ow_count - ow, count - done);
          for (int c = 0; c < cts * TC; c++) {
            __global const float *x =
                x_base + x_offset + min(ct0 * TC + c, c_count - 1) * x_channel + vplace(row * w_size, n0, h * w_size);
            for (int ahead = 0; ahead < run * STRIDE; ahead++)
              vprefetch(x + 2 * x_channel + (ptrdiff_t)(ow * STRIDE + ahead) * LANES);
            copy_columns(x, ow * STRIDE - left, (run - 1) * STRIDE + S, w_size, &v[c / TC][0][at][c % TC]);
          }
        }
        for (int s = 0; s < S; s++)
          for (int part = 0; part < PARTS; part++)
            for (int ct = 0; ct < cts; ct++)
              for (int kt = 0; kt < kts; kt++)
                multiply_in_memory(
                    count, min(count, ow_count - t0 % ow_count), ow_count, u[kt][part], &v[ct][part][s],
                    partial + (r * S + s) * tap + ct * channels + (size_t)kt * TK * TC * LANES + part * V);
      }
    }

  for (int r = first_r; r < first_r + rb; r++)
    for (int s = 0; s < S; s++)
      for (int ct = 0; ct < cts; ct++)
        for (int kt = 0; kt < kts; kt++)
          sum_lanes(partial + (r * S + s) * tap + ct * channels + (size_t)kt * TK * TC * LANES, (kt0 + kt) * TK,
                    (ct0 + ct) * TC, k_count, c_count, dw_base + dw_offset + r * S + s);
#endif
}
