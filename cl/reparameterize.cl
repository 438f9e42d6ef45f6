/* The reparameterization trick and its divergence (Kingma & Welling 2014):
 *
 *   e = exp(logvar / 2) * eps,  z = mu + e,  kl = -1/2 sum over j of (1 + logvar - mu^2 - exp(logvar))
 *   dmu = dz + weight * mu / images,  dlogvar = dz * e / 2 + weight * (exp(logvar) - 1) / 2 / images
 *
 * images and n, an image's place, are of the whole batch, of which ranks may each have a part.
 * eps: words w of philox({n, j, op, step}, seed), u1 = (w0 >> 9) 2^-23 + 2^-24, u2 = (w1 >> 9) 2^-23,
 * eps = sqrt(-2 ln u1) cos(2 pi u2) (Box & Muller 1958).
 *
 * Layout: everything [J][N]; rows [N/16][J][16], -1/2 (...) of each j, which losses.cl sums. Padding images
 * (vector.clh): e is masked, since their eps is not 0; their kl is 0 by itself, 1 - exp(0). */
#include "common/math.clh"
#include "common/philox.clh"

/* One work-item per V images and j. */
__kernel void reparameterize_forward(__global const float *restrict mu_base, const ulong mu_offset,
                                     __global const float *restrict logvar_base, const ulong logvar_offset,
                                     __global const uint *restrict state, __global float *restrict e_base,
                                     const ulong e_offset, __global float *restrict z_base, const ulong z_offset,
                                     __global float *restrict rows_base, const ulong rows_offset, const int n,
                                     const int j_count, const uint op) {
  const int n0 = first_image(0), j = (int)get_global_id(1), n_valid = (int)state[1];
  const vfloat one = (vfloat)(1.0f), half_one = (vfloat)(0.5f);
  const size_t at = (size_t)j * n + n0;
  const vfloat mu = vload(mu_base + mu_offset + at), logvar = vload(logvar_base + logvar_offset + at);
  const philox4 w =
      philox(vas_uint((vint)(n0) + vlane()) + (vuint)(state[7]), (uint)j, op, state[0], state[5], state[6]);
  const vfloat u1 = fma(vconvert_float(w.word[0] >> 9), (vfloat)(0x1p-23f), (vfloat)(0x1p-24f));
  const vfloat u2 = vconvert_float(w.word[1] >> 9) * (vfloat)(0x1p-23f);
  const vfloat eps = vsqrt((vfloat)(-2.0f) * vlog(u1)) * vcos_turn(u2);
  const vfloat e = vkeep(vexp(logvar * half_one) * eps, n0, n_valid);
  vstore(e, e_base + e_offset + at);
  vstore(mu + e, z_base + z_offset + at);
  const vfloat term = fma(-mu, mu, one + logvar) - vexp(logvar);
  vstore((vfloat)(-0.5f) * term, rows_base + rows_offset + vplace(j, n0, j_count));
}

/* One work-item per V images and j. */
__kernel void reparameterize_backward(__global const float *restrict mu_base, const ulong mu_offset,
                                      __global const float *restrict logvar_base, const ulong logvar_offset,
                                      __global const float *restrict e_base, const ulong e_offset,
                                      __global const float *restrict dz_base, const ulong dz_offset,
                                      __global const uint *restrict state, __global float *dmu_base,
                                      const ulong dmu_offset, __global float *dlogvar_base, const ulong dlogvar_offset,
                                      const int n, const float weight, const int accumulate_mu,
                                      const int accumulate_logvar) {
  const int n0 = first_image(0), j = (int)get_global_id(1);
  const vfloat share = (vfloat)(sdiv(weight, (float)(int)state[8])), half_one = (vfloat)(0.5f);
  const size_t at = (size_t)j * n + n0;
  const vfloat dz = vload(dz_base + dz_offset + at), mu = vload(mu_base + mu_offset + at);
  const vfloat grow = vexp(vload(logvar_base + logvar_offset + at)) - (vfloat)(1.0f);
  vfloat dmu = fma(share, mu, dz);
  vfloat dlogvar = half_one * fma(share, grow, dz * vload(e_base + e_offset + at));
  if (accumulate_mu) dmu += vload(dmu_base + dmu_offset + at);
  vstore(dmu, dmu_base + dmu_offset + at);
  if (accumulate_logvar) dlogvar += vload(dlogvar_base + dlogvar_offset + at);
  vstore(dlogvar, dlogvar_base + dlogvar_offset + at);
}
