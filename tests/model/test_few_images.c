/* Steps of few images, and of equal ones: the losses of an epoch and of an evaluation are finite for every network,
 * since what pads the batch is harmless (cl/common/vector.clh). */
#include "op/op_test.h"

#include <math.h>

#include "fovea/vae.h"

struct few {
  const char *name;
  size_t count;
  int batch;
  bool equal; /* every image is the first */
};

static const struct few few[] = {
    {"one image more than a batch", 65, 64, false},
    {"one more than 32", 33, 32, false},
    {"batches of one", 3, 1, false},
    {"one image", 1, 64, false},
    {"seven equal images", 7, 64, true},
    {"a batch and one, equal", 17, 16, true},
};

/* As deep as the seed network: padding overflows after some twenty normalizations, not after a few. */
static fovea_vae_config narrow_config(int batch, uint64_t seed) {
  fovea_vae_config c = fovea_vae_default();
  c.height = c.width = 8;
  c.units[0] = 4, c.units[1] = 3, c.units[2] = 3, c.units[3] = 2;
  c.dropout = 0, c.batch = batch, c.seed = seed;
  return c;
}

static uint8_t *draw_images(const struct few *f, size_t size) {
  uint8_t *pixels = malloc(f->count * size);
  uint64_t random = 768;
  assert_non_null(pixels);
  for (size_t i = 0; i < f->count * size; i++)
    pixels[i] = f->equal && i >= size ? pixels[i - size] : (uint8_t)(127.5f + 127.5f * chain_uniform(&random));
  return pixels;
}

/* An epoch and an evaluation. */
static int train(const struct few *f, const fovea_vae_config *c) {
  static const char *const attentions[] = {"none", "spatial", "channel", "cbam"};
  fovea_dataset data = {.count = f->count, .channels = 1, .height = c->height, .width = c->width};
  fovea_epoch epoch = {.epochs = 1, .lr = 0.005, .min_lr = 0.0001};
  fovea_losses losses = {0};
  fovea_vae *vae = NULL;
  data.pixels = draw_images(f, (size_t)(c->height * c->width));
  fovea_status status = fovea_vae_create(chain_device(), c, true, &vae);
  if (status == FOVEA_OK) status = fovea_vae_train_epoch(vae, &data, &epoch);
  if (status == FOVEA_OK) status = fovea_vae_evaluate(vae, &data, &losses);
  fovea_vae_destroy(vae);
  free(data.pixels);
  if (status == FOVEA_OK && isfinite(epoch.so_far.total) && isfinite(losses.total)) return 0;
  fprintf(stderr, "%s, seed %llu, %s, attention %s, batch norm %s: %s\n", f->name, (unsigned long long)c->seed,
          fovea_activation_name(c->activation), attentions[c->attention], c->batchnorm ? "on" : "off",
          fovea_error_message());
  chain_print_repeat(f->name);
  return 1;
}

static int run_seeds(const struct few *f) {
  int failures = 0;
  for (uint64_t seed = 1; seed <= 5 && chain_wanted(f->name); seed++) {
    const fovea_vae_config c = narrow_config(f->batch, seed);
    failures += train(f, &c);
  }
  return failures;
}

static void test_seeds(void **state) {
  (void)state;
  RUN_TABLE(run_seeds, few);
}

static int run_networks(const struct few *f) {
  int failures = 0;
  if (!chain_wanted(f->name)) return 0;
  for (fovea_activation activation = FOVEA_ELU; activation <= FOVEA_SIGMOID; activation++)
    for (fovea_attention attention = FOVEA_ATTENTION_NONE; attention <= FOVEA_ATTENTION_CBAM; attention++)
      for (int batchnorm = 0; batchnorm < 2; batchnorm++) {
        fovea_vae_config c = narrow_config(f->batch, 768);
        c.activation = activation, c.attention = attention, c.batchnorm = batchnorm;
        failures += train(f, &c);
      }
  return failures;
}

static void test_networks(void **state) {
  (void)state;
  static const struct few some[] = {{"one image more than a block", 17, 16, false},
                                    {"three equal images", 3, 64, true}};
  RUN_TABLE(run_networks, some);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_seeds), cmocka_unit_test(test_networks)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
