/* cl/winograd.cl and cl/winograd_backward_weight.cl: the same transforms and sums, in loops over the images of the
 * batch. */
#include <stdlib.h>
#include <string.h>

#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

enum { POSITIONS = 16, MOST_POSITIONS = 36 };

/* One step of B': d0 to d3 and the results are n numbers each, stride floats from each other. */
static inline void transform_inputs(int n, const float *d, size_t d_stride, float *t, size_t t_stride) {
  for (int i = 0; i < n; i++) {
    const float d0 = d[i], d1 = d[d_stride + (size_t)i], d2 = d[2 * d_stride + (size_t)i];
    const float d3 = d[3 * d_stride + (size_t)i];
    t[i] = d0 - d2, t[t_stride + (size_t)i] = d1 + d2, t[2 * t_stride + (size_t)i] = d2 - d1;
    t[3 * t_stride + (size_t)i] = d1 - d3;
  }
}

/* One step of A'. */
static inline void transform_outputs(int n, const float *m, size_t m_stride, float *t, size_t t_stride) {
  for (int i = 0; i < n; i++) {
    const float m0 = m[i], m1 = m[m_stride + (size_t)i], m2 = m[2 * m_stride + (size_t)i];
    const float m3 = m[3 * m_stride + (size_t)i];
    t[i] = (m0 + m1) + m2, t[t_stride + (size_t)i] = (m1 - m2) - m3;
  }
}

/* One step of G. */
static inline void transform_filters(int n, const float *g, size_t g_stride, float *t, size_t t_stride) {
  for (int i = 0; i < n; i++) {
    const float g0 = g[i], g1 = g[g_stride + (size_t)i], g2 = g[2 * g_stride + (size_t)i];
    const float s = (g0 + g2) * 0.5f, h = g1 * 0.5f;
    t[i] = g0, t[t_stride + (size_t)i] = s + h, t[2 * t_stride + (size_t)i] = s - h, t[3 * t_stride + (size_t)i] = g2;
  }
}

/* --- tiles of 4 x 4 outputs: the same three steps ------------------------------------------------------------------
 */

CANONICAL_CLONES
static void transform_inputs4(int n, const float *d, size_t d_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float d0 = d[i], d1 = d[d_stride + i], d2 = d[2 * d_stride + i];
    const float d3 = d[3 * d_stride + i], d4 = d[4 * d_stride + i], d5 = d[5 * d_stride + i];
    const float a = d4 - d2, b = d3 - d1, p = fmaf(1.5f, d3, a), q = fmaf(1.5f, d2, b);
    t[i] = fmaf(1.5f, b, a - (d2 - d0));
    t[t_stride + i] = p + q, t[2 * t_stride + i] = p - q;
    t[3 * t_stride + i] = fmaf(2.0f, b, a), t[4 * t_stride + i] = fmaf(-0.5f, b, a);
    t[5 * t_stride + i] = fmaf(1.5f, a, (d5 - d3) - b);
  }
}

CANONICAL_CLONES
static void transform_outputs4(int n, const float *m, size_t m_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float m0 = m[i], m1 = m[m_stride + i], m2 = m[2 * m_stride + i];
    const float m3 = m[3 * m_stride + i], m4 = m[4 * m_stride + i], m5 = m[5 * m_stride + i];
    const float a = m1 + m2, b = m1 - m2;
    t[i] = (m0 + a) + (m3 + m4), t[t_stride + i] = fmaf(-2.0f, m4, fmaf(0.5f, m3, b));
    t[2 * t_stride + i] = fmaf(4.0f, m4, fmaf(0.25f, m3, a));
    t[3 * t_stride + i] = fmaf(-8.0f, m4, fmaf(0.125f, m3, b)) + m5;
  }
}

static void transform_filters4(int n, const float *g, size_t g_stride, float *t, size_t t_stride) {
  const float third = 1.0f / 3.0f, fifteenth = 1.0f / 15.0f;
  for (size_t i = 0; i < (size_t)n; i++) {
    const float g0 = g[i], g1 = g[g_stride + i], g2 = g[2 * g_stride + i], a = (g0 + g2) * third, b = g1 * third;
    t[i] = g0, t[t_stride + i] = a + b, t[2 * t_stride + i] = b - a;
    t[3 * t_stride + i] = fmaf(0.25f, g2, fmaf(0.5f, g1, g0)) * (-16.0f / 15.0f);
    t[4 * t_stride + i] = fmaf(4.0f, g2, fmaf(-2.0f, g1, g0)) * fifteenth;
    t[5 * t_stride + i] = g2;
  }
}

/* --- stride 2: even and odd inputs apart; t[3] and t[4] are as the convolution has them --------------------------- */

CANONICAL_CLONES
static void transform_strided_inputs(int n, const float *d, size_t d_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float d0 = d[i], d2 = d[2 * d_stride + i], d4 = d[4 * d_stride + i];
    t[i] = d0 - d2, t[t_stride + i] = d2, t[2 * t_stride + i] = d2 - d4;
    t[3 * t_stride + i] = d[d_stride + i], t[4 * t_stride + i] = d[3 * d_stride + i];
  }
}

static void transform_strided_filters(int n, const float *g, size_t g_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float g0 = g[i], g1 = g[g_stride + i], g2 = g[2 * g_stride + i];
    t[i] = g0, t[t_stride + i] = g0 + g2, t[2 * t_stride + i] = g2, t[3 * t_stride + i] = g1, t[4 * t_stride + i] = g1;
  }
}

CANONICAL_CLONES
static void transform_strided_outputs(int n, const float *m, size_t m_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float m1 = m[m_stride + i];
    t[i] = (m[i] + m1) + m[3 * m_stride + i];
    t[t_stride + i] = (m1 - m[2 * m_stride + i]) + m[4 * m_stride + i];
  }
}

CANONICAL_CLONES
static void transform_transposed_inputs(int n, const float *d, size_t d_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float d0 = d[i], d1 = d[d_stride + i], d2 = d[2 * d_stride + i];
    t[i] = d0 - d1, t[t_stride + i] = d1, t[2 * t_stride + i] = d1 - d2, t[3 * t_stride + i] = d1;
    t[4 * t_stride + i] = d2;
  }
}

static void transform_transposed_filters(int n, const float *g, size_t g_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float g0 = g[i], g1 = g[g_stride + i], g2 = g[2 * g_stride + i];
    t[i] = g2, t[t_stride + i] = g0 + g2, t[2 * t_stride + i] = g0, t[3 * t_stride + i] = g1, t[4 * t_stride + i] = g1;
  }
}

CANONICAL_CLONES
static void transform_transposed_outputs(int n, const float *m, size_t m_stride, float *t, size_t t_stride) {
  for (size_t i = 0; i < (size_t)n; i++) {
    const float m1 = m[m_stride + i];
    t[i] = m[i] + m1, t[t_stride + i] = m[3 * m_stride + i];
    t[2 * t_stride + i] = m1 - m[2 * m_stride + i], t[3 * t_stride + i] = m[4 * m_stride + i];
  }
}

/* --- convolutions --------------------------------------------------------------------------------------------------
 */

typedef void step(int n, const float *from, size_t from_stride, float *to, size_t to_stride);

static const struct filtering {
  int side, inputs, elements, jump; /* of a tile, a side: outputs, inputs, elements; inputs from tile to tile */
  step *filter, *input, *output;
} small_tiles = {2, 4, 4, 2, transform_filters, transform_inputs, transform_outputs},
  large_tiles = {4, 6, 6, 4, transform_filters4, transform_inputs4, transform_outputs4},
  strided = {2, 5, 5, 4, transform_strided_filters, transform_strided_inputs, transform_strided_outputs},
  transposed = {4, 3, 5, 2, transform_transposed_filters, transform_transposed_inputs, transform_transposed_outputs};

static bool is_transposed(const struct canonical_winograd *d) { return d->backward_data && d->stride == 2; }

/* Outputs, with those of a transposed convolution's first tile that are before the image. */
static int rows_of(const struct canonical_winograd *d) { return is_transposed(d) ? d->oh + d->top % 2 : d->oh; }
static int columns_of(const struct canonical_winograd *d) { return is_transposed(d) ? d->ow + d->left % 2 : d->ow; }

static int products(const struct canonical_winograd *d, const struct filtering *f) {
  const int tiles = (rows_of(d) + f->side - 1) / f->side * ((columns_of(d) + f->side - 1) / f->side);
  return f->elements * f->elements * tiles;
}

/* The rules of src/op/conv2d/winograd.c. */
static const struct filtering *choose(const struct canonical_winograd *d) {
  if (d->stride == 2) return d->backward_data ? &transposed : &strided;
  return 4 * products(d, &large_tiles) < 3 * products(d, &small_tiles) ? &large_tiles : &small_tiles;
}

bool canonical_winograd_fits(const struct canonical_winograd *d) {
  if (d->c < 8 || d->k < 8 || d->oh < 6 || d->ow < 6) return false;
  const int h = rows_of(d), w = columns_of(d);
  const int places = is_transposed(d) ? (h + 1) / 2 * ((w + 1) / 2) : h * w;
  return d->stride == 1 || 4 * products(d, choose(d)) <= 3 * 9 * places;
}

/* to[rows][rows] of from[columns][columns], of n numbers each: down the columns, then along the rows. */
static void transform(step *one, int n, size_t columns, size_t rows, const float *from, float *t, float *to) {
  const size_t m = (size_t)n;
  for (size_t j = 0; j < columns; j++) one(n, from + j * m, columns * m, t + j * m, columns * m);
  for (size_t i = 0; i < rows; i++) one(n, t + columns * i * m, m, to + rows * i * m, m);
}

/* v = B' d B of the inputs from row, column of a channel x[h][w][n]. */
static void transform_tile(const struct canonical_winograd *d, const struct filtering *f, const float *x, int row,
                           int column, float *scratch, float *v) {
  const size_t n = (size_t)d->n;
  for (int p = 0; p < f->inputs * f->inputs; p++) {
    const int y = row + p / f->inputs, z = column + p % f->inputs;
    if (y >= 0 && y < d->h && z >= 0 && z < d->w)
      memcpy(scratch + (size_t)p * n, x + ((size_t)y * (size_t)d->w + (size_t)z) * n, n * sizeof *x);
    else
      memset(scratch + (size_t)p * n, 0, n * sizeof *x);
  }
  transform(f->input, d->n, (size_t)f->inputs, (size_t)f->elements, scratch, scratch + MOST_POSITIONS * n, v);
}

CANONICAL_CLONES
static void multiply(int n, int positions, int c_count, const float *u, const float *v, float *m) {
  memset(m, 0, (size_t)(positions * n) * sizeof *m);
  for (int c = 0; c < c_count; c++)
    for (int p = 0; p < positions; p++) {
      const float w = u[c * positions + p];
      const float *from = v + (size_t)(c * positions + p) * (size_t)n;
      for (int i = 0; i < n; i++) m[p * n + i] = fmaf(w, from[i], m[p * n + i]);
    }
}

/* The outputs of one tile and channel: those inside the image. */
static void finish_tile(const struct canonical_winograd *d, const struct filtering *f, int oy, int ox, const float *m,
                        const float *b, bool accumulate, float *scratch, float *y) {
  const size_t n = (size_t)d->n;
  float *out = scratch + MOST_POSITIONS * n;
  transform(f->output, d->n, (size_t)f->elements, (size_t)f->side, m, scratch, out);
  for (int p = 0; p < f->side * f->side; p++) {
    const int row = oy + p / f->side, column = ox + p % f->side;
    if (row < 0 || row >= d->oh || column < 0 || column >= d->ow) continue;
    float *at = y + ((size_t)row * (size_t)d->ow + (size_t)column) * n;
    for (size_t i = 0; i < n; i++) {
      float value = out[(size_t)p * n + i];
      if (b) value += *b;
      if (accumulate) value += at[i];
      at[i] = value;
    }
  }
}

/* u[k][c][positions] = G g G'. */
static float *transform_weights(const struct canonical_winograd *d, const struct filtering *f, const float *w) {
  const size_t positions = (size_t)(f->elements * f->elements);
  float *u = canonical_alloc((size_t)d->k * (size_t)d->c * positions), g[9], t[18];
  for (int k = 0; k < d->k; k++)
    for (int c = 0; c < d->c; c++) {
      for (int tap = 0; tap < 9; tap++)
        g[tap] = d->backward_data
                     ? w[((size_t)c * (size_t)d->k + (size_t)k) * 9 + (size_t)(is_transposed(d) ? tap : 8 - tap)]
                     : w[((size_t)k * (size_t)d->c + (size_t)c) * 9 + (size_t)tap];
      transform(f->filter, 1, 3, (size_t)f->elements, g, t, u + ((size_t)k * (size_t)d->c + (size_t)c) * positions);
    }
  return u;
}

void canonical_winograd(const struct canonical_winograd *d, const float *x, const float *w, const float *b,
                        bool accumulate, float *y) {
  const struct filtering *f = choose(d);
  const int positions = f->elements * f->elements;
  const int above = is_transposed(d) ? d->top % 2 : 0, before = is_transposed(d) ? d->left % 2 : 0;
  const int top = is_transposed(d) ? 1 - d->top / 2 : d->top, left = is_transposed(d) ? 1 - d->left / 2 : d->left;
  const size_t n = (size_t)d->n, in = (size_t)(d->h * d->w) * n, out = (size_t)(d->oh * d->ow) * n;
  const size_t tile = (size_t)positions * n;
  float *u = transform_weights(d, f, w), *v = canonical_alloc((size_t)d->c * tile), *m = canonical_alloc(tile);
  float *scratch = canonical_alloc(2 * MOST_POSITIONS * n);
  for (int ty = 0; ty * f->side < rows_of(d); ty++)
    for (int tx = 0; tx * f->side < columns_of(d); tx++) {
      for (int c = 0; c < d->c; c++)
        transform_tile(d, f, x + (size_t)c * in, ty * f->jump - top, tx * f->jump - left, scratch,
                       v + (size_t)c * tile);
      for (int k = 0; k < d->k; k++) {
        multiply(d->n, positions, d->c, u + (size_t)k * (size_t)(d->c * positions), v, m);
        finish_tile(d, f, ty * f->side - above, tx * f->side - before, m, b ? b + k : NULL, accumulate, scratch,
                    y + (size_t)k * out);
      }
    }
  free(u), free(v), free(m), free(scratch);
}

/* --- the weight gradient ------------------------------------------------------------------------------------------ */

/* Lanes n0 to n0 + 15 of x[h][w][n] at row, column; 0 outside. */
static void copy_lanes(const float *x, int row, int column, int h, int w, int n, int n0, float *to) {
  if (row >= 0 && row < h && column >= 0 && column < w)
    memcpy(to, x + ((size_t)row * (size_t)w + (size_t)column) * (size_t)n + n0, CANONICAL_LANES * sizeof *x);
  else
    memset(to, 0, CANONICAL_LANES * sizeof *x);
}

/* v[16][16 lanes] of one tile of the inputs. */
static void transform_lanes(const struct ref_conv2d *d, const float *x, int row, int column, int n0, float *v) {
  float d4[POSITIONS * CANONICAL_LANES], t[POSITIONS * CANONICAL_LANES];
  enum { L = CANONICAL_LANES };
  for (int p = 0; p < POSITIONS; p++)
    copy_lanes(x, row - d->top + p / 4, column - d->left + p % 4, d->h, d->w, d->n, n0, d4 + p * L);
  for (size_t j = 0; j < 4; j++) transform_inputs(L, d4 + j * L, 4 * L, t + j * L, 4 * L);
  for (size_t i = 0; i < 4; i++) transform_inputs(L, t + 4 * i * L, L, v + 4 * i * L, L);
}

/* One step of A: e0, e0 + e1, e0 - e1, e1. */
static inline void transform_gradients(const float *e, size_t e_stride, float *t, size_t t_stride) {
  for (size_t l = 0; l < CANONICAL_LANES; l++) {
    const float e0 = e[l], e1 = e[e_stride + l];
    t[l] = e0, t[t_stride + l] = e0 + e1, t[2 * t_stride + l] = e0 - e1, t[3 * t_stride + l] = e1;
  }
}

/* u[16][16 lanes] of one tile of the output's gradients. */
static void transform_gradient_lanes(const struct ref_conv2d *d, const float *dy, int row, int column, int n0,
                                     float *u) {
  enum { L = CANONICAL_LANES };
  float e[4 * L], t[8 * L];
  for (int p = 0; p < 4; p++) copy_lanes(dy, row + p / 2, column + p % 2, d->oh, d->ow, d->n, n0, e + p * L);
  for (size_t j = 0; j < 2; j++) transform_gradients(e + j * L, 2 * L, t + j * L, 2 * L);
  for (size_t i = 0; i < 4; i++) transform_gradients(t + 2 * i * L, L, u + 4 * i * L, L);
}

/* sum[16][16 lanes] += u . v, tile after tile. */
CANONICAL_CLONES
static void multiply_lanes(int tiles, const float *u, const float *v, float *sum) {
  enum { SIZE = POSITIONS * CANONICAL_LANES };
  for (int t = 0; t < tiles; t++)
    for (int i = 0; i < SIZE; i++) sum[i] = fmaf(u[t * SIZE + i], v[t * SIZE + i], sum[i]);
}

/* dw[3][3] of one filter and channel and a block of images. */
static void finish_weights(const float *sum, float *dw) {
  float m[POSITIONS], t[12];
  for (int p = 0; p < POSITIONS; p++) m[p] = canonical_tree(sum + p * CANONICAL_LANES);
  for (int j = 0; j < 4; j++) {
    const float s = (m[4 + j] + m[8 + j]) * 0.5f;
    t[j] = m[j] + s, t[4 + j] = (m[4 + j] - m[8 + j]) * 0.5f, t[8 + j] = s - m[12 + j];
  }
  for (int i = 0; i < 3; i++) {
    const float s = (t[4 * i + 1] + t[4 * i + 2]) * 0.5f;
    dw[3 * i] = t[4 * i] + s, dw[3 * i + 1] = (t[4 * i + 1] - t[4 * i + 2]) * 0.5f, dw[3 * i + 2] = s - t[4 * i + 3];
  }
}

void canonical_winograd_backward_weight(const struct ref_conv2d *d, const float *x, const float *dy, float *dw) {
  enum { SIZE = POSITIONS * CANONICAL_LANES };
  const int columns = (d->ow + 1) / 2, tiles = (d->oh + 1) / 2 * columns;
  const size_t channel = (size_t)tiles * SIZE, in = (size_t)(d->h * d->w * d->n);
  const size_t out = (size_t)(d->oh * d->ow * d->n), pairs = (size_t)d->k * (size_t)d->c;
  const int blocks = d->n / CANONICAL_LANES;
  float *v = canonical_alloc((size_t)d->c * channel), *u = canonical_alloc((size_t)d->k * channel);
  float *of_blocks = canonical_alloc((size_t)blocks * pairs * 9), *block = of_blocks;
  for (int n0 = 0; n0 < d->n; n0 += CANONICAL_LANES) {
    for (int t = 0; t < tiles; t++) {
      const int row = t / columns * 2, column = t % columns * 2;
      for (size_t c = 0; c < (size_t)d->c; c++)
        transform_lanes(d, x + c * in, row, column, n0, v + c * channel + (size_t)t * SIZE);
      for (size_t k = 0; k < (size_t)d->k; k++)
        transform_gradient_lanes(d, dy + k * out, row, column, n0, u + k * channel + (size_t)t * SIZE);
    }
    for (size_t i = 0; i < pairs; i++, block += 9) {
      float sum[SIZE] = {0};
      multiply_lanes(tiles, u + i / (size_t)d->c * channel, v + i % (size_t)d->c * channel, sum);
      finish_weights(sum, block);
    }
  }
  for (size_t i = 0; i < pairs * 9; i++) dw[i] = canonical_batch_tree(of_blocks + i, pairs * 9, blocks);
  free(v), free(u), free(of_blocks);
}
