#include "data/fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static uint8_t gray_of(const uint8_t *rgb) {
  return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

static uint8_t over(uint8_t value, uint8_t alpha, uint8_t background) {
  return (uint8_t)((value * (unsigned)alpha + background * (255u - alpha) + 127u) / 255u);
}

/* One pixel of a picture as one of the target; `gray` is the background's. */
static void convert(const fovea_target *s, const fovea_picture_info *info, uint8_t gray, const uint8_t *from,
                    uint8_t *to) {
  const int colours = s->channels - s->alpha;
  uint8_t mixed[3] = {from[0], from[info->channels == 3 ? 1 : 0], from[info->channels == 3 ? 2 : 0]};
  if (info->alpha && !s->alpha)
    for (int c = 0; c < 3; c++) {
      const bool stays_gray = info->channels == 1 && colours == 1;
      mixed[c] = over(mixed[c], from[info->channels], stays_gray ? gray : s->background[c]);
    }
  if (colours == 3)
    memcpy(to, mixed, 3);
  else
    to[0] = info->channels == 3 ? gray_of(mixed) : mixed[0];
  if (s->alpha) to[colours] = from[info->channels];
}

/* The part of the picture that is seen, and where of the image it goes, by the fit. */
static void place(const fovea_target *s, fovea_window *seen, int *x, int *y, int *width, int *height) {
  const int64_t across = (int64_t)seen->width * s->height, down = (int64_t)seen->height * s->width;
  *width = s->width;
  *height = s->height;
  if (s->fit == FOVEA_FIT_CROP && across > down) {
    const int width_seen = (int)((2 * down + s->height) / (2 * (int64_t)s->height));
    seen->x = (seen->width - width_seen) / 2;
    seen->width = width_seen;
  } else if (s->fit == FOVEA_FIT_CROP && across < down) {
    const int height_seen = (int)((2 * across + s->width) / (2 * (int64_t)s->width));
    seen->y = (seen->height - height_seen) / 2;
    seen->height = height_seen;
  } else if (s->fit == FOVEA_FIT_PAD && across > down) {
    *height = (int)((2 * down + seen->width) / (2 * (int64_t)seen->width));
  } else if (s->fit == FOVEA_FIT_PAD && across < down) {
    *width = (int)((2 * across + seen->height) / (2 * (int64_t)seen->height));
  }
  if (seen->width < 1) seen->width = 1; /* of a picture that is a line */
  if (seen->height < 1) seen->height = 1;
  if (*width < 1) *width = 1;
  if (*height < 1) *height = 1;
  *x = (s->width - *width) / 2;
  *y = (s->height - *height) / 2;
}

static void fill(const fovea_target *s, uint8_t gray, uint8_t *to) {
  const size_t plane = (size_t)s->height * (size_t)s->width;
  const int colours = s->channels - s->alpha;
  for (int c = 0; c < s->channels; c++)
    memset(to + (size_t)c * plane, c == colours ? 0 : colours == 1 ? gray : s->background[c], plane);
}

fovea_status fovea_target_apply(const fovea_target *s, const fovea_picture_info *info, const uint8_t *pixels,
                                uint8_t *to) {
  const size_t count = (size_t)info->width * (size_t)info->height, n = (size_t)info->channels + info->alpha;
  const size_t channels = (size_t)s->channels, row = (size_t)s->width, plane = row * (size_t)s->height;
  const uint8_t gray = gray_of(s->background);
  uint8_t *converted = calloc(count, channels);
  if (converted == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a picture of %zu pixels", count);
  for (size_t p = 0; p < count; p++) convert(s, info, gray, pixels + p * n, converted + p * channels);
  fovea_window seen = {converted, info->width, 0, 0, info->width, info->height, s->channels};
  int x, y, width, height;
  place(s, &seen, &x, &y, &width, &height);
  fovea_status status = FOVEA_OK;
  if (width != s->width || height != s->height) fill(s, gray, to);
  if (seen.width == width && seen.height == height) {
    for (size_t c = 0; c < channels; c++)
      for (int h = 0; h < height; h++)
        for (int w = 0; w < width; w++)
          to[c * plane + (size_t)(y + h) * row + (size_t)(x + w)] =
              converted[((size_t)(seen.y + h) * (size_t)seen.row + (size_t)(seen.x + w)) * channels + c];
  } else {
    status = fovea_resize(&seen, width, height, to + (size_t)y * row + (size_t)x, row, plane);
  }
  free(converted);
  return status;
}
