/* Bias gradients of many layers in one launch (multi_tensor.clh): db[c] = sum over h, w, n of dy[c][h][w][n].
 *
 * Layout: dy [C][N/16][H][W][16], blocks [C][N/16]; batch_sums.cl makes db [C] of that.
 * Canonical order: an image's row (c, h, n), for w; its rows in order of h; then the batch tree of reduce.clh.
 *
 * Values: N, H, W; rows that a GPU's work-group has at once; how many blocks of images an item adds. On a GPU a
 * work-group has an item, on a CPU a work-item. */
#include "common/multi_tensor.clh"
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
INLINE void sum_blocks(__global const float *dy, int first, int end, int h_count, int w_count, int rows,
                       __global float *blocks, __local float *scratch) {
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

__kernel void bias_backward(MULTI_TENSOR_ARGUMENTS) {
  __local float scratch[SCRATCH];
#if V == 1
  const part p = part_of(table, share, from_base, to_base, (int)get_group_id(0));
#else
  const part p = part_of(table, share, from_base, to_base, (int)get_global_id(0));
  if (p.item >= p.count) return;
#endif
  const int n = p.values[0], h_count = p.values[1], w_count = p.values[2], count = n / LANES, each = p.values[4];
  const int pieces = (count + each - 1) / each, c = p.item / pieces, first = p.item % pieces * each;
  sum_blocks(p.from + (size_t)c * h_count * w_count * n, first, min(first + each, count), h_count, w_count, p.values[3],
             p.to + (size_t)c * count, scratch);
}
