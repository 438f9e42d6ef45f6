/* The filters' elements G g G' of winograd.cl, in whose order and whose words. A program of its own, since winograd.cl
 * is compiled for several numbers of channels a tile, tk, which is an argument here.
 *
 * Layout: w [K][C][3][3] or, backward_data, [C][K][3][3], of stride 1 read backwards; u [K / tk][U U][C][tk], of which
 * filters past K are 0. A work-item computes V pairs of channel and filter of a tile, [C][tk].
 *
 * Macros: M; STRIDE 1 or 2; TRANSPOSED 0 or 1. */
#include "common/winograd.clh"

/* A vector from anywhere. */
static inline vfloat vfrom(const float *p) {
#if V == 1
  return *p;
#else
  return FOVEA_PASTE(vload, V)(0, p);
#endif
}

/* Its first `count` lanes to anywhere. */
static inline void vto(vfloat v, int count, __global float *p) {
#if V == 1
  *p = v;
#else
  float lanes[V];
  if (count == V) {
    FOVEA_PASTE(vstore, V)(v, 0, p);
    return;
  }
  FOVEA_PASTE(vstore, V)(v, 0, lanes);
  for (int i = 0; i < count; i++) p[i] = lanes[i];
#endif
}

__kernel void winograd_weights(__global const float *restrict w_base, const ulong w_offset,
                               __global float *restrict u_base, const ulong u_offset, const int k_count,
                               const int c_count, const int tk, const int backward_data) {
  const int pair = (int)get_global_id(0) * V, kt = (int)get_global_id(1), pairs = c_count * tk;
  const int backwards = TRANSPOSED ? 0 : backward_data;
  vfloat g[9], t[3 * U], o[U];
  float lanes[9][V];
  for (int i = 0; i < V; i++) {
    const int c = min((pair + i) / tk, c_count - 1), k = kt * tk + (pair + i) % tk;
    __global const float *w = w_base + w_offset + ((size_t)(backward_data ? c * k_count + k : k * c_count + c)) * 9;
    for (int tap = 0; tap < 9; tap++) lanes[tap][i] = k < k_count ? w[backwards ? 8 - tap : tap] : 0.0f;
  }
  for (int tap = 0; tap < 9; tap++) g[tap] = vfrom(lanes[tap]);
#pragma unroll
  for (int j = 0; j < 3; j++) filter_step(g + j, 3, t + j, 3);
  __global float *u = u_base + u_offset + (size_t)kt * (U * U) * pairs + pair;
#pragma unroll
  for (int r = 0; r < U; r++) {
    filter_step(t + 3 * r, 1, o, 1);
#pragma unroll
    for (int j = 0; j < U; j++, u += pairs) vto(o[j], min(V, pairs - pair), u);
  }
}
