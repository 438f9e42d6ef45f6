#include "net/augment.h"

#include "base/fail.h"

bool fovea_augments(const fovea_augmentation *a) {
  return a->shift != 0 || a->flip != FOVEA_FLIP_NONE || a->crop != 0 || a->contrast != 0 || a->brightness != 0;
}

static fovea_status check_part(const char *what, double part) {
  if (part >= 0 && part <= 1) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "augmentation: %s %g, expected 0 to 1", what, part);
}

fovea_status fovea_augmentation_check(const fovea_augmentation *a, int height, int width) {
  const int side = height < width ? height : width;
  if ((int)a->flip < FOVEA_FLIP_NONE || (int)a->flip > FOVEA_FLIP_BOTH)
    return fovea_fail(FOVEA_INVALID, "augmentation: flip %d is not one of fovea_flip", (int)a->flip);
  if ((int)a->fill < FOVEA_FILL_EDGE || (int)a->fill > FOVEA_FILL_BLACK)
    return fovea_fail(FOVEA_INVALID, "augmentation: fill %d is not one of fovea_fill", (int)a->fill);
  if (a->shift < 0 || a->crop < 0)
    return fovea_fail(FOVEA_INVALID, "augmentation: shift %d, crop %d, expected pixels, 0 or more", a->shift, a->crop);
  if ((a->shift > 0 || a->crop > 0) && (long long)a->shift + a->crop >= side)
    return fovea_fail(FOVEA_INVALID,
                      "augmentation: shift %d and crop %d would move images of %dx%d pixels (height, width) out of "
                      "sight: together they have to be less than %d",
                      a->shift, a->crop, height, width, side);
  const fovea_status status = check_part("contrast", a->contrast);
  return status != FOVEA_OK ? status : check_part("brightness", a->brightness);
}
