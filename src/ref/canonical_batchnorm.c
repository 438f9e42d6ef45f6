/* cl/batchnorm.cl; the dropout and the activation that are folded into it are canonical_activation. */
#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

/* Lanes of the valid images of the block that begins at b. */
static inline int valid_lanes(const struct canonical_shape *s, int b) {
  const int rest = s->n_valid - b;
  return rest < 0 ? 0 : rest > CANONICAL_LANES ? CANONICAL_LANES : rest;
}

/* A row's mean and sum of squared deviations. Padding images add 0. */
CANONICAL_CLONES
static void row_moments(const struct canonical_shape *s, const float *x, float *mean, float *squares) {
  float sums[CANONICAL_LANES] = {0}, deviations[CANONICAL_LANES] = {0};
  for (int b = 0; b < s->n; b += CANONICAL_LANES)
    for (int w = 0; w < s->w; w++)
      for (int l = 0; l < CANONICAL_LANES; l++) sums[l] += l < valid_lanes(s, b) ? x[w * s->n + b + l] : 0.0f;
  *mean = canonical_tree(sums) / (float)(s->w * s->n_valid);
  for (int b = 0; b < s->n; b += CANONICAL_LANES)
    for (int w = 0; w < s->w; w++)
      for (int l = 0; l < CANONICAL_LANES; l++) {
        const float d = l < valid_lanes(s, b) ? x[w * s->n + b + l] - *mean : 0.0f;
        deviations[l] = fmaf(d, d, deviations[l]);
      }
  *squares = canonical_tree(deviations);
}

void canonical_batchnorm_statistics(const struct canonical_shape *s, const float *x, float epsilon, float momentum,
                                    float *stats, float *moving_mean, float *moving_var) {
  const float in_row = (float)(s->w * s->n_valid);
  for (int c = 0; c < s->c; c++) {
    float mean = 0.0f, squares = 0.0f;
    for (int h = 0; h < s->h; h++, x += s->w * s->n) {
      float row_mean, row_squares;
      row_moments(s, x, &row_mean, &row_squares);
      if (h == 0) {
        mean = row_mean, squares = row_squares;
        continue;
      }
      const float delta = row_mean - mean;
      mean = fmaf(delta, 1.0f / (float)(h + 1), mean);
      squares = squares + row_squares;
      squares = fmaf(delta * delta, in_row * ((float)h / (float)(h + 1)), squares);
    }
    const float variance = squares / (in_row * (float)s->h);
    stats[c] = mean;
    stats[s->c + c] = 1.0f / sqrtf(variance + epsilon);
    moving_mean[c] = fmaf(momentum, moving_mean[c], (1.0f - momentum) * mean);
    moving_var[c] = fmaf(momentum, moving_var[c], (1.0f - momentum) * variance);
  }
}

void canonical_batchnorm_moving(int c, float epsilon, const float *moving_mean, const float *moving_var, float *stats) {
  for (int i = 0; i < c; i++) {
    stats[i] = moving_mean[i];
    stats[c + i] = 1.0f / sqrtf(moving_var[i] + epsilon);
  }
}

CANONICAL_CLONES
static void normalize(int count, float mean, float inv, float gamma, float beta, const float *x, float *y) {
  for (int i = 0; i < count; i++) y[i] = fmaf(gamma, (x[i] - mean) * inv, beta);
}

void canonical_batchnorm(const struct canonical_shape *s, const float *x, const float *stats, const float *gamma,
                         const float *beta, float *y) {
  const int channel = s->h * s->w * s->n;
  for (int c = 0; c < s->c; c++, x += channel, y += channel)
    normalize(channel, stats[c], stats[s->c + c], gamma[c], beta[c], x, y);
}

/* A row's sums of g and g * xhat. */
CANONICAL_CLONES
static void row_sums(const struct canonical_shape *s, const float *x, float *g, float mean, float inv, float *total,
                     float *product) {
  float sums[CANONICAL_LANES] = {0}, products[CANONICAL_LANES] = {0};
  for (int b = 0; b < s->n; b += CANONICAL_LANES)
    for (int w = 0; w < s->w; w++)
      for (int l = 0; l < CANONICAL_LANES; l++) {
        const int at = w * s->n + b + l;
        g[at] = l < valid_lanes(s, b) ? g[at] : 0.0f;
        sums[l] += g[at];
        products[l] = fmaf(g[at], (x[at] - mean) * inv, products[l]);
      }
  *total = canonical_tree(sums);
  *product = canonical_tree(products);
}

void canonical_batchnorm_backward_sums(const struct canonical_shape *s, const float *x, float *g, float *stats,
                                       float *dgamma, float *dbeta) {
  const float m = (float)(s->w * s->n_valid) * (float)s->h;
  for (int c = 0; c < s->c; c++) {
    float sum = 0.0f, products = 0.0f;
    for (int h = 0; h < s->h; h++, x += s->w * s->n, g += s->w * s->n) {
      float total, product;
      row_sums(s, x, g, stats[c], stats[s->c + c], &total, &product);
      sum += total;
      products += product;
    }
    stats[2 * s->c + c] = sum / m;
    stats[3 * s->c + c] = products / m;
    dbeta[c] = sum;
    dgamma[c] = products;
  }
}

/* stats: the channel's, one every s->c floats. */
CANONICAL_CLONES
static void channel_backward(const struct canonical_shape *s, const float *x, const float *g, const float *stats,
                             float gamma, bool accumulate, float *dx) {
  const float mean = stats[0], inv = stats[s->c], mean_g = stats[2 * s->c], mean_product = stats[3 * s->c];
  const float factor = gamma * inv;
  for (int i = 0; i < s->h * s->w * s->n; i++) {
    const float xhat = (x[i] - mean) * inv;
    float d = factor * fmaf(-xhat, mean_product, g[i] - mean_g);
    if (i % s->n >= s->n_valid) d = 0.0f;
    if (accumulate) d += dx[i];
    dx[i] = d;
  }
}

void canonical_batchnorm_backward(const struct canonical_shape *s, const float *x, const float *g, const float *stats,
                                  const float *gamma, bool accumulate, float *dx) {
  const int channel = s->h * s->w * s->n;
  for (int c = 0; c < s->c; c++, x += channel, g += channel, dx += channel)
    channel_backward(s, x, g, stats + c, gamma[c], accumulate, dx);
}
