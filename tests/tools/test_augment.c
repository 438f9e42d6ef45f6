/* Augmentation from outside: what a run records and draws, that a packed set gives the same, what is refused, and a
 * sweep over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/file.h"
#include "support/arrays.h"
#include "support/command.h"
#include "support/picture.h"
#include "support/tempdir.h"

#define NET " --arch 4,3,2 --depth 1 --batch 16 --attention none --bn-momentum 0.5 "
#define ON " --shift 2 --flip horizontal --crop 1 --brightness 0.25 "

enum { MOST = 1 << 24, SIDE = 8 };

static char set[256], run[256];

static int make_set(void **state) {
  (void)state;
  array_idx(array_name("set", "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){50, SIDE, SIDE});
  array_idx(array_name("set", "t10k-images-idx3-ubyte"), 8, 3, (uint32_t[]){20, SIDE, SIDE});
  snprintf(set, sizeof set, "%s", temp_path("set"));
  snprintf(run, sizeof run, "%s", temp_path("run"));
  return fovea("train --data %s" NET ON "--epochs 2 --out %s", set, run);
}

static json_t *config_of(const char *folder) {
  char path[512];
  snprintf(path, sizeof path, "%s/config.json", folder);
  json_t *config = json_load_file(path, 0, NULL);
  assert_non_null(config);
  return config;
}

static void assert_same_file(const char *a, const char *b, const char *name) {
  char paths[2][512];
  uint8_t *data[2] = {NULL, NULL};
  size_t sizes[2];
  snprintf(paths[0], sizeof paths[0], "%s/%s", a, name);
  snprintf(paths[1], sizeof paths[1], "%s/%s", b, name);
  for (int i = 0; i < 2; i++) assert_int_equal(fovea_file_read(paths[i], MOST, &data[i], &sizes[i]), FOVEA_OK);
  assert_int_equal(sizes[0], sizes[1]);
  assert_memory_equal(data[0], data[1], sizes[0]);
  free(data[0]);
  free(data[1]);
}

static bool is_there(const char *folder, const char *name) {
  char path[512];
  uint8_t *data = NULL;
  size_t size;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  const bool there = fovea_file_read(path, MOST, &data, &size) == FOVEA_OK;
  free(data);
  return there;
}

/* The originals are in the first row of the picture: its first image is the first of a fair sample of the set. */
static void it_is_recorded_and_drawn(void **state) {
  (void)state;
  char path[512];
  picture p = {0};
  json_t *config = config_of(run);
  assert_int_equal(json_integer_value(json_object_get(config, "shift")), 2);
  assert_string_equal(json_string_value(json_object_get(config, "fill")), "edge");
  assert_string_equal(json_string_value(json_object_get(config, "flip")), "horizontal");
  assert_int_equal(json_integer_value(json_object_get(config, "crop")), 1);
  assert_true(json_real_value(json_object_get(config, "brightness")) == 0.25);
  assert_null(json_object_get(config, "contrast"));
  json_decref(config);
  snprintf(path, sizeof path, "%s/augmented.png", run);
  assert_int_equal(picture_read(path, &p), 0);
  picture_free(&p);
}

static void off_leaves_no_trace(void **state) {
  (void)state;
  const char *plain = temp_path("plain"), *given = temp_path("given");
  assert_int_equal(fovea("train --data %s" NET "--epochs 1 --out %s", set, plain), 0);
  assert_int_equal(fovea("train --data %s" NET "--epochs 1 --shift 0 --flip none --fill black --out %s", set, given),
                   0);
  assert_output("--fill says what a --shift leaves empty, and there is none: it changes nothing");
  assert_same_file(plain, given, "checkpoint.safetensors");
  assert_false(is_there(plain, "augmented.png") || is_there(given, "augmented.png"));
  static const char *const keys[] = {"shift", "fill", "flip", "crop", "contrast", "brightness"};
  json_t *config = config_of(plain);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) assert_null(json_object_get(config, keys[i]));
  json_decref(config);
}

static void a_packed_set_gives_the_same(void **state) {
  (void)state;
  const char *packed = temp_path("packed");
  assert_int_equal(fovea("pack %s --out %s", set, temp_path("set.fovea")), 0);
  assert_int_equal(fovea("train --data %s" NET ON "--epochs 2 --out %s", temp_path("set.fovea"), packed), 0);
  assert_same_file(run, packed, "checkpoint.safetensors");
  assert_same_file(run, packed, "augmented.png");
}

/* The settings come from the folder, others are refused; a picture that is gone is drawn again. */
static void a_resumed_run_keeps_it(void **state) {
  (void)state;
  const char *again = temp_path("again");
  char path[512];
  assert_int_equal(fovea("train --data %s" NET ON "--epochs 2 --out %s", set, again), 0);
  snprintf(path, sizeof path, "%s/augmented.png", again);
  assert_int_equal(remove(path), 0);
  assert_int_equal(fovea("train --resume --data %s --out %s", set, again), 0);
  assert_same_file(run, again, "augmented.png");
  static const char *const others[][2] = {{"--shift 3", "--shift was 2 when it began and is 3 now"},
                                          {"--shift 0", "--shift was 2 when it began and is off now"},
                                          {"--fill black", "--fill was \"edge\" when it began and is \"black\" now"},
                                          {"--flip none", "--flip was \"horizontal\" when it began and is off now"},
                                          {"--contrast 0.5", "--contrast was off when it began and is 0.5 now"}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    assert_int_equal(fovea("train --resume --data %s --out %s %s", set, again, others[i][0]), 2);
    assert_output(others[i][1]);
  }
  assert_int_equal(fovea("train --data %s" NET ON "--epochs 2 --out %s", set, again), 2);
}

static void what_cannot_be_is_refused(void **state) {
  (void)state;
  static const char *const all[][2] = {{"--shift 8", "shift 8 and crop 0 would move images of 8x8 pixels"},
                                       {"--shift 4 --crop 4", "together they have to be less than 8"},
                                       {"--shift -1", "'-1' is not a whole number from 0"},
                                       {"--flip diagonal", "'diagonal' is not one of none|horizontal|vertical|both"},
                                       {"--brightness 1.5", "'1.5' is not a number from 0 to 1"}};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    const char *out = temp_path("refused");
    assert_int_equal(fovea("train --data %s" NET "--epochs 1 --out %s %s", set, out, all[i][0]), 2);
    assert_output(all[i][1]);
    assert_false(is_there(out, "config.json"));
  }
}

static void a_sweep_varies_it(void **state) {
  (void)state;
  const char *out = temp_path("sweep");
  assert_int_equal(
      fovea("sweep --data %s" NET "--epochs 1 --factors 'shift=0|2,flip=none|horizontal' --out %s", set, out), 0);
  assert_output("shift");
  uint8_t *table = NULL;
  size_t size;
  char path[512];
  snprintf(path, sizeof path, "%s/results.csv", out);
  assert_int_equal(fovea_file_read(path, MOST, &table, &size), FOVEA_OK);
  assert_non_null(strstr((char *)table, ",shift,flip,seed,"));
  assert_non_null(strstr((char *)table, ",2,horizontal,"));
  free(table);
  assert_int_equal(
      fovea("sweep --data %s" NET "--epochs 1 --factors 'activation=relu,fill=black' --out %s", set, temp_path("fill")),
      0);
  assert_output("fovea: fill says what a shift leaves empty, and no configuration has one: it changes nothing");
  assert_int_equal(fovea("sweep --data %s" NET "--epochs 1 --factors 'flip' --out %s", set, temp_path("none")), 2);
  assert_output("flip needs its levels, such as flip=none|horizontal");
  assert_int_equal(fovea("sweep --data %s" NET "--epochs 1 --factors 'shift=0|8' --out %s", set, temp_path("none")), 2);
  assert_output("would move images of 8x8 pixels");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_recorded_and_drawn),    cmocka_unit_test(off_leaves_no_trace),
      cmocka_unit_test(a_packed_set_gives_the_same), cmocka_unit_test(a_resumed_run_keeps_it),
      cmocka_unit_test(what_cannot_be_is_refused),   cmocka_unit_test(a_sweep_varies_it)};
  return cmocka_run_group_tests(tests, make_set, NULL);
}
