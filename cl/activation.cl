/* Activation with the dropout before it: y = activation(dropout(x)); dx = dropout'(activation'(dy)) from y. With the
 * linear activation it is dropout alone, or a copy. No reductions. Padding images: vector.clh.
 *
 * Layout: x, y, dx, dy [C][N/16][pixels][16]; one work-item per V images, four pixels (the words of one Philox call)
 * and a channel.
 *
 * Macros: ACTIVATION and DROPOUT of activation.clh. */
#include "common/activation.clh"

__kernel void activation_forward(__global const float *x_base, const ulong x_offset,
                                 __global const uint *restrict state, __global float *y_base, const ulong y_offset,
                                 const int n, const int pixels, const uint threshold, const float scale,
                                 const uint op) {
  const int n0 = first_image(0), c = (int)get_global_id(2), quads = (pixels + 3) / 4, n_valid = (int)state[1];
  const dropout drop = {threshold, scale, op};
  const int end = range_end(quads);
  for (int q = range_begin(quads); q < end; q++) {
    const int p0 = 4 * q;
    philox4 words;
    if (DRAWN_FORWARD) words = dropout_words(drop, state, n0, c, quads, p0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (p0 + i >= pixels) break;
      const size_t at = (size_t)c * pixels * n + vplace(p0 + i, n0, pixels);
      const vfloat y = pointwise_forward(drop, vload(x_base + x_offset + at), &words, i);
      vstore(MOVES_ZERO ? vkeep(y, n0, n_valid) : y, y_base + y_offset + at);
    }
  }
}

__kernel void activation_backward(__global const float *y_base, const ulong y_offset, __global const float *dy_base,
                                  const ulong dy_offset, __global const uint *restrict state, __global float *dx_base,
                                  const ulong dx_offset, const int n, const int pixels, const uint threshold,
                                  const float scale, const uint op, const int accumulate) {
  const int n0 = first_image(0), c = (int)get_global_id(2), quads = (pixels + 3) / 4;
  const dropout drop = {threshold, scale, op};
  const int end = range_end(quads);
  for (int q = range_begin(quads); q < end; q++) {
    const int p0 = 4 * q;
    philox4 words;
    if (DRAWN_BACKWARD) words = dropout_words(drop, state, n0, c, quads, p0);
#pragma unroll
    for (int i = 0; i < 4; i++) {
      if (p0 + i >= pixels) break;
      const size_t at = (size_t)c * pixels * n + vplace(p0 + i, n0, pixels);
      vfloat g = pointwise_backward(drop, vload(dy_base + dy_offset + at), vload(y_base + y_offset + at), &words, i);
      if (accumulate) g += vload(dx_base + dx_offset + at);
      vstore(g, dx_base + dx_offset + at);
    }
  }
}
