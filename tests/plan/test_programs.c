/* A sweep makes one network after another on one device: each program is built for the first that needs it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fovea/vae.h"
#include "runtime/program.h"
#include "support/device.h"

static fovea_vae_config config(void) {
  fovea_vae_config c = fovea_vae_default();
  c.height = c.width = 4;
  c.unit_count = 3;
  c.units[0] = 3, c.units[1] = 2, c.units[2] = 1;
  c.depth = 1;
  c.batch = 16;
  return c;
}

static size_t programs_after(const fovea_vae_config *c) {
  fovea_vae *vae = NULL;
  OK(fovea_vae_create(device, c, true, &vae));
  fovea_vae_destroy(vae);
  return fovea_program_cache_count(device->programs);
}

static void built_once(void **state) {
  (void)state;
  fovea_vae_config c = config();
  const size_t first = programs_after(&c);
  assert_true(first > 0);
  c.seed++;
  c.dropout = 0.5;
  c.kl_weight = 0.5;
  c.bn_momentum = 0.5;
  assert_int_equal(programs_after(&c), first);
  c.units[0] = 5; /* other shapes are other programs */
  const size_t more = programs_after(&c);
  assert_true(more > first);
  c.units[0] = 3;
  assert_int_equal(programs_after(&c), more);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(built_once)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
