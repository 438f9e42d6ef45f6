/* A pass recorded in a command buffer leaves the bits that the same launches leave one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <CL/cl_ext.h>
#include <cmocka.h>

#include "fovea/vae.h"
#include "net/network.h"
#include "plan/plan.h"
#include "runtime/device.h"
#include "support/device.h"
#include "support/tiny.h"
#include "support/values.h"

enum { SIDE = 4, IMAGES = 40, BATCH = 16, EPOCHS = 2, MOST = 1 << 16 };

static uint8_t pixels[IMAGES * SIDE * SIDE];
static const fovea_dataset data = {.count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};

typedef struct outcome {
  float values[MOST];
  size_t count;
  fovea_losses train, test;
} outcome;

static fovea_vae *make(const char *asked) {
  const fovea_vae_config c = tiny_config(SIDE, BATCH);
  fovea_vae *vae = NULL;
  setenv("FOVEA_COMMAND_BUFFER", asked, 1);
  OK(fovea_vae_create(device, &c, true, &vae));
  unsetenv("FOVEA_COMMAND_BUFFER");
  return vae;
}

static bool replays(fovea_vae *vae, bool training) {
  return fovea_plan_replays(fovea_network_plan(vae->network, training));
}

static bool extension_listed(void) {
  char all[8192] = "";
  assert_int_equal(clGetDeviceInfo(device->id, CL_DEVICE_EXTENSIONS, sizeof all - 1, all, NULL), CL_SUCCESS);
  return strstr(all, "cl_khr_command_buffer") != NULL;
}

/* Several steps are in flight at once, with a batch that is not full; an evaluation between. */
static void train(fovea_vae *vae, outcome *o) {
  fovea_epoch e = {.epochs = EPOCHS, .lr = 0.005, .min_lr = 0.0001};
  memset(o, 0, sizeof *o);
  for (e.epoch = 0; e.epoch < EPOCHS; e.epoch++) {
    e.so_far = (fovea_losses){0};
    OK(fovea_vae_train_epoch(vae, &data, &e));
    OK(fovea_vae_evaluate(vae, &data, &o->test));
  }
  o->train = e.so_far;
  o->count = all_values(vae, o->values, MOST);
}

static void same_bits(void **state) {
  (void)state;
  static outcome one_by_one, recorded;
  tiny_pixels(pixels, sizeof pixels);
  fovea_vae *plain = make("off"), *replayed = make("on");
  assert_false(replays(plain, true) || replays(plain, false));
  assert_int_equal(replays(replayed, true), replays(replayed, false));
  train(plain, &one_by_one);
  train(replayed, &recorded);
  assert_true(one_by_one.count > 0);
  assert_memory_equal(&one_by_one, &recorded, sizeof one_by_one);
  fovea_vae_destroy(plain);
  fovea_vae_destroy(replayed);
  if (!extension_listed()) skip();
}

/* Of a device that reports all we need, a pass is recorded; of another never. */
static void used_where_possible(void **state) {
  (void)state;
  cl_device_command_buffer_capabilities_khr can = 0;
  clGetDeviceInfo(device->id, CL_DEVICE_COMMAND_BUFFER_CAPABILITIES_KHR, sizeof can, &can, NULL);
  fovea_vae *vae = make("on");
  assert_int_equal(replays(vae, true),
                   extension_listed() && (can & CL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE_KHR) != 0);
  fovea_vae_destroy(vae);
}

/* A profile gets an event of each launch all the same. */
static void profiled(void **state) {
  (void)state;
  fovea_profile_row *rows = NULL;
  size_t count = 0, launches = 0;
  fovea_vae *vae = make("on");
  fovea_losses losses;
  OK(fovea_profile_begin(device));
  OK(fovea_vae_evaluate(vae, &data, &losses));
  OK(fovea_profile_end(device, &rows, &count));
  for (size_t i = 0; i < count; i++) launches += rows[i].launches;
  assert_true(launches > 3);
  fovea_free(rows);
  fovea_vae_destroy(vae);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(same_bits), cmocka_unit_test(used_where_possible),
                                     cmocka_unit_test(profiled)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
