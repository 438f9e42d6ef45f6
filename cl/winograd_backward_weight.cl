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
#define TEAMS (GROUP / LANES) /* of 16 neighbouring work-items, one for each image of a block */
#define ROWS (TEAMS / TILES)  /* of elements at once */
#define KT (TK * SK)
#define CT (TC * SC)

/* What a team asks for in a step: in X_ROUNDS a column of a channel each, in DY_ROUNDS two columns of a filter each. */
#define X_ROUNDS ((2 * CT + TEAMS - 1) / TEAMS)
#define DY_ROUNDS ((KT + TEAMS - 1) / TEAMS)
#define COLUMN(r) (TEAMS == 1 ? (r) % 2 : team % 2)
#define CHANNEL(r) (TEAMS == 1 ? (r) / 2 : team / 2 + (r) * (TEAMS / 2))
#define FILTER(r) (team + (r)*TEAMS)

#define X_SIZE (CT * ROWS * LANES * 2)
#define STEP_SIZE (X_SIZE + KT * ROWS * LANES * 2)
#define SUM_SIZE 20 /* of 16 lanes, so that neighbours begin in other banks */
#define LOCAL_SIZE (2 * STEP_SIZE > GROUP * SUM_SIZE ? 2 * STEP_SIZE : GROUP * SUM_SIZE)

/* Row i of B' d, and of A e. */
static inline float input_row(float4 d, int i) {
  return i == 0 ? d.x - d.z : i == 1 ? d.y + d.z : i == 2 ? d.z - d.y : d.y - d.w;
}

static inline float gradient_row(float e0, float e1, int i) {
  return i == 0 ? e0 : i == 1 ? e0 + e1 : i == 2 ? e0 - e1 : e1;
}

/* An image's and its gradient's shape; a step: two columns of inputs, those that the tile at row, column of tiles does
 * not share with the one to its left, and that tile's gradients; column -1: what the first tile of a row has alone. */
typedef struct shape {
  int h, w, oh, ow, top, left;
} shape;

typedef struct asked {
  float4 d[X_ROUNDS], e[DY_ROUNDS];
} asked;

/* Asks for a step: four rows of a column, 2 x 2 pixels of a gradient. Rows outside the image are others instead. */
static inline void ask(__global const float *const x[X_ROUNDS], __global const float *const dy[DY_ROUNDS], int team,
                       shape s, int row, int column, asked *to) {
  const int y = 2 * row - s.top, width = s.w * LANES;
  const int r0 = clamp(y, 0, s.h - 1) * width, r1 = clamp(y + 1, 0, s.h - 1) * width;
  const int r2 = clamp(y + 2, 0, s.h - 1) * width, r3 = clamp(y + 3, 0, s.h - 1) * width;
#pragma unroll
  for (int r = 0; r < X_ROUNDS; r++) {
    const int at = 2 * (column + 1) - s.left + COLUMN(r), i = at * LANES;
    to->d[r] = (float4)(0.0f);
    if ((uint)at < (uint)s.w) to->d[r] = (float4)(x[r][i + r0], x[r][i + r1], x[r][i + r2], x[r][i + r3]);
  }
  const int e0 = min(2 * row, s.oh - 1) * s.ow * LANES, e1 = min(2 * row + 1, s.oh - 1) * s.ow * LANES;
  const int right = 2 * column + 1 < s.ow ? LANES : 0;
#pragma unroll
  for (int r = 0; r < DY_ROUNDS && column >= 0; r++)
    if (KT % TEAMS == 0 || FILTER(r) < KT) {
      const int i = e0 + 2 * column * LANES, j = e1 + 2 * column * LANES;
      to->e[r] = (float4)(dy[r][i], dy[r][i + right], dy[r][j], dy[r][j + right]);
    }
}

/* Rows i0 to i0 + ROWS - 1 of B' d and A e of the step that was asked for. */
static inline void put(const asked *from, int team, shape s, int row, int column, int i0, __local float2 *x,
                       __local float2 *dy) {
  const int y = 2 * row - s.top;
#pragma unroll
  for (int r = 0; r < X_ROUNDS; r++) {
    const float4 d =
        (float4)((uint)y < (uint)s.h ? from->d[r].x : 0.0f, (uint)(y + 1) < (uint)s.h ? from->d[r].y : 0.0f,
                 (uint)(y + 2) < (uint)s.h ? from->d[r].z : 0.0f, (uint)(y + 3) < (uint)s.h ? from->d[r].w : 0.0f);
    __local float *to = (__local float *)(x + CHANNEL(r) * ROWS * LANES) + COLUMN(r);
    if (2 * CT % TEAMS == 0 || CHANNEL(r) < CT)
#pragma unroll
      for (int i = 0; i < ROWS; i++) to[i * LANES * 2] = input_row(d, i0 + i);
  }
  const bool right = 2 * column + 1 < s.ow, below = 2 * row + 1 < s.oh;
#pragma unroll
  for (int r = 0; r < DY_ROUNDS && column >= 0; r++)
    if (KT % TEAMS == 0 || FILTER(r) < KT) {
      const float4 e = (float4)(from->e[r].x, right ? from->e[r].y : 0.0f, below ? from->e[r].z : 0.0f,
                                right && below ? from->e[r].w : 0.0f);
#pragma unroll
      for (int i = 0; i < ROWS; i++)
        dy[(FILTER(r) * ROWS + i) * LANES] = (float2)(gradient_row(e.x, e.z, i0 + i), gradient_row(e.y, e.w, i0 + i));
    }
}

/* acc[TK][TC][4] += a row of elements of a tile; d: the tile's first two columns, then its last two. */
static inline void multiply(__local const float2 *x, __local const float2 *dy, float2 d[TC], float acc[TK][TC][4]) {
  float v[TC][4];
#pragma unroll
  for (int c = 0; c < TC; c++) {
    const float2 d01 = d[c], d23 = x[c * ROWS * LANES];
    v[c][0] = d01.x - d23.x, v[c][1] = d01.y + d23.x, v[c][2] = d23.x - d01.y, v[c][3] = d01.y - d23.y;
    d[c] = d23;
  }
#pragma unroll
  for (int k = 0; k < TK; k++) {
    const float2 e = dy[k * ROWS * LANES];
#pragma unroll
    for (int j = 0; j < 4; j++) {
      const float u = gradient_row(e.x, e.y, j);
#pragma unroll
      for (int c = 0; c < TC; c++) acc[k][c][j] = fma(u, v[c][j], acc[k][c][j]);
    }
  }
}

__attribute__((reqd_work_group_size(GROUP, 1, 1))) __kernel void winograd_backward_weight(
    __global const float *restrict x_base, const ulong x_offset, __global const float *restrict dy_base,
    const ulong dy_offset, __global float *restrict partial_base, const ulong partial_offset, const int n,
    const int c_count, const int h, const int w, const int k_count, const int oh, const int ow, const int top,
    const int left, const int set, const int levels) {
  __local float2 local_pairs[LOCAL_SIZE / 2];
  __local float elements[TK * TC * TILES * 16];
  __local float *local_memory = (__local float *)local_pairs;
  const size_t x_channel = (size_t)h * w * n, dy_channel = (size_t)oh * ow * n;
  const int item = (int)get_local_id(0), lane = item % LANES, team = item / LANES;
  const int row_of_item = team % ROWS, tile = team / ROWS, sk = tile % SK, sc = tile / SK;
  const int k0 = (int)get_group_id(0) * KT, c0 = (int)get_group_id(1) * CT, first = (int)get_group_id(2) * set;
  const int end = min(first + set, n / LANES), rows = (oh + 1) / 2, columns = (ow + 1) / 2;
  const shape s = {h, w, oh, ow, top, left};
  const int x_mine = (sc * TC * ROWS + row_of_item) * LANES, dy_mine = (sk * TK * ROWS + row_of_item) * LANES;

  for (int block = first; block < end; block++) {
    __global const float *x[X_ROUNDS], *dy[DY_ROUNDS];
#pragma unroll
    for (int r = 0; r < X_ROUNDS; r++)
      x[r] = x_base + x_offset + min(c0 + CHANNEL(r), c_count - 1) * x_channel + vplace(0, block * LANES + lane, h * w);
#pragma unroll
    for (int r = 0; r < DY_ROUNDS; r++)
      dy[r] = dy_base + dy_offset + min(k0 + FILTER(r), k_count - 1) * dy_channel +
              vplace(0, block * LANES + lane, oh * ow);
    for (int i0 = 0; i0 < 4; i0 += ROWS) {
      float acc[TK][TC][4];
      asked next;
#pragma unroll
      for (int k = 0; k < TK; k++)
#pragma unroll
        for (int c = 0; c < TC; c++)
#pragma unroll
          for (int j = 0; j < 4; j++) acc[k][c][j] = 0.0f;
      __local float2 *step = local_pairs + lane;
      int row = 0, other = STEP_SIZE / 2; /* from the half of local memory in use to the other */
      ask(x, dy, team, s, 0, -1, &next);
      do {
        float2 d[TC];
        int column = 0;
        put(&next, team, s, row, -1, i0, step, step + X_SIZE / 2);
        barrier(CLK_LOCAL_MEM_FENCE);
        ask(x, dy, team, s, row, 0, &next);
#pragma unroll
        for (int c = 0; c < TC; c++) d[c] = step[x_mine + c * ROWS * LANES];
        do {
          step += other, other = -other;
          put(&next, team, s, row, column, i0, step, step + X_SIZE / 2);
          barrier(CLK_LOCAL_MEM_FENCE);
          ask(x, dy, team, s, row, ++column, &next);
          multiply(step + x_mine, step + X_SIZE / 2 + dy_mine, d, acc);
        } while (column + 1 < columns);
        step += other, other = -other;
        put(&next, team, s, row, column, i0, step, step + X_SIZE / 2);
        barrier(CLK_LOCAL_MEM_FENCE);
        ask(x, dy, team, s, row + 1, -1, &next);
        multiply(step + x_mine, step + X_SIZE / 2 + dy_mine, d, acc);
        step += other, other = -other;
      } while (++row < rows);
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
#endif
