#include "stats/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fovea_text_put(fovea_text *t, const char *bytes, size_t count) {
  if (t->failed) return;
  if (t->size + count + 1 > t->room) {
    size_t room = 2 * (t->size + count + 1);
    char *more = realloc(t->bytes, room);
    if (!more) {
      t->failed = true;
      return;
    }
    t->bytes = more;
    t->room = room;
  }
  memcpy(t->bytes + t->size, bytes, count);
  t->size += count;
  t->bytes[t->size] = 0;
}

void fovea_text_add(fovea_text *t, const char *s) { fovea_text_put(t, s, strlen(s)); }

void fovea_text_repeat(fovea_text *t, char c, size_t count) {
  for (size_t i = 0; i < count; i++) fovea_text_put(t, &c, 1);
}

void fovea_text_print(fovea_text *t, const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  fovea_text_add(t, line);
}

size_t fovea_code_points(const char *s) {
  size_t count = 0;
  for (; *s; s++) count += ((unsigned char)*s & 0xc0) != 0x80;
  return count;
}

void fovea_text_pad(fovea_text *t, const char *s, size_t width, bool right) {
  const size_t used = fovea_code_points(s), blank = used < width ? width - used : 0;
  if (right) fovea_text_repeat(t, ' ', blank);
  fovea_text_add(t, s);
  if (!right) fovea_text_repeat(t, ' ', blank);
}
