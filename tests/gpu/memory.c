/* What a network takes of a device's memory, and what it says where that is little: the seed network on an OpenCL that
 * keeps nothing (null_opencl.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/vae.h"
#include "null_opencl.h"
#include "runtime/device.h"

enum { BATCH = 1024, MIB = 1 << 20 };

static char told[512];

static void hear(void *user, const char *line) {
  (void)user;
  if (strstr(line, "memory")) snprintf(told, sizeof told, "%s", line);
}

/* On a device of so much memory, 0: a TiB; the network's bytes in *takes. */
static fovea_status create(int batch, size_t memory, size_t *takes) {
  const null_device gpu = {
      .max_work_group_size = 256, .local_memory = 32 << 10, .compute_units = 132, .memory = memory};
  fovea_device *device = NULL;
  fovea_vae *vae = NULL;
  fovea_vae_config config = fovea_vae_default();
  config.batch = batch;
  null_opencl_set(&gpu);
  told[0] = '\0';
  assert_int_equal(fovea_device_open("gpu", &device), FOVEA_OK);
  fovea_device_tell(device, hear, NULL);
  const fovea_status status = fovea_vae_create(device, &config, true, &vae);
  *takes = status == FOVEA_OK ? fovea_network_memory(vae->network) : 0;
  fovea_vae_destroy(vae);
  assert_int_equal(device->allocated, 0);
  fovea_device_close(device);
  return status;
}

/* Where the passes fit with less for sums that wait, they have less, and that is said. */
static void takes_less_where_there_is_less(void **state) {
  (void)state;
  size_t most, least;
  assert_int_equal(create(BATCH, 0, &most), FOVEA_OK);
  assert_string_equal(told, "");
  assert_int_equal(create(BATCH, most - MIB, &least), FOVEA_OK);
  assert_string_equal(told, "little memory on null: training takes the least of it, and longer");
  assert_true(least <= most - MIB);
  print_message("batch %d: %.1f MiB, at the least %.1f MiB\n", BATCH, (double)most / MIB, (double)least / MIB);
}

/* The least that will do is taken, a MiB less is refused with the numbers before a kernel of the network is compiled.
 */
static void refuses_what_does_not_fit(void **state) {
  (void)state;
  size_t most, least, none;
  const int before = null_opencl_programs();
  assert_int_equal(create(BATCH, 0, &most), FOVEA_OK);
  const int programs = null_opencl_programs() - before;
  assert_int_equal(create(BATCH, most - MIB, &least), FOVEA_OK);
  assert_int_equal(create(BATCH, least + MIB, &none), FOVEA_OK);
  const int then = null_opencl_programs();
  assert_int_equal(create(BATCH, least - MIB, &none), FOVEA_NO_MEMORY);
  assert_in_range(null_opencl_programs() - then, 0, programs / 10);
  assert_non_null(strstr(fovea_error_message(), "network: a batch of 1024 needs "));
  assert_non_null(strstr(fovea_error_message(), "; use a smaller batch, some "));
}

/* What it says would fit does. */
static void names_a_batch_that_fits(void **state) {
  (void)state;
  for (size_t memory = (size_t)64 * MIB; memory <= (size_t)4096 * MIB; memory *= 2) {
    size_t takes;
    assert_int_equal(create((int)(memory / MIB), memory, &takes), FOVEA_NO_MEMORY); /* an image takes 1.5 MiB */
    const char *some = strstr(fovea_error_message(), "some ");
    assert_non_null(some);
    const int batch = atoi(some + strlen("some "));
    if (create(batch, memory, &takes) != FOVEA_OK)
      fail_msg("%zu MiB, %d: %s", memory / MIB, batch, fovea_error_message());
    assert_true(takes > memory / 2);
  }
}

static void says_when_no_batch_fits(void **state) {
  (void)state;
  size_t none;
  assert_int_equal(create(16, 12 * MIB, &none), FOVEA_NO_MEMORY);
  assert_non_null(strstr(fovea_error_message(), "use a smaller network or smaller images"));
}

int main(void) {
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  unsetenv("FOVEA_VECTOR");
  setenv("FOVEA_QUEUES", "2", 1); /* what two queues work on lives at once */
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_less_where_there_is_less),
      cmocka_unit_test(refuses_what_does_not_fit),
      cmocka_unit_test(names_a_batch_that_fits),
      cmocka_unit_test(says_when_no_batch_fits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
