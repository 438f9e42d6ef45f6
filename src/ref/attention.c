/* Spatial attention and CBAM's channel attention (arXiv:1807.06521). */
#include <stdlib.h>

#include "ref/ref.h"

/* The maximum of count values that lie step apart. */
static double maximum(const double *x, int count, int step) {
  double m = x[0];
  for (int i = 1; i < count; i++) m = x[i * step] > m ? x[i * step] : m;
  return m;
}

static double mean(const double *x, int count, int step) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += x[i * step];
  return sum / count;
}

/* Adds the gradients of the maximum, split evenly among ties as TensorFlow's reduce_max does, and of the mean. */
static void pool_backward(const double *x, int count, int step, double dmax, double dmean, double *dx) {
  double m = maximum(x, count, step);
  int ties = 0;
  for (int i = 0; i < count; i++) ties += x[i * step] == m;
  for (int i = 0; i < count; i++) dx[i * step] += dmean / count + (x[i * step] == m ? dmax / ties : 0);
}

/* pooled[n][2][h][w]: the maximum, then the mean, over channels. */
static void pool_channels(int n, int c, int hw, const double *x, double *pooled) {
  for (int i = 0; i < n * hw; i++) {
    const double *pixel = x + i / hw * c * hw + i % hw;
    double *out = pooled + i / hw * 2 * hw + i % hw;
    out[0] = maximum(pixel, c, hw);
    out[hw] = mean(pixel, c, hw);
  }
}

void ref_spatial_attention(int n, int c, int h, int w, const double *x, const double *weight, const double *b,
                           double *y, double *a) {
  int hw = h * w;
  double *pooled = ref_alloc(n * 2 * hw);
  double *map = ref_alloc(n * hw);
  struct ref_conv2d conv = ref_conv2d_same(n, 2, h, w, 1, 5, 1);
  pool_channels(n, c, hw, x, pooled);
  ref_conv2d(&conv, pooled, weight, b, map);
  ref_activation(REF_SIGMOID, n * hw, map, map);
  for (int i = 0; i < n * c * hw; i++) y[i] = x[i] * map[i / hw / c * hw + i % hw];
  for (int i = 0; a && i < n * hw; i++) a[i] = map[i];
  free(pooled);
  free(map);
}

void ref_spatial_attention_backward(int n, int c, int h, int w, const double *x, const double *weight, const double *b,
                                    const double *dy, double *dx, double *dweight, double *db) {
  int hw = h * w;
  double *pooled = ref_alloc(n * 2 * hw);
  double *dpooled = ref_alloc(n * 2 * hw);
  double *map = ref_alloc(n * hw);
  double *dmap = ref_alloc(n * hw);
  double *dlogit = ref_alloc(n * hw);
  struct ref_conv2d conv = ref_conv2d_same(n, 2, h, w, 1, 5, 1);
  pool_channels(n, c, hw, x, pooled);
  ref_conv2d(&conv, pooled, weight, b, map);
  for (int i = 0; i < n * c * hw; i++) {
    int pixel = i / hw / c * hw + i % hw;
    dmap[pixel] += dy[i] * x[i];
    if (dx) dx[i] += dy[i] * ref_sigmoid(map[pixel]);
  }
  ref_activation_backward(REF_SIGMOID, n * hw, map, dmap, dlogit);
  ref_conv2d_backward_weight(&conv, pooled, dlogit, dweight, db);
  ref_conv2d_backward_data(&conv, dlogit, weight, dpooled);
  for (int i = 0; dx && i < n * hw; i++) {
    int pixel = i / hw * c * hw + i % hw;
    const double *dp = dpooled + i / hw * 2 * hw + i % hw;
    pool_backward(x + pixel, c, hw, dp[0], dp[hw], dx + pixel);
  }
  free(pooled);
  free(dpooled);
  free(map);
  free(dmap);
  free(dlogit);
}

/* The MLP's passes over 2n descriptors: the n means, then the n maxima. */
struct mlp_pass {
  int n2;
  double *v, *hidden, *active, *out;
};

static struct mlp_pass mlp_forward(const struct ref_channel_attention *d, const double *x, const struct ref_mlp *p) {
  int n2 = 2 * d->n;
  struct mlp_pass m = {n2, ref_alloc(n2 * d->c), ref_alloc(n2 * d->hidden), ref_alloc(n2 * d->hidden),
                       ref_alloc(n2 * d->c)};
  for (int i = 0; i < d->n * d->c; i++) {
    m.v[i] = mean(x + i * d->hw, d->hw, 1);
    m.v[d->n * d->c + i] = maximum(x + i * d->hw, d->hw, 1);
  }
  ref_dense(n2, d->c, d->hidden, m.v, p->w1, p->b1, m.hidden);
  ref_activation(REF_RELU, n2 * d->hidden, m.hidden, m.active);
  ref_dense(n2, d->hidden, d->c, m.active, p->w2, p->b2, m.out);
  return m;
}

static void mlp_free(struct mlp_pass *m) {
  free(m->v);
  free(m->hidden);
  free(m->active);
  free(m->out);
}

void ref_channel_attention(const struct ref_channel_attention *d, const double *x, const struct ref_mlp *p, double *y,
                           double *a) {
  struct mlp_pass m = mlp_forward(d, x, p);
  for (int i = 0; i < d->n * d->c; i++) {
    double scale = ref_sigmoid(m.out[i] + m.out[d->n * d->c + i]);
    if (a) a[i] = scale;
    for (int j = 0; j < d->hw; j++) y[i * d->hw + j] = x[i * d->hw + j] * scale;
  }
  mlp_free(&m);
}

/* dv[2n][c] from dout[2n][c]; adds to g if it is not NULL. */
static void mlp_backward(const struct ref_channel_attention *d, const struct mlp_pass *m, const struct ref_mlp *p,
                         const double *dout, double *dv, const struct ref_mlp *g) {
  double *dactive = ref_alloc(m->n2 * d->hidden);
  double *dhidden = ref_alloc(m->n2 * d->hidden);
  ref_dense_backward(m->n2, d->hidden, d->c, m->active, p->w2, dout, dactive, g ? g->w2 : NULL, g ? g->b2 : NULL);
  ref_activation_backward(REF_RELU, m->n2 * d->hidden, m->hidden, dactive, dhidden);
  ref_dense_backward(m->n2, d->c, d->hidden, m->v, p->w1, dhidden, dv, g ? g->w1 : NULL, g ? g->b1 : NULL);
  free(dactive);
  free(dhidden);
}

void ref_channel_attention_backward(const struct ref_channel_attention *d, const double *x, const struct ref_mlp *p,
                                    const double *dy, double *dx, const struct ref_mlp *g) {
  int nc = d->n * d->c;
  struct mlp_pass m = mlp_forward(d, x, p);
  double *dout = ref_alloc(2 * nc);
  double *dv = ref_alloc(2 * nc);
  for (int i = 0; i < nc; i++) {
    double scale = ref_sigmoid(m.out[i] + m.out[nc + i]);
    double dscale = 0;
    for (int j = i * d->hw; j < (i + 1) * d->hw; j++) {
      dscale += dy[j] * x[j];
      if (dx) dx[j] += dy[j] * scale;
    }
    dout[i] = dout[nc + i] = dscale * scale * (1 - scale);
  }
  mlp_backward(d, &m, p, dout, dv, g);
  for (int i = 0; dx && i < nc; i++) pool_backward(x + i * d->hw, d->hw, 1, dv[nc + i], dv[i], dx + i * d->hw);
  free(dout);
  free(dv);
  mlp_free(&m);
}
