/* The arithmetic that every other kernel rests on, for the self-test of a device (tools/check/arithmetic.c).
 *
 * arithmetic: y[i] of a[i], b[i], c[i]; `what` is
 *
 *   0 a + b     1 a * b   2 fma(a, b, c)   3 a / b     4 sqrt(a)   5 exp(a)   6 ln(a)   7 cos(2 pi a)   8 sigmoid(a)
 *   9 a / b    10 sqrt(a)
 *
 * by vdiv, vsqrt, vexp, vlog, vcos_turn and vsigmoid of math.clh; 9 and 10 by its sdiv and ssqrt.
 *
 * integers: y[i] of the word a[i]; `what` is
 *
 *   0 to 3   that word of philox({a[i], s0, s1, s2}, {s3, s4}), where s is b from 16 [i / 16] on
 *   4        the bits of the float (float)(a[i] >> 9)
 *   5        the bits of the float f = (float)((int)a[i] >> 20)
 *   6        the integer nearest to f / 4, ties to even
 *
 * All [count], a multiple of 16; one work-item per V elements. */
#include "common/math.clh"
#include "common/philox.clh"

#if V == 1
#define to_int(x) convert_int(x)
#else
#define to_int(x) FOVEA_PASTE(convert_int, V)(x)
#endif

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
    case 9:
      for (int l = 0; l < V; l++) y_base[i + l] = sdiv(a_base[i + l], b_base[i + l]);
      return;
    case 10:
      for (int l = 0; l < V; l++) y_base[i + l] = ssqrt(a_base[i + l]);
      return;
  }
  vstore(y, y_base + i);
}

__kernel void integers(__global const uint *restrict a_base, __global const uint *restrict b_base,
                       __global uint *restrict y_base, const int what) {
  const size_t i = get_global_id(0) * V;
  const vuint a = *(__global const vuint *)(a_base + i);
  const vfloat whole = vconvert_float(vas_int(a) >> 20);
  __global const uint *s = b_base + i / LANES * LANES;
  const philox4 words = philox(a, s[0], s[1], s[2], s[3], s[4]);
  vuint y = a;
  if (what < 4)
    y = words.word[what];
  else if (what == 4)
    y = vas_uint(vconvert_float(a >> 9));
  else if (what == 5)
    y = vas_uint(whole);
  else
    y = vas_uint(to_int(rint(whole * (vfloat)(0.25f))));
  *(__global vuint *)(y_base + i) = y;
}
