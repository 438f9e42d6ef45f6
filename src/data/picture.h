/* One picture in a file: what it is by its first bytes and its header, and its pixels. PNG by libpng, JPEG by
 * libjpeg-turbo, WebP by libwebp where the build had it; a picture is one by its content, whatever its name. */
#ifndef FOVEA_DATA_PICTURE_H
#define FOVEA_DATA_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

enum { FOVEA_PICTURE_MAX_SIDE = 16384, FOVEA_PICTURE_MAX_FILE = 1 << 30 };

typedef enum fovea_picture_kind {
  FOVEA_NO_PICTURE,
  FOVEA_PICTURE_PNG,
  FOVEA_PICTURE_JPEG,
  FOVEA_PICTURE_WEBP
} fovea_picture_kind;

typedef struct fovea_picture_info {
  fovea_picture_kind kind;
  int width, height;   /* upright */
  int channels;        /* 1 of gray, 3 of colour */
  bool alpha;          /* and one of alpha, or of a transparent colour (PNG's tRNS) */
  bool deep;           /* 16 bits in the file */
  bool inks;           /* a JPEG of four inks, CMYK, which become RGB */
  bool animated;       /* a PNG of several frames, of which the first is taken */
  double black, white; /* which of these become 0 and 255, others in proportion; equal: 0 and 65535, rounded */
  int orientation;     /* of Exif 2.32, 4.6.4: 1 is stored upright, 2 to 8 are turned */
} fovea_picture_info;

/* The header of the regular file at `path`, whose last part is `name`. kind is FOVEA_NO_PICTURE for a file that is none
 * by its content or its name. FOVEA_INVALID, with the path and what to do, for a picture of another kind, one of more
 * than 16384 pixels a side or than its bytes can hold, and a file named like a picture that is none; FOVEA_IO. */
fovea_status fovea_picture_look(const char *path, const char *name, fovea_picture_info *info);

/* Whether the file is named like a picture or is one by its first bytes, good or bad. */
bool fovea_picture_at(const char *dir, const char *name);

/* Its pixels, height x width x (channels + alpha), upright; the caller frees them. *brightest, which may be NULL, is
 * the largest colour in a file of 16 bits, of 65535, and 0 of 8 bits. FOVEA_INVALID when it is damaged, or no longer
 * what fovea_picture_look saw; FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_picture_read(const char *path, const fovea_picture_info *info, uint8_t **pixels,
                                uint16_t *brightest);

/* The decoders: `stored` is height x width x (channels + alpha) as the file has it, before it is turned. */
fovea_status fovea_png_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                              int width, int height, uint8_t *stored, uint16_t *brightest);
fovea_status fovea_jpeg_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                               int width, int height, uint8_t *stored);

fovea_status fovea_webp_decode(const char *path, const uint8_t *bytes, size_t size, const fovea_picture_info *info,
                               int width, int height, uint8_t *stored);

bool fovea_webp_built(void);

/* A file of `size` bytes: get copies n of them from `at`, and says how many there are. */
typedef struct fovea_picture_reader {
  void *of;
  size_t (*get)(void *of, uint64_t at, uint8_t *to, size_t n);
  uint64_t size;
} fovea_picture_reader;

/* The header of a file that begins as a WebP does, as fovea_picture_look. */
fovea_status fovea_webp_look(const char *path, const fovea_picture_reader *reader, fovea_picture_info *info);

/* The orientation in a TIFF directory of Exif; 1 where there is none. */
int fovea_exif_orientation(const uint8_t *exif, size_t size);

/* Turns width x height pixels of `n` bytes upright; of orientations 5 to 8 the result is height wide. */
void fovea_exif_turn(const uint8_t *stored, int width, int height, size_t n, int orientation, uint8_t *upright);

#endif
