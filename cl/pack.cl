/* Prepacked weights for the convolution kernels, the channel tile innermost: packed[k / TK][c][r][s][k % TK], zero
 * where the last tile has no channel. w is [K][C][R * S], or [C][K][R * S] when transposed. One work-item per packed
 * element.
 */
__kernel void pack_weights(__global const float *restrict w_base, const ulong w_offset,
                           __global float *restrict packed_base, const ulong packed_offset, const int k_count,
                           const int c_count, const int taps, const int tile, const int transposed, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  const int in_tile = i % tile, tap = i / tile % taps, c = i / tile / taps % c_count;
  const int k = i / tile / taps / c_count * tile + in_tile;
  const int from = (transposed ? c * k_count + k : k * c_count + c) * taps + tap;
  packed_base[packed_offset + i] = k < k_count ? w_base[w_offset + from] : 0.0f;
}
