/* The sum of two tensors, y = a + b, and its gradient by either, dx = dy or dx + dy when accumulating. No reductions.
 * Padding images: 0 + 0.
 *
 * Layout: a, b, y, dx, dy [C][N/16][pixels][16]; one work-item per V images, a channel and a range of its pixels. */
#include "common/vector.clh"

__kernel void residual_forward(__global const float *a_base, const ulong a_offset, __global const float *b_base,
                               const ulong b_offset, __global float *y_base, const ulong y_offset, const int n,
                               const int pixels) {
  const int n0 = first_image(0), end = range_end(pixels);
  const size_t channel = get_global_id(2) * (size_t)pixels * (size_t)n;
  for (int p = range_begin(pixels); p < end; p++) {
    const size_t at = channel + vplace(p, n0, pixels);
    vstore(vload(a_base + a_offset + at) + vload(b_base + b_offset + at), y_base + y_offset + at);
  }
}

__kernel void residual_backward(__global const float *dy_base, const ulong dy_offset, __global float *dx_base,
                                const ulong dx_offset, const int accumulate, const int n, const int pixels) {
  const int n0 = first_image(0), end = range_end(pixels);
  const size_t channel = get_global_id(2) * (size_t)pixels * (size_t)n;
  for (int p = range_begin(pixels); p < end; p++) {
    const size_t at = channel + vplace(p, n0, pixels);
    vfloat g = vload(dy_base + dy_offset + at);
    if (accumulate) g = vload(dx_base + dx_offset + at) + g;
    vstore(g, dx_base + dx_offset + at);
  }
}
