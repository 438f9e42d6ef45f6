/* The two ceilings that `fovea bench` measures kernels against. Nothing is reduced and no result is looked at.
 *
 * bench_fma: each work-item runs 12 independent chains a = fma(a, m, c) of V lanes, UNROLL links a round: 12 hide the
 * latency of two fma units of 4 to 6 cycles, and 12 vectors with m and c fit 16 registers. flops = items * rounds *
 * UNROLL * 12 * V * 2. With m = 0.5, c = 1 the values go to 2: no denormals, no infinities.
 *
 * bench_triad: a[i] = b[i] + s * c[i] in vectors of V floats (McCalpin's STREAM); work-item g does i = g * item_stride
 * + r * round_stride for r in [0, rounds): neighbouring in time on a CPU, across work-items on a GPU. bytes = 12 a
 * float.
 *
 * Macros: V, the lanes of a vector (1, 4, 8, 16). */
#include "common/vector.clh"

#define UNROLL 8

__kernel void bench_fma(__global float *out, const int rounds, const float m, const float c) {
  const vfloat vm = (vfloat)(m), vc = (vfloat)(c);
  const float start = (float)get_global_id(0);
  vfloat a[12];
#pragma unroll
  for (int i = 0; i < 12; i++) a[i] = (vfloat)(start + (float)i);
  for (int r = 0; r < rounds; r++) {
#pragma unroll
    for (int u = 0; u < UNROLL; u++) {
#pragma unroll
      for (int i = 0; i < 12; i++) a[i] = fma(a[i], vm, vc);
    }
  }
  vfloat sum = (vfloat)(0.0f);
#pragma unroll
  for (int i = 0; i < 12; i++) sum += a[i];
  vstore(sum, out + (ulong)get_global_id(0) * V);
}

__kernel void bench_triad(__global float *a, __global const float *b, __global const float *c, const float s,
                          const int rounds, const uint item_stride, const uint round_stride) {
  const ulong first = (ulong)get_global_id(0) * item_stride;
  for (int r = 0; r < rounds; r++) {
    const ulong i = (first + (ulong)r * round_stride) * V;
    vstore(fma((vfloat)(s), vload(c + i), vload(b + i)), a + i);
  }
}
