/* Weight gradients that run beside other launches, in a second queue, leave the bits that one queue leaves: as they
 * come, and as latest as is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/vae.h"
#include "net/network.h"
#include "plan/inspect.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/tiny.h"
#include "support/values.h"

enum { SIDE = 8, IMAGES = 40, BATCH = 16, EPOCHS = 2, MOST = 1 << 16 };

static uint8_t pixels[IMAGES * SIDE * SIDE];
static const fovea_dataset data = {.count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};

typedef struct outcome {
  float values[MOST];
  size_t count;
  fovea_losses losses;
} outcome;

/* Trains, with a batch that is not full, in so many queues. */
static void train(const char *queues, bool latest, outcome *o) {
  fovea_device *on = open_with_queues(queues);
  fovea_vae_config c = tiny_config(SIDE, BATCH);
  c.depth = 2;
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(on, &c, true, &vae));
  fovea_plan *plan = fovea_network_plan(vae->network, true);
  assert_int_equal(fovea_plan_has_groups(plan), strcmp(queues, "2") == 0);
  if (latest) fovea_plan_use_latest_schedule(plan, 1);
  fovea_epoch e = {.epochs = EPOCHS, .lr = 0.005, .min_lr = 0.0001};
  memset(o, 0, sizeof *o);
  for (e.epoch = 0; e.epoch < EPOCHS; e.epoch++) OK(fovea_vae_train_epoch(vae, &data, &e));
  o->losses = e.so_far;
  o->count = all_values(vae, o->values, MOST);
  fovea_vae_destroy(vae);
  fovea_device_close(on);
}

static int train_in_one_queue(void **state) {
  static outcome one;
  tiny_pixels(pixels, sizeof pixels);
  train("1", false, &one);
  *state = &one;
  return 0;
}

static void two_queues(void **state) {
  static outcome two;
  train("2", false, &two);
  assert_true(two.count > 0);
  assert_memory_equal(*state, &two, sizeof two);
}

static void as_late_as_allowed(void **state) {
  static outcome latest;
  train("2", true, &latest);
  assert_memory_equal(*state, &latest, sizeof latest);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_queues), cmocka_unit_test(as_late_as_allowed)};
  return cmocka_run_group_tests(tests, train_in_one_queue, NULL);
}
