/* Spatial attention (Woo et al. 2018, without its batch norm):
 *
 *   pooled = [max over c of a, mean over c of a],  s = sigmoid(conv5x5(pooled) + b),  y = a * s
 *
 * The convolution and its gradients are conv2d.cl's; here is what stands around it. The gradient of the maximum is
 * shared evenly among the channels that attain it, as TensorFlow's reduce_max does: an image's empty border makes all
 * channels equal, so it matters.
 *
 * Layout: a, y, da, dy [C][pixels][N]; pooled, dpooled [2][pixels][N]; t, s, dt [pixels][N].
 * Canonical order of every sum over channels: for c ascending; a mean is the sum times the rounded 1 / C. One work-item
 * per V images and a pixel. */
#include "math.clh"

__kernel void spatial_attention_pool(__global const float *restrict a_base, const ulong a_offset,
                                     __global float *restrict pooled_base, const ulong pooled_offset, const int n,
                                     const int c_count, const int pixels) {
  const int n0 = (int)get_global_id(0) * V, end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)c_count));
  for (int p = share_begin(pixels); p < end; p++) {
    __global const float *a = a_base + a_offset + vplace(p, n0, pixels);
    vfloat largest = vload(a), sum = largest;
    for (int c = 1; c < c_count; c++) {
      const vfloat v = vload(a + c * channel);
      largest = vselect(largest, v, vmask(v > largest));
      sum += v;
    }
    __global float *pooled = pooled_base + pooled_offset + vplace(p, n0, pixels);
    vstore(largest, pooled);
    vstore(sum * inverse, pooled + channel);
  }
}

/* s = sigmoid(t) over t, and y = a * s. */
__kernel void spatial_attention_apply(__global const float *restrict a_base, const ulong a_offset,
                                      __global float *restrict t_base, const ulong t_offset,
                                      __global float *restrict y_base, const ulong y_offset, const int n,
                                      const int c_count, const int pixels) {
  const int n0 = (int)get_global_id(0) * V, end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  for (int p = share_begin(pixels); p < end; p++) {
    const size_t at = vplace(p, n0, pixels);
    const vfloat s = vsigmoid(vload(t_base + t_offset + at));
    vstore(s, t_base + t_offset + at);
    for (int c = 0; c < c_count; c++)
      vstore(vload(a_base + a_offset + c * channel + at) * s, y_base + y_offset + c * channel + at);
  }
}

/* dt = s (1 - s) * sum over c of dy * a. */
__kernel void spatial_attention_backward_scale(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global float *restrict dt_base, const ulong dt_offset, const int n,
                                               const int c_count, const int pixels) {
  const int n0 = (int)get_global_id(0) * V, end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  for (int p = share_begin(pixels); p < end; p++) {
    const size_t at = vplace(p, n0, pixels);
    vfloat ds = (vfloat)(0.0f);
    for (int c = 0; c < c_count; c++)
      ds = fma(vload(dy_base + dy_offset + c * channel + at), vload(a_base + a_offset + c * channel + at), ds);
    const vfloat s = vload(s_base + s_offset + at);
    vstore(ds * (s * ((vfloat)(1.0f) - s)), dt_base + dt_offset + at);
  }
}

/* da = dy * s + dmean / C + (a is the maximum ? dmax / how many are : 0). */
__kernel void spatial_attention_backward_apply(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global const float *restrict pooled_base, const ulong pooled_offset,
                                               __global const float *restrict dpooled_base, const ulong dpooled_offset,
                                               __global float *da_base, const ulong da_offset, const int n,
                                               const int c_count, const int pixels, const int accumulate) {
  const int n0 = (int)get_global_id(0) * V, end = share_end(pixels);
  const size_t channel = (size_t)pixels * n;
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)c_count)), zero = (vfloat)(0.0f), one = (vfloat)(1.0f);
  for (int p = share_begin(pixels); p < end; p++) {
    const size_t at = vplace(p, n0, pixels);
    __global const float *a = a_base + a_offset + at;
    const vfloat largest = vload(pooled_base + pooled_offset + at), s = vload(s_base + s_offset + at);
    vfloat ties = zero;
    for (int c = 0; c < c_count; c++) ties += vselect(zero, one, vmask(vload(a + c * channel) == largest));
    const vfloat share = vdiv(vload(dpooled_base + dpooled_offset + at), ties);
    const vfloat dmean = vload(dpooled_base + dpooled_offset + channel + at) * inverse;
    for (int c = 0; c < c_count; c++) {
      __global float *da = da_base + da_offset + c * channel + at;
      vfloat g = fma(vload(dy_base + dy_offset + c * channel + at), s, dmean);
      g += vselect(zero, share, vmask(vload(a + c * channel) == largest));
      if (accumulate) g += vload(da);
      vstore(g, da);
    }
  }
}
