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

/* The command, with an environment before it, ends with this exit code and says `message` among other things. */
#define ENDS_IN(environment, code, message, ...)                                                 \
  do {                                                                                           \
    char arguments_[4096];                                                                       \
    snprintf(arguments_, sizeof arguments_, __VA_ARGS__);                                        \
    int code_ = process_fovea(environment, arguments_, output, sizeof output);                   \
    if (code_ != (code)) fail_msg("%s:%d: exit code %d: %s", __FILE__, __LINE__, code_, output); \
    assert_output(message);                                                                      \
  } while (0)
#define ENDS(code, message, ...) ENDS_IN("", code, message, __VA_ARGS__)

/* "DIR/NAME", until the eighth call after it. */
static inline const char *in(const char *dir, const char *name) {
  static char paths[8][1400];
  static size_t next;
  char *path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", dir, name);
  return path;
}

#endif
