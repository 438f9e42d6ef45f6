/* A CPU's code path (16 images a work-item) and a GPU's (one) give the same bits: FOVEA_VECTOR=1 forces the second. */
#include "op/op_test.h"

#include "fovea/vae.h"

enum { STEPS = 3, BATCH = 21, COUNT_LAST = 13 };

struct result {
  float *values; /* every parameter, then the last losses */
  size_t count;
};

static struct result train(const fovea_vae_config *config) {
  fovea_device *device = NULL;
  fovea_vae *vae = NULL;
  struct result result = {0};
  const size_t image = (size_t)(config->channels * config->height * config->width);
  uint8_t *pixels = malloc(BATCH * image);
  uint64_t state = 1;
  assert_non_null(pixels);
  for (size_t i = 0; i < BATCH * image; i++) pixels[i] = (uint8_t)(127.5f + 127.5f * chain_uniform(&state));
  if (fovea_device_open(NULL, &device) != FOVEA_OK || fovea_vae_create(device, config, true, &vae) != FOVEA_OK)
    fail_msg("%s", fovea_error_message());
  for (int i = 0; i < STEPS; i++)
    if (fovea_network_train_step(vae->network, pixels, NULL, i == STEPS - 1 ? COUNT_LAST : BATCH, 0.01f) != FOVEA_OK)
      fail_msg("%s", fovea_error_message());
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const size_t count = fovea_network_parameter(vae->network, i)->count;
    result.values = realloc(result.values, (result.count + count) * sizeof(float));
    assert_non_null(result.values);
    if (fovea_network_get(vae->network, i, FOVEA_VALUE, result.values + result.count) != FOVEA_OK)
      fail_msg("%s", fovea_error_message());
    result.count += count;
  }
  fovea_losses losses;
  if (fovea_network_losses(vae->network, &losses) != FOVEA_OK) fail_msg("%s", fovea_error_message());
  result.values = realloc(result.values, (result.count + 2) * sizeof(float));
  assert_non_null(result.values);
  result.values[result.count++] = (float)losses.bce;
  result.values[result.count++] = (float)losses.kl;
  fovea_vae_destroy(vae);
  fovea_device_close(device);
  free(pixels);
  return result;
}

static void test_same_bits(void **state) {
  (void)state;
  fovea_vae_config config = fovea_vae_default();
  config.height = 12, config.width = 8, config.channels = 3;
  const int units[] = {7, 5, 3};
  memcpy(config.units, units, sizeof units);
  config.unit_count = 3, config.depth = 2, config.batch = BATCH;
  config.attention = FOVEA_ATTENTION_CBAM, config.activation = FOVEA_SELU;
  unsetenv("FOVEA_VECTOR");
  struct result wide = train(&config), again = train(&config);
  setenv("FOVEA_VECTOR", "1", 1);
  struct result narrow = train(&config);
  unsetenv("FOVEA_VECTOR");
  size_t differ = 0, between = 0;
  for (size_t i = 0; i < wide.count; i++) {
    between += memcmp(&wide.values[i], &again.values[i], sizeof(float)) != 0;
    if (memcmp(&wide.values[i], &narrow.values[i], sizeof(float)) == 0) continue;
    if (differ++ == 0)
      fprintf(stderr, "value %zu of %zu: %.9g and %.9g\n", i, wide.count, (double)wide.values[i],
              (double)narrow.values[i]);
  }
  free(wide.values), free(again.values), free(narrow.values);
  if (between) fail_msg("%zu values differ between two runs", between);
  if (differ) fail_msg("%zu values differ between the code paths", differ);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
