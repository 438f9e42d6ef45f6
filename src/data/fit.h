/* Pictures of any size and channels made those of a set. Whole numbers only, and one rounding: the same bytes on every
 * machine. */
#ifndef FOVEA_DATA_FIT_H
#define FOVEA_DATA_FIT_H

#include "data/picture.h"
#include "fovea/data.h"

/* What the images of a set are. */
typedef struct fovea_target {
  int channels, height, width;
  bool alpha; /* the last channel is alpha, kept as it is */
  fovea_fit fit;
  uint8_t background[3]; /* R, G, B */
} fovea_target;

/* Makes height x width x (channels + alpha) `pixels` of a picture the image `to`, channels x height x width of the
 * target: alpha is laid over the background, unless the target has it; colour made gray is (19595 R + 38470 G + 7471 B)
 * / 65536, rounded (ITU-R 601, as Pillow); then it is resized. FOVEA_NO_MEMORY. */
fovea_status fovea_target_apply(const fovea_target *target, const fovea_picture_info *info, const uint8_t *pixels,
                                uint8_t *to);

/* A part of a picture that is height x width x channels. */
typedef struct fovea_window {
  const uint8_t *pixels;
  int row; /* width of the whole picture */
  int x, y, width, height, channels;
} fovea_window;

/* Resizes the window to width x height, written to the planes at `to`, each `plane` bytes after the other and with rows
 * of `row` bytes. Along each axis, where it shrinks, a pixel is the mean of the area that it covers; where it grows, it
 * is interpolated between the two nearest centres, edges repeated. FOVEA_NO_MEMORY. */
fovea_status fovea_resize(const fovea_window *from, int width, int height, uint8_t *to, size_t row, size_t plane);

#endif
