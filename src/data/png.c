/* PNG by libpng's own transforms: palettes and fewer bits are expanded, 16 bits made 8; gamma and profiles are
 * left alone. */
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/picture.h"

/* All that decoding needs lives here and not in locals, which a longjmp would leave undefined. */
typedef struct decoder {
  const char *path;
  const uint8_t *bytes; /* the file */
  size_t size, at;
  png_structp png;
  png_infop info;
  const fovea_picture_info *seen;
  int width, height;
  uint8_t *deep;       /* the whole picture of 16 bits */
  uint16_t *brightest; /* of them */
  jmp_buf escape;
  char why[160];
} decoder;

static void on_error(png_structp png, png_const_charp message) {
  decoder *d = png_get_error_ptr(png);
  snprintf(d->why, sizeof d->why, "%s", message);
  longjmp(d->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_read(png_structp png, png_bytep to, size_t size) {
  decoder *d = png_get_io_ptr(png);
  if (size > d->size - d->at) png_error(png, "the file ends too early");
  memcpy(to, d->bytes + d->at, size);
  d->at += size;
}

/* An alpha channel of which the file has none (libpng drops a damaged tRNS) is opaque. */
static void add_alpha(const decoder *d, uint8_t *stored) {
  const size_t channels = (size_t)d->seen->channels, n = channels + 1;
  for (size_t p = (size_t)d->width * (size_t)d->height; p-- > 0;) {
    memmove(stored + p * n, stored + p * channels, channels);
    stored[p * n + channels] = 255;
  }
}

/* Of 16 bits, the higher byte first, the range that is asked for, else all, as of alpha. */
static void take_range(const decoder *d, int channels, uint8_t *stored) {
  const bool asked = d->seen->black != d->seen->white;
  const double black = asked ? d->seen->black : 0, scale = asked ? 255 / (d->seen->white - black) : 1.0 / 257;
  const size_t n = (size_t)d->width * (size_t)d->height * (size_t)channels;
  for (size_t i = 0; i < n; i++) {
    const uint16_t x = (uint16_t)(d->deep[2 * i] << 8 | d->deep[2 * i + 1]);
    const bool alpha = (int)(i % (size_t)channels) >= d->seen->channels;
    if (!alpha && x > *d->brightest) *d->brightest = x;
    stored[i] = (uint8_t)fmin(255, fmax(0, (alpha ? x / 257.0 : (x - black) * scale) + 0.5));
  }
}

static void read_rows(decoder *d, uint8_t *stored) {
  const int channels = png_get_channels(d->png, d->info), expected = d->seen->channels + d->seen->alpha;
  const bool deep = d->seen->deep;
  const size_t row = (size_t)d->width * (size_t)channels * (deep ? 2 : 1);
  if ((int)png_get_image_width(d->png, d->info) != d->width ||
      (int)png_get_image_height(d->png, d->info) != d->height ||
      png_get_bit_depth(d->png, d->info) != (deep ? 16 : 8) || channels > expected || channels < d->seen->channels ||
      png_get_rowbytes(d->png, d->info) != row)
    png_error(d->png, "its header is another than a moment ago");
  if (deep && (d->deep = malloc(row * (size_t)d->height)) == NULL) png_error(d->png, "no memory for its 16 bits");
  uint8_t *const rows = deep ? d->deep : stored;
  for (int pass = png_set_interlace_handling(d->png); pass > 0; pass--)
    for (int h = 0; h < d->height; h++) png_read_row(d->png, rows + (size_t)h * row, NULL);
  png_read_end(d->png, NULL);
  if (deep) take_range(d, channels, stored);
  if (channels < expected) add_alpha(d, stored);
}

static fovea_status read_all(decoder *d, uint8_t *stored) {
  if (setjmp(d->escape) != 0)
    return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: %s (--skip-bad passes over such files)", d->path, d->why);
  png_set_read_fn(d->png, d, on_read);
  png_set_user_limits(d->png, FOVEA_PICTURE_MAX_SIDE, FOVEA_PICTURE_MAX_SIDE);
  png_set_chunk_malloc_max(d->png, 1 << 20);
  png_read_info(d->png, d->info);
  png_set_expand(d->png);
  png_set_interlace_handling(d->png);
  png_read_update_info(d->png, d->info);
  read_rows(d, stored);
  return FOVEA_OK;
}

fovea_status fovea_png_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                              int width, int height, uint8_t *stored, uint16_t *brightest) {
  decoder d = {.path = path, .bytes = bytes, .size = size, .seen = info, .width = width, .height = height};
  d.brightest = brightest;
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
  if (d.png != NULL) d.info = png_create_info_struct(d.png);
  fovea_status status =
      d.info == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path) : read_all(&d, stored);
  png_destroy_read_struct(&d.png, &d.info, NULL);
  free(d.deep);
  return status;
}
