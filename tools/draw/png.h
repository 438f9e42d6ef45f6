/* Pixels as a PNG in memory. The same pixels give the same bytes. */
#ifndef FOVEA_TOOLS_DRAW_PNG_H
#define FOVEA_TOOLS_DRAW_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* height x width x channels (1 to 4) bytes, together below 2^31, as a PNG, which the caller frees. FOVEA_NO_MEMORY. */
fovea_status png_encode(const uint8_t *pixels, size_t height, size_t width, int channels, uint8_t **png, size_t *size);

#endif
