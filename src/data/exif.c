/* How a picture is to be turned: Exif 2.32, 4.6.4, tag 0x0112. */
#include <string.h>

#include "data/picture.h"

static unsigned number(const uint8_t *p, size_t bytes, bool big) {
  unsigned value = 0;
  for (size_t i = 0; i < bytes; i++) value = value << 8 | p[big ? i : bytes - 1 - i];
  return value;
}

int fovea_exif_orientation(const uint8_t *exif, size_t size) {
  enum { ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3, TURNS = 8 };
  if (size < 10 || (memcmp(exif, "II*", 4) != 0 && memcmp(exif, "MM\0*", 4) != 0)) return 1;
  const bool big = exif[0] == 'M';
  const size_t at = number(exif + 4, 4, big);
  if (at > size - 2) return 1;
  const unsigned entries = number(exif + at, 2, big);
  for (unsigned i = 0; i < entries; i++) {
    if (at + 2 + (size_t)(i + 1) * ENTRY > size) return 1;
    const uint8_t *entry = exif + at + 2 + (size_t)i * ENTRY;
    if (number(entry, 2, big) != ORIENTATION) continue;
    const unsigned value = number(entry + 2, 2, big) == SHORT ? number(entry + 8, 2, big) : 1;
    return value >= 1 && value <= TURNS ? (int)value : 1;
  }
  return 1;
}

void fovea_exif_turn(const uint8_t *stored, int width, int height, size_t n, int orientation, uint8_t *upright) {
  const bool sideways = orientation >= 5, right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const int w = sideways ? height : width, h = sideways ? width : height;
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++) {
      const int across = sideways ? y : x, down = sideways ? x : y; /* in what is stored, from a corner of it */
      const int column = right ? width - 1 - across : across, row = bottom ? height - 1 - down : down;
      memcpy(upright, stored + ((size_t)row * (size_t)width + (size_t)column) * n, n);
      upright += n;
    }
}
