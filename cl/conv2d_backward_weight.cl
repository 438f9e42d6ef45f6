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
 * filter at a time, and goes on to the next `side` blocks of its part of the batch, `serial` times. reduce_blocks adds
 * the parts.
 *
 * Macros: R, S kernel size; STRIDE; TK filters and TC channels a tile; P pixels; SUBS. */
#include "common/reduce.clh"

#define COLUMNS ((P - 1) * STRIDE + S)

/* The sums of one image: x and dy are at its first pixel of the tile's channels and filters. Every index of acc is a
 * constant. */
static inline void add_image(__global const float *const x[TC], __global const float *const dy[TK], int r, int h,
                             int w_size, int oh_count, int ow_count, int top, int left, float acc[TK][TC][S]) {
  const int first = max(0, (top - r + STRIDE - 1) / STRIDE);
  const int last = h - 1 + top - r < 0 ? 0 : min(oh_count, (h - 1 + top - r) / STRIDE + 1);
  for (int oh = first; oh < last; oh++) {
    const int dy_row = oh * ow_count, x_row = (oh * STRIDE + r - top) * w_size - left;
    for (int ow = 0; ow < ow_count; ow += P) {
      float g[TK][P], v[TC][COLUMNS];
#pragma unroll
      for (int p = 0; p < P; p++)
#pragma unroll
        for (int k = 0; k < TK; k++) g[k][p] = ow + p < ow_count ? dy[k][(dy_row + ow + p) * LANES] : 0.0f;
#pragma unroll
      for (int j = 0; j < COLUMNS; j++) {
        const bool inside = (uint)(ow * STRIDE + j - left) < (uint)w_size;
#pragma unroll
        for (int c = 0; c < TC; c++) v[c][j] = inside ? x[c][(x_row + ow * STRIDE + j) * LANES] : 0.0f;
      }
#pragma unroll
      for (int p = 0; p < P; p++) {
        if (ow + p >= ow_count) break;
#pragma unroll
        for (int k = 0; k < TK; k++)
#pragma unroll
          for (int c = 0; c < TC; c++)
#pragma unroll
            for (int s = 0; s < S; s++) acc[k][c][s] = fma(g[k][p], v[c][p * STRIDE + s], acc[k][c][s]);
      }
    }
  }
}

/* The tree over the 16 images of each of `count` blocks, then that over the blocks; blocks are `stride` floats apart
 * and are overwritten. */
static inline float tree_of_blocks(__local float *lanes, int stride, int count) {
  for (int b = 0; b < count; b++) {
    __local float *l = lanes + b * stride;
    float sum[LANES];
#pragma unroll
    for (int i = 0; i < LANES; i++) sum[i] = l[i];
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2)
#pragma unroll
      for (int i = 0; i < step; i++) sum[i] += sum[i + step];
    l[0] = sum[0];
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
    const int side, const int serial, const int level_count) {
  __local float lanes[SUBS][TC * S][LANES + 1]; /* + 1: neighbours read different banks */
  const int id = (int)get_local_id(0), lane = id % LANES, sub = id / LANES;
  const int c_tiles = (c_count + TC - 1) / TC, k_tiles = (k_count + TK - 1) / TK, items = k_tiles * c_tiles * R;
  const int item0 = (int)get_group_id(0) * (SUBS / side), item = item0 + sub / side;
  const int r = item % R, c0 = item / R % c_tiles * TC, k0 = item / R / c_tiles * TK;
  const int part = (int)get_group_id(1), blocks = n / LANES, first = part * side * serial;
  const size_t x_channel = (size_t)h * w_size * n, dy_channel = (size_t)oh_count * ow_count * n;
  const size_t weights = (size_t)k_count * c_count * (R * S);
  __global float *levels = levels_base + levels_offset + (size_t)part * level_count * weights;
  __global float *out = out_base + out_offset + part * weights;

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
    if (item < items && block < blocks) {
      __global const float *x[TC], *dy[TK];
#pragma unroll
      for (int c = 0; c < TC; c++)
        x[c] = x_base + x_offset + min(c0 + c, c_count - 1) * x_channel + vplace(0, block * LANES + lane, h * w_size);
#pragma unroll
      for (int k = 0; k < TK; k++)
        dy[k] = dy_base + dy_offset + min(k0 + k, k_count - 1) * dy_channel +
                vplace(0, block * LANES + lane, oh_count * ow_count);
      add_image(x, dy, r, h, w_size, oh_count, ow_count, top, left, acc);
    }
#pragma unroll
    for (int k = 0; k < TK; k++) {
#pragma unroll
      for (int c = 0; c < TC; c++)
#pragma unroll
        for (int s = 0; s < S; s++) lanes[sub][c * S + s][lane] = acc[k][c][s];
      barrier(CLK_LOCAL_MEM_FENCE);
      for (int i = id; i < SUBS / side * (TC * S); i += LANES * SUBS) {
        const int tile = i / (TC * S), sum = i % (TC * S), it = item0 + tile;
        const int c = it / R % c_tiles * TC + sum / S, filter = it / R / c_tiles * TK + k;
        if (it >= items || c >= c_count || filter >= k_count) continue;
        const size_t weight = (((size_t)filter * c_count + c) * R + it % R) * S + sum % S;
        const float total = tree_of_blocks(lanes[tile * side][sum], TC * S * (LANES + 1), count);
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

/* dw[i] = the tree over `parts` parts of the batch; one work-item per weight, `count` of them. */
__kernel void reduce_blocks(__global const float *restrict partial_base, const ulong partial_offset,
                            __global float *restrict dw_base, const ulong dw_offset, const int parts, const int count) {
  const int i = (int)get_global_id(0);
  if (i < count) dw_base[dw_offset + i] = batch_tree(partial_base + partial_offset + i, (size_t)count, parts);
}
