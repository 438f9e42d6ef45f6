/* Known answers: grids small enough to say by hand which pixel is what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <dirent.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "draw/grid.h"
#include "support/picture.h"

static char folder[] = "/tmp/fovea-grid-XXXXXX";
static char path[64], nowhere[64];

static int make_folder(void **state) {
  (void)state;
  if (mkdtemp(folder) == NULL) return -1;
  snprintf(path, sizeof path, "%s/grid.png", folder);
  snprintf(nowhere, sizeof nowhere, "%s/none/grid.png", folder);
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

static int files_in_folder(void) {
  int count = 0;
  DIR *d = opendir(folder);
  assert_non_null(d);
  for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) count += e->d_name[0] != '.';
  closedir(d);
  return count;
}

typedef struct pixel {
  int x, y;
  unsigned rgb;
} pixel;

static void assert_picture(int width, int height, int channels, const pixel *expected, size_t count) {
  picture p;
  assert_int_equal(picture_read(path, &p), 0);
  assert_int_equal(p.width, width);
  assert_int_equal(p.height, height);
  assert_int_equal(p.channels, channels);
  for (size_t i = 0; i < count; i++) {
    const unsigned got = picture_at(&p, expected[i].x, expected[i].y);
    if (got != expected[i].rgb)
      fail_msg("pixel (%d, %d) is %06x, expected %06x", expected[i].x, expected[i].y, got, expected[i].rgb);
  }
  picture_free(&p);
}

/* Three pairs of 1 x 2 images, two pairs a row: 2 * 4 values and 3 * 15 + 2 * 3 pixels of gaps wide, so a value is
 * round((900 - 51) / 8) = 106 pixels; the fourth pair's place stays white. */
static void pairs_gray(void **state) {
  (void)state;
  const float originals[] = {0, 0.2f, 0.4f, 0.6f, 0.8f, 0.1f}, reconstructions[] = {0.1f, 0.3f, 0.5f, 0.7f, 0.9f, 0};
  assert_int_equal(grid_pairs(path, originals, reconstructions, 3, 1, 1, 2, 2, NULL), FOVEA_OK);
  const pixel expected[] = {
      {14, 15, 0xffffff},   {15, 14, 0xffffff},   {15, 15, 0x000000},  {120, 120, 0x000000}, /* original 0, left */
      {121, 15, 0x333333},  {226, 120, 0x333333},                                            /* and its right value */
      {227, 60, 0xffffff},  {229, 60, 0xffffff},                                             /* the thin gap */
      {230, 15, 0x1a1a1a},  {441, 120, 0x4c4c4c},                                            /* reconstruction 0 */
      {442, 60, 0xffffff},  {456, 60, 0xffffff},                                             /* the wide gap */
      {457, 15, 0x666666},  {563, 15, 0x999999},  {672, 15, 0x808080}, {883, 120, 0xb2b2b2}, /* pair 1 */
      {884, 60, 0xffffff},  {15, 121, 0xffffff},  {15, 135, 0xffffff},                       /* margins */
      {15, 136, 0xcccccc},  {441, 241, 0x000000},                                            /* pair 2, second row */
      {457, 136, 0xffffff}, {883, 241, 0xffffff}, {15, 242, 0xffffff},
  };
  assert_picture(899, 257, 1, expected, sizeof expected / sizeof *expected);
}

/* One 1 x 1 pair: a value is round((900 - 33) / 2) = 434 pixels. Rounding, half to even, and clamping. */
static void pairs_rgb(void **state) {
  (void)state;
  const float original[] = {0, 0.5f, 1}, reconstruction[] = {-0.25f, 1.5f, INFINITY};
  assert_int_equal(grid_pairs(path, original, reconstruction, 1, 3, 1, 1, 5, NULL), FOVEA_OK);
  const pixel expected[] = {{14, 14, 0xffffff},  {15, 15, 0x0080ff},   {448, 448, 0x0080ff}, {449, 15, 0xffffff},
                            {451, 15, 0xffffff}, {452, 448, 0x00ffff}, {885, 15, 0x00ffff},  {886, 15, 0xffffff}};
  assert_picture(901, 464, 3, expected, sizeof expected / sizeof *expected);
}

/* Planes, not interleaved values, and rows of pixels top down: two RGB images of 2 x 1. */
static void tiles_rgb(void **state) {
  (void)state;
  const float images[] = {1, 0, 0, 1, 0, 0, /**/ 0, 0.2f, 0, 0.4f, 1, 0.6f};
  assert_int_equal(grid_tiles(path, images, 1, 2, 3, 2, 1, NULL), FOVEA_OK);
  const pixel expected[] = {{0, 0, 0xff0000},   {449, 449, 0xff0000}, {0, 450, 0x00ff00},   {449, 899, 0x00ff00},
                            {450, 0, 0x0000ff}, {899, 449, 0x0000ff}, {450, 450, 0x336699}, {899, 899, 0x336699}};
  assert_picture(900, 900, 3, expected, sizeof expected / sizeof *expected);
}

static void tiles_in_rows(void **state) {
  (void)state;
  const float images[] = {0, 0.2f, 0.4f, 0.6f, 0.8f, 1};
  assert_int_equal(grid_tiles(path, images, 2, 3, 1, 1, 1, NULL), FOVEA_OK);
  const pixel expected[] = {{299, 299, 0x000000}, {300, 0, 0x333333},   {600, 299, 0x666666},
                            {0, 300, 0x999999},   {599, 599, 0xcccccc}, {899, 300, 0xffffff}};
  assert_picture(900, 600, 1, expected, sizeof expected / sizeof *expected);
}

/* Of two channels the first is shown, of four the first three; the others are still looked at for NaN. */
static void other_channels(void **state) {
  (void)state;
  const float two[] = {0.2f, 0.8f, 1, 0}, four[] = {0.2f, 0.4f, 0.6f, 0, 1, 0, 0, NAN};
  assert_int_equal(grid_tiles(path, two, 1, 2, 2, 1, 1, NULL), FOVEA_OK);
  const pixel gray[] = {{0, 0, 0x333333}, {899, 449, 0xffffff}};
  assert_picture(900, 450, 1, gray, 2);
  assert_int_equal(grid_pairs(path, four, four, 1, 4, 1, 1, 1, NULL), FOVEA_OK);
  const pixel colours[] = {{15, 15, 0x336699}, {452, 448, 0x336699}};
  assert_picture(901, 464, 3, colours, 2);
  assert_int_equal(grid_tiles(path, four, 1, 2, 4, 1, 1, NULL), FOVEA_MISMATCH);
  assert_non_null(strstr(fovea_error_message(), "image 1 is NaN at channel 3"));
}

static void channels_asked_for(void **state) {
  (void)state;
  const float four[] = {0.2f, 0.4f, 0.6f, 1};
  assert_int_equal(grid_tiles(path, four, 1, 1, 4, 1, 1, &(grid_channels){3, {3, 1, 0}}), FOVEA_OK);
  assert_picture(900, 900, 3, (const pixel[]){{0, 0, 0xff6633}, {899, 899, 0xff6633}}, 2);
  assert_int_equal(grid_tiles(path, four, 1, 1, 4, 1, 1, &(grid_channels){3, {1, 1, 2}}), FOVEA_OK);
  assert_picture(900, 900, 3, (const pixel[]){{450, 450, 0x666699}}, 1);
  assert_int_equal(grid_pairs(path, four, four, 1, 4, 1, 1, 1, &(grid_channels){1, {2}}), FOVEA_OK);
  assert_picture(901, 464, 1, (const pixel[]){{15, 15, 0x999999}, {452, 448, 0x999999}}, 2);
  const grid_channels bad[] = {{3, {0, 4, 1}}, {1, {-1}}, {2, {0, 1}}, {0, {0}}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(grid_tiles(path, four, 1, 1, 4, 1, 1, &bad[i]), FOVEA_INVALID);
}

/* The latent walk fits at one pixel a value; what is wider than the target is not shrunk. */
static void sizes(void **state) {
  (void)state;
  float *zeros = calloc(900 * 784, sizeof *zeros);
  assert_non_null(zeros);
  assert_int_equal(grid_tiles(path, zeros, 30, 30, 1, 28, 28, NULL), FOVEA_OK);
  assert_picture(840, 840, 1, NULL, 0);
  assert_int_equal(grid_tiles(path, zeros, 1, 1, 1, 3, 2000, NULL), FOVEA_OK);
  assert_picture(2000, 3, 1, NULL, 0);
  assert_int_equal(grid_pairs(path, zeros, zeros, 4, 1, 28, 28, 4, NULL), FOVEA_OK);
  assert_picture(224 * 4 + 5 * 15 + 4 * 3, 28 * 4 + 2 * 15, 1, NULL, 0);
  free(zeros);
}

static void same_bytes_twice(void **state) {
  (void)state;
  float images[2 * 3 * 7 * 5];
  for (size_t i = 0; i < sizeof images / sizeof *images; i++) images[i] = (float)(i * 37 % 101) / 100;
  uint8_t *bytes[2];
  size_t size[2];
  for (int k = 0; k < 2; k++) {
    assert_int_equal(grid_tiles(path, images, 2, 1, 3, 7, 5, NULL), FOVEA_OK);
    assert_int_equal(fovea_file_read(path, 1 << 20, &bytes[k], &size[k]), FOVEA_OK);
  }
  assert_int_equal(size[0], size[1]);
  assert_memory_equal(bytes[0], bytes[1], size[0]);
  free(bytes[0]);
  free(bytes[1]);
}

static void refusals(void **state) {
  (void)state;
  const float ok[] = {0, 0, 0, 0, 0, 0, 0, 0}, bad[] = {0, 0, 0, NAN};
  assert_int_equal(grid_pairs(path, ok, ok, 1, 0, 1, 1, 1, NULL), FOVEA_INVALID);
  assert_non_null(strstr(fovea_error_message(), "0 channels"));
  assert_int_equal(grid_pairs(path, ok, ok, 0, 1, 1, 1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_pairs(path, ok, ok, 1, 1, 1, 1, 0, NULL), FOVEA_INVALID);
  assert_int_equal(grid_pairs(path, ok, ok, 1, 1, 0, 1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_pairs(path, ok, ok, 1, 1, 1, -1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_tiles(path, ok, 0, 1, 1, 1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_tiles(path, ok, 1, 0, 1, 1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_tiles(path, ok, SIZE_MAX, SIZE_MAX, 1, 1, 1, NULL), FOVEA_INVALID);
  assert_int_equal(grid_tiles(path, ok, 1, 1, 3, INT_MAX, INT_MAX, NULL), FOVEA_INVALID);
  assert_int_equal(grid_tiles(path, bad, 2, 1, 1, 1, 2, NULL), FOVEA_MISMATCH);
  assert_non_null(strstr(fovea_error_message(), "image 1 is NaN at channel 0, row 0, column 1"));
  assert_int_equal(grid_pairs(path, ok, bad, 4, 1, 1, 1, 4, NULL), FOVEA_MISMATCH);
  assert_non_null(strstr(fovea_error_message(), "reconstruction 3 is NaN"));
  assert_int_equal(grid_tiles(nowhere, ok, 1, 1, 1, 1, 1, NULL), FOVEA_IO);
  assert_int_equal(files_in_folder(), 0);
}

/* Every image of a picture of pairs is found again: its first pixel has its value, the one before it has not. */
static void finds_images_again(void **state) {
  (void)state;
  enum { PAIRS = 5, SIDE = 3, ROW = 2 };
  float originals[PAIRS * SIDE * SIDE], reconstructions[PAIRS * SIDE * SIDE];
  for (int i = 0; i < PAIRS * SIDE * SIDE; i++) {
    originals[i] = (float)(i / (SIDE * SIDE)) / 10;
    reconstructions[i] = 0.5F + originals[i];
  }
  assert_int_equal(grid_pairs(path, originals, reconstructions, PAIRS, 1, SIDE, SIDE, ROW, NULL), FOVEA_OK);
  picture p;
  assert_int_equal(picture_read(path, &p), 0);
  grid_place at;
  for (int i = 0; i < 2 * PAIRS; i++) {
    assert_true(grid_find((size_t)p.height, (size_t)p.width, SIDE, SIDE, ROW, (size_t)i, &at));
    const float value = (i % 2 ? reconstructions : originals)[i / 2 * SIDE * SIDE];
    const unsigned gray = (unsigned)lrintf(255 * value), last = (unsigned)(at.scale * SIDE) - 1;
    assert_int_equal(picture_at(&p, (int)at.left, (int)at.top), gray * 0x10101);
    assert_int_equal(picture_at(&p, (int)(at.left + last), (int)(at.top + last)), gray * 0x10101);
    assert_int_equal(picture_at(&p, (int)at.left - 1, (int)at.top), 0xffffff);
  }
  assert_false(grid_find((size_t)p.height, (size_t)p.width, SIDE, SIDE, ROW, 6 * ROW, &at));
  assert_false(grid_find((size_t)p.height, (size_t)p.width + 1, SIDE, SIDE, ROW, 0, &at));
  picture_free(&p);
  /* Fewer than a row. */
  assert_int_equal(grid_pairs(path, originals, reconstructions, 1, 1, SIDE, SIDE, ROW, NULL), FOVEA_OK);
  assert_int_equal(picture_read(path, &p), 0);
  assert_true(grid_find((size_t)p.height, (size_t)p.width, SIDE, SIDE, ROW, 1, &at));
  assert_false(grid_find((size_t)p.height, (size_t)p.width, SIDE, SIDE, ROW, 2, &at));
  picture_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(pairs_gray, remove_file),
      cmocka_unit_test_teardown(pairs_rgb, remove_file),
      cmocka_unit_test_teardown(tiles_rgb, remove_file),
      cmocka_unit_test_teardown(tiles_in_rows, remove_file),
      cmocka_unit_test_teardown(other_channels, remove_file),
      cmocka_unit_test_teardown(channels_asked_for, remove_file),
      cmocka_unit_test_teardown(finds_images_again, remove_file),
      cmocka_unit_test_teardown(sizes, remove_file),
      cmocka_unit_test_teardown(same_bytes_twice, remove_file),
      cmocka_unit_test_teardown(refusals, remove_file),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
