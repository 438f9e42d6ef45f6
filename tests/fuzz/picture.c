/* A picture of any bytes: looked at, read, made 7 x 5. Refused or taken, never a crash, a leak or a hang. */
#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/fit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Larger ones are slow and no other: a blank WebP of 1000 x 1000, 86 bytes, took a second. */
enum { MOST_PIXELS = 1 << 18 };

static void make_image(const char *path, const fovea_picture_info *picture) {
  const fovea_picture_info info = *picture;
  uint8_t *pixels = NULL, image[4 * 7 * 5];
  if (fovea_picture_read(path, &info, &pixels, NULL) != FOVEA_OK) return;
  for (int fit = FOVEA_FIT_CROP; fit <= FOVEA_FIT_STRETCH; fit++) {
    const fovea_target target = {3, 5, 7, false, (fovea_fit)fit, {1, 2, 3}};
    if (fovea_target_apply(&target, &info, pixels, image) != FOVEA_OK) abort();
  }
  free(pixels);
}

static void try_picture(const char *path) {
  fovea_picture_info info;
  if (fovea_picture_look(path, "x.png", &info) != FOVEA_OK || info.kind == FOVEA_NO_PICTURE) return;
  if ((int64_t)info.width * info.height > MOST_PIXELS) return;
  make_image(path, &info);
  info.black = 100;
  info.white = 4095;
  if (info.deep) make_image(path, &info);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char path[64];
  const int file = memfd_create("picture", MFD_CLOEXEC);
  if (file < 0 || write(file, data, size) != (ssize_t)size) abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  try_picture(path);
  close(file);
  return 0;
}
