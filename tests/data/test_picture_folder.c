/* Folders of pictures: order, classes, splits, what is passed over, and files that are cut, damaged or of another kind.
 * What becomes of pixels is in test_picture.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "base/file.h"
#include "fovea/data.h"
#include "support/tempdir.h"

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

/* Writes a PNG whose samples are first, first + 1, ... Interlaced, and with a gamma that must not count, if asked. */
static void make(const char *name, uint32_t width, uint32_t height, int depth, int color, bool odd, uint8_t first) {
  uint8_t row[4096];
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
  make("gray/test/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
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
  make("rgb/train/10/a.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 50);
  make("rgb/test/10/a.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 50);
  make("rgb/test/9/a.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 60);
  make("rgb/test/9/0.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, true, 0);
  assert_int_equal(fovea_dataset_load(temp_path("rgb"), "test", 0, &set), FOVEA_OK);
  assert_int_equal(set->channels, 3);
  assert_memory_equal(set->pixels, channels_first, 6);
  assert_memory_equal(set->labels, ((uint16_t[]){9, 10, 9}), 6);
  fovea_dataset_destroy(set);
  make("rgb/test/cat/z.png", 2, 1, 8, PNG_COLOR_TYPE_RGB, false, 9);
  assert_int_equal(fovea_dataset_load(temp_path("rgb"), "test", 0, &set), FOVEA_OK);
  assert_memory_equal(set->labels, ((uint16_t[]){1, 0, 1, 2}), 8);
  fovea_dataset_destroy(set);
}

/* Of both splits: sizes that differ are refused with their counts and the option, channels are made one. */
static void test_sizes_and_channels_differ(void **state) {
  (void)state;
  fovea_dataset *set;
  make("kind/train/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("kind/train/b.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("kind/test/c.png", 3, 4, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  static const char *const splits[] = {"train", "test"};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fovea_dataset_load(temp_path("kind"), splits[i], 0, &set), FOVEA_INVALID);
    assert_message("2 sizes (height x width): 2 of 2x3, 1 of 4x3 (as");
    assert_message("test/c.png'); give one for all by --size 2x3");
  }
  make("kind/test/c.png", 3, 2, 8, PNG_COLOR_TYPE_RGB, false, 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(fovea_dataset_load(temp_path("kind"), splits[i], 0, &set), FOVEA_OK);
    assert_int_equal(set->channels, 3);
    fovea_dataset_destroy(set);
  }
  const fovea_load_options as_is = {.channels = FOVEA_CHANNELS_AS_IS};
  assert_int_equal(fovea_dataset_load_as(temp_path("kind"), "test", &as_is, &set), FOVEA_INVALID);
  assert_message("2 gray, 1 RGB; with --channels gray or --channels rgb");
}

/* Every length, and every bit: refused, or an image of 3 x 2 all the same (a PNG's checksums leave nothing else). */
static void test_damaged(void **state) {
  (void)state;
  fovea_dataset *set;
  uint8_t *bytes;
  size_t size;
  make("whole/train/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("cut/test/b.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("bit/test/b.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
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
  assert_message("holds no picture");
  make("mixed/train/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("mixed/train/0/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  assert_int_equal(fovea_dataset_load(temp_path("mixed"), "train", 0, &set), FOVEA_INVALID);
  assert_message("both pictures (1, as 'a.png') and subfolders of pictures (as '0')");
  temp_file("file/train", "x", 1);
  assert_int_equal(fovea_dataset_load(temp_path("file"), "train", 0, &set), FOVEA_INVALID);
}

static const fovea_data_report *found;
static fovea_dataset *loaded;

static fovea_status load(const char *name, const char *split, size_t limit) {
  fovea_dataset_destroy(loaded);
  loaded = NULL;
  fovea_status status = fovea_dataset_load(temp_path(name), split, limit, &loaded);
  found = status == FOVEA_OK ? loaded->report : NULL;
  return status;
}

static void assert_remark(const char *part) {
  for (size_t i = 0; i < found->remark_count; i++)
    if (strstr(found->remarks[i], part) != NULL) return;
  fail_msg("no remark has '%s'", part);
}

static size_t passed_over(const char *kind) {
  for (size_t i = 0; i < found->kind_count; i++)
    if (strcmp(found->passed_over[i].name, kind) == 0) return found->passed_over[i].count;
  return 0;
}

/* What is no picture is counted; a PNG is one whatever its name. */
static void test_passed_over(void **state) {
  (void)state;
  static const char *const junk[] = {".DS_Store", "Thumbs.db", "desktop.ini", "._a.png", ".hidden"};
  char name[64];
  make("files/train/cat/b.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("files/train/cat/c.jpg", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("files/train/dog/a", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  for (size_t i = 0; i < sizeof junk / sizeof *junk; i++) {
    snprintf(name, sizeof name, "files/train/cat/%s", junk[i]);
    temp_file(name, "x", 1);
  }
  make("files/test/cat/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("files/train/__MACOSX/a.png", 9, 9, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("files/train/dog/@eaDir/a.png", 9, 9, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("files/train/dog/.ipynb_checkpoints/a.png", 9, 9, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  temp_file("files/train/dog/x.png/note.TXT", "x", 1);
  temp_file("files/train/dog/y.txt", "PNG", 3);
  temp_file("files/train/labels", "x", 1);
  assert_int_equal(symlink("nowhere", temp_path("files/train/dog/link")), 0);
  assert_int_equal(symlink("loop", temp_path("files/train/dog/loop")), 0);
  assert_int_equal(mkfifo(temp_path("files/train/dog/pipe"), 0666), 0);
  assert_int_equal(load("files", "train", 0), FOVEA_OK);
  assert_int_equal(found->images, 3);
  assert_memory_equal(loaded->labels, ((uint16_t[]){1, 0, 0}), 6);
  static const struct {
    const char *kind;
    size_t count;
  } expected[] = {{".DS_Store", 1},     {"Thumbs.db", 1}, {"desktop.ini", 1},     {"._*", 1},
                  {"hidden", 1},        {"__MACOSX", 1},  {"@eaDir", 1},          {".ipynb_checkpoints", 1},
                  {".txt", 2},          {"dead link", 2}, {"no regular file", 1}, {"folder without pictures", 1},
                  {"without suffix", 1}};
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
    if (passed_over(expected[i].kind) != expected[i].count)
      fail_msg("%zu %s, expected %zu", passed_over(expected[i].kind), expected[i].kind, expected[i].count);
  assert_int_equal(found->kind_count, sizeof expected / sizeof *expected);
}

/* Pictures that are not read are never passed over. */
static void test_other_pictures(void **state) {
  (void)state;
  static const struct {
    const char *name, *bytes;
    size_t size;
    const char *says;
  } cases[] = {
      {"b.jpg", "\xff\xd8\xff\xe0", 4, "is not a good JPEG: it has no header"},
      {"b.jpeg", "<html>", 6, "is an HTML page, not a picture"},
      {"b.jpeg", "hello", 5, "named like a picture, but its content is none"},
      {"b.jpg", "", 0, "named like a picture, but it is empty"},
      {"b", "GIF89a", 6, "is a GIF picture"},
      {"b.dat", "RIFF\4\0\0\0WEBPVP8 ", 16, "WebP"},
      {"b.tif", "II*\0\10\0\0\0", 8, "is a TIFF picture"},
      {"b.tiff", "MM\0*\0\0\0\10", 8, "is a TIFF picture"},
      {"b.bmp", "BM\36\0\0\0\0\0\0\0\32\0\0\0\50\0", 16, "is a BMP picture"},
      {"b.pgm", "P5 1 1 255\n0", 12, "is a PPM picture"},
      {"b.heic", "\0\0\0\30ftypheic\0\0\0\0", 16, "is a HEIC picture"},
      {"b.png", "\xff\xd8\xff\xe0", 4, "is not a good JPEG"},
      {"b.png", "", 0, "it is empty"},
  };
  char name[64];
  make("pictures/test/cat/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  make("pictures/train/cat/a.png", 3, 2, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(name, sizeof name, "pictures/train/dog/%s", cases[i].name);
    const char *path = temp_file(name, cases[i].bytes, cases[i].size);
    if (load("pictures", "train", 0) != FOVEA_INVALID) fail_msg("%s of case %zu is not refused", cases[i].name, i);
    assert_message(cases[i].says);
    assert_message("train/dog/b");
    unlink(path);
  }
  assert_int_equal(load("pictures", "train", 0), FOVEA_OK);
  assert_remark("'dog' has no images there");
  temp_file("pictures/train/dog/text", "BMW and P5, RIFF", 16);
  assert_int_equal(load("pictures", "train", 0), FOVEA_OK);
  assert_int_equal(symlink("nowhere", temp_path("pictures/train/dog/link.jpg")), 0);
  assert_int_equal(load("pictures", "train", 0), FOVEA_IO);
  assert_message("link.jpg");
  unlink(temp_path("pictures/train/dog/link.jpg"));
  assert_int_equal(mkfifo(temp_path("pictures/train/dog/pipe.png"), 0666), 0);
  assert_int_equal(load("pictures", "train", 0), FOVEA_INVALID);
  assert_message("pipe.png': it is not a regular file");
}

/* Classes of each split, '+' for an empty one; and the labels that "a", "b" and so on of the sorted union must have. */
static void test_one_list_of_classes(void **state) {
  (void)state;
  static const struct {
    const char *train[4], *test[4], *classes[5];
    int labels[5];
    const char *says; /* in train */
  } cases[] = {
      {{"cat", "dog"}, {"cat", "dog"}, {"cat", "dog"}, {0, 1}, NULL},
      {{"dog"}, {"cat", "dog"}, {"cat", "dog"}, {0, 1}, NULL},
      {{"cat", "ox"}, {"dog", "ox"}, {"cat", "dog", "ox"}, {0, 1, 2}, NULL},
      {{"+bird", "cat"}, {"cat"}, {"bird", "cat"}, {0, 1}, "the class 'bird' has no images there"},
      {{"cat"}, {"+bird", "cat"}, {"bird", "cat"}, {0, 1}, NULL},
      {{"3", "7"}, {"3", "7"}, {"3", "7"}, {3, 7}, NULL},
      {{"3", "7"}, {"7", "9"}, {"3", "7", "9"}, {3, 7, 9}, NULL},
      {{"3", "7"}, {"3", "7", "unknown"}, {"3", "7", "unknown"}, {0, 1, 2}, "'unknown' is not a number"},
      {{"3", "7"}, {"3", "7", "__MACOSX"}, {"3", "7"}, {3, 7}, NULL},
      {{"1", "01"}, {"1", "01"}, {"01", "1"}, {0, 1}, "'01' and '1' are the same number"},
      {{"01"}, {"1"}, {"01", "1"}, {0, 1}, "'01' and '1' are the same number"},
      {{"00", "01"}, {"00", "01"}, {"00", "01"}, {0, 1}, NULL},
      {{"1", "2", "256"}, {"1"}, {"1", "2", "256"}, {1, 2, 256}, NULL},
      {{"1", "2", "65536"}, {"1"}, {"1", "2", "65536"}, {0, 1, 2}, "'65536' is not a number up to 65535"},
      {{"Cat", "cat"}, {"cat"}, {"Cat", "cat"}, {0, 1}, "'Cat' and 'cat' differ in upper and lower case alone"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[128], set[32];
    snprintf(set, sizeof set, "list%zu", i);
    for (int k = 0; k < 8; k++) {
      const char *class = k < 4 ? cases[i].train[k] : cases[i].test[k - 4];
      if (class == NULL) continue;
      const bool empty = class[0] == '+';
      snprintf(name, sizeof name, "%s/%s/%s/%s", set, k < 4 ? "train" : "test", class + empty,
               empty ? "x.txt" : "x.png");
      if (empty)
        temp_file(name, "x", 1);
      else
        make(name, 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
    }
    for (int split = 0; split < 2; split++) {
      const char *const *mine = split == 0 ? cases[i].train : cases[i].test;
      assert_int_equal(load(set, split == 0 ? "train" : "test", 0), FOVEA_OK);
      for (size_t k = 0; k < found->class_count; k++) {
        const fovea_data_class *c = &found->classes[k];
        bool there = false;
        for (int m = 0; m < 4; m++) there = there || (mine[m] != NULL && strcmp(mine[m], c->name) == 0);
        if (cases[i].classes[k] == NULL || strcmp(c->name, cases[i].classes[k]) != 0 ||
            c->label != cases[i].labels[k] || c->there != there)
          fail_msg("case %zu, split %d: class '%s' has label %d and %zu images", i, split, c->name, c->label, c->there);
      }
      assert_null(cases[i].classes[found->class_count]);
      if (split == 0 && cases[i].says != NULL) assert_remark(cases[i].says);
      if (split == 0 && cases[i].says == NULL) assert_int_equal(found->remark_count, 0);
    }
  }
}

/* Ten of twenty: five of each class, in the order of the files, and the report says so. */
static void test_limit_is_fair(void **state) {
  (void)state;
  char name[64];
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "fair/train/cat/cat%d.png", i);
    make(name, 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, (uint8_t)i);
    snprintf(name, sizeof name, "fair/train/dog/dog%d.png", i);
    make(name, 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, (uint8_t)(10 + i));
  }
  make("fair/test/cat/a.png", 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  assert_int_equal(load("fair", "train", 10), FOVEA_OK);
  assert_int_equal(loaded->count, 10);
  assert_int_equal(found->images, 20);
  for (size_t k = 0; k < 2; k++) {
    assert_int_equal(found->classes[k].there, 10);
    assert_int_equal(found->classes[k].taken, 5);
  }
  uint32_t index[10];
  uint16_t labels[20];
  for (int i = 0; i < 20; i++) labels[i] = i >= 10;
  assert_int_equal(fovea_dataset_sample(labels, 20, 10, index), FOVEA_OK);
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(loaded->pixels[i], index[i]);
    assert_int_equal(loaded->labels[i], index[i] >= 10);
  }
}

static void test_remarks_of_flat_folders(void **state) {
  (void)state;
  static const char *const files[] = {"train/cat.0", "train/cat.1", "train/dog.0",
                                      "train/dog.1", "test/x/a",    "test/y/a"};
  char name[64];
  for (size_t i = 0; i < 6; i++) {
    snprintf(name, sizeof name, "flat/%s.png", files[i]);
    make(name, 1, 1, 8, PNG_COLOR_TYPE_GRAY, false, 0);
  }
  temp_file("flat/val/readme", "x", 1);
  temp_file("flat/labels.csv", "x", 1);
  assert_int_equal(load("flat", "train", 0), FOVEA_OK);
  assert_null(loaded->labels);
  assert_remark("begin with 'cat', 'dog'");
  assert_remark("it has no labels");
  assert_remark("'labels.csv', 'val'");
  assert_int_equal(found->remark_count, 3);
}

/* Of many damaged pictures the first in order is told, though it takes the longest to find that out and other threads
 * have gone on; and those that are passed over are listed in order. */
static void test_first_failure(void **state) {
  (void)state;
  enum { SIDE = 1200, MANY = 100 };
  char name[64];
  uint8_t *bytes = NULL;
  size_t size = 0;
  make("damage/train/a000.png", SIDE, SIDE, 8, PNG_COLOR_TYPE_RGB, false, 0);
  make("damage/test/a.png", 1, 1, 8, PNG_COLOR_TYPE_RGB, false, 0);
  for (int i = 1; i < MANY; i++) {
    snprintf(name, sizeof name, "damage/train/a%03d.png", i);
    make(name, 3, 3, 8, PNG_COLOR_TYPE_RGB, false, 0);
    assert_int_equal(fovea_file_read(temp_path(name), 1 << 20, &bytes, &size), FOVEA_OK);
    if (i % 16 == 0) temp_file(name, bytes, size - 14); /* the end of the pixels' checksum */
    free(bytes);
  }
  assert_int_equal(fovea_file_read(temp_path("damage/train/a000.png"), 1 << 24, &bytes, &size), FOVEA_OK);
  temp_file("damage/train/a000.png", bytes, size - 14);
  free(bytes);
  fovea_load_options options = {.height = 2, .width = 2};
  fovea_dataset *set = NULL;
  assert_int_equal(fovea_dataset_load_as(temp_path("damage"), "train", &options, &set), FOVEA_INVALID);
  assert_message("train/a000.png");
  options.skip_bad = true;
  assert_int_equal(fovea_dataset_load_as(temp_path("damage"), "train", &options, &set), FOVEA_OK);
  assert_int_equal(set->count, MANY - 7);
  assert_int_equal(set->report->images, MANY - 7);
  int next = 0;
  for (size_t i = 0; i < set->report->remark_count; i++) {
    snprintf(name, sizeof name, "train/a%03d.png", next);
    if (strncmp(set->report->remarks[i], "passed over: ", 13) != 0) continue;
    assert_non_null(strstr(set->report->remarks[i], name));
    next += 16;
  }
  assert_int_equal(next, 7 * 16);
  fovea_dataset_destroy(set);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_first_failure),
      cmocka_unit_test(test_gray_sorted_by_name),
      cmocka_unit_test(test_rgb_with_labels),
      cmocka_unit_test(test_sizes_and_channels_differ),
      cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_bad_folders),
      cmocka_unit_test(test_passed_over),
      cmocka_unit_test(test_other_pictures),
      cmocka_unit_test(test_one_list_of_classes),
      cmocka_unit_test(test_limit_is_fair),
      cmocka_unit_test(test_remarks_of_flat_folders),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  fovea_dataset_destroy(loaded);
  return failed;
}
