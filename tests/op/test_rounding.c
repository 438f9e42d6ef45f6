/* What the bits of every kernel rest on: the device's arithmetic, division and square root, also as the kernels correct
 * them where a device does not round correctly itself, and our elementary functions against the reference's bits. */
#include "op/op_test.h"

#include "check/check.h"

static void test_rounding(void **state) {
  (void)state;
  for (int corrected = 0; corrected < 2; corrected++) {
    check_arithmetic result;
    const fovea_status status = check_device_arithmetic(chain_device(), corrected == 1, &result);
    if (status != FOVEA_OK) fail_msg("%s", fovea_error_message());
    for (int i = 0; i < CHECK_PROBES; i++)
      if (result.probes[i].differ > 0 || result.probes[i].beyond || result.probes[i].count == 0)
        fail_msg("corrected %d: %s %s", corrected, result.probes[i].name, result.probes[i].first);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rounding)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
