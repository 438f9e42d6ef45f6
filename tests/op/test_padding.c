/* Images that only pad a batch are 0 in every value and gradient (cl/common/vector.clh), whatever memory holds before,
 * and what a step computes of the images does not depend on them. */
#include "op/op_test.h"

#include <math.h>

#include "fovea/vae.h"
#include "graph/op.h"
#include "net/network.h"
#include "plan/internal.h"
#include "runtime/buffer.h"

enum { SEED = 768 };

/* input -> head -> body -> tail, to the image's shape -> sigmoid_bce */
struct padding_case {
  const char *name;
  int batch, count, channels, height, width;
  fovea_tensor (*body)(fovea_graph *graph, fovea_tensor x);
};

static int complain(const struct padding_case *c, const char *what) {
  fprintf(stderr, "%s, %d of %d images: %s\n", c->name, c->count, c->batch, what);
  chain_print_repeat(c->name);
  return 1;
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

static const fovea_conv2d with_bias = {.filters = 9, .kernel = 3, .stride = 1, .bias = true, .same = true};
static const fovea_conv2d few_filters = {.filters = 3, .kernel = 3, .stride = 1, .bias = true, .same = true};
static const fovea_conv2d bare = {.filters = 9, .kernel = 3, .stride = 1, .same = true};
static const fovea_conv2d up = {.filters = 5, .kernel = 3, .stride = 2, .bias = true, .same = true};
static const fovea_conv2d down = {.filters = 5, .kernel = 3, .stride = 2, .bias = true, .same = true};

static fovea_tensor biases(fovea_graph *graph, fovea_tensor x) {
  x = fovea_add_conv2d(graph, x, "a", &with_bias); /* winograd.cl, where the image is large enough */
  x = fovea_add_activation(graph, fovea_add_conv2d(graph, x, "b", &few_filters), FOVEA_ELU);
  x = fovea_add_conv2d(graph, x, "c", &down);
  return fovea_add_conv2d_transpose(graph, x, "d", &up);
}

/* Each merged with the convolution that it reads, and one that is not. */
static fovea_tensor sigmoids(fovea_graph *graph, fovea_tensor x) {
  x = fovea_add_activation(graph, fovea_add_conv2d(graph, x, "a", &bare), FOVEA_SIGMOID);
  x = fovea_add_activation(graph, fovea_add_conv2d(graph, x, "b", &few_filters), FOVEA_SIGMOID);
  x = fovea_add_activation(graph, fovea_add_dropout(graph, x, 0.25), FOVEA_SIGMOID);
  return fovea_add_activation(graph, x, FOVEA_SIGMOID);
}

static fovea_tensor normalizations(fovea_graph *graph, fovea_tensor x) {
  char name[16];
  for (int i = 0; i < 30; i++) {
    snprintf(name, sizeof name, "bn%d", i);
    x = fovea_add_batchnorm(graph, x, name, 0.9f, 1e-3f);
    if (i % 5 == 3) x = fovea_add_dropout(graph, x, 0.2);
    if (i % 2) x = fovea_add_activation(graph, x, (fovea_activation)(i / 2 % FOVEA_ACTIVATION_COUNT));
  }
  return x;
}

static fovea_tensor attention(fovea_graph *graph, fovea_tensor x) {
  x = fovea_add_spatial_attention(graph, fovea_add_channel_attention(graph, x, "a"), "a");
  x = fovea_add_activation(graph, fovea_add_batchnorm(graph, x, "bn", 0.9f, 1e-3f), FOVEA_SIGMOID);
  return fovea_add_concat(graph, fovea_add_spatial_attention(graph, x, "b"),
                          fovea_add_channel_attention(graph, x, "c"));
}

/* mu is a normalization merged with an attention, and kept where nothing else in between is. */
static fovea_tensor code(fovea_graph *graph, fovea_tensor x) {
  const fovea_tensor units = fovea_add_dense(graph, x, "units", 5, true);
  const fovea_tensor gated = fovea_add_spatial_attention(graph, units, "gate");
  const fovea_tensor mu = fovea_add_batchnorm(graph, gated, "mu", 0.9f, 1e-3f);
  const fovea_tensor logvar = fovea_add_dense(graph, x, "logvar", 5, true);
  return fovea_add_reparameterize(graph, mu, logvar, 0.5f);
}

/* logvar is a sigmoid merged with a convolution. */
static fovea_tensor gated_code(fovea_graph *graph, fovea_tensor x) {
  const fovea_tensor logvar = fovea_add_activation(graph, fovea_add_conv2d(graph, x, "a", &bare), FOVEA_SIGMOID);
  return fovea_add_reparameterize(graph, fovea_add_dense(graph, x, "mu", 9, true), logvar, 0.5f);
}

static const struct padding_case cases[] = {
    {"biases", 32, 17, 3, 8, 8, biases},
    {"biases of small images", 16, 1, 1, 4, 4, biases},
    {"sigmoids", 33, 3, 1, 6, 8, sigmoids},
    {"normalizations", 64, 1, 1, 1, 1, normalizations},
    {"normalizations of images", 32, 17, 2, 3, 5, normalizations},
    {"attention", 64, 33, 3, 5, 4, attention},
    {"attention of one image", 64, 1, 3, 5, 4, attention},
    {"code", 64, 7, 1, 4, 4, code},
    {"gated code", 32, 5, 2, 1, 1, gated_code},
};

static fovea_graph *build(const struct padding_case *c) {
  const fovea_conv2d head = {.filters = 8, .kernel = 3, .stride = 1, .same = true};
  const fovea_conv2d tail = {.filters = c->channels, .kernel = 1, .stride = 1, .bias = true, .same = true};
  fovea_graph *graph = NULL;
  int dims[3];
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  fovea_tensor x = fovea_add_input(graph, c->channels, c->height, c->width);
  x = c->body(graph, fovea_add_conv2d(graph, x, "head", &head));
  if (fovea_tensor_shape(graph, x, dims) != FOVEA_OK) fail_msg("%s", fovea_error_message());
  if (dims[1] == c->height && dims[2] == c->width) {
    x = fovea_add_conv2d(graph, x, "tail", &tail);
  } else {
    x = fovea_add_dense(graph, x, "tail", c->channels * c->height * c->width, true);
    x = fovea_add_reshape(graph, x, c->channels, c->height, c->width);
  }
  fovea_add_sigmoid_bce(graph, x);
  if (fovea_graph_check(graph) != FOVEA_OK) fail_msg("%s", fovea_error_message());
  return graph;
}

/* --- a network whose memory is NaN before anything is computed ---------------------------------------------------- */

static void poison(const fovea_plan *plan) {
  for (int i = 0; i < plan->slab_count; i++) {
    const size_t count = plan->slabs[i]->size / sizeof(float);
    float *words = malloc(count * sizeof *words);
    assert_non_null(words);
    for (size_t j = 0; j < count; j++) words[j] = j % 2 ? NAN : -INFINITY;
    assert_int_equal(fovea_buffer_write(plan->slabs[i], 0, count * sizeof *words, words), FOVEA_OK);
    free(words);
  }
}

/* Its parameters all count: biases and shifts are far from 0. */
static void set_parameters(fovea_network *network) {
  uint64_t random = 7;
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++) {
    const fovea_parameter *p = fovea_network_parameter(network, i);
    float *data = malloc(p->count * sizeof *data);
    assert_non_null(data);
    assert_int_equal(fovea_network_get(network, i, FOVEA_VALUE, data), FOVEA_OK);
    for (size_t j = 0; j < p->count; j++)
      if (p->rank == 1) data[j] += strstr(p->name, "running_var") ? 0 : 0.5f + 0.4f * chain_uniform(&random);
    assert_int_equal(fovea_network_set(network, i, FOVEA_VALUE, data), FOVEA_OK);
    free(data);
  }
}

static fovea_network *make(const struct padding_case *c, const fovea_graph *graph, bool inspect) {
  const fovea_network_options options = {.batch = c->batch, .seed = SEED, .training = true, .inspect = inspect};
  fovea_network *network = NULL;
  if (fovea_network_create(chain_device(), graph, &options, &network) != FOVEA_OK)
    fail_msg("%s", fovea_error_message());
  set_parameters(network);
  return network;
}

/* --- comparing ---------------------------------------------------------------------------------------------------- */

/* Gradients and moving statistics of both. */
static int compare_parameters(const struct padding_case *c, fovea_network *a, fovea_network *b) {
  int failures = 0;
  for (size_t i = 0; i < fovea_network_parameter_count(a); i++) {
    const fovea_parameter *p = fovea_network_parameter(a, i);
    const fovea_value which = p->trainable ? FOVEA_GRADIENT : FOVEA_VALUE;
    float *x = malloc(2 * p->count * sizeof *x), *y = x + p->count;
    assert_non_null(x);
    assert_int_equal(fovea_network_get(a, i, which, x), FOVEA_OK);
    assert_int_equal(fovea_network_get(b, i, which, y), FOVEA_OK);
    for (size_t j = 0; j < p->count; j++) {
      if (isfinite(x[j]) && memcmp(&x[j], &y[j], sizeof *x) == 0) continue;
      char text[200];
      snprintf(text, sizeof text, "%s[%zu] is %a, after other steps %a", p->name, j, (double)x[j], (double)y[j]);
      failures += complain(c, text);
      break;
    }
    free(x);
  }
  return failures;
}

static int step(const struct padding_case *c, fovea_network *network, const uint8_t *pixels, int count) {
  fovea_losses losses;
  assert_int_equal(fovea_network_train_step(network, pixels, NULL, (size_t)count, 0), FOVEA_OK);
  return fovea_network_losses(network, &losses) == FOVEA_OK ? 0 : complain(c, fovea_error_message());
}

static int evaluate(const struct padding_case *c, fovea_network *network, const uint8_t *pixels, fovea_losses *losses) {
  assert_int_equal(fovea_network_evaluate(network, pixels, NULL, (size_t)c->count, 3), FOVEA_OK);
  return fovea_network_losses(network, losses) == FOVEA_OK ? 0 : complain(c, fovea_error_message());
}

/* One network's memory is NaN, the other's has a whole batch's numbers, of white images. */
static int run_as(const struct padding_case *c, const fovea_graph *graph, bool inspect) {
  const size_t size = (size_t)c->batch * (size_t)(c->channels * c->height * c->width);
  uint8_t *pixels = malloc(size), *white = malloc(size);
  uint64_t random = 3;
  assert_true(pixels && white);
  for (size_t i = 0; i < size; i++) pixels[i] = (uint8_t)(127.5f + 127.5f * chain_uniform(&random)), white[i] = 255;
  fovea_network *fresh = make(c, graph, inspect), *used = make(c, graph, inspect);
  fovea_losses of_fresh = {0}, of_used = {0};
  poison(fovea_network_plan(fresh, true)), poison(fovea_network_plan(fresh, false));
  int failures = step(c, used, white, c->batch);
  assert_int_equal(fovea_network_evaluate(used, white, NULL, (size_t)c->batch, 0), FOVEA_OK);
  assert_int_equal(fovea_network_losses(used, &of_used), FOVEA_OK);
  for (size_t i = 0; i < fovea_network_parameter_count(used); i++) { /* the statistics have moved */
    float data[1024];
    assert_in_range(fovea_network_parameter(used, i)->count, 1, COUNT(data));
    assert_int_equal(fovea_network_get(fresh, i, FOVEA_VALUE, data), FOVEA_OK);
    assert_int_equal(fovea_network_set(used, i, FOVEA_VALUE, data), FOVEA_OK);
  }
  assert_int_equal(fovea_network_set_step(used, 0), FOVEA_OK);
  failures += step(c, fresh, pixels, c->count) + step(c, used, pixels, c->count);
  failures += compare_parameters(c, fresh, used);
  const struct chain_run checked = {
      .name = c->name, .graph = graph, .network = fresh, .batch = c->batch, .count = c->count, .seed = SEED};
  failures += chain_check_padding(&checked, true);
  failures += evaluate(c, fresh, pixels, &of_fresh) + evaluate(c, used, pixels, &of_used);
  failures += chain_check_padding(&checked, false);
  if (of_fresh.bce != of_used.bce || of_fresh.kl != of_used.kl)
    failures += complain(c, "an evaluation's losses differ");
  fovea_network_destroy(fresh);
  fovea_network_destroy(used);
  free(pixels), free(white);
  return failures;
}

static int run(const struct padding_case *c) {
  if (!chain_wanted(c->name)) return 0;
  fovea_graph *graph = build(c);
  const int failures = run_as(c, graph, true) + run_as(c, graph, false);
  fovea_graph_destroy(graph);
  return failures;
}

static void test_padding(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_padding)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
