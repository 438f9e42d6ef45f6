/* A PNG decoded to 8-bit RGB by libpng, which the writers under test do not use. */
#ifndef FOVEA_TESTS_PICTURE_H
#define FOVEA_TESTS_PICTURE_H

#include <stdint.h>

typedef struct picture {
  int width, height, channels; /* channels: of the file, 1 or 3; the pixels are RGB either way */
  uint8_t *pixels;
} picture;

/* Returns 0, or -1 if `path` is not a PNG. Frees nothing: end with picture_free. */
int picture_read(const char *path, picture *out);
void picture_free(picture *p); /* takes a zeroed picture */

/* 0xRRGGBB */
unsigned picture_at(const picture *p, int x, int y);

#endif
