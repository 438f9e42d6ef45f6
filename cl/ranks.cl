/* What ranks make of a sum over the batch of which each has a part (src/plan/cut.h): one that several ranks made of
 * their own blocks of images has come to all of them, all [ranks][size], and is merged there by `merges`, ranks - 1 in
 * their order. That is the batch tree of reduce.clh, whose nodes the ranks have: the bits are those of one device.
 *
 * ranks_sums           to[i] = the sum of all[r][i]; one work-item per V of them
 * ranks_moments        a rank's own moments of a normalization, own [C][2], of its blocks [C][N/16][2], of which every
 *                      `share` are merged; one work-group per channel
 * ranks_statistics     the statistics of batchnorm.cl from all [ranks][C][2]; one work-item per channel
 * ranks_backward_statistics   those of its gradient from all [ranks][2][C rounded up to 16], the gradients by gamma and
 *                      beta; one work-item per channel
 *
 * n_valid is the rank's own number of images, state[8] the whole batch's. */
#include "common/batchnorm_statistics.clh"
#include "common/ranks.clh"

__kernel void ranks_sums(__global float *restrict all_base, const ulong all_offset,
                         __global const merge *restrict merges, __global float *restrict to_base, const ulong to_offset,
                         const int ranks, const int size) {
  const int i = (int)get_global_id(0) * V;
  __global float *all = all_base + all_offset + i;
  if (i >= size) return;
  for (int k = 0; k + 1 < ranks; k++) {
    __global float *into = all + (size_t)merges[k].into * size;
    vstore(vload(into) + vload(all + (size_t)merges[k].from * size), into);
  }
  vstore(vload(all), to_base + to_offset + i);
}

__kernel void ranks_moments(__global float *restrict blocks_base, const ulong blocks_offset,
                            __global const uint *restrict state, __global float *restrict own_base,
                            const ulong own_offset, const int n, const int pixels, const int share) {
  const int c = (int)get_group_id(2), count = n / LANES;
  __global float *blocks = blocks_base + blocks_offset + (size_t)c * (count * 2), *own = own_base + own_offset + 2 * c;
  merge_blocks(blocks, 0, count, share, (float)pixels, (int)state[1]);
  if (get_local_id(0) == 0) own[0] = blocks[0], own[1] = blocks[1];
}

__kernel void ranks_statistics(__global float *restrict all_base, const ulong all_offset,
                               __global const merge *restrict merges, __global const uint *restrict state,
                               __global float *restrict stats_base, const ulong stats_offset,
                               __global float *restrict mean_base, const ulong mean_offset,
                               __global float *restrict var_base, const ulong var_offset, const int ranks,
                               const int size, const int c_count, const int pixels, const float epsilon,
                               const float momentum) {
  const int c = (int)get_global_id(0), images = (int)state[8];
  __global float *all = all_base + all_offset + 2 * c;
  for (int k = 0; k + 1 < ranks; k++) {
    const merge m = merges[k];
    const merge_weights weights = merge_weights_between(real_images(m.first, m.middle - m.first, images),
                                                        real_images(m.middle, m.end - m.middle, images), (float)pixels);
    merge_into(all + (size_t)m.into * size, all + (size_t)m.from * size, weights);
  }
  store_statistics(all[0], sdiv(all[1], (float)pixels * (float)images), c_count, epsilon, momentum,
                   stats_base + stats_offset + c, mean_base + mean_offset + c, var_base + var_offset + c);
}

__kernel void ranks_backward_statistics(__global float *restrict all_base, const ulong all_offset,
                                        __global const merge *restrict merges, __global const uint *restrict state,
                                        __global float *restrict stats_base, const ulong stats_offset, const int ranks,
                                        const int size, const int c_count, const int pixels) {
  const int c = (int)get_global_id(0);
  const float numbers = (float)(pixels * (int)state[8]);
  __global float *gamma = all_base + all_offset + c, *beta = gamma + size / 2, *stats = stats_base + stats_offset + c;
  stats[2 * c_count] = sdiv(merged_sum(beta, merges, ranks, size), numbers);
  stats[3 * c_count] = sdiv(merged_sum(gamma, merges, ranks, size), numbers);
}
