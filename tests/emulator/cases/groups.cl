/* Kernels whose work-items share local memory and meet at barriers; groups.c has what they compute. */

/* clang's groups have at most 256 items otherwise, for AMD. */
#ifdef __AMDGCN__
#define LARGE __attribute__((amdgpu_flat_work_group_size(1, 1024)))
#else
#define LARGE
#endif

/* Each group's words turned round. */
LARGE __kernel void reverse(__global const uint *x, __global uint *y) {
  __local uint t[1024];
  const uint l = (uint)get_local_id(0), n = (uint)get_local_size(0), first = (uint)get_group_id(0) * n;
  t[l] = x[first + l];
  barrier(CLK_LOCAL_MEM_FENCE);
  y[first + l] = t[n - 1 - l];
}

/* A tree over each group. */
LARGE __kernel void tree(__global const float *x, __global float *y) {
  __local float t[1024];
  const uint l = (uint)get_local_id(0), n = (uint)get_local_size(0);
  t[l] = x[get_global_id(0)];
  for (uint step = n / 2; step > 0; step /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (l < step) t[l] = t[l] + t[l + step];
  }
  if (l == 0) y[get_group_id(0)] = t[0];
}

/* A tile through local memory of the size that the host gives. */
LARGE __kernel void transpose(__global const float *x, __global float *y, int side, __local float *tile,
                              __local float *edge) {
  const int lx = (int)get_local_id(0), ly = (int)get_local_id(1), w = (int)get_local_size(0);
  const int gx = (int)get_group_id(0) * w, gy = (int)get_group_id(1) * w;
  tile[ly * (w + 1) + lx] = x[(gy + ly) * side + gx + lx];
  if (ly == 0) edge[lx] = (float)lx;
  barrier(CLK_LOCAL_MEM_FENCE);
  y[(gx + ly) * side + gy + lx] = tile[lx * (w + 1) + ly] + edge[ly];
}

/* Every width of local memory: the sum over a group of w + 2 x + 3 y + 5 z, bytes and halves. */
__kernel void widths(__global const uint *x, __global uint *y) {
  __local uint4 fours[256];
  __local uint2 twos[256];
  __local uint threes[768];
  __local uchar bytes[256];
  __local ushort halves[256];
  const uint l = (uint)get_local_id(0), g = (uint)get_global_id(0), m = (l * 37 + 11) & 255;
  const uint v = x[g];
  fours[l] = (uint4)(v, v + 1, v * 3, v ^ 5);
  twos[l] = (uint2)(v * 7, v >> 3);
  vstore3((uint3)(v, v * 5, v - 9), l, threes);
  bytes[l] = (uchar)v;
  halves[l] = (ushort)(v >> 4);
  barrier(CLK_LOCAL_MEM_FENCE);
  const uint4 f = fours[m];
  const uint2 t = twos[m];
  const uint3 h = vload3(m, threes);
  uint sum = f.x + 2 * f.y + 3 * f.z + 5 * f.w + 7 * t.x + 11 * t.y + 13 * h.x + 17 * h.y + 19 * h.z;
  sum += bytes[m] + (uint)(int)(char)bytes[l] + halves[m] + (uint)(int)(short)halves[m];
  barrier(CLK_LOCAL_MEM_FENCE);
  threes[l] = sum;
  threes[l + 256] = v;
  barrier(CLK_LOCAL_MEM_FENCE);
  y[g] = threes[m] + 3 * threes[m + 256];
}

/* Barriers in a loop that all items leave at once, work that only some do between them: a scan. */
__kernel void scan(__global const uint *x, __global uint *y, int rounds) {
  __local uint t[2][256];
  const int l = (int)get_local_id(0);
  int from = 0;
  t[0][l] = x[get_global_id(0)];
  for (int k = 0; k < rounds; k++) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const int distance = 1 << k;
    t[1 - from][l] = l >= distance ? t[from][l] + t[from][l - distance] : t[from][l];
    from = 1 - from;
  }
  y[get_global_id(0)] = t[from][l];
}

/* All that an item can ask about where it is. */
__kernel void places(__global uint *y, uint width, uint height) {
  const uint x = (uint)(get_global_id(0) - get_global_offset(0)), v = (uint)(get_global_id(1) - get_global_offset(1));
  const uint w = (uint)(get_global_id(2) - get_global_offset(2));
  __global uint *o = y + 8 * ((w * height + v) * width + x);
  o[0] = (uint)get_global_id(0) | (uint)get_global_id(1) << 10 | (uint)get_global_id(2) << 20;
  o[1] = (uint)get_local_id(0) | (uint)get_local_id(1) << 10 | (uint)get_local_id(2) << 20;
  o[2] = (uint)get_group_id(0) | (uint)get_group_id(1) << 10 | (uint)get_group_id(2) << 20;
  o[3] = (uint)get_local_size(0) | (uint)get_local_size(1) << 10 | (uint)get_local_size(2) << 20;
  o[4] = (uint)get_num_groups(0) | (uint)get_num_groups(1) << 10 | (uint)get_num_groups(2) << 20;
  o[5] = (uint)get_global_size(0) | (uint)get_global_size(1) << 10 | (uint)get_global_size(2) << 20;
  o[6] = (uint)get_global_offset(0) | (uint)get_global_offset(1) << 10 | (uint)get_global_offset(2) << 20;
  o[7] = get_work_dim();
}

/* Items that end, wait and go on in different rounds, and all that are left meet: a wave's ways come together again. */
__kernel void ways(__global const uint *x, __global uint *y) {
  __local uint t[64];
  const uint l = (uint)get_local_id(0), g = (uint)get_global_id(0);
  uint v = x[g], sum = 0;
  for (uint k = 0; k < (v & 7); k++) {
    if (v >> (k + 3) & 1) {
      for (uint m = l & 3; m < k; m++) {
        sum = 3 * sum + m;
        if ((sum ^ v) % 5 == 0) break;
      }
      if ((v & 0x700) == 0x300) continue;
      sum += k;
    } else if (k == 5 && (v & 0x10000)) {
      sum = ~sum;
      break;
    }
    sum ^= v >> k;
  }
  t[l] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  sum += t[l ^ 33];
  y[g] = sum;
  if (v & 64) return;
  for (uint k = 0; k < 40; k++) {
    sum = 5 * sum + k;
    if (sum % 7 == l % 7) return;
    y[g] = sum;
  }
}

/* Values of other lanes of 32. */
#ifdef __AMDGCN__
__kernel void lanes(__global const int *x, __global int *y) {
  const int i = (int)get_global_id(0), l = i & 31, n = (int)get_global_size(0);
  y[i] = __builtin_amdgcn_ds_bpermute(4 * ((l * 5 + 3) & 31), x[i]);
  y[n + i] = __builtin_amdgcn_ds_swizzle(x[i], 0x041f);
  y[2 * n + i] = __builtin_amdgcn_ds_swizzle(x[i], 0x801b);
  y[3 * n + i] = __builtin_amdgcn_readfirstlane(x[i & ~31]);
}
#endif
