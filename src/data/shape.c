/* Which of an array's dimensions are height, width and channels. */
#include <math.h>

#include "base/fail.h"
#include "data/source.h"

enum { MOST_SIDE = 65535, MOST_COLOURS = 4, MOST_NUMBERS = 1 << 30 };

/* The whole root, or 0. */
static size_t root(size_t n) {
  const size_t r = (size_t)(sqrt((double)n) + 0.5);
  return r * r == n ? r : 0;
}

/* A row of numbers: --size, or a square. */
static fovea_status shape_of_row(const char *name, size_t n, const fovea_load_options *o, fovea_data_report *report,
                                 fovea_shape *s) {
  if (n > MOST_NUMBERS)
    return fovea_fail(FOVEA_INVALID, "%s has %zu numbers an image, at most %zu are expected", name, n,
                      (size_t)MOST_NUMBERS);
  const size_t pixels = (size_t)o->height * (size_t)o->width, gray = root(n), rgb = n % 3 == 0 ? root(n / 3) : 0;
  if (pixels > 0 && n % pixels != 0)
    return fovea_fail(FOVEA_INVALID, "%s has %zu numbers an image, which is no image of --size %dx%d", name, n,
                      o->height, o->width);
  if (pixels == 0 && gray == 0 && rgb == 0)
    return fovea_fail(FOVEA_INVALID,
                      "%s has %zu numbers an image, which is no square; --size HEIGHTxWIDTH says what it is", name, n);
  const size_t side = gray > 0 ? gray : rgb;
  s->height = pixels > 0 ? o->height : (int)side;
  s->width = pixels > 0 ? o->width : (int)side;
  s->channels = (int)(n / ((size_t)s->height * (size_t)s->width));
  s->channels_last = o->layout == FOVEA_LAYOUT_NHWC;
  if (s->channels > 1 && o->layout == FOVEA_LAYOUT_BY_SHAPE)
    return fovea_fail(FOVEA_INVALID,
                      "%s has %zu numbers an image, %d channels of %dx%d: --layout nchw if one channel comes after the "
                      "other, --layout nhwc if one pixel does",
                      name, n, s->channels, s->height, s->width);
  return fovea_report_remark(report, "%s has %zu numbers an image: taken as %dx%d%s", name, n, s->height, s->width,
                             pixels > 0 ? "" : ", a square");
}

static fovea_status shape_of_three(const char *name, const int d[3], const fovea_load_options *o,
                                   fovea_data_report *report, fovea_shape *s) {
  const bool first_few = d[0] <= MOST_COLOURS, last_few = d[2] <= MOST_COLOURS;
  s->channels_last = o->layout == FOVEA_LAYOUT_BY_SHAPE ? last_few || !first_few : o->layout == FOVEA_LAYOUT_NHWC;
  s->channels = s->channels_last ? d[2] : d[0];
  s->height = s->channels_last ? d[0] : d[1];
  s->width = s->channels_last ? d[1] : d[2];
  if (o->layout != FOVEA_LAYOUT_BY_SHAPE || (last_few && !first_few)) return FOVEA_OK;
  return fovea_report_remark(
      report, "%s is %d x %d x %d an image: %s (%d channels of %dx%d)%s", name, d[0], d[1], d[2],
      !s->channels_last ? "taken as channels, height, width" : "taken as height, width, channels, which may be wrong",
      s->channels, s->height, s->width, s->channels_last ? "; --layout nchw is the other way" : "");
}

static fovea_status turn(const char *name, const fovea_load_options *o, fovea_data_report *report, fovea_shape *s) {
  const int height = s->height;
  s->transposed = o->transpose;
  if (!o->transpose) return FOVEA_OK;
  s->height = s->width;
  s->width = height;
  return fovea_report_remark(report, "%s: rows and columns of each image are exchanged", name);
}

fovea_status fovea_shape_find(const char *name, const size_t *dims, int rank, const fovea_load_options *o,
                              fovea_data_report *report, fovea_shape *s) {
  int d[3] = {1, 1, 1};
  *s = (fovea_shape){.channels = 1};
  if (rank < 1 || rank > 3)
    return fovea_fail(FOVEA_INVALID, "%s has %d dimensions; images have 2 to 4: number, height, width, channels", name,
                      rank + 1);
  for (int i = 0; i < rank; i++) {
    if (dims[i] > MOST_SIDE && rank > 1)
      return fovea_fail(FOVEA_INVALID, "%s: dimension %d is %zu, at most %d is expected", name, i + 2, dims[i],
                        MOST_SIDE);
    d[i] = rank > 1 ? (int)dims[i] : 1;
  }
  s->height = d[0];
  s->width = d[1];
  fovea_status status = FOVEA_OK;
  if (rank == 1) status = shape_of_row(name, dims[0], o, report, s);
  if (rank == 3) status = shape_of_three(name, d, o, report, s);
  if (status == FOVEA_OK && (s->height > MOST_SIDE || s->width > MOST_SIDE || s->channels > MOST_SIDE))
    status = fovea_fail(FOVEA_INVALID, "%s: %d channels of %dx%d, at most %d of each are expected", name, s->channels,
                        s->height, s->width, MOST_SIDE);
  return status == FOVEA_OK ? turn(name, o, report, s) : status;
}

size_t fovea_shape_place(const fovea_shape *s, size_t i) {
  const size_t width = (size_t)s->width, height = (size_t)s->height, pixels = height * width;
  const size_t c = i / pixels, p = i % pixels;
  const size_t stored = s->transposed ? p % width * height + p / width : p;
  return s->channels_last ? stored * (size_t)s->channels + c : c * pixels + stored;
}
