/* What a launch refuses before the device sees it, and where compiled programs go without XDG_CACHE_HOME. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>

#include "runtime/launch.h"
#include "support/tempdir.h"

static fovea_device *device, *other;

static int open_devices(void **state) {
  (void)state;
  const char *selector = getenv("FOVEA_TEST_DEVICE");
  return fovea_device_open(selector, &device) || fovea_device_open(selector, &other);
}

static int close_devices(void **state) {
  (void)state;
  fovea_device_close(device);
  fovea_device_close(other);
  return 0;
}

/* The launch is ready to be refused: its status, and a part of its sentence. */
static void assert_refused(fovea_launch *launch, fovea_status status, const char *part) {
  assert_int_equal(fovea_launch_ready(launch), status);
  if (!strstr(fovea_error_message(), part)) fail_msg("'%s' is not in: %s", part, fovea_error_message());
  assert_int_equal(fovea_launch_enqueue(launch), status);
  fovea_launch_destroy(launch);
}

static fovea_launch *zero_launch(void) {
  fovea_launch *l = NULL;
  assert_int_equal(fovea_launch_create(device, "fill.cl", "", "fill_zero", &l), FOVEA_OK);
  return l;
}

static void test_a_name_too_long(void **state) {
  (void)state;
  char name[80] = "";
  fovea_launch *l = NULL;
  memset(name, 'k', sizeof name - 1);
  assert_int_equal(fovea_launch_create(device, "fill.cl", "", name, &l), FOVEA_INVALID);
  assert_refused(l, FOVEA_INVALID, "at most 63 characters");
}

static void test_a_buffer_of_another_device(void **state) {
  (void)state;
  fovea_buffer *foreign = NULL;
  fovea_launch *l = zero_launch();
  assert_int_equal(fovea_buffer_create(other, 64, "foreign", &foreign), FOVEA_OK);
  fovea_launch_buffer(l, "x", foreign);
  assert_refused(l, FOVEA_INVALID, "a buffer of another device");
  fovea_buffer_destroy(foreign);
}

static void test_no_local_memory(void **state) {
  (void)state;
  fovea_launch *l = zero_launch();
  fovea_launch_local(l, "t", 0);
  assert_refused(l, FOVEA_INVALID, "0 bytes of local memory");
}

static void test_too_many_groups(void **state) {
  (void)state;
  fovea_launch *l = zero_launch();
  fovea_launch_groups(l, 64, SIZE_MAX / 32, 1, 1);
  assert_refused(l, FOVEA_INVALID, "are too many");
}

static size_t files_in(const char *folder) {
  size_t count = 0;
  DIR *stream = opendir(folder);
  if (!stream) return 0;
  for (const struct dirent *e; (e = readdir(stream));) count += e->d_name[0] != '.';
  closedir(stream);
  return count;
}

static void test_programs_go_to_home(void **state) {
  (void)state;
  char home[1024], cache[1100], xdg[1024];
  const char *home_before = getenv("HOME"), *xdg_before = getenv("XDG_CACHE_HOME");
  snprintf(home, sizeof home, "%s", home_before ? home_before : "");
  snprintf(xdg, sizeof xdg, "%s", xdg_before ? xdg_before : "");
  unsetenv("XDG_CACHE_HOME");
  setenv("HOME", temp_path("home"), 1);
  fovea_device *fresh = NULL;
  fovea_buffer *b = NULL;
  assert_int_equal(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &fresh), FOVEA_OK);
  assert_int_equal(fovea_buffer_create(fresh, 64, "zeros", &b), FOVEA_OK);
  snprintf(cache, sizeof cache, "%s/.cache/fovea", temp_path("home"));
  fovea_buffer_destroy(b);
  fovea_device_close(fresh); /* which is when they are saved */
  assert_int_equal(files_in(cache), 1);
  if (home_before) setenv("HOME", home, 1);
  if (xdg_before) setenv("XDG_CACHE_HOME", xdg, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_name_too_long),
                                     cmocka_unit_test(test_a_buffer_of_another_device),
                                     cmocka_unit_test(test_no_local_memory), cmocka_unit_test(test_too_many_groups),
                                     cmocka_unit_test(test_programs_go_to_home)};
  return cmocka_run_group_tests(tests, open_devices, close_devices);
}
