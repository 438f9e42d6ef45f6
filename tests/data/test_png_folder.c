/* Folders of PNGs: order, labels, channels, and PNGs that are cut, damaged or of another kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "core/file.h"
#include "fovea/data.h"
#include "support/tempdir.h"

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

/* Writes a PNG whose samples are first, first + 1, ... Interlaced, and with a gamma that must not count, if asked. */
static void make(const char *name, uint32_t width, uint32_t height, int depth, int color, bool odd, uint8_t first) {
  uint8_t row[64];
  FILE *file = fopen(temp_file(name, "", 0), "wb");
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, width, height, depth, color, odd ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, &(png_color){1, 2, 3}, 1);
  if (odd) png_set_gAMA(png, info, 1.0);
  png_write_info(png, info);
  size_t bytes = png_get_rowbytes(png, info);
  int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; pass++) {
    for (uint32_t h = 0; h < height; h++) {
      for (size_t i = 0; i < bytes; i++)
        row[i] = color == PNG_COLOR_TYPE_PALETTE ? 0 : (uint8_t)(first + h * bytes + i);
      png_write_row(png, row);
    }
  }
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  fclose(file);
}

static void test_gray_sorted_by_name(void **state) {
  (void)state;
  fovea_dataset *set;
  make("gray/train/b.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, true, 10);
  make("gray/train/a.PNG", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("gray/train/c.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 20);
  temp_file("gray/train/.hidden.png", "x", 1);
  temp_file("gray/train/readme.txt", "x", 1);
  assert_int_equal(fovea_dataset_load(temp_path("gray"), "train", 0, &set), FOVEA_OK);
  assert_int_equal(set->count, 3);
  assert_int_equal(set->channels, 1);
  assert_int_equal(set->width, 3);
  assert_int_equal(set->height, 2);
  assert_null(set->labels);
  for (size_t n = 0; n < 3; n++)
    for (size_t p = 0; p < 6; p++) assert_int_equal(set->pixels[6 * n + p], 10 * n + p);
  fovea_dataset_destroy(set);
  assert_int_equal(fovea_dataset_load(temp_path("gray"), "train", 2, &set), FOVEA_OK);
  assert_int_equal(set->count, 2);
  fovea_dataset_destroy(set);
}

static void test_rgb_with_labels(void **state) {
  (void)state;
  static const uint8_t channels_first[] = {0, 3, 1, 4, 2, 5};
  fovea_dataset *set;
  make("rgb/test/10/a.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 50);
  make("rgb/test/9/a.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 60);
  make("rgb/test/9/0.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, true, 0);
  assert_int_equal(fovea_dataset_load(temp_path("rgb"), "test", 0, &set), FOVEA_OK);
  assert_int_equal(set->channels, 3);
  assert_memory_equal(set->pixels, channels_first, 6);
  assert_memory_equal(set->labels, ((uint8_t[]){9, 10, 9}), 3);
  fovea_dataset_destroy(set);
  make("rgb/test/cat/z.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 9);
  assert_int_equal(fovea_dataset_load(temp_path("rgb"), "test", 0, &set), FOVEA_OK);
  assert_memory_equal(set->labels, ((uint8_t[]){1, 0, 1, 2}), 4);
  fovea_dataset_destroy(set);
}

static void test_other_kinds_of_png(void **state) {
  (void)state;
  static const struct {
    int depth, color;
    uint32_t width;
    const char *says;
  } cases[] = {
      {16, PNG_COLOR_TYPE_GRAY, 3, "16 bits"},          {1, PNG_COLOR_TYPE_GRAY, 3, "1 bits"},
      {8, PNG_COLOR_TYPE_PALETTE, 3, "color type 3"},   {8, PNG_COLOR_TYPE_GRAY_ALPHA, 3, "color type 4"},
      {8, PNG_COLOR_TYPE_RGB_ALPHA, 3, "color type 6"}, {8, PNG_COLOR_TYPE_RGB, 3, "the first image is 3 x 2 with 1"},
      {8, PNG_COLOR_TYPE_GRAY, 4, "is 4 x 2"},
  };
  fovea_dataset *set;
  make("kind/train/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    make("kind/train/b.png", cases[i].width, 2, cases[i].depth, cases[i].color, false, 0);
    assert_int_equal(fovea_dataset_load(temp_path("kind"), "train", 0, &set), FOVEA_INVALID);
    assert_message(cases[i].says);
    assert_message("b.png");
  }
}

/* Every length, and every bit: refused, or an image of 3 x 2 all the same (a PNG's checksums leave nothing else). */
static void test_damaged(void **state) {
  (void)state;
  fovea_dataset *set;
  uint8_t *bytes;
  size_t size;
  make("whole/train/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  assert_int_equal(fovea_file_read(temp_path("whole/train/a.png"), 1 << 20, &bytes, &size), FOVEA_OK);
  for (size_t length = 0; length < size; length++) {
    temp_file("cut/train/a.png", bytes, length);
    assert_int_equal(fovea_dataset_load(temp_path("cut"), "train", 0, &set), FOVEA_INVALID);
    assert_message("a.png");
  }
  for (size_t bit = 0; bit < 8 * size; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    temp_file("bit/train/a.png", bytes, size);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    fovea_status status = fovea_dataset_load(temp_path("bit"), "train", 0, &set);
    if (status == FOVEA_OK) {
      assert_int_equal(set->width * 10 + set->height, 32);
      for (size_t p = 0; p < 6; p++) assert_int_equal(set->pixels[p], p);
      fovea_dataset_destroy(set);
    } else {
      assert_int_equal(status, FOVEA_INVALID);
    }
  }
  free(bytes);
}

static void test_bad_folders(void **state) {
  (void)state;
  fovea_dataset *set;
  temp_file("none/train/readme.txt", "x", 1);
  assert_int_equal(fovea_dataset_load(temp_path("none"), "train", 0, &set), FOVEA_INVALID);
  assert_message("no file that ends in .png");
  make("mixed/train/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("mixed/train/0/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  assert_int_equal(fovea_dataset_load(temp_path("mixed"), "train", 0, &set), FOVEA_INVALID);
  assert_message("both PNGs");
  make("deep/train/0/1/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  assert_int_equal(fovea_dataset_load(temp_path("deep"), "train", 0, &set), FOVEA_INVALID);
  assert_message("PNGs only");
  temp_file("file/train", "x", 1);
  assert_int_equal(fovea_dataset_load(temp_path("file"), "train", 0, &set), FOVEA_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gray_sorted_by_name), cmocka_unit_test(test_rgb_with_labels),
      cmocka_unit_test(test_other_kinds_of_png),  cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_bad_folders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
