/* The transformed filters G g G' of winograd.cl, prepacked, in its canonical order. A program of its own, since
 * winograd.cl is compiled for several numbers tk of channels a tile, which here is an argument.
 *
 * Layout: w [K][C][3][3] or, with backward_data, [C][K][3][3], whose taps are read backwards with stride 1; u
 *   [K / tk][U U][C][tk], 0 for filters past K. A work-item computes V pairs of channel and filter of a tile, [C][tk].
 *
 * Macros: M; STRIDE 1 or 2; TRANSPOSED 0 or 1. */
#include "common/winograd.clh"

/* A vector from any address. */
static inline vfloat vfrom(const float *p) {
#if V == 1
  return *p;
#else
  return FOVEA_PASTE(vload, V)(0, p);
#endif
}

/* The first `count` lanes of v to any address. */
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

#if V == 1
/* The same for winograd_tiled.cl, which has the layout of u: tiles of kg * tk filters. A work-item has the filter of a
 * channel, one of `count`. */
__kernel void winograd_tiled_weights(__global const float *restrict w_base, const ulong w_offset,
                                     __global float *restrict u_base, const ulong u_offset, const int k_count,
                                     const int c_count, const int kg, const int tk, const int backward_data,
                                     const int count) {
  const int i = (int)get_global_id(0), filters = kg * tk;
  if (i >= count) return;
  const int f = i % filters, c = i / filters % c_count, k = i / filters / c_count * filters + f;
  const int backwards = TRANSPOSED ? 0 : backward_data, step = f % tk < 4 ? 4 : 1;
  __global const float *w = w_base + w_offset + ((size_t)(backward_data ? c * k_count + k : k * c_count + c)) * 9;
  __global float *u = u_base + u_offset + (size_t)(i / filters) * filters * (U * U) + f / tk * step * (U * U);
  u += step == 4 ? f % tk : 4 * kg * (U * U);
  float g[9], t[3 * U], o[U];
  for (int tap = 0; tap < 9; tap++) g[tap] = k < k_count ? w[backwards ? 8 - tap : tap] : 0.0f;
#pragma unroll
  for (int j = 0; j < 3; j++) filter_step(g + j, 3, t + j, 3);
#pragma unroll
  for (int r = 0; r < U; r++) {
    filter_step(t + 3 * r, 1, o, 1);
#pragma unroll
    for (int j = 0; j < U; j++) u[(U * r + j) * step] = o[j];
  }
}
#endif
