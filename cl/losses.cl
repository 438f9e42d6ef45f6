/* Appends the pass's mean losses to the loss log, which the host reads every few steps: log[slot] = {bce, kl} after the
 * three words of `trouble` (src/net/not_finite.h). A training step whose loss is not finite writes its number to the
 * first word; the third, which Adam of the step before may have written, is copied to the second; either stops Adam.
 *
 * Each loss comes as rows [N/16][rows][16], of sigmoid_bce.cl and reparameterize.cl; blocks [2][N/16] is scratch.
 * Canonical order: an image's rows ascending; then the batch tree of reduce.clh. One work-group, before which, where it
 * would have too much to do, losses_images adds the rows.
 *
 * Where several ranks share the batch losses_own makes a rank's sums, own [16], and losses_of_all merges those of all,
 * [ranks][16], as ranks.cl does.
 *
 * Macros: RANKS, 0 without it. */
#include "common/math.clh"
#include "common/ranks.clh"
#include "common/reduce.clh"

#ifndef RANKS
#define RANKS 0
#endif

#define TROUBLE_WORDS 3

/* The sum of the rows of V images from n0 on. */
static inline vfloat image_sum(__global const float *rows, int row_count, int n0) {
  vfloat sum = (vfloat)(0.0f);
  UNROLL_ON_GPU
  for (int i = 0; i < row_count; i++) sum = vadd_in_order(sum, vload(rows + vplace(i, n0, row_count)));
  return sum;
}

/* The sum over all images, for the group's first work-item. */
INLINE float batch_sum(__global const float *rows, int row_count, int n, __global float *blocks,
                       __local float *scratch) {
  const int items = (int)get_local_size(0), lane = (int)get_local_id(0) * V % LANES;
  for (int b = 0; b < n; b += items * V) {
    const int n0 = b + (int)get_local_id(0) * V;
    const float sum = lane_sum(n0 < n ? image_sum(rows, row_count, n0) : (vfloat)(0.0f), scratch);
    if (n0 < n && lane == 0) blocks[n0 / LANES] = sum;
  }
  batch_tree_in_place(blocks, 1, 0, n / LANES, 1);
  return get_local_id(0) == 0 ? blocks[0] : 0.0f;
}

static inline void write_log(__global float *log, __global const uint *state, float bce, float kl, int training) {
  log[TROUBLE_WORDS + 2 * state[3]] = bce;
  log[TROUBLE_WORDS + 2 * state[3] + 1] = kl;
  __global uint *trouble = (__global uint *)log;
  if (training && !(fabs(bce) <= FLT_MAX && fabs(kl) <= FLT_MAX)) trouble[0] = min(trouble[0], state[0]);
  trouble[1] = min(trouble[1], trouble[2]);
}

#if !RANKS
__kernel void losses_log(__global const float *restrict rows_base, const ulong rows_offset,
                         __global const float *restrict kl_base, const ulong kl_offset,
                         __global float *restrict blocks_base, const ulong blocks_offset, const int n, const int rows,
                         const int kl_rows, __global const uint *restrict state, __global float *restrict log_base,
                         const int values, const int training) {
#if V == 1
  __local float scratch[MOST_UNITS * LANES];
#else
  __local float *scratch = NULL;
#endif
  __global float *blocks = blocks_base + blocks_offset;
  const float n_valid = (float)(int)state[1];
  const float bce = sdiv(batch_sum(rows_base + rows_offset, rows, n, blocks, scratch), n_valid * (float)values);
  float kl = 0.0f;
  if (kl_rows > 0) kl = sdiv(batch_sum(kl_base + kl_offset, kl_rows, n, blocks + n / LANES, scratch), n_valid);
  if (get_local_id(0) == 0) write_log(log_base, state, bce, kl, training);
}
#else
__kernel void losses_own(__global const float *restrict rows_base, const ulong rows_offset,
                         __global const float *restrict kl_base, const ulong kl_offset,
                         __global float *restrict blocks_base, const ulong blocks_offset, const int n, const int rows,
                         const int kl_rows, __global float *restrict own_base, const ulong own_offset) {
#if V == 1
  __local float scratch[MOST_UNITS * LANES];
#else
  __local float *scratch = NULL;
#endif
  __global float *blocks = blocks_base + blocks_offset, *own = own_base + own_offset;
  const float bce = batch_sum(rows_base + rows_offset, rows, n, blocks, scratch);
  float kl = 0.0f;
  if (kl_rows > 0) kl = batch_sum(kl_base + kl_offset, kl_rows, n, blocks + n / LANES, scratch);
  if (get_local_id(0) == 0) own[0] = bce, own[1] = kl;
}

/* One work-item. */
__kernel void losses_of_all(__global float *restrict all_base, const ulong all_offset,
                            __global const merge *restrict merges, const int ranks, __global const uint *restrict state,
                            __global float *restrict log_base, const int values, const int training) {
  __global float *all = all_base + all_offset;
  const float images = (float)(int)state[8];
  const float bce = merged_sum(all, merges, ranks, LANES), kl = merged_sum(all + 1, merges, ranks, LANES);
  write_log(log_base, state, sdiv(bce, images * (float)values), sdiv(kl, images), training);
}
#endif

/* images [N]: the sum of each one's rows; one work-item per V images. */
__kernel void losses_images(__global const float *restrict rows_base, const ulong rows_offset,
                            __global float *restrict images_base, const ulong images_offset, const int rows) {
  const int n0 = first_image(0);
  vstore(image_sum(rows_base + rows_offset, rows, n0), images_base + images_offset + n0);
}
