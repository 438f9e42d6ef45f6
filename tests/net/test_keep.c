/* What fovea_graph_keep was told is read after an evaluation, and evaluated from, for every tensor of a graph of every
 * op; and training does not see it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/network.h"
#include "support/device.h"
#include "support/every_op.h"

/* The last batch is not full, and not of a whole vector. */
enum { BATCH = 20, IMAGES = 17, MOST_TENSORS = 64, MOST_VALUES = 24 * 64 };

static uint8_t pixels[IMAGES * EVERY_OP_IMAGE];

typedef struct values {
  size_t count; /* floats; 0: it cannot be read */
  float data[IMAGES * MOST_VALUES];
} values;

static values expected[MOST_TENSORS];

static int set_up(void **state) {
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  return open_device(state);
}

static size_t size_of(const fovea_graph *graph, fovea_tensor t) {
  int d[3];
  OK(fovea_tensor_shape(graph, t, d));
  const size_t size = (size_t)d[0] * (size_t)d[1] * (size_t)d[2];
  assert_in_range(size, 1, MOST_VALUES);
  return size;
}

/* So that normalizations do something: their statistics are not those of the start. */
static void draw_parameters(fovea_network *net) {
  static float data[4096];
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    assert_in_range(p->count, 1, sizeof data / sizeof *data);
    OK(fovea_network_get(net, i, FOVEA_VALUE, data));
    for (size_t k = 0; k < p->count && p->rank == 1; k++) data[k] = 0.25f + 0.125f * (float)((k * 7 + i) % 11);
    OK(fovea_network_set(net, i, FOVEA_VALUE, data));
  }
}

static fovea_network *make(const fovea_graph *graph, bool inspect, bool training) {
  const fovea_network_options options = {.batch = BATCH, .seed = 11, .training = training, .inspect = inspect};
  fovea_network *net = NULL;
  OK(fovea_network_create(device, graph, &options, &net));
  draw_parameters(net);
  return net;
}

static fovea_network *evaluated(const fovea_graph *graph, bool inspect) {
  fovea_network *net = make(graph, inspect, false);
  OK(fovea_network_evaluate(net, pixels, NULL, IMAGES, 0));
  return net;
}

static void read_into(const fovea_graph *graph, fovea_network *net, fovea_tensor t, values *v) {
  v->count = 0;
  const size_t size = size_of(graph, t);
  if (fovea_network_read(net, t, IMAGES, v->data) == FOVEA_OK) v->count = IMAGES * size;
}

/* Whether the tensor is what `expected` has. */
static int differs(const char *what, const fovea_graph *graph, fovea_network *net, fovea_tensor t) {
  static values got;
  read_into(graph, net, t, &got);
  const values *e = &expected[t];
  if (got.count == e->count && memcmp(got.data, e->data, 4 * e->count) == 0) return 0;
  fprintf(stderr, "%s: tensor %d: %zu of %zu values, other bits: %s\n", what, t, got.count, e->count,
          fovea_error_message());
  return 1;
}

static fovea_graph *all_kept(void) {
  fovea_graph *graph = every_op_graph();
  for (fovea_tensor t = 0; t < every_op_count(graph); t++) OK(fovea_graph_keep(graph, t));
  return graph;
}

/* Every tensor, where nothing is fused and no memory is shared. */
static int all_expected(void) {
  fovea_graph *graph = all_kept();
  const int count = every_op_count(graph);
  assert_in_range(count, 13, MOST_TENSORS);
  fovea_network *net = evaluated(graph, true);
  for (fovea_tensor t = 0; t < count; t++) {
    read_into(graph, net, t, &expected[t]);
    if (!expected[t].count) fail_msg("tensor %d: %s", t, fovea_error_message());
  }
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  return count;
}

static void test_all(void **state) {
  (void)state;
  all_expected();
  fovea_graph *graph = all_kept();
  fovea_network *net = evaluated(graph, false);
  int failures = 0;
  for (fovea_tensor t = 0; t < every_op_count(graph); t++) failures += differs("all kept", graph, net, t);
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  if (failures) fail_msg("%d tensors", failures);
}

/* What cannot be read is not said to be kept; what is not may still be in memory by chance. */
static int tells_what_it_keeps(const fovea_graph *graph, fovea_network *net) {
  static float unused[IMAGES * MOST_VALUES];
  int failures = 0;
  for (fovea_tensor t = -1; t <= every_op_count(graph); t++)
    if (fovea_network_keeps(net, t) && fovea_network_read(net, t, IMAGES, unused) != FOVEA_OK)
      fprintf(stderr, "tensor %d is said to be kept: %s\n", t, fovea_error_message()), failures++;
  return failures;
}

static void test_each(void **state) {
  (void)state;
  const int count = all_expected();
  int failures = 0;
  for (fovea_tensor t = 0; t < count; t++) {
    fovea_graph *graph = every_op_graph();
    OK(fovea_graph_keep(graph, t));
    fovea_network *net = evaluated(graph, false);
    failures += differs("kept alone", graph, net, t) + differs("the last", graph, net, count - 1);
    failures += tells_what_it_keeps(graph, net);
    fovea_network_destroy(net);
    fovea_graph_destroy(graph);
  }
  if (failures) fail_msg("%d tensors", failures);
}

/* Where ops are fused, what is not made is refused, and the rest is the same. */
static void test_inspected(void **state) {
  (void)state;
  const int count = all_expected();
  fovea_graph *graph = every_op_graph();
  fovea_network *net = evaluated(graph, true);
  static float unused[IMAGES * MOST_VALUES];
  int failures = 0, refusals = 0;
  for (fovea_tensor t = 0; t < count; t++) {
    const fovea_status status = fovea_network_read(net, t, IMAGES, unused);
    assert_int_equal(fovea_network_keeps(net, t), status == FOVEA_OK);
    if (status == FOVEA_OK) failures += differs("inspected", graph, net, t);
    if (status == FOVEA_OK) continue;
    assert_int_equal(status, FOVEA_INVALID);
    assert_non_null(strstr(fovea_error_message(), "fovea_graph_keep"));
    assert_int_equal(fovea_network_evaluate_from(net, t, unused, IMAGES), FOVEA_INVALID);
    refusals++;
  }
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  assert_in_range(refusals, 1, count / 3);
  if (failures) fail_msg("%d tensors", failures);
}

/* --- evaluating from a tensor ------------------------------------------------------------------------------------- */

static values other, from_other[MOST_TENSORS]; /* from_other: the last tensor, from other values of each */

static void set_other(fovea_tensor t) {
  other = expected[t];
  for (size_t i = 0; i < other.count; i++) other.data[i] = 0.5f - other.data[i];
}

static void evaluate_from(fovea_network *net, fovea_tensor t, const values *v) {
  OK(fovea_network_evaluate_from(net, t, v->data, IMAGES));
}

/* From a pass each, where no memory is shared. */
static int all_expected_from(void) {
  const int count = all_expected();
  fovea_graph *graph = all_kept();
  fovea_network *net = evaluated(graph, true);
  for (fovea_tensor t = 0; t < count; t++) {
    OK(fovea_network_evaluate(net, pixels, NULL, IMAGES, 0));
    set_other(t);
    evaluate_from(net, t, &other);
    read_into(graph, net, count - 1, &from_other[t]);
    assert_int_equal(from_other[t].count, expected[count - 1].count);
    assert_memory_not_equal(from_other[t].data, expected[count - 1].data, 4 * from_other[t].count);
  }
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  return count;
}

/* Other values change nothing before the tensor; its own give the pass again. */
static int go_on_from(const fovea_graph *graph, fovea_network *net, fovea_tensor t, bool all) {
  static values got;
  const int last = every_op_count(graph) - 1;
  int failures = 0;
  set_other(t);
  evaluate_from(net, t, &other);
  read_into(graph, net, last, &got);
  if (memcmp(got.data, from_other[t].data, 4 * from_other[t].count) != 0)
    fprintf(stderr, "from tensor %d: other values give another result\n", t), failures++;
  for (fovea_tensor i = 0; all && i < t; i++) failures += differs("before it", graph, net, i);
  evaluate_from(net, t, &expected[t]);
  for (fovea_tensor i = all ? 0 : last; i <= last; i++) failures += differs("again", graph, net, i);
  return failures;
}

static void test_from_all(void **state) {
  (void)state;
  const int count = all_expected_from();
  fovea_graph *graph = all_kept();
  fovea_network *net = evaluated(graph, false);
  int failures = 0;
  for (fovea_tensor t = 0; t < count; t++) failures += go_on_from(graph, net, t, true);
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
  if (failures) fail_msg("%d failures", failures);
}

static void test_from_each(void **state) {
  (void)state;
  const int count = all_expected_from();
  int failures = 0;
  for (fovea_tensor t = 0; t < count; t++) {
    fovea_graph *graph = every_op_graph();
    OK(fovea_graph_keep(graph, t));
    fovea_network *net = evaluated(graph, false);
    failures += go_on_from(graph, net, t, false);
    fovea_network_destroy(net);
    fovea_graph_destroy(graph);
  }
  if (failures) fail_msg("%d failures", failures);
}

/* a is read before and after what is evaluated from: only the images that a pass made. */
static void test_what_was_made_before(void **state) {
  (void)state;
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  const fovea_conv2d one = {.filters = 1, .kernel = 1, .stride = 1, .same = true};
  const fovea_tensor a = fovea_add_conv2d(graph, fovea_add_input(graph, 1, 2, 2), "a", &one);
  const fovea_tensor b = fovea_add_conv2d(graph, a, "b", &one);
  fovea_add_sigmoid_bce(graph, fovea_add_conv2d(graph, fovea_add_concat(graph, a, b), "c", &one));
  OK(fovea_graph_keep(graph, b));
  const fovea_network_options options = {.batch = 3};
  fovea_network *net = NULL;
  const float data[3 * 4] = {1, 2, 3};
  OK(fovea_network_create(device, graph, &options, &net));
  assert_int_equal(fovea_network_evaluate_from(net, b, data, 1), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "tensor 1 (conv2d) is read after tensor 2"));
  OK(fovea_network_evaluate(net, pixels, NULL, 2, 0));
  OK(fovea_network_evaluate_from(net, b, data, 2));
  assert_int_equal(fovea_network_evaluate_from(net, b, data, 3), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "2 images of what is before that, not 3"));
  fovea_network_destroy(net);
  fovea_graph_destroy(graph);
}

/* --- training, and what is refused -------------------------------------------------------------------------------- */

static size_t train(const fovea_graph *graph, float *all, size_t room) {
  fovea_network *net = make(graph, false, true);
  size_t used = 0;
  for (int i = 0; i < 4; i++) {
    OK(fovea_network_train_step(net, pixels, NULL, IMAGES, 0.01f));
    OK(fovea_network_evaluate(net, pixels, NULL, IMAGES, 0));
  }
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const size_t count = fovea_network_parameter(net, i)->count;
    assert_true(used + count <= room);
    OK(fovea_network_get(net, i, FOVEA_VALUE, all + used));
    used += count;
  }
  fovea_losses losses;
  OK(fovea_network_losses(net, &losses));
  memcpy(all + used, &losses.total, sizeof losses.total);
  fovea_network_destroy(net);
  return used + 2;
}

static void test_training_is_the_same(void **state) {
  (void)state;
  static float with[16384], without[16384];
  fovea_graph *kept = all_kept(), *plain = every_op_graph();
  const size_t count = train(kept, with, 16000);
  assert_int_equal(train(plain, without, 16000), count);
  assert_memory_equal(with, without, 4 * count);
  fovea_graph_destroy(kept);
  fovea_graph_destroy(plain);
}

static void refused(fovea_graph *graph, fovea_tensor t, const char *part) {
  assert_int_equal(fovea_graph_keep(graph, t), FOVEA_INVALID);
  if (!strstr(fovea_error_message(), part)) fail_msg("'%s' is not in: %s", part, fovea_error_message());
}

static void test_refused(void **state) {
  (void)state;
  fovea_graph *graph = every_op_graph(), *frozen = every_op_graph();
  const fovea_tensor past = every_op_count(graph);
  char part[64];
  snprintf(part, sizeof part, "%d is not one of its %d tensors", past, past);
  fovea_network_destroy(make(frozen, false, false));
  refused(frozen, 0, "frozen");
  OK(fovea_graph_check(frozen));
  refused(graph, past, part);
  assert_int_equal(fovea_graph_check(graph), FOVEA_INVALID);
  refused(graph, 0, part); /* the first failure */
  fovea_graph_destroy(frozen);
  fovea_graph_destroy(graph);
  OK(fovea_graph_create(&graph));
  refused(graph, fovea_add_input(graph, 0, 1, 1), "input: 0x1x1");
  fovea_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_all),       cmocka_unit_test(test_each),
                                     cmocka_unit_test(test_inspected), cmocka_unit_test(test_from_all),
                                     cmocka_unit_test(test_from_each), cmocka_unit_test(test_what_was_made_before),
                                     cmocka_unit_test(test_refused),   cmocka_unit_test(test_training_is_the_same)};
  return cmocka_run_group_tests(tests, set_up, close_device);
}
