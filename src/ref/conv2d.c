/* Convolution, its two gradients, and the transposed convolution, which is one of them. */
#include <stddef.h>

#include "ref/ref.h"

struct ref_conv2d ref_conv2d_same(int n, int c, int h, int w, int k, int r, int stride) {
  struct ref_conv2d d = {.n = n, .c = c, .h = h, .w = w, .k = k, .r = r, .s = r, .stride = stride};
  d.oh = (h + stride - 1) / stride;
  d.ow = (w + stride - 1) / stride;
  int rows = (d.oh - 1) * stride + r - h;
  int columns = (d.ow - 1) * stride + r - w;
  d.top = rows > 0 ? rows / 2 : 0;
  d.left = columns > 0 ? columns / 2 : 0;
  return d;
}

/* The outputs o, first <= o < end, whose input o stride + tap - before is within the image's side. */
struct range {
  int first, end;
};

static struct range inside(int tap, int before, int stride, int side, int outputs) {
  struct range r = {0, outputs};
  while (r.first < outputs && r.first * stride + tap - before < 0) r.first++;
  while (r.end > r.first && (r.end - 1) * stride + tap - before >= side) r.end--;
  return r;
}

/* One weight w[k][c][i][j] and one image: every pixel of y that it takes part in, and its x. Any result may be NULL. */
static void tap(const struct ref_conv2d *d, int n, int wi, const double *x, const double *w, const double *dy,
                double *y, double *dx, double *dw) {
  const int j = wi % d->s, i = wi / d->s % d->r, c = wi / d->s / d->r % d->c, k = wi / d->s / d->r / d->c;
  const struct range rows = inside(i, d->top, d->stride, d->h, d->oh);
  const struct range columns = inside(j, d->left, d->stride, d->w, d->ow);
  double sum = 0;
  for (int oy = rows.first; oy < rows.end; oy++) {
    const int o = ((n * d->k + k) * d->oh + oy) * d->ow;
    const int at = ((n * d->c + c) * d->h + oy * d->stride + i - d->top) * d->w + j - d->left;
    for (int ox = columns.first; y && ox < columns.end; ox++) y[o + ox] += x[at + ox * d->stride] * w[wi];
    for (int ox = columns.first; dx && ox < columns.end; ox++) dx[at + ox * d->stride] += dy[o + ox] * w[wi];
    for (int ox = columns.first; dw && ox < columns.end; ox++) sum += dy[o + ox] * x[at + ox * d->stride];
  }
  if (dw) dw[wi] += sum;
}

static void convolve(const struct ref_conv2d *d, const double *x, const double *w, const double *dy, double *y,
                     double *dx, double *dw) {
  for (int n = 0; n < d->n; n++)
    for (int wi = 0; wi < d->k * d->c * d->r * d->s; wi++) tap(d, n, wi, x, w, dy, y, dx, dw);
}

void ref_conv2d(const struct ref_conv2d *d, const double *x, const double *w, const double *b, double *y) {
  int pixels = d->oh * d->ow;
  for (int o = 0; o < d->n * d->k * pixels; o++) y[o] = b ? b[o / pixels % d->k] : 0;
  convolve(d, x, w, NULL, y, NULL, NULL);
}

void ref_conv2d_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx) {
  convolve(d, NULL, w, dy, NULL, dx, NULL);
}

void ref_conv2d_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw, double *db) {
  const int pixels = d->oh * d->ow;
  for (int o = 0; db && o < d->n * d->k * pixels; o++) db[o / pixels % d->k] += dy[o];
  if (dw) convolve(d, x, NULL, dy, NULL, NULL, dw);
}

void ref_conv2d_transpose(const struct ref_conv2d *d, const double *x, const double *w, double *y) {
  for (int i = 0; i < d->n * d->c * d->h * d->w; i++) y[i] = 0;
  convolve(d, NULL, w, x, NULL, y, NULL);
}

void ref_conv2d_transpose_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx) {
  convolve(d, dy, w, NULL, dx, NULL, NULL);
}

void ref_conv2d_transpose_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw) {
  convolve(d, dy, NULL, x, NULL, NULL, dw);
}
