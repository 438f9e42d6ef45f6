/* The file of measured tiles: what was stored comes back, and nothing else is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime/autotune.h"
#include "support/device.h"
#include "support/tempdir.h"

static const fovea_tile own = {.vector = 16, .filters = 5}, faster = {.vector = 8, .filters = 4, .pixels = 2};

static fovea_tile_list list(void) {
  fovea_tile_list l = {0};
  fovea_tile_add(&l, own);
  fovea_tile_add(&l, faster);
  return l;
}

/* As a new process would find it. */
static fovea_tile ask(const char *key) {
  fovea_device *fresh = NULL;
  int request = -1;
  OK(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &fresh));
  const fovea_tile_list l = list();
  const fovea_tile tile = fovea_autotune_choose(fresh, key, &l, &request);
  assert_int_equal(request, 0);
  fovea_device_close(fresh);
  return tile;
}

static void assert_tile(const char *key, fovea_tile expected) {
  const fovea_tile tile = ask(key);
  if (memcmp(&tile, &expected, sizeof tile) != 0) fail_msg("%s: vector %d, filters %d", key, tile.vector, tile.filters);
}

static const char *stored_path(void) {
  static char path[4096];
  assert_true(fovea_autotune_path(fovea_device_get_info(device), path, sizeof path));
  return path;
}

static int stored(void) { return fovea_autotune_stored(fovea_device_get_info(device)); }

static void put(const char *text, size_t size) { OK(fovea_file_write(stored_path(), text, size)); }

static void store_one(void) {
  OK(fovea_autotune_set(device, "a", &faster));
  OK(fovea_autotune_store(device));
}

static void it_comes_back(void **state) {
  (void)state;
  assert_int_equal(stored(), 0);
  assert_tile("a", own);
  store_one();
  assert_int_equal(stored(), 1);
  assert_tile("a", faster);
  assert_tile("b", own);
  OK(fovea_autotune_set(device, "a", NULL));
  OK(fovea_autotune_store(device));
  assert_tile("a", own);
}

static void off(void **state) {
  (void)state;
  store_one();
  setenv("FOVEA_TUNING", "off", 1);
  assert_int_equal(stored(), 0);
  assert_tile("a", own);
  unsetenv("FOVEA_TUNING");
  assert_tile("a", faster);
}

/* The path that a GPU takes has a file of its own. */
static void of_another_path(void **state) {
  (void)state;
  char before[4096];
  const char *vector = getenv("FOVEA_VECTOR");
  snprintf(before, sizeof before, "%s", stored_path());
  setenv("FOVEA_VECTOR", vector ? "" : "1", 1);
  assert_string_not_equal(before, stored_path());
  if (vector)
    setenv("FOVEA_VECTOR", "1", 1);
  else
    unsetenv("FOVEA_VECTOR");
}

/* Cut anywhere, or with any byte turned, it is read as a file with that tile, or with none: never with another. */
static void truncated_and_corrupt(void **state) {
  (void)state;
  uint8_t *text = NULL;
  size_t size = 0;
  store_one();
  OK(fovea_file_read(stored_path(), 1 << 20, &text, &size));
  for (size_t cut = 0; cut + 2 < size; cut += 5) {
    put((const char *)text, cut);
    assert_int_equal(stored(), 0);
  }
  for (size_t i = 0; i < size; i += 3) {
    text[i] ^= 0x15;
    put((const char *)text, size);
    const fovea_tile tile = ask("a");
    if (memcmp(&tile, &own, sizeof own) != 0 && memcmp(&tile, &faster, sizeof own) != 0) fail_msg("byte %zu", i);
    text[i] ^= 0x15;
  }
  free(text);
}

static void foreign(void **state) {
  (void)state;
  static const char text[] =
      "{\"hash\": \"0123456789abcdef\", \"tiles\": {\"a\": {\"vector\": 8, \"filters\": 4, "
      "\"pixels\": 2}}}";
  put(text, strlen(text));
  assert_int_equal(stored(), 0);
  assert_tile("a", own);
}

/* Of this device, and full of what no op allows. */
static void hostile(void **state) {
  (void)state;
  static const char *const tiles[] = {"{\"vector\": -8, \"filters\": 4}",
                                      "{\"vector\": 1000000, \"filters\": 4, \"pixels\": 2}",
                                      "{\"vector\": 9223372036854775807}",
                                      "{\"vector\": 16, \"filters\": 4096}",
                                      "{\"vector\": 8.0, \"filters\": 4, \"pixels\": 2}",
                                      "{\"vector\": \"8\", \"filters\": 4, \"pixels\": 2}",
                                      "{\"vector\": 8, \"filters\": 4, \"pixels\": 2, \"options\": \"-DR=9\"}",
                                      "{\"vector\": 8, \"filters\": 4, \"pixels\": 2, \"local\": 1024}",
                                      "{}",
                                      "[8, 4, 2]",
                                      "null",
                                      "{\"vector\": 0}"};
  char text[1024], hash[17] = "";
  const char *name = strstr(stored_path(), "tuning-");
  assert_non_null(name);
  memcpy(hash, name + strlen("tuning-"), 16);
  for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
    snprintf(text, sizeof text,
             "{\"hash\": \"%s\", \"tiles\": {\"a\": %s, \"b\": {\"vector\": 8, \"filters\": 4, "
             "\"pixels\": 2}}}",
             hash, tiles[i]);
    put(text, strlen(text));
    assert_tile("a", own);
    assert_tile("b", faster); /* its neighbours do not suffer */
  }
  static const char *const roots[] = {"", "[]", "null", "{\"hash\": 7}", "{\"tiles\": {}}", "\x00\xff\xfe"};
  for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
    put(roots[i], strlen(roots[i]));
    assert_int_equal(stored(), 0);
  }
  snprintf(text, sizeof text, "{\"hash\": \"%s\", \"tiles\": [{\"vector\": 8}]}", hash);
  put(text, strlen(text));
  assert_int_equal(stored(), 0);
}

/* A folder that cannot be: a file is in its place. Said when storing, and of no interest when reading. */
static void unwritable(void **state) {
  (void)state;
  const char *file = temp_file("occupied", "x", 1);
  char before[4096];
  snprintf(before, sizeof before, "%s", getenv("XDG_CACHE_HOME"));
  setenv("XDG_CACHE_HOME", file, 1);
  assert_int_equal(fovea_autotune_store(device), FOVEA_IO);
  assert_int_equal(stored(), 0);
  assert_tile("a", own);
  setenv("XDG_CACHE_HOME", before, 1);
}

static void a_recording(void **state) {
  (void)state;
  const fovea_tile_list l = list();
  int request = 0;
  store_one();
  OK(fovea_autotune_force(device, 1));
  fovea_tile tile = fovea_autotune_choose(device, "x", &l, &request);
  assert_int_equal(request, 1);
  assert_memory_equal(&tile, &faster, sizeof tile);
  OK(fovea_autotune_force(device, 0));
  tile = fovea_autotune_choose(device, "a", &l, &request);
  assert_int_equal(request, 2);
  assert_memory_equal(&tile, &own, sizeof tile); /* not the measured one */
  (void)fovea_autotune_choose(device, "x", &l, &request);
  assert_int_equal(request, 1);
  OK(fovea_autotune_force(device, 2)); /* more than there are */
  tile = fovea_autotune_choose(device, "x", &l, &request);
  assert_memory_equal(&tile, &own, sizeof tile);
  OK(fovea_autotune_force(device, FOVEA_MAX_TILES));
  tile = fovea_autotune_choose(device, "a", &l, &request);
  assert_memory_equal(&tile, &faster, sizeof tile);
  assert_int_equal(fovea_autotune_request_count(device), 2);
  assert_string_equal(fovea_autotune_get_request(device, 2)->key, "a");
  OK(fovea_autotune_force(device, -1));
  assert_int_equal(fovea_autotune_request_count(device), 0);
}

static int open_with_cache(void **state) {
  setenv("XDG_CACHE_HOME", temp_path("cache"), 1);
  unsetenv("FOVEA_TUNING");
  if (fovea_directory_create(temp_path("cache/fovea")) != FOVEA_OK) return -1;
  return open_device(state);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_comes_back),   cmocka_unit_test(off),
                                     cmocka_unit_test(of_another_path), cmocka_unit_test(truncated_and_corrupt),
                                     cmocka_unit_test(foreign),         cmocka_unit_test(hostile),
                                     cmocka_unit_test(unwritable),      cmocka_unit_test(a_recording)};
  return cmocka_run_group_tests(tests, open_with_cache, close_device);
}
