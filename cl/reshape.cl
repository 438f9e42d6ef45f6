/* Between an image and the vector that a dense layer reads or writes: v[c * pixels + p][n] and x[c][p][n]. In the
 * layout of vector.clh a vector is channels of one pixel, so this is a copy. No reductions: y = x, or y + x when
 * accumulating.
 *
 * Layout: the image [C][N/16][pixels][16] and the vector [C * pixels][N]; one work-item per V images and a range of the
 * values. */
#include "common/vector.clh"

/* From the image x to the vector y; with `back` from the vector x to the image y. */
__kernel void reshape_copy(__global const float *restrict x_base, const ulong x_offset, __global float *y_base,
                           const ulong y_offset, const int n, const int c_count, const int pixels, const int back,
                           const int accumulate) {
  const int n0 = first_image(0), values = c_count * pixels, end = range_end(values);
  for (int i = range_begin(values); i < end; i++) {
    const size_t image = (size_t)(i / pixels) * pixels * n + vplace(i % pixels, n0, pixels),
                 vector = (size_t)i * n + n0;
    __global float *y = y_base + y_offset + (back ? image : vector);
    vfloat v = vload(x_base + x_offset + (back ? vector : image));
    if (accumulate) v = vload(y) + v;
    vstore(v, y);
  }
}
