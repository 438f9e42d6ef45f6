/* Enumeration, the rules of selection, opening. The list for selection is made up; the rest runs on real devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/device.h"
#include "runtime/enumerate.h"

static void invent(fovea_found *f, size_t index, const char *name, const char *vendor, fovea_device_type type,
                   uint32_t units, bool unified, const char *why_not) {
  memset(f, 0, sizeof *f);
  f->info.index = index;
  snprintf(f->info.name, sizeof f->info.name, "%s", name);
  snprintf(f->info.vendor, sizeof f->info.vendor, "%s", vendor);
  f->info.type = type;
  f->info.compute_units = units;
  f->info.clock_mhz = 1000;
  f->info.unified_memory = unified;
  f->info.usable = why_not == NULL;
  snprintf(f->info.why_not, sizeof f->info.why_not, "%s", why_not ? why_not : "");
}

enum { INVENTED = 6 };

static void invent_all(fovea_found f[INVENTED]) {
  invent(&f[0], 0, "pthread-haswell", "AuthenticAMD", FOVEA_DEVICE_CPU, 64, true, NULL);
  invent(&f[1], 1, "Iris Xe", "Intel", FOVEA_DEVICE_GPU, 96, true, NULL);
  invent(&f[2], 2, "Arc A380", "Intel", FOVEA_DEVICE_GPU, 32, false, NULL);
  invent(&f[3], 3, "gfx1030", "Advanced Micro Devices", FOVEA_DEVICE_GPU, 40, false, NULL);
  invent(&f[4], 4, "Old Tesla", "NVIDIA", FOVEA_DEVICE_GPU, 999, false, "supports only OpenCL 1.1, 1.2 is needed");
  invent(&f[5], 5, "gfx1030 twin", "Advanced Micro Devices", FOVEA_DEVICE_GPU, 40, false, NULL);
}

static void selection(void **state) {
  (void)state;
  fovea_found f[INVENTED];
  invent_all(f);
  static const struct {
    const char *selector;
    size_t chosen;
  } cases[] = {{NULL, 3},  {"", 3},      {"0", 0},  {"05", 5},   {"cpu", 0},  {"CPU", 0},
               {"gpu", 3}, {"intel", 2}, {"XE", 1}, {"twin", 5}, {"auth", 0}, {"devices", 3}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t chosen = 99;
    assert_int_equal(fovea_select(f, INVENTED, cases[i].selector, &chosen), FOVEA_OK);
    if (chosen != cases[i].chosen) {
      fail_msg("'%s' chose %zu, not %zu", cases[i].selector ? cases[i].selector : "NULL", chosen, cases[i].chosen);
    }
  }
}

static void selection_without_gpu(void **state) {
  (void)state;
  fovea_found f[INVENTED];
  size_t chosen = 99;
  invent_all(f);
  for (int i = 1; i < INVENTED; i++) f[i].info.usable = false;
  assert_int_equal(fovea_select(f, INVENTED, NULL, &chosen), FOVEA_OK);
  assert_int_equal(chosen, 0);
  f[0].info.usable = false;
  assert_int_equal(fovea_select(f, INVENTED, NULL, &chosen), FOVEA_DEVICE);
  assert_non_null(strstr(fovea_error_message(), "no usable"));
}

static void bad_selectors(void **state) {
  (void)state;
  fovea_found f[INVENTED];
  invent_all(f);
  static const struct {
    const char *selector, *message;
  } cases[] = {{"7", "'7'"},
               {"nothing", "'nothing'"},
               {"-1", "'-1'"},
               {"1x", "'1x'"},
               {"4", "supports only OpenCL 1.1"},
               {"tesla", "supports only OpenCL 1.1"},
               {"99999999999999999999999", "no device matches"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    size_t chosen = 99;
    assert_int_equal(fovea_select(f, INVENTED, cases[i].selector, &chosen), FOVEA_INVALID);
    assert_int_equal(chosen, 99);
    if (!strstr(fovea_error_message(), cases[i].message)) fail_msg("message: %s", fovea_error_message());
    assert_non_null(strstr(fovea_error_message(), "2 (Arc A380)"));
  }
}

static void real_devices(void **state) {
  (void)state;
  fovea_device_info *list = NULL;
  size_t count = 0;
  assert_int_equal(fovea_device_list(&list, &count), FOVEA_OK);
  assert_true(count > 0);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(list[i].index, i);
    assert_true(strlen(list[i].name) > 0 && strlen(list[i].version) > 0);
    assert_true(list[i].usable == (list[i].why_not[0] == '\0'));
  }
  fovea_free(list);
  fovea_device *device = NULL;
  assert_int_equal(fovea_device_open("no such device", &device), FOVEA_INVALID);
  assert_null(device);
}

static void tuning(void **state) {
  (void)state;
  fovea_device *device = NULL;
  setenv("FOVEA_VECTOR", "1", 1);
  assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
  assert_int_equal(device->tuning.vector, 1);
  assert_int_equal(device->tuning.native, 1);
  assert_true(device->tuning.group > 1 && device->tuning.group <= 64);
  fovea_device_close(device);
  unsetenv("FOVEA_VECTOR");
  assert_int_equal(fovea_device_open(NULL, &device), FOVEA_OK);
  bool cpu = fovea_device_get_info(device)->type == FOVEA_DEVICE_CPU;
  assert_int_equal(device->tuning.vector, cpu ? 16 : 1);
  if (cpu) assert_int_equal(device->tuning.group, 1);
  assert_int_equal(fovea_device_finish(device), FOVEA_OK);
  fovea_device_close(device);
  fovea_device_close(NULL);
}

/* Each number of units is another division of the device, and all are kept. */
static void parts_of_all_sizes(void **state) {
  (void)state;
  fovea_device *device = NULL;
  assert_int_equal(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device), FOVEA_OK);
  const uint32_t units = fovea_device_get_info(device)->compute_units;
  fovea_device_close(device);
  if (fovea_device_open_part(getenv("FOVEA_TEST_DEVICE"), 1, &device) == FOVEA_DEVICE) skip(); /* not divisible */
  fovea_device_close(device);
  for (uint32_t n = 1; n < units; n++) {
    if (fovea_device_open_part(getenv("FOVEA_TEST_DEVICE"), n, &device))
      fail_msg("%u of %u units: %s", n, units, fovea_error_message());
    assert_int_equal(fovea_device_get_info(device)->compute_units, n);
    fovea_device_close(device);
  }
  device = NULL;
  assert_int_equal(fovea_device_open_part(getenv("FOVEA_TEST_DEVICE"), 100000, &device), FOVEA_DEVICE);
  assert_null(device);
  assert_non_null(strstr(fovea_error_message(), "no part of 100000"));
}

static void error_codes(void **state) {
  (void)state;
  fovea_device device = {.info = {.name = "dev"}};
  assert_int_equal(fovea_cl_check(&device, CL_SUCCESS, "x"), FOVEA_OK);
  assert_int_equal(fovea_cl_check(&device, CL_OUT_OF_RESOURCES, "conv"), FOVEA_DEVICE);
  assert_string_equal(fovea_error_message(), "conv: CL_OUT_OF_RESOURCES (-5, on device dev)");
  assert_int_equal(fovea_cl_check(&device, CL_MEM_OBJECT_ALLOCATION_FAILURE, "x"), FOVEA_NO_MEMORY);
  assert_string_equal(fovea_cl_error_name(12345), "CL_UNKNOWN_ERROR");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(selection),
                                     cmocka_unit_test(selection_without_gpu),
                                     cmocka_unit_test(bad_selectors),
                                     cmocka_unit_test(real_devices),
                                     cmocka_unit_test(tuning),
                                     cmocka_unit_test(error_codes),
                                     cmocka_unit_test(parts_of_all_sizes)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
