/* The self-test's 20 steps of training in plain C alone (src/ref/canonical.h): the checkpoint must be the recorded one,
 * byte for byte, as it must be on every device. Of the device only the file's layout is used. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/check.h"
#include "check/reference.h"
#include "data/shuffle.h"
#include "model/checkpoint.h"
#include "ref/canonical.h"
#include "support/gpu_path.h"

enum { STEPS_A_READING = 8 /* as src/model/train.c */ };

struct training {
  fovea_vae *vae;
  fovea_dataset images;
  struct ref_network *topology;
  struct canonical_network *plain;
  fovea_training_state state;
};

static void need(fovea_status status) {
  if (status != FOVEA_OK) fail_msg("%s", fovea_error_message());
}

/* Every parameter's arrays, from the network to plain C or back. */
static void exchange(struct training *t, bool to_plain) {
  static const fovea_value values[] = {FOVEA_VALUE, FOVEA_FIRST_MOMENT, FOVEA_SECOND_MOMENT};
  static const enum canonical_array arrays[] = {CANONICAL_VALUE, CANONICAL_FIRST_MOMENT, CANONICAL_SECOND_MOMENT};
  for (size_t i = 0; i < fovea_network_parameter_count(t->vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(t->vae->network, i);
    const struct ref_parameter *r = ref_network_find(t->topology, p->name);
    for (int k = 0; k < (p->trainable ? 3 : 1); k++) {
      float *array = canonical_parameter(t->plain, (int)(r - t->topology->parameters), arrays[k]);
      need(to_plain ? fovea_network_get(t->vae->network, i, values[k], array)
                    : fovea_network_set(t->vae->network, i, values[k], array));
    }
  }
}

static double mean_of(double a, size_t a_count, double b, size_t b_count) {
  return (a * (double)a_count + b * (double)b_count) / (double)(a_count + b_count);
}

/* Adds what the steps since the last reading came to. */
static void read_losses(struct training *t, fovea_losses *part) {
  fovea_losses *sum = &t->state.so_far;
  sum->bce = mean_of(sum->bce, sum->images, part->bce / (double)part->images, part->images);
  sum->kl = mean_of(sum->kl, sum->images, part->kl / (double)part->images, part->images);
  sum->total = sum->bce + t->vae->config.kl_weight * sum->kl;
  sum->images += part->images;
  sum->passes += part->passes;
  *part = (fovea_losses){0};
}

static void train(struct training *t) {
  const size_t count = t->images.count, batch = (size_t)t->vae->config.batch, size = fovea_vae_image_size(t->vae);
  uint32_t *order = malloc(count * sizeof *order), step = 0;
  uint8_t *pixels = malloc(batch * size);
  fovea_losses part = {0};
  assert_true(order && pixels);
  fovea_shuffle(order, count, t->vae->config.seed, 0);
  for (size_t done = 0; done < count; step++) {
    const size_t n = count - done < batch ? count - done : batch;
    for (size_t i = 0; i < n; i++) memcpy(pixels + i * size, t->images.pixels + order[done + i] * size, size);
    canonical_forward(t->plain, (int)n, pixels, step, true);
    canonical_backward(t->plain);
    canonical_adam(t->plain, canonical_alpha((float)fovea_vae_learning_rate(0.005, 0.0001, 25, step), step + 1));
    part.bce += (double)canonical_bce(t->plain) * (double)n;
    part.kl += (double)canonical_kl(t->plain) * (double)n;
    part.images += n, part.passes++, done += n;
    if (part.passes % STEPS_A_READING == 0 || done == count) read_losses(t, &part);
  }
  t->state.images_done = count;
  need(fovea_network_set_step(t->vae->network, step));
  free(order), free(pixels);
}

static void test_network(bool small) {
  struct training t = {0};
  fovea_device *device = NULL;
  check_training device_result;
  const fovea_vae_config config = check_network(small);
  uint64_t hash = 0;
  need(fovea_device_open(NULL, &device));
  need(fovea_vae_create(device, &config, true, &t.vae));
  need(check_images(small, &t.images));
  t.topology = check_reference(t.vae->graph, config.seed);
  assert_non_null(t.topology);
  t.plain = canonical_create(t.topology, config.batch);
  exchange(&t, true); /* the initial weights */
  train(&t);
  exchange(&t, false);
  need(fovea_checkpoint_hash(t.vae, &t.state, &hash));
  need(check_train(device, small, &device_result));
  canonical_destroy(t.plain);
  ref_network_destroy(t.topology);
  free(t.images.pixels);
  fovea_vae_destroy(t.vae);
  fovea_device_close(device);
  if (hash != device_result.expected)
    fail_msg("plain C ends with %016llx, recorded is %016llx", (unsigned long long)hash,
             (unsigned long long)device_result.expected);
  if (device_result.hash != hash) fail_msg("the device ends with %016llx", (unsigned long long)device_result.hash);
}

static void test_small(void **state) {
  (void)state;
  test_network(true);
}

static void test_seed(void **state) {
  (void)state;
#ifdef __OPTIMIZE__
  test_network(false);
#else
  print_message("skipped: without optimization it takes minutes\n");
  skip();
#endif
}

/* By a GPU's path a step is slow on a CPU: there op/canonical compares the seed network's bits, after two steps. */
int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_small), cmocka_unit_test(test_seed)};
  const struct CMUnitTest shorter[] = {cmocka_unit_test(test_small)};
  return on_gpu_path() ? cmocka_run_group_tests(shorter, NULL, NULL) : cmocka_run_group_tests(tests, NULL, NULL);
}
