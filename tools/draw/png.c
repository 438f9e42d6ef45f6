#include "draw/png.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/fail.h"

/* stb_image_write's own compression does not survive an allocation that fails: it asserts, or writes to NULL. */
static unsigned char *compress_bytes(unsigned char *data, int size, int *compressed_size, int level) {
  uLongf length = compressBound((uLong)size);
  unsigned char *compressed = length <= INT_MAX ? malloc(length) : NULL;
  if (compressed && compress2(compressed, &length, data, (uLong)size, level) != Z_OK) {
    free(compressed);
    compressed = NULL;
  }
  *compressed_size = (int)length;
  return compressed;
}

#define STBIW_ZLIB_COMPRESS compress_bytes
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

/* Neither drawings nor images that are scaled up gain by a filter: stb's trial of all, by row, saves a fifth of some
 * and costs another of others. */
static void set_filter(void) {
  stbi_write_force_png_filter = 0;
  stbi_write_png_compression_level = 6;
}

fovea_status png_encode(const uint8_t *pixels, size_t height, size_t width, int channels, uint8_t **png, size_t *size) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int length = 0;
  (void)pthread_once(&once, set_filter);
  *png = stbi_write_png_to_mem(pixels, 0, (int)width, (int)height, channels, &length);
  *size = (size_t)length;
  if (*png) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory to compress %zu x %zu pixels", width, height);
}
