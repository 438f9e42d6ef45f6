/* Reading a golden file of tests/golden, and the images that its script trained on.
 *
 * The first line says what made it. Then, for each case, `case NAME` and lines of words; a tensor is one line
 *   KIND NAME COUNT SUM NORM NOISE VALUES...
 * with the sum and the L2 norm of all values, the largest error of the same computation in single precision, and a
 * sample of at most 16 values: value i COUNT / 16 of the checkpoint's order, or all of them. */
#ifndef FOVEA_TESTS_GOLDEN_GOLDEN_H
#define FOVEA_TESTS_GOLDEN_GOLDEN_H

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

#include "data/shuffle.h"
#include "fovea/vae.h"
#include "ref/ref.h"
#include "support/device.h"

/* How many times the peer's own single-precision error is allowed, where that is more than the tolerance:
 * test_training.c says why. */
enum { GOLDEN_NOISE = 10 };

/* --- images: philox.py says how, and makes the same -----------------------------------------------------------------
 */

static inline long long square(long long x) { return x * x; }

static inline uint8_t *golden_images(int count, int channels, int height, int width, uint64_t seed) {
  enum { BLOBS = 3, STREAM = 0x494D4147 };
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  const uint32_t side = (uint32_t)(height < width ? height : width);
  uint8_t *pixels = malloc((size_t)count * (size_t)(channels * height * width)), *at = pixels;
  if (!pixels) abort();
  for (int n = 0; n < count; n++) {
    uint32_t w[BLOBS][4];
    for (int b = 0; b < BLOBS; b++) ref_philox((uint32_t[4]){(uint32_t)n, (uint32_t)b, 0, STREAM}, key, w[b]);
    for (int i = 0; i < channels * height * width; i++) {
      int c = i / (height * width), y = i / width % height, x = i % width;
      long long sum = 0;
      for (int b = 0; b < BLOBS; b++) {
        long long row = w[b][0] % (8 * (uint32_t)height), column = w[b][1] % (8 * (uint32_t)width);
        long long radius = w[b][2] % (2 * side) + 2 * side, strength = 64 + (w[b][3] >> 8 * c) % 192;
        long long inside = square(radius) - square(8 * y - row) - square(8 * x - column);
        if (inside > 0) sum += strength * inside / square(radius);
      }
      *at++ = (uint8_t)(sum < 255 ? sum : 255);
    }
  }
  return pixels;
}

/* --- the file -------------------------------------------------------------------------------------------------------
 */

struct golden {
  const char *file, *name; /* of the case */
  FILE *stream;
  char line[8192], *rest; /* the line, and where its next word is looked for */
};

static inline const char *golden_word(struct golden *g) {
  char *word = strtok_r(g->rest, " \n", &g->rest);
  return word ? word : "";
}

static inline double golden_number(struct golden *g) {
  const char *word = golden_word(g);
  char *end;
  double x = strtod(word, &end);
  if (end == word || *end) fail_msg("%s: case %s: \"%s\" is not a number", g->file, g->name, word);
  return x;
}

/* The first word of the next line, "" at the end of the case. */
static inline const char *golden_next(struct golden *g) {
  if (!fgets(g->line, sizeof g->line, g->stream)) return "";
  if (!strchr(g->line, '\n')) fail_msg("%s: case %s: a line is too long", g->file, g->name);
  g->rest = g->line;
  const char *word = golden_word(g);
  return strcmp(word, "case") == 0 ? "" : word;
}

/* Opens tests/golden/`file` and goes to the case; the caller closes g->stream. */
static inline void golden_open(struct golden *g, const char *file, const char *name) {
  char path[1024];
  *g = (struct golden){.file = file, .name = name};
  snprintf(path, sizeof path, "%s/tests/golden/%s", FOVEA_SOURCE_DIR, file);
  g->stream = fopen(path, "r");
  if (!g->stream) fail_msg("%s: not there", path);
  while (fgets(g->line, sizeof g->line, g->stream)) {
    g->rest = g->line;
    if (strcmp(golden_word(g), "case") == 0 && strcmp(golden_word(g), name) == 0) return;
  }
  fail_msg("%s has no case %s", file, name);
}

static inline int golden_complain(const struct golden *g, const char *what, double got, double want, double atol) {
  fprintf(stderr, "%s, case %s on %s: %s is %.9g, expected %.9g (within %.2g)\n", g->file, g->name,
          fovea_device_get_info(device)->name, what, got, want, atol);
  return 1;
}

static inline int golden_check(const struct golden *g, const char *what, double got, double want, double atol) {
  return fabs(got - want) <= atol ? 0 : golden_complain(g, what, got, want, atol); /* a NaN is complained of */
}

/* Checks `count` values against the rest of a tensor's line, after its name; returns the failures, all printed.
 *
 * Each sampled value must be within tolerance * max(|value|, floor), or within GOLDEN_NOISE times the tensor's largest
 * error in the peer's own single precision if that is more. A floor of 0 stands for the root of the tensor's mean
 * square. The norm must be within the root of count times that, which is an error of that size in every value; the sum
 * likewise: errors of that size with one sign in most values would be a bias, and not rounding. */
static inline int golden_compare(struct golden *g, const char *what, const float *data, size_t count, double tolerance,
                                 double floor) {
  enum { SAMPLES = 16 };
  char name[160];
  double sum = 0, squares = 0, root = sqrt((double)count);
  if (golden_number(g) != (double)count) fail_msg("%s: case %s: %s has %zu values here", g->file, g->name, what, count);
  const double want_sum = golden_number(g), want_norm = golden_number(g), noise = GOLDEN_NOISE * golden_number(g);
  if (floor == 0) floor = want_norm / root;
  for (size_t i = 0; i < count; i++) sum += (double)data[i], squares += (double)data[i] * (double)data[i];
  const double all = root * fmax(tolerance * fmax(want_norm / root, floor), noise);
  snprintf(name, sizeof name, "the sum of %s", what);
  int failures = golden_check(g, name, sum, want_sum, all);
  snprintf(name, sizeof name, "the norm of %s", what);
  failures += golden_check(g, name, sqrt(squares), want_norm, all);
  const size_t samples = count < SAMPLES ? count : SAMPLES;
  for (size_t i = 0; i < samples; i++) {
    const double want = golden_number(g);
    const size_t at = i * count / samples;
    snprintf(name, sizeof name, "%s, value %zu", what, at);
    failures += golden_check(g, name, (double)data[at], want, fmax(tolerance * fmax(fabs(want), floor), noise));
  }
  return failures;
}

/* Where a parameter of this name is. */
static inline size_t golden_find(const struct golden *g, const fovea_network *network, const char *name) {
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++)
    if (strcmp(fovea_network_parameter(network, i)->name, name) == 0) return i;
  fail_msg("%s: case %s: the network has no parameter %s", g->file, g->name, name);
  return 0;
}

/* The same of a parameter, whose name is the line's next word. */
static inline int golden_parameter(struct golden *g, fovea_network *network, fovea_value which, double tolerance,
                                   double floor) {
  const size_t index = golden_find(g, network, golden_word(g));
  const fovea_parameter *p = fovea_network_parameter(network, index);
  float *data = malloc(p->count * sizeof *data);
  if (!data) abort();
  OK(fovea_network_get(network, index, which, data));
  int failures = golden_compare(g, p->name, data, p->count, tolerance, floor);
  free(data);
  return failures;
}

/* --- a case: the device does what the file says, line by line -------------------------------------------------------
 */

enum { GOLDEN_STEPS = 20, GOLDEN_EPOCHS = 25 };
static const double golden_lr = 0.005, golden_min_lr = 0.0001;

struct golden_case {
  const char *name;
  int channels, height, width, units[4], unit_count, depth, latent;
  fovea_activation activation;
  fovea_attention attention;
  bool batchnorm;
  double dropout, kl_weight;
  int batch, images;
  uint64_t seed;
  double lr; /* share of the usual learning rate */
};

struct golden_run {
  struct golden g;
  const struct golden_case *c;
  fovea_vae *vae;
  uint8_t *pixels;
  uint32_t *order, epoch;
  int done, steps; /* images of the epoch; steps so far */
  double noise[3]; /* of the losses: it never shrinks again, since what has come apart stays apart */
  size_t gradients, moving, tensors, evaluations; /* lines checked */
  int failures;
};

static inline fovea_vae *golden_vae(const struct golden_case *c) {
  fovea_vae_config config = fovea_vae_default();
  config.channels = c->channels, config.height = c->height, config.width = c->width;
  memcpy(config.units, c->units, sizeof c->units);
  config.unit_count = c->unit_count, config.depth = c->depth, config.latent = c->latent;
  config.activation = c->activation, config.attention = c->attention, config.batchnorm = c->batchnorm;
  config.dropout = c->dropout, config.kl_weight = c->kl_weight, config.batch = c->batch, config.seed = c->seed;
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, &config, true, &vae));
  return vae;
}

/* The next batch of the shuffled images; an epoch's last has what is left. */
static inline void golden_step(struct golden_run *r) {
  const struct golden_case *c = r->c;
  if (r->done >= c->images) {
    fovea_shuffle(r->order, (size_t)c->images, c->seed, r->epoch++);
    r->done = 0;
  }
  const int count = c->images - r->done < c->batch ? c->images - r->done : c->batch;
  const double lr = c->lr * fovea_vae_learning_rate(golden_lr, golden_min_lr, GOLDEN_EPOCHS, (uint32_t)r->steps);
  OK(fovea_network_train_step(r->vae->network, r->pixels, r->order + r->done, (size_t)count, (float)lr));
  r->done += count;
}

/* Takes a step and compares its losses with the line. */
static inline void golden_loss(struct golden_run *r, double rtol) {
  static const char *const names[] = {"bce", "kl", "total"};
  fovea_losses losses;
  golden_step(r);
  OK(fovea_network_losses(r->vae->network, &losses));
  const double got[] = {losses.bce, losses.kl, losses.total};
  double want[3];
  char what[64];
  for (int i = 0; i < 3; i++) want[i] = golden_number(&r->g);
  for (int i = 0; i < 3; i++) {
    r->noise[i] = fmax(r->noise[i], GOLDEN_NOISE * golden_number(&r->g));
    snprintf(what, sizeof what, "%s of step %d", names[i], r->steps);
    r->failures += golden_check(&r->g, what, got[i], want[i], fmax(rtol * fabs(want[i]), r->noise[i]));
  }
  r->steps++;
}

/* Evaluation of the first batch of images: codes, or the reconstruction of z = mu. */
static inline void golden_evaluation(struct golden_run *r, double tolerance) {
  const char *name = golden_word(&r->g);
  const size_t batch = (size_t)r->c->batch, codes = batch * (size_t)r->c->latent;
  const size_t values = batch * fovea_vae_image_size(r->vae);
  float *mu = malloc(codes * sizeof *mu), *out = malloc(values * sizeof *out);
  if (!mu || !out) abort();
  OK(fovea_vae_encode(r->vae, r->pixels, batch, mu));
  if (strcmp(name, "mu") == 0) {
    r->failures += golden_compare(&r->g, name, mu, codes, tolerance, 0);
  } else if (strcmp(name, "logvar") == 0) {
    OK(fovea_network_read(r->vae->network, r->vae->logvar, batch, mu));
    r->failures += golden_compare(&r->g, name, mu, codes, tolerance, 0);
  } else if (strcmp(name, "reconstruction") == 0) {
    OK(fovea_vae_decode(r->vae, mu, batch, out));
    r->failures += golden_compare(&r->g, name, out, values, tolerance, 0);
  } else {
    fail_msg("%s: case %s: evaluation of %s?", r->g.file, r->c->name, name);
  }
  free(mu);
  free(out);
}

/* Follows the case's lines in the file. Losses within 1e-5 of themselves, what 20 steps leave behind within 1e-4 of
 * itself or of 1, the first step's gradients within 1e-4 and its moving statistics and the evaluation within 1e-5. */
static inline void golden_follow(struct golden_run *r) {
  const char *kind;
  while (*(kind = golden_next(&r->g))) {
    if (strcmp(kind, "loss") == 0)
      golden_loss(r, 1e-5);
    else if (strcmp(kind, "evaluation") == 0)
      golden_evaluation(r, 1e-5), r->evaluations++;
    else if (strcmp(kind, "gradient") == 0)
      r->failures += golden_parameter(&r->g, r->vae->network, FOVEA_GRADIENT, 1e-4, 0), r->gradients++;
    else if (strcmp(kind, "moving") == 0)
      r->failures += golden_parameter(&r->g, r->vae->network, FOVEA_VALUE, 1e-5, 0), r->moving++;
    else if (strcmp(kind, "tensor") == 0)
      r->failures += golden_parameter(&r->g, r->vae->network, FOVEA_VALUE, 1e-4, 1), r->tensors++;
    else
      fail_msg("%s: case %s: a line of kind %s", r->g.file, r->c->name, kind);
  }
}

/* Trains the case as the file says. Asserts that nothing failed and that all was there: every step and, below the usual
 * learning rate, every parameter at the end; the counts of the other lines are the caller's to check. */
static inline struct golden_run golden_run_case(const char *file, const struct golden_case *c) {
  struct golden_run r = {.c = c, .vae = golden_vae(c), .done = c->images};
  r.pixels = golden_images(c->images, c->channels, c->height, c->width, c->seed);
  r.order = malloc((size_t)c->images * sizeof *r.order);
  if (!r.order) abort();
  golden_open(&r.g, file, c->name);
  golden_follow(&r);
  const size_t parameters = fovea_network_parameter_count(r.vae->network);
  fclose(r.g.stream);
  free(r.order);
  free(r.pixels);
  fovea_vae_destroy(r.vae);
  assert_int_equal(r.failures, 0);
  assert_int_equal(r.steps, GOLDEN_STEPS);
  assert_int_equal(r.tensors, c->lr < 1 ? parameters : 0);
  return r;
}

#endif
