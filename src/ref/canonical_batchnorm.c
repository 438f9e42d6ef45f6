/* cl/batchnorm.cl; the dropout and the activation that are fused into it are canonical_activation. */
#include <stdlib.h>

#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

/* A row's mean and sum of squared deviations, of each image. */
CANONICAL_CLONES
static void row_moments(const struct canonical_shape *s, const float *x, float *mean, float *squares) {
  const float inverse = 1.0f / (float)s->w;
  for (int n = 0; n < s->n; n++) mean[n] = squares[n] = 0.0f;
  for (int w = 0; w < s->w; w++)
    for (int n = 0; n < s->n; n++) mean[n] += x[w * s->n + n];
  for (int n = 0; n < s->n; n++) mean[n] *= inverse;
  for (int w = 0; w < s->w; w++)
    for (int n = 0; n < s->n; n++) {
      const float d = x[w * s->n + n] - mean[n];
      squares[n] = fmaf(d, d, squares[n]);
    }
}

/* Row h with those before. */
CANONICAL_CLONES
static void merge_row(const struct canonical_shape *s, int h, const float *row_mean, const float *row_squares,
                      float *mean, float *squares) {
  const float weight = 1.0f / (float)(h + 1), between = (float)s->w * ((float)h / (float)(h + 1));
  for (int n = 0; n < s->n; n++) {
    const float delta = row_mean[n] - mean[n];
    mean[n] = fmaf(delta, weight, mean[n]);
    squares[n] += row_squares[n];
    squares[n] = fmaf(delta * delta, between, squares[n]);
  }
}

/* Of each image of a channel. scratch: 2 * n. */
static void image_moments(const struct canonical_shape *s, const float *x, float *scratch, float *mean,
                          float *squares) {
  row_moments(s, x, mean, squares);
  for (int h = 1; h < s->h; h++) {
    row_moments(s, x + h * s->w * s->n, scratch, scratch + s->n);
    merge_row(s, h, scratch, scratch + s->n, mean, squares);
  }
}

/* Of some of a batch's images, of which `images` are not padding. */
struct moments {
  float mean, squares;
  int images;
};

/* Of the block of images that begins at n0. */
CANONICAL_CLONES
static struct moments merge_block(const struct canonical_shape *s, int n0, const float *means, const float *squares) {
  const int left = s->n_valid - n0, images = left < 0 ? 0 : left < CANONICAL_LANES ? left : CANONICAL_LANES;
  float lanes[CANONICAL_LANES] = {0};
  struct moments m = {.images = images};
  for (int l = 0; l < images; l++) lanes[l] = means[n0 + l];
  m.mean = canonical_tree(lanes) / (float)(images > 0 ? images : 1);
  for (int l = 0; l < images; l++) {
    const float d = means[n0 + l] - m.mean;
    lanes[l] = fmaf(d * d, (float)(s->h * s->w), squares[n0 + l]);
  }
  m.squares = canonical_tree(lanes);
  return m;
}

/* Of the images of both (Chan, Golub & LeVeque). */
CANONICAL_CLONES
static struct moments merge(struct moments a, struct moments b, float in_image) {
  const int images = a.images + b.images;
  const float share = (float)b.images / (float)(images > 0 ? images : 1), delta = b.mean - a.mean;
  struct moments m = {.images = images};
  m.mean = fmaf(delta, share, a.mean);
  m.squares = fmaf(delta * delta, in_image * ((float)a.images * share), a.squares + b.squares);
  return m;
}

/* Of `count` blocks from n0 on, in the order of canonical_batch_tree. */
static struct moments merge_blocks(const struct canonical_shape *s, int n0, int count, const float *means,
                                   const float *squares) {
  if (count == 1) return merge_block(s, n0, means, squares);
  int half = 1;
  while (2 * half < count) half *= 2;
  return merge(merge_blocks(s, n0, half, means, squares),
               merge_blocks(s, n0 + half * CANONICAL_LANES, count - half, means, squares), (float)(s->h * s->w));
}

void canonical_batchnorm_statistics(const struct canonical_shape *s, const float *x, float epsilon, float momentum,
                                    float *stats, float *moving_mean, float *moving_var) {
  float *means = canonical_alloc(4 * (size_t)s->n), *image_squares = means + s->n;
  for (int c = 0; c < s->c; c++, x += s->h * s->w * s->n) {
    image_moments(s, x, means + 2 * s->n, means, image_squares);
    const struct moments m = merge_blocks(s, 0, s->n / CANONICAL_LANES, means, image_squares);
    const float variance = m.squares / ((float)(s->h * s->w) * (float)s->n_valid);
    stats[c] = m.mean;
    stats[s->c + c] = 1.0f / sqrtf(variance + epsilon);
    moving_mean[c] = fmaf(momentum, moving_mean[c], (1.0f - momentum) * m.mean);
    moving_var[c] = fmaf(momentum, moving_var[c], (1.0f - momentum) * variance);
  }
  free(means);
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

/* A row's sums of g and g * xhat, of each image, added to `total` and `product`. scratch: 2 * n. */
CANONICAL_CLONES
static void add_row(const struct canonical_shape *s, const float *x, const float *g, float mean, float inv,
                    float *scratch, float *total, float *product) {
  float *sum = scratch, *products = scratch + s->n;
  for (int n = 0; n < s->n; n++) sum[n] = products[n] = 0.0f;
  for (int w = 0; w < s->w; w++)
    for (int n = 0; n < s->n; n++) {
      const int at = w * s->n + n;
      sum[n] += g[at];
      products[n] = fmaf(g[at], (x[at] - mean) * inv, products[n]);
    }
  for (int n = 0; n < s->n; n++) total[n] += sum[n], product[n] += products[n];
}

void canonical_batchnorm_backward_sums(const struct canonical_shape *s, const float *x, const float *g, float *stats,
                                       float *dgamma, float *dbeta) {
  const float m = (float)(s->h * s->w * s->n_valid);
  float *total = canonical_alloc(4 * (size_t)s->n), *product = total + s->n;
  for (int c = 0; c < s->c; c++) {
    memset(total, 0, 2 * (size_t)s->n * sizeof *total);
    for (int h = 0; h < s->h; h++, x += s->w * s->n, g += s->w * s->n)
      add_row(s, x, g, stats[c], stats[s->c + c], total + 2 * s->n, total, product);
    for (int n = s->n_valid; n < s->n; n++) total[n] = product[n] = 0.0f;
    dbeta[c] = canonical_batch_sum(total, s->n);
    dgamma[c] = canonical_batch_sum(product, s->n);
    stats[2 * s->c + c] = dbeta[c] / m;
    stats[3 * s->c + c] = dgamma[c] / m;
  }
  free(total);
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
