#include "report/sprite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "draw/png.h"

char *sprite_base64(const uint8_t *bytes, size_t size) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = malloc((size + 2) / 3 * 4 + 1), *to = text;
  if (!text) return NULL;
  for (size_t i = 0; i < size; i += 3) {
    const size_t left = size - i;
    const uint32_t three =
        (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    *to++ = digits[three >> 18];
    *to++ = digits[three >> 12 & 63];
    *to++ = digits[three >> 6 & 63];
    *to++ = digits[three & 63];
    if (left < 3) to[-1] = '=';
    if (left < 2) to[-2] = '=';
  }
  *to = 0;
  return text;
}

/* --- tiles ------------------------------------------------------------------------------------------------------- */

static void choose_channels(sprite *s) {
  if (s->of.shown.count == 0) s->of.shown = (grid_channels){s->of.channels >= 3 ? 3 : 1, {0, 1, 2}};
  s->channels = s->of.shown.count;
}

fovea_status sprite_begin(sprite *s, const sprite_source *of, size_t count, size_t columns, size_t most) {
  *s = (sprite){.of = *of, .count = count, .columns = count < columns ? count : columns};
  choose_channels(s);
  size_t bytes = 0;
  do {
    s->shrink++;
    s->height = (of->height + s->shrink - 1) / s->shrink;
    s->width = (of->width + s->shrink - 1) / s->shrink;
    bytes = (count + s->columns - 1) / s->columns * s->columns * (size_t)(s->height * s->width * s->channels);
  } while (bytes > most && (s->height > 1 || s->width > 1));
  s->pixels = calloc(bytes > 0 ? bytes : 1, 1);
  return s->pixels ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of a report", count);
}

void sprite_end(sprite *s) {
  free(s->pixels);
  *s = (sprite){0};
}

uint8_t *sprite_tile(const sprite *s, size_t at, size_t *stride) {
  const size_t tile = (size_t)(s->width * s->channels);
  *stride = s->columns * tile;
  return s->pixels + at / s->columns * (size_t)s->height * *stride + at % s->columns * tile;
}

/* The mean of the values of a tile's pixel that the image has. */
static float mean_of(const sprite *s, const float *channel, int row, int column) {
  const int bottom = (row + 1) * s->shrink, right = (column + 1) * s->shrink;
  float sum = 0;
  int values = 0;
  for (int y = row * s->shrink; y < bottom && y < s->of.height; y++)
    for (int x = column * s->shrink; x < right && x < s->of.width; x++, values++) sum += channel[y * s->of.width + x];
  return sum / (float)values;
}

void sprite_put(sprite *s, size_t at, const float *image) {
  size_t stride;
  uint8_t *tile = sprite_tile(s, at, &stride);
  for (int k = 0; k < s->channels; k++) {
    const float *channel = image + (ptrdiff_t)s->of.shown.of[k] * s->of.height * s->of.width;
    for (int row = 0; row < s->height; row++)
      for (int column = 0; column < s->width; column++)
        tile[(size_t)row * stride + (size_t)(column * s->channels + k)] =
            (uint8_t)lrintf(255 * fminf(fmaxf(mean_of(s, channel, row, column), 0), 1));
  }
}

json_t *sprite_json(const sprite *s) {
  const size_t rows = (s->count + s->columns - 1) / s->columns;
  uint8_t *png = NULL;
  size_t size = 0;
  if (png_encode(s->pixels, rows * (size_t)s->height, s->columns * (size_t)s->width, s->channels, &png, &size) !=
      FOVEA_OK)
    return NULL;
  char *text = sprite_base64(png, size);
  json_t *json = text ? json_pack("{s:s,s:i,s:i,s:I,s:I}", "png", text, "width", s->width, "height", s->height,
                                  "columns", (json_int_t)s->columns, "count", (json_int_t)s->count)
                      : NULL;
  free(text);
  free(png);
  return json;
}
