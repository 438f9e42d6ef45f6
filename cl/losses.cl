/* The pass's losses, as means, into the log that the host reads now and then: log[slot] = {bce, kl}.
 * rows[count] are the sums of sigmoid_bce.cl, kl[1] that of reparameterize.cl. Canonical order: rows ascending. One
 * work-item. */
#include "math.clh"
#include "reduce.clh"

__kernel void losses_log(__global const float *restrict rows_base, const ulong rows_offset,
                         __global const float *restrict kl_base, const ulong kl_offset,
                         __global const uint *restrict state, __global float *restrict log_base, const int rows,
                         const int values, const int has_kl) {
  const float n_valid = (float)(int)state[1];
  float sum = 0.0f;
  for (int i = 0; i < rows; i++) sum = add_in_order(sum, rows_base[rows_offset + i]);
  log_base[2 * state[3]] = sdiv(sum, n_valid * (float)values);
  log_base[2 * state[3] + 1] = has_kl ? sdiv(kl_base[kl_offset], n_valid) : 0.0f;
}
