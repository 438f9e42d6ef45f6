/* What the emulator must refuse, and name. */
#ifdef UNKNOWN
#ifdef __AMDGCN__
#define SINE(x) __builtin_amdgcn_sinf(x)
#else
float of_nvidia(float x) {
  float y;
  __asm__("sin.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
#define SINE(x) of_nvidia(x)
#endif
__kernel void sine(__global float *x) { x[get_global_id(0)] = SINE(x[get_global_id(0)]); }
#elif defined UNDEFINED
float nowhere(float x);
__kernel void calls(__global float *x) { x[get_global_id(0)] = nowhere(x[get_global_id(0)]); }
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

__constant uint table[8] = {2, 3, 5, 7, 11, 13, 17, 19};
__kernel void beyond_constants(__global uint *x, uint few) { x[get_global_id(0)] = table[(x[0] & 7) + few]; }

__kernel void beyond_private(__global uint *x, uint few) {
  uint t[40];
  for (uint k = 0; k < 40; k++) t[k] = k * few;
  for (uint k = 0; k < 40; k++) t[x[k] % 40] ^= k;
  x[get_global_id(0)] = t[(get_local_id(0) & 31) + few];
}

__kernel void odd_address(__global uint *x, uint few) { *(__global uint *)((__global uchar *)x + few) = few; }
#endif
