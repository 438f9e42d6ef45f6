/* Spatial attention (Woo et al. 2018, without its batch norm):
 *
 *   pooled = [max over c of a, mean over c of a],  s = sigmoid(conv5x5(pooled) + b),  y = a * s
 *
 * The convolution with its sigmoid is conv2d.cl's; this file has the pooling before and the scaling after it, and the
 * gradient by s; spatial_attention_backward.cl has that by a. The gradient of the maximum is split evenly among the
 * channels that attain it, as TensorFlow's reduce_max does: in an image's empty border all channels are equal, so it
 * matters.
 *
 * Where a batch normalization is the only reader of y, it is fused: neither y nor dy is ever in memory. batchnorm.cl
 * computes y again from a and s, and with NORMALIZED the kernels here compute dy again from a, s and the
 * normalization's g. A step of a block of attention and normalization then moves 13 tensors instead of 18: forward 4
 * (pool a; statistics a; apply a, y), backward 9 (g from a, y, dy; dt from a, g; da from a, g).
 *
 * On a CPU whose compute units each have a block of images, spatial_attention_forward.cl and _backward.cl run a pass
 * but for the weights' gradients in one launch; every other device runs the kernels of this file, too.
 *
 * Layout: a, y, da, dy [C][N/16][pixels][16]; pooled, dpooled [2][N/16][pixels][16]; s, dt [N/16][pixels][16].
 * Canonical order of every sum over channels: for c ascending; a mean is the sum times the rounded 1 / C.
 *
 * One work-item per V images and a range of the pixels. A CPU takes blocks of 16 pixels of a channel where it reads or
 * writes several tensors, and prefetches the next block: 0.8 of the time (Zen 4).
 *
 * Macros: NORMALIZED, 0 without it; MERGED, for the kernel that is so called. */
#include "common/reduce.clh"
#include "common/spatial_attention.clh"

__kernel void spatial_attention_pool(__global const float *restrict a_base, const ulong a_offset,
                                     __global float *restrict pooled_base, const ulong pooled_offset, const int n,
                                     const int c_count, const int pixels) {
  const size_t images = vplace(0, first_image(0), pixels);
  pool_pixels(range_begin(pixels), range_end(pixels), a_base + a_offset + images, (size_t)pixels * n, c_count,
              pooled_base + pooled_offset + images);
}

__kernel void spatial_attention_apply(__global const float *restrict a_base, const ulong a_offset,
                                      __global const float *restrict s_base, const ulong s_offset,
                                      __global float *restrict y_base, const ulong y_offset, const int n,
                                      const int c_count, const int pixels) {
  const int n0 = first_image(0), end = range_end(pixels);
  const size_t channel = (size_t)pixels * n;
  for (int p = range_begin(pixels); p < end; p += BLOCK) {
    const int count = BLOCK_COUNT(p, end);
    for (int c = 0; c < c_count; c++)
      for (int i = 0; i < count; i++) {
        const size_t at = vplace(p + i, n0, pixels);
        vstore(vload(a_base + a_offset + c * channel + at) * vload(s_base + s_offset + at),
               y_base + y_offset + c * channel + at);
      }
  }
}

#if !MERGED
__kernel void spatial_attention_backward_scale(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global const float *restrict stats_base, const ulong stats_offset,
                                               __global const float *restrict gamma_base, const ulong gamma_offset,
                                               __global const uint *restrict state, __global float *restrict dt_base,
                                               const ulong dt_offset, const int n, const int c_count,
                                               const int pixels) {
  const size_t images = vplace(0, first_image(0), pixels);
  const attention_gradient d =
      gradient_of_images(a_base + a_offset, dy_base + dy_offset, s_base + s_offset, stats_base + stats_offset,
                         gamma_base + gamma_offset, state, first_image(0), images);
  differentiate_scale(range_begin(pixels), range_end(pixels), d, (size_t)pixels * n, c_count, NULL,
                      dt_base + dt_offset + images);
}
#elif V == 1
#define MOST_CHANNELS 128 /* src/op/batchnorm_sums.c */

/* The same with what batchnorm_backward_statistics does, from the sums of at most MOST_PARTS parts of the batch,
 * blocks [C][N/16][2]: each group adds them up for itself, and the first keeps them. */
__kernel void spatial_attention_merge_backward_scale(
    __global const float *restrict a_base, const ulong a_offset, __global const float *restrict dy_base,
    const ulong dy_offset, __global const float *restrict s_base, const ulong s_offset, __global float *stats_base,
    const ulong stats_offset, __global const float *restrict gamma_base, const ulong gamma_offset,
    __global const uint *restrict state, __global const float *restrict blocks_base, const ulong blocks_offset,
    __global float *restrict dgamma_base, const ulong dgamma_offset, __global float *restrict dbeta_base,
    const ulong dbeta_offset, __global float *restrict dt_base, const ulong dt_offset, const int n, const int c_count,
    const int pixels, const int share) {
  __local float means[2 * MOST_CHANNELS];
  const int count = n / LANES, items = (int)get_local_size(0);
  const float numbers = (float)(pixels * (int)state[1]);
  for (int i = (int)get_local_id(0); i < 2 * c_count; i += items) {
    const int c = i / 2, product = i % 2;
    const float sum = add_parts(blocks_base + blocks_offset + (size_t)c * (count * 2) + product, 2, count, share);
    means[i] = sdiv(sum, numbers);
    if (get_group_id(0) > 0 || get_global_id(1) > 0) continue;
    stats_base[stats_offset + (2 + product) * c_count + c] = means[i];
    if (product)
      dgamma_base[dgamma_offset + c] = sum;
    else
      dbeta_base[dbeta_offset + c] = sum;
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const size_t images = vplace(0, first_image(0), pixels);
  const attention_gradient d =
      gradient_of_images(a_base + a_offset, dy_base + dy_offset, s_base + s_offset, stats_base + stats_offset,
                         gamma_base + gamma_offset, state, first_image(0), images);
  differentiate_scale(range_begin(pixels), range_end(pixels), d, (size_t)pixels * n, c_count, means,
                      dt_base + dt_offset + images);
}
#endif
