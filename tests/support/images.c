#include "support/images.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/tempdir.h"

enum { SIDE = 64 };

void image_png(const char *name, int side, int channels, uint8_t first) {
  uint8_t pixels[SIDE * SIDE * 3];
  png_image image = {.version = PNG_IMAGE_VERSION, .width = (png_uint_32)side, .height = (png_uint_32)side};
  image.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  if (side > SIDE) abort();
  for (int i = 0; i < side * side * channels; i++) pixels[i] = (uint8_t)(first + i);
  const char *path = temp_file(name, "", 0);
  if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL) == 0) abort();
}

void image_pngs(const char *folder, const char *prefix, int count, int side) {
  char name[256];
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "%s/%s%d.png", folder, prefix, i);
    image_png(name, side, 1, (uint8_t)(10 * i));
  }
}

void image_idx(const char *name, int rank, const uint32_t *dims, unsigned modulus) {
  size_t size = 1;
  for (int i = 0; i < rank; i++) size *= dims[i];
  const size_t header = 4 + 4 * (size_t)rank;
  uint8_t *bytes = calloc(header + size, 1);
  if (bytes == NULL) abort();
  bytes[2] = 8;
  bytes[3] = (uint8_t)rank;
  for (int i = 0; i < 4 * rank; i++) bytes[4 + i] = (uint8_t)(dims[i / 4] >> (24 - 8 * (i % 4)));
  for (size_t i = 0; i < size; i++) bytes[header + i] = (uint8_t)(i % modulus);
  temp_file(name, bytes, header + size);
  free(bytes);
}

void image_sets(char dir[1024], const char *name, int train, int test, int side, int salt) {
  static const char *const files[] = {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"};
  const int counts[] = {train, test}, pixels = side * side;
  for (int split = 0; split < 2; split++) {
    const size_t size = 16 + (size_t)(counts[split] * pixels);
    uint8_t *bytes = calloc(size, 1);
    char path[256];
    if (bytes == NULL) abort();
    bytes[2] = 8, bytes[3] = 3;
    bytes[7] = (uint8_t)counts[split], bytes[11] = bytes[15] = (uint8_t)side;
    for (int i = 0; i < counts[split] * pixels; i++)
      bytes[16 + i] = (uint8_t)((i / pixels + 3 + salt) * (i % pixels + 1) * 37 % 251);
    snprintf(path, sizeof path, "%s/%s", name, files[split]);
    temp_file(path, bytes, size);
    free(bytes);
  }
  snprintf(dir, 1024, "%s", temp_path(name));
}
