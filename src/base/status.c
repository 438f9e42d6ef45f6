#include "fovea/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

enum { MESSAGE_SIZE = 2048 };

static _Thread_local char message[MESSAGE_SIZE];

const char *fovea_error_message(void) { return message; }

void fovea_free(void *memory) { free(memory); }

fovea_status fovea_fail(fovea_status status, const char *format, ...) {
  char next[MESSAGE_SIZE]; /* an argument may be the current message */
  va_list args;
  va_start(args, format);
  vsnprintf(next, sizeof next, format, args);
  va_end(args);
  memcpy(message, next, sizeof message);
  return status;
}

fovea_status fovea_fail_in(fovea_status status, const char *format, ...) {
  char prefix[MESSAGE_SIZE];
  va_list args;
  va_start(args, format);
  vsnprintf(prefix, sizeof prefix, format, args);
  va_end(args);
  return fovea_fail(status, "%.1000s: %.1000s", prefix, message);
}

void fovea_fail_none(void) { message[0] = '\0'; }

fovea_status fovea_fail_unless_said(const char *name, fovea_status status) {
  if (status == FOVEA_OK || message[0] != '\0') return status;
  return fovea_fail(status, "%s failed with status %d and said no more", name, (int)status);
}
