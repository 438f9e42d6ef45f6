/* Convolution and transposed convolution as conv2d.cl and conv2d_transpose.cl, in the same canonical order, for CPUs
 * and for many channels.
 *
 * Both are gathers: output (oh, ow) has the taps a < nr, b < ns, which read x[c][ih + STEP * a][iw + STEP * b]. A
 * convolution has R x S, STEP 1, ih = oh * STRIDE - top, iw = ow * STRIDE - left. A transposed one has those (r, s) of
 * R x S for which oh + top - r and ow + left - s are multiples of STRIDE: r = p + a * STRIDE with p = (oh + top) %
 * STRIDE, STEP -1, ih = (oh + top - p) / STRIDE, and so for columns: STRIDE x STRIDE phases of outputs.
 *
 * Layout: x [C][H][W][N], y [K][OH][OW][N], weights packed [K / TK][phase][C][nr][ns][TK], b [K].
 * Canonical order: acc = 0; for c, for the rows of taps (those outside skipped), for the columns (outside, w * 0 is
 * added): acc = fma(w, x, acc); then y = acc, acc + b, or y + acc when accumulating.
 *
 * A work-item computes V images x kg tiles of TK channels x one output row. For each pixel it copies the taps of some
 * channels, MOST vectors, one after the other; then each tile of filters goes over them, while they and their weights
 * are in the first cache. Without the copy the channels' rows are often a multiple of 4096 bytes apart and share the
 * cache's sets.
 *
 * Measured on Zen 3, one thread, batch 64, of the fma ceiling, beside conv2d.cl and conv2d_transpose.cl in another run:
 * 110 -> 25 of stride 2 at 28x28 0.62 (0.45), its data gradient 0.51 (0.41); 90 -> 25 transposed, 14x14 to 28x28, 0.57
 * (0.46), its data gradient 0.70 (0.56). Next: few taps a phase leave short loops, and each pixel's copies wait for x.
 *
 * Macros: R, S kernel size; STRIDE; TRANSPOSED 0 or 1; TK channels a tile, at most KG tiles a work-item; MOST. */
#include "vector.clh"

#if TRANSPOSED
#define PHASES STRIDE
#define STEP (-1)
#else
#define PHASES 1
#define STEP 1
#endif

/* How many of `size` taps a phase has, and how many the phases before it. */
static inline int phase_taps(int size, int phase) { return (size - phase + PHASES - 1) / PHASES; }
static inline int taps_before(int size, int phase) {
  int before = 0;
  for (int p = 0; p < phase; p++) before += phase_taps(size, p);
  return before;
}

/* packed of each (k, c, r, s), k up to a whole tile: one work-item, `count` of them. w is [K][C][R][S], or from_c,
 * [C][K][R][S]. */
__kernel void pack_blocked_weights(__global const float *restrict w_base, const ulong w_offset,
                                   __global float *restrict packed_base, const ulong packed_offset, const int k_count,
                                   const int c_count, const int from_c, const int count) {
  const int i = (int)get_global_id(0);
  if (i >= count) return;
  const int s = i % S, r = i / S % R, c = i / (R * S) % c_count, k = i / (R * S) / c_count;
  const int pr = r % PHASES, ps = s % PHASES, nr = phase_taps(R, pr), ns = phase_taps(S, ps);
  const size_t phase = (size_t)c_count * (taps_before(R, pr) * S + nr * taps_before(S, ps));
  const size_t to = (size_t)(k / TK) * c_count * R * S + phase + ((size_t)c * nr + r / PHASES) * ns + s / PHASES;
  const size_t from = ((from_c ? (size_t)c * k_count + k : (size_t)k * c_count + c) * R + r) * S + s;
  packed_base[packed_offset + to * TK + k % TK] = k < k_count ? w_base[w_offset + from] : 0.0f;
}

/* The taps of one channel: rows first to last, ns columns from iw on. */
static inline void copy_taps(__global const float *x, int ih, int first, int last, int iw, int ns, int w_size,
                             vfloat *v) {
  for (int a = first; a < last; a++) {
    __global const float *row = x + (ptrdiff_t)(ih + STEP * a) * w_size * LANES;
#if TRANSPOSED
    vprefetch(row + (ptrdiff_t)(iw + 1) * LANES);
#else
    for (int b = 0; b < STRIDE; b++) vprefetch(row + (ptrdiff_t)(iw + ns + b) * LANES);
#endif
    for (int b = 0; b < ns; b++) {
      const int column = iw + STEP * b;
      *v++ = column >= 0 && column < w_size ? vload(row + (ptrdiff_t)column * LANES) : (vfloat)(0.0f);
    }
  }
}

/* acc[k] += w . v over `count` of them. */
static inline void multiply(int count, __global const float *w, const vfloat *v, vfloat acc[TK]) {
  for (int i = 0; i < count; i++) {
    const vfloat x = v[i];
#pragma unroll
    for (int k = 0; k < TK; k++) acc[k] = fma((vfloat)(w[i * TK + k]), x, acc[k]);
  }
}

__kernel void conv2d_blocked(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict w_base, const ulong w_offset,
                             __global const float *restrict b_base, const ulong b_offset, __global float *y_base,
                             const ulong y_offset, const int n, const int c_count, const int h, const int w_size,
                             const int k_count, const int oh_count, const int ow_count, const int top, const int left,
                             const int has_bias, const int accumulate, const int kg) {
  const int kt0 = (int)get_global_id(0) * kg, oh = (int)get_global_id(1), n0 = (int)get_global_id(2) * V;
  const int kts = min(kg, (k_count + TK - 1) / TK - kt0), pixels = oh_count * ow_count;
  const size_t channel = (size_t)h * w_size * n;
  const int pr = TRANSPOSED ? (oh + top) % STRIDE : 0, nr = phase_taps(R, pr);
  const int ih = TRANSPOSED ? (oh + top - pr) / STRIDE : oh * STRIDE - top;
  /* the rows of taps that are inside */
  const int first = TRANSPOSED ? clamp(ih - h + 1, 0, nr) : clamp(-ih, 0, nr);
  const int last = TRANSPOSED ? clamp(ih + 1, first, nr) : clamp(h - ih, first, nr);
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global float *y = y_base + y_offset + vplace(oh * ow_count, n0, pixels);
  vfloat v[MOST], sum[KG][TK];

  for (int ow = 0; ow < ow_count; ow++) {
    const int ps = TRANSPOSED ? (ow + left) % STRIDE : 0, ns = phase_taps(S, ps), taps = (last - first) * ns;
    const int iw = TRANSPOSED ? (ow + left - ps) / STRIDE : ow * STRIDE - left;
    const size_t phase = (size_t)c_count * (taps_before(R, pr) * S + nr * taps_before(S, ps));
    const int at_a_time = MOST / (nr * ns);
    for (int kt = 0; kt < kts; kt++)
#pragma unroll
      for (int k = 0; k < TK; k++) sum[kt][k] = (vfloat)(0.0f);
    for (int c0 = 0; c0 < c_count; c0 += at_a_time) {
      const int some = min(at_a_time, c_count - c0);
      for (int c = 0; c < some; c++) copy_taps(x + (c0 + c) * channel, ih, first, last, iw, ns, w_size, v + c * taps);
      for (int kt = 0; kt < kts; kt++) {
        __global const float *w =
            w_base + w_offset + ((size_t)(kt0 + kt) * c_count * R * S + phase + (size_t)c0 * nr * ns) * TK;
        vfloat acc[TK];
#pragma unroll
        for (int k = 0; k < TK; k++) acc[k] = sum[kt][k];
        if (taps == nr * ns)
          multiply(some * taps, w, v, acc);
        else
          for (int c = 0; c < some; c++) multiply(taps, w + (c * nr + first) * ns * TK, v + c * taps, acc);
#pragma unroll
        for (int k = 0; k < TK; k++) sum[kt][k] = acc[k];
      }
    }
    for (int k = kt0 * TK; k < min((kt0 + kts) * TK, k_count); k++) {
      __global float *out = y + (size_t)k * pixels * n + (size_t)ow * LANES;
      vfloat value = sum[k / TK - kt0][k % TK];
      if (has_bias) value += (vfloat)(b_base[b_offset + k]);
      if (accumulate) value += vload(out);
      vstore(value, out);
    }
  }
}
