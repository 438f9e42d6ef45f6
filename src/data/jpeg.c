/* JPEG by libjpeg-turbo, with the defaults of its djpeg: the slow integer DCT and smooth chroma, which have the same
 * bytes with SIMD and without. */
#include <stdio.h> /* before jpeglib.h, which needs it */

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/picture.h"

/* A progressive file of many scans costs a pass over all coefficients each; encoders write ten. */
enum { MOST_SCANS = 100 };

typedef struct decoder {
  struct jpeg_error_mgr errors; /* first: libjpeg knows no other way back to this */
  struct jpeg_progress_mgr progress;
  struct jpeg_decompress_struct jpeg;
  const char *path;
  const uint8_t *bytes;
  size_t size;
  const fovea_picture_info *seen;
  int width, height;
  uint8_t *stored;
  uint8_t *row; /* of four inks */
  jmp_buf escape;
  char why[JMSG_LENGTH_MAX];
} decoder;

static void on_error(j_common_ptr jpeg) {
  decoder *d = (decoder *)jpeg->err;
  jpeg->err->format_message(jpeg, d->why);
  longjmp(d->escape, 1);
}

/* Warnings are of damage, but for these, of which cameras' files are full. */
static void on_message(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  const bool harmless =
      code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC;
  if (level < 0 && !harmless) on_error(jpeg);
}

static void fail(decoder *d, const char *why) {
  snprintf(d->why, sizeof d->why, "%s", why);
  longjmp(d->escape, 1);
}

static void on_progress(j_common_ptr jpeg) {
  decoder *d = (decoder *)jpeg->err;
  if (d->jpeg.input_scan_number > MOST_SCANS) fail(d, "it has more than 100 scans");
}

/* Four inks, stored as their complement after Adobe's marker. */
static void to_rgb(const decoder *d, uint8_t *rgb) {
  const bool inverted = d->jpeg.saw_Adobe_marker;
  for (int x = 0; x < d->width; x++) {
    const uint8_t *ink = d->row + 4 * (size_t)x;
    const unsigned k = inverted ? ink[3] : 255u - ink[3];
    for (int c = 0; c < 3; c++) {
      const unsigned v = inverted ? ink[c] : 255u - ink[c];
      *rgb++ = (uint8_t)((v * k + 127) / 255);
    }
  }
}

static void read_rows(decoder *d) {
  const size_t row = (size_t)d->width * (size_t)d->seen->channels;
  const bool inks = d->jpeg.out_color_space == JCS_CMYK;
  if (inks && (d->row = malloc(4 * (size_t)d->width)) == NULL) fail(d, "no memory for a row");
  for (int h = 0; h < d->height; h++) {
    uint8_t *to = d->stored + (size_t)h * row;
    JSAMPROW line = inks ? d->row : to;
    jpeg_read_scanlines(&d->jpeg, &line, 1);
    if (inks) to_rgb(d, to);
  }
}

static fovea_status read_all(decoder *d) {
  if (setjmp(d->escape) != 0)
    return fovea_fail(FOVEA_INVALID, "'%s' is not a good JPEG: %s (--skip-bad passes over such files)", d->path,
                      d->why);
  jpeg_create_decompress(&d->jpeg);
  d->jpeg.progress = &d->progress;
  jpeg_mem_src(&d->jpeg, d->bytes, (unsigned long)d->size);
  jpeg_read_header(&d->jpeg, TRUE);
  d->jpeg.out_color_space = d->jpeg.num_components == 1   ? JCS_GRAYSCALE
                            : d->jpeg.num_components == 4 ? JCS_CMYK
                                                          : JCS_RGB;
  const int channels = d->jpeg.num_components == 1 ? 1 : 3;
  if ((int)d->jpeg.image_width != d->width || (int)d->jpeg.image_height != d->height || channels != d->seen->channels)
    fail(d, "its header is another than a moment ago");
  jpeg_start_decompress(&d->jpeg);
  read_rows(d);
  jpeg_finish_decompress(&d->jpeg);
  return FOVEA_OK;
}

fovea_status fovea_jpeg_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                               int width, int height, uint8_t *stored) {
  decoder *d = calloc(1, sizeof *d);
  if (d == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path);
  d->jpeg.err = jpeg_std_error(&d->errors);
  d->errors.error_exit = on_error;
  d->errors.emit_message = on_message;
  d->progress.progress_monitor = on_progress;
  d->path = path;
  d->bytes = bytes;
  d->size = size;
  d->seen = info;
  d->width = width;
  d->height = height;
  d->stored = stored;
  const fovea_status status = read_all(d);
  jpeg_destroy_decompress(&d->jpeg);
  free(d->row);
  free(d);
  return status;
}
