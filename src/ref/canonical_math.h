/* One lane of cl/common/math.clh, cl/common/activation.clh and cl/common/reduce.clh in plain C: the same operations in
 * the same order. What each computes, and where its coefficients come from, is said there. */
#ifndef FOVEA_REF_CANONICAL_MATH_H
#define FOVEA_REF_CANONICAL_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "ref/ref.h"

enum { CANONICAL_LANES = 16 };

/* Compiles a function twice where that can be done: fmaf is an instruction in one of them, chosen when the program
 * starts, and a call that gives the same bits in the other. Everything that it inlines is compiled with it.
 * For static functions only: clang 14 gives others another name. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__has_attribute)
#if __has_attribute(target_clones) && !defined __SANITIZE_THREAD__ /* which a resolver would run before */
#define CANONICAL_CLONES __attribute__((target_clones("fma", "default")))
#endif
#endif
#ifndef CANONICAL_CLONES
#define CANONICAL_CLONES
#endif

static inline float canonical_as_float(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline int32_t canonical_as_int(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float canonical_exp(float x) {
  float c = x < -104.0f ? -104.0f : x;
  c = c > 89.0f ? 89.0f : c;
  float k = rintf(c * 1.44269504088896341f);
  float r = fmaf(k, -0.693359375f, c);
  r = fmaf(k, 2.12194440e-4f, r);
  float p = 1.9875691500e-4f;
  p = fmaf(p, r, 1.3981999507e-3f);
  p = fmaf(p, r, 8.3334519073e-3f);
  p = fmaf(p, r, 4.1665795894e-2f);
  p = fmaf(p, r, 1.6666665459e-1f);
  p = fmaf(p, r, 5.0000001201e-1f);
  p = fmaf(p, r * r, r) + 1.0f;
  k = k != k ? 0.0f : k;
  int32_t i = (int32_t)k, i1 = i >> 1, i2 = i - i1;
  return p * canonical_as_float((i1 + 127) << 23) * canonical_as_float((i2 + 127) << 23);
}

static inline float canonical_log(float x) {
  int32_t bits = canonical_as_int(x), e = ((bits >> 23) & 0xff) - 126;
  float m = canonical_as_float((bits & 0x007fffff) | 0x3f000000);
  int low = m < 0.707106781186547524f;
  e -= low;
  m = low ? m + m - 1.0f : m - 1.0f;
  float k = (float)e, z = m * m;
  float p = 7.0376836292e-2f;
  p = fmaf(p, m, -1.1514610310e-1f);
  p = fmaf(p, m, 1.1676998740e-1f);
  p = fmaf(p, m, -1.2420140846e-1f);
  p = fmaf(p, m, 1.4249322787e-1f);
  p = fmaf(p, m, -1.6668057665e-1f);
  p = fmaf(p, m, 2.0000714765e-1f);
  p = fmaf(p, m, -2.4999993993e-1f);
  p = fmaf(p, m, 3.3333331174e-1f);
  float y = p * m * z;
  y = fmaf(k, -2.12194440e-4f, y);
  y = fmaf(-0.5f, z, y);
  return fmaf(k, 0.693359375f, m + y);
}

static inline float canonical_cos_turn(float u) {
  float q = rintf(u * 4.0f);
  float r = fmaf(q, -0.25f, u) * 6.28318530717958648f;
  float z = r * r;
  float s = -1.9515295891e-4f;
  s = fmaf(s, z, 8.3321608736e-3f);
  s = fmaf(s, z, -1.6666654611e-1f);
  s = fmaf(s * z, r, r);
  float c = 2.443315711809948e-5f;
  c = fmaf(c, z, -1.388731625493765e-3f);
  c = fmaf(c, z, 4.166664568298827e-2f);
  c = fmaf(c, z * z, fmaf(-0.5f, z, 1.0f));
  float y = q == 1.0f || q == 3.0f ? s : c;
  return q == 1.0f || q == 2.0f ? -y : y;
}

static inline float canonical_sigmoid(float x) {
  const float c = x < -87.0f ? -87.0f : x;
  return 1.0f / (1.0f + canonical_exp(-c));
}

static inline float canonical_tanh(float x) {
  const float size = fabsf(x), z = x * x;
  float p = -5.70498872745e-3f;
  p = fmaf(p, z, 2.06390887954e-2f);
  p = fmaf(p, z, -5.37397155531e-2f);
  p = fmaf(p, z, 1.33314422036e-1f);
  p = fmaf(p, z, -3.33332819422e-1f);
  const float large = 1.0f - 2.0f / (canonical_exp(size + size) + 1.0f);
  return size < 0.625f ? fmaf(p * z, x, x) : x < 0.0f ? -large : large;
}

static const float CANONICAL_SELU_SCALE = 1.05070098735548049342f;
static const float CANONICAL_SELU_SCALE_ALPHA = 1.75809934084737685994f;

static inline float canonical_activate(float x, enum ref_activation activation) {
  switch (activation) {
    case REF_ELU:
      return x > 0.0f ? x : canonical_exp(x) - 1.0f;
    case REF_RELU:
      return x < 0.0f ? 0.0f : x;
    case REF_SELU:
      return x > 0.0f ? CANONICAL_SELU_SCALE * x : CANONICAL_SELU_SCALE_ALPHA * (canonical_exp(x) - 1.0f);
    case REF_SIGMOID:
      return canonical_sigmoid(x);
    case REF_TANH:
      return canonical_tanh(x);
    case REF_LEAKY_RELU:
      return x < 0.0f ? x * 0.3f : x;
    default:
      return x;
  }
}

static inline float canonical_activate_backward(float dy, float y, enum ref_activation activation) {
  switch (activation) {
    case REF_ELU:
      return y > 0.0f ? dy : dy * (y + 1.0f);
    case REF_RELU:
      return y > 0.0f ? dy : 0.0f;
    case REF_SELU:
      return y >= 0.0f ? dy * CANONICAL_SELU_SCALE : dy * (y + CANONICAL_SELU_SCALE_ALPHA);
    case REF_SIGMOID:
      return dy * (y * (1.0f - y));
    case REF_TANH:
      return dy * fmaf(-y, y, 1.0f);
    case REF_LEAKY_RELU:
      return y > 0.0f ? dy : dy * 0.3f;
    default:
      return dy;
  }
}

/* The tree over 16 lanes: 8 sums l + (l + 8), 4 sums l + (l + 4), 2 sums l + (l + 2), 1 sum. */
static inline float canonical_tree(const float v[CANONICAL_LANES]) {
  float a[8], b[4], c[2];
  for (int l = 0; l < 8; l++) a[l] = v[l] + v[l + 8];
  for (int l = 0; l < 4; l++) b[l] = a[l] + a[l + 4];
  for (int l = 0; l < 2; l++) c[l] = b[l] + b[l + 2];
  return c[0] + c[1];
}

/* The tree over blocks of 16 images, `count` numbers `stride` floats from each other: that of as many blocks as the
 * largest power of two below count, then that of the rest. */
static inline float canonical_batch_tree(const float *blocks, size_t stride, int count) {
  if (count == 1) return blocks[0];
  int half = 1;
  while (2 * half < count) half *= 2;
  return canonical_batch_tree(blocks, stride, half) +
         canonical_batch_tree(blocks + (size_t)half * stride, stride, count - half);
}

/* The sum of a number of each of n images, n a multiple of 16; images is overwritten. */
static inline float canonical_batch_sum(float *images, int n) {
  const int blocks = n / CANONICAL_LANES;
  for (int b = 0; b < blocks; b++) images[b] = canonical_tree(images + b * CANONICAL_LANES);
  return canonical_batch_tree(images, 1, blocks);
}

#endif
