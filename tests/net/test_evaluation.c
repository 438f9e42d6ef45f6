/* What an evaluation makes of the parameters alone is made anew when those change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/vae.h"
#include "graph/graph.h"
#include "net/network.h"
#include "support/device.h"
#include "support/tiny.h"

/* The last batch is not full. */
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

/* With channels enough for weights to be packed. */
static fovea_vae *new_vae(fovea_device *on) {
  fovea_vae_config config = tiny_config(SIDE, BATCH);
  fovea_vae *vae = NULL;
  config.units[0] = 9, config.units[1] = 5, config.units[2] = 2;
  OK(fovea_vae_create(on, &config, true, &vae));
  return vae;
}

static run begin(void) {
  run r = {0};
  OK(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &r.device));
  r.vae = new_vae(r.device);
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

static void again(void **state) {
  (void)state;
  static outcome first, second;
  run r = begin();
  evaluate(&r, &first);
  evaluate(&r, &second);
  assert_memory_equal(&first, &second, sizeof first);
  end(&r);
}

static void after_training(void **state) {
  (void)state;
  static outcome before, after, only_after;
  run r = begin();
  evaluate(&r, &before);
  train(&r);
  evaluate(&r, &after);
  end(&r);
  r = begin();
  train(&r);
  evaluate(&r, &only_after);
  end(&r);
  assert_memory_equal(&after, &only_after, sizeof after);
  assert_memory_not_equal(&before, &after, sizeof after);
}

/* Each parameter on its own: an evaluation, another value, an evaluation, which is that of a network which never had
 * the first value; the first value again. Some have no effect, since what they are the weights of is behind a relu that
 * lets nothing through. */
static void after_setting(void **state) {
  (void)state;
  static float value[1 << 14], changed[1 << 14];
  static outcome before, after, o;
  size_t with_effect = 0, count = 0;
  run r = begin();
  evaluate(&r, &before);
  for (size_t i = 0; i < fovea_network_parameter_count(r.vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(r.vae->network, i);
    run fresh = {r.device, new_vae(r.device)};
    assert_true(p->count <= sizeof value / sizeof *value);
    OK(fovea_network_get(r.vae->network, i, FOVEA_VALUE, value));
    for (size_t j = 0; j < p->count; j++) changed[j] = value[j] + 0.25f;
    OK(fovea_network_set(r.vae->network, i, FOVEA_VALUE, changed));
    OK(fovea_network_set(fresh.vae->network, i, FOVEA_VALUE, changed));
    evaluate(&r, &after);
    evaluate(&fresh, &o);
    assert_memory_equal(&after, &o, sizeof o);
    with_effect += memcmp(&before, &after, sizeof before) != 0, count++;
    OK(fovea_network_set(r.vae->network, i, FOVEA_VALUE, value));
    evaluate(&r, &o);
    assert_memory_equal(&before, &o, sizeof o);
    fovea_vae_destroy(fresh.vae);
  }
  assert_true(2 * with_effect > count);
  end(&r);
}

/* Decoding alone makes the packed weights, too: before any evaluation, and after a training since. */
static void decoding_alone(void **state) {
  (void)state;
  static float z[BATCH * 16], alone[BATCH * PIXELS], after[BATCH * PIXELS];
  static outcome unused;
  run r = begin(), other = {r.device, new_vae(r.device)};
  const size_t codes = BATCH * (size_t)r.vae->config.latent;
  assert_true(codes <= sizeof z / sizeof *z);
  for (size_t i = 0; i < codes; i++) z[i] = 0.1f * (float)(i % 13) - 0.6f;
  for (int i = 0; i < 2; i++) {
    train(&r);
    OK(fovea_vae_decode(r.vae, z, BATCH, alone));
    train(&other);
    evaluate(&other, &unused);
    OK(fovea_vae_decode(other.vae, z, BATCH, after));
    assert_memory_equal(alone, after, sizeof after);
  }
  fovea_vae_destroy(other.vae);
  end(&r);
}

static int fill_images(void **state) {
  (void)state;
  tiny_pixels(pixels, sizeof pixels);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(again), cmocka_unit_test(after_training),
                                     cmocka_unit_test(after_setting), cmocka_unit_test(decoding_alone)};
  return cmocka_run_group_tests(tests, fill_images, NULL);
}
