/* Proves the reference: each backward against signed central differences of its forward, in double precision
 * (eps 1e-6, atol 1e-5, rtol 1e-3, as PyTorch's gradcheck), and Philox against Random123's known answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <math.h>

#include "ref/ref.h"

enum { MAX_INPUTS = 5 };

/* A function y[out] of up to five inputs, and the gradients to them of sum(dy y). */
struct problem {
  const char *name;
  void (*forward)(const struct problem *p, double *y);
  void (*backward)(const struct problem *p, double *const grad[MAX_INPUTS]);
  int size[MAX_INPUTS], out;
  int d[6];               /* the op's integers */
  struct ref_conv2d conv; /* or this */
  int counted;            /* only the first outputs enter the sum; 0: all. dy of the rest must be ignored. */
  uint8_t *keep;
  double *in[MAX_INPUTS], *dy;
};

static uint64_t random_state;

/* Uniform in [-1, 1): xorshift64* */
static double draw(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (double)(int64_t)(random_state * 2685821657736338717u) * 0x1p-63;
}

static double *draw_array(int count) {
  double *p = ref_alloc(count);
  for (int i = 0; i < count; i++) p[i] = 2 * draw();
  return p;
}

static double loss(const struct problem *p, double *y) {
  double sum = 0;
  p->forward(p, y);
  for (int i = 0; i < (p->counted ? p->counted : p->out); i++) sum += y[i] * p->dy[i];
  return sum;
}

static void check_input(const struct problem *p, int k, const double *grad, double *y) {
  const double eps = 1e-6;
  int nonzero = 0;
  for (int i = 0; i < p->size[k]; i++) {
    double x = p->in[k][i];
    p->in[k][i] = x + eps;
    double above = loss(p, y);
    p->in[k][i] = x - eps;
    double below = loss(p, y);
    p->in[k][i] = x;
    double numeric = (above - below) / (2 * eps);
    nonzero += numeric != 0;
    if (!(fabs(grad[i] - numeric) <= 1e-5 + 1e-3 * fabs(numeric)))
      fail_msg("%s: gradient %d to input %d is %.9g, differences say %.9g", p->name, i, k, grad[i], numeric);
  }
  if (10 * nonzero < p->size[k]) fail_msg("%s: input %d: more than 9 of 10 gradients are zero", p->name, k);
}

/* Takes the problem by value: it fills in the arrays. */
static void check(struct problem p) {
  random_state = 768;
  double *y = ref_alloc(p.out), *grad[MAX_INPUTS] = {NULL}, *twice[MAX_INPUTS] = {NULL};
  p.dy = draw_array(p.out);
  for (int k = 0; k < MAX_INPUTS; k++) {
    p.in[k] = draw_array(p.size[k]);
    grad[k] = ref_alloc(p.size[k]);
    twice[k] = ref_alloc(p.size[k]);
  }
  p.backward(&p, grad);
  p.backward(&p, twice);
  p.backward(&p, twice);
  for (int k = 0; k < MAX_INPUTS; k++) {
    if (p.size[k]) check_input(&p, k, grad[k], y);
    for (int i = 0; i < p.size[k]; i++)
      if (!(fabs(twice[k][i] - 2 * grad[k][i]) <= 1e-12 * (1 + fabs(grad[k][i]))))
        fail_msg("%s: input %d: a second backward does not add", p.name, k);
  }
  for (int k = 0; k < MAX_INPUTS; k++) {
    free(p.in[k]);
    free(grad[k]);
    free(twice[k]);
  }
  free(p.dy);
  free(y);
}

/* --- convolution --------------------------------------------------------------------------------------------- */

static void conv_forward(const struct problem *p, double *y) { ref_conv2d(&p->conv, p->in[0], p->in[1], p->in[2], y); }

static void conv_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_conv2d_backward_data(&p->conv, p->dy, p->in[1], g[0]);
  ref_conv2d_backward_weight(&p->conv, p->in[0], p->dy, g[1], g[2]);
}

static void transpose_forward(const struct problem *p, double *y) {
  ref_conv2d_transpose(&p->conv, p->in[0], p->in[1], y);
}

static void transpose_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_conv2d_transpose_backward_data(&p->conv, p->dy, p->in[1], g[0]);
  ref_conv2d_transpose_backward_weight(&p->conv, p->in[0], p->dy, g[1]);
}

static void test_conv2d(void **state) {
  (void)state;
  const struct {
    const char *name;
    struct ref_conv2d d;
  } cases[] = {
      {"conv2d one pixel", ref_conv2d_same(1, 2, 1, 1, 2, 3, 1)},
      {"conv2d 3x3", ref_conv2d_same(2, 3, 4, 5, 2, 3, 1)},
      {"conv2d 1x1", ref_conv2d_same(2, 3, 2, 3, 2, 1, 1)},
      {"conv2d 5x5", ref_conv2d_same(1, 2, 7, 3, 1, 5, 1)},
      {"conv2d stride 2, even", ref_conv2d_same(2, 2, 4, 6, 3, 3, 2)},
      {"conv2d stride 2, odd", ref_conv2d_same(1, 2, 5, 7, 2, 3, 2)},
      {"conv2d 2x3, explicit pads", {2, 2, 5, 4, 3, 4, 3, 2, 3, 1, 0, 2}},
      {"conv2d stride 3, no pads", {1, 1, 8, 8, 2, 2, 2, 3, 3, 3, 0, 0}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const struct ref_conv2d d = cases[i].d;
    int in = d.n * d.c * d.h * d.w, weights = d.k * d.c * d.r * d.s, out = d.n * d.k * d.oh * d.ow;
    check((struct problem){cases[i].name, conv_forward, conv_backward, {in, weights, d.k}, out, .conv = d});
    check((struct problem){cases[i].name, transpose_forward, transpose_backward, {out, weights}, in, .conv = d});
  }
}

static void dense_forward(const struct problem *p, double *y) {
  ref_dense(p->d[0], p->d[1], p->d[2], p->in[0], p->in[1], p->in[2], y);
}

static void dense_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_dense_backward(p->d[0], p->d[1], p->d[2], p->in[0], p->in[1], p->dy, g[0], g[1], g[2]);
}

static void test_dense(void **state) {
  (void)state;
  check((struct problem){"dense", dense_forward, dense_backward, {3 * 5, 4 * 5, 4}, 12, .d = {3, 5, 4}});
  check((struct problem){"dense 1x1", dense_forward, dense_backward, {1, 1, 1}, 1, .d = {1, 1, 1}});
}

/* --- batch normalization: d = n, n_valid, c, hw; inputs x, gamma, beta ------------------------- */

static struct ref_batchnorm batchnorm(const struct problem *p) {
  return (struct ref_batchnorm){p->d[0], p->d[1], p->d[2], p->d[3], 1e-3};
}

static void batchnorm_forward(const struct problem *p, double *y) {
  struct ref_batchnorm d = batchnorm(p);
  double mean[8], var[8];
  ref_batchnorm_statistics(&d, p->in[0], mean, var);
  ref_batchnorm(&d, p->in[0], mean, var, p->in[1], p->in[2], y);
}

static void batchnorm_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  struct ref_batchnorm d = batchnorm(p);
  double mean[8], var[8];
  ref_batchnorm_statistics(&d, p->in[0], mean, var);
  ref_batchnorm_backward(&d, p->in[0], mean, var, p->in[1], p->dy, g[0], g[1], g[2]);
}

static const double MOVING_MEAN[] = {0.5, -1, 2}, MOVING_VAR[] = {0.25, 3, 1};

static void inference_forward(const struct problem *p, double *y) {
  struct ref_batchnorm d = batchnorm(p);
  ref_batchnorm(&d, p->in[0], MOVING_MEAN, MOVING_VAR, p->in[1], p->in[2], y);
}

static void inference_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  struct ref_batchnorm d = batchnorm(p);
  ref_batchnorm_inference_backward(&d, p->in[0], MOVING_MEAN, MOVING_VAR, p->in[1], p->dy, g[0], g[1], g[2]);
}

static void test_batchnorm(void **state) {
  (void)state;
  const struct {
    const char *name;
    int d[4];
  } cases[] = {
      {"batchnorm", {4, 4, 3, 6}},
      {"batchnorm, dense", {7, 7, 3, 1}},
      {"batchnorm, padded batch", {5, 3, 2, 4}},
      {"batchnorm, one image", {1, 1, 2, 9}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const int *d = cases[i].d;
    struct problem p = {cases[i].name, batchnorm_forward, batchnorm_backward, .counted = d[1] * d[2] * d[3]};
    p.out = p.size[0] = d[0] * d[2] * d[3];
    p.size[1] = p.size[2] = d[2];
    memcpy(p.d, d, sizeof cases[i].d);
    check(p);
    p.forward = inference_forward;
    p.backward = inference_backward;
    check(p);
  }
}

static void test_batchnorm_moving(void **state) {
  (void)state;
  double moving[] = {1, -2}, batch[] = {3, 4};
  ref_batchnorm_moving(2, 0.99, batch, moving);
  assert_true(fabs(moving[0] - 1.02) < 1e-15 && fabs(moving[1] + 1.94) < 1e-15);
}

/* --- attention ------------------------------------------------------------------------------------------------ */

static void spatial_forward(const struct problem *p, double *y) {
  ref_spatial_attention(p->d[0], p->d[1], p->d[2], p->d[3], p->in[0], p->in[1], p->in[2], y, NULL);
}

static void spatial_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_spatial_attention_backward(p->d[0], p->d[1], p->d[2], p->d[3], p->in[0], p->in[1], p->in[2], p->dy, g[0], g[1],
                                 g[2]);
}

static struct ref_channel_attention channel(const struct problem *p) {
  return (struct ref_channel_attention){p->d[0], p->d[1], p->d[2], p->d[3]};
}

static void channel_forward(const struct problem *p, double *y) {
  struct ref_channel_attention d = channel(p);
  ref_channel_attention(&d, p->in[0], &(struct ref_mlp){p->in[1], p->in[2], p->in[3], p->in[4]}, y, NULL);
}

static void channel_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  struct ref_channel_attention d = channel(p);
  const struct ref_mlp mlp = {p->in[1], p->in[2], p->in[3], p->in[4]};
  ref_channel_attention_backward(&d, p->in[0], &mlp, p->dy, g[0], &(struct ref_mlp){g[1], g[2], g[3], g[4]});
}

static void test_attention(void **state) {
  (void)state;
  check((struct problem){"spatial", spatial_forward, spatial_backward, {252, 50, 1}, 252, .d = {2, 3, 7, 6}});
  check(
      (struct problem){"spatial, one channel", spatial_forward, spatial_backward, {42, 50, 1}, 42, .d = {1, 1, 7, 6}});
  check(
      (struct problem){"channel", channel_forward, channel_backward, {3 * 5 * 4, 10, 2, 10, 5}, 60, .d = {3, 5, 4, 2}});
  check(
      (struct problem){"channel, one pixel", channel_forward, channel_backward, {6, 3, 1, 3, 3}, 6, .d = {2, 3, 1, 1}});
}

/* Where differences cannot look: both of two equal maxima take half of the gradient. */
static void test_attention_ties(void **state) {
  (void)state;
  double x[] = {2, 2, 1}, w[50] = {0}, b[] = {0}, dy[] = {1, 0, 0}, dx[3] = {0};
  w[12] = 1; /* the kernel's centre on the maximum */
  ref_spatial_attention_backward(1, 3, 1, 1, x, w, b, dy, dx, NULL, NULL);
  double a = 1 / (1 + exp(-2)), half = 2 * a * (1 - a) / 2;
  assert_true(fabs(dx[0] - a - half) < 1e-15 && fabs(dx[1] - half) < 1e-15 && dx[2] == 0);
}

/* --- pointwise ------------------------------------------------------------------------------------------------ */

static void activation_forward(const struct problem *p, double *y) {
  ref_activation((enum ref_activation)p->d[0], p->out, p->in[0], y);
}

static void activation_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_activation_backward((enum ref_activation)p->d[0], p->out, p->in[0], p->dy, g[0]);
}

static void dropout_forward(const struct problem *p, double *y) { ref_dropout(p->out, 0.2, p->keep, p->in[0], y); }

static void dropout_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_dropout_backward(p->out, 0.2, p->keep, p->dy, g[0]);
}

static void test_pointwise(void **state) {
  (void)state;
  static const char *const names[] = {
#define X(name, NAME, moves_zero, ulp) [REF_##NAME] = #name,
      FOVEA_ACTIVATIONS(X)
#undef X
  };
  for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
    check((struct problem){names[i], activation_forward, activation_backward, {50}, 50, .d = {i}});
  uint8_t keep[40];
  ref_dropout_mask(2, 4, 5, 0.2, 1, 2, 768, keep);
  check((struct problem){"dropout", dropout_forward, dropout_backward, {40}, 40, .keep = keep});
}

/* --- the head and the losses: d = n, latent ------------------------------------------------------------------- */

static const double EPS[] = {0.3, -1.2, 2, 0.1, -0.4, 0.9};

static void reparameterize_forward(const struct problem *p, double *y) {
  ref_reparameterize(p->out, p->in[0], p->in[1], EPS, y);
}

static void reparameterize_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_reparameterize_backward(p->out, p->in[1], EPS, p->dy, g[0], g[1]);
}

static void kl_forward(const struct problem *p, double *y) { *y = ref_kl(p->d[0], p->d[1], p->in[0], p->in[1]); }

static void kl_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_kl_backward(p->d[0], p->d[1], *p->dy, p->in[0], p->in[1], g[0], g[1]);
}

static const double TARGET[] = {0, 1, 0.5, 0.2, 0.9, 1};

static void bce_forward(const struct problem *p, double *y) { *y = ref_bce_sigmoid(6, p->in[0], TARGET); }

static void bce_backward(const struct problem *p, double *const g[MAX_INPUTS]) {
  ref_bce_sigmoid_backward(6, *p->dy, p->in[0], TARGET, g[0]);
}

static void test_losses(void **state) {
  (void)state;
  check((struct problem){"reparameterize", reparameterize_forward, reparameterize_backward, {6, 6}, 6, .d = {3, 2}});
  check((struct problem){"kl", kl_forward, kl_backward, {6, 6}, 1, .d = {3, 2}});
  check((struct problem){"bce", bce_forward, bce_backward, {6}, 1, .d = {0}});
}

static void test_bce_clips(void **state) {
  (void)state;
  double x[] = {50, -50}, t[] = {0, 1}, dx[] = {0, 0};
  assert_true(fabs(ref_bce_sigmoid(2, x, t) + log(1e-7)) < 1e-9);
  ref_bce_sigmoid_backward(2, 1, x, t, dx);
  assert_true(dx[0] == 0 && dx[1] == 0);
}

/* The first step is lr sign(g), whatever the gradient's size, while eps is small against it. */
static void test_adam(void **state) {
  (void)state;
  struct ref_adam d = {0.005, 0.01, 0.9, 0.999, 1e-7};
  double p[] = {1, 1, 1}, g[] = {3, -0.5, 0}, m[3] = {0}, v[3] = {0};
  ref_adam(&d, 0, 3, g, m, v, p);
  assert_true(fabs(p[0] - 0.995) < 1e-7 && fabs(p[1] - 1.005) < 1e-7 && p[2] == 1);
}

/* --- random numbers ------------------------------------------------------------------------------------------- */

/* Random123's tests/kat_vectors, philox4x32 10. */
static void test_philox(void **state) {
  (void)state;
  const uint32_t cases[][10] = {
      {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
      {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
      {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb, 0x5001e420,
       0x24126ea1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t out[4];
    ref_philox(cases[i], cases[i] + 4, out);
    assert_memory_equal(out, cases[i] + 6, sizeof out);
  }
}

static void test_dropout_mask(void **state) {
  (void)state;
  enum { N = 3, C = 5, HW = 7, COUNT = N * C * HW, MANY = 40 * 50 * 49 };
  uint8_t keep[COUNT];
  uint32_t words[4];
  assert_int_equal(ref_dropout_threshold(0), 0);
  assert_int_equal(ref_dropout_threshold(0.5), 0x80000000u);
  assert_int_equal(ref_dropout_threshold(0.2), 858993459);
  ref_dropout_mask(N, C, HW, 0.2, 9, 4, 0x100000002, keep);
  for (uint32_t n = 0; n < N; n++) {
    for (uint32_t c = 0; c < C; c++) {
      for (uint32_t pixel = 0; pixel < HW; pixel++) {
        ref_philox((uint32_t[]){n, 2 * c + (pixel >> 2), 9, 4}, (uint32_t[]){2, 1}, words);
        assert_int_equal(keep[(n * C + c) * HW + pixel], words[pixel & 3] >= 858993459);
      }
    }
  }
  uint8_t *many = malloc(MANY);
  assert_non_null(many);
  int kept = 0;
  ref_dropout_mask(40, 50, 49, 0.2, 0, 0, 768, many);
  for (int i = 0; i < MANY; i++) kept += many[i];
  free(many);
  assert_true(fabs(kept / (double)MANY - 0.8) < 4 * sqrt(0.2 * 0.8 / MANY));
}

static void test_normal(void **state) {
  (void)state;
  enum { N = 20000, LATENT = 2, COUNT = N * LATENT };
  double *eps = ref_alloc(COUNT), moment[5] = {0};
  ref_normal(N, LATENT, 3, 1, 768, eps);
  for (int i = 0; i < COUNT; i++)
    for (int k = 1; k < 5; k++) moment[k] += pow(eps[i], k) / COUNT;
  free(eps);
  double first;
  ref_normal(1, 1, 0, 0, 0, &first); /* by hand from the known answer 6627e8d5, e169c58d */
  assert_true(fabs(first - 0.9911371288531179) < 1e-14);
  /* four standard errors of the first four moments of a normal sample */
  assert_true(fabs(moment[1]) < 4 * sqrt(1.0 / COUNT) && fabs(moment[2] - 1) < 4 * sqrt(2.0 / COUNT));
  assert_true(fabs(moment[3]) < 4 * sqrt(15.0 / COUNT) && fabs(moment[4] - 3) < 4 * sqrt(96.0 / COUNT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_conv2d),    cmocka_unit_test(test_dense),
      cmocka_unit_test(test_batchnorm), cmocka_unit_test(test_batchnorm_moving),
      cmocka_unit_test(test_attention), cmocka_unit_test(test_attention_ties),
      cmocka_unit_test(test_pointwise), cmocka_unit_test(test_losses),
      cmocka_unit_test(test_bce_clips), cmocka_unit_test(test_adam),
      cmocka_unit_test(test_philox),    cmocka_unit_test(test_dropout_mask),
      cmocka_unit_test(test_normal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
