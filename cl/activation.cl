/* Activation with the dropout before it: y = activation(dropout(x)); dx = dropout'(activation'(dy)) from y. With the
 * linear activation it is dropout alone, or a copy. No reductions.
 * Layout: x, y, dx, dy [C][pixels][N]; one work-item per V images, four pixels and a channel. */
#include "activation.clh"

__kernel void activation_forward(__global const float *x_base, const ulong x_offset,
                                 __global const uint *restrict state, __global float *y_base, const ulong y_offset,
                                 const int n, const int pixels, const int activation, const uint threshold,
                                 const float scale, const uint op) {
  const int p0 = (int)get_global_id(1) * 4, c = (int)get_global_id(2);
  const dropout drop = {threshold, scale, op};
  for (int n0 = (int)get_global_id(0) * V; n0 < n; n0 += (int)get_global_size(0) * V) {
    philox4 words;
    if (threshold) words = dropout_words(drop, state, n0, c, (pixels + 3) / 4, p0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (p0 + i >= pixels) break;
      const size_t at = ((size_t)c * pixels + p0 + i) * n + n0;
      vfloat u = vload(x_base + x_offset + at);
      if (threshold) u = dropout_apply(drop, u, words.word[i]);
      vstore(activate(u, activation), y_base + y_offset + at);
    }
  }
}

__kernel void activation_backward(__global const float *y_base, const ulong y_offset, __global const float *dy_base,
                                  const ulong dy_offset, __global const uint *restrict state, __global float *dx_base,
                                  const ulong dx_offset, const int n, const int pixels, const int activation,
                                  const uint threshold, const float scale, const uint op, const int accumulate) {
  const int p0 = (int)get_global_id(1) * 4, c = (int)get_global_id(2);
  const dropout drop = {threshold, scale, op};
  for (int n0 = (int)get_global_id(0) * V; n0 < n; n0 += (int)get_global_size(0) * V) {
    philox4 words;
    if (threshold) words = dropout_words(drop, state, n0, c, (pixels + 3) / 4, p0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (p0 + i >= pixels) break;
      const size_t at = ((size_t)c * pixels + p0 + i) * n + n0;
      vfloat g = activate_backward(vload(dy_base + dy_offset + at), vload(y_base + y_offset + at), activation);
      if (threshold) g = dropout_apply(drop, g, words.word[i]);
      if (accumulate) g += vload(dx_base + dx_offset + at);
      vstore(g, dx_base + dx_offset + at);
    }
  }
}
