/* Resizing by whole numbers.
 *
 * An axis of `in` pixels becomes one of `out`. Pixel i of the result is the sum over k of weight[i][k] * x[k], divided
 * by `total`. Shrinking: i covers i * in to (i + 1) * in where k covers k * out to (k + 1) * out; the weight is what
 * they share, the total is `in`. Growing: the centre of i lies at ((2 i + 1) in - out) / (2 out) of the centres of x;
 * the two next to it are weighted by their nearness, the total is 2 out. Both axes are summed exactly, 255 * 2^15 *
 * 2^15 at most, and divided once, halves rounded up. */
#include <stdlib.h>

#include "base/fail.h"
#include "data/fit.h"

typedef struct taps {
  int first, count;
  uint32_t *weight;
} taps;

typedef struct axis {
  taps *pixel; /* of the result */
  uint32_t *weights, total;
} axis;

static size_t share(taps *t, int in, int out, int i) {
  const int64_t begin = (int64_t)i * in, end = begin + in;
  t->first = (int)(begin / out);
  t->count = (int)((end - 1) / out) - t->first + 1;
  for (int k = 0; k < t->count; k++) {
    const int64_t left = (int64_t)(t->first + k) * out, right = left + out;
    t->weight[k] = (uint32_t)((right < end ? right : end) - (left > begin ? left : begin));
  }
  return (size_t)t->count;
}

static size_t interpolate(taps *t, int in, int out, int i) {
  const int64_t unit = 2 * (int64_t)out, centre = (2 * (int64_t)i + 1) * in - out;
  const int64_t before = centre < 0 ? -1 : centre / unit, past = centre - before * unit;
  const bool edge = before < 0 || before >= in - 1;
  t->first = before < 0 ? 0 : (int)before;
  t->count = edge ? 1 : 2;
  t->weight[0] = (uint32_t)(edge ? unit : unit - past);
  t->weight[1] = (uint32_t)(edge ? 0 : past);
  return 2;
}

/* FOVEA_NO_MEMORY; free both members in either case. */
static fovea_status make_axis(int in, int out, axis *a) {
  const bool grows = out > in;
  *a = (axis){.total = (uint32_t)(grows ? 2 * out : in)};
  a->pixel = calloc((size_t)out, sizeof *a->pixel);
  a->weights = malloc(((size_t)in + 2 * (size_t)out) * sizeof *a->weights);
  if (a->pixel == NULL || a->weights == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to resize a picture");
  uint32_t *weight = a->weights;
  for (int i = 0; i < out; i++) {
    a->pixel[i].weight = weight;
    weight += grows ? interpolate(&a->pixel[i], in, out, i) : share(&a->pixel[i], in, out, i);
  }
  return FOVEA_OK;
}

/* Row y of the window, resized along x: values times across->total. */
static void resize_row(const fovea_window *from, const axis *across, int width, int y, uint32_t *sums) {
  const size_t channels = (size_t)from->channels;
  const uint8_t *row = from->pixels + ((size_t)(from->y + y) * (size_t)from->row + (size_t)from->x) * channels;
  for (int x = 0; x < width; x++) {
    const taps *t = &across->pixel[x];
    for (size_t c = 0; c < channels; c++) {
      uint32_t sum = 0;
      const uint8_t *v = row + (size_t)t->first * channels + c;
      for (int k = 0; k < t->count; k++) sum += t->weight[k] * v[(size_t)k * channels];
      *sums++ = sum;
    }
  }
}

/* Neighbouring rows of the result share one row of the picture at most, which is kept. */
static void resize_all(const fovea_window *from, const axis *across, const axis *down, int width, int height,
                       uint32_t *rows, uint64_t *sums, uint8_t *to, size_t row, size_t plane) {
  const size_t channels = (size_t)from->channels, n = (size_t)width * channels;
  const uint64_t total = (uint64_t)across->total * down->total;
  int kept[2] = {-1, -1};
  for (int y = 0; y < height; y++) {
    const taps *t = &down->pixel[y];
    for (size_t i = 0; i < n; i++) sums[i] = total / 2;
    for (int k = 0; k < t->count; k++) {
      const int line = t->first + k;
      uint32_t *values = rows + (size_t)(line % 2) * n;
      if (kept[line % 2] != line) resize_row(from, across, width, line, values);
      kept[line % 2] = line;
      for (size_t i = 0; i < n; i++) sums[i] += (uint64_t)t->weight[k] * values[i];
    }
    for (size_t x = 0; x < (size_t)width; x++)
      for (size_t c = 0; c < channels; c++)
        to[c * plane + (size_t)y * row + x] = (uint8_t)(sums[x * channels + c] / total);
  }
}

fovea_status fovea_resize(const fovea_window *from, int width, int height, uint8_t *to, size_t row, size_t plane) {
  const size_t n = (size_t)width * (size_t)from->channels;
  axis across, down = {.pixel = NULL};
  fovea_status status = make_axis(from->width, width, &across);
  if (status == FOVEA_OK) status = make_axis(from->height, height, &down);
  uint32_t *rows = malloc(2 * n * sizeof *rows);
  uint64_t *sums = malloc(n * sizeof *sums);
  if (status == FOVEA_OK && (rows == NULL || sums == NULL))
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory to resize a picture");
  if (status == FOVEA_OK) resize_all(from, &across, &down, width, height, rows, sums, to, row, plane);
  free(across.pixel);
  free(across.weights);
  free(down.pixel);
  free(down.weights);
  free(rows);
  free(sums);
  return status;
}
