/* Spatial attention (Woo et al. 2018, without its batch norm):
 *
 *   pooled = [max over c of a, mean over c of a],  s = sigmoid(conv5x5(pooled) + b),  y = a * s
 *
 * The convolution with its sigmoid and its gradients are conv2d.cl's; here is what stands around it. The gradient of
 * the maximum is shared evenly among the channels that attain it, as TensorFlow's reduce_max does: an image's empty
 * border makes all channels equal, so it matters.
 *
 * Where a batch normalization is the only reader of y, neither y nor dy is ever in memory: batchnorm.cl makes y anew of
 * a and s, and with NORMALIZED the kernels here make dy anew of a, s and the normalization's g. A step of a block of
 * attention and normalization then moves 13 tensors instead of 18: forward 4 (pool a; statistics a; apply a, y),
 * backward 9 (g from a, y, dy; dt from a, g; da from a, g).
 *
 * Layout: a, y, da, dy [C][pixels][N]; pooled, dpooled [2][pixels][N]; s, dt [pixels][N].
 * Canonical order of every sum over channels: for c ascending; a mean is the sum times the rounded 1 / C. One work-item
 * per V images and a share of the pixels. A CPU takes a block of 16 of a channel at a time where it writes or reads
 * several tensors; pooling, whose sums are then no longer in registers, was slower so (2.2 ms instead of 1.8). To pool
 * in winograd.cl, while a tile's outputs are in registers, was no faster. The next pixels are asked for, since a CPU's
 * own prefetcher does not follow so many channels: on Zen 4 0.8 of the time for pooling and the gradients.
 *
 * Macros: NORMALIZED, 0 without it. */
#include "batchnorm.clh"
#include "math.clh"

#ifndef NORMALIZED
#define NORMALIZED 0
#endif

/* From a block of pixels to the next one, which is asked for in good time. */
#define NEXT (BLOCK * LANES)

#if V == 1
#define BLOCK 1
#define BLOCK_COUNT(p, end) 1
#else
#define BLOCK 16
#define BLOCK_COUNT(p, end) min(BLOCK, (end) - (p))
#endif

__kernel void spatial_attention_pool(__global const float *restrict a_base, const ulong a_offset,
                                     __global float *restrict pooled_base, const ulong pooled_offset, const int n,
                                     const int c_count, const int pixels) {
  const int n0 = first_image(0), end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)c_count));
  for (int p = share_begin(pixels); p < end; p++) {
    __global const float *a = a_base + a_offset + vplace(p, n0, pixels);
    vfloat largest = vload(a), sum = largest;
    for (int c = 1; c < c_count; c++) {
      const vfloat v = vload(a + c * channel);
      vprefetch(a + c * channel + NEXT);
      largest = vselect(largest, v, vmask(v > largest));
      sum += v;
    }
    __global float *pooled = pooled_base + pooled_offset + vplace(p, n0, pixels);
    vstore(largest, pooled);
    vstore(sum * inverse, pooled + channel);
  }
}

__kernel void spatial_attention_apply(__global const float *restrict a_base, const ulong a_offset,
                                      __global const float *restrict s_base, const ulong s_offset,
                                      __global float *restrict y_base, const ulong y_offset, const int n,
                                      const int c_count, const int pixels) {
  const int n0 = first_image(0), end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  for (int p = share_begin(pixels); p < end; p += BLOCK) {
    const int count = BLOCK_COUNT(p, end);
    for (int c = 0; c < c_count; c++)
      for (int i = 0; i < count; i++) {
        const size_t at = vplace(p + i, n0, pixels);
        vstore(vload(a_base + a_offset + c * channel + at) * vload(s_base + s_offset + at),
               y_base + y_offset + c * channel + at);
      }
  }
}

/* dt = s (1 - s) * sum over c of dy * a. */
__kernel void spatial_attention_backward_scale(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global const float *restrict stats_base, const ulong stats_offset,
                                               __global const float *restrict gamma_base, const ulong gamma_offset,
                                               __global const uint *restrict state, __global float *restrict dt_base,
                                               const ulong dt_offset, const int n, const int c_count,
                                               const int pixels) {
  const int n0 = first_image(0), end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  for (int p = share_begin(pixels); p < end; p += BLOCK) {
    const int count = BLOCK_COUNT(p, end);
    const size_t at = vplace(p, n0, pixels);
    __global const float *s = s_base + s_offset + at;
    vfloat ds[BLOCK];
    for (int i = 0; i < count; i++) ds[i] = (vfloat)(0.0f);
    for (int c = 0; c < c_count; c++) {
      __global const float *a = a_base + a_offset + c * channel + at, *dy = dy_base + dy_offset + c * channel + at;
#if NORMALIZED
      const normalization k = normalization_of(stats_base + stats_offset + c, gamma_base + gamma_offset + c, c_count);
#endif
      for (int i = 0; i < count; i++) {
        const vfloat v = vload(a + i * LANES);
        vfloat g = vload(dy + i * LANES);
#if NORMALIZED
        g = normalization_backward(k, v * vload(s + i * LANES), g, n0, (int)state[1]);
#endif
        ds[i] = fma(g, v, ds[i]);
        vprefetch(a + i * LANES + NEXT), vprefetch(dy + i * LANES + NEXT);
      }
    }
    for (int i = 0; i < count; i++) {
      const vfloat v = vload(s + i * LANES);
      vstore(ds[i] * (v * ((vfloat)(1.0f) - v)), dt_base + dt_offset + at + i * LANES);
    }
  }
}

/* da = dy * s + dmean / C + (a is the maximum ? dmax / how many are : 0). */
__kernel void spatial_attention_backward_apply(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global const float *restrict stats_base, const ulong stats_offset,
                                               __global const float *restrict gamma_base, const ulong gamma_offset,
                                               __global const uint *restrict state,
                                               __global const float *restrict pooled_base, const ulong pooled_offset,
                                               __global const float *restrict dpooled_base, const ulong dpooled_offset,
                                               __global float *da_base, const ulong da_offset, const int n,
                                               const int c_count, const int pixels, const int accumulate) {
  const int n0 = first_image(0), end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)c_count)), zero = (vfloat)(0.0f), one = (vfloat)(1.0f);
  for (int p = share_begin(pixels); p < end; p += BLOCK) {
    const int count = BLOCK_COUNT(p, end);
    const size_t at = vplace(p, n0, pixels);
    __global const float *largest = pooled_base + pooled_offset + at, *s = s_base + s_offset + at;
    vfloat share[BLOCK], dmean[BLOCK];
    for (int i = 0; i < count; i++) share[i] = zero; /* how many channels tie, at first */
    for (int c = 0; c < c_count; c++) {
      __global const float *a = a_base + a_offset + c * channel + at, *dy = dy_base + dy_offset + c * channel + at;
      __global const float *da = da_base + da_offset + c * channel + at;
      for (int i = 0; i < count; i++) {
        share[i] += vselect(zero, one, vmask(vload(a + i * LANES) == vload(largest + i * LANES)));
        vprefetch(a + i * LANES + NEXT), vprefetch(dy + i * LANES + NEXT);
        if (accumulate) vprefetch(da + i * LANES + NEXT);
      }
    }
    for (int i = 0; i < count; i++) {
      __global const float *dpooled = dpooled_base + dpooled_offset + at + i * LANES;
      share[i] = vdiv(vload(dpooled), share[i]);
      dmean[i] = vload(dpooled + channel) * inverse;
    }
    for (int c = 0; c < c_count; c++) {
      __global const float *a = a_base + a_offset + c * channel + at, *dy = dy_base + dy_offset + c * channel + at;
      __global float *da = da_base + da_offset + c * channel + at;
#if NORMALIZED
      const normalization k = normalization_of(stats_base + stats_offset + c, gamma_base + gamma_offset + c, c_count);
#endif
      for (int i = 0; i < count; i++) {
        const vfloat v = vload(a + i * LANES), scale = vload(s + i * LANES);
        vfloat g = vload(dy + i * LANES);
#if NORMALIZED
        g = normalization_backward(k, v * scale, g, n0, (int)state[1]);
#endif
        g = fma(g, scale, dmean[i]);
        g += vselect(zero, share[i], vmask(v == vload(largest + i * LANES)));
        if (accumulate) g += vload(da + i * LANES);
        vstore(g, da + i * LANES);
      }
    }
  }
}
