/* Every tile that an op allows gives the bits of its own choice: networks of awkward shapes take two steps with
 * every seventh to eleventh tile of every list (each is a program to compile), or a sample of these, and values,
 * gradients and moments are compared. So they are with the kernels that devices with small work-groups have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/network.h"
#include "runtime/autotune.h"
#include "support/device.h"
#include "support/sample.h"

enum { CHANNELS = 7, HEIGHT = 5, WIDTH = 9, BATCH = 17, STEPS = 2, MOST_IMAGE = 4096 };

static fovea_tensor conv(fovea_graph *g, fovea_tensor x, const char *name, int filters, int kernel, int stride) {
  return fovea_add_conv2d(
      g, x, name,
      &(fovea_conv2d){.filters = filters, .kernel = kernel, .stride = stride, .same = true, .bias = kernel == 5});
}

/* The gathers and their gradients, few programs for many tiles: strided and transposed, 7 channels of 6x10. */
static void add_strided(fovea_graph *g) {
  fovea_tensor x = fovea_add_input(g, CHANNELS, HEIGHT + 1, WIDTH + 1);
  x = fovea_add_conv2d_transpose(g, x, "a", &(fovea_conv2d){.filters = 11, .kernel = 3, .stride = 2, .same = true});
  x = conv(g, x, "b", CHANNELS, 3, 2);
  fovea_add_sigmoid_bce(g, x);
}

/* Kernels 1, 3 and 5, dense layers, and sides that the stride does not divide: 7 channels of 5x9. */
static void add_others(fovea_graph *g) {
  fovea_tensor x = fovea_add_input(g, CHANNELS, HEIGHT, WIDTH);
  x = conv(g, x, "a", 7, 3, 1);
  x = conv(g, x, "b", 1, 5, 1);
  x = conv(g, x, "c", 11, 3, 2);
  x = conv(g, x, "e", 3, 1, 1);
  x = fovea_add_dense(g, x, "f", 13, true);
  x = fovea_add_dense(g, x, "g", CHANNELS * HEIGHT * WIDTH, false);
  x = fovea_add_reshape(g, x, CHANNELS, HEIGHT, WIDTH);
  fovea_add_sigmoid_bce(g, x);
}

/* Winograd's, with channels that no tile divides, and an odd side. */
static void add_winograd_of(fovea_graph *g, int width) {
  fovea_tensor x = fovea_add_input(g, 1, 7, width);
  x = conv(g, x, "a", 11, 3, 1);
  x = conv(g, x, "b", 17, 3, 1);
  x = conv(g, x, "c", 10, 3, 1);
  x = conv(g, x, "d", 1, 3, 1);
  fovea_add_sigmoid_bce(g, x);
}

static void add_winograd(fovea_graph *g) { add_winograd_of(g, 6); }      /* tiles of 2x2 outputs */
static void add_winograd_4x4(fovea_graph *g) { add_winograd_of(g, 11); } /* of 4x4 */

static void add_winograd_strided(fovea_graph *g) {
  fovea_tensor x = fovea_add_input(g, 1, 16, 12);
  x = conv(g, x, "a", 11, 3, 1);
  x = conv(g, x, "b", 17, 3, 2);
  x = fovea_add_conv2d_transpose(g, x, "c", &(fovea_conv2d){.filters = 10, .kernel = 3, .stride = 2, .same = true});
  x = conv(g, x, "d", 1, 3, 1);
  fovea_add_sigmoid_bce(g, x);
}

typedef struct bytes {
  float *data;
  size_t count;
} bytes;

/* Everything that two steps with tile `forced` of every list leave behind. */
static bytes train(const fovea_graph *graph, int forced) {
  static uint8_t pixels[BATCH * MOST_IMAGE];
  fovea_network *net = NULL;
  bytes all = {0};
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 + i / 11);
  OK(fovea_autotune_force(device, forced));
  OK(fovea_network_create(device, graph, &(fovea_network_options){.batch = BATCH, .seed = 3, .training = true}, &net));
  for (int i = 0; i < STEPS; i++) OK(fovea_network_train_step(net, pixels, NULL, BATCH, 0.01f));
  for (size_t i = 0; i < fovea_network_parameter_count(net); i++) {
    const fovea_parameter *p = fovea_network_parameter(net, i);
    for (int which = FOVEA_VALUE; which <= (p->trainable ? FOVEA_SECOND_MOMENT : FOVEA_VALUE); which++) {
      float *more = realloc(all.data, (all.count + p->count) * sizeof *more);
      assert_non_null(more);
      all.data = more;
      OK(fovea_network_get(net, i, (fovea_value)which, all.data + all.count));
      all.count += p->count;
    }
  }
  fovea_network_destroy(net);
  return all;
}

static int most_tiles(void) {
  int most = 0;
  for (int i = 1; i <= fovea_autotune_request_count(device); i++) {
    const int count = fovea_autotune_get_request(device, i)->list.count;
    if (count > most) most = count;
  }
  return most;
}

static bool has_nan(const bytes *b) {
  for (size_t i = 0; i < b->count; i++)
    if (b->data[i] != b->data[i]) return true;
  return false;
}

static void same_bits(void (*add)(fovea_graph *), int kernels, int stride) {
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  add(graph);
  const bytes own = train(graph, 0);
  assert_false(has_nan(&own));
  const int most = most_tiles();
  assert_true(fovea_autotune_request_count(device) >= kernels);
  assert_true(most > 3); /* else there was nothing to compare */
  for (int forced = 1; forced < most; forced += stride * (int)every()) {
    const bytes other = train(graph, forced);
    assert_int_equal(own.count, other.count);
    if (memcmp(own.data, other.data, own.count * sizeof *own.data) != 0)
      fail_msg("tile %d of the lists gives other bits on %s", forced, fovea_device_get_info(device)->name);
    free(other.data);
  }
  free(own.data);
  OK(fovea_autotune_force(device, -1));
  fovea_graph_destroy(graph);
}

static void strided(void **state) {
  (void)state;
  same_bits(add_strided, 3, 7);
}

static void others(void **state) {
  (void)state;
  same_bits(add_others, 12, 11);
}

static void winograd(void **state) {
  (void)state;
  same_bits(add_winograd, 6, 8);
  same_bits(add_winograd_4x4, 6, 8);
  same_bits(add_winograd_strided, 6, 16);
}

static void small_groups_of(void (*add)(fovea_graph *), size_t largest, size_t smallest) {
  const fovea_device_info info = device->info;
  const fovea_tuning tuning = device->tuning;
  fovea_graph *graph = NULL;
  OK(fovea_graph_create(&graph));
  add(graph);
  const bytes own = train(graph, 0);
  for (size_t size = largest; size >= smallest; size /= 2) {
    device->info.max_work_group_size = size;
    if (tuning.group > size) device->tuning.group = size;
    const bytes other = train(graph, 0);
    device->info = info;
    device->tuning = tuning;
    assert_int_equal(own.count, other.count);
    assert_memory_equal(own.data, other.data, own.count * sizeof *own.data);
    free(other.data);
  }
  free(own.data);
  OK(fovea_autotune_force(device, -1));
  fovea_graph_destroy(graph);
}

static void small_groups(void **state) {
  (void)state;
  small_groups_of(add_others, 32, 32);
  small_groups_of(add_winograd, 64, 16);
  small_groups_of(add_winograd_4x4, 32, 32);
  small_groups_of(add_winograd_strided, 32, 32);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(strided), cmocka_unit_test(others), cmocka_unit_test(winograd),
                                     cmocka_unit_test(small_groups)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
