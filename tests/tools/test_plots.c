/* What can be said of a plot without knowing every pixel: its colours are where the numbers put them, the same input
 * gives the same bytes, and each failure has its status and leaves no file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "draw/effects.h"
#include "draw/legend.h"
#include "draw/plots.h"
#include "support/picture.h"

enum { TRAIN = 0x3f90da, TEST = 0xe76300, SECOND_LABEL = 0xffa90e, WEAK = 0x94a4a2 };

/* Fontconfig loses a few blocks when it starts: about 1 KB, no matter how many plots follow. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libfontconfig"; }

static char folder[] = "/tmp/fovea-plots-XXXXXX";
static char path[64], nowhere[64];

static int make_folder(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/plot.png", folder);
  snprintf(nowhere, sizeof nowhere, "%s/none/plot.png", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder); /* fails, and so does the test, if a file was left behind */
}

static int remove_file(void **state) {
  (void)state;
  unlink(path);
  return 0;
}

static void assert_nothing_left(void) {
  DIR *d = opendir(folder);
  assert_non_null(d);
  for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) assert_int_equal(e->d_name[0], '.');
  closedir(d);
}

static picture read_plot(void) {
  picture p;
  assert_int_equal(picture_read(path, &p), 0);
  return p;
}

static bool near(unsigned a, unsigned b) { /* a dot is a little translucent */
  for (int shift = 0; shift < 24; shift += 8)
    if (abs((int)(a >> shift & 255) - (int)(b >> shift & 255)) > 30) return false;
  return true;
}

typedef struct blob {
  double x, y; /* centre */
  int width, pixels;
} blob;

/* Runs of columns that hold the colour, left to right: returns how many, the first `room` of them in `blobs`. */
static int find_blobs(const picture *p, unsigned rgb, blob *blobs, int room) {
  int found = 0, last = -10, first = 0;
  double x_sum = 0, y_sum = 0, pixels = 0;
  for (int x = 0; x <= p->width + 10; x++) {
    int here = 0;
    for (int y = 0; x < p->width && y < p->height; y++)
      if (near(picture_at(p, x, y), rgb)) {
        here++;
        x_sum += x;
        y_sum += y;
      }
    if (here > 0 && pixels == 0) first = x;
    if (here > 0) last = x;
    pixels += here;
    if (here == 0 && x - last == 3 && pixels > 0) {
      if (found < room) blobs[found] = (blob){x_sum / pixels, y_sum / pixels, last - first + 1, (int)pixels};
      found++;
      x_sum = y_sum = pixels = 0;
    }
  }
  return found;
}

/* Nothing is clipped: the margin, 18 points of 2 pixels, is white all around. */
static void assert_margin(const picture *p) {
  for (int y = 0; y < p->height; y++)
    for (int x = 0; x < p->width; x++)
      if (x < 34 || y < 34 || x >= p->width - 34 || y >= p->height - 34) {
        if (picture_at(p, x, y) != 0xffffff) fail_msg("ink in the margin, at (%d, %d)", x, y);
      }
}

static void assert_distance(double from, double to, double expected) {
  if (!(fabs(to - from - expected) <= 1)) fail_msg("from %.2f to %.2f, expected %.2f apart", from, to, expected);
}

/* The codes span 10 elevenths of 700 pixels: 5 % room on each side. */
static void latent_points(void **state) {
  (void)state;
  const plot_point train[] = {{-1, 10, 0}, {3, 20, 1}, {NAN, 0, 0}, {0, INFINITY, 1}}, test[] = {{1, 15, 0}};
  assert_int_equal(plot_latent(path, "codes", train, 4, test, 1, NULL), FOVEA_OK);
  picture p = read_plot();
  blob blue[3], orange[2];
  assert_int_equal(find_blobs(&p, TRAIN, blue, 3), 3); /* train, test, legend */
  assert_int_equal(find_blobs(&p, SECOND_LABEL, orange, 2), 2);
  assert_distance(blue[0].x, orange[0].x, 700 / 1.1);
  assert_distance(orange[0].y, blue[0].y, 700 / 1.1);
  assert_distance(blue[1].y, blue[0].y, 350 / 1.1); /* the panels share their axes */
  assert_distance(blue[2].x, orange[1].x, 0);
  assert_margin(&p);
  picture_free(&p);
}

static void curves_lines(void **state) {
  (void)state;
  const plot_epoch epochs[] = {{1, 4, 3, 9, 4, 3, 9}, {2, 2, 1, 5, 2, 1, 5}, {3, 3, 2, 7, NAN, NAN, NAN}};
  assert_int_equal(plot_curves(path, "curves", epochs, 3), FOVEA_OK);
  picture p = read_plot();
  blob blue[3];
  assert_int_equal(find_blobs(&p, TRAIN, blue, 3),
                   3); /* where the test has no third epoch; elsewhere the curves coincide */
  assert_true(blue[0].x < blue[1].x && blue[1].x < blue[2].x);
  assert_margin(&p);
  picture_free(&p);
}

static void curves_of_one_epoch(void **state) {
  (void)state;
  const plot_epoch epoch = {1, 4, 3, 9, 5, 2, 8};
  assert_int_equal(plot_curves(path, "one", &epoch, 1), FOVEA_OK);
  picture p = read_plot();
  blob blue[3], orange[3];
  assert_int_equal(find_blobs(&p, TRAIN, blue, 3), 3);
  assert_int_equal(find_blobs(&p, TEST, orange, 3), 3);
  assert_distance(orange[0].x, blue[0].x, 0);
  assert_true(blue[1].y < orange[1].y); /* 9 is above 8 */
  picture_free(&p);
}

/* -1.5 to 1.5 and 5 % room on each side in 720 pixels. */
static void coefficient_marks(void **state) {
  (void)state;
  const plot_coefficient rows[] = {
      {"first", -1, -1.5, -0.5, 0.0001}, {"second", 1, 0.5, 1.5, 0.2}, {"third", 0, -1, 1, NAN}};
  assert_int_equal(plot_coefficients(path, "coefficients", rows, 3), FOVEA_OK);
  picture p = read_plot();
  blob strong[2], weak[1];
  assert_int_equal(find_blobs(&p, TRAIN, strong, 2), 2);
  assert_distance(strong[0].x, strong[1].x, 2 * 720 / 3.3);
  assert_distance(strong[0].y, strong[1].y, 54);
  assert_distance(0, strong[0].width, 720 / 3.3);
  assert_true(find_blobs(&p, WEAK, weak, 1) >= 1);
  assert_margin(&p);
  picture_free(&p);
}

/* Two rows on one scale, then on two: the second is taller by the second axis and its heading, 84 points. */
static void coefficients_far_apart(void **state) {
  (void)state;
  int height[2];
  for (int k = 0; k < 2; k++) {
    const double far = k == 0 ? 0.3 : 30;
    const plot_coefficient rows[] = {{"near", 0.1, 0.05, 0.15, 0.01}, {"far", far, far - 0.05, far + 0.05, 0.01}};
    assert_int_equal(plot_coefficients(path, "coefficients", rows, 2), FOVEA_OK);
    picture p = read_plot();
    height[k] = p.height;
    picture_free(&p);
  }
  assert_int_equal(height[1] - height[0], 2 * 84);
}

/* An aliased row, or one that overflows, takes its place and has no mark: the picture is a row taller, 2 x 27, and has
 * the same ones. */
static void coefficient_aliased(void **state) {
  (void)state;
  const plot_coefficient rows[] = {
      {"first", -1, -1.5, -0.5, 0.0001}, {"second", NAN, NAN, NAN, NAN}, {"third", -INFINITY, -INFINITY, -1, 0}};
  int height[3];
  for (size_t count = 1; count <= 3; count++) {
    assert_int_equal(plot_coefficients(path, "coefficients", rows, count), FOVEA_OK);
    picture p = read_plot();
    blob marks[2];
    assert_int_equal(find_blobs(&p, TRAIN, marks, 2), 1);
    height[count - 1] = p.height;
    picture_free(&p);
  }
  assert_int_equal(height[1] - height[0], 2 * 27);
  assert_int_equal(height[2] - height[1], 2 * 27);
}

static void long_names(void **state) {
  (void)state;
  char name[3000];
  for (size_t i = 0; i + 1 < sizeof name; i += 2) memcpy(name + i, "é", 2);
  name[sizeof name - 2] = name[sizeof name - 1] = '\0';
  const plot_coefficient rows[] = {{name, 1e-200, -1e-200, 2e-200, 0.5}, {"", -1e200, -1e299, 1e200, 0.5}};
  assert_int_equal(plot_coefficients(path, name, rows, 2), FOVEA_OK);
  picture p = read_plot();
  assert_margin(&p);
  picture_free(&p);
  const char *const names[PLOT_LABELS] = {name, name, "", "x", "x", "x", "x", "x", "x", "x"};
  const plot_point points[] = {{0, 0, 0}, {0, 0, 1}, {0, 0, 9}, {0, 0, -1}};
  assert_int_equal(plot_latent(path, name, points, 4, points, 4, names), FOVEA_OK);
  p = read_plot();
  assert_margin(&p);
  picture_free(&p);
}

static void odd_values(void **state) {
  (void)state;
  const double values[] = {0, -0.0, 5e-324, -1e-310, 1e-30, 1, 123456.789, 1e7, -1e16, 9e299};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    const double v = values[i];
    const plot_epoch epochs[] = {{0, v, v, v, v, v, v}, {1, v, 1, v, v, v, nextafter(v, 1)}};
    for (size_t count = 1; count <= 2; count++) assert_int_equal(plot_curves(path, "odd", epochs, count), FOVEA_OK);
    const plot_coefficient rows[] = {{"a", v, v, v, 0}, {"b", -v, v, -v, 1}, {"c", NAN, 0, 1, 0}, {"d", v, NAN, 1, 2}};
    for (size_t count = 1; count <= 4; count++) assert_int_equal(plot_coefficients(path, "odd", rows, count), FOVEA_OK);
    const plot_point points[] = {{(float)v, (float)-v, -1}, {1e38f, -1e38f, 3}, {0, 0, 2}};
    assert_int_equal(plot_latent(path, "odd", points, 3, points + 1, 2, NULL), FOVEA_OK);
  }
}

/* 7919 is the stride in which the codes are drawn: its multiples take another. */
static void many_points(void **state) {
  (void)state;
  enum { COUNT = 3 * 7919 };
  plot_point *points = malloc(COUNT * sizeof *points);
  assert_non_null(points);
  for (int i = 0; i < COUNT; i++) points[i] = (plot_point){(float)(i % 151), (float)(i % 157), i * 10 / COUNT};
  assert_int_equal(plot_latent(path, "many", points, COUNT, points, COUNT - 1, NULL), FOVEA_OK);
  free(points);
}

static void same_bytes_in_every_locale(void **state) {
  (void)state;
  const plot_epoch epochs[] = {{1, 0.25, 0.125, 1.5, 0.5, 0.375, 2.5}, {2, 0.125, 0.0625, 0.5, 0.25, 0.1, 2}};
  const locale_t before = uselocale((locale_t)0);
  uint8_t *bytes[2];
  size_t size[2];
  for (int k = 0; k < 2; k++) {
    if (k == 1) setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is not installed, this repeats the same run */
    assert_int_equal(plot_curves(path, "locale", epochs, 2), FOVEA_OK);
    assert_int_equal(fovea_file_read(path, 1 << 22, &bytes[k], &size[k]), FOVEA_OK);
  }
  setlocale(LC_ALL, "C");
  assert_ptr_equal(uselocale((locale_t)0), before);
  assert_int_equal(size[0], size[1]);
  assert_memory_equal(bytes[0], bytes[1], size[0]);
  free(bytes[0]);
  free(bytes[1]);
}

static void refusals(void **state) {
  (void)state;
  const plot_epoch epoch = {1, 1, 1, 1, 1, 1, 1}, lost = {1, NAN, INFINITY, 1, NAN, -INFINITY, 1};
  assert_int_equal(plot_curves(path, "t", &epoch, 0), FOVEA_INVALID);
  assert_int_equal(plot_curves(path, "t", &lost, 1), FOVEA_INVALID);
  assert_int_equal(plot_curves(path, "\xff", &epoch, 1), FOVEA_INVALID);
  assert_int_equal(plot_curves(nowhere, "t", &epoch, 1), FOVEA_IO);

  const plot_point point = {0, 0, 0}, nan_point = {NAN, 0, 0}, tenth = {0, 0, PLOT_LABELS}, minus = {0, 0, -2};
  assert_int_equal(plot_latent(path, "t", &point, 0, &point, 1, NULL), FOVEA_INVALID);
  assert_int_equal(plot_latent(path, "t", &point, 1, &point, 0, NULL), FOVEA_INVALID);
  assert_int_equal(plot_latent(path, "t", &point, 1, &nan_point, 1, NULL), FOVEA_INVALID);
  assert_int_equal(plot_latent(path, "t", &tenth, 1, &point, 1, NULL), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "label 10"));
  assert_int_equal(plot_latent(path, "t", &point, 1, &minus, 1, NULL), FOVEA_INVALID);
  assert_int_equal(plot_latent(nowhere, "t", &point, 1, &point, 1, NULL), FOVEA_IO);

  const plot_coefficient row = {"r", 1, 0, 2, 0.1}, nan_row = {"n", NAN, 0, 2, 0.1}, bad_name = {"\xc3(", 1, 0, 2, 1};
  assert_int_equal(plot_coefficients(path, "t", &row, 0), FOVEA_INVALID);
  assert_int_equal(plot_coefficients(path, "t", &nan_row, 1), FOVEA_INVALID);
  assert_int_equal(plot_coefficients(path, "t", &bad_name, 1), FOVEA_INVALID);
  assert_int_equal(plot_coefficients(nowhere, "t", &row, 1), FOVEA_IO);
  assert_nothing_left();
}

/* Levels on either side of zero, one that cannot be told, and names of any length; then pairs with an empty cell. */
static void factors_and_pairs(void **state) {
  (void)state;
  const plot_level levels[] = {{"off", 0.4, 0.38, 0.42, NAN, NAN, NAN, NAN},
                               {"on", 0.3, 0.28, 0.32, -0.1, -0.13, -0.07, 1e-5},
                               {"a level with a name that is longer than its column by far, and goes on", 0.41, 0.3,
                                0.5, 0.01, -0.05, 0.07, 0.7},
                               {"unknown", NAN, NAN, NAN, NAN, NAN, NAN, NAN}};
  const plot_factor factors[] = {{"first", levels, 2}, {"second", levels, 4}};
  blob blobs[64];
  assert_int_equal(plot_factors(path, "factors", "note", factors, 2), FOVEA_OK);
  picture p = read_plot();
  assert_true(find_blobs(&p, TRAIN, blobs, 64) > 0);
  assert_true(find_blobs(&p, WEAK, blobs, 64) > 0);
  picture_free(&p);
  const plot_factor unknown = {"none", &levels[3], 1};
  assert_int_equal(plot_factors(path, "t", "", &unknown, 1), FOVEA_INVALID);
  assert_int_equal(plot_factors(path, "t", "", factors, 0), FOVEA_INVALID);
  assert_int_equal(plot_factors(nowhere, "t", "", factors, 2), FOVEA_IO);
  const char *const across[] = {"u", "v"}, *const lines[] = {"p", "q"};
  const double means[] = {1, 2, 3, NAN}, low[] = {0.5, 1.5, 2.5, NAN}, high[] = {1.5, 2.5, 3.5, NAN};
  const plot_pair pair = {"a", "b", across, lines, 2, 2, means, low, high, 0.02};
  const plot_pair pairs[] = {pair, pair, pair, pair};
  assert_int_equal(plot_pairs(path, "pairs", "y", pairs, 4), FOVEA_OK);
  p = read_plot();
  assert_true(find_blobs(&p, TRAIN, blobs, 64) > 0);
  assert_true(find_blobs(&p, SECOND_LABEL, blobs, 64) > 0);
  picture_free(&p);
  assert_int_equal(plot_pairs(path, "pairs", "y", pairs, 0), FOVEA_INVALID);
  assert_int_equal(plot_pairs(nowhere, "pairs", "y", pairs, 1), FOVEA_IO);
}

/* The ten largest classes have colours, by ascending labels, and are called by their folders. */
static void classes_of_a_legend(void **state) {
  (void)state;
  enum { CLASSES = 12, SMALL = 3, NO_UTF_8 = 300 };
  uint16_t labels[CLASSES * 4], two[] = {NO_UTF_8, NO_UTF_8, SMALL}, three[] = {NO_UTF_8, NO_UTF_8, NO_UTF_8};
  size_t n = 0;
  for (int c = 0; c < CLASSES; c++)
    for (int k = 0; k < (c == SMALL ? 1 : c == 11 ? 2 : 4); k++) labels[n++] = (uint16_t)(c == 11 ? NO_UTF_8 : c);
  fovea_data_class classes[] = {{(char[]){"cat"}, 0, 4, 4},
                                {(char[]){"a\x01\xc3\xa9"}, 1, 4, 4},
                                {(char[]){"\xff"
                                          "dog"},
                                 NO_UTF_8, 2, 2}};
  fovea_data_report report = {.classes = classes, .class_count = 3};
  const fovea_dataset train = {.count = n, .labels = labels, .report = &report};
  const fovea_dataset test = {.count = 3, .labels = two}, more = {.count = 3, .labels = three}, none = {.count = 3};
  class_legend legend;
  assert_int_equal(class_legend_choose(&train, &test, &legend), FOVEA_OK);
  static const int expected[PLOT_LABELS] = {0, 1, 2, 4, 5, 6, 7, 8, 9, 10};
  assert_memory_equal(legend.label, expected, sizeof expected); /* 300 has as many as they, and is larger */
  assert_string_equal(legend.names[0], "cat");
  assert_string_equal(legend.names[1], "a?\xc3\xa9");
  assert_string_equal(legend.names[9], "10");
  assert_int_equal(class_legend_colour(&legend, 10), 9);
  assert_int_equal(class_legend_colour(&legend, SMALL), -1);
  assert_int_equal(class_legend_colour(&legend, NO_UTF_8), -1);
  assert_int_equal(class_legend_choose(&train, &more, &legend), FOVEA_OK);
  assert_int_equal(class_legend_colour(&legend, NO_UTF_8), 9);
  assert_string_equal(legend.names[9], "?dog");
  assert_int_equal(class_legend_choose(&none, &none, &legend), FOVEA_OK);
  assert_int_equal(class_legend_colour(&legend, 0), -1);
  assert_int_equal(class_legend_colour(&legend, -1), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(latent_points, remove_file),
      cmocka_unit_test_teardown(curves_lines, remove_file),
      cmocka_unit_test_teardown(curves_of_one_epoch, remove_file),
      cmocka_unit_test_teardown(coefficient_marks, remove_file),
      cmocka_unit_test_teardown(coefficients_far_apart, remove_file),
      cmocka_unit_test_teardown(factors_and_pairs, remove_file),
      cmocka_unit_test_teardown(coefficient_aliased, remove_file),
      cmocka_unit_test_teardown(long_names, remove_file),
      cmocka_unit_test_teardown(odd_values, remove_file),
      cmocka_unit_test_teardown(many_points, remove_file),
      cmocka_unit_test_teardown(same_bytes_in_every_locale, remove_file),
      cmocka_unit_test_teardown(refusals, remove_file),
      cmocka_unit_test(classes_of_a_legend),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
