/* What a command that was built without MPI says where ranks were launched: tools/reach/ranks.c, built so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fail.h"
#include "cli/launcher.h"
#include "reach/ranks.h"

static void alone(void **state) {
  (void)state;
  static const char *const one[] = {"", "1", "0", "many"};
  ranks r;
  for (size_t i = 0; i < sizeof one / sizeof *one; i++) {
    setenv("OMPI_COMM_WORLD_SIZE", one[i], 1);
    assert_int_equal(ranks_begin(&r, "start one process"), FOVEA_OK);
    assert_int_equal(r.index, 0);
    assert_int_equal(r.count, 1);
  }
  unsetenv("OMPI_COMM_WORLD_SIZE");
}

static void launched(void **state) {
  (void)state;
  static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
  ranks r;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    setenv(names[i], "4", 1);
    assert_int_equal(ranks_begin(&r, "start one process"), FOVEA_INVALID);
    assert_non_null(strstr(fovea_error_message(), names[i]));
    assert_non_null(strstr(fovea_error_message(), "one of 4"));
    assert_non_null(strstr(fovea_error_message(), "without MPI"));
    unsetenv(names[i]);
  }
}

/* What is one process's, where several were started. */
static void refused(void **state) {
  (void)state;
  assert_int_equal(launcher_refuse("export"), FOVEA_OK);
  setenv("PMI_SIZE", "3", 1);
  assert_int_equal(launcher_refuse("export"), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "one of 3 (PMI_SIZE)"));
  assert_non_null(strstr(fovea_error_message(), "export is not divided among ranks; start one process"));
  unsetenv("PMI_SIZE");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(alone), cmocka_unit_test(launched), cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
