/* Weight gradient of a dense layer:
 *
 *   dw[k][c] = sum over n of dy[k][n] * x[c][n]
 *
 * Layout: x [C][N], dy [K][N], dw [K][C]. Canonical order: conv2d_backward_weight.cl's with one pixel: the products of
 * the 16 images of a block by the tree, then the blocks by the batch tree.
 *
 * a and b are x and dy, the one with more rows first. A work-item goes over the batch by itself, since the partial sums
 * of all blocks would be many times the weights: on a CPU for 16 rows of a and `rows` of b, one after the other, 16
 * trees at a time; on a GPU for a row of a and TB rows of b, which are the same for all of a work-group.
 *
 * Macros, of a GPU: TB; LEVELS, of sums that wait (batch_tree in reduce.clh): 4 blocks need 1, twice as many 1 more. */
#include "common/reduce.clh"

#if V > 1
__kernel void dense_backward_weight(__global const float *restrict a_base, const ulong a_offset,
                                    __global const float *restrict b_base, const ulong b_offset,
                                    __global float *restrict dw_base, const ulong dw_offset, const int n,
                                    const int a_count, const int b_count, const int a_stride, const int b_stride,
                                    const int rows) {
  const int a0 = (int)get_global_id(0) * LANES, b0 = (int)get_global_id(1) * rows, blocks = n / LANES;
  __global const float *a[LANES];
  for (int i = 0; i < LANES; i++) a[i] = a_base + a_offset + (size_t)min(a0 + i, a_count - 1) * n;
  for (int j = b0; j < min(b0 + rows, b_count); j++) {
    __global const float *b = b_base + b_offset + (size_t)j * n;
    __global float *dw = dw_base + dw_offset + (size_t)a0 * a_stride + (size_t)j * b_stride;
    float16 sums[BATCH_TREE_LEVELS], sum;
    for (int block = 0; block < blocks; block++) {
      const float16 g = *(__global const float16 *)(b + block * LANES);
      float16 products[LANES];
#pragma unroll
      for (int i = 0; i < LANES; i++)
        products[i] = fma(g, *(__global const float16 *)(a[i] + block * LANES), (float16)(0.0f));
      sum = tree_sums(products);
      int level = 0;
      for (; block >> level & 1; level++) sum = sums[level] + sum;
      sums[level] = sum;
    }
    int level = 0;
    while (!(blocks >> level & 1)) level++;
    sum = sums[level];
    for (level++; blocks >> level; level++)
      if (blocks >> level & 1) sum = sums[level] + sum;
    if (a_stride == 1 && a0 + LANES <= a_count) {
      vstore16(sum, 0, dw);
    } else {
      const float each[LANES] = {sum.s0, sum.s1, sum.s2, sum.s3, sum.s4, sum.s5, sum.s6, sum.s7,
                                 sum.s8, sum.s9, sum.sa, sum.sb, sum.sc, sum.sd, sum.se, sum.sf};
      for (int i = 0; i < min(LANES, a_count - a0); i++) dw[(size_t)i * a_stride] = each[i];
    }
  }
}
#else
enum { TOGETHER = 4 };
__kernel void dense_backward_weight(__global const float *restrict a_base, const ulong a_offset,
                                    __global const float *restrict b_base, const ulong b_offset,
                                    __global float *restrict dw_base, const ulong dw_offset, const int n,
                                    const int a_count, const int b_count, const int a_stride, const int b_stride) {
  const int i = (int)get_global_id(0), b0 = (int)get_group_id(1) * TB, blocks = n / LANES;
  if (i >= a_count) return;
  __global const float16 *a = (__global const float16 *)(a_base + a_offset + (size_t)i * n);
  __global const float *b = b_base + b_offset;
  float sums[LEVELS][TB];
  for (int block = 0; block < blocks; block += TOGETHER) {
    const int count = blocks - block;
    float of[TOGETHER][TB];
#pragma unroll
    for (int t = 0; t < TOGETHER; t++) {
      if (t >= count) continue;
      const float16 v = a[block + t];
#pragma unroll
      for (int j = 0; j < TB; j++) {
        __global const float *row = b + (size_t)min(b0 + j, b_count - 1) * n + (block + t) * LANES;
        of[t][j] = tree_sum(fma(*(__global const float16 *)row, v, (float16)(0.0f)));
      }
    }
#pragma unroll
    for (int j = 0; j < TB; j++) {
      float carry = count > 1 ? of[0][j] + of[1][j] : of[0][j];
      if (count > 3) carry += of[2][j] + of[3][j];
      if (count == 3) carry += of[2][j];
      bool carries = true;
#pragma unroll
      for (int level = 0; level < LEVELS; level++) {
        if (!carries) continue;
        carries = block / TOGETHER >> level & 1;
        if (carries)
          carry = sums[level][j] + carry;
        else
          sums[level][j] = carry;
      }
    }
  }
  const int fours = (blocks + TOGETHER - 1) / TOGETHER;
#pragma unroll
  for (int j = 0; j < TB; j++) {
    float sum = 0.0f;
    bool first = true;
#pragma unroll
    for (int level = 0; level < LEVELS; level++) {
      if (!(fours >> level & 1)) continue;
      sum = first ? sums[level][j] : sums[level][j] + sum;
      first = false;
    }
    if (b0 + j < b_count) dw_base[dw_offset + (size_t)i * a_stride + (size_t)(b0 + j) * b_stride] = sum;
  }
}
#endif
