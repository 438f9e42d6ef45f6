#include "support/chain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/reference.h"
#include "graph/op.h"
#include "net/network.h"
#include "plan/inspect.h"
#include "runtime/buffer.h"

/* Of gradients: relative, and absolute as a share of the tensor's largest and of the largest of all, for tensors whose
 * gradient is nearly nothing beside the terms that cancel in it. */
static const double GRADIENT_RTOL = 1e-4, GRADIENT_SHARE = 1e-6, GRADIENT_SHARE_OF_ALL = 1e-7;
/* The divergence is a difference of terms near 1. */
static const double LOSS_ATOL[] = {0, 1e-7, 1e-7};
static const double VALUE_RTOL = 1e-5, VALUE_SHARE = 1e-6;
static const uint64_t SEED = 768 | 5ull << 32;

static fovea_device *device;

fovea_device *chain_device(void) {
  if (!device && fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device) != FOVEA_OK) {
    fprintf(stderr, "%s\n", fovea_error_message());
    exit(1);
  }
  return device;
}

int chain_close(void **state) {
  (void)state;
  fovea_device_close(device);
  device = NULL;
  return 0;
}

bool chain_wanted(const char *name) {
  const char *only = getenv("FOVEA_TEST_CASE");
  return !only || strcmp(only, name) == 0;
}

void chain_print_repeat(const char *name) {
  static const char *const variables[] = {"FOVEA_VECTOR", "FOVEA_BLAS", "FOVEA_TEST_DEVICE"};
  char program[1024] = "";
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
  fprintf(stderr, "  again:");
  for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
    if (getenv(variables[i])) fprintf(stderr, " %s='%s'", variables[i], getenv(variables[i]));
  fprintf(stderr, " FOVEA_TEST_CASE=\"%s\" '%s'\n", name, length > 0 ? program : "the program");
}

float chain_uniform(uint64_t *state) {
  *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
  return (float)(*state >> 40) * 0x1p-23f - 1.0f;
}

/* --- building both ------------------------------------------------------------------------------------------------ */

static size_t size_of(fovea_attribute_kind kind) {
  return kind == FOVEA_ATTRIBUTE_BOOL     ? sizeof(bool)
         : kind == FOVEA_ATTRIBUTE_DOUBLE ? sizeof(double)
         : kind == FOVEA_ATTRIBUTE_FLOAT  ? sizeof(float)
                                          : sizeof(int);
}

/* What a builder was asked for is in its op's attributes: by them alone a node is made again from a file. Padding is
 * the same in both but for that of `conv`, which a caller made. */
static void check_attributes(const fovea_graph *graph, const fovea_node *made) {
  const size_t from = offsetof(fovea_node, conv) + sizeof made->conv;
  fovea_node again = *made;
  again.parameter_count = 0;
  memset((char *)&again + offsetof(fovea_node, conv), 0, sizeof again - offsetof(fovea_node, conv));
  for (const fovea_attribute *a = made->op->attributes; a && a->name; a++)
    memcpy((char *)&again + a->offset, (const char *)made + a->offset, size_of(a->kind));
  const fovea_status status = made->op->infer(graph, &again);
  if (status == FOVEA_OK && memcmp((char *)&again + from, (const char *)made + from, sizeof again - from) == 0) return;
  fprintf(stderr, "%s: its FOVEA_ATTRIBUTES lack something that its builder was asked for: %s\n", made->op->name,
          status == FOVEA_OK ? "read from a file it would have 0 there" : fovea_error_message());
  exit(1);
}

int chain_mirror(struct chain *chain, fovea_tensor added) {
  if (added == chain->ref->count) {
    check_attributes(chain->graph, &chain->graph->nodes[added]);
    return check_reference_add(chain->ref, &chain->graph->nodes[added]);
  }
  fprintf(stderr, "the graph has node %d where the reference has %d: %s\n", added, chain->ref->count,
          fovea_error_message());
  exit(1);
}

int chain_conv2d(struct chain *chain, int x, const char *name, const fovea_conv2d *c) {
  return chain_mirror(chain, fovea_add_conv2d(chain->graph, x, name, c));
}

int chain_conv2d_transpose(struct chain *chain, int x, const char *name, const fovea_conv2d *c) {
  return chain_mirror(chain, fovea_add_conv2d_transpose(chain->graph, x, name, c));
}

int chain_dense(struct chain *chain, int x, const char *name, int units, bool bias) {
  return chain_mirror(chain, fovea_add_dense(chain->graph, x, name, units, bias));
}

int chain_reshape(struct chain *chain, int x, int c, int h, int w) {
  return chain_mirror(chain, fovea_add_reshape(chain->graph, x, c, h, w));
}

int chain_batchnorm(struct chain *chain, int x, const char *name, double momentum, double epsilon) {
  return chain_mirror(chain, fovea_add_batchnorm(chain->graph, x, name, (float)momentum, (float)epsilon));
}

int chain_dropout(struct chain *chain, int x, double rate) {
  return chain_mirror(chain, fovea_add_dropout(chain->graph, x, rate));
}

int chain_activation(struct chain *chain, int x, fovea_activation activation) {
  return chain_mirror(chain, fovea_add_activation(chain->graph, x, activation));
}

int chain_spatial_attention(struct chain *chain, int x, const char *name) {
  return chain_mirror(chain, fovea_add_spatial_attention(chain->graph, x, name));
}

int chain_channel_attention(struct chain *chain, int x, const char *name) {
  return chain_mirror(chain, fovea_add_channel_attention(chain->graph, x, name));
}

int chain_concat(struct chain *chain, int a, int b) {
  return chain_mirror(chain, fovea_add_concat(chain->graph, a, b));
}

int chain_reparameterize(struct chain *chain, int mu, int logvar, double kl_weight) {
  return chain_mirror(chain, fovea_add_reparameterize(chain->graph, mu, logvar, (float)kl_weight));
}

int chain_begin(struct chain *chain, const struct chain_shape *s) {
  *chain = (struct chain){.shape = s, .seed = SEED, .loss_rtol = 1e-6};
  if (fovea_graph_create(&chain->graph) != FOVEA_OK) abort();
  chain->ref = ref_network_create(chain->seed);
  int x = chain_mirror(chain, fovea_add_input(chain->graph, s->channels, s->height, s->width));
  if (!s->head) return x;
  return chain_conv2d(chain, x, "head",
                      &(fovea_conv2d){.filters = s->head,
                                      .kernel = s->head_kernel ? s->head_kernel : 3,
                                      .stride = s->head_stride ? s->head_stride : 1,
                                      .same = true});
}

/* To the image's shape. */
static int tail(struct chain *chain, int x) {
  const struct chain_shape *s = chain->shape;
  const struct ref_node *node = &chain->ref->nodes[x];
  if (node->h == s->height && node->w == s->width && s->height * s->width > 1)
    return chain_conv2d(chain, x, "tail",
                        &(fovea_conv2d){.filters = s->channels, .kernel = 1, .stride = 1, .bias = true, .same = true});
  x = chain_dense(chain, x, "tail", s->channels * s->height * s->width, true);
  return chain_reshape(chain, x, s->channels, s->height, s->width);
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

static int complain(const struct chain_run *run, const char *what) {
  fprintf(stderr, "%s on %s, batch %d of %d, seed %llu: %s\n", run->name, fovea_device_get_info(chain_device())->name,
          run->count, run->batch, (unsigned long long)run->seed, what);
  chain_print_repeat(run->name);
  return 1;
}

static int ask(const struct chain_run *run, fovea_status status) {
  return status == FOVEA_OK ? 0 : complain(run, fovea_error_message());
}

int chain_end(struct chain *chain, int x) {
  const struct chain_shape *s = chain->shape;
  x = tail(chain, x);
  chain_mirror(chain, fovea_add_sigmoid_bce(chain->graph, x));
  struct chain_run run = {.name = s->name,
                          .graph = chain->graph,
                          .ref = chain->ref,
                          .batch = s->batch,
                          .count = s->count,
                          .seed = chain->seed,
                          .shape = s,
                          .loss_rtol = chain->loss_rtol};
  memcpy(run.given, chain->given, sizeof run.given);
  memcpy(run.values, chain->values, sizeof run.values);
  fovea_network_options options = {.batch = s->batch, .seed = chain->seed, .training = true};
  int failures = 0;
  if (chain_wanted(s->name)) {
    failures = ask(&run, fovea_network_create(chain_device(), chain->graph, &options, &run.network));
    if (!failures) chain->blas = fovea_network_blas(run.network);
    if (!failures) failures = chain_compare(&run);
  }
  fovea_network_destroy(run.network);
  fovea_graph_destroy(chain->graph);
  ref_network_destroy(chain->ref);
  return failures;
}

int chain_close_to(const struct chain_run *run, const char *what, const float *a, const double *b, const int *dims,
                   int rank, double rtol, double atol) {
  int count = 1, bad = 0, first = -1;
  double worst = 0;
  for (int i = 0; i < rank; i++) count *= dims[i];
  for (int i = 0; i < count; i++) {
    double difference = fabs((double)a[i] - b[i]);
    if (difference <= atol + rtol * fabs(b[i])) continue;
    if (first < 0) first = i;
    if (!(difference <= worst)) worst = difference;
    bad++;
  }
  if (!bad) return 0;
  char at[64] = "", text[400];
  for (int i = rank - 1, rest = first; i >= 0; rest /= dims[i--]) {
    char tail_of[64];
    memcpy(tail_of, at, sizeof at);
    snprintf(at, sizeof at, "%d%s%.50s", rest % dims[i], *tail_of ? "," : "", tail_of);
  }
  snprintf(text, sizeof text, "%s[%s] is %.9g, expected %.9g (rtol %g, atol %g); %d of %d differ, the most by %g", what,
           at, (double)a[first], b[first], rtol, atol, bad, count, worst);
  return complain(run, text);
}

static double largest(const double *x, int count) {
  double m = 0;
  for (int i = 0; i < count; i++) m = fabs(x[i]) > m ? fabs(x[i]) : m;
  return m;
}

uint8_t *chain_pixels(const struct chain_run *run) {
  const struct ref_node *in = &run->ref->nodes[0];
  int hw = in->h * in->w, count = run->count * in->c * hw;
  uint8_t *pixels = malloc((size_t)count);
  if (!pixels) abort();
  uint64_t state = run->seed * 2654435761u + 1;
  for (int i = 0; i < count; i++) {
    float v = chain_uniform(&state); /* a quarter is black, as in MNIST's margins */
    pixels[i] = v < -0.5f ? 0 : (uint8_t)(127.5f + 127.5f * v);
    if (run->shape && run->shape->constant && i % hw) pixels[i] = pixels[i - 1];
  }
  return pixels;
}

static float drawn(const struct chain_run *run, const fovea_parameter *p, size_t i, uint64_t *state,
                   const float *data) {
  float u = chain_uniform(state);
  size_t row = p->count / (size_t)p->dims[0];
  for (int k = 0; k < 2; k++)
    if (run->given[k] && strcmp(run->given[k], p->name) == 0) return run->values[k] ? run->values[k][i] : 0.0f;
  if (run->shape && run->shape->equal_filters && strcmp(p->name, "head.weight") == 0 && i >= row) return data[i - row];
  if (strstr(p->name, "running_var")) return 1.0f + 0.5f * u;
  if (p->rank == 1 && strstr(p->name, "weight")) return 1.0f + 0.5f * u; /* gamma */
  if (p->rank == 1) return 0.5f * u;
  return u * sqrtf(3.0f / (float)row);
}

static int complain_of(const struct chain_run *run, const fovea_parameter *p, const struct ref_parameter *r) {
  char what[300];
  if (r)
    snprintf(what, sizeof what, "%s has %zu values%s, in the reference %d%s", p->name, p->count,
             p->trainable ? ", trained" : "", r->count, r->trainable ? ", trained" : "");
  else
    snprintf(what, sizeof what, "the reference has no %s", p->name);
  return complain(run, what);
}

int chain_parameters(const struct chain_run *run) {
  uint64_t state = run->seed + 1;
  size_t count = fovea_network_parameter_count(run->network);
  int failures =
      count == (size_t)run->ref->parameter_count ? 0 : complain(run, "other parameters than the reference's");
  for (size_t i = 0; i < count; i++) {
    const fovea_parameter *p = fovea_network_parameter(run->network, i);
    struct ref_parameter *r = ref_network_find(run->ref, p->name);
    if (!r || (size_t)r->count != p->count || r->trainable != p->trainable) return complain_of(run, p, r);
    float *data = malloc(p->count * sizeof *data);
    if (!data) abort();
    for (size_t j = 0; j < p->count; j++) {
      data[j] = drawn(run, p, j, &state, data);
      r->value[j] = (double)data[j];
    }
    failures += ask(run, fovea_network_set(run->network, i, FOVEA_VALUE, data));
    free(data);
  }
  return failures;
}

static int compare_losses(const struct chain_run *run, const char *pass) {
  fovea_losses losses;
  char what[64];
  int failures = 0;
  if (ask(run, fovea_network_losses(run->network, &losses))) return 1;
  const double got[] = {losses.bce, losses.kl, losses.total};
  const double wanted[] = {run->ref->bce, run->ref->kl, run->ref->total};
  static const char *const names[] = {"bce", "kl", "total"};
  if (losses.images != (size_t)run->count || losses.passes != 1)
    failures += complain(run, "images and passes of a loss");
  for (int i = 0; i < 3; i++) {
    float value = (float)got[i];
    snprintf(what, sizeof what, "%s %s", pass, names[i]);
    failures += chain_close_to(run, what, &value, &wanted[i], (int[]){1}, 1, run->loss_rtol, LOSS_ATOL[i]);
  }
  return failures;
}

static int compare_parameters(const struct chain_run *run) {
  int failures = 0;
  double all = 0;
  char what[160];
  for (int i = 0; i < run->ref->parameter_count; i++)
    all = fmax(all, largest(run->ref->parameters[i].gradient, run->ref->parameters[i].count));
  for (size_t i = 0; i < fovea_network_parameter_count(run->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(run->network, i);
    const struct ref_parameter *r = ref_network_find(run->ref, p->name);
    float *data = malloc(p->count * sizeof *data);
    if (!data) abort();
    failures += ask(run, fovea_network_get(run->network, i, FOVEA_VALUE, data));
    snprintf(what, sizeof what, "after the step, %s", p->name); /* a learning rate of 0 changes no trainable one */
    failures += chain_close_to(run, what, data, r->value, p->dims, p->rank, p->trainable ? 0 : VALUE_RTOL,
                               p->trainable ? 0 : VALUE_SHARE * largest(r->value, r->count));
    if (p->trainable) {
      failures += ask(run, fovea_network_get(run->network, i, FOVEA_GRADIENT, data));
      snprintf(what, sizeof what, "the gradient of %s", p->name);
      failures += chain_close_to(run, what, data, r->gradient, p->dims, p->rank, GRADIENT_RTOL,
                                 GRADIENT_SHARE * largest(r->gradient, r->count) + GRADIENT_SHARE_OF_ALL * all);
    }
    free(data);
  }
  return failures;
}

static int compare_tensor(const struct chain_run *run, const char *what, int node) {
  const struct ref_node *r = &run->ref->nodes[node];
  const int dims[] = {run->count, r->c, r->h, r->w}, count = run->count * r->c * r->h * r->w;
  float *data = malloc((size_t)count * sizeof *data);
  if (!data) abort();
  int failures = ask(run, fovea_network_read(run->network, node, (size_t)run->count, data));
  if (!failures)
    failures = chain_close_to(run, what, data, r->value, dims, 4, VALUE_RTOL, VALUE_SHARE * largest(r->value, count));
  free(data);
  return failures;
}

static int check_padding_of(const struct chain_run *run, const char *what, int node, fovea_slice slice) {
  const fovea_node *n = &run->graph->nodes[node];
  const size_t pixels = (size_t)(n->h * n->w), size = (size_t)n->c * pixels,
               batch = (size_t)(run->batch + 15) / 16 * 16;
  float *x = malloc(size * batch * sizeof *x);
  char text[320] = "";
  if (!x) abort();
  int failures = ask(run, fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * size * batch, x));
  for (size_t image = 0; image < batch && !failures; image++)
    for (size_t e = 0; e < size && !*text; e++) {
      const float v = x[fovea_device_place(e, pixels, image, batch)];
      if (image < (size_t)run->count ? isfinite(v) : v == 0) continue;
      snprintf(text, sizeof text, "%s of node %d (%s %s) is %g at element %zu of image %zu", what, node, n->op->name,
               n->name, (double)v, e, image);
    }
  free(x);
  return *text ? complain(run, text) : failures;
}

int chain_check_padding(const struct chain_run *run, bool training) {
  const fovea_plan *plan = fovea_network_plan(run->network, training);
  const char *const value = training ? "training: the value" : "evaluation: the value";
  int failures = 0, seen = training;
  for (int i = 0; i < run->graph->count; i++) {
    fovea_slice slice;
    if (fovea_plan_source(plan, i) != i) continue;
    if (fovea_plan_value(plan, i, &slice) == FOVEA_OK) failures += check_padding_of(run, value, i, slice), seen++;
    if (fovea_plan_gradient(plan, i, &slice)) failures += check_padding_of(run, "the gradient", i, slice);
  }
  return failures + (seen ? 0 : complain(run, "no tensor of the evaluation can be read"));
}

enum { TRAINING_STEP = 3 }; /* it is in the counter of what is drawn, so not 0 */

static int compare_training(const struct chain_run *run, const uint8_t *pixels, size_t image) {
  /* gathered backwards from the pool */
  uint32_t *index = malloc((size_t)run->count * sizeof *index);
  uint8_t *pool = malloc((size_t)run->count * image);
  if (!index || !pool) abort();
  for (int i = 0; i < run->count; i++) {
    index[i] = (uint32_t)(run->count - 1 - i);
    memcpy(pool + index[i] * image, pixels + (size_t)i * image, image);
  }
  int failures = ask(run, fovea_network_set_step(run->network, TRAINING_STEP));
  failures += ask(run, fovea_network_train_step(run->network, pool, index, (size_t)run->count, 0));
  free(index);
  free(pool);
  ref_network_forward(run->ref, run->count, pixels, TRAINING_STEP, true);
  ref_network_backward(run->ref);
  return failures ? failures : compare_losses(run, "training's") + compare_parameters(run);
}

static int compare_evaluation(const struct chain_run *run, const uint8_t *pixels) {
  enum { NOISE_STEP = 3 };
  if (ask(run, fovea_network_evaluate(run->network, pixels, NULL, (size_t)run->count, NOISE_STEP))) return 1;
  ref_network_forward(run->ref, run->count, pixels, NOISE_STEP, false);
  int failures = compare_losses(run, "evaluation's");
  for (int i = 0; i < run->ref->count; i++) {
    const struct ref_node *node = &run->ref->nodes[i];
    if (node->op != REF_REPARAMETERIZE) continue;
    failures += compare_tensor(run, "mu", node->inputs[0]) + compare_tensor(run, "logvar", node->inputs[1]) +
                compare_tensor(run, "z", i);
  }
  return failures + compare_tensor(run, "the reconstruction", run->ref->count - 1);
}

/* A step before the one that is compared: what it leaves in memory is there to be mistaken for something new. */
static int leave_traces(const struct chain_run *run, const uint8_t *pixels) {
  fovea_losses unused;
  int failures = ask(run, fovea_network_train_step(run->network, pixels, NULL, (size_t)run->count, 0));
  return failures + ask(run, fovea_network_losses(run->network, &unused));
}

int chain_compare(const struct chain_run *run) {
  const struct ref_node *in = &run->ref->nodes[0];
  uint8_t *pixels = chain_pixels(run);
  int failures = leave_traces(run, pixels) + chain_parameters(run);
  if (!failures) failures = compare_training(run, pixels, (size_t)(in->c * in->h * in->w));
  if (!failures) failures = chain_check_padding(run, true);
  failures += compare_evaluation(run, pixels);
  if (!failures) failures = chain_check_padding(run, false);
  free(pixels);
  return failures;
}
