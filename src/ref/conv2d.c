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

/* One use of one weight: y[yi] takes x[xi] w[wi]. The index of x is -1 in the padding. */
struct tap {
  int x, w;
};

static struct tap tap_at(const struct ref_conv2d *d, int n, int k, int oy, int ox, int cij) {
  int j = cij % d->s;
  int i = cij / d->s % d->r;
  int c = cij / d->s / d->r;
  int iy = oy * d->stride + i - d->top;
  int ix = ox * d->stride + j - d->left;
  bool inside = iy >= 0 && iy < d->h && ix >= 0 && ix < d->w;
  return (struct tap){inside ? ((n * d->c + c) * d->h + iy) * d->w + ix : -1, k * d->c * d->r * d->s + cij};
}

/* Visits every output element and each of its taps. Any of the four results may be NULL. */
static void convolve(const struct ref_conv2d *d, const double *x, const double *w, const double *dy, double *y,
                     double *dx, double *dw, double *db) {
  int taps = d->c * d->r * d->s;
  for (int o = 0; o < d->n * d->k * d->oh * d->ow; o++) {
    int ox = o % d->ow;
    int oy = o / d->ow % d->oh;
    int k = o / d->ow / d->oh % d->k;
    int n = o / d->ow / d->oh / d->k;
    if (db) db[k] += dy[o];
    for (int cij = 0; cij < taps; cij++) {
      struct tap t = tap_at(d, n, k, oy, ox, cij);
      if (t.x < 0) continue;
      if (y) y[o] += x[t.x] * w[t.w];
      if (dx) dx[t.x] += dy[o] * w[t.w];
      if (dw) dw[t.w] += dy[o] * x[t.x];
    }
  }
}

void ref_conv2d(const struct ref_conv2d *d, const double *x, const double *w, const double *b, double *y) {
  int pixels = d->oh * d->ow;
  for (int o = 0; o < d->n * d->k * pixels; o++) y[o] = b ? b[o / pixels % d->k] : 0;
  convolve(d, x, w, NULL, y, NULL, NULL, NULL);
}

void ref_conv2d_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx) {
  convolve(d, NULL, w, dy, NULL, dx, NULL, NULL);
}

void ref_conv2d_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw, double *db) {
  if (dw || db) convolve(d, x, NULL, dy, NULL, NULL, dw, db);
}

void ref_conv2d_transpose(const struct ref_conv2d *d, const double *x, const double *w, double *y) {
  for (int i = 0; i < d->n * d->c * d->h * d->w; i++) y[i] = 0;
  convolve(d, NULL, w, x, NULL, y, NULL, NULL);
}

void ref_conv2d_transpose_backward_data(const struct ref_conv2d *d, const double *dy, const double *w, double *dx) {
  convolve(d, dy, w, NULL, dx, NULL, NULL, NULL);
}

void ref_conv2d_transpose_backward_weight(const struct ref_conv2d *d, const double *x, const double *dy, double *dw) {
  convolve(d, dy, NULL, x, NULL, NULL, dw, NULL);
}
