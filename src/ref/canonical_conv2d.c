/* cl/conv2d.cl, cl/conv2d_transpose.cl, where canonical_winograd.c does not fit, cl/conv2d_backward_weight.cl and
 * cl/bias.cl.
 *
 * The kernels keep one output's sum in a register; here a whole row of outputs is summed tap by tap, which is the same
 * order for each of them and long loops for the compiler. */
#include <stdlib.h>

#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

enum { MOST_TAPS = 15 /* the library's largest kernel */ };

/* A row of outputs y[ow][n] and the taps of one row of inputs x[w][n]: input column i goes to output column o, then
 * i + i_step to o + o_step, and so on. */
struct taps {
  int n, ow, w;
  int o, o_step, i, i_step;
};

static inline void multiply_add(int count, float w, const float *restrict x, float *restrict acc) {
  for (int i = 0; i < count; i++) acc[i] = fmaf(w, x[i], acc[i]);
}

/* A column outside the image adds w * 0, which turns a sum of -0 into 0 and an infinite weight into a NaN. */
static inline void multiply_add_outside(int count, float w, float *acc) {
  for (int i = 0; i < count; i++) acc[i] = fmaf(w, 0.0f, acc[i]);
}

static inline int clamp(int x, int low, int high) { return x < low ? low : x > high ? high : x; }

static inline void add_taps(const struct taps *t, float w, const float *x, float *acc) {
  if (t->o_step == 1 && t->i_step == 1) { /* the columns inside the image are adjacent in x and y */
    const int first = clamp(t->o - t->i, t->o, t->ow), end = clamp(t->o - t->i + t->w, first, t->ow);
    multiply_add_outside((first - t->o) * t->n, w, acc + t->o * t->n);
    multiply_add((end - first) * t->n, w, x + (t->i - t->o + first) * t->n, acc + first * t->n);
    multiply_add_outside((t->ow - end) * t->n, w, acc + end * t->n);
    return;
  }
  for (int o = t->o, i = t->i; o < t->ow; o += t->o_step, i += t->i_step) {
    if (i >= 0 && i < t->w)
      multiply_add(t->n, w, x + i * t->n, acc + o * t->n);
    else
      multiply_add_outside(t->n, w, acc + o * t->n);
  }
}

static inline void finish_row(int count, const float *acc, const float *b, bool accumulate, float *y) {
  for (int i = 0; i < count; i++) {
    float v = acc[i];
    if (b) v += *b;
    if (accumulate) v += y[i];
    y[i] = v;
  }
}

CANONICAL_CLONES
static void conv2d_row(const struct ref_conv2d *d, const float *x, const float *w, int oy, float *acc) {
  struct taps t = {.n = d->n, .ow = d->ow, .w = d->w, .o_step = 1, .i_step = d->stride};
  for (int c = 0; c < d->c; c++)
    for (int r = 0; r < d->r; r++) {
      const int iy = oy * d->stride + r - d->top;
      if (iy < 0 || iy >= d->h) continue;
      for (int s = 0; s < d->s; s++) {
        t.i = s - d->left;
        add_taps(&t, w[(c * d->r + r) * d->s + s], x + ((size_t)c * (size_t)d->h + (size_t)iy) * (size_t)(d->w * d->n),
                 acc);
      }
    }
}

void canonical_conv2d(const struct ref_conv2d *d, const float *x, const float *w, const float *b, bool accumulate,
                      float *y) {
  const struct canonical_winograd g = {d->n, d->c, d->h, d->w, d->k, d->oh, d->ow, d->top, d->left, d->stride, false};
  if (d->r == 3 && d->s == 3 && canonical_winograd_fits(&g)) {
    canonical_winograd(&g, x, w, b, accumulate, y);
    return;
  }
  const int row = d->ow * d->n;
  float *acc = canonical_alloc((size_t)row);
  for (int k = 0; k < d->k; k++)
    for (int oy = 0; oy < d->oh; oy++) {
      memset(acc, 0, (size_t)row * sizeof *acc);
      conv2d_row(d, x, w + (size_t)k * (size_t)(d->c * d->r * d->s), oy, acc);
      finish_row(row, acc, b ? b + k : NULL, accumulate, y + ((size_t)k * (size_t)d->oh + (size_t)oy) * (size_t)row);
    }
  free(acc);
}

/* The smallest column o >= 0 that tap s reaches: (o + left - s) is a multiple of the stride. */
static int first_column(const struct ref_conv2d *d, int s) {
  int o = 0;
  while ((o + d->left - s) % d->stride != 0) o++;
  return o;
}

CANONICAL_CLONES
static void backward_data_row(const struct ref_conv2d *d, const float *dy, const float *w, int iy, float *acc) {
  struct taps t = {.n = d->n, .ow = d->w, .w = d->ow, .o_step = d->stride, .i_step = 1};
  const size_t filter = (size_t)(d->c * d->r * d->s);
  for (int k = 0; k < d->k; k++)
    for (int r = 0; r < d->r; r++) {
      const int whole = iy + d->top - r, oy = whole / d->stride;
      if (whole < 0 || whole % d->stride != 0 || oy >= d->oh) continue;
      for (int s = 0; s < d->s; s++) {
        t.o = first_column(d, s);
        t.i = (t.o + d->left - s) / d->stride;
        add_taps(&t, w[(size_t)k * filter + (size_t)(r * d->s + s)],
                 dy + ((size_t)k * (size_t)d->oh + (size_t)oy) * (size_t)(d->ow * d->n), acc);
      }
    }
}

void canonical_conv2d_backward_data(const struct ref_conv2d *d, const float *dy, const float *w, const float *b,
                                    bool accumulate, float *dx) {
  struct canonical_winograd g = {d->n, d->k, d->oh, d->ow, d->c, d->h, d->w, d->top, d->left, d->stride, true};
  if (d->r == 3 && d->s == 3 && canonical_winograd_fits(&g)) {
    if (d->stride == 1) g.top = 2 - d->top, g.left = 2 - d->left;
    canonical_winograd(&g, dy, w, b, accumulate, dx);
    return;
  }
  const int row = d->w * d->n;
  float *acc = canonical_alloc((size_t)row);
  for (int c = 0; c < d->c; c++)
    for (int iy = 0; iy < d->h; iy++) {
      memset(acc, 0, (size_t)row * sizeof *acc);
      backward_data_row(d, dy, w + c * d->r * d->s, iy, acc);
      finish_row(row, acc, b ? b + c : NULL, accumulate, dx + ((size_t)c * (size_t)d->h + (size_t)iy) * (size_t)row);
    }
  free(acc);
}

/* The 16 images of each tap of a kernel's row, for a row of dy and a block of 16 images; x and dy are at its first. */
static inline void add_row_lanes(const struct ref_conv2d *d, const float *x, const float *dy,
                                 float lanes[][CANONICAL_LANES]) {
  static const float outside[CANONICAL_LANES] = {0};
  for (int ow = 0; ow < d->ow; ow++, dy += d->n)
    for (int s = 0; s < d->s; s++) {
      const int i = ow * d->stride + s - d->left;
      const float *v = i >= 0 && i < d->w ? x + i * d->n : outside;
      for (int l = 0; l < CANONICAL_LANES; l++) lanes[s][l] = fmaf(dy[l], v[l], lanes[s][l]);
    }
}

/* A row of the kernel of one filter and channel. blocks: a row for each block of 16 images. */
CANONICAL_CLONES
static void weight_row_backward(const struct ref_conv2d *d, int r, const float *x, const float *dy,
                                float blocks[][MOST_TAPS], float *dw) {
  for (int n0 = 0; n0 < d->n; n0 += CANONICAL_LANES) {
    float lanes[MOST_TAPS][CANONICAL_LANES] = {{0}};
    for (int oy = 0; oy < d->oh; oy++) {
      const int iy = oy * d->stride + r - d->top;
      if (iy < 0 || iy >= d->h) continue;
      add_row_lanes(d, x + iy * d->w * d->n + n0, dy + oy * d->ow * d->n + n0, lanes);
    }
    for (int s = 0; s < d->s; s++) blocks[n0 / CANONICAL_LANES][s] = canonical_tree(lanes[s]);
  }
  for (int s = 0; s < d->s; s++) dw[s] = canonical_batch_tree(&blocks[0][s], MOST_TAPS, d->n / CANONICAL_LANES);
}

void canonical_conv2d_backward_weight(const struct ref_conv2d *d, const float *x, const float *dy, float *dw) {
  const struct canonical_winograd g = {d->n, d->c, d->h, d->w, d->k, d->oh, d->ow, d->top, d->left, d->stride, false};
  if (d->r == 3 && d->s == 3 && d->stride == 1 && canonical_winograd_fits(&g)) {
    canonical_winograd_backward_weight(d, x, dy, dw);
    return;
  }
  float(*blocks)[MOST_TAPS] = (float(*)[MOST_TAPS])canonical_alloc((size_t)(d->n / CANONICAL_LANES) * MOST_TAPS);
  for (int k = 0; k < d->k; k++)
    for (int c = 0; c < d->c; c++)
      for (int r = 0; r < d->r; r++, dw += d->s)
        weight_row_backward(d, r, x + (size_t)c * (size_t)(d->h * d->w * d->n),
                            dy + (size_t)k * (size_t)(d->oh * d->ow * d->n), blocks, dw);
  free(blocks);
}

void canonical_bias_backward(int n, int c, int h, int w, const float *dy, float *db) {
  float *images = canonical_alloc(2 * (size_t)n), *row = images + n;
  for (int k = 0; k < c; k++) {
    memset(images, 0, (size_t)n * sizeof *images);
    for (int y = 0; y < h; y++) {
      memset(row, 0, (size_t)n * sizeof *row);
      for (int x = 0; x < w; x++, dy += n)
        for (int i = 0; i < n; i++) row[i] += dy[i];
      for (int i = 0; i < n; i++) images[i] += row[i];
    }
    db[k] = canonical_batch_sum(images, n);
  }
  free(images);
}
