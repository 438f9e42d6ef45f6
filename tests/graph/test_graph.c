/* What a graph and a network refuse: the status, the offending values in the message, and the first failure kept. */
#include <math.h>

#include "op/op_test.h"
#include "ref/ref.h"

static const fovea_conv2d good = {.filters = 2, .kernel = 3, .stride = 1, .same = true};

/* Each builds on a graph whose tensor 0 is an image of 1 x 4 x 4 and tensor 1 a dense layer of 6 units. */
static int second_input(fovea_graph *g) { return fovea_add_input(g, 1, 4, 4); }
static int conv(fovea_graph *g, int filters, int kernel, int stride, bool same, int padding) {
  return fovea_add_conv2d(g, 0, "op", &(fovea_conv2d){filters, kernel, stride, false, same, padding});
}
static int no_filters(fovea_graph *g) { return conv(g, 0, 3, 1, true, 0); }
static int many_filters(fovea_graph *g) { return conv(g, 65537, 3, 1, true, 0); }
static int even_kernel(fovea_graph *g) { return conv(g, 2, 4, 1, true, 0); }
static int negative_kernel(fovea_graph *g) { return conv(g, 2, -1, 1, true, 0); }
static int large_kernel(fovea_graph *g) { return conv(g, 2, 17, 1, true, 0); }
static int no_stride(fovea_graph *g) { return conv(g, 2, 3, 0, true, 0); }
static int large_stride(fovea_graph *g) { return conv(g, 2, 3, 3, true, 0); }
static int large_padding(fovea_graph *g) { return conv(g, 2, 3, 1, false, 3); }
static int negative_padding(fovea_graph *g) { return conv(g, 2, 3, 1, false, -1); }
static int small_image(fovea_graph *g) { return conv(g, 2, 5, 1, false, 0); }
static int transpose_padding(fovea_graph *g) {
  return fovea_add_conv2d_transpose(g, 0, "op", &(fovea_conv2d){2, 3, 2, false, false, 1});
}
static int transpose_kernel(fovea_graph *g) {
  return fovea_add_conv2d_transpose(g, 0, "op", &(fovea_conv2d){2, 2, 2, false, true, 0});
}
static int transpose_to(fovea_graph *g, int stride, int height, int width) {
  const fovea_conv2d up = {.filters = 2, .kernel = 3, .stride = stride, .same = true};
  return fovea_add_conv2d_transpose_sized(g, 0, "op", &up, height, width);
}
static int transpose_too_high(fovea_graph *g) { return transpose_to(g, 2, 9, 8); }
static int transpose_too_narrow(fovea_graph *g) { return transpose_to(g, 2, 8, 6); }
static int transpose_of_less(fovea_graph *g) { return transpose_to(g, 1, 4, 3); }
static int transpose_negative(fovea_graph *g) { return transpose_to(g, 2, -8, 8); }
static int no_units(fovea_graph *g) { return fovea_add_dense(g, 0, "op", 0, false); }
static int other_size(fovea_graph *g) { return fovea_add_reshape(g, 1, 2, 2, 2); }
static int negative_sides(fovea_graph *g) { return fovea_add_reshape(g, 1, 6, -1, -1); }
static int reshape_image(fovea_graph *g) { return fovea_add_reshape(g, 0, 16, 1, 1); }
static int reshape_code(fovea_graph *g) { return fovea_add_reshape(g, fovea_add_reparameterize(g, 1, 1, 1), 3, 2, 1); }
static int momentum_one(fovea_graph *g) { return fovea_add_batchnorm(g, 0, "op", 1, 1e-3f); }
static int momentum_nan(fovea_graph *g) { return fovea_add_batchnorm(g, 0, "op", NAN, 1e-3f); }
static int no_epsilon(fovea_graph *g) { return fovea_add_batchnorm(g, 0, "op", 0.5f, 0); }
static int drop_all(fovea_graph *g) { return fovea_add_dropout(g, 0, 1); }
static int drop_less(fovea_graph *g) { return fovea_add_dropout(g, 0, -0.25); }
static int drop_nan(fovea_graph *g) { return fovea_add_dropout(g, 0, (double)NAN); }
static int no_such_activation(fovea_graph *g) { return fovea_add_activation(g, 0, (fovea_activation)99); }
static int other_image(fovea_graph *g) { return fovea_add_concat(g, 0, 1); }
static int latent_image(fovea_graph *g) { return fovea_add_reparameterize(g, 1, 0, 1); }
static int latent_units(fovea_graph *g) {
  return fovea_add_reparameterize(g, 1, fovea_add_dense(g, 0, "five", 5, false), 1);
}
static int negative_kl(fovea_graph *g) { return fovea_add_reparameterize(g, 1, 1, -2); }
static int two_latents(fovea_graph *g) {
  return fovea_add_reparameterize(g, fovea_add_reparameterize(g, 1, 1, 1), 1, 1);
}
static int other_reconstruction(fovea_graph *g) { return fovea_add_sigmoid_bce(g, 1); }
static int two_losses(fovea_graph *g) { return fovea_add_sigmoid_bce(g, fovea_add_sigmoid_bce(g, 0)); }
static int taken_name(fovea_graph *g) { return fovea_add_dense(g, 0, "six", 6, false); }
static int long_name(fovea_graph *g) {
  char name[400];
  memset(name, 'x', sizeof name - 1);
  name[sizeof name - 1] = 0;
  return fovea_add_conv2d(g, 0, name, &good);
}
static int quoted_name(fovea_graph *g) { return fovea_add_dense(g, 0, "se\"ven", 7, false); }
static int no_operand(fovea_graph *g) { return fovea_add_concat(g, 0, 99); }
static int no_tensor(fovea_graph *g) { return fovea_add_conv2d(g, 99, "op", &good); }
static int negative_tensor(fovea_graph *g) { return fovea_add_activation(g, -7, FOVEA_RELU); }

static const struct {
  const char *name;
  int (*build)(fovea_graph *graph);
  const char *message;
} refused[] = {
    {"a second input", second_input, "has one already"},
    {"no filters", no_filters, "0 filters"},
    {"many filters", many_filters, "65537 filters"},
    {"an even kernel", even_kernel, "kernel 4"},
    {"a negative kernel", negative_kernel, "kernel -1"},
    {"a large kernel", large_kernel, "kernel 17"},
    {"no stride", no_stride, "stride 0"},
    {"a large stride", large_stride, "stride 3"},
    {"a large padding", large_padding, "padding 3, expected 0 to 2"},
    {"a negative padding", negative_padding, "padding -1"},
    {"an image smaller than the kernel", small_image, "4x4 is smaller than the kernel of 5"},
    {"a transposed convolution's padding", transpose_padding, "only 'same'"},
    {"a transposed convolution's kernel", transpose_kernel, "kernel 2"},
    {"a transposed convolution to too many rows", transpose_too_high, "9x8, of which a convolution of stride 2"},
    {"a transposed convolution to too few columns", transpose_too_narrow, "8x6, of which"},
    {"a transposed convolution of stride 1 to less", transpose_of_less, "4x3, of which a convolution of stride 1"},
    {"a transposed convolution to less than nothing", transpose_negative, "-8x8, of which"},
    {"no units", no_units, "0 units"},
    {"a reshape to another size", other_size, "6x1x1 does not become 2x2x2"},
    {"a reshape to negative sides", negative_sides, "6x-1x-1"},
    {"a reshape of an image", reshape_image, "1x4x4 does not become 16x1x1"},
    {"a reshape of what no dense layer makes", reshape_code, "reparameterize is not made by a dense layer"},
    {"momentum 1", momentum_one, "batchnorm: momentum 1, expected at least 0 and below 1"},
    {"momentum NaN", momentum_nan, "momentum nan"},
    {"epsilon 0", no_epsilon, "batchnorm: epsilon 0, expected above 0 and below 1"},
    {"dropout of all", drop_all, "rate 1"},
    {"negative dropout", drop_less, "rate -0.25"},
    {"dropout NaN", drop_nan, "rate nan"},
    {"no such activation", no_such_activation, "99"},
    {"images of two sizes", other_image, "4x4 and 1x1"},
    {"mu and logvar of two shapes", latent_image, "1x4x4"},
    {"mu and logvar of two lengths", latent_units, "logvar 5x1x1"},
    {"a negative KL weight", negative_kl, "KL weight -2"},
    {"two latent codes", two_latents, "has one already"},
    {"a reconstruction of another shape", other_reconstruction, "6x1x1, the images are 1x4x4"},
    {"two losses", two_losses, "has one already"},
    {"a taken name", taken_name, "dense: the name 'six' is taken by another node"},
    {"a long name", long_name, "xxx...' is longer than 127 bytes"},
    {"a name with a quote", quoted_name, "dense: the name 'se\"ven' has a quote in it"},
    {"no such operand", no_operand, "concat: input 99 is"},
    {"no such tensor", no_tensor, "conv2d op: input 99 is"},
    {"a negative tensor", negative_tensor, "-7"},
};

static int contains(const char *name, const char *what, const char *part) {
  if (strstr(what, part)) return 0;
  fprintf(stderr, "%s: '%s' is not in: %s\n", name, part, what);
  return 1;
}

static fovea_graph *start(void) {
  fovea_graph *graph = NULL;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  assert_int_equal(fovea_add_input(graph, 1, 4, 4), 0);
  assert_int_equal(fovea_add_dense(graph, 0, "six", 6, false), 1);
  return graph;
}

/* The failure stays: later calls fail too or at least change nothing of it, and no network is made. */
static void test_refused(void **state) {
  (void)state;
  int failures = 0;
  for (size_t i = 0; i < COUNT(refused); i++) {
    const char *name = refused[i].name;
    fovea_graph *graph = start();
    int x = refused[i].build(graph);
    if (x != -1) fprintf(stderr, "%s: returned %d\n", name, x), failures++;
    failures += contains(name, fovea_error_message(), refused[i].message);
    if (fovea_add_conv2d(graph, x, "after", &good) != -1) fprintf(stderr, "%s: went on\n", name), failures++;
    fovea_add_dropout(graph, 0, 12345);
    if (fovea_graph_check(graph) != FOVEA_INVALID) fprintf(stderr, "%s: forgotten\n", name), failures++;
    failures += contains(name, fovea_error_message(), refused[i].message);
    fovea_network *network = NULL;
    fovea_network_options options = {.batch = 1};
    if (fovea_network_create(chain_device(), graph, &options, &network) != FOVEA_INVALID || network)
      fprintf(stderr, "%s: a network was made\n", name), failures++;
    failures += contains(name, fovea_error_message(), refused[i].message);
    fovea_graph_destroy(graph);
  }
  if (failures) fail_msg("%d checks failed", failures);
}

static void test_inputs(void **state) {
  (void)state;
  static const int shapes[][3] = {{0, 4, 4}, {1, 0, 4}, {1, 4, -3}, {4097, 1, 1}, {1, 4097, 1}, {1, 1, 4097}};
  for (size_t i = 0; i < COUNT(shapes); i++) {
    fovea_graph *graph = NULL;
    char shape[64];
    assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
    assert_int_equal(fovea_add_input(graph, shapes[i][0], shapes[i][1], shapes[i][2]), -1);
    snprintf(shape, sizeof shape, "%dx%dx%d", shapes[i][0], shapes[i][1], shapes[i][2]);
    assert_int_equal(contains("input", fovea_error_message(), shape), 0);
    assert_int_equal(fovea_graph_check(graph), FOVEA_INVALID);
    fovea_graph_destroy(graph);
  }
}

/* 4096 x 512 x 512 inputs are 2^30: more than a dense layer takes. */
static void test_dense_of_a_huge_image(void **state) {
  (void)state;
  fovea_graph *graph = NULL;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  assert_int_equal(fovea_add_input(graph, 4096, 512, 512), 0);
  assert_int_equal(fovea_add_dense(graph, 0, "op", 2, false), -1);
  assert_int_equal(fovea_graph_check(graph), FOVEA_INVALID);
  fovea_graph_destroy(graph);
}

static void test_shapes(void **state) {
  (void)state;
  fovea_graph *graph = start();
  int dims[3] = {7, 7, 7};
  assert_int_equal(fovea_tensor_shape(graph, 0, dims), FOVEA_OK);
  assert_true(dims[0] == 1 && dims[1] == 4 && dims[2] == 4);
  assert_int_equal(fovea_tensor_shape(graph, 2, dims), FOVEA_INVALID);
  assert_int_equal(contains("shape", fovea_error_message(), "2 is not one of its 2"), 0);
  assert_int_equal(fovea_tensor_shape(graph, -1, dims), FOVEA_INVALID);
  assert_true(dims[0] == 1);
  fovea_graph_destroy(graph);
  fovea_graph_destroy(NULL);
  fovea_network_destroy(NULL);
}

static void refuse_network(const fovea_graph *graph, int batch, bool training, const char *part) {
  fovea_network *network = NULL;
  fovea_network_options options = {.batch = batch, .training = training};
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &network), FOVEA_INVALID);
  assert_null(network);
  assert_int_equal(contains("network", fovea_error_message(), part), 0);
}

static void test_network_options(void **state) {
  (void)state;
  fovea_graph *empty = NULL, *graph = start();
  assert_int_equal(fovea_graph_create(&empty), FOVEA_OK);
  refuse_network(empty, 1, false, "no input");
  refuse_network(graph, 0, false, "batch of 0");
  refuse_network(graph, -5, false, "batch of -5");
  refuse_network(graph, 65537, false, "batch of 65537");
  refuse_network(graph, 1, true, "sigmoid_bce");
  setenv("FOVEA_BLAS", "cublas", 1);
  refuse_network(graph, 1, false, "'cublas'");
  unsetenv("FOVEA_BLAS");
  fovea_graph_destroy(empty);
  fovea_graph_destroy(graph);
}

#define REFUSE(call, part)                                               \
  do {                                                                   \
    assert_int_equal((call), FOVEA_INVALID);                             \
    assert_int_equal(contains(#call, fovea_error_message(), (part)), 0); \
  } while (0)

static void test_network_calls(void **state) {
  (void)state;
  fovea_graph *graph = start();
  int x = fovea_add_batchnorm(graph, fovea_add_conv2d(graph, 0, "conv", &good), "bn", 0.9f, 1e-3f);
  int y = fovea_add_conv2d(graph, x, "out", &(fovea_conv2d){.filters = 1, .kernel = 1, .stride = 1, .same = true});
  int loss = fovea_add_sigmoid_bce(graph, y);
  fovea_network *trained = NULL, *fixed = NULL;
  fovea_network_options options = {.batch = 2, .seed = 1, .training = true};
  uint8_t pixels[3 * 16] = {0};
  float data[3 * 64];
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &trained), FOVEA_OK);
  options.training = false;
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &fixed), FOVEA_OK);
  assert_true(fovea_network_memory(fixed) < fovea_network_memory(trained));
  REFUSE(fovea_network_train_step(trained, pixels, NULL, 3, 0), "3 images, expected 1 to the batch's 2");
  REFUSE(fovea_network_train_step(trained, pixels, NULL, 0, 0), "0 images");
  REFUSE(fovea_network_evaluate(trained, pixels, NULL, 3, 0), "3 images");
  REFUSE(fovea_network_train_step(fixed, pixels, NULL, 1, 0), "evaluation only");
  assert_int_equal(fovea_network_get_step(trained), 0);
  size_t count = fovea_network_parameter_count(trained);
  assert_null(fovea_network_parameter(trained, count));
  REFUSE(fovea_network_get(trained, count, FOVEA_VALUE, data), "parameter");
  for (size_t i = 0; i < count; i++) {
    const fovea_parameter *p = fovea_network_parameter(trained, i);
    if (!p->trainable) REFUSE(fovea_network_get(trained, i, FOVEA_GRADIENT, data), p->name);
    if (!p->trainable) REFUSE(fovea_network_set(trained, i, FOVEA_SECOND_MOMENT, data), p->name);
    REFUSE(fovea_network_get(fixed, i, FOVEA_FIRST_MOMENT, data), p->name);
  }
  REFUSE(fovea_network_read(fixed, loss, 1, data), "no evaluation pass has made tensor 5 (sigmoid_bce) yet");
  assert_int_equal(fovea_network_evaluate(fixed, pixels, NULL, 1, 0), FOVEA_OK);
  assert_int_equal(fovea_network_read(fixed, loss, 1, data), FOVEA_OK);
  REFUSE(fovea_network_read(fixed, loss, 2, data), "2 images of tensor 5 (sigmoid_bce), of which the last evaluation");
  assert_int_equal(fovea_network_train_step(trained, pixels, NULL, 2, 0), FOVEA_OK);
  REFUSE(fovea_network_read(trained, loss, 1, data), "no evaluation pass");
  REFUSE(fovea_network_train_step(trained, pixels, NULL, 1, -5), "learning_rate is -5, expected 0 or more");
  REFUSE(fovea_network_evaluate(fixed, pixels, NULL, 3, 0), "3 images");
  assert_int_equal(fovea_network_read(fixed, loss, 1, data), FOVEA_OK); /* what was refused made nothing */
  assert_int_equal(fovea_network_evaluate(fixed, pixels, NULL, 2, 0), FOVEA_OK);
  assert_int_equal(fovea_network_read(fixed, loss, 2, data), FOVEA_OK);
  REFUSE(fovea_network_read(fixed, loss, 3, data), "3 images");
  REFUSE(fovea_network_read(fixed, 99, 1, data), "99");
  REFUSE(fovea_network_read(fixed, x, 1, data), "not kept after a pass; the graph's last tensor, mu, logvar and z are");
  REFUSE(fovea_network_read(fixed, x, 1, data), "options.inspect");
  REFUSE(fovea_network_evaluate_from(fixed, x, data, 1), "not kept");
  fovea_network_destroy(trained);
  fovea_network_destroy(fixed);
  fovea_graph_destroy(graph);
}

/* --- what is not finite ------------------------------------------------------------------------------------------- */

enum { FIRST_STEP = 41, FIRST_BATCH = 6 };

/* Three 1x1 convolutions in a row, of these weights; before `steps` passes `good` ones of weight 1. */
struct not_finite {
  const char *name;
  bool training;
  int good, steps;
  float weights[3];
  const char *parts[3]; /* of the message */
};

static const struct not_finite not_finite[] = {
    {"a weight", true, 0, 1, {1, NAN, 1}, {"training step 41, counted from 0", "parameter b.weight (conv2d)"}},
    {"a weight, in an evaluation", false, 2, 2, {1, 1, NAN}, {"evaluation of batch 8", "parameter c.weight (conv2d)"}},
    {"a value", true, 0, 1, {1e30f, 1e30f, 0}, {"training step 41", "the output of b (conv2d), in 2 of 2 images"}},
    {"a value, and more steps",
     true,
     3,
     4,
     {1e30f, 1e30f, 0},
     {"training step 44", "the output of b (conv2d), in 2 of 2 images, on the images of a later", "it had bce 0."}},
    {"a value, in an evaluation",
     false,
     0,
     1,
     {1e30f, 1e30f, 0},
     {"evaluation of batch 6", "the output of b (conv2d)"}},
    {"a gradient", true, 2, 3, {0, 1e30f, 1e30f}, {"training step 43", "gradient of a.weight (conv2d)", "(bce 0.69"}},
    {"a gradient's square",
     true,
     2,
     3,
     {0, 1e22f, 1},
     {"training step 43", "the gradient of a.weight (conv2d), or its"}},
};

static void set_weights(fovea_network *network, const float weights[3]) {
  for (size_t i = 0; i < 3; i++) assert_int_equal(fovea_network_set(network, i, FOVEA_VALUE, &weights[i]), FOVEA_OK);
}

static void run_passes(fovea_network *network, bool training, int from, int to) {
  const uint8_t pixels[2 * 4] = {200, 3, 9, 255, 1, 1, 77, 30};
  for (int i = from; i < to; i++)
    assert_int_equal(training ? fovea_network_train_step(network, pixels, NULL, 2, 0.01f)
                              : fovea_network_evaluate(network, pixels, NULL, 2, FIRST_BATCH + (uint32_t)i),
                     FOVEA_OK);
}

static fovea_network *make_not_finite(const fovea_graph *graph, const struct not_finite *c, int steps) {
  const fovea_network_options options = {.batch = 2, .seed = 1, .training = true};
  const float ones[] = {1, 1, 1};
  fovea_network *network = NULL;
  fovea_losses losses = {.bce = 7};
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &network), FOVEA_OK);
  assert_int_equal(fovea_network_set_step(network, FIRST_STEP), FOVEA_OK);
  set_weights(network, ones);
  run_passes(network, c->training, 0, c->good);
  set_weights(network, c->weights);
  run_passes(network, c->training, c->good, c->good + steps);
  assert_int_equal(fovea_network_losses(network, &losses), FOVEA_MISMATCH);
  assert_true(losses.bce == 7);
  return network;
}

/* When it has been told, a step learns as before. */
static int learns(fovea_network *network, const struct not_finite *c) {
  const float ones[] = {1, 1, 1}, zero = 0;
  float moment = 0;
  fovea_losses losses;
  set_weights(network, ones);
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(fovea_network_set(network, i, FOVEA_FIRST_MOMENT, &zero), FOVEA_OK);
    assert_int_equal(fovea_network_set(network, i, FOVEA_SECOND_MOMENT, &zero), FOVEA_OK);
  }
  run_passes(network, true, 0, 1);
  assert_int_equal(fovea_network_losses(network, &losses), FOVEA_OK);
  assert_int_equal(fovea_network_get(network, 2, FOVEA_SECOND_MOMENT, &moment), FOVEA_OK);
  return moment > 0 ? 0 : contains(c->name, "", "a step that learns");
}

/* The steps after it change nothing: all weights are those of that step alone, which itself has changed none if it was
 * its loss. */
static int run_not_finite(const struct not_finite *c) {
  const fovea_conv2d one = {.filters = 1, .kernel = 1, .stride = 1, .same = true};
  fovea_graph *graph = NULL;
  int failures = 0;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  int x = fovea_add_conv2d(graph, fovea_add_input(graph, 1, 2, 2), "a", &one);
  x = fovea_add_conv2d(graph, fovea_add_conv2d(graph, x, "b", &one), "c", &one);
  fovea_add_sigmoid_bce(graph, x);
  fovea_network *alone = make_not_finite(graph, c, 1), *network = make_not_finite(graph, c, c->steps);
  for (int i = 0; i < 3 && c->parts[i]; i++) failures += contains(c->name, fovea_error_message(), c->parts[i]);
  if (strstr(fovea_error_message(), "learning rate")) failures += contains(c->name, fovea_error_message(), "no advice");
  for (size_t i = 0; i < 3; i++) {
    float weight = 0, wanted = 0;
    assert_int_equal(fovea_network_get(network, i, FOVEA_VALUE, &weight), FOVEA_OK);
    assert_int_equal(fovea_network_get(alone, i, FOVEA_VALUE, &wanted), FOVEA_OK);
    if (strncmp(c->name, "a gradient", 10) != 0) wanted = c->weights[i];
    if (memcmp(&weight, &wanted, sizeof weight) != 0) failures += contains(c->name, "", "the weights as they were");
  }
  failures += learns(network, c);
  fovea_network_destroy(alone);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return failures;
}

static void test_not_finite(void **state) {
  (void)state;
  RUN_TABLE(run_not_finite, not_finite);
}

/* The pass is repeated to find the tensor, the moving statistics are not moved again. */
static void test_not_finite_statistics(void **state) {
  (void)state;
  const fovea_network_options options = {.batch = 2, .seed = 1, .training = true};
  const fovea_conv2d one = {.filters = 1, .kernel = 1, .stride = 1, .same = true};
  const float huge = 1e30f, zero = 0;
  float mean = 0, same = 0;
  enum { A = 2, B, C, MEAN }; /* after the normalization's weight and bias */
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_losses losses;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  int x = fovea_add_batchnorm(graph, fovea_add_input(graph, 1, 2, 2), "bn", 0.9f, 1e-3f);
  x = fovea_add_conv2d(graph, x, "a", &one);
  x = fovea_add_conv2d(graph, fovea_add_conv2d(graph, x, "b", &one), "c", &one);
  fovea_add_sigmoid_bce(graph, x);
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &network), FOVEA_OK);
  assert_string_equal(fovea_network_parameter(network, MEAN)->name, "bn.running_mean");
  for (size_t i = A; i <= C; i++)
    assert_int_equal(fovea_network_set(network, i, FOVEA_VALUE, i == C ? &zero : &huge), FOVEA_OK);
  run_passes(network, true, 0, 1);
  assert_int_equal(fovea_network_get(network, MEAN, FOVEA_VALUE, &mean), FOVEA_OK);
  assert_int_equal(fovea_network_losses(network, &losses), FOVEA_MISMATCH);
  assert_int_equal(contains("statistics", fovea_error_message(), "the output of b (conv2d)"), 0);
  assert_int_equal(fovea_network_get(network, MEAN, FOVEA_VALUE, &same), FOVEA_OK);
  assert_true(mean > 0 && memcmp(&mean, &same, sizeof mean) == 0);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

static void assert_initial(fovea_network *network, size_t index, int fans, uint64_t seed) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  const fovea_parameter *p = fovea_network_parameter(network, index);
  const float limit = sqrtf((float)(6.0 / fans));
  float data[128];
  uint32_t words[4];
  assert_in_range(p->count, 1, COUNT(data));
  assert_int_equal(fovea_network_get(network, index, FOVEA_VALUE, data), FOVEA_OK);
  for (uint32_t i = 0; i < p->count; i++) {
    ref_philox((uint32_t[4]){i / 4, 0, 0x40000000u + (uint32_t)index, 0}, key, words);
    float u = (float)(words[i % 4] >> 8) * 0x1p-24f, wanted = limit * (2.0f * u - 1.0f);
    if (data[i] != wanted) fail_msg("%s[%u] is %.9g, not %.9g", p->name, i, (double)data[i], (double)wanted);
  }
}

/* Glorot's, from Philox and a seed of more than 32 bits, in the file's order. */
static void test_initial_weights(void **state) {
  (void)state;
  fovea_graph *graph = start();
  fovea_network *network = NULL;
  fovea_add_conv2d(graph, 0, "conv", &(fovea_conv2d){.filters = 5, .kernel = 3, .stride = 1, .same = true});
  fovea_network_options options = {.batch = 1, .seed = 768 | 3ull << 32};
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &network), FOVEA_OK);
  assert_initial(network, 0, 16 + 6, options.seed);
  assert_initial(network, 1, 9 * 1 + 9 * 5, options.seed);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

/* More passes than the log of losses holds, then one whose loss does not count. */
static void test_many_passes_before_a_reading(void **state) {
  (void)state;
  enum { PASSES = 4096 };
  const double mean = (-log(0.5) - log(1 / (1 + exp(-1.0)))) / 2; /* of the logits 0 and 1 against the images 0 and 1 */
  const uint8_t pixels[2] = {0, 255};
  const float half = 0.5f;
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_losses losses;
  fovea_network_options options = {.batch = 2, .seed = 1};
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  int loss = fovea_add_sigmoid_bce(graph, fovea_add_input(graph, 1, 1, 1));
  assert_int_equal(fovea_network_create(chain_device(), graph, &options, &network), FOVEA_OK);
  for (int i = 0; i < PASSES; i++) assert_int_equal(fovea_network_evaluate(network, pixels, NULL, 2, 0), FOVEA_OK);
  assert_int_equal(fovea_network_evaluate_from(network, loss, &half, 1), FOVEA_OK);
  assert_int_equal(fovea_network_losses(network, &losses), FOVEA_OK);
  assert_int_equal(losses.passes, PASSES);
  assert_int_equal(losses.images, 2 * PASSES);
  if (!(fabs(losses.bce - mean) < 1e-6)) fail_msg("the mean loss is %.9g, not %.9g", losses.bce, mean);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_refused),
      cmocka_unit_test(test_inputs),
      cmocka_unit_test(test_dense_of_a_huge_image),
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_network_options),
      cmocka_unit_test(test_network_calls),
      cmocka_unit_test(test_not_finite),
      cmocka_unit_test(test_not_finite_statistics),
      cmocka_unit_test(test_initial_weights),
      cmocka_unit_test(test_many_passes_before_a_reading),
  };
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
