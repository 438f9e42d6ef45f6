/* Kernels that show in which order commands were done: cuda.c. */
__kernel void times_three(__global uint *x) { x[get_global_id(0)] *= 3; }

__kernel void plus(__global uint *x, __global const uint *y, uint n) { x[get_global_id(0)] += y[get_global_id(0)] + n; }

__kernel void with_local(__global uint *x, __local uint *t) {
  t[get_local_id(0)] = x[get_global_id(0)];
  barrier(CLK_LOCAL_MEM_FENCE);
  x[get_global_id(0)] = t[get_local_id(0) ^ 1];
}
