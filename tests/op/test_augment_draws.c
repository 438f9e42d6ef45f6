/* How augmentation's draws are distributed: shifts and crops uniform, flips by halves, factors uniform in their ranges,
 * and none of them told by another, by the image's neighbour, or by the epoch before. Of 16384 images, at the 1e-6
 * level; the seeds are fixed, so that what passes once always does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "fovea/network.h"
#include "support/device.h"

/* A pixel's byte says where it was. */
enum { SIDE = 8, HALF = SIDE / 2, SIZE = SIDE * SIDE, MIDDLE = HALF * SIDE + HALF, BATCH = 1024, IMAGES = 16384 };

static uint8_t pixels[BATCH * SIZE];
static float seen[BATCH * SIZE];

/* Of each image: the place, row by row, where its middle pixel came from, and the factor of a byte of 128. */
typedef struct drawn {
  int from[IMAGES];
  double value[IMAGES];
} drawn;

static void draw(const fovea_augmentation *augment, uint64_t seed, uint32_t epoch, bool gray, drawn *d) {
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  const fovea_network_options options = {.batch = BATCH, .seed = seed, .training = true, .augment = *augment};
  OK(fovea_graph_create(&graph));
  const fovea_tensor input = fovea_add_input(graph, 1, SIDE, SIDE);
  fovea_add_sigmoid_bce(
      graph, fovea_add_conv2d(graph, input, "conv", &(fovea_conv2d){.filters = 1, .kernel = 1, .stride = 1}));
  OK(fovea_network_create(device, graph, &options, &network));
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = gray ? 128 : (uint8_t)(i % SIZE);
  for (uint32_t begin = 0; begin < IMAGES; begin += BATCH) {
    uint32_t numbers[BATCH];
    for (uint32_t i = 0; i < BATCH; i++) numbers[i] = begin + i;
    OK(fovea_network_augment(network, pixels, NULL, &(fovea_numbering){numbers, epoch}, BATCH, seen));
    for (uint32_t i = 0; i < BATCH; i++) {
      d->from[begin + i] = (int)lrintf(255 * seen[i * SIZE + MIDDLE]);
      d->value[begin + i] = (double)seen[i * SIZE + MIDDLE] / ((double)128 / 255);
    }
  }
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
}

/* Pearson's statistic of counts that are expected alike must be near its degrees of freedom: by Wilson and Hilferty's
 * cube root, 4.75 deviations above are 1e-6. */
static void alike(const char *what, const int *counts, int cells, int degrees) {
  double total = 0, chi = 0;
  for (int i = 0; i < cells; i++) total += counts[i];
  for (int i = 0; i < cells; i++) chi += pow(counts[i] - total / cells, 2) / (total / cells);
  const double k = degrees, z = (cbrt(chi / k) - (1 - 2 / (9 * k))) / sqrt(2 / (9 * k));
  if (!(fabs(z) < 4.75))
    fail_msg("%s: a statistic of %g with %d degrees of freedom, %g deviations", what, chi, degrees, z);
}

/* Whether two numbers below a and b are each uniform, together: counts[x * b + y]. */
static void uniform_pairs(const char *what, const int *x, const int *y, int a, int b) {
  int counts[4096] = {0};
  assert_true(a * b <= 4096);
  for (int i = 0; i < IMAGES; i++) counts[x[i] * b + y[i]]++;
  alike(what, counts, a * b, a * b - 1);
}

static drawn first, second;
static int x[IMAGES], y[IMAGES], x2[IMAGES], y2[IMAGES];

/* What has moved the middle by how much, each from 0 on; all between 0 and 2 most. */
static void moves(const drawn *d, int most, int *right, int *down) {
  for (int i = 0; i < IMAGES; i++) {
    right[i] = HALF - d->from[i] % SIDE + most, down[i] = HALF - d->from[i] / SIDE + most;
    assert_true(right[i] >= 0 && right[i] <= 2 * most && down[i] >= 0 && down[i] <= 2 * most);
  }
}

static void moved_uniformly(const fovea_augmentation *augment, int most) {
  const int n = 2 * most + 1;
  draw(augment, 768, 0, false, &first);
  draw(augment, 768, 1, false, &second);
  moves(&first, most, x, y);
  moves(&second, most, x2, y2);
  uniform_pairs("to the right and down", x, y, n, n);
  uniform_pairs("in two epochs", x, x2, n, n);
  uniform_pairs("in two epochs, crosswise", y, x2, n, n);
  for (int i = 0; i < IMAGES; i++) x2[i] = x[(i + 1) % IMAGES];
  uniform_pairs("of neighbours", x, x2, n, n);
  draw(augment, 769, 0, false, &second);
  moves(&second, most, x2, y2);
  uniform_pairs("of two seeds", x, x2, n, n);
}

static void shifts_are_uniform(void **state) {
  (void)state;
  moved_uniformly(&(fovea_augmentation){.shift = 3}, 3);
  moved_uniformly(&(fovea_augmentation){.shift = 1, .fill = FOVEA_FILL_BLACK}, 1);
}

static void crops_are_uniform(void **state) {
  (void)state;
  moved_uniformly(&(fovea_augmentation){.crop = 2}, 2);
}

/* Where the middle is seen after a flip: its own column, or the one before, which is the middle's mirror. */
static void flips_are_by_halves(void **state) {
  (void)state;
  draw(&(fovea_augmentation){.flip = FOVEA_FLIP_BOTH}, 768, 0, false, &first);
  draw(&(fovea_augmentation){.flip = FOVEA_FLIP_BOTH}, 768, 1, false, &second);
  for (int i = 0; i < IMAGES; i++) {
    x[i] = first.from[i] % SIDE < HALF, y[i] = first.from[i] / SIDE < HALF, x2[i] = second.from[i] % SIDE < HALF;
    assert_int_equal(first.from[i], (HALF - y[i]) * SIDE + HALF - x[i]);
  }
  uniform_pairs("columns and rows", x, y, 2, 2);
  uniform_pairs("in two epochs", x, x2, 2, 2);
  for (int flip = FOVEA_FLIP_HORIZONTAL; flip <= FOVEA_FLIP_VERTICAL; flip++) {
    draw(&(fovea_augmentation){.flip = (fovea_flip)flip}, 768, 0, false, &second);
    for (int i = 0; i < IMAGES; i++) {
      const bool columns = flip == FOVEA_FLIP_HORIZONTAL && x[i], rows = flip == FOVEA_FLIP_VERTICAL && y[i];
      assert_int_equal(second.from[i], (HALF - rows) * SIDE + HALF - columns);
    }
  }
}

static int ascending(const void *a, const void *b) {
  return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Kolmogorov's and Smirnov's largest distance from uniform in low to high: at 1e-6 it is 2.69 / sqrt(n). */
static void uniform_between(const double *values, double low, double high) {
  static double sorted[IMAGES];
  double distance = 0;
  memcpy(sorted, values, sizeof sorted);
  qsort(sorted, IMAGES, sizeof *sorted, ascending);
  assert_true(sorted[0] > low && sorted[IMAGES - 1] < high);
  for (int i = 0; i < IMAGES; i++) {
    const double at = (sorted[i] - low) / (high - low);
    distance = fmax(distance, fmax(fabs(at - (double)i / IMAGES), fabs(at - (i + 1.0) / IMAGES)));
  }
  if (!(distance < 2.69 / sqrt(IMAGES))) fail_msg("%g from uniform in %g to %g", distance, low, high);
}

/* Of the byte 128, which brightness makes 0.5 f and more, contrast a little over a half. */
static void factors_are_uniform(void **state) {
  (void)state;
  draw(&(fovea_augmentation){.brightness = 0.25}, 768, 0, true, &first);
  uniform_between(first.value, 0.75, 1.25);
  draw(&(fovea_augmentation){.brightness = 0.25}, 768, 1, true, &second);
  for (int i = 0; i < IMAGES; i++) {
    x[i] = (int)((first.value[i] - 0.75) * 16), x2[i] = (int)((second.value[i] - 0.75) * 16);
  }
  uniform_pairs("in two epochs", x, x2, 8, 8);
  draw(&(fovea_augmentation){.contrast = 1}, 768, 0, true, &second);
  for (int i = 0; i < IMAGES; i++) second.value[i] = (second.value[i] * 128 / 255 - 0.5) / (128.0 / 255 - 0.5);
  uniform_between(second.value, -1e-4, 2 + 1e-4);
  for (int i = 0; i < IMAGES; i++) x2[i] = (int)fmin(7, fmax(0, second.value[i] * 4));
  uniform_pairs("brightness and contrast", x, x2, 8, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(shifts_are_uniform), cmocka_unit_test(crops_are_uniform),
                                     cmocka_unit_test(flips_are_by_halves), cmocka_unit_test(factors_are_uniform)};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
