#include "support/picture.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>

int picture_read(const char *path, picture *out) {
  *out = (picture){0};
  png_image image = {.version = PNG_IMAGE_VERSION};
  if (!png_image_begin_read_from_file(&image, path)) return -1;
  out->channels = (image.format & PNG_FORMAT_FLAG_COLOR) ? 3 : 1;
  out->width = (int)image.width;
  out->height = (int)image.height;
  image.format = PNG_FORMAT_RGB;
  out->pixels = malloc(PNG_IMAGE_SIZE(image));
  if (out->pixels != NULL && png_image_finish_read(&image, NULL, out->pixels, 0, NULL)) return 0;
  png_image_free(&image);
  picture_free(out);
  return -1;
}

void picture_free(picture *p) {
  free(p->pixels);
  *p = (picture){0};
}

unsigned picture_at(const picture *p, int x, int y) {
  const uint8_t *at = p->pixels + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
  return (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
}
