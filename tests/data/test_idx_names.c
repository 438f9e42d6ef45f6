/* IDX files as people have them: their names, places, compression, types and shapes, and what is refused. Each is a
 * case that somebody met. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <zlib.h>

#include "fovea/data.h"
#include "support/arrays.h"
#include "support/tempdir.h"

enum { SAID = 1 << 13, SIDE = 4 };

/* ---- the sets --------------------------------------------------------------------------------------------------- */

/* Images and labels of both splits, 8 and 4, by names with %s for images or labels and the rank; NULL for none. */
static void four(const char *set, const char *train, const char *test, const char *labels, const char *test_labels) {
  const uint32_t count[] = {8, 4};
  const char *const images[] = {train, test}, *const with[] = {labels, test_labels};
  for (int i = 0; i < 2; i++) {
    if (images[i] != NULL) array_idx(array_name(set, images[i]), 8, 3, (uint32_t[]){count[i], SIDE, SIDE});
    if (with[i] != NULL) array_idx(array_name(set, with[i]), 8, 1, (uint32_t[]){count[i]});
  }
}

static void plain(const char *set) {
  four(set, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte");
}

static void dot_names(const char *set) {
  four(set, "train-images.idx3-ubyte", "t10k-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-labels.idx1-ubyte");
}

static void upper_case(const char *set) {
  four(set, "TRAIN-IMAGES-IDX3-UBYTE", "T10K-IMAGES-IDX3-UBYTE", "TRAIN-LABELS-IDX1-UBYTE", "T10K-LABELS-IDX1-UBYTE");
}

static void test_not_t10k(const char *set) {
  four(set, "train-images-idx3-ubyte", "test-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-labels-idx1-ubyte");
}

static void emnist(const char *set) {
  four(set, "emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-test-images-idx3-ubyte.gz",
       "emnist-letters-train-labels-idx1-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz");
}

static void emnist_of_two(const char *set) {
  emnist(set);
  four(set, "emnist-digits-train-images-idx3-ubyte.gz", "emnist-digits-test-images-idx3-ubyte.gz", NULL, NULL);
}

static void below(const char *set) {
  char inside[256];
  snprintf(inside, sizeof inside, "%s/MNIST/raw", set);
  plain(inside);
}

static void two_below(const char *set) {
  char inside[256];
  below(set);
  snprintf(inside, sizeof inside, "%s/FashionMNIST/raw", set);
  plain(inside);
}

static void without_labels(const char *set) {
  four(set, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte", NULL, NULL);
}

static void labels_of_train(const char *set) {
  four(set, "train-images-idx3-ubyte", "t10k-images-idx3-ubyte", "train-labels-idx1-ubyte", NULL);
}

static void fewer_labels(const char *set) {
  plain(set);
  array_idx(array_name(set, "train-labels-idx1-ubyte"), 8, 1, (uint32_t[]){7});
}

static void only_train(const char *set) { four(set, "train-images-idx3-ubyte", NULL, "train-labels-idx1-ubyte", NULL); }

static void int_labels(const char *set) {
  without_labels(set);
  const uint8_t eight[] = {0, 0, 12, 1,  0, 0, 0, 8, 0, 0, 1, 48, 0, 0, 1, 49, 0, 0, 1, 50,
                           0, 0, 1,  51, 0, 0, 0, 0, 0, 0, 0, 1,  0, 0, 0, 2,  0, 0, 0, 3};
  temp_file(array_name(set, "train-labels-idx1-ubyte"), eight, sizeof eight);
  const uint8_t four_shorts[] = {0, 0, 11, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 2, 1, 44};
  temp_file(array_name(set, "t10k-labels-idx1-short"), four_shorts, sizeof four_shorts);
}

static void labels_below_zero(const char *set) {
  int_labels(set);
  const uint8_t shorts[] = {0, 0, 11, 1, 0, 0, 0, 4, 0, 0, 0xff, 0xff, 0, 2, 0, 3};
  temp_file(array_name(set, "t10k-labels-idx1-short"), shorts, sizeof shorts);
}

static void qmnist(const char *set) {
  uint8_t labels[12 + 8 * 32] = {0, 0, 12, 2, 0, 0, 0, 8, 0, 0, 0, 8};
  without_labels(set);
  for (int i = 0; i < 8; i++) labels[12 + 32 * i + 3] = (uint8_t)(i % 3), labels[12 + 32 * i + 7] = 99;
  temp_file(array_name(set, "train-labels-idx2-int"), labels, sizeof labels);
}

static void gz_name_plain(const char *set) {
  plain(set);
  array_rename(set, "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz");
}

/* plain() with the training images in gzip; the caller puts `after` behind them. */
static void gzipped(const char *set, const char *name, const void *after, size_t size, size_t cut) {
  plain(set);
  array_gzip(set, "train-images-idx3-ubyte", name, after, size, cut);
}

static void plain_name_gz(const char *set) { gzipped(set, "train-images-idx3-ubyte", NULL, 0, 0); }
static void trailing_junk(const char *set) { gzipped(set, "train-images-idx3-ubyte.gz", "some junk\n", 10, 0); }
static void truncated_gz(const char *set) { gzipped(set, "train-images-idx3-ubyte.gz", NULL, 0, 30); }

static void trailing_zeros(const char *set) {
  static const uint8_t zeros[512];
  gzipped(set, "train-images-idx3-ubyte.gz", zeros, sizeof zeros, 0);
}

static void members(const char *set) {
  array_idx(array_name(set, "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){8, SIDE, SIDE});
  array_gzip_members(set, "train-images-idx3-ubyte", "m.gz", 50);
  plain(set);
  array_rename(set, "m.gz", "train-images-idx3-ubyte.gz");
  remove(temp_path(array_name(set, "train-images-idx3-ubyte")));
}

static void html(const char *set) {
  plain(set);
  static const char page[] = "\n<!DOCTYPE HTML PUBLIC><html><head><title>404</title>";
  temp_file(array_name(set, "train-images-idx3-ubyte"), page, sizeof page - 1);
}

static void zip(const char *set) {
  plain(set);
  temp_file(array_name(set, "train-images-idx3-ubyte"), "PK\3\4 and so on", 14);
}

static void zip_only(const char *set) {
  temp_file(array_name(set, "train-images-idx3-ubyte.zip"), "PK\3\4 and so on", 14);
}

static void zero_bytes(const char *set) {
  plain(set);
  temp_file(array_name(set, "train-images-idx3-ubyte"), "", 0);
}

static void truncated(const char *set) {
  plain(set);
  array_cut(set, "train-images-idx3-ubyte", 100);
}

static void truncated_beside_gz(const char *set) {
  gzipped(set, "train-images-idx3-ubyte.gz", NULL, 0, 0);
  array_idx(array_name(set, "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){8, SIDE, SIDE});
  array_cut(set, "train-images-idx3-ubyte", 100);
}

static void huge(const char *set) {
  static const uint8_t header[] = {0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2, 3};
  plain(set);
  temp_file(array_name(set, "train-images-idx3-ubyte"), header, sizeof header);
}

static void huge_gz(const char *set) {
  huge(set);
  array_gzip(set, "train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", NULL, 0, 0);
}

static void rank_4(const char *set, uint32_t a, uint32_t b, uint32_t c) {
  array_idx(array_name(set, "train-images-idx4-ubyte"), 8, 4, (uint32_t[]){8, a, b, c});
  array_idx(array_name(set, "t10k-images-idx4-ubyte"), 8, 4, (uint32_t[]){4, a, b, c});
}

static void nhwc(const char *set) { rank_4(set, SIDE + 1, SIDE + 1, 3); }
static void nchw(const char *set) { rank_4(set, 4, SIDE + 1, SIDE + 1); }
static void rgba(const char *set) { rank_4(set, SIDE + 1, SIDE + 1, 4); }

static void floats(const char *set) {
  float values[8 * 4];
  plain(set);
  for (int i = 0; i < 32; i++) values[i] = (float)i / 31;
  array_idx_floats(array_name(set, "train-images-idx3-ubyte"), 3, (uint32_t[]){8, 2, 2}, values);
  for (int i = 0; i < 16; i++) values[i] = (float)i * 17;
  array_idx_floats(array_name(set, "t10k-images-idx3-ubyte"), 3, (uint32_t[]){4, 2, 2}, values);
}

static void floats_below_zero(const char *set) {
  float values[8 * 4];
  plain(set);
  for (int i = 0; i < 32; i++) values[i] = (float)i / 16 - 1;
  array_idx_floats(array_name(set, "train-images-idx3-ubyte"), 3, (uint32_t[]){8, 2, 2}, values);
}

static void floats_not_a_number(const char *set) {
  float values[8 * 4] = {0};
  plain(set);
  values[5] = (float)strtod("nan", NULL);
  array_idx_floats(array_name(set, "train-images-idx3-ubyte"), 3, (uint32_t[]){8, 2, 2}, values);
}

static void folders_too(const char *set) {
  plain(set);
  temp_file(array_name(set, "train/cat/readme"), "x", 1);
  temp_file(array_name(set, "test/cat/readme"), "x", 1);
}

static void half_folders(const char *set) {
  four(set, "train-images-idx3-ubyte", NULL, NULL, NULL);
  temp_file(array_name(set, "test/cat/readme"), "x", 1);
}

static void pickles(const char *set) {
  temp_file(array_name(set, "train"), "\x80\2}q.", 5);
  temp_file(array_name(set, "test"), "\x80\2}q.", 5);
}

static void parquet(const char *set) { temp_file(array_name(set, "data/train-00000-of-00001.parquet"), "PAR1....", 8); }

/* ---- each tried ------------------------------------------------------------------------------------------------- */

typedef struct sample {
  const char *name;
  void (*make)(const char *set);
  fovea_status status;
  size_t train, test, classes;
  int channels, height, width;
  const char *says[2];
  fovea_load_options options;
} sample;

#define LOADS(classes) FOVEA_OK, 8, 4, classes, 1, SIDE, SIDE
#define SHAPED(channels, height, width) FOVEA_OK, 8, 4, 0, channels, height, width
#define REFUSED FOVEA_INVALID, 0, 0, 0, 0, 0, 0

static const sample samples[] = {
    {"dot-names", dot_names, LOADS(8), {NULL}, {0}},
    {"upper-case", upper_case, LOADS(8), {NULL}, {0}},
    {"test-not-t10k", test_not_t10k, LOADS(8), {NULL}, {0}},
    {"emnist", emnist, LOADS(8), {"EMNIST's images are stored with rows and columns exchanged: --transpose"}, {0}},
    {"emnist-letters", emnist_of_two, LOADS(8), {"--transpose"}, {.set = "letters"}},
    {"emnist-transposed", emnist, LOADS(8), {"rows and columns of each image are exchanged"}, {.transpose = true}},
    {"emnist-two", emnist_of_two, REFUSED, {"--set: emnist-digits (", "emnist-letters ("}, {0}},
    {"emnist-none", emnist_of_two, REFUSED, {"no set called 'byclass'", "emnist-digits"}, {.set = "byclass"}},
    {"torchvision", below, LOADS(8), {"the data set is in", "MNIST/raw"}, {0}},
    {"torchvision-two", two_below, REFUSED, {"holds several data sets", "FashionMNIST/raw"}, {0}},
    {"no-labels", without_labels, LOADS(0), {"train has no labels"}, {0}},
    {"labels-of-train", labels_of_train, LOADS(8), {NULL}, {0}},
    {"fewer-labels", fewer_labels, REFUSED, {"train-labels-idx1-ubyte' has 7 labels", "has 8 images"}, {0}},
    {"only-train", only_train, REFUSED, {"has no test split: --split 0.1"}, {0}},
    {"only-train-split", only_train, FOVEA_OK, 6, 2, 6, 1, SIDE, SIDE, {"is split by --split 0.25"}, {.split = 0.25}},
    {"split-of-two", plain, REFUSED, {"has a test split: --split is for sets that have none"}, {.split = 0.25}},
    {"int-labels", int_labels, LOADS(8), {"304=304", "307=307"}, {0}},
    {"labels-below-zero", labels_below_zero, REFUSED, {"label 2 is -1; labels are whole numbers from 0 to 65535"}, {0}},
    {"qmnist", qmnist, LOADS(3), {"has 8 columns: the first is the class"}, {0}},
    {"gz-name-plain", gz_name_plain, LOADS(8), {NULL}, {0}},
    {"plain-name-gz", plain_name_gz, LOADS(8), {NULL}, {0}},
    {"trailing-junk", trailing_junk, LOADS(8), {"has bytes after its gzip data, which are not used"}, {0}},
    {"trailing-zeros", trailing_zeros, LOADS(8), {NULL}, {0}},
    {"members", members, LOADS(8), {NULL}, {0}},
    {"truncated-gz", truncated_gz, REFUSED, {"ends in the middle of its gzip data, after 30 bytes"}, {0}},
    {"html", html, REFUSED, {"is an HTML page: the download went wrong"}, {0}},
    {"zip", zip, REFUSED, {"is a zip archive: unzip it first"}, {0}},
    {"zip-only", zip_only, REFUSED, {"'train-images-idx3-ubyte.zip', which is a zip archive: unzip it first"}, {0}},
    {"zero-bytes", zero_bytes, REFUSED, {"is empty: the download went wrong"}, {0}},
    {"truncated", truncated, REFUSED, {"promises 128 bytes, but it holds at most 100"}, {0}},
    {"truncated-beside-gz",
     truncated_beside_gz,
     LOADS(8),
     {"is cut off or damaged: 'train-images-idx3-ubyte.gz'"},
     {0}},
    {"huge", huge, REFUSED, {"promises 3367254359280 bytes, but it holds at most 19"}, {0}},
    {"huge-gz", huge_gz, REFUSED, {"promises 3367254359280 bytes"}, {0}},
    {"nhwc", nhwc, SHAPED(3, SIDE + 1, SIDE + 1), {NULL}, {0}},
    {"nchw", nchw, SHAPED(4, SIDE + 1, SIDE + 1), {"4 x 5 x 5 an image: taken as channels, height, width"}, {0}},
    {"nchw-as-nhwc", nchw, SHAPED(SIDE + 1, 4, SIDE + 1), {NULL}, {.layout = FOVEA_LAYOUT_NHWC}},
    {"nhwc-as-nchw", nhwc, SHAPED(SIDE + 1, SIDE + 1, 3), {NULL}, {.layout = FOVEA_LAYOUT_NCHW}},
    {"rgba", rgba, SHAPED(4, SIDE + 1, SIDE + 1), {NULL}, {0}},
    {"floats", floats, FOVEA_OK, 8, 4, 8, 1, 2, 2, {"floats from 0 to 1 are taken as 0 to 1, times 255"}, {0}},
    {"floats-below-zero", floats_below_zero, REFUSED, {"numbers from -1 to 0.9375; pixels are 0 to 255"}, {0}},
    {"floats-nan", floats_not_a_number, REFUSED, {"number 6 is nan; pixels are finite"}, {0}},
    {"folders-too", folders_too, REFUSED, {"both IDX files", "--set idx or --set pictures says it"}, {0}},
    {"folders-too-idx", folders_too, LOADS(8), {NULL}, {.set = "idx"}},
    {"half-folders", half_folders, REFUSED, {"both IDX files"}, {0}},
    {"pickles", pickles, REFUSED, {"which is a Python pickle", "numpy.savez"}, {0}},
    {"parquet", parquet, REFUSED, {"which is a Parquet file", "pandas.read_parquet"}, {0}},
    {"resized", plain, FOVEA_OK, 8, 4, 8, 1, 3, 7, {"images of 4x4 are resized to 3x7"}, {.height = 3, .width = 7}},
    {"for-pictures", plain, REFUSED, {"--skip-bad are for pictures"}, {.skip_bad = true}},
};

static void every_set(void **state) {
  (void)state;
  static char said[SAID];
  size_t bad = 0;
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
    const sample *s = &samples[i];
    fovea_dataset *train = NULL, *test = NULL;
    s->make(s->name);
    fovea_status status = fovea_dataset_load_as(temp_path(s->name), "train", &s->options, &train);
    array_said(train, said, sizeof said);
    if (status == FOVEA_OK) status = fovea_dataset_load_as(temp_path(s->name), "test", &s->options, &test);
    if (train != NULL && test == NULL) array_said(NULL, said, sizeof said);
    bool good = status == s->status;
    for (size_t k = 0; k < 2 && s->says[k] != NULL; k++) good = good && strstr(said, s->says[k]) != NULL;
    if (s->status == FOVEA_OK && good)
      good = train->count == s->train && test->count == s->test && train->report->class_count == s->classes &&
             train->channels == s->channels && train->height == s->height && train->width == s->width;
    if (!good) print_error("%s: status %d, %s\n", s->name, status, said);
    bad += !good;
    fovea_dataset_destroy(train);
    fovea_dataset_destroy(test);
  }
  assert_int_equal(bad, 0);
}

static void wide(const char *set) {
  plain(set);
  array_idx(array_name(set, "train-images-idx3-ubyte"), 8, 3, (uint32_t[]){8, 3, 5});
}

/* The numbers themselves: transposed, channels last, floats of two kinds. */
static void test_pixels(void **state) {
  (void)state;
  static const struct {
    const char *name, *split;
    void (*make)(const char *set);
    fovea_load_options options;
    uint8_t pixels[6];
  } cases[] = {
      {"p-plain", "train", plain, {0}, {0, 1, 2, 3, 4, 5}},
      {"p-transposed", "train", plain, {.transpose = true}, {0, 4, 8, 12, 1, 5}},
      {"p-wide-transposed", "train", wide, {.transpose = true}, {0, 5, 10, 1, 6, 11}},
      {"p-nhwc", "train", nhwc, {0}, {0, 3, 6, 9, 12, 15}},
      {"p-nhwc-transposed", "train", nhwc, {.transpose = true}, {0, 15, 30, 45, 60, 3}},
      {"p-nchw", "train", nchw, {0}, {0, 1, 2, 3, 4, 5}},
      {"p-half", "train", plain, {.height = 2, .width = 2}, {3, 5, 11, 13, 19, 21}},
      {"p-nhwc-one", "train", nhwc, {.height = 1, .width = 1}, {36, 37, 38, 111, 112, 113}},
      {"p-float-1", "train", floats, {0}, {0, 8, 16, 25, 33, 41}},
      {"p-float-255", "test", floats, {0}, {0, 17, 34, 51, 68, 85}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_dataset *set = NULL;
    cases[i].make(cases[i].name);
    assert_int_equal(fovea_dataset_load_as(temp_path(cases[i].name), cases[i].split, &cases[i].options, &set),
                     FOVEA_OK);
    if (memcmp(set->pixels, cases[i].pixels, 6) != 0)
      fail_msg("%s: %d %d %d %d %d %d", cases[i].name, set->pixels[0], set->pixels[1], set->pixels[2], set->pixels[3],
               set->pixels[4], set->pixels[5]);
    fovea_dataset_destroy(set);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_set), cmocka_unit_test(test_pixels)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
