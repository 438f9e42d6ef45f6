/* What the numerics of every other kernel rest on, for the self-test of a device: y[i] of a[i], b[i], c[i] for
 *
 *   0 a + b   1 a * b   2 fma(a, b, c)   3 a / b   4 sqrt(a)   5 exp(a)   6 ln(a)   7 cos(2 pi a)   8 sigmoid(a)
 *
 * as vdiv, vsqrt, vexp, vlog, vcos_turn and vsigmoid of math.clh compute them. [count], a multiple of V; one work-item
 * per V elements. */
#include "math.clh"

__kernel void arithmetic(__global const float *restrict a_base, __global const float *restrict b_base,
                         __global const float *restrict c_base, __global float *restrict y_base, const int what) {
  const size_t i = get_global_id(0) * V;
  const vfloat a = vload(a_base + i), b = vload(b_base + i), c = vload(c_base + i);
  vfloat y = a;
  switch (what) {
    case 0:
      y = a + b;
      break;
    case 1:
      y = a * b;
      break;
    case 2:
      y = fma(a, b, c);
      break;
    case 3:
      y = vdiv(a, b);
      break;
    case 4:
      y = vsqrt(a);
      break;
    case 5:
      y = vexp(a);
      break;
    case 6:
      y = vlog(a);
      break;
    case 7:
      y = vcos_turn(a);
      break;
    case 8:
      y = vsigmoid(a);
      break;
  }
  vstore(y, y_base + i);
}
