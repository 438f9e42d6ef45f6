/* cl/input.cl, cl/activation.cl and cl/adam.cl. */
#include "ref/canonical_math.h"
#include "ref/canonical_ops.h"

void canonical_keep(const struct canonical_shape *s, int rows, float *x) {
  for (int i = 0; i < rows; i++, x += s->n)
    for (int n = s->n_valid; n < s->n; n++) x[n] = 0.0f;
}

void canonical_input(const struct canonical_shape *s, const uint8_t *pixels, float *x) {
  const int elements = s->c * s->h * s->w;
  for (int e = 0; e < elements; e++)
    for (int n = 0; n < s->n; n++) {
      const float v = n < s->n_valid ? (float)pixels[n * elements + e] : 0.0f;
      x[(size_t)e * (size_t)s->n + (size_t)n] = v / 255.0f;
    }
}

/* Four pixels of a channel, 16 images from n0: their words decide what is dropped. */
struct dropout {
  uint32_t threshold; /* 0: nothing is dropped */
  float scale;
  uint32_t words[CANONICAL_LANES][4];
};

static struct dropout dropout_of(const struct canonical_pointwise *p) {
  return (struct dropout){.threshold = ref_dropout_threshold(p->rate), .scale = (float)(1.0 / (1.0 - p->rate))};
}

static void draw_words(struct dropout *drop, uint32_t op, const struct canonical_draw *draw, uint32_t quad, int n0) {
  const uint32_t key[2] = {(uint32_t)draw->seed, (uint32_t)(draw->seed >> 32)};
  if (drop->threshold == 0) return;
  for (int l = 0; l < CANONICAL_LANES; l++)
    ref_philox((uint32_t[4]){(uint32_t)(n0 + l), quad, op, draw->step}, key, drop->words[l]);
}

static inline float dropped(const struct dropout *drop, int lane, int pixel, float x) {
  if (drop->threshold == 0) return x;
  return drop->words[lane][pixel] < drop->threshold ? 0.0f : x * drop->scale;
}

CANONICAL_CLONES
static void activate_lanes(enum ref_activation activation, const struct dropout *drop, int pixel, const float *x,
                           float *y) {
  for (int l = 0; l < CANONICAL_LANES; l++) y[l] = canonical_activate(dropped(drop, l, pixel, x[l]), activation);
}

/* Of each activation. */
static const bool moves_zero[] = {
#define X(name, NAME, moves, ulp) moves,
    FOVEA_ACTIVATIONS(X)
#undef X
};

void canonical_activation(const struct canonical_shape *s, const struct canonical_pointwise *p,
                          const struct canonical_draw *draw, const float *x, float *y) {
  const int pixels = s->h * s->w, quads = (pixels + 3) / 4;
  struct dropout drop = dropout_of(p);
  for (int c = 0; c < s->c; c++)
    for (int q = 0; q < quads; q++)
      for (int n0 = 0; n0 < s->n; n0 += CANONICAL_LANES) {
        draw_words(&drop, p->op, draw, (uint32_t)(c * quads + q), n0);
        for (int i = 0; i < 4 && 4 * q + i < pixels; i++) {
          const size_t at = ((size_t)c * (size_t)pixels + (size_t)(4 * q + i)) * (size_t)s->n + (size_t)n0;
          activate_lanes(p->activation, &drop, i, x + at, y + at);
        }
      }
  if (moves_zero[p->activation]) canonical_keep(s, s->c * pixels, y);
}

static void activate_lanes_backward(enum ref_activation activation, const struct dropout *drop, int pixel,
                                    const float *y, const float *dy, bool accumulate, float *dx) {
  for (int l = 0; l < CANONICAL_LANES; l++) {
    float g = dropped(drop, l, pixel, canonical_activate_backward(dy[l], y[l], activation));
    if (accumulate) g += dx[l];
    dx[l] = g;
  }
}

void canonical_activation_backward(const struct canonical_shape *s, const struct canonical_pointwise *p,
                                   const struct canonical_draw *draw, const float *y, const float *dy, bool accumulate,
                                   float *dx) {
  const int pixels = s->h * s->w, quads = (pixels + 3) / 4;
  struct dropout drop = dropout_of(p);
  for (int c = 0; c < s->c; c++)
    for (int q = 0; q < quads; q++)
      for (int n0 = 0; n0 < s->n; n0 += CANONICAL_LANES) {
        draw_words(&drop, p->op, draw, (uint32_t)(c * quads + q), n0);
        for (int i = 0; i < 4 && 4 * q + i < pixels; i++) {
          const size_t at = ((size_t)c * (size_t)pixels + (size_t)(4 * q + i)) * (size_t)s->n + (size_t)n0;
          activate_lanes_backward(p->activation, &drop, i, y + at, dy + at, accumulate, dx + at);
        }
      }
}

CANONICAL_CLONES
static void update(int count, float alpha, const float *g, float *m, float *v, float *p) {
  for (int i = 0; i < count; i++) {
    m[i] = fmaf(0.1f, g[i] - m[i], m[i]);
    v[i] = fmaf(0.001f, fmaf(g[i], g[i], -v[i]), v[i]);
    p[i] = p[i] - alpha * m[i] / (sqrtf(v[i]) + 1e-7f);
  }
}

void canonical_adam_update(int count, float alpha, const float *g, float *m, float *v, float *p) {
  update(count, alpha, g, m, v, p);
}
