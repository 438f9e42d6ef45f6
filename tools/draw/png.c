#include "draw/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/fail.h"

/* All that encoding needs lives here and not in locals, which a longjmp would leave undefined. */
typedef struct encoder {
  png_structp png;
  png_infop info;
  uint8_t *data;
  size_t size, capacity;
  jmp_buf escape;
} encoder;

static void on_error(png_structp png, png_const_charp message) {
  (void)message;
  encoder *e = png_get_error_ptr(png);
  longjmp(e->escape, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

static void on_write(png_structp png, png_bytep data, size_t size) {
  encoder *e = png_get_io_ptr(png);
  if (size > e->capacity - e->size) {
    const size_t capacity = 2 * (e->size + size);
    uint8_t *grown = realloc(e->data, capacity);
    if (grown == NULL) png_error(png, "no memory");
    e->data = grown;
    e->capacity = capacity;
  }
  memcpy(e->data + e->size, data, size);
  e->size += size;
}

static void on_flush(png_structp png) { (void)png; }

static fovea_status encode(encoder *e, const uint8_t *pixels, size_t height, size_t width, int channels,
                           png_kind kind) {
  static const int colours[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(e->escape) != 0)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to compress %zu x %zu pixels", width, height);
  png_set_write_fn(e->png, e, on_write, on_flush);
  png_set_user_limits(e->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_filter(e->png, PNG_FILTER_TYPE_BASE, kind == PNG_DRAWING ? PNG_FILTER_NONE : PNG_FILTER_SUB);
  png_set_compression_strategy(e->png, kind == PNG_DRAWING ? Z_DEFAULT_STRATEGY : Z_FILTERED);
  png_set_IHDR(e->png, e->info, (png_uint_32)width, (png_uint_32)height, 8, colours[channels - 1], PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(e->png, e->info);
  for (size_t h = 0; h < height; h++) png_write_row(e->png, pixels + h * width * (size_t)channels);
  png_write_end(e->png, NULL);
  return FOVEA_OK;
}

fovea_status png_encode(const uint8_t *pixels, size_t height, size_t width, int channels, png_kind kind, uint8_t **png,
                        size_t *size) {
  encoder e = {0};
  e.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &e, on_error, on_warning);
  if (e.png != NULL) e.info = png_create_info_struct(e.png);
  const fovea_status status = e.info == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to compress a picture")
                                             : encode(&e, pixels, height, width, channels, kind);
  png_destroy_write_struct(&e.png, &e.info);
  if (status != FOVEA_OK) free(e.data);
  *png = status == FOVEA_OK ? e.data : NULL;
  *size = e.size;
  return status;
}
