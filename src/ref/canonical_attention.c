/* cl/spatial_attention.cl and cl/channel_attention.cl around their convolutions. */
#include <stdlib.h>

#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

/* Maximum and mean of `count` rows of n images that are `step` floats apart, rows in order. */
static void pool(int count, size_t step, int n, const float *a, float *largest, float *mean) {
  const float inverse = 1.0f / (float)count;
  for (int i = 0; i < n; i++) largest[i] = mean[i] = a[i];
  for (int k = 1; k < count; k++)
    for (int i = 0; i < n; i++) {
      const float v = a[(size_t)k * step + (size_t)i];
      largest[i] = v > largest[i] ? v : largest[i];
      mean[i] += v;
    }
  for (int i = 0; i < n; i++) mean[i] = mean[i] * inverse;
}

CANONICAL_CLONES
static void sigmoid(int count, float *x) {
  for (int i = 0; i < count; i++) x[i] = canonical_sigmoid(x[i]);
}

/* ds = sum of dy * a over the same rows, times the derivative of the sigmoid that gave scale. */
CANONICAL_CLONES
static void scale_backward(int count, size_t step, int n, const float *a, const float *dy, const float *scale,
                           float *ds) {
  for (int i = 0; i < n; i++) ds[i] = 0.0f;
  for (int k = 0; k < count; k++)
    for (int i = 0; i < n; i++) ds[i] = fmaf(dy[(size_t)k * step + (size_t)i], a[(size_t)k * step + (size_t)i], ds[i]);
  for (int i = 0; i < n; i++) ds[i] = ds[i] * (scale[i] * (1.0f - scale[i]));
}

/* One image of the same rows: da = dy * scale + dmean / count + (a is the largest ? dlargest / how many are : 0). */
static inline void pool_backward(int count, size_t step, const float *a, const float *dy, float scale, float largest,
                                 float dlargest, float dmean, bool accumulate, float *da) {
  float ties = 0.0f;
  for (int k = 0; k < count; k++) ties += a[(size_t)k * step] == largest ? 1.0f : 0.0f;
  const float share = dlargest / ties, mean_share = dmean * (1.0f / (float)count);
  for (int k = 0; k < count; k++) {
    const size_t at = (size_t)k * step;
    float g = fmaf(dy[at], scale, mean_share);
    g += a[at] == largest ? share : 0.0f;
    if (accumulate) g += da[at];
    da[at] = g;
  }
}

/* --- spatial ------------------------------------------------------------------------------------------------------ */

static struct ref_conv2d spatial_conv(const struct canonical_shape *s) {
  return ref_conv2d_same(s->n, 2, s->h, s->w, 1, 5, 1);
}

void canonical_spatial_attention(const struct canonical_shape *s, const float *a, const float *w, const float *b,
                                 float *pooled, float *scale, float *y) {
  const struct ref_conv2d d = spatial_conv(s);
  const int map = s->h * s->w * s->n;
  for (int at = 0; at < map; at += s->n) pool(s->c, (size_t)map, s->n, a + at, pooled + at, pooled + map + at);
  canonical_conv2d(&d, pooled, w, b, false, scale);
  sigmoid(map, scale);
  canonical_keep(s, s->h * s->w, scale);
  for (int c = 0; c < s->c; c++, a += map, y += map)
    for (int i = 0; i < map; i++) y[i] = a[i] * scale[i];
}

CANONICAL_CLONES
static void spatial_apply_backward(const struct canonical_shape *s, const float *a, const float *pooled,
                                   const float *scale, const float *dpooled, const float *dy, bool accumulate,
                                   float *da) {
  const int map = s->h * s->w * s->n;
  for (int i = 0; i < map; i++)
    pool_backward(s->c, (size_t)map, a + i, dy + i, scale[i], pooled[i], dpooled[i], dpooled[map + i], accumulate,
                  da + i);
}

void canonical_spatial_attention_backward(const struct canonical_shape *s, const float *a, const float *w,
                                          const float *pooled, const float *scale, const float *dy, float *dw,
                                          float *db, bool accumulate, float *da) {
  const struct ref_conv2d d = spatial_conv(s);
  const int map = s->h * s->w * s->n;
  float *dt = canonical_alloc((size_t)map), *dpooled = canonical_alloc(2 * (size_t)map);
  for (int at = 0; at < map; at += s->n) scale_backward(s->c, (size_t)map, s->n, a + at, dy + at, scale + at, dt + at);
  canonical_conv2d_backward_weight(&d, pooled, dt, dw);
  canonical_bias_backward(s->n, 1, s->h, s->w, dt, db);
  if (da) {
    canonical_conv2d_backward_data(&d, dt, w, NULL, false, dpooled);
    spatial_apply_backward(s, a, pooled, scale, dpooled, dy, accumulate, da);
  }
  free(dt);
  free(dpooled);
}

/* --- channel ------------------------------------------------------------------------------------------------------ */

/* A layer of the perceptron over the two descriptors, the two pixels of an image. */
static struct ref_conv2d layer(const struct canonical_shape *s, int in, int out) {
  return ref_conv2d_same(s->n, in, 1, 2, out, 1, 1);
}

static const struct canonical_pointwise relu = {.activation = REF_RELU};
static const struct canonical_draw no_draw = {0};

void canonical_channel_attention(const struct canonical_shape *s, const float *a, const struct canonical_mlp *p,
                                 float *q, float *hidden, float *scale, float *y) {
  const int n = s->n, pixels = s->h * s->w;
  const struct ref_conv2d first = layer(s, s->c, p->hidden), second = layer(s, p->hidden, s->c);
  const struct canonical_shape hidden_shape = {.n = n, .n_valid = s->n_valid, .c = p->hidden, .h = 1, .w = 2};
  float *o = canonical_alloc((size_t)(2 * s->c * n));
  for (int c = 0; c < s->c; c++)
    pool(pixels, (size_t)n, n, a + (size_t)c * (size_t)(pixels * n), q + (2 * c + 1) * n, q + 2 * c * n);
  canonical_conv2d(&first, q, p->w1, p->b1, false, hidden);
  canonical_activation(&hidden_shape, &relu, &no_draw, hidden, hidden);
  canonical_keep(s, 2 * p->hidden, hidden);
  canonical_conv2d(&second, hidden, p->w2, p->b2, false, o);
  canonical_keep(s, 2 * s->c, o);
  for (int c = 0; c < s->c; c++)
    for (int i = 0; i < n; i++) scale[c * n + i] = o[2 * c * n + i] + o[(2 * c + 1) * n + i];
  sigmoid(s->c * n, scale);
  for (int row = 0; row < s->c * pixels; row++, a += n, y += n)
    for (int i = 0; i < n; i++) y[i] = a[i] * scale[row / pixels * n + i];
  free(o);
}

/* From d_o to dq, with the parameters' gradients on the way. */
static void mlp_backward(const struct canonical_shape *s, const struct canonical_mlp *p, const float *q,
                         const float *hidden, const float *d_o, const struct canonical_mlp *g, float *dq) {
  const struct ref_conv2d first = layer(s, s->c, p->hidden), second = layer(s, p->hidden, s->c);
  const struct canonical_shape hidden_shape = {.n = s->n, .n_valid = s->n_valid, .c = p->hidden, .h = 1, .w = 2};
  float *dh = canonical_alloc((size_t)(2 * p->hidden * s->n));
  canonical_conv2d_backward_weight(&second, hidden, d_o, g->w2);
  canonical_bias_backward(s->n, s->c, 1, 2, d_o, g->b2);
  canonical_conv2d_backward_data(&second, d_o, p->w2, NULL, false, dh);
  canonical_activation_backward(&hidden_shape, &relu, &no_draw, hidden, dh, false, dh);
  canonical_conv2d_backward_weight(&first, q, dh, g->w1);
  canonical_bias_backward(s->n, p->hidden, 1, 2, dh, g->b1);
  canonical_conv2d_backward_data(&first, dh, p->w1, NULL, false, dq);
  free(dh);
}

CANONICAL_CLONES
static void channel_apply_backward(const struct canonical_shape *s, const float *a, const float *q, const float *scale,
                                   const float *dq, const float *dy, bool accumulate, float *da) {
  const int n = s->n, pixels = s->h * s->w;
  for (int c = 0; c < s->c; c++)
    for (int i = 0; i < n; i++) {
      const size_t at = (size_t)c * (size_t)(pixels * n) + (size_t)i;
      pool_backward(pixels, (size_t)n, a + at, dy + at, scale[c * n + i], q[(2 * c + 1) * n + i],
                    dq[(2 * c + 1) * n + i], dq[2 * c * n + i], accumulate, da + at);
    }
}

void canonical_channel_attention_backward(const struct canonical_shape *s, const float *a,
                                          const struct canonical_mlp *p, const float *q, const float *hidden,
                                          const float *scale, const float *dy, const struct canonical_mlp *g,
                                          bool accumulate, float *da) {
  const int n = s->n, pixels = s->h * s->w;
  float *d_o = canonical_alloc((size_t)(2 * s->c * n)), *dq = canonical_alloc((size_t)(2 * s->c * n));
  for (int c = 0; c < s->c; c++) {
    const size_t at = (size_t)c * (size_t)(pixels * n);
    scale_backward(pixels, (size_t)n, n, a + at, dy + at, scale + c * n, d_o + 2 * c * n);
    memcpy(d_o + (2 * c + 1) * n, d_o + 2 * c * n, (size_t)n * sizeof *d_o);
  }
  mlp_backward(s, p, q, hidden, d_o, g, dq);
  if (da) channel_apply_backward(s, a, q, scale, dq, dy, accumulate, da);
  free(d_o);
  free(dq);
}
