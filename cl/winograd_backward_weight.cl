/* Weight gradient of a 3x3 convolution of stride 1 by Winograd's minimal filtering F(3x3, 2x2), the transpose of
 * winograd.cl's F(2x2, 3x3): 16 multiplications for a tile's 2 x 2 output gradients e and 4 x 4 inputs d, not 36.
 *
 *   dw = G' [sum over tiles and images of (A e A') . (B' d B)] G      (. element by element)
 *
 * Layout: x [C][N/16][H][W][16], dy [K][N/16][OH][OW][16], partial [sets][levels][K][C][9], dw [K][C][3][3].
 * Canonical order. B' d B as in winograd.cl. A e A': rows first; of (e0, e1): e0, e0 + e1, e0 - e1, e1 (the sign of the
 * last is in G'). Of each image and element: acc = 0; for tiles, row by row: acc = fma(u, v, acc). Then the tree of the
 * 16 images of a block, G' m G of that (winograd_backward_weight.clh), and the batch tree over the blocks (reduce.clh).
 * What is outside either image is 0.
 *
 * Here for GPUs; winograd_backward_weight_blocked.cl is for CPUs. A work-group has TK * SK filters, TC * SC channels
 * and `set` blocks of 16 images, one after the other; a work-item an image of the block, a row of elements, TK filters
 * and TC channels: 4 * TK * TC sums. Tiles are taken two columns at a time, those of the tile to the left are still in
 * registers: the group makes the columns' B' d and A e once, into local memory, where all rows of all elements find
 * them (each is read by SK or SC work-items), and asks for the next two columns before it multiplies these. Of the two
 * halves of local memory one is written while the other may still be read: a barrier a tile.
 *
 * Macros: TK filters and TC channels a work-item; SK and SC work-items beside each other; GROUP work-items, 16, 32 or
 * 64 * SK * SC: with less than 64 one goes over the images once for each of the rows of elements that it has.
 */
#include "common/reduce.clh"
#include "common/winograd_backward_weight.clh"

#if V == 1
#define TILES (SK * SC)
#define TEAMS (GROUP / LANES) /* of a work-item for each image */
#define ROWS (TEAMS / TILES)  /* of elements at once */
#define KT (TK * SK)
#define CT (TC * SC)

/* A step's work for the teams: B' d of a column of a channel, A e of two columns of a filter. */
#define TASKS (2 * CT + KT)
#define ROUNDS ((TASKS + TEAMS - 1) / TEAMS)

#define X_SIZE (CT * ROWS * LANES * 2)
#define STEP_SIZE (X_SIZE + KT * ROWS * LANES * 2)
#define SUM_SIZE 20 /* of 16 lanes, so that neighbours begin in other banks */
#define LOCAL_SIZE (2 * STEP_SIZE > GROUP * SUM_SIZE ? 2 * STEP_SIZE : GROUP * SUM_SIZE)

/* Rows row to row + 3 of a column, or rows 0 and 1 of two columns; 0 outside the image. */
static inline float4 load_inputs(__global const float *x, int row, int column, int h, int w) {
  float d[4];
#pragma unroll
  for (int r = 0; r < 4; r++)
    d[r] = (uint)column < (uint)w && (uint)(row + r) < (uint)h ? x[((row + r) * w + column) * LANES] : 0.0f;
  return (float4)(d[0], d[1], d[2], d[3]);
}

static inline float4 load_gradients(__global const float *dy, int row, int column, int h, int w) {
  float e[4];
#pragma unroll
  for (int r = 0; r < 4; r++)
    e[r] = column >= 0 && column + r % 2 < w && row + r / 2 < h ? dy[((row + r / 2) * w + column + r % 2) * LANES] : 0.0f;
  return (float4)(e[0], e[1], e[2], e[3]);
}

/* Row i of B' d, and of A e. */
static inline float input_row(float4 d, int i) {
  return i == 0 ? d.x - d.z : i == 1 ? d.y + d.z : i == 2 ? d.z - d.y : d.y - d.w;
}

static inline float gradient_row(float e0, float e1, int i) {
  return i == 0 ? e0 : i == 1 ? e0 + e1 : i == 2 ? e0 - e1 : e1;
}

__attribute__((reqd_work_group_size(GROUP, 1, 1))) __kernel void winograd_backward_weight(
    __global const float *restrict x_base, const ulong x_offset, __global const float *restrict dy_base,
    const ulong dy_offset, __global float *restrict partial_base, const ulong partial_offset, const int n,
    const int c_count, const int h, const int w, const int k_count, const int oh, const int ow, const int top,
    const int left, const int set, const int levels) {
  __local float local_memory[LOCAL_SIZE], elements[TK * TC * TILES * 16];
  const size_t x_channel = (size_t)h * w * n, dy_channel = (size_t)oh * ow * n;
  const int item = (int)get_local_id(0), lane = item % LANES, team = item / LANES;
  const int row_of_item = team % ROWS, tile = team / ROWS, sk = tile % SK, sc = tile / SK;
  const int k0 = (int)get_group_id(0) * KT, c0 = (int)get_group_id(1) * CT, first = (int)get_group_id(2) * set;
  const int end = min(first + set, n / LANES), columns = (ow + 1) / 2, rows = (oh + 1) / 2;

  for (int block = first; block < end; block++) {
    __global const float *from[ROUNDS];
#pragma unroll
    for (int r = 0; r < ROUNDS; r++) {
      const int task = team + r * TEAMS, c = min(c0 + task / 2, c_count - 1);
      const int k = min(k0 + max(task - 2 * CT, 0), k_count - 1);
      from[r] = task < 2 * CT ? x_base + x_offset + c * x_channel + vplace(0, block * LANES, h * w) + lane
                              : dy_base + dy_offset + k * dy_channel + vplace(0, block * LANES, oh * ow) + lane;
    }
    for (int i0 = 0; i0 < 4; i0 += ROWS) {
      float acc[TK][TC][4], left_columns[TC][2];
      float4 next[ROUNDS];
#pragma unroll
      for (int k = 0; k < TK; k++)
#pragma unroll
        for (int c = 0; c < TC; c++)
#pragma unroll
          for (int j = 0; j < 4; j++) acc[k][c][j] = 0.0f;
      /* Of a row of tiles the first two columns have no tile to their left. */
#pragma unroll
      for (int r = 0; r < ROUNDS; r++) {
        const int task = team + r * TEAMS;
        if (task < 2 * CT) next[r] = load_inputs(from[r], -top, task % 2 - left, h, w);
      }
      for (int row = 0, column = -1, buffer = 0; row < rows; buffer = STEP_SIZE - buffer) {
        __local float *xs = local_memory + buffer, *dys = xs + X_SIZE;
#pragma unroll
        for (int r = 0; r < ROUNDS; r++) {
          const int task = team + r * TEAMS;
          const float4 d = next[r];
          if (task < 2 * CT) {
#pragma unroll
            for (int i = 0; i < ROWS; i++)
              xs[((task / 2 * ROWS + i) * LANES + lane) * 2 + task % 2] = input_row(d, i0 + i);
          } else if (task < TASKS) {
#pragma unroll
            for (int i = 0; i < ROWS; i++)
              vstore2((float2)(gradient_row(d.x, d.z, i0 + i), gradient_row(d.y, d.w, i0 + i)),
                      ((task - 2 * CT) * ROWS + i) * LANES + lane, dys);
          }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        const bool begins = column < 0;
        if (++column == columns) row++, column = -1;
#pragma unroll
        for (int r = 0; r < ROUNDS; r++) {
          const int task = team + r * TEAMS;
          if (row >= rows) continue;
          if (task < 2 * CT)
            next[r] = load_inputs(from[r], 2 * row - top, 2 * (column + 1) + task % 2 - left, h, w);
          else if (task < TASKS)
            next[r] = load_gradients(from[r], 2 * row, 2 * column, oh, ow);
        }
        float2 d[TC];
#pragma unroll
        for (int c = 0; c < TC; c++) d[c] = vload2(((sc * TC + c) * ROWS + row_of_item) * LANES + lane, xs);
        if (!begins) {
          float v[TC][4];
#pragma unroll
          for (int c = 0; c < TC; c++) {
            v[c][0] = left_columns[c][0] - d[c].x, v[c][1] = left_columns[c][1] + d[c].x;
            v[c][2] = d[c].x - left_columns[c][1], v[c][3] = left_columns[c][1] - d[c].y;
          }
#pragma unroll
          for (int k = 0; k < TK; k++) {
            const float2 e = vload2(((sk * TK + k) * ROWS + row_of_item) * LANES + lane, dys);
#pragma unroll
            for (int j = 0; j < 4; j++) {
              const float u = gradient_row(e.x, e.y, j);
#pragma unroll
              for (int c = 0; c < TC; c++) acc[k][c][j] = fma(u, v[c][j], acc[k][c][j]);
            }
          }
        }
#pragma unroll
        for (int c = 0; c < TC; c++) left_columns[c][0] = d[c].x, left_columns[c][1] = d[c].y;
      }
      /* The trees of 16 images: of four filters and channels at once the group has a sum a work-item. */
      barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
      for (int pair = 0; pair < TK * TC; pair += 4) {
#pragma unroll
        for (int q = 0; q < 4 && pair + q < TK * TC; q++)
#pragma unroll
          for (int j = 0; j < 4; j++)
            local_memory[(((q * TILES + tile) * ROWS + row_of_item) * 4 + j) * SUM_SIZE + lane] =
                acc[(pair + q) / TC][(pair + q) % TC][j];
        barrier(CLK_LOCAL_MEM_FENCE);
        const int q = item / (4 * ROWS * TILES), of = item / (4 * ROWS) % TILES, element = item % (4 * ROWS);
        if (pair + q < TK * TC)
          elements[((pair + q) * TILES + of) * 16 + i0 * 4 + element] = tree_sum(
              (float16)(vload8(0, local_memory + item * SUM_SIZE), vload8(0, local_memory + item * SUM_SIZE + 8)));
        barrier(CLK_LOCAL_MEM_FENCE);
      }
    }
    for (int at = item; at < TK * TC * TILES; at += GROUP) {
      const int pair = at / TILES, of = at % TILES;
      const int k = k0 + of % SK * TK + pair / TC, c = c0 + of / SK * TC + pair % TC;
      float m[16], dw[9];
#pragma unroll
      for (int p = 0; p < 16; p++) m[p] = elements[at * 16 + p];
      transform_sums(m, dw);
      __global float *partial =
          partial_base + partial_offset + ((get_group_id(2) * levels * k_count + k) * c_count + c) * 9;
      for (int tap = 0; k < k_count && c < c_count && tap < 9; tap++)
        batch_tree_add(dw[tap], partial + tap, (size_t)k_count * c_count * 9, block - first, end - first);
    }
  }
}

/* dw [count] of the sets' sums, `stride` floats from each other: the rest of the batch tree. */
__kernel void winograd_reduce_blocks(__global const float *restrict partial_base, const ulong partial_offset,
                                     __global float *restrict dw_base, const ulong dw_offset, const int sets,
                                     const int levels, const int count) {
  const int at = (int)get_global_id(0);
  if (at < count)
    dw_base[dw_offset + at] = batch_tree(partial_base + partial_offset + at, (size_t)levels * count, sets);
}
#endif
