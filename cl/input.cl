/* The images' bytes on the device become the first tensor: x[e][n] = pixels[n][e] / 255, 0 for padding images.
 * pixels [N][C * H * W] bytes, x [C * H * W][N]; one work-item per element e and V images. */
#include "math.clh"

__kernel void input_forward(__global const uchar *restrict pixels, __global const uint *restrict state,
                            __global float *restrict x_base, const ulong x_offset, const int n, const int elements) {
  const int e = (int)get_global_id(1);
  const int n_valid = (int)state[1];
  __global float *x = x_base + x_offset + (size_t)e * n;
  for (int n0 = (int)get_global_id(0) * V; n0 < n; n0 += (int)get_global_size(0) * V) {
    float lanes[V];
    for (int i = 0; i < V; i++) lanes[i] = n0 + i < n_valid ? (float)pixels[(size_t)(n0 + i) * elements + e] : 0.0f;
    for (int i = 0; i < V; i++) x[n0 + i] = sdiv(lanes[i], 255.0f);
  }
}
