/* Training by the public API while one call after the other fails: every fault ends in its status or is survived, gives
 * everything back, and never costs the checkpoint that was there before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "faults/campaign.h"
#include "fovea/onnx.h"
#include "fovea/vae.h"
#include "runtime/buffer.h"
#include "support/tempdir.h"
#include "support/tiny.h"

enum { SIDE = 4, IMAGES = 24, BATCH = 16 };

static uint8_t pixels[IMAGES * SIDE * SIDE];
static const fovea_dataset data = {.count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .pixels = pixels};
static char checkpoint[1024], expected[1024], previous[1024];

static fovea_vae_config config(void) { return tiny_config(SIDE, BATCH); }

/* Goes on from the checkpoint where there is one; trains an epoch, evaluates, saves. */
static fovea_status train(fovea_device *on, bool resume, const char *path) {
  const fovea_vae_config c = config();
  fovea_vae *vae = NULL;
  fovea_losses losses;
  fovea_training_state state = {0};
  float codes[2 * IMAGES], images[IMAGES * SIDE * SIDE];
  fovea_status status = fovea_vae_create(on, &c, true, &vae);
  if (!status && resume) status = fovea_vae_load(vae, path, &state);
  fovea_epoch e = {.epoch = state.epoch, .epochs = 4, .lr = 0.005, .min_lr = 0.0001};
  if (!status) status = fovea_vae_train_epoch(vae, &data, &e);
  if (!status) status = fovea_vae_evaluate(vae, &data, &losses);
  if (!status) status = fovea_vae_encode(vae, pixels, IMAGES, codes);
  if (!status) status = fovea_vae_decode(vae, codes, IMAGES, images);
  state = (fovea_training_state){.epoch = state.epoch + 1};
  if (!status) status = fovea_vae_save(vae, path, &state, "{\"a\":1}");
  fovea_vae_destroy(vae);
  return status;
}

/* --- on a device that stays open: it is as good after a fault as before ------------------------------------------- */

static fovea_device *device;

static int work_on_open_device(const char **message) {
  fovea_profile_row *rows = NULL;
  size_t count = 0;
  fovea_status status = fovea_profile_begin(device);
  if (!status) status = train(device, true, checkpoint);
  static char first[2048]; /* the message of what failed first */
  snprintf(first, sizeof first, "%s", fovea_error_message());
  const fovea_status ended = fovea_profile_end(device, &rows, &count); /* gives back the events in any case */
  fovea_free(rows);
  *message = status ? first : fovea_error_message();
  return (int)(status ? status : ended);
}

/* --- opened and closed each time ---------------------------------------------------------------------------------- */

static int work_alone(const char **message) {
  fovea_device *own = NULL;
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) status = train(own, true, checkpoint);
  fovea_device_close(own);
  *message = fovea_error_message();
  return (int)status;
}

/* --- what both leave -----------------------------------------------------------------------------------------------
 */

static void copy(const char *from, const char *to) {
  uint8_t *bytes = NULL;
  size_t size = 0;
  if (fovea_file_read(from, 1 << 24, &bytes, &size) || fovea_file_write(to, bytes, size)) abort();
  free(bytes);
}

static bool same(const char *a, const char *b) {
  uint8_t *x = NULL, *y = NULL;
  size_t nx = 0, ny = 0;
  if (fovea_file_read(a, 1 << 24, &x, &nx) || fovea_file_read(b, 1 << 24, &y, &ny)) abort();
  const bool equal = nx == ny && memcmp(x, y, nx) == 0;
  free(x);
  free(y);
  return equal;
}

static void reset(void) { copy(previous, checkpoint); }

/* Success leaves the bytes of an undisturbed training; a failure the checkpoint of before or, where only the folder
 * could not be synced, the new one. Both load. */
static const char *judge(int status) {
  if (same(checkpoint, expected)) return NULL;
  if (status == FOVEA_OK) return "it went on to other numbers";
  return same(checkpoint, previous) ? NULL : "the checkpoint of before is lost";
}

/* --- a network out of a file, and into another
 * ------------------------------------------------------------------------
 */

static char network_path[1024], network_again[1024];

static int work_network_file(const char **message) {
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_status status = fovea_network_load(device, network_path, NULL, &graph, &network);
  if (!status) status = fovea_network_save(network, network_again);
  *message = fovea_error_message();
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return (int)status;
}

static void reset_network_file(void) { copy(previous, network_again); }

static const char *judge_network_file(int status) {
  if (same(network_again, network_path)) return NULL;
  if (status == FOVEA_OK) return "another network was saved";
  return same(network_again, previous) ? NULL : "the file of before is lost";
}

/* --- a network out of a file, as ONNX --------------------------------------------------------------------------------
 */

static char onnx_path[1024], onnx_expected[1024];

static int work_onnx(const char **message) {
  const fovea_status status =
      fovea_onnx_export(network_path, onnx_path, &(fovea_onnx_options){.fold_batchnorm = true}, NULL);
  *message = fovea_error_message();
  return (int)status;
}

static void reset_onnx(void) { copy(previous, onnx_path); }

static const char *judge_onnx(int status) {
  if (same(onnx_path, onnx_expected)) return NULL;
  if (status == FOVEA_OK) return "another file was written";
  return same(onnx_path, previous) ? NULL : "the file of before is lost";
}

/* --- the first build of a program, with nothing in the cache -------------------------------------------------------
 */

static char cache[1024];

static void reset_cache(void) {
  static int number;
  char name[32];
  snprintf(name, sizeof name, "cache%d", number++);
  setenv("XDG_CACHE_HOME", temp_path(name), 1);
}

static int work_first_build(const char **message) {
  fovea_device *own = NULL;
  fovea_buffer *buffer = NULL;
  float zeros[5] = {1, 1, 1, 1, 1};
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &own);
  if (!status) status = fovea_buffer_create(own, sizeof zeros, "zeros", &buffer);
  if (!status) status = fovea_buffer_read(buffer, 0, sizeof zeros, zeros);
  if (!status && zeros[4] != 0) status = FOVEA_MISMATCH;
  fovea_buffer_destroy(buffer);
  fovea_device_close(own);
  *message = fovea_error_message();
  return (int)status;
}

/* Whatever became of the cache, the next one to ask gets a program. */
static const char *judge_cache(int status) {
  (void)status;
  const char *message;
  return work_first_build(&message) == FOVEA_OK ? NULL : "afterwards no program can be built";
}

/* --- the tests -----------------------------------------------------------------------------------------------------
 */

static int prepare(void **state) {
  (void)state;
  tiny_pixels(pixels, sizeof pixels);
  snprintf(checkpoint, sizeof checkpoint, "%s", temp_path("checkpoint.safetensors"));
  snprintf(previous, sizeof previous, "%s", temp_path("previous.safetensors"));
  snprintf(expected, sizeof expected, "%s", temp_path("expected.safetensors"));
  fovea_status status = fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device);
  if (!status) status = train(device, false, previous);
  if (!status) copy(previous, expected);
  if (!status) status = train(device, true, expected);
  if (status) fprintf(stderr, "%s\n", fovea_error_message());
  return status ? -1 : 0;
}

static int finish(void **state) {
  (void)state;
  fovea_device_close(device);
  const held left = faults_held();
  for (int k = 0; k < HELD_KINDS; k++) {
    if (left.count[k] > 0) fprintf(stderr, "%ld %s are held at the end\n", left.count[k], held_names[k]);
  }
  return left.count[HELD_CONTEXT] + left.count[HELD_BUFFER] + left.count[HELD_KERNEL] > 0 ? -1 : 0;
}

static void an_open_device(void **state) {
  (void)state;
  const campaign c = {"open device", work_on_open_device, reset, judge, 12, 6, 1, 4, false};
  assert_int_equal(campaign_run(&c), 0);
}

static void a_network_file(void **state) {
  (void)state;
  const fovea_vae_config c = config();
  fovea_vae *vae = NULL;
  snprintf(network_path, sizeof network_path, "%s", temp_path("network.safetensors"));
  snprintf(network_again, sizeof network_again, "%s", temp_path("again.safetensors"));
  assert_int_equal(fovea_vae_create(device, &c, true, &vae), FOVEA_OK);
  assert_int_equal(fovea_network_save(vae->network, network_path), FOVEA_OK);
  fovea_vae_destroy(vae);
  const campaign faults = {"network file", work_network_file, reset_network_file, judge_network_file, 12, 3, 1, 4,
                           false};
  assert_int_equal(campaign_run(&faults), 0);
}

/* After a_network_file. */
static void an_onnx_file(void **state) {
  (void)state;
  if (!fovea_onnx_built_in()) skip();
  snprintf(onnx_path, sizeof onnx_path, "%s", temp_path("out.onnx"));
  snprintf(onnx_expected, sizeof onnx_expected, "%s", temp_path("expected.onnx"));
  const char *message = NULL;
  assert_int_equal(work_onnx(&message), FOVEA_OK);
  copy(onnx_path, onnx_expected);
  const campaign faults = {"onnx file", work_onnx, reset_onnx, judge_onnx, 12, 3, 1, 4, false};
  assert_int_equal(campaign_run(&faults), 0);
}

static void a_device_of_its_own(void **state) {
  (void)state;
  const campaign c = {"own device", work_alone, reset, judge, 2, 1, 0, 0, false};
  assert_int_equal(campaign_run(&c), 0);
}

static void a_first_build(void **state) {
  (void)state;
  const char *before = getenv("XDG_CACHE_HOME");
  snprintf(cache, sizeof cache, "%s", before ? before : "");
  const campaign c = {"first build", work_first_build, reset_cache, judge_cache, 8, 3, 0, 0, false};
  const int bad = campaign_run(&c);
  if (before)
    setenv("XDG_CACHE_HOME", cache, 1);
  else
    unsetenv("XDG_CACHE_HOME");
  assert_int_equal(bad, 0);
}

/* An argument is a pattern of the tests to run. */
int main(int argc, char **argv) {
  if (argc > 1) cmocka_set_test_filter(argv[1]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(an_open_device), cmocka_unit_test(a_network_file),
                                     cmocka_unit_test(an_onnx_file), cmocka_unit_test(a_device_of_its_own),
                                     cmocka_unit_test(a_first_build)};
  return cmocka_run_group_tests(tests, prepare, finish);
}
