/* Augmentation (cl/augment.cl): bit for bit what plain C makes, alone and in training steps, in any batch and order;
 * off and in evaluations nothing; and what is refused. How the draws are distributed: test_augment_draws.c. */
#include "op/op_test.h"

#include <math.h>

#include "ref/canonical.h"
#include "ref/canonical_ops.h"
#include "support/device.h"
#include "support/tempdir.h"

#define EDGE FOVEA_FILL_EDGE
#define BLACK FOVEA_FILL_BLACK
#define NONE FOVEA_FLIP_NONE
#define COLUMNS FOVEA_FLIP_HORIZONTAL
#define ROWS FOVEA_FLIP_VERTICAL
#define BOTH FOVEA_FLIP_BOTH

static const uint64_t SEED = 768 | 5ull << 32;

typedef struct augment_case {
  const char *name;
  int channels, height, width, batch, count;
  fovea_augmentation augment; /* shift, fill, flip, crop, contrast, brightness */
} augment_case;

static const augment_case cases[] = {
    {"one pixel", 1, 1, 1, 17, 17, {0, EDGE, BOTH, 0, 0.5, 0.5}},
    {"one row", 1, 1, 9, 16, 16, {0, EDGE, BOTH, 0, 0, 0.25}},
    {"one channel, shift", 1, 5, 7, 16, 13, {4, EDGE, NONE, 0, 0, 0}},
    {"shift filled with black", 3, 7, 5, 33, 33, {4, BLACK, NONE, 0, 0, 0}},
    {"columns reversed", 2, 3, 4, 16, 16, {0, EDGE, COLUMNS, 0, 0, 0}},
    {"rows reversed", 1, 4, 3, 16, 16, {0, EDGE, ROWS, 0, 0, 0}},
    {"crop", 1, 6, 9, 64, 37, {0, EDGE, NONE, 5, 0, 0}},
    {"contrast", 3, 5, 5, 16, 16, {0, EDGE, NONE, 0, 1, 0}},
    {"brightness", 1, 16, 16, 21, 20, {0, EDGE, NONE, 0, 0, 1}},
    {"five channels, all of it", 5, 9, 11, 40, 39, {3, BLACK, BOTH, 4, 0.3, 0.2}},
    {"28x28, all of it", 1, 28, 28, 64, 64, {2, EDGE, COLUMNS, 4, 0.1, 0.1}},
};

/* --- networks ------------------------------------------------------------------------------------------------------
 */

/* The images, a convolution back to their channels, the loss. */
static fovea_graph *graph_of(const augment_case *c) {
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  fovea_tensor x = fovea_add_input(graph, c->channels, c->height, c->width);
  x = fovea_add_conv2d(graph, x, "conv", &(fovea_conv2d){.filters = c->channels, .kernel = 1, .stride = 1});
  fovea_add_sigmoid_bce(graph, x);
  return graph;
}

static fovea_network *network_on(fovea_device *on, const fovea_graph *graph, const augment_case *c,
                                 const fovea_augmentation *augment) {
  fovea_network *network = NULL;
  const fovea_network_options options = {.batch = c->batch, .seed = SEED, .training = true, .augment = *augment};
  OK(fovea_network_create(on, graph, &options, &network));
  return network;
}

static size_t image_size(const augment_case *c) { return (size_t)(c->channels * c->height * c->width); }

/* `count` images and their numbers, which are no places in a batch. */
static uint8_t *draw_images(const augment_case *c, size_t count, uint32_t *numbers) {
  uint64_t state = 12345;
  uint8_t *pixels = malloc(count * image_size(c));
  assert_non_null(pixels);
  for (size_t i = 0; i < count * image_size(c); i++) pixels[i] = (uint8_t)(127.5f + 127.5f * chain_uniform(&state));
  for (size_t i = 0; i < count; i++) numbers[i] = (uint32_t)(i * 2654435761u + 7);
  return pixels;
}

static struct canonical_augmentation canonical_of(const fovea_augmentation *a, const uint32_t *numbers,
                                                  uint32_t epoch) {
  return (struct canonical_augmentation){.shift = a->shift,
                                         .crop = a->crop,
                                         .edge = a->fill == FOVEA_FILL_EDGE,
                                         .horizontal = a->flip == FOVEA_FLIP_HORIZONTAL || a->flip == FOVEA_FLIP_BOTH,
                                         .vertical = a->flip == FOVEA_FLIP_VERTICAL || a->flip == FOVEA_FLIP_BOTH,
                                         .contrast = (float)a->contrast,
                                         .brightness = (float)a->brightness,
                                         .numbers = numbers,
                                         .epoch = epoch};
}

/* --- the images ----------------------------------------------------------------------------------------------------
 */

static int same_images(const augment_case *c, const float *seen, const float *canonical, int padded) {
  for (int n = 0; n < c->count; n++)
    for (size_t e = 0; e < image_size(c); e++) {
      const float a = seen[(size_t)n * image_size(c) + e], b = canonical[e * (size_t)padded + (size_t)n];
      if (memcmp(&a, &b, sizeof a) == 0) continue;
      fprintf(stderr, "%s: image %d, value %zu is %a, plain C has %a\n", c->name, n, e, (double)a, (double)b);
      chain_print_repeat(c->name);
      return 1;
    }
  return 0;
}

static int compare_images(const augment_case *c) {
  if (!chain_wanted(c->name)) return 0;
  uint32_t numbers[64];
  uint8_t *pixels = draw_images(c, (size_t)c->count, numbers);
  const struct canonical_shape shape = {(c->batch + 15) / 16 * 16, c->count, c->channels, c->height, c->width};
  const size_t values = image_size(c) * (size_t)shape.n;
  float *seen = malloc(values * sizeof *seen), *canonical = malloc(values * sizeof *canonical);
  assert_true(seen && canonical);
  fovea_graph *graph = graph_of(c);
  fovea_network *network = network_on(device, graph, c, &c->augment);
  int failures = 0;
  for (uint32_t epoch = 0; epoch < 3 && !failures; epoch++) {
    const struct canonical_augmentation by = canonical_of(&c->augment, numbers, epoch);
    OK(fovea_network_augment(network, pixels, NULL, &(fovea_numbering){numbers, epoch}, (size_t)c->count, seen));
    canonical_augment_images(&shape, &by, SEED, pixels, canonical);
    failures = same_images(c, seen, canonical, shape.n);
  }
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  free(canonical);
  free(seen);
  free(pixels);
  return failures;
}

static void images_are_plain_c(void **state) {
  (void)state;
  RUN_TABLE(compare_images, cases);
}

/* --- training steps ------------------------------------------------------------------------------------------------
 */

static void same_losses(fovea_network *network, const struct canonical_network *canonical) {
  fovea_losses losses;
  OK(fovea_network_losses(network, &losses));
  assert_true((float)losses.bce == canonical_bce(canonical));
}

/* Steps of images that are augmented, as input and as target, then an evaluation of them as they are. In epoch 8 the
 * draw of number 0, which padding images have, would make them lighter. */
static int compare_steps(const augment_case *c) {
  if (!chain_wanted(c->name)) return 0;
  const float rate = 0.01f;
  uint32_t numbers[64];
  struct chain chain;
  struct chain_shape shape = {c->name, c->channels, c->height, c->width, c->batch, c->count, 0, 0, 0, 0, 0};
  const int x = chain_begin(&chain, &shape);
  const fovea_conv2d back = {.filters = c->channels, .kernel = 3, .stride = 1, .bias = true, .same = true};
  chain_mirror(&chain, fovea_add_sigmoid_bce(chain.graph, chain_conv2d(&chain, x, "conv", &back)));
  struct chain_run run = {.name = c->name,
                          .graph = chain.graph,
                          .ref = chain.ref,
                          .batch = c->batch,
                          .count = c->count,
                          .seed = SEED,
                          .shape = &shape};
  const fovea_network_options options = {
      .batch = c->batch, .seed = SEED, .training = true, .inspect = true, .augment = c->augment};
  OK(fovea_network_create(chain_device(), chain.graph, &options, &run.network));
  assert_int_equal(chain_parameters(&run), 0);
  struct canonical_network *canonical = canonical_create(chain.ref, c->batch);
  uint8_t *pixels = draw_images(c, (size_t)c->count, numbers);
  int failures = 0;
  for (uint32_t step = 0; step < 3; step++) {
    const struct canonical_augmentation by = canonical_of(&c->augment, numbers, 7 + step);
    canonical_augment(canonical, &by);
    OK(fovea_network_train_numbered(run.network, pixels, NULL, &(fovea_numbering){numbers, 7 + step}, (size_t)c->count,
                                    rate));
    canonical_forward(canonical, c->count, pixels, step, true);
    canonical_backward(canonical);
    canonical_adam(canonical, canonical_alpha(rate, step + 1));
    same_losses(run.network, canonical);
    failures += chain_check_padding(&run, true);
  }
  for (size_t i = 0; i < fovea_network_parameter_count(run.network); i++) {
    const fovea_parameter *p = fovea_network_parameter(run.network, i);
    float values[512];
    assert_true(p->count <= COUNT(values));
    OK(fovea_network_get(run.network, i, FOVEA_VALUE, values));
    failures += memcmp(values, canonical_parameter(canonical, (int)i, CANONICAL_VALUE), p->count * sizeof *values) != 0;
  }
  OK(fovea_network_evaluate(run.network, pixels, NULL, (size_t)c->count, 0));
  canonical_forward(canonical, c->count, pixels, 0, false);
  same_losses(run.network, canonical);
  free(pixels);
  canonical_destroy(canonical);
  fovea_network_destroy(run.network);
  fovea_graph_destroy(chain.graph);
  ref_network_destroy(chain.ref);
  return failures;
}

static void steps_are_plain_c(void **state) {
  (void)state;
  static const augment_case some[] = {{"steps", 3, 9, 7, 33, 29, {2, EDGE, BOTH, 3, 0.2, 0.4}},
                                      {"steps of one channel", 1, 8, 8, 64, 64, {0, BLACK, COLUMNS, 7, 0, 0}}};
  RUN_TABLE(compare_steps, some);
}

static const augment_case small = {"small", 2, 6, 5, 64, 64, {2, EDGE, BOTH, 1, 0.2, 0.3}};
enum { SMALL = 2 * 6 * 5, IMAGES = 100 };

/* Image after image, and in a batch of other images, elsewhere. */
static void an_image_is_the_same_in_any_batch(void **state) {
  (void)state;
  static float alone[SMALL], among[64 * SMALL];
  uint32_t numbers[IMAGES], index[64], chosen[64];
  augment_case one = small;
  one.batch = 1;
  uint8_t *pixels = draw_images(&small, IMAGES, numbers);
  fovea_graph *graph = graph_of(&small);
  fovea_network *by_one = network_on(device, graph, &one, &small.augment),
                *by_64 = network_on(device, graph, &small, &small.augment);
  for (uint32_t i = 0; i < 50; i++) index[i] = (i * 37 + 11) % IMAGES, chosen[i] = numbers[index[i]];
  OK(fovea_network_augment(by_64, pixels, index, &(fovea_numbering){chosen, 4}, 50, among));
  for (uint32_t i = 0; i < 50; i++) {
    OK(fovea_network_augment(by_one, pixels + index[i] * SMALL, NULL, &(fovea_numbering){chosen + i, 4}, 1, alone));
    assert_memory_equal(alone, among + i * SMALL, sizeof alone);
  }
  /* Without a numbering the index is the number, and the step, here the first, the epoch. */
  OK(fovea_network_augment(by_64, pixels, index, NULL, 50, among));
  OK(fovea_network_augment(by_one, pixels + index[3] * SMALL, NULL, &(fovea_numbering){index + 3, 0}, 1, alone));
  assert_memory_equal(alone, among + 3 * SMALL, sizeof alone);
  fovea_network_destroy(by_one);
  fovea_network_destroy(by_64);
  fovea_graph_destroy(graph);
  free(pixels);
}

/* The parameters after steps of a network, on a device with these queues. */
static void train_with(const char *queues, const uint8_t *pixels, float values[SMALL]) {
  fovea_device *on = open_with_queues(queues);
  fovea_graph *graph = graph_of(&small);
  fovea_network *network = network_on(on, graph, &small, &small.augment);
  for (int step = 0; step < 3; step++) OK(fovea_network_train_step(network, pixels, NULL, 60, 0.01f));
  OK(fovea_network_get(network, 0, FOVEA_VALUE, values));
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  fovea_device_close(on);
}

static void queues_and_shards_change_nothing(void **state) {
  (void)state;
  static float one[SMALL], other[SMALL];
  uint32_t numbers[IMAGES];
  uint8_t *pixels = draw_images(&small, IMAGES, numbers);
  train_with("1", pixels, one);
  train_with("shards", pixels, other);
  assert_memory_equal(one, other, sizeof one);
  free(pixels);
}

/* All zeros, but for a fill that nothing asks for, is the network without: the same programs, pixels and steps. */
static void off_is_nothing(void **state) {
  (void)state;
  static float seen[64 * SMALL], with[SMALL], without[SMALL];
  const fovea_augmentation off = {.fill = FOVEA_FILL_BLACK}, none = {0};
  uint32_t numbers[IMAGES];
  uint8_t *pixels = draw_images(&small, IMAGES, numbers);
  fovea_graph *graph = graph_of(&small);
  fovea_network *a = network_on(device, graph, &small, &off), *b = network_on(device, graph, &small, &none),
                *on = network_on(device, graph, &small, &small.augment);
  OK(fovea_network_augment(a, pixels, NULL, NULL, 64, seen));
  for (size_t i = 0; i < 64 * SMALL; i++) assert_true(seen[i] == (float)pixels[i] / 255.0f);
  OK(fovea_network_train_numbered(a, pixels, NULL, &(fovea_numbering){numbers, 3}, 64, 0.01f));
  OK(fovea_network_train_step(b, pixels, NULL, 64, 0.01f));
  OK(fovea_network_get(a, 0, FOVEA_VALUE, with));
  OK(fovea_network_get(b, 0, FOVEA_VALUE, without));
  assert_memory_equal(with, without, sizeof with);
  assert_int_equal(fovea_network_memory(a), fovea_network_memory(b));
  assert_int_equal(fovea_network_memory(on), fovea_network_memory(b) + sizeof(uint32_t) * 64);
  fovea_network_destroy(a);
  fovea_network_destroy(b);
  fovea_network_destroy(on);
  fovea_graph_destroy(graph);
  free(pixels);
}

/* A network that was saved between two steps goes on with its augmentation. */
static void a_saved_network_goes_on(void **state) {
  (void)state;
  static float whole[SMALL], resumed[SMALL];
  uint32_t numbers[IMAGES];
  uint8_t *pixels = draw_images(&small, IMAGES, numbers);
  fovea_graph *graph = graph_of(&small), *loaded_graph = NULL;
  fovea_network *network = network_on(device, graph, &small, &small.augment), *loaded = NULL;
  OK(fovea_network_train_step(network, pixels, NULL, 64, 0.01f));
  OK(fovea_network_save(network, temp_path("network.safetensors")));
  /* as with the batch and the seed, none asked for is the saved one */
  const fovea_network_options asked = {.training = true};
  OK(fovea_network_load(device, temp_path("network.safetensors"), &asked, &loaded_graph, &loaded));
  assert_memory_equal(&fovea_network_get_options(loaded)->augment, &small.augment, sizeof small.augment);
  OK(fovea_network_train_step(network, pixels + SMALL, NULL, 64, 0.01f));
  OK(fovea_network_train_step(loaded, pixels + SMALL, NULL, 64, 0.01f));
  OK(fovea_network_get(network, 0, FOVEA_VALUE, whole));
  OK(fovea_network_get(loaded, 0, FOVEA_VALUE, resumed));
  assert_memory_equal(whole, resumed, sizeof whole);
  fovea_network_destroy(network);
  fovea_network_destroy(loaded);
  fovea_graph_destroy(graph);
  fovea_graph_destroy(loaded_graph);
  free(pixels);
}

/* --- what is refused -----------------------------------------------------------------------------------------------
 */

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  static const struct {
    fovea_augmentation augment;
    const char *message;
  } all[] = {{{.shift = 5}, "shift 5 and crop 0 would move images of 6x5 pixels"},
             {{.shift = 2, .crop = 3}, "together they have to be less than 5"},
             {{.shift = INT32_MAX, .crop = INT32_MAX}, "would move images"},
             {{.shift = -1}, "shift -1, crop 0, expected pixels"},
             {{.crop = -2}, "shift 0, crop -2, expected pixels"},
             {{.flip = (fovea_flip)4}, "flip 4 is not one of fovea_flip"},
             {{.flip = (fovea_flip)-1}, "flip -1 is not"},
             {{.fill = (fovea_fill)2}, "fill 2 is not one of fovea_fill"},
             {{.contrast = 1.01}, "contrast 1.01, expected 0 to 1"},
             {{.brightness = -0.1}, "brightness -0.1, expected 0 to 1"},
             {{.brightness = NAN}, "brightness nan, expected"}};
  fovea_graph *graph = graph_of(&small);
  for (size_t i = 0; i < COUNT(all); i++) {
    fovea_network *network = NULL;
    const fovea_network_options options = {.batch = 16, .training = true, .augment = all[i].augment};
    assert_int_equal(fovea_network_create(device, graph, &options, &network), FOVEA_INVALID);
    if (!strstr(fovea_error_message(), all[i].message)) fail_msg("%s: %s", all[i].message, fovea_error_message());
    assert_null(network);
  }
  fovea_network *evaluation = NULL;
  const uint8_t pixels[SMALL] = {0};
  float images[SMALL];
  OK(fovea_network_create(device, graph, &(fovea_network_options){.batch = 16, .augment = small.augment}, &evaluation));
  assert_int_equal(fovea_network_augment(evaluation, pixels, NULL, NULL, 1, images), FOVEA_INVALID);
  fovea_network_destroy(evaluation);
  fovea_graph_destroy(graph);
}

static int end(void **state) { return chain_close(state) + close_device(state); }

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(images_are_plain_c),
                                     cmocka_unit_test(steps_are_plain_c),
                                     cmocka_unit_test(an_image_is_the_same_in_any_batch),
                                     cmocka_unit_test(queues_and_shards_change_nothing),
                                     cmocka_unit_test(off_is_nothing),
                                     cmocka_unit_test(a_saved_network_goes_on),
                                     cmocka_unit_test(what_cannot_be_is_refused)};
  return cmocka_run_group_tests(tests, open_device, end);
}
