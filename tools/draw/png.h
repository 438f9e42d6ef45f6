/* Pixels as a PNG in memory. The same pixels give the same bytes. */
#ifndef FOVEA_TOOLS_DRAW_PNG_H
#define FOVEA_TOOLS_DRAW_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* What a row's bytes are compressed as: themselves, for flat drawings, or their differences from the pixel before, for
 * images. For each kind one of them is as small as what libpng's trial of all five finds, in a third of the time. */
typedef enum png_kind { PNG_DRAWING, PNG_IMAGES } png_kind;

/* height x width x channels (1 to 4) bytes, each side below 2^31, as a PNG that the caller frees. FOVEA_NO_MEMORY; *png
 * is NULL then. */
fovea_status png_encode(const uint8_t *pixels, size_t height, size_t width, int channels, png_kind kind, uint8_t **png,
                        size_t *size);

#endif
