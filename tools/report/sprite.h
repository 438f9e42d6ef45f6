/* Small images of one size side by side in one PNG, of which the page shows one at a time. */
#ifndef FOVEA_TOOLS_REPORT_SPRITE_H
#define FOVEA_TOOLS_REPORT_SPRITE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "draw/grid.h"

/* Images as a network has them, channels x height x width values in [0, 1]; and which channels are shown. */
typedef struct sprite_source {
  int channels, height, width;
  grid_channels shown; /* count 0: as grid.h's NULL */
} sprite_source;

typedef struct sprite {
  sprite_source of;
  int channels, height, width, shrink; /* of a tile; each of its values is the mean of shrink x shrink */
  size_t count, columns;
  uint8_t *pixels;
} sprite;

enum { SPRITE_COLUMNS = 32 };

/* Room for `count` tiles, `columns` a row, shrunk so far that they take at most `most` bytes, at least one pixel each.
 * FOVEA_NO_MEMORY. To be ended by sprite_end, also on failure. */
fovea_status sprite_begin(sprite *s, const sprite_source *of, size_t count, size_t columns, size_t most);
void sprite_end(sprite *s);

/* Image `at`; NaN is black. */
void sprite_put(sprite *s, size_t at, const float *image);

/* Its tile's bytes, a row every `*stride`, for who paints them. */
uint8_t *sprite_tile(const sprite *s, size_t at, size_t *stride);

/* {png: base64, width, height: of a tile, columns, count}, or NULL without memory. */
json_t *sprite_json(const sprite *s);

/* RFC 4648, 4; the caller frees it. NULL without memory. */
char *sprite_base64(const uint8_t *bytes, size_t size);

#endif
