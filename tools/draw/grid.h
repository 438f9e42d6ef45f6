/* PNG grids of images: originals beside reconstructions, or above what training makes of them, and walks through the
 * latent space.
 *
 * Images are floats in [0, 1], count x channels x height x width; values outside are clamped and 8-bit values are
 * rint(255 x). Which channels are shown is asked for; NULL: of one or two the first as gray, of more the first three.
 * Every value becomes a square of whole pixels, so many that the picture is about 900 pixels wide. The same input gives
 * the same bytes.
 *
 * All return FOVEA_INVALID for no channels and for a shown one that is not there, an empty grid or one too large for a
 * PNG, FOVEA_MISMATCH for a NaN, FOVEA_NO_MEMORY, and FOVEA_IO if the file cannot be written; the path then holds what
 * it held before. */
#ifndef FOVEA_TOOLS_DRAW_GRID_H
#define FOVEA_TOOLS_DRAW_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* One as gray, or three as red, green and blue; counted from 0. */
typedef struct grid_channels {
  int count, of[3];
} grid_channels;

/* Image i and its reconstruction side by side, `pairs_a_row` pairs a row (fewer if count is smaller). */
fovea_status grid_pairs(const char *path, const float *originals, const float *reconstructions, size_t count,
                        int channels, int height, int width, int pairs_a_row, const grid_channels *shown);

/* rows x columns images, row by row, the first row apart from what was made of it below. */
fovea_status grid_variants(const char *path, const float *images, size_t rows, size_t columns, int channels, int height,
                           int width, const grid_channels *shown);

/* Where image `index` of a picture of grid_pairs lies, originals and reconstructions counted in turn: its first pixel,
 * and how many pixels a value has both ways. False where no such picture has that size, or not so many images. */
typedef struct grid_place {
  size_t top, left, scale;
} grid_place;
bool grid_find(size_t picture_height, size_t picture_width, int height, int width, int pairs_a_row, size_t index,
               grid_place *place);

/* rows x columns images, row by row, without gaps. */
fovea_status grid_tiles(const char *path, const float *images, size_t rows, size_t columns, int channels, int height,
                        int width, const grid_channels *shown);

#endif
