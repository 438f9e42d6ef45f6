/* Bias gradient: db[c] = sum over h, w, n of dy[c][h][w][n].
 *
 * Layout: dy [C][N/16][H][W][16], blocks [C][N/16], db [C].
 * Canonical order: an image's row (c, h, n), for w; its rows in order of h; then the batch tree of reduce.clh.
 *
 * One work-group per channel; on a GPU, where that would be too much for one, a work-group for `share` blocks and a
 * second kernel for the rest of the tree. */
#include "common/reduce.clh"

/* The sum of row h of a block's images, which begin at dy. */
static inline vfloat row_sum(__global const float *dy, int h, int w_count) {
  vfloat sum = (vfloat)(0.0f);
  UNROLL_ON_GPU
  for (int w = 0; w < w_count; w++) sum = vadd_in_order(sum, vload(dy + (size_t)(h * w_count + w) * LANES));
  return sum;
}

/* The sums of blocks first to end of a channel, at which dy is, in the place of the first's; the whole group must call.
 */
#if V == 1
#define SCRATCH (MOST_UNITS * LANES)
__attribute__((always_inline)) static inline void sum_blocks(__global const float *dy, int first, int end, int h_count,
                                                             int w_count, int rows, __global float *blocks,
                                                             __local float *scratch) {
  const units u = units_of(rows);
  for (int b = first; b < end; b += u.blocks) {
    const int block = b + u.block;
    const bool has = has_block(u, block, end);
    __global const float *images = dy + vplace(0, block * LANES + u.lane, h_count * w_count);
    float sum = 0.0f;
    for (int h = 0; h < h_count; h += u.rows) {
      const int count = min(u.rows, h_count - h);
      sum = add_rows(sum, has && u.row < count ? row_sum(images, h + u.row, w_count) : 0.0f, u, count, scratch);
    }
    sum = lane_sum(sum, scratch);
    if (has && u.row == 0 && u.lane == 0) blocks[block] = sum;
  }
  batch_tree_in_place(blocks, 1, first, end, 1);
}
#else
#define SCRATCH 1
static inline void sum_blocks(__global const float *dy, int first, int end, int h_count, int w_count, int rows,
                              __global float *blocks, __local float *scratch) {
  for (int block = first; block < end; block++) {
    __global const float *images = dy + vplace(0, block * LANES, h_count * w_count);
    vfloat sum = (vfloat)(0.0f);
    for (int h = 0; h < h_count; h++) sum = vadd_in_order(sum, row_sum(images, h, w_count));
    blocks[block] = lane_sum(sum, scratch);
  }
  batch_tree_in_place(blocks, 1, first, end, 1);
}
#endif

__kernel void bias_backward(__global const float *restrict dy_base, const ulong dy_offset,
                            __global float *restrict blocks_base, const ulong blocks_offset,
                            __global float *restrict db_base, const ulong db_offset, const int n, const int h_count,
                            const int w_count, const int rows) {
  __local float scratch[SCRATCH];
  const int c = (int)get_group_id(2), count = n / LANES;
  __global float *blocks = blocks_base + blocks_offset + (size_t)c * count;
  sum_blocks(dy_base + dy_offset + (size_t)c * h_count * w_count * n, 0, count, h_count, w_count, rows, blocks,
             scratch);
  if (get_local_id(0) == 0) db_base[db_offset + c] = blocks[0];
}

#if V == 1
__kernel void bias_backward_blocks(__global const float *restrict dy_base, const ulong dy_offset,
                                   __global float *restrict blocks_base, const ulong blocks_offset, const int n,
                                   const int h_count, const int w_count, const int rows, const int share) {
  __local float scratch[SCRATCH];
  const int c = (int)get_group_id(2), first = (int)get_group_id(0) * share, count = n / LANES;
  sum_blocks(dy_base + dy_offset + (size_t)c * h_count * w_count * n, first, min(first + share, count), h_count,
             w_count, rows, blocks_base + blocks_offset + (size_t)c * count, scratch);
}

/* One work-group per channel. */
__kernel void bias_backward_tree(__global float *restrict blocks_base, const ulong blocks_offset,
                                 __global float *restrict db_base, const ulong db_offset, const int n,
                                 const int share) {
  const int c = (int)get_group_id(2), count = n / LANES;
  __global float *blocks = blocks_base + blocks_offset + (size_t)c * count;
  batch_tree_in_place(blocks, 1, 0, count, share);
  if (get_local_id(0) == 0) db_base[db_offset + c] = blocks[0];
}
#endif
