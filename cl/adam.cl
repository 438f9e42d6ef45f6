/* Adam (Kingma & Ba 2015) in Keras's form, over all parameters at once:
 *
 *   m = m + (1 - b1) (g - m),  v = v + (1 - b2) (g^2 - v),  p = p - alpha m / (sqrt(v) + epsilon)
 *
 * alpha = lr sqrt(1 - b2^t) / (1 - b1^t) comes from the host in state[2]. All arrays [count], a multiple of 16; one
 * work-item per V of them. No reductions. */
#include "math.clh"

__kernel void adam(__global float *restrict p_base, __global const float *restrict g_base,
                   __global float *restrict m_base, __global float *restrict v_base,
                   __global const uint *restrict state, const int count) {
  const int i = (int)get_global_id(0) * V;
  if (i >= count) return;
  const vfloat alpha = (vfloat)(as_float(state[2])), g = vload(g_base + i);
  vfloat m = vload(m_base + i), v = vload(v_base + i);
  m = fma((vfloat)(0.1f), g - m, m);
  v = fma((vfloat)(0.001f), fma(g, g, -v), v);
  vstore(m, m_base + i);
  vstore(v, v_base + i);
  vstore(vload(p_base + i) - vdiv(alpha * m, vsqrt(v) + (vfloat)(1e-7f)), p_base + i);
}
