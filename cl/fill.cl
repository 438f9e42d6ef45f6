/* fill_zero: x[offset + i] = 0 for i in [0, count), in words of 4 bytes.
 *
 * Any number of work-items will do. With FOVEA_V > 1 (a CPU) each takes one contiguous range and stores FOVEA_V words
 * at once; with FOVEA_V = 1 (a GPU) each work-group does, and its neighbouring work-items store neighbouring words.
 * Nothing is reduced. */

#if FOVEA_V > 1
#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)
typedef CONCAT(uint, FOVEA_V) uint_v;
#define VSTORE CONCAT(vstore, FOVEA_V)

__kernel void fill_zero(__global uint *x, const ulong offset, const ulong count) {
  const ulong items = get_global_size(0);
  const ulong part = (count + items - 1) / items;
  ulong i = min((ulong)get_global_id(0) * part, count);
  const ulong end = min(i + part, count);
  for (; i + FOVEA_V <= end; i += FOVEA_V) VSTORE((uint_v)(0), 0, x + offset + i);
  for (; i < end; i++) x[offset + i] = 0;
}

#else

__kernel void fill_zero(__global uint *x, const ulong offset, const ulong count) {
  const ulong groups = get_num_groups(0);
  const ulong part = (count + groups - 1) / groups;
  const ulong begin = min((ulong)get_group_id(0) * part, count);
  const ulong end = min(begin + part, count);
  for (ulong i = begin + get_local_id(0); i < end; i += get_local_size(0)) x[offset + i] = 0;
}

#endif
