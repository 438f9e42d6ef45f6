/* winograd.cl's convolution for GPUs: the same formula, layout and canonical order, but a work-group transforms a
 * tile's inputs once for all its filters.
 *
 * A work-group computes 16 images of one tile x kg * TK filters. In the products the work-item (p, part, i of kg) has
 * element p of TC of the images x TK filters, whose sums are in registers: per channel it loads TC / 4 vectors of
 * inputs from local memory and TK filters, which hardly another needs, for TK * TC multiply-adds. Meanwhile the inputs
 * of the next CB channels are transformed in the other half of local memory: first columns, then rows in place, each of
 * two images by a work-item. At last the sums go through local memory, 2 CB filters at a time, and are transformed
 * likewise. A row of 16 images there is followed by 4 floats of nothing, so that work-items of neighbouring elements
 * read other banks.
 *
 * Layout: x, y, b as winograd.cl; u [K / (kg TK)][C], then the first 4 filters of each of TK, [kg][U U][4], then with
 *   TK = 5 the last ones, [kg][U U] (weights.cl).
 *
 * Macros: ACTIVATION (activation.clh); M; STRIDE 1 or 2; TRANSPOSED 0 or 1; TK 4 or 5; TC 4, 8 or 16; CB. */
#include "common/convolution_output.clh"
#define wfloat float2
#include "common/winograd.clh" /* last: its macros have short names */

#define ELEMENTS (E * E)
#define PARTS (LANES / TC)
#define ROW (LANES + 4)
#define CHANNEL (ELEMENTS * ROW)
#define IMAGES (LANES / 2) /* pairs of them, whose transforms are float2 */

/* t = B' d of `count` channels, to v, [count][ELEMENTS][ROW]: a work-item has a column of d of two images; d begins at
 * `row` and `column` of a channel; x is at the first image. */
INLINE void transform_columns(__global const float *x, size_t channel, int count, int row, int column, int h, int w,
                              __local float *v) {
  for (int i = (int)get_local_id(0); i < count * D * IMAGES; i += (int)get_local_size(0)) {
    const int image = i % IMAGES * 2, j = i / IMAGES % D, c = i / (D * IMAGES);
    __global const float *from = x + c * channel + ((ptrdiff_t)row * w + column + j) * LANES + image;
    float2 d[D], t[E];
#pragma unroll
    for (int r = 0; r < D; r++) d[r] = (float2)(0.0f);
    if ((uint)(column + j) < (uint)w)
#pragma unroll
      for (int r = 0; r < D; r++)
        if ((uint)(row + r) < (uint)h) d[r] = *(__global const float2 *)(from + (ptrdiff_t)r * w * LANES);
    input_step(d, 1, t, 1);
    __local float2 *to = (__local float2 *)(v + c * CHANNEL + j * ROW + image);
#pragma unroll
    for (int r = 0; r < E; r++) to[r * E * ROW / 2] = t[r];
  }
}

/* v = t B in place: a work-item has a row of t of two images. */
INLINE void transform_rows(int count, __local float *v) {
  for (int i = (int)get_local_id(0); i < count * E * IMAGES; i += (int)get_local_size(0)) {
    __local float2 *at = (__local float2 *)(v + i / IMAGES * E * ROW) + i % IMAGES;
    float2 t[D], o[E];
#pragma unroll
    for (int j = 0; j < D; j++) t[j] = at[j * ROW / 2];
    input_step(t, 1, o, 1);
#pragma unroll
    for (int j = 0; j < E; j++) at[j * ROW / 2] = o[j];
  }
}

/* A' m of `count` filters, [count][ELEMENTS][ROW], in place: a work-item has a column of m of two images. */
INLINE void transform_sums(int count, __local float *m) {
  for (int i = (int)get_local_id(0); i < count * E * IMAGES; i += (int)get_local_size(0)) {
    __local float2 *at = (__local float2 *)(m + i / (E * IMAGES) * CHANNEL + i / IMAGES % E * ROW) + i % IMAGES;
    float2 t[E], o[M];
#pragma unroll
    for (int r = 0; r < E; r++) t[r] = at[r * E * ROW / 2];
    output_step(t, 1, o, 1);
#pragma unroll
    for (int r = 0; r < M; r++) at[r * E * ROW / 2] = o[r];
  }
}

/* Row t A of a tile's outputs of two images to the image's row y, from column ow on. */
INLINE void write_row(__local const float2 *at, __global const float *bias, int accumulate, int n0, int n_valid,
                      __global float *y, int ow, int ow_count) {
  float2 t[E], o[M];
#pragma unroll
  for (int j = 0; j < E; j++) t[j] = at[j * ROW / 2];
  output_step(t, 1, o, 1);
#pragma unroll
  for (int j = 0; j < M; j++) {
    if ((uint)(ow + j) >= (uint)ow_count) continue;
    __global float2 *to = (__global float2 *)(y + (ow + j) * LANES);
    float2 v =
        (float2)(convolution_output(o[j].x, bias, n0, n_valid), convolution_output(o[j].y, bias, n0 + 1, n_valid));
    if (accumulate) v += *to;
    *to = v;
  }
}

/* A channel's filters of a work-item; u: its first one, `last` floats before that of the second part. */
static inline void load_filters(__global const float *u, __global const float *last, float w[TK]) {
  const float4 first = *(__global const float4 *)u;
  w[0] = first.x, w[1] = first.y, w[2] = first.z, w[3] = first.w;
#if TK == 5
  w[4] = *last;
#endif
}

__kernel void winograd_tiled(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict u_base, const ulong u_offset,
                             __global const float *restrict b_base, const ulong b_offset,
                             __global const uint *restrict state, __global float *y_base, const ulong y_offset,
                             const int n, const int c_count, const int h, const int w_size, const int k_count,
                             const int oh_count, const int ow_count, const int top, const int left, const int has_bias,
                             const int accumulate, const int kg) {
  __local float memory[2 * CB * CHANNEL] __attribute__((aligned(16)));
  const int item = (int)get_local_id(0), p = item % ELEMENTS, part = item / ELEMENTS % PARTS;
  const int group = item / (ELEMENTS * PARTS), k0 = (int)get_group_id(1) * kg * TK;
  /* the tile's first output and first input */
  const int columns = (ow_count + SHIFT(left) + M - 1) / M, rows = (oh_count + SHIFT(top) + M - 1) / M;
  const int tile = (int)get_group_id(0) % (rows * columns), n0 = (int)get_group_id(0) / (rows * columns) * LANES;
  const int oh = tile / columns * M - SHIFT(top), ow = tile % columns * M - SHIFT(left);
  const int row = tile / columns * JUMP - BEFORE(top), column = tile % columns * JUMP - BEFORE(left);
  const size_t channel = (size_t)h * w_size * n, filters = (size_t)U * U * kg * TK;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global const float *u = u_base + u_offset + (size_t)get_group_id(1) * c_count * filters;
  __global const float *last = u + 4 * kg * U * U + group * (U * U) + filter_element(p);
  u += 4 * (group * (U * U) + filter_element(p));

  float acc[TK][TC], w[TK];
#pragma unroll
  for (int k = 0; k < TK; k++)
#pragma unroll
    for (int j = 0; j < TC; j++) acc[k][j] = 0.0f;
  load_filters(u, last, w);
  /* the inputs of the channels from c0 + CB on are transformed, those from c0 on multiplied */
  for (int c0 = -CB, buffer = 0; c0 < c_count; c0 += CB, buffer = CB * CHANNEL - buffer) {
    barrier(CLK_LOCAL_MEM_FENCE);
    const int count = clamp(c_count - c0 - CB, 0, CB);
    transform_columns(x + (c0 + CB) * channel, channel, count, row, column, h, w_size, memory + CB * CHANNEL - buffer);
    __local const float4 *v = (__local const float4 *)(memory + buffer + p * ROW + part * TC);
    for (int c = max(c0, 0); c < min(c0 + CB, c_count); c++, v += CHANNEL / 4) {
      float next[TK];
      u += c + 1 < c_count ? filters : 0, last += c + 1 < c_count ? filters : 0;
      load_filters(u, last, next);
#pragma unroll
      for (int j = 0; j < TC / 4; j++) {
        const float4 d = v[j];
#pragma unroll
        for (int k = 0; k < TK; k++) {
          acc[k][4 * j] = fma(w[k], d.x, acc[k][4 * j]);
          acc[k][4 * j + 1] = fma(w[k], d.y, acc[k][4 * j + 1]);
          acc[k][4 * j + 2] = fma(w[k], d.z, acc[k][4 * j + 2]);
          acc[k][4 * j + 3] = fma(w[k], d.w, acc[k][4 * j + 3]);
        }
      }
#pragma unroll
      for (int k = 0; k < TK; k++) w[k] = next[k];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    transform_rows(count, memory + CB * CHANNEL - buffer);
  }

  /* as many filters at a time as local memory holds */
  const int pixels = oh_count * ow_count, n_valid = (int)state[1];
  __global float *y = y_base + y_offset + vplace(0, n0, pixels);
  for (int first = 0; first < kg * TK; first += 2 * CB) {
    barrier(CLK_LOCAL_MEM_FENCE);
#pragma unroll
    for (int k = 0; k < TK; k++) {
      const int slot = group * TK + k - first;
      if (slot < 0 || slot >= 2 * CB) continue;
      __local float4 *to = (__local float4 *)(memory + slot * CHANNEL + p * ROW + part * TC);
#pragma unroll
      for (int j = 0; j < TC / 4; j++)
        to[j] = (float4)(acc[k][4 * j], acc[k][4 * j + 1], acc[k][4 * j + 2], acc[k][4 * j + 3]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int count = min(min(2 * CB, kg * TK - first), k_count - k0 - first);
    transform_sums(count, memory);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = item; i < count * M * IMAGES; i += (int)get_local_size(0)) {
      const int r = i / IMAGES % M, k = first + i / (M * IMAGES), image = i % IMAGES * 2;
      if ((uint)(oh + r) < (uint)oh_count)
        write_row((__local const float2 *)(memory + i / (M * IMAGES) * CHANNEL + r * E * ROW + image),
                  has_bias ? b_base + b_offset + k0 + k : NULL, accumulate, n0 + image, n_valid,
                  y + (size_t)(k0 + k) * pixels * n + (ptrdiff_t)(oh + r) * ow_count * LANES + image, ow, ow_count);
    }
  }
}
