/* The instructions whose last bit the settings choose. */
__kernel void approximations(__global const float *x, __global float *y) {
  const int i = (int)get_global_id(0), n = (int)get_global_size(0);
  y[i] = __builtin_amdgcn_rcpf(x[i]);
  y[n + i] = __builtin_amdgcn_sqrtf(x[i]);
}
