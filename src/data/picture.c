#include "data/picture.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/file.h"

static fovea_status decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                           int width, int height, uint8_t *stored, uint16_t *brightest) {
  if (info->kind == FOVEA_PICTURE_PNG)
    return fovea_png_decode(path, bytes, size, info, width, height, stored, brightest);
  if (info->kind == FOVEA_PICTURE_WEBP) return fovea_webp_decode(path, bytes, size, info, width, height, stored);
  return fovea_jpeg_decode(path, bytes, size, info, width, height, stored);
}

/* Puts what is stored upright, in a block of its own. */
static fovea_status turn(const char *path, const fovea_picture_info *info, int width, int height, size_t n,
                         uint8_t **pixels) {
  if (info->orientation == 1) return FOVEA_OK;
  const size_t size = (size_t)width * (size_t)height * n;
  uint8_t *upright = malloc(size);
  if (upright == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to turn the %zu bytes of '%s'", size, path);
  fovea_exif_turn(*pixels, width, height, n, info->orientation, upright);
  free(*pixels);
  *pixels = upright;
  return FOVEA_OK;
}

fovea_status fovea_picture_read(const char *path, const fovea_picture_info *info, uint8_t **pixels,
                                uint16_t *brightest) {
  const bool sideways = info->orientation >= 5;
  const int width = sideways ? info->height : info->width, height = sideways ? info->width : info->height;
  const size_t n = (size_t)info->channels + info->alpha, size = (size_t)width * (size_t)height * n;
  uint8_t *bytes = NULL, *stored = NULL;
  uint16_t most = 0;
  size_t length = 0;
  fovea_status status = fovea_file_read(path, FOVEA_PICTURE_MAX_FILE, &bytes, &length);
  if (status == FOVEA_OK && (stored = malloc(size)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", size, path);
  if (status == FOVEA_OK) status = decode(path, bytes, length, info, width, height, stored, &most);
  free(bytes);
  if (status == FOVEA_OK) status = turn(path, info, width, height, n, &stored);
  if (status == FOVEA_OK && brightest != NULL) *brightest = most;
  if (status == FOVEA_OK)
    *pixels = stored;
  else
    free(stored);
  return status;
}
