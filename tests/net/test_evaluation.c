/* An evaluation in two queues, each half of the batch, leaves the bits that one queue leaves: as it comes, and with one
 * half as far ahead of the other as is allowed. What depends on the parameters alone is made anew when those change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/device.h"
#include "fovea/vae.h"
#include "net/network.h"
#include "net/plan.h"
#include "support/device.h"
#include "support/tiny.h"

/* 100 images in batches of 48: halves of 32 and 16 images, and a last batch that is not full. */
enum { SIDE = 8, PIXELS = SIDE * SIDE, IMAGES = 100, BATCH = 48 };

static uint8_t pixels[IMAGES * PIXELS];
static const fovea_dataset data = {.count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};

typedef struct outcome {
  fovea_losses losses;
  float last[BATCH * PIXELS]; /* of the last evaluation's outputs */
} outcome;

typedef struct run {
  fovea_device *device;
  fovea_vae *vae;
} run;

static fovea_vae_config small_images(void) { return tiny_config(SIDE, BATCH); }

/* Images of 8, 4 and 2 pixels a side within a few launches, so that tensors of each share memory. */
static fovea_vae_config smaller_ones(void) {
  fovea_vae_config c = tiny_config(SIDE, BATCH);
  c.unit_count = 4;
  for (int i = 0; i < c.unit_count; i++) c.units[i] = 5 - i;
  c.attention = FOVEA_ATTENTION_NONE;
  return c;
}

static run begin(const char *queues, fovea_vae_config config) {
  run r = {0};
  setenv("FOVEA_QUEUES", queues, 1);
  OK(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &r.device));
  unsetenv("FOVEA_QUEUES");
  OK(fovea_vae_create(r.device, &config, true, &r.vae));
  return r;
}

static void end(run *r) {
  fovea_vae_destroy(r->vae);
  fovea_device_close(r->device);
}

static void evaluate(run *r, outcome *o) {
  memset(o, 0, sizeof *o);
  OK(fovea_vae_evaluate(r->vae, &data, &o->losses));
  OK(fovea_network_read(r->vae->network, r->vae->graph->loss, IMAGES % BATCH, o->last));
}

static void train(run *r) {
  const fovea_epoch e = {.epochs = 1, .lr = 0.005, .min_lr = 0.0001};
  fovea_epoch one = e;
  OK(fovea_vae_train_epoch(r->vae, &data, &one));
}

static bool halves(const run *r) { return fovea_plan_has_halves(fovea_network_plan(r->vae->network, false)); }

static void in_halves(fovea_vae_config config) {
  static outcome one, o;
  run r = begin("1", config);
  assert_false(halves(&r));
  train(&r);
  evaluate(&r, &one);
  end(&r);
  r = begin("2", config);
  assert_int_equal(halves(&r), r.device->tuning.vector > 1);
  train(&r);
  evaluate(&r, &o);
  assert_memory_equal(&one, &o, sizeof o);
  for (int order = 1; order <= 2 && halves(&r); order++) {
    fovea_plan_run_late_from_now(fovea_network_plan(r.vae->network, false), order);
    evaluate(&r, &o);
    assert_memory_equal(&one, &o, sizeof o);
  }
  end(&r);
}

static void halves_with_attention(void **state) {
  (void)state;
  in_halves(small_images());
}

static void halves_of_three_sizes(void **state) {
  (void)state;
  in_halves(smaller_ones());
}

static void after_training(void **state) {
  (void)state;
  static outcome before, after, only_after;
  run r = begin("1", small_images());
  evaluate(&r, &before);
  train(&r);
  evaluate(&r, &after);
  end(&r);
  r = begin("1", small_images());
  train(&r);
  evaluate(&r, &only_after);
  end(&r);
  assert_memory_equal(&after, &only_after, sizeof after);
  assert_memory_not_equal(&before, &after, sizeof after);
}

/* Each parameter on its own: an evaluation, another value, an evaluation; the first value again. Some have no effect,
 * since what they are the weights of is behind a relu that lets nothing through. */
static void after_setting(void **state) {
  (void)state;
  static float value[1 << 14], changed[1 << 14];
  static outcome before, after, o;
  size_t with_effect = 0, count = 0;
  run r = begin("1", small_images());
  evaluate(&r, &before);
  for (size_t i = 0; i < fovea_network_parameter_count(r.vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(r.vae->network, i);
    assert_true(p->count <= sizeof value / sizeof *value);
    OK(fovea_network_get(r.vae->network, i, FOVEA_VALUE, value));
    for (size_t j = 0; j < p->count; j++) changed[j] = value[j] + 0.25f;
    OK(fovea_network_set(r.vae->network, i, FOVEA_VALUE, changed));
    evaluate(&r, &after);
    with_effect += memcmp(&before, &after, sizeof before) != 0, count++;
    OK(fovea_network_set(r.vae->network, i, FOVEA_VALUE, value));
    evaluate(&r, &o);
    assert_memory_equal(&before, &o, sizeof o);
  }
  assert_true(2 * with_effect > count);
  end(&r);
}

static int fill_images(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(halves_with_attention), cmocka_unit_test(halves_of_three_sizes),
                                     cmocka_unit_test(after_training), cmocka_unit_test(after_setting)};
  return cmocka_run_group_tests(tests, fill_images, NULL);
}
