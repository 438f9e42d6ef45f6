/* Text that grows. After a failed allocation it stays as it is, and `failed` is set. */
#ifndef FOVEA_STATS_TEXT_H
#define FOVEA_STATS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct fovea_text {
  char *bytes; /* NULL, or ending in a zero byte; the owner frees them */
  size_t size, room;
  bool failed;
} fovea_text;

void fovea_text_put(fovea_text *t, const char *bytes, size_t count);
void fovea_text_add(fovea_text *t, const char *s);
void fovea_text_repeat(fovea_text *t, char c, size_t count);

/* As printf, at most 255 bytes. */
void fovea_text_print(fovea_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `s`, and blanks up to `width` code points; to the right, the blanks come first. */
void fovea_text_pad(fovea_text *t, const char *s, size_t width, bool right);

/* Python pads by code points: bytes that do not continue one. */
size_t fovea_code_points(const char *s);

#endif
