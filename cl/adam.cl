/* Adam (Kingma & Ba 2015) in Keras's form, over all parameters at once:
 *
 *   m = m + (1 - b1) (g - m),  v = v + (1 - b2) (g^2 - v),  p = p - alpha m / (sqrt(v) + epsilon)
 *
 * alpha = lr sqrt(1 - b2^t) / (1 - b1^t) comes from the host in state[2]. All arrays [count], a multiple of 16; one
 * work-item per V of them. No reductions.
 *
 * trouble: the first three words of the loss log (src/net/not_finite.h), all ones while every number was finite. After
 * a loss that is not finite, or a step that made a parameter or a moment so, nothing is changed, so that the cause can
 * still be found when the host reads the log. All work-items of a step decide by the first two words, which only
 * losses.cl writes; those that find a number that is not finite all store the same word, the third. */
#include "common/math.clh"

static inline bool is_finite(vfloat x) {
  const vint finite = vmask(fabs(x) <= (vfloat)(FLT_MAX));
#if V == 1
  return finite != 0;
#else
  return all(finite);
#endif
}

__kernel void adam(__global float *restrict p_base, __global const float *restrict g_base,
                   __global float *restrict m_base, __global float *restrict v_base,
                   __global const uint *restrict state, __global uint *restrict trouble, const int count) {
  const int i = (int)get_global_id(0) * V;
  if (i >= count || trouble[0] != UINT_MAX || trouble[1] != UINT_MAX) return;
  const vfloat alpha = (vfloat)(as_float(state[2])), g = vload(g_base + i);
  vfloat m = vload(m_base + i), v = vload(v_base + i);
  m = fma((vfloat)(0.1f), g - m, m);
  v = fma((vfloat)(0.001f), fma(g, g, -v), v);
  vstore(m, m_base + i);
  vstore(v, v_base + i);
  const vfloat p = vload(p_base + i) - vdiv(alpha * m, vsqrt(v) + (vfloat)(1e-7f));
  vstore(p, p_base + i);
  if (!is_finite(v) || !is_finite(p)) trouble[2] = state[0];
}
