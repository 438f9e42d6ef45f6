/* Appends the pass's mean losses to the loss log, which the host reads every few steps: log[slot] = {bce, kl} after the
 * three words of `trouble` (src/net/not_finite.h). A training step whose loss is not finite writes its number to the
 * first word; the third, which Adam of the step before may have written, is copied to the second; either stops Adam.
 *
 * rows[count] are the sums of sigmoid_bce.cl, kl[1] that of reparameterize.cl. Canonical order: rows ascending. One
 * work-item. */
#include "common/math.clh"
#include "common/reduce.clh"

#define TROUBLE_WORDS 3

__kernel void losses_log(__global const float *restrict rows_base, const ulong rows_offset,
                         __global const float *restrict kl_base, const ulong kl_offset,
                         __global const uint *restrict state, __global float *restrict log_base, const int rows,
                         const int values, const int has_kl, const int training) {
  const float n_valid = (float)(int)state[1];
  float sum = 0.0f;
  for (int i = 0; i < rows; i++) sum = add_in_order(sum, rows_base[rows_offset + i]);
  const float bce = sdiv(sum, n_valid * (float)values);
  const float kl = has_kl ? sdiv(kl_base[kl_offset], n_valid) : 0.0f;
  log_base[TROUBLE_WORDS + 2 * state[3]] = bce;
  log_base[TROUBLE_WORDS + 2 * state[3] + 1] = kl;
  __global uint *trouble = (__global uint *)log_base;
  if (training && !(fabs(bce) <= FLT_MAX && fabs(kl) <= FLT_MAX)) trouble[0] = min(trouble[0], state[0]);
  trouble[1] = min(trouble[1], trouble[2]);
}
