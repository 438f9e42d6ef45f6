/* Weight gradient of a convolution:
 *
 *   dw[k][c][r][s] = sum over n, oh, ow of dy[k][oh][ow][n] * x[c][oh * STRIDE + r - top][ow * STRIDE + s - left][n]
 *
 * and of a transposed one, with x and dy exchanged. This is a GPU's kernel; a CPU has _few and _blocked.
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], dw [K][C][R][S]; out [parts][K][C][R][S], dw itself where
 * there is one part of the batch, levels [parts][levels][K][C][R][S].
 *
 * Canonical order: of each image acc = 0; for oh (rows of x outside skipped), for ow (columns outside add dy * 0): acc
 * = fma(dy, x, acc); then the batch tree of reduce.clh: 16 images of a block, and the blocks.
 *
 * A work-item has one image and TK filters x TC channels x the S taps of one row of the kernel, all sums in registers.
 * It loads P pixels of a row of dy and the columns of x that they meet, all at once, then multiplies: TK * TC * S
 * multiply-adds for TK + TC * STRIDE loads. 16 work-items, neighbours, have the images of a block; SUBS such rows are a
 * work-group: `side` blocks of each of SUBS / side tiles. A group adds its images in local memory, the sums of one
 * filter at a time, and goes on to the next `side` blocks of its part of the batch, `serial` times. batch_sums.cl
 * adds the parts.
 *
 * The launch's third axis runs over layers of the same shape; table [layers][4] (src/plan/alike.c).
 *
 * Macros: R, S kernel size; STRIDE; TK filters and TC channels a tile; P pixels, REST what is left of a row;
 * SUBS. */
#include "common/reduce.clh"

#define COLUMNS(pixels) (((pixels)-1) * STRIDE + S)

/* Column j of those of x for `pixels` pixels of dy from ow on, 0 outside. Padding is less than the kernel: only the
 * first and the last S - 1 may be outside. */
#define COLUMN(j)                                                                 \
  (((j) >= S - 1 || ow * STRIDE + (j) >= left) &&                                 \
           ((j) < COLUMNS(pixels) - (S - 1) || ow * STRIDE + (j) < w_size + left) \
       ? row[(j)*LANES]                                                           \
       : 0.0f)

/* acc += the products of `pixels` <= P pixels of a row of dy, a constant as are all indices of acc. x and dy are at the
 * image's first pixel, to_x and to_dy lead to the first of these. */
INLINE void add_pixels(const int pixels, __global const float *x, __global const float *dy, const int x_at[TC],
                       const int dy_at[TK], int to_x, int to_dy, int ow, int left, int w_size, float acc[TK][TC][S]) {
  float g[TK][P], v[TC][COLUMNS(P)];
#pragma unroll
  for (int k = 0; k < TK; k++) {
    __global const float *row = dy + (dy_at[k] + to_dy);
#pragma unroll
    for (int p = 0; p < P; p++)
      if (p < pixels) g[k][p] = row[p * LANES];
  }
#pragma unroll
  for (int c = 0; c < TC; c++) {
    __global const float *row = x + (x_at[c] + to_x);
#pragma unroll
    for (int j = 0; j < COLUMNS(P); j++)
      if (j < COLUMNS(pixels)) v[c][j] = COLUMN(j);
  }
#pragma unroll
  for (int p = 0; p < P; p++)
    if (p < pixels)
#pragma unroll
      for (int k = 0; k < TK; k++)
#pragma unroll
        for (int c = 0; c < TC; c++)
#pragma unroll
          for (int s = 0; s < S; s++) acc[k][c][s] = fma(g[k][p], v[c][p * STRIDE + s], acc[k][c][s]);
}

/* The sums of image `image`, of filters from k0 and channels from c0 on. */
static inline void add_image(__global const float *x, __global const float *dy, int n, int image, int k0, int c0, int r,
                             int c_count, int h, int w_size, int k_count, int oh_count, int ow_count, int top, int left,
                             float acc[TK][TC][S]) {
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  const int first = max(0, (top - r + STRIDE - 1) / STRIDE);
  const int last = h - 1 + top - r < 0 ? 0 : min(oh_count, (h - 1 + top - r) / STRIDE + 1);
  int x_at[TC], dy_at[TK];
#pragma unroll
  for (int c = 0; c < TC; c++) x_at[c] = min(c, c_count - 1 - c0) * (int)x_channel;
#pragma unroll
  for (int k = 0; k < TK; k++) dy_at[k] = min(k, k_count - 1 - k0) * (int)dy_channel;
  x += c0 * x_channel + vplace(0, image, h * w_size);
  dy += k0 * dy_channel + vplace(0, image, oh_count * ow_count);
  for (int oh = first; oh < last; oh++) {
    int to_x = ((oh * STRIDE + r - top) * w_size - left) * LANES, to_dy = oh * ow_count * LANES, ow = 0;
    for (; ow < ow_count - REST; ow += P, to_x += P * STRIDE * LANES, to_dy += P * LANES)
      add_pixels(P, x, dy, x_at, dy_at, to_x, to_dy, ow, left, w_size, acc);
    if (REST > 0) add_pixels(REST, x, dy, x_at, dy_at, to_x, to_dy, ow, left, w_size, acc);
  }
}

/* In local memory: a sum's 16 images, + 1 so that neighbours read different banks; the sums of a block of images. */
#define ROW (LANES + 1)
#define BLOCK (TC * S * ROW)

/* The tree over the 16 images of each of `count` blocks, then that over the blocks; blocks are `stride` floats apart
 * and are overwritten. */
static inline float tree_of_blocks(__local float *lanes, int stride, int count) {
  for (int b = 0; b < count; b++) {
    __local float *l = lanes + b * stride;
    l[0] = tree_sum((float16)(l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], l[10], l[11], l[12], l[13],
                              l[14], l[15]));
  }
  for (int step = 1; step < count; step *= 2)
    for (int b = 0; b + step < count; b += 2 * step) lanes[b * stride] += lanes[(b + step) * stride];
  return lanes[0];
}

__kernel __attribute__((reqd_work_group_size(LANES * SUBS, 1, 1))) void conv2d_backward_weight(
    __global const float *restrict x_base, const ulong x_offset, __global const float *restrict dy_base,
    const ulong dy_offset, __global float *restrict levels_base, const ulong levels_offset,
    __global float *restrict out_base, const ulong out_offset, const int n, const int c_count, const int h,
    const int w_size, const int k_count, const int oh_count, const int ow_count, const int top, const int left,
    const int side, const int serial, const int level_count, __global const int *restrict table) {
  __local float lanes[SUBS * BLOCK]; /* [SUBS][TC][S][ROW] */
  const int id = (int)get_local_id(0), lane = id % LANES, sub = id / LANES;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, items = k_tiles * c_tiles * R;
  const int item0 = (int)get_group_id(0) * (SUBS / side), item = item0 + sub / side;
  const int r = item % R, c0 = item / R % c_tiles * TC, k0 = item / R / c_tiles * TK;
  const int part = (int)get_group_id(1), blocks = n / LANES, first = part * side * serial;
  const size_t weights = (size_t)k_count * c_count * (R * S);
  __global const int *away = table + 4 * get_group_id(2); /* from the first layer's operands, in units of 16 */
  __global const float *x = x_base + x_offset + (ptrdiff_t)away[0] * LANES;
  __global const float *dy = dy_base + dy_offset + (ptrdiff_t)away[1] * LANES;
  __global float *levels =
      levels_base + levels_offset + (ptrdiff_t)away[2] * LANES + (size_t)part * level_count * weights;
  __global float *out = out_base + out_offset + (ptrdiff_t)away[3] * LANES + part * weights;

  for (int step = 0; step < serial; step++) {
    const int block0 = first + step * side, block = block0 + sub % side, count = min(side, blocks - block0);
    if (count <= 0) break;
    float acc[TK][TC][S];
#pragma unroll
    for (int k = 0; k < TK; k++)
#pragma unroll
      for (int c = 0; c < TC; c++)
#pragma unroll
        for (int s = 0; s < S; s++) acc[k][c][s] = 0.0f;
    if (item < items && block < blocks)
      add_image(x, dy, n, block * LANES + lane, k0, c0, r, c_count, h, w_size, k_count, oh_count, ow_count, top, left,
                acc);
#pragma unroll 1
    for (int k = 0; k < TK; k++) {
#pragma unroll
      for (int j = 0; j < TK; j++) /* an index of acc is a constant */
        if (j == k)
#pragma unroll
          for (int c = 0; c < TC; c++)
#pragma unroll
            for (int s = 0; s < S; s++) lanes[sub * BLOCK + (c * S + s) * ROW + lane] = acc[j][c][s];
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int i = id; i < SUBS / side * (TC * S); i += LANES * SUBS) {
        const int tile = i / (TC * S), sum = i % (TC * S), it = item0 + tile;
        const int c = it / R % c_tiles * TC + sum / S, filter = it / R / c_tiles * TK + k;
        if (it >= items || c >= c_count || filter >= k_count) continue;
        const size_t weight = (((size_t)filter * c_count + c) * R + it % R) * S + sum % S;
        const float total = tree_of_blocks(lanes + tile * side * BLOCK + sum * ROW, BLOCK, count);
        if (serial == 1)
          out[weight] = total;
        else
          batch_count(levels + weight, weights, step, total);
        if (serial > 1 && (step == serial - 1 || block0 + side >= blocks))
          out[weight] = batch_counted(levels + weight, weights, step + 1);
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
}
