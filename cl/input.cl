/* The images' bytes on the device become the first tensor: x[c][p][n] = pixels[n][c][p] / 255, 0 for padding images.
 * Layout: pixels [N][C][H * W] bytes, x [C][N/16][H * W][16]; one work-item per V images and a range of the elements.
 */
#include "common/math.clh"

__kernel void input_forward(__global const uchar *restrict bytes, __global const uint *restrict state,
                            __global float *restrict x_base, const ulong x_offset, const int n, const int c_count,
                            const int pixels) {
  const int n0 = first_image(0), elements = c_count * pixels, end = range_end(elements);
  const int n_valid = (int)state[1];
  for (int e = range_begin(elements); e < end; e++) {
    __global float *x = x_base + x_offset + (size_t)(e / pixels) * pixels * n + vplace(e % pixels, n0, pixels);
    float lanes[V];
    for (int i = 0; i < V; i++) lanes[i] = n0 + i < n_valid ? (float)bytes[(size_t)(n0 + i) * elements + e] : 0.0f;
    for (int i = 0; i < V; i++) x[i] = sdiv(lanes[i], 255.0f);
  }
}
