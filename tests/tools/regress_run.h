/* `fovea regress` from outside. cmocka.h comes before it. */
#ifndef FOVEA_TESTS_REGRESS_RUN_H
#define FOVEA_TESTS_REGRESS_RUN_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/file.h"
#include "support/tempdir.h"

/* Runs `fovea regress ARGUMENTS` in a shell; *out and *err are the caller's to free. */
static int run(const char *environment, const char *arguments, char **out, char **err) {
  char command[4096], out_path[1024], err_path[1024];
  size_t size;
  snprintf(out_path, sizeof out_path, "%s", temp_file("out", "", 0));
  snprintf(err_path, sizeof err_path, "%s", temp_file("err", "", 0));
  snprintf(command, sizeof command, "%s '%s' regress %s >'%s' 2>'%s'", environment, FOVEA_COMMAND, arguments, out_path,
           err_path);
  int code = system(command);
  assert_true(WIFEXITED(code));
  assert_int_equal(fovea_file_read(out_path, 1 << 20, (uint8_t **)out, &size), FOVEA_OK);
  assert_int_equal(fovea_file_read(err_path, 1 << 20, (uint8_t **)err, &size), FOVEA_OK);
  return WEXITSTATUS(code);
}

#endif
