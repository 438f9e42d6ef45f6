/* Channel attention of CBAM (Woo et al. 2018):
 *
 *   q = [mean over pixels of a, max over pixels of a],  o = mlp(q) for each,  s = sigmoid(o_mean + o_max),  y = a * s
 *
 * The two descriptors are the two pixels of a 1 x 2 image, so the shared MLP is 1x1 convolutions (conv2d.cl) and the
 * activation between them (activation.cl); this file has the pooling before and the scaling after them. The gradient of
 * the maximum is split evenly among the pixels that attain it.
 *
 * Layout: a, y, da, dy [C][N/16][pixels][16]; q, dq, o, do [C][N/16][2][16]; s [C][N].
 * Canonical order of every sum over pixels: for p ascending; a mean is the sum times the rounded 1 / pixels. One
 *   work-item per V images and a channel. Padding images have a scale of sigmoid(0), all else is 0 (vector.clh). */
#include "common/math.clh"

__kernel void channel_attention_pool(__global const float *restrict a_base, const ulong a_offset,
                                     __global float *restrict q_base, const ulong q_offset, const int n,
                                     const int pixels) {
  const int n0 = first_image(0), c = (int)get_global_id(1);
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)pixels));
  __global const float *a = a_base + a_offset + (size_t)c * pixels * n + vplace(0, n0, pixels);
  vfloat largest = vload(a), sum = largest;
  for (int p = 1; p < pixels; p++) {
    const vfloat v = vload(a + (size_t)p * LANES);
    largest = vselect(largest, v, vmask(v > largest));
    sum += v;
  }
  __global float *q = q_base + q_offset + (size_t)c * 2 * n + vplace(0, n0, 2);
  vstore(sum * inverse, q);
  vstore(largest, q + LANES);
}

__kernel void channel_attention_apply(__global const float *restrict a_base, const ulong a_offset,
                                      __global const float *restrict o_base, const ulong o_offset,
                                      __global float *restrict s_base, const ulong s_offset,
                                      __global float *restrict y_base, const ulong y_offset, const int n,
                                      const int pixels) {
  const int n0 = first_image(0), c = (int)get_global_id(1);
  __global const float *o = o_base + o_offset + (size_t)c * 2 * n + vplace(0, n0, 2);
  const vfloat s = vsigmoid(vload(o) + vload(o + LANES));
  vstore(s, s_base + s_offset + (size_t)c * n + n0);
  for (int p = 0; p < pixels; p++) {
    const size_t at = (size_t)c * pixels * n + vplace(p, n0, pixels);
    vstore(vload(a_base + a_offset + at) * s, y_base + y_offset + at);
  }
}

/* do = s (1 - s) * sum over pixels of dy * a, the same for both descriptors. */
__kernel void channel_attention_backward_scale(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global float *restrict do_base, const ulong do_offset, const int n,
                                               const int pixels) {
  const int n0 = first_image(0), c = (int)get_global_id(1);
  vfloat ds = (vfloat)(0.0f);
  for (int p = 0; p < pixels; p++) {
    const size_t at = (size_t)c * pixels * n + vplace(p, n0, pixels);
    ds = fma(vload(dy_base + dy_offset + at), vload(a_base + a_offset + at), ds);
  }
  const vfloat s = vload(s_base + s_offset + (size_t)c * n + n0);
  const vfloat g = ds * (s * ((vfloat)(1.0f) - s));
  __global float *out = do_base + do_offset + (size_t)c * 2 * n + vplace(0, n0, 2);
  vstore(g, out);
  vstore(g, out + LANES);
}

__kernel void channel_attention_backward_apply(__global const float *restrict a_base, const ulong a_offset,
                                               __global const float *restrict dy_base, const ulong dy_offset,
                                               __global const float *restrict s_base, const ulong s_offset,
                                               __global const float *restrict q_base, const ulong q_offset,
                                               __global const float *restrict dq_base, const ulong dq_offset,
                                               __global float *da_base, const ulong da_offset, const int n,
                                               const int pixels, const int accumulate) {
  const int n0 = first_image(0), c = (int)get_global_id(1);
  const vfloat inverse = (vfloat)(sdiv(1.0f, (float)pixels)), zero = (vfloat)(0.0f), one = (vfloat)(1.0f);
  __global const float *a = a_base + a_offset + (size_t)c * pixels * n + vplace(0, n0, pixels);
  const vfloat largest = vload(q_base + q_offset + (size_t)c * 2 * n + vplace(1, n0, 2));
  const vfloat s = vload(s_base + s_offset + (size_t)c * n + n0);
  vfloat ties = zero;
  for (int p = 0; p < pixels; p++) ties += vselect(zero, one, vmask(vload(a + (size_t)p * LANES) == largest));
  __global const float *dq = dq_base + dq_offset + (size_t)c * 2 * n + vplace(0, n0, 2);
  const vfloat dmean = vload(dq) * inverse, share = vdiv(vload(dq + LANES), ties);
  for (int p = 0; p < pixels; p++) {
    const size_t at = (size_t)c * pixels * n + vplace(p, n0, pixels);
    vfloat g = fma(vload(dy_base + dy_offset + at), s, dmean);
    g += vselect(zero, share, vmask(vload(a + (size_t)p * LANES) == largest));
    if (accumulate) g += vload(da_base + da_offset + at);
    vstore(g, da_base + da_offset + at);
  }
}
