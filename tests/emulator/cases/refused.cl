/* What the emulator must refuse, and name. */
#ifdef UNKNOWN
__kernel void sine(__global float *x) { x[get_global_id(0)] = __builtin_amdgcn_sinf(x[get_global_id(0)]); }
#else

__kernel void some_items(__global uint *x, uint few) {
  __local uint t[128];
  const uint l = (uint)get_local_id(0);
  t[l] = x[l];
  if (l < few) barrier(CLK_LOCAL_MEM_FENCE);
  x[l] = t[(l + 1) & 127];
}

__kernel void two_barriers(__global uint *x, uint few) {
  __local uint t[128];
  const uint l = (uint)get_local_id(0);
  t[l] = x[l];
  if (l < few) {
    t[l] *= 5;
    barrier(CLK_LOCAL_MEM_FENCE);
    x[l] = t[(l + 1) & 127];
  } else {
    barrier(CLK_LOCAL_MEM_FENCE);
    x[l] = t[(l + 2) & 127] * 3;
  }
}

__kernel void beyond_local(__global uint *x, uint few) {
  __local uint t[128];
  const uint l = (uint)get_local_id(0);
  t[l] = x[l];
  barrier(CLK_LOCAL_MEM_FENCE);
  x[l] = t[l + few];
}

__kernel void beyond_global(__global uint *x, uint few) { x[get_global_id(0) + few * 4096] = 1; }
#endif
