/* The fovea command, run to its end, and what it said. */
#ifndef FOVEA_TESTS_SUPPORT_COMMAND_H
#define FOVEA_TESTS_SUPPORT_COMMAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/process.h"

static char output[1 << 16]; /* of the last command: stdout and stderr together */

/* The exit code. */
static inline int fovea(const char *format, ...) {
  char arguments[4096];
  va_list list;
  va_start(list, format);
  vsnprintf(arguments, sizeof arguments, format, list);
  va_end(list);
  return process_fovea("", arguments, output, sizeof output);
}

static inline void assert_output(const char *part) {
  if (strstr(output, part) == NULL) fail_msg("'%s' is not in: %s", part, output);
}

#endif
