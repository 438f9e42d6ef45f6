#include "data/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/kind.h"

enum { MAX_SIDE = 16384, DEFLATE_RATIO = 1032, MAX_FILE = 1 << 30 };

/* All that decoding needs lives here and not in locals, which a longjmp would leave undefined. */
typedef struct decoder {
  const char *path;
  uint8_t *bytes; /* the file */
  size_t size, at;
  png_structp png;
  png_infop info;
  uint8_t *interleaved; /* height x width x channels */
  jmp_buf escape;
  char why[160];
  fovea_png_notes *notes;
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

/* Checks the header against what a data set may hold; the first image decides the set's size. */
static fovea_status check_header(const decoder *d, fovea_dataset *set, bool first) {
  uint32_t width = png_get_image_width(d->png, d->info), height = png_get_image_height(d->png, d->info);
  int depth = png_get_bit_depth(d->png, d->info), color = png_get_color_type(d->png, d->info);
  if (png_get_valid(d->png, d->info, PNG_INFO_tRNS) != 0) d->notes->transparent++;
  if (depth != 8 || (color != PNG_COLOR_TYPE_GRAY && color != PNG_COLOR_TYPE_RGB))
    return fovea_fail(FOVEA_INVALID,
                      "'%s' has %d bits and PNG color type %d; expected 8 bits and color type 0 (gray) or 2 (RGB)",
                      d->path, depth, color);
  int channels = color == PNG_COLOR_TYPE_RGB ? 3 : 1;
  if (first) {
    set->channels = channels;
    set->height = (int)height;
    set->width = (int)width;
  } else if (channels != set->channels || height != (uint32_t)set->height || width != (uint32_t)set->width) {
    return fovea_fail(FOVEA_INVALID, "'%s' is %lu x %lu with %d channels; the first image is %d x %d with %d", d->path,
                      (unsigned long)width, (unsigned long)height, channels, set->width, set->height, set->channels);
  }
  if ((uint64_t)width * height * (uint64_t)channels / DEFLATE_RATIO > d->size)
    return fovea_fail(FOVEA_INVALID, "'%s' is said to be %lu x %lu, more than its %zu bytes can hold", d->path,
                      (unsigned long)width, (unsigned long)height, d->size);
  return FOVEA_OK;
}

static fovea_status read_header(decoder *d, fovea_dataset *set, bool first) {
  if (setjmp(d->escape) != 0) return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: %s", d->path, d->why);
  png_set_read_fn(d->png, d, on_read);
  png_set_user_limits(d->png, MAX_SIDE, MAX_SIDE);
  png_set_chunk_malloc_max(d->png, 1 << 20);
  png_read_info(d->png, d->info);
  return check_header(d, set, first);
}

static unsigned exif_number(const uint8_t *p, size_t bytes, bool big) {
  unsigned value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | p[big ? i : bytes - 1 - i];
  return value;
}

/* The orientation in an eXIf chunk, a TIFF directory (Exif 2.32, 4.6.4): 1 is upright, and so is one without. */
static unsigned orientation(const uint8_t *exif, size_t size) {
  enum { ENTRY = 12, ORIENTATION = 0x0112 };
  if (size < 10 || (memcmp(exif, "II*", 4) != 0 && memcmp(exif, "MM\0*", 4) != 0)) return 1;
  const bool big = exif[0] == 'M';
  const size_t at = exif_number(exif + 4, 4, big);
  if (at > size - 2) return 1;
  const unsigned entries = exif_number(exif + at, 2, big);
  for (unsigned i = 0; i < entries; i++) {
    if (at + 2 + (size_t)(i + 1) * ENTRY > size) return 1;
    const uint8_t *entry = exif + at + 2 + (size_t)i * ENTRY;
    if (exif_number(entry, 2, big) == ORIENTATION) return exif_number(entry + 8, 2, big);
  }
  return 1;
}

/* Behind the rows too there may be chunks. */
static void note_orientation(const decoder *d) {
  png_bytep exif = NULL;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(d->png, d->info, &size, &exif) != 0 && orientation(exif, size) != 1) d->notes->turned++;
}

static fovea_status read_rows(decoder *d, const fovea_dataset *set) {
  if (setjmp(d->escape) != 0) return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: %s", d->path, d->why);
  size_t row = (size_t)set->width * (size_t)set->channels;
  int passes = png_set_interlace_handling(d->png);
  png_start_read_image(d->png);
  for (int pass = 0; pass < passes; pass++)
    for (int h = 0; h < set->height; h++) png_read_row(d->png, d->interleaved + (size_t)h * row, NULL);
  png_read_end(d->png, d->info);
  note_orientation(d);
  return FOVEA_OK;
}

static size_t image_size(const fovea_dataset *set) {
  return (size_t)set->channels * (size_t)set->height * (size_t)set->width;
}

/* Moves the image to set->pixels, which the first image allocates for all `count`. */
static fovea_status store(const decoder *d, fovea_dataset *set, size_t n, size_t count) {
  size_t size = image_size(set), channels = (size_t)set->channels, pixels = size / channels;
  if (n == 0) {
    if (size > PTRDIFF_MAX / count || (set->pixels = malloc(size * count)) == NULL)
      return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", count, size);
  }
  uint8_t *to = set->pixels + n * size;
  for (size_t c = 0; c < channels; c++)
    for (size_t p = 0; p < pixels; p++) to[c * pixels + p] = d->interleaved[p * channels + c];
  return FOVEA_OK;
}

/* A message that names the kind of file, where libpng would only say that it is not a PNG. */
static fovea_status check_signature(const decoder *d) {
  const char *kind = fovea_kind_picture(d->bytes, d->size);
  if (d->size == 0) return fovea_fail(FOVEA_INVALID, "'%s' is not a good PNG: it is empty", d->path);
  if (kind == NULL || strcmp(kind, "PNG") == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "'%s' is a %s picture in spite of its name; convert such files (ImageMagick: mogrify -format png "
                    "%s:FILE)",
                    d->path, kind, kind);
}

fovea_status fovea_png_load(const char *path, size_t n, size_t count, fovea_dataset *set, fovea_png_notes *notes) {
  decoder d = {.path = path, .notes = notes};
  fovea_status status = fovea_file_read(path, MAX_FILE, &d.bytes, &d.size);
  if (status == FOVEA_OK) status = check_signature(&d);
  if (status != FOVEA_OK) {
    free(d.bytes);
    return status;
  }
  d.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning);
  if (d.png != NULL) d.info = png_create_info_struct(d.png);
  status = d.info == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path) : read_header(&d, set, n == 0);
  if (status == FOVEA_OK) {
    d.interleaved = calloc(image_size(set), 1);
    status = d.interleaved == NULL
                 ? fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", image_size(set), path)
                 : read_rows(&d, set);
  }
  if (status == FOVEA_OK) status = store(&d, set, n, count);
  png_destroy_read_struct(&d.png, &d.info, NULL);
  free(d.interleaved);
  free(d.bytes);
  return status;
}
