/* cl/reparameterize.cl and cl/sigmoid_bce.cl. */
#include <stdlib.h>

#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

static float normal(uint32_t image, uint32_t j, uint32_t op, const struct canonical_draw *draw) {
  const uint32_t key[2] = {(uint32_t)draw->seed, (uint32_t)(draw->seed >> 32)};
  uint32_t words[4];
  ref_philox((uint32_t[4]){image, j, op, draw->step}, key, words);
  const float u1 = fmaf((float)(words[0] >> 9), 0x1p-23f, 0x1p-24f);
  const float u2 = (float)(words[1] >> 9) * 0x1p-23f;
  return sqrtf(-2.0f * canonical_log(u1)) * canonical_cos_turn(u2);
}

float canonical_reparameterize(const struct canonical_shape *s, uint32_t op, const struct canonical_draw *draw,
                               const float *mu, const float *logvar, float *e, float *z) {
  float *images = canonical_alloc((size_t)s->n);
  for (int n = 0; n < s->n; n++)
    for (int j = 0; j < s->c; j++) {
      const int at = j * s->n + n;
      const bool valid = n < s->n_valid;
      e[at] = valid ? canonical_exp(logvar[at] * 0.5f) * normal((uint32_t)n, (uint32_t)j, op, draw) : 0.0f;
      z[at] = mu[at] + e[at];
      const float term = fmaf(-mu[at], mu[at], 1.0f + logvar[at]) - canonical_exp(logvar[at]);
      images[n] += valid ? -0.5f * term : 0.0f;
    }
  const float sum = canonical_batch_sum(images, s->n);
  free(images);
  return sum;
}

void canonical_reparameterize_backward(const struct canonical_shape *s, float weight, const float *mu,
                                       const float *logvar, const float *e, const float *dz, bool accumulate_mu,
                                       float *dmu, bool accumulate_logvar, float *dlogvar) {
  const float share = weight / (float)s->n_valid;
  for (int at = 0; at < s->c * s->n; at++) {
    const bool valid = at % s->n < s->n_valid;
    const float grow = canonical_exp(logvar[at]) - 1.0f;
    const float by_mu = valid ? fmaf(share, mu[at], dz[at]) : 0.0f;
    const float by_logvar = valid ? 0.5f * fmaf(share, grow, dz[at] * e[at]) : 0.0f;
    dmu[at] = accumulate_mu ? by_mu + dmu[at] : by_mu;
    dlogvar[at] = accumulate_logvar ? by_logvar + dlogvar[at] : by_logvar;
  }
}

/* One image and pixel: returns its loss, and sets p and dx. */
static inline float pixel_loss(float x, float t, float share, float *p, float *dx) {
  const float high = 1.0f - 1e-7f;
  *p = canonical_sigmoid(x);
  float q = *p < 1e-7f ? 1e-7f : *p;
  q = q > high ? high : q;
  *dx = *p != q && *p == *p ? 0.0f : (*p - t) * share;
  const float loss = -fmaf(t, canonical_log(q), (1.0f - t) * canonical_log(1.0f - q));
  return *p != *p ? *p : loss;
}

/* The losses of a row of pixels, whose arrays begin there, of each image, added to losses. row: n numbers. */
CANONICAL_CLONES
static void add_row_loss(const struct canonical_shape *s, float share, const float *x, const float *t, float *p,
                         float *dx, float *row, float *losses) {
  for (int n = 0; n < s->n; n++) row[n] = 0.0f;
  for (int w = 0; w < s->w; w++)
    for (int n = 0; n < s->n; n++) {
      const int at = w * s->n + n;
      const bool valid = n < s->n_valid;
      float gradient;
      const float loss = pixel_loss(x[at], t[at], share, &p[at], &gradient);
      row[n] += valid ? loss : 0.0f;
      if (!valid) p[at] = 0.0f;
      if (dx) dx[at] = valid ? gradient : 0.0f;
    }
  for (int n = 0; n < s->n; n++) losses[n] += row[n];
}

float canonical_sigmoid_bce(const struct canonical_shape *s, const float *x, const float *t, float *p, float *dx) {
  const float share = 1.0f / ((float)s->n_valid * (float)(s->c * s->h * s->w));
  const size_t row = (size_t)(s->w * s->n);
  float *losses = canonical_alloc(2 * (size_t)s->n);
  for (size_t i = 0; i < (size_t)(s->c * s->h); i++)
    add_row_loss(s, share, x + i * row, t + i * row, p + i * row, dx ? dx + i * row : NULL, losses + s->n, losses);
  const float sum = canonical_batch_sum(losses, s->n);
  free(losses);
  return sum;
}
