/* Convolution and transposed convolution as conv2d.cl and conv2d_transpose.cl, in the same canonical order, for CPUs
 * and for many channels. Larger images of 3x3 are winograd.cl's.
 *
 * Both are gathers: output (oh, ow) has the taps a < nr, b < ns, which read x[c][ih + STEP * a][iw + STEP * b]. A
 * convolution has R x S, STEP 1, ih = oh * STRIDE - top, iw = ow * STRIDE - left. A transposed one has those (r, s) of
 * R x S for which oh + top - r and ow + left - s are multiples of STRIDE: r = p + a * STRIDE with p = (oh + top) %
 * STRIDE, STEP -1, ih = (oh + top - p) / STRIDE, and so for columns: STRIDE x STRIDE phases of outputs.
 *
 * Layout: x [C][N/16][H][W][16], y [K][N/16][OH][OW][16], weights packed [K / TK][phase][C][nr][ns][TK], b [K].
 * Canonical order: acc = 0; for c, for the rows of taps (those outside skipped), for the columns (outside, w * 0 is
 *   added): acc = fma(w, x, acc); then y = acc, acc + b, the activation of that, or y + acc when accumulating.
 *
 * A position is one (ih, iw): one output, or the STRIDE x STRIDE outputs of a transposed convolution, which read the
 * same inputs. A work-item computes V images x kg tiles of TK channels x some neighbouring positions of a row. It
 * copies the rows that they read, of as many channels as MOST vectors hold, with zeros for the columns outside; then
 * each tile of filters goes over the positions, with the weights and the copied rows in the first two cache levels.
 * Sums are kept in private memory between groups of channels. Without the copy the channels' rows are often a multiple
 * of 4096 bytes apart and share the cache's sets: 110 -> 25 of stride 2 at 28x28 reaches 0.80 of the fma ceiling (Zen
 * 3).
 *
 * Macros: R, S kernel size; STRIDE; ACTIVATION (activation.clh); TRANSPOSED 0 or 1; TK channels a tile, at most KG
 * tiles a work-item, at most P positions; MOST, of which one channel takes at most ROWS * ((P - 1) * JUMP + COLUMNS).
 */
#include "common/convolution_output.clh"

#if TRANSPOSED
#define PHASES STRIDE
#define STEP (-1)
#define JUMP 1 /* columns of x from position to position */
#define TAP(b) (COLUMNS - 1 - (b))
#else
#define PHASES 1
#define STEP 1
#define JUMP STRIDE
#define TAP(b) (b)
#endif

/* The inputs of a position: rows and columns. */
#define ROWS ((R + PHASES - 1) / PHASES)
#define COLUMNS ((S + PHASES - 1) / PHASES)

/* The rows of taps are unrolled, but for large kernels. */
#if ROWS * COLUMNS <= 25
#define UNROLL ROWS
#else
#define UNROLL 1
#endif

/* How many of `size` taps a phase has, and how many the phases before it. */
static inline int phase_taps(int size, int phase) { return (size - phase + PHASES - 1) / PHASES; }
static inline int taps_before(int size, int phase) {
  int before = 0;
  for (int p = 0; p < phase; p++) before += phase_taps(size, p);
  return before;
}

/* Rows row, row + STEP, ... of the channel x, `columns` of each from `column` on, to v. Rows outside are never read. */
static inline void copy_rows(__global const float *x, int row, int column, int h, int w_size, int columns, vfloat *v) {
  const int first = clamp(-column, 0, columns), last = clamp(w_size - column, first, columns);
  for (int a = 0; a < ROWS; a++, v += columns) {
    const int at = row + STEP * a;
    if (at < 0 || at >= h) continue;
    __global const float *from = x + ((ptrdiff_t)at * w_size + column) * LANES;
    int b = 0;
    for (; b < first; b++) v[b] = (vfloat)(0.0f);
    for (; b < last; b++) v[b] = vload(from + b * LANES);
    for (; b < columns; b++) v[b] = (vfloat)(0.0f);
  }
}

/* Prefetches those inputs of a position that its left neighbour does not have, of the channel x. */
static inline void prefetch_position(__global const float *x, int row, int column, int w_size) {
  for (int a = 0; a < ROWS; a++)
    for (int b = 0; b < JUMP; b++) vprefetch(x + ((ptrdiff_t)(row + STEP * a) * w_size + column + b) * LANES);
}

/* acc[k] += w . v over one row of taps. */
static inline void multiply_row(const int ns, __global const float *w, const vfloat *v, vfloat acc[TK]) {
#pragma unroll
  for (int b = 0; b < ns; b++) {
    const vfloat x = v[TAP(b)];
#pragma unroll
    for (int k = 0; k < TK; k++) acc[k] = fma((vfloat)(w[b * TK + k]), x, acc[k]);
  }
}

/* acc[k] += w . v over `count` channels and the rows of taps first to last. */
static inline void multiply(int count, int columns, const int nr, const int ns, int first, int last,
                            __global const float *w, const vfloat *v, vfloat acc[TK]) {
  const bool whole = first == 0 && last == nr;
  for (int c = 0; c < count; c++, w += nr * ns * TK, v += ROWS * columns) {
    if (whole) {
#pragma unroll UNROLL
      for (int a = 0; a < nr; a++) multiply_row(ns, w + a * ns * TK, v + a * columns, acc);
    } else {
      for (int a = first; a < last; a++) multiply_row(ns, w + a * ns * TK, v + a * columns, acc);
    }
  }
}

/* `count` of acc to y, whose channels are `channel` apart, for images n0 and on of n_valid; b NULL: none. */
static inline void write_outputs(const vfloat acc[TK], int count, __global const float *b, int accumulate, int n0,
                                 int n_valid, __global float *y, size_t channel) {
#pragma unroll
  for (int k = 0; k < TK; k++, y += channel) {
    if (k >= count) break;
    vfloat value = convolution_output(acc[k], b ? b + k : NULL, n0, n_valid);
    if (accumulate) value += vload(y);
    vstore(value, y);
  }
}

__kernel void conv2d_blocked(__global const float *restrict x_base, const ulong x_offset,
                             __global const float *restrict w_base, const ulong w_offset,
                             __global const float *restrict b_base, const ulong b_offset,
                             __global const uint *restrict state, __global float *y_base, const ulong y_offset,
                             const int n, const int c_count, const int h, const int w_size, const int k_count,
                             const int oh_count, const int ow_count, const int top, const int left, const int has_bias,
                             const int accumulate, const int kg, const int positions) {
  /* numbers of positions: rows from `top / STRIDE` on, columns from first_q to last_q, `positions` a work-item */
  const int first_q = TRANSPOSED ? left / STRIDE : 0;
  const int last_q = TRANSPOSED ? (ow_count - 1 + left) / STRIDE + 1 : ow_count;
  const int parts = (last_q - first_q + positions - 1) / positions, part = (int)get_global_id(1) % parts;
  const int qh = (int)get_global_id(1) / parts + (TRANSPOSED ? top / STRIDE : 0), qw = first_q + part * positions;
  const int kt0 = (int)get_global_id(0) * kg, kts = min(kg, (k_count + TK - 1) / TK - kt0);
  const int row = TRANSPOSED ? qh : qh * STRIDE - top, column = TRANSPOSED ? qw - (COLUMNS - 1) : qw * STRIDE - left;
  const int columns = (positions - 1) * JUMP + COLUMNS, at_a_time = MOST / (ROWS * columns);
  const int n0 = first_image(2), n_valid = (int)state[1], pixels = oh_count * ow_count;
  const size_t x_channel = (size_t)h * w_size * n, y_channel = (size_t)pixels * n;
  __global const float *x = x_base + x_offset + vplace(0, n0, h * w_size);
  __global float *y = y_base + y_offset + vplace(0, n0, pixels) + kt0 * TK * y_channel;
  vfloat v[MOST], sum[KG][PHASES][PHASES][P][TK];

  for (int c0 = 0; c0 < c_count; c0 += at_a_time) {
    const int some = min(at_a_time, c_count - c0), more = min(at_a_time, c_count - c0 - some);
    /* what is prefetched: the next channels, after the last ones the first ones of the next row */
    const int ahead = more ? more : min(at_a_time, c_count), ahead_row = more ? row : row + (TRANSPOSED ? 1 : STRIDE);
    __global const float *ahead_x = x + (more ? c0 + some : 0) * x_channel;
    for (int c = 0; c < some; c++)
      copy_rows(x + (c0 + c) * x_channel, row, column, h, w_size, columns, v + c * ROWS * columns);
    for (int kt = 0; kt < kts; kt++)
#pragma unroll
      for (int pr = 0; pr < PHASES; pr++) {
        const int nr = phase_taps(R, pr), oh = TRANSPOSED ? qh * STRIDE - top + pr : qh;
        if (oh < 0 || oh >= oh_count) continue;
        /* the rows of taps that are inside */
        const int first = TRANSPOSED ? clamp(row - h + 1, 0, nr) : clamp(-row, 0, nr);
        const int last = TRANSPOSED ? clamp(row + 1, first, nr) : clamp(h - row, first, nr);
        for (int j = 0; j < min(positions, last_q - qw); j++) {
          for (int c = kt * PHASES + pr; c < ahead; c += kts * PHASES)
            prefetch_position(ahead_x + c * x_channel, ahead_row, column + j * JUMP, w_size);
#pragma unroll
          for (int ps = 0; ps < PHASES; ps++) {
            const int ns = phase_taps(S, ps), ow = TRANSPOSED ? (qw + j) * STRIDE - left + ps : qw + j;
            if (ow < 0 || ow >= ow_count) continue;
            const size_t tap = (size_t)c_count * (taps_before(R, pr) * S + nr * taps_before(S, ps)) + c0 * nr * ns;
            __global const float *w = w_base + w_offset + ((size_t)(kt0 + kt) * c_count * R * S + tap) * TK;
            vfloat acc[TK];
#pragma unroll
            for (int k = 0; k < TK; k++) acc[k] = c0 == 0 ? (vfloat)(0.0f) : sum[kt][pr][ps][j][k];
            __global float *out = y + kt * TK * y_channel + (size_t)(oh * ow_count + ow) * LANES;
            for (int k = 0; k < TK && more == 0; k++) vprefetch(out + k * y_channel);
            multiply(some, columns, nr, ns, first, last, w, v + j * JUMP, acc);
            if (more == 0)
              write_outputs(acc, k_count - (kt0 + kt) * TK, has_bias ? b_base + b_offset + (kt0 + kt) * TK : NULL,
                            accumulate, n0, n_valid, out, y_channel);
            else
#pragma unroll
              for (int k = 0; k < TK; k++) sum[kt][pr][ps][j][k] = acc[k];
          }
        }
      }
  }
}
