/* IDX data sets: small ones made here, bad ones in a table, and Debian's fashion-mnist where it is installed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/hash.h"
#include "fovea/data.h"
#include "support/tempdir.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

/* Writes folder/name, the header of `rank` dims and then `size` bytes 0, 1, 2, ... */
static void make(const char *name, uint8_t magic, int rank, const uint32_t *dims, size_t size) {
  static uint8_t bytes[70000];
  bytes[0] = bytes[1] = 0;
  bytes[2] = magic;
  bytes[3] = (uint8_t)rank;
  for (int i = 0; i < 4 * rank; i++) bytes[4 + i] = (uint8_t)(dims[i / 4] >> (24 - 8 * (i % 4)));
  for (size_t i = 0; i < size; i++) bytes[4 + 4 * rank + (int)i] = (uint8_t)i;
  temp_file(name, bytes, 4 + 4 * (size_t)rank + size);
}

static void test_gray_with_labels(void **state) {
  (void)state;
  fovea_dataset *set;
  make("gray/train-images-idx3-ubyte", 8, 3, (uint32_t[]){5, 2, 3}, 30);
  make("gray/train-labels-idx1-ubyte", 8, 1, (uint32_t[]){5}, 5);
  static const size_t limits[] = {0, 5, 6, 2, 1};
  for (size_t i = 0; i < 5; i++) {
    size_t count = limits[i] == 0 || limits[i] > 5 ? 5 : limits[i];
    assert_int_equal(fovea_dataset_load(temp_path("gray"), "train", limits[i], &set), FOVEA_OK);
    assert_int_equal(set->count, count);
    assert_int_equal(set->channels, 1);
    assert_int_equal(set->height, 2);
    assert_int_equal(set->width, 3);
    for (size_t p = 0; p < 6 * count; p++) assert_int_equal(set->pixels[p], p);
    for (size_t p = 0; p < count; p++) assert_int_equal(set->labels[p], p);
    fovea_dataset_destroy(set);
  }
  fovea_dataset_destroy(NULL);
}

static void test_rgb_becomes_channels_first(void **state) {
  (void)state;
  fovea_dataset *set;
  make("rgb/t10k-images-idx4-ubyte", 8, 4, (uint32_t[]){2, 2, 1, 3}, 12);
  assert_int_equal(fovea_dataset_load(temp_path("rgb"), "test", 0, &set), FOVEA_OK);
  assert_int_equal(set->channels, 3);
  assert_null(set->labels);
  static const uint8_t expected[] = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
  assert_memory_equal(set->pixels, expected, 12);
  fovea_dataset_destroy(set);
}

/* Which of the numbers of rank 4 are the channels, and whether the guess is said. */
static void test_rank_4(void **state) {
  (void)state;
  static const struct {
    uint32_t dims[3];
    int channels, height, width;
    const char *says;
  } cases[] = {
      {{5, 6, 3}, 3, 5, 6, NULL},
      {{5, 6, 4}, 4, 5, 6, NULL},
      {{4, 5, 6}, 4, 5, 6, "4 x 5 x 6 an image: taken as channels, height, width (4 channels of 5x6)"},
      {{1, 3, 6}, 1, 3, 6, "taken as channels, height, width"},
      {{3, 5, 3}, 3, 3, 5, "taken as height, width, channels, which may be wrong"},
      {{5, 6, 7}, 7, 5, 6, "taken as height, width, channels, which may be wrong"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_dataset *set;
    const uint32_t *d = cases[i].dims;
    const size_t size = (size_t)d[0] * d[1] * d[2];
    make("rank4/train-images-idx4-ubyte", 8, 4, (uint32_t[]){2, d[0], d[1], d[2]}, 2 * size);
    make("rank4/train-labels-idx1-ubyte", 8, 1, (uint32_t[]){2}, 2);
    assert_int_equal(fovea_dataset_load(temp_path("rank4"), "train", 0, &set), FOVEA_OK);
    if (set->channels != cases[i].channels || set->height != cases[i].height || set->width != cases[i].width)
      fail_msg("case %zu: %d channels of %dx%d", i, set->channels, set->height, set->width);
    const size_t second = d[2] == (uint32_t)set->channels ? d[2] : 1; /* the value of the first channel's next pixel */
    assert_int_equal(set->pixels[1], second);
    assert_int_equal(set->pixels[size], (uint8_t)size);
    assert_int_equal(set->report->remark_count, cases[i].says != NULL);
    if (cases[i].says != NULL) assert_non_null(strstr(set->report->remarks[0], cases[i].says));
    fovea_dataset_destroy(set);
  }
}

/* Labels sorted as some sets are: the first images would be of one class. The whole file is checked all the same. */
static void test_limit_is_fair(void **state) {
  (void)state;
  fovea_dataset *set;
  uint8_t labels[8 + 20] = {0, 0, 8, 1, 0, 0, 0, 20};
  uint16_t classes[20];
  for (int i = 0; i < 20; i++) classes[i] = labels[8 + i] = i < 10 ? 7 : 2;
  make("fair/train-images-idx3-ubyte", 8, 3, (uint32_t[]){20, 1, 2}, 40);
  temp_file("fair/train-labels-idx1-ubyte", labels, sizeof labels);
  assert_int_equal(fovea_dataset_load(temp_path("fair"), "train", 10, &set), FOVEA_OK);
  uint32_t index[10];
  assert_int_equal(fovea_dataset_sample(classes, 20, 10, index), FOVEA_OK);
  size_t sevens = 0;
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(set->pixels[2 * i], 2 * index[i]);
    assert_int_equal(set->labels[i], classes[index[i]]);
    sevens += set->labels[i] == 7;
  }
  assert_int_equal(sevens, 5);
  assert_int_equal(set->report->images, 20);
  assert_int_equal(set->report->class_count, 2);
  assert_int_equal(set->report->classes[0].label, 2);
  assert_int_equal(set->report->classes[0].there, 10);
  assert_int_equal(set->report->classes[0].taken, 5);
  fovea_dataset_destroy(set);
  make("fair/train-images-idx3-ubyte", 8, 3, (uint32_t[]){20, 1, 2}, 41);
  assert_int_equal(fovea_dataset_load(temp_path("fair"), "train", 10, &set), FOVEA_INVALID);
  assert_message("more than the 40 bytes");
}

static void test_what_is_said_and_refused(void **state) {
  (void)state;
  fovea_dataset *set;
  make("said/train-images-idx3-ubyte", 8, 3, (uint32_t[]){2, 2, 3}, 12);
  temp_file("said/mapping.txt", "x", 1);
  temp_file("said/train", "a file", 6);
  assert_int_equal(fovea_dataset_load(temp_path("said"), "train", 0, &set), FOVEA_OK);
  assert_int_equal(set->report->remark_count, 2);
  assert_non_null(strstr(set->report->remarks[0], "train has no labels"));
  assert_non_null(strstr(set->report->remarks[1], "'mapping.txt'"));
  fovea_dataset_destroy(set);
  for (int i = 0; i < 2; i++) {
    temp_file(i == 0 ? "both/test/x.txt" : "both/train/x.txt", "x", 1);
    make("both/train-images-idx3-ubyte", 8, 3, (uint32_t[]){2, 2, 3}, 12);
    assert_int_equal(fovea_dataset_load(temp_path("both"), "train", 0, &set), FOVEA_INVALID);
    assert_message("both IDX files ('train-images-idx3-ubyte') and a folder");
    assert_int_equal(fovea_dataset_load(temp_path("both"), "test", 0, &set), FOVEA_INVALID);
  }
}

static void test_bad_files(void **state) {
  (void)state;
  static const struct {
    const char *name, *says;
    uint8_t magic;
    int rank;
    uint32_t dims[4];
    size_t size;
  } cases[] = {
      {"a type that is none", "begins with 00 00 0a 03", 0x0a, 3, {1, 1, 1}, 4},
      {"rank 2", "rank 2; images in IDX files have rank 3 or 4", 8, 2, {1, 1}, 1},
      {"rank 5", "begins with 00 00 08 05", 8, 5, {1, 1, 1, 1}, 1},
      {"no images", "dimension 1 of 3 is 0", 8, 3, {0, 1, 1}, 0},
      {"no width", "dimension 3 of 3 is 0", 8, 3, {1, 1, 0}, 0},
      {"overflow", "overflows at dimension 2, 4294967295", 8, 3, {~0u, ~0u, ~0u}, 9},
      {"wraps to 1 image of 1", "overflows", 8, 4, {1u << 31, 1u << 31, 4, 1}, 9},
      {"promises 4 GB", "promises 4294967295 bytes, but it holds at most 25", 8, 3, {~0u, 1, 1}, 9},
      {"one byte short", "has 11 bytes of data, its header promises 12", 8, 3, {2, 2, 3}, 11},
      {"too wide", "dimension 3 is 65536, at most 65535", 8, 3, {1, 1, 65536}, 65536},
      {"one byte long", "more than the 12 bytes", 8, 3, {2, 2, 3}, 13},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_dataset *set;
    make("bad/train-images-idx3-ubyte", cases[i].magic, cases[i].rank,
         (uint32_t[5]){cases[i].dims[0], cases[i].dims[1], cases[i].dims[2], cases[i].dims[3], 1}, cases[i].size);
    fovea_status status = fovea_dataset_load(temp_path("bad"), "train", 0, &set);
    if (status != FOVEA_INVALID) fail_msg("%s: status %d", cases[i].name, status);
    assert_message("train-images-idx3-ubyte'");
    assert_message(cases[i].says);
  }
}

static void test_every_length_of_the_header(void **state) {
  (void)state;
  static const uint8_t bytes[17] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9};
  fovea_dataset *set;
  for (size_t size = 0; size < sizeof bytes; size++) {
    temp_file("short/train-images-idx3-ubyte", bytes, size);
    assert_int_equal(fovea_dataset_load(temp_path("short"), "train", 0, &set), FOVEA_INVALID);
  }
  temp_file("short/train-images-idx3-ubyte", bytes, sizeof bytes);
  assert_int_equal(fovea_dataset_load(temp_path("short"), "train", 0, &set), FOVEA_OK);
  fovea_dataset_destroy(set);
}

static void test_labels_must_match(void **state) {
  (void)state;
  fovea_dataset *set;
  make("count/train-images-idx3-ubyte", 8, 3, (uint32_t[]){5, 2, 3}, 30);
  make("count/train-labels-idx1-ubyte", 8, 1, (uint32_t[]){4}, 4);
  assert_int_equal(fovea_dataset_load(temp_path("count"), "train", 0, &set), FOVEA_INVALID);
  assert_message("has 4 labels");
  assert_int_equal(fovea_dataset_load(temp_path("count"), "train", 2, &set), FOVEA_INVALID);
  assert_message("5 images");
}

/* A header of one image before 16 MB of zeros, and a header of 4 TB in a small file. */
static void test_bombs(void **state) {
  (void)state;
  fovea_dataset *set;
  size_t size = 1 << 24;
  uint8_t *bytes = calloc(size, 1), header[16] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  memcpy(bytes, header, 16);
  temp_file("bomb/train-images-idx3-ubyte.gz", "", 0);
  for (int i = 0; i < 2; i++) {
    gzFile file = gzopen(temp_path("bomb/train-images-idx3-ubyte.gz"), "wb9");
    gzwrite(file, bytes, (unsigned)size);
    gzclose(file);
    assert_int_equal(fovea_dataset_load(temp_path("bomb"), "train", 0, &set), FOVEA_INVALID);
    assert_message(i == 0 ? "more than the 1 bytes" : "promises");
    bytes[4] = bytes[9] = bytes[14] = 1;
    size = 1000;
  }
  free(bytes);
}

static void test_missing(void **state) {
  (void)state;
  fovea_dataset *set;
  assert_int_equal(fovea_dataset_load(temp_path("absent"), "train", 0, &set), FOVEA_IO);
  assert_message("dataset-fashion-mnist");
  temp_file("nothing/readme", "x", 1);
  assert_int_equal(fovea_dataset_load(temp_path("nothing"), "test", 0, &set), FOVEA_INVALID);
  assert_message("t10k-images-idx3-ubyte");
  assert_message("dataset-fashion-mnist");
  assert_int_equal(fovea_dataset_load(temp_path("nothing/readme"), "test", 0, &set), FOVEA_INVALID);
  assert_int_equal(fovea_dataset_load(temp_path("nothing"), "valid", 0, &set), FOVEA_INVALID);
}

static uint64_t hash(const uint8_t *data, size_t size) {
  XXH64_state_t h;
  XXH64_reset(&h, 0);
  XXH64_update(&h, data, size);
  return XXH64_digest(&h);
}

/* Sums by python-xxhash of the bytes after the headers. */
static void test_fashion_mnist(void **state) {
  (void)state;
  static const struct {
    const char *split;
    size_t count;
    uint8_t first;
    uint64_t pixels, labels;
  } cases[] = {
      {"train", 60000, 9, 0x924ae43d1005aa0eu, 0x97e6779495a8b4bau},
      {"test", 10000, 9, 0x52d5cf267209b007u, 0x440bcedb1e3e9174u},
  };
  if (access(FASHION, R_OK) != 0) skip();
  for (size_t i = 0; i < 2; i++) {
    fovea_dataset *set;
    assert_int_equal(fovea_dataset_load(FASHION, cases[i].split, 0, &set), FOVEA_OK);
    assert_int_equal(set->count, cases[i].count);
    assert_int_equal(set->channels, 1);
    assert_int_equal(set->height, 28);
    assert_int_equal(set->width, 28);
    assert_int_equal(set->labels[0], cases[i].first);
    assert_int_equal(hash(set->pixels, set->count * 784), cases[i].pixels);
    uint8_t labels[60000];
    for (size_t k = 0; k < set->count; k++) labels[k] = (uint8_t)set->labels[k];
    assert_int_equal(hash(labels, set->count), cases[i].labels);
    fovea_dataset_destroy(set);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gray_with_labels),
      cmocka_unit_test(test_rgb_becomes_channels_first),
      cmocka_unit_test(test_bad_files),
      cmocka_unit_test(test_every_length_of_the_header),
      cmocka_unit_test(test_labels_must_match),
      cmocka_unit_test(test_bombs),
      cmocka_unit_test(test_missing),
      cmocka_unit_test(test_fashion_mnist),
      cmocka_unit_test(test_rank_4),
      cmocka_unit_test(test_limit_is_fair),
      cmocka_unit_test(test_what_is_said_and_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
