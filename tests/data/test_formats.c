/* Arrays of numpy, safetensors, tables of digits and CIFAR's files: the images that come of them, and what is refused.
 * Each image i of four has the numbers 10 i, 10 i + 1, ... and the label i % 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <zip.h>

#include "fovea/data.h"
#include "fovea/safetensors.h"
#include "support/arrays.h"
#include "support/tempdir.h"

enum { SAID = 1 << 13, N = 4, PIXELS = 6 };

/* ---- numbers of every type ----------------------------------------------------------------------------------------
 */

static void put_number(uint8_t *to, const char *type, double value) {
  const size_t size = (size_t)(type[2] - '0');
  uint64_t bits = (uint64_t)(int64_t)value;
  const float f = (float)value;
  if (type[1] == 'f' && size == 8) memcpy(&bits, &value, 8);
  if (type[1] == 'f' && size == 4) bits = 0, memcpy(&bits, &f, 4);
  for (size_t k = 0; k < size; k++) to[type[0] == '>' ? size - 1 - k : k] = (uint8_t)(k < 8 ? bits >> 8 * k : 0);
}

/* Images in C or in Fortran order, times `scale`; labels where `columns` is 0, one-hot where it is more than 1. */
static size_t images_of(const char *type, bool fortran, double scale, uint8_t *to) {
  const size_t size = (size_t)(type[2] - '0');
  for (size_t n = 0; n < N; n++)
    for (size_t h = 0; h < 2; h++)
      for (size_t w = 0; w < 3; w++)
        put_number(to + size * (fortran ? n + N * (h + 2 * w) : (n * 2 + h) * 3 + w), type,
                   scale * (double)(10 * n + 3 * h + w));
  return size * N * PIXELS;
}

static size_t labels_of(const char *type, size_t columns, uint8_t *to) {
  const size_t size = (size_t)(type[2] - '0');
  for (size_t n = 0; n < N; n++)
    for (size_t c = 0; c < columns; c++)
      put_number(to + size * (n * columns + c), type, columns == 1 ? (double)(n % 3) : (double)(n % 3 == c));
  return size * N * columns;
}

static void npy(const char *name, int version, const char *type, bool fortran, const char *shape, double scale,
                size_t columns) {
  char header[128];
  uint8_t data[2048];
  snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", type,
           fortran ? "True" : "False", shape);
  const size_t size = columns > 0 ? labels_of(type, columns, data) : images_of(type, fortran, scale, data);
  array_npy(name, version, header, data, size);
}

/* ---- what comes of them ----------------------------------------------------------------------------------------- */

static fovea_dataset *loaded;
static char said[SAID];

static fovea_status load(const char *name, const char *split, const fovea_load_options *options) {
  fovea_dataset_destroy(loaded);
  loaded = NULL;
  const fovea_status status = fovea_dataset_load_as(temp_path(name), split, options, &loaded);
  array_said(loaded, said, sizeof said);
  return status;
}

/* All four images, or those of a split. */
static void check(const char *name, bool labels) {
  if (loaded->count > N || loaded->channels * loaded->height * loaded->width != PIXELS)
    fail_msg("%s: %zu images of %dx%dx%d", name, loaded->count, loaded->channels, loaded->height, loaded->width);
  assert_int_equal(loaded->labels != NULL, labels);
  for (size_t n = 0; n < loaded->count; n++) {
    for (size_t p = 0; p < PIXELS; p++)
      if (loaded->pixels[n * PIXELS + p] != 10 * n + p)
        fail_msg("%s: number %zu of image %zu is %d", name, p, n, loaded->pixels[n * PIXELS + p]);
    if (labels && loaded->labels[n] != n % 3) fail_msg("%s: label %zu is %d", name, n, loaded->labels[n]);
  }
}

static void assert_said(const char *part) {
  if (strstr(said, part) == NULL) fail_msg("'%s' is not in: %s", part, said);
}

/* ---- numpy --------------------------------------------------------------------------------------------------------
 */

static void test_npy(void **state) {
  (void)state;
  static const struct {
    int version;
    const char *images;
    bool fortran;
    double scale;
    const char *shape, *labels, *label_shape;
    size_t columns;
    fovea_layout layout;
  } cases[] = {{1, "|u1", false, 1, "(4, 2, 3)", "<i8", "(4,)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {2, "|u1", true, 1, "(4, 2, 3)", "|u1", "(4, 1)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {3, "<f4", false, 1.0 / 255, "(4, 2, 3)", ">i4", "(4,)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {1, ">f4", true, 1.0 / 255, "(4, 2, 3)", "<f8", "(4, 1)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {1, "<f8", false, 1, "(4L, 2L, 3L)", "<i2", "(4,)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {1, ">i8", false, 1, "(4, 2, 3)", "<u2", "(4,)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {1, "<i4", true, 1, "(4, 2, 3)", "<f4", "(4, 3)", 3, FOVEA_LAYOUT_BY_SHAPE},
               {1, ">u2", false, 1, "(4, 2, 3)", "|i1", "(4, 3)", 3, FOVEA_LAYOUT_BY_SHAPE},
               {1, "<u2", false, 257, "(4, 2, 3)", "<u8", "(4,)", 1, FOVEA_LAYOUT_BY_SHAPE},
               {1, "|u1", false, 1, "(4, 1, 2, 3)", "<u4", "(4,)", 1, FOVEA_LAYOUT_NCHW},
               {1, "|u1", false, 1, "(4, 2, 3, 1)", "|b1", "(4, 3)", 3, FOVEA_LAYOUT_BY_SHAPE}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[32];
    snprintf(folder, sizeof folder, "npy%zu", i);
    for (int k = 0; k < 2; k++) {
      npy(array_name(folder, k == 0 ? "x_train.npy" : "x_test.npy"), cases[i].version, cases[i].images,
          cases[i].fortran, cases[i].shape, cases[i].scale, 0);
      npy(array_name(folder, k == 0 ? "y_train.npy" : "y_test.npy"), cases[i].version, cases[i].labels, false,
          cases[i].label_shape, 1, cases[i].columns);
    }
    const fovea_load_options options = {.layout = cases[i].layout};
    if (load(folder, "train", &options) != FOVEA_OK) fail_msg("%zu: %s", i, said);
    check(folder, true);
    assert_int_equal(load(folder, "test", &options), FOVEA_OK);
    check(folder, true);
  }
}

/* --range: what is stored becomes 0 to 255 in proportion, rounded, what is outside is cut off; 12 bits in numbers of 16
 * are dark without it, and that is said. */
static void test_range(void **state) {
  (void)state;
  static const double ranges[][2] = {{0, 4080}, {-1000, 3000}, {160, 320}, {1000, 4080}};
  npy(array_name("range", "x_train.npy"), 1, "<u2", false, "(4, 2, 3)", 16, 0);
  const fovea_load_options plain = {.split = 0.25};
  assert_int_equal(load("range", "train", &plain), FOVEA_OK);
  if (strstr(said, "the images are dark; --range 0:") == NULL) fail_msg("%s", said);
  npy(array_name("bytes", "x_train.npy"), 1, "|u1", false, "(4, 2, 3)", 1, 0);
  uint8_t bytes[18];
  assert_int_equal(load("bytes", "train", &plain), FOVEA_OK);
  assert_int_equal(loaded->count, 3);
  memcpy(bytes, loaded->pixels, sizeof bytes);
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
    const double low = ranges[i][0], high = ranges[i][1];
    const fovea_load_options options = {.split = 0.25, .range = {low, high}};
    assert_int_equal(load("range", "train", &options), FOVEA_OK);
    assert_non_null(strstr(said, "of them become 0 to 255 (--range)"));
    assert_int_equal(strstr(said, "what is outside is cut off") != NULL, i == 2 || i == 3);
    for (size_t k = 0; k < sizeof bytes; k++) {
      const double x = 255 * (16.0 * bytes[k] - low) / (high - low);
      assert_int_equal(loaded->pixels[k], x < 0 ? 0 : x > 255 ? 255 : (int)(x + 0.5));
    }
  }
  npy(array_name("signed", "x_train.npy"), 1, "<i4", false, "(4, 2, 3)", 16, 0);
  assert_int_equal(load("signed", "train", &plain), FOVEA_INVALID);
  assert_non_null(strstr(said, "--range 0:"));
}

static void test_bad_npy(void **state) {
  (void)state;
#define HEADER(descr, order, shape) "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"
  static const struct {
    const char *header, *says;
    size_t size;
    int version;
  } cases[] = {
      {HEADER("'<c8'", "False", "(4, 2, 3)"), "numbers of type '<c8'", 24, 1},
      {HEADER("'|O'", "False", "(4, 2, 3)"), "Python objects", 24, 1},
      {HEADER("'<f2'", "False", "(4, 2, 3)"), "x.astype('f4')", 48, 1},
      {HEADER("[('a', '<f4')]", "False", "(4, 2, 3)"), "a 'descr' of one type", 24, 1},
      {HEADER("'|u1'", "Perhaps", "(4, 2, 3)"), "a 'fortran_order'", 24, 1},
      {HEADER("'|u1'", "False", "[4, 2, 3]"), "a 'shape'", 24, 1},
      {HEADER("'|u1'", "False", "(4, -2, 3)"), "a 'shape'", 24, 1},
      {HEADER("'|u1'", "False", "()"), "a single number", 1, 1},
      {HEADER("'|u1'", "False", "(4, 0, 3)"), "dimension 2 of 3 is 0", 0, 1},
      {HEADER("'|u1'", "False", "(4, 99999999999999999999999, 3)"), "overflows", 24, 1},
      {HEADER("'|u1'", "False", "(4, 4294967295, 4294967295)"), "overflows", 24, 1},
      {HEADER("'|u1'", "False", "(400000, 2, 3)"), "promises 2400000 bytes", 24, 1},
      {HEADER("'|u1'", "False", "(4, 2, 3)"), "23 bytes of data, its header promises 24", 23, 1},
      {HEADER("'|u1'", "False", "(4, 2, 3)"), "more than the 24 bytes", 25, 1},
      {HEADER("'|u1'", "False", "(1,1,1,1,1,1,1,1,1)"), "more than 8 dimensions", 1, 1},
      {HEADER("'|u1'", "False", "(2,1,2,3,2)"), "5 dimensions; images have 2 to 4", 24, 1},
      {HEADER("'|u1'", "False", "(4, 5)"), "5 numbers an image, which is no square", 20, 1},
      {HEADER("'|u1'", "False", "(4, 12)"), "3 channels of 2x2: --layout nchw", 48, 1},
      {HEADER("'<i4'", "False", "(1, 2, 3)"), "numbers from 5.0463e+07 to 3.87323e+08; pixels are 0 to 255", 24, 1},
      {HEADER("'|u1'", "False", "(4, 2, 3)"), "version 4, known are 1 to 3", 24, 4},
      {"", "a 'fortran_order'", 24, 1}};
  uint8_t data[64];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)i;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    array_npy("bad/x_train.npy", cases[i].version, cases[i].header, data, cases[i].size);
    if (load("bad", "train", NULL) != FOVEA_INVALID) fail_msg("%s was read", cases[i].says);
    assert_said(cases[i].says);
    assert_said("x_train.npy");
  }
}

/* ---- .npz ---------------------------------------------------------------------------------------------------------
 */

/* A zip of the files that temp_path has. */
static void npz(const char *name, bool deflated, const char *const *members, size_t count) {
  char path[1024];
  int error = 0;
  snprintf(path, sizeof path, "%s", temp_file(name, "", 0));
  remove(path);
  zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &error);
  assert_non_null(archive);
  for (size_t i = 0; i < count; i++) {
    zip_source_t *source = zip_source_file(archive, temp_path(members[i]), 0, -1);
    const zip_int64_t at = zip_file_add(archive, members[i], source, 0);
    assert_true(at >= 0);
    zip_set_file_compression(archive, (zip_uint64_t)at, deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  assert_int_equal(zip_close(archive), 0);
}

static void test_npz(void **state) {
  (void)state;
  static const struct {
    const char *name, *split;
    const char *images[2], *labels[2]; /* the other split's last */
    bool deflated;
    double part;
  } cases[] = {
      {"keras/mnist.npz", "train", {"x_train.npy", "x_test.npy"}, {"y_train.npy", "y_test.npy"}, true, 0},
      {"keras/mnist.npz", "test", {"x_train.npy", "x_test.npy"}, {"y_train.npy", "y_test.npy"}, false, 0},
      {"med/pathmnist.npz",
       "test",
       {"train_images.npy", "test_images.npy"},
       {"train_labels.npy", "test_labels.npy"},
       true,
       0},
      {"val/set.npz", "test", {"train_images.npy", "val_images.npy"}, {"train_labels.npy", "val_labels.npy"}, true, 0},
      {"savez/set.npz", "train", {"images.npy", NULL}, {"labels.npy", NULL}, false, 0.25},
      {"arr/data.npz", "train", {"arr_0.npy", NULL}, {"arr_1.npy", NULL}, true, 0.25}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *members[4];
    size_t count = 0;
    for (int k = 0; k < 2; k++) {
      if (cases[i].images[k] == NULL) continue;
      npy(members[count++] = cases[i].images[k], 1, "|u1", false, "(4, 2, 3)", 1, 0);
      npy(members[count++] = cases[i].labels[k], 1, "<i8", false, "(4,)", 1, 1);
    }
    npz(cases[i].name, cases[i].deflated, members, count);
    char folder[64];
    snprintf(folder, sizeof folder, "%.*s", (int)strcspn(cases[i].name, "/"), cases[i].name);
    const char *const places[] = {folder, cases[i].name};
    for (int k = 0; k < 2; k++) { /* the folder, and the file itself */
      const fovea_load_options options = {.split = cases[i].part};
      if (load(places[k], cases[i].split, &options) != FOVEA_OK) fail_msg("%s: %s", places[k], said);
      if (cases[i].part == 0) check(places[k], true);
      assert_int_equal(loaded->count, cases[i].part == 0 ? 4 : 3);
    }
    if (cases[i].part == 0) continue;
    assert_int_equal(load(places[0], "train", NULL), FOVEA_INVALID);
    assert_said("has no splits, train and test: --split 0.1");
  }
}

/* The file's name says nothing of its arrays; of two with rows the shorter ones are classes. */
static void test_unnamed(void **state) {
  (void)state;
  npy("arr_0.npy", 1, "|u1", false, "(4, 2, 3)", 1, 0);
  npy("arr_1.npy", 1, "<i8", false, "(4, 3)", 1, 3);
  npz("unnamed/data.npz", true, (const char *const[]){"arr_0.npy", "arr_1.npy"}, 2);
  const fovea_load_options options = {.split = 0.25};
  if (load("unnamed", "train", &options) != FOVEA_OK) fail_msg("%s", said);
  assert_said("has 3 columns: taken as one-hot");
  for (size_t n = 0; n < loaded->count; n++) assert_int_equal(loaded->labels[n], loaded->pixels[n * PIXELS] / 10 % 3);
  assert_int_equal(load("unnamed", "train", &(fovea_load_options){.split = 0.25, .skip_bad = true}), FOVEA_INVALID);
  assert_said("--channels and --skip-bad are for pictures");
  npy("foo.npy", 1, "|u1", false, "(4, 2, 3, 1)", 1, 0);
  npy("bar.npy", 1, "<i8", false, "(4,)", 1, 3);
  npz("strays/data.npz", true, (const char *const[]){"foo.npy", "bar.npy"}, 2);
  assert_int_equal(load("strays", "train", &options), FOVEA_OK);
  assert_said("'foo' is taken as the images; not used: 'bar'");
}

static void test_one_picture(void **state) {
  (void)state;
  static const uint8_t pixels[16 * 20 * 3] = {255};
  array_npy("photo/x_train.npy", 1, "{'descr': '|u1', 'fortran_order': False, 'shape': (16, 20, 3), }", pixels,
            sizeof pixels);
  assert_int_equal(load("photo", "train", NULL), FOVEA_INVALID);
  assert_said("16 x 20 x 3, which would be 16 images of 20x3: if it is one picture, save x[None]");
}

static void test_bad_npz(void **state) {
  (void)state;
  uint8_t bytes[2048];
  npy("val_images.npy", 1, "|u1", false, "(4, 2, 3)", 1, 0);
  npy("x_train.npy", 1, "|u1", false, "(4, 2, 3)", 1, 0);
  npy("y_train.npy", 1, "<i8", false, "(3,)", 1, 1);
  npy("x_test.npy", 1, "|u1", false, "(4, 2, 3)", 1, 0);
  npy("mean.npy", 1, "<U9", false, "(4,)", 1, 1);
  temp_file("readme.txt", "x", 1);
  npz("three/set.npz", true, (const char *const[]){"x_train.npy", "x_test.npy", "val_images.npy"}, 3);
  assert_int_equal(load("three", "train", NULL), FOVEA_OK);
  assert_said("not used: the validation split, 'val_images'");
  npz("few/set.npz", true, (const char *const[]){"x_train.npy", "y_train.npy", "x_test.npy"}, 3);
  assert_int_equal(load("few", "train", NULL), FOVEA_INVALID);
  assert_said("array 'y_train' has 3 labels");
  npy("y_train.npy", 1, "<U9", false, "(4,)", 1, 1);
  npz("words/set.npz", true, (const char *const[]){"x_train.npy", "y_train.npy"}, 2);
  assert_int_equal(load("words", "train", NULL), FOVEA_INVALID);
  assert_said("array 'y_train' holds text; labels are numbers: save numpy.unique(y, return_inverse=True)[1]");
  npz("none/set.npz", true, (const char *const[]){"mean.npy", "readme.txt"}, 2);
  assert_int_equal(load("none", "train", NULL), FOVEA_INVALID);
  assert_said("holds no array of images or labels; its first array is mean");
  temp_file("junk/set.npz", "no zip at all", 13);
  assert_int_equal(load("junk", "train", NULL), FOVEA_INVALID);
  assert_said("is no good .npz file");
  remove(temp_path("junk/set.npz"));
  assert_int_equal(mkfifo(temp_path("junk/set.npz"), 0666), 0);
  assert_int_equal(load("junk", "train", NULL), FOVEA_INVALID);
  assert_said("is not a regular file");
  npz("bits/set.npz", false, (const char *const[]){"x_train.npy", "x_test.npy"}, 2);
  FILE *file = fopen(temp_path("bits/set.npz"), "rb");
  assert_non_null(file);
  const size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  size_t loads = 0;
  for (size_t i = 0; i < size; i++) { /* the checksum misses nothing; names and times are not under it */
    bytes[i] ^= 16;
    temp_file("bits/set.npz", bytes, size);
    bytes[i] ^= 16;
    if (load("bits", "train", NULL) != FOVEA_OK) continue;
    check("bits", false);
    loads++;
  }
  assert_true(loads < size / 2);
}

/* Booleans and bytes of 0 and 1 would be black. */
static void test_black_and_white(void **state) {
  (void)state;
  static const uint8_t bits[2 * N] = {0, 1, 1, 0, 1, 0, 0, 1};
  static const struct {
    const char *descr, *dtype, *says;
  } cases[] = {{"|b1", "BOOL", "False and True are taken as 0 and 255"},
               {"|u1", "U8", "bytes of 0 and 1 alone are taken as 0 and 255"}};
  for (size_t i = 0; i < 2; i++) {
    char header[128];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 2, 2), }", cases[i].descr);
    array_npy("bits-npy/x_train.npy", 1, header, bits, sizeof bits);
    fovea_safetensor tensor = {
        .name = "train_images", .dtype = cases[i].dtype, .rank = 3, .dims = {2, 2, 2}, .data = bits};
    temp_file("bits-st/set.safetensors", "", 0);
    assert_int_equal(fovea_safetensors_write(temp_path("bits-st/set.safetensors"), &tensor, 1, NULL, 0), FOVEA_OK);
    for (int k = 0; k < 2; k++) {
      if (load(k == 0 ? "bits-npy" : "bits-st", "train", NULL) != FOVEA_OK) fail_msg("%s", said);
      assert_said(cases[i].says);
      for (size_t p = 0; p < sizeof bits; p++) assert_int_equal(loaded->pixels[p], 255 * bits[p]);
    }
  }
}

/* ---- safetensors --------------------------------------------------------------------------------------------------
 */

static void test_safetensors(void **state) {
  (void)state;
  uint8_t images[N * PIXELS * 4], labels[N * 8];
  images_of("<f4", false, 1.0 / 255, images);
  labels_of("<i8", 1, labels);
  fovea_safetensor tensors[] = {
      {.name = "train_images", .dtype = "F32", .rank = 3, .dims = {N, 2, 3}, .data = images},
      {.name = "train_labels", .dtype = "I64", .rank = 1, .dims = {N}, .data = labels},
      {.name = "test_images", .dtype = "F32", .rank = 4, .dims = {N, 2, 3, 1}, .data = images}};
  temp_file("st/set.safetensors", "", 0);
  assert_int_equal(fovea_safetensors_write(temp_path("st/set.safetensors"), tensors, 3, NULL, 0), FOVEA_OK);
  for (int k = 0; k < 2; k++) {
    if (load(k == 0 ? "st" : "st/set.safetensors", "train", NULL) != FOVEA_OK) fail_msg("%s", said);
    check("safetensors", true);
    assert_int_equal(load(k == 0 ? "st" : "st/set.safetensors", "test", NULL), FOVEA_OK);
    check("safetensors", false);
  }
  tensors[0].dtype = "BF16";
  tensors[0].rank = 2;
  tensors[0].dims[1] = 12;
  assert_int_equal(fovea_safetensors_write(temp_path("st/set.safetensors"), tensors, 3, NULL, 0), FOVEA_OK);
  assert_int_equal(load("st", "train", NULL), FOVEA_INVALID);
  assert_said("numbers of type BF16");
}

/* ---- tables -------------------------------------------------------------------------------------------------------
 */

static void test_csv(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
    fovea_load_options options;
    fovea_status status;
    bool labels;
    uint8_t pixels[4];
  } cases[] = {
      {"label,pixel0,pixel1,pixel2,pixel3\n1,0,1,2,3\n2,4,5,6,7\n",
       "4 numbers an image: taken as 2x2, a square",
       {0},
       FOVEA_OK,
       true,
       {0, 1, 2, 3}},
      {"pixel0,pixel1,pixel2,pixel3\r\n0,1,2,3\r\n\r\n", "train has no labels", {0}, FOVEA_OK, false, {0, 1, 2, 3}},
      {"p0,p1,p2,p3,p4,p5,p6,p7,p8\n0,1,2,3,4,5,6,7,8\n", "train has no labels", {0}, FOVEA_OK, false, {0, 1, 2, 3}},
      {"1,0,1,2,3\n2,4,5,6,7", "1=1", {0}, FOVEA_OK, true, {0, 1, 2, 3}},
      {"1;0;1;2;3\n2;4;5;6;7\n", "1=1", {.transpose = true}, FOVEA_OK, true, {0, 2, 1, 3}},
      {"id,p,p,p,p\na1,0,1,2,3\n", "the column 'id' is not used", {0}, FOVEA_OK, false, {0, 1, 2, 3}},
      {"p,p,p,p,p,p,label\n0,1,2,3,4,5,7\n", "taken as 2x3", {.height = 2, .width = 3}, FOVEA_OK, true, {0, 1, 2, 3}},
      {"p,p,p,p,p,p,label\n0,1,2,3,4,5,7\n", "no square; --size HEIGHTxWIDTH", {0}, FOVEA_INVALID, true, {0}},
      {"label,p,p,p,p\n\"1\",\"0\",1.0,2.,3\n", "1=1", {0}, FOVEA_OK, true, {0, 1, 2, 3}},
      {"label,p,p,p,p\n1,0,1,2,256\n", "line 2, column 5: 256 is no pixel", {0}, FOVEA_INVALID, true, {0}},
      {"label,p,p,p,p\n1,0,1,2,3\n1,0,1,2,0.5\n", "line 3, column 5: '0.5' is no pixel", {0}, FOVEA_INVALID, true, {0}},
      {"label,p,p,p,p\n1,0,1,2,3\n1,0,1,2,\n", "line 3, column 5: '' is no pixel", {0}, FOVEA_INVALID, true, {0}},
      {"label,p,p,p,p\n1,0,1,2,3\n1,0,1,2,3,4\n", "line 3 has more columns", {0}, FOVEA_INVALID, true, {0}},
      {"label,p,p,p,p\n1,0,1,2,3\n1,0,1,2\n",
       "line 3 has 4 columns, the first line has 5",
       {0},
       FOVEA_INVALID,
       true,
       {0}},
      {"label,p,p,p,p\n1,0,1,2,3\n-1,0,1,2,3\n", "line 3, column 1: '-1'", {0}, FOVEA_INVALID, true, {0}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const fovea_load_options options = cases[i].options;
    temp_file("table/train.csv", cases[i].text, strlen(cases[i].text));
    temp_file("table/test.csv", cases[i].text, strlen(cases[i].text));
    const fovea_status status = load("table", "train", &options);
    if (status != cases[i].status) fail_msg("%zu: %s", i, said);
    assert_said(cases[i].says);
    if (status != FOVEA_OK) continue;
    assert_int_equal(loaded->labels != NULL, cases[i].labels);
    assert_memory_equal(loaded->pixels, cases[i].pixels, 4);
  }
}

/* A table of file names beside folders of pictures is none of pixels. */
static void test_csv_of_names(void **state) {
  (void)state;
  temp_file("names/train.csv", "file,label\na.png,1\n", 19);
  assert_int_equal(load("names", "train", NULL), FOVEA_INVALID);
  assert_said("no data in");
}

/* Wide enough for pixels, but the classes are words. */
static void test_csv_of_words(void **state) {
  (void)state;
  static const char text[] = "label,p,p,p,p,p,p,p,p,p\ncat,0,1,2,3,4,5,6,7,8\n";
  temp_file("words-csv/train.csv", text, strlen(text));
  assert_int_equal(load("words-csv", "train", NULL), FOVEA_INVALID);
  assert_said("train.csv', line 2, column 1: 'cat' is no label; labels are whole numbers from 0 to 65535");
}

/* ---- CIFAR --------------------------------------------------------------------------------------------------------
 */

static void test_cifar(void **state) {
  (void)state;
  enum { IMAGE = 3072 };
  static uint8_t records[3 * (IMAGE + 2)];
  for (size_t i = 0; i < 3; i++)
    records[i * (IMAGE + 1)] = (uint8_t)i, records[i * (IMAGE + 1) + 1] = (uint8_t)(50 + i);
  temp_file("ten/cifar-10-batches-bin/data_batch_1.bin", records, 2 * (IMAGE + 1));
  temp_file("ten/cifar-10-batches-bin/data_batch_2.bin", records, IMAGE + 1);
  temp_file("ten/cifar-10-batches-bin/test_batch.bin", records, 2 * (IMAGE + 1));
  temp_file("ten/cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\n\n", 21);
  if (load("ten", "train", NULL) != FOVEA_OK) fail_msg("%s", said);
  assert_int_equal(loaded->count, 3);
  assert_int_equal(loaded->channels, 3);
  assert_int_equal(loaded->height, 32);
  assert_memory_equal(loaded->labels, ((uint16_t[]){0, 1, 0}), 6);
  assert_int_equal(loaded->pixels[IMAGE], 51);
  assert_int_equal(loaded->pixels[2 * IMAGE], 50);
  assert_said("airplane=0\nautomobile=1\n");
  assert_said("training files data_batch_3.bin, data_batch_4.bin, data_batch_5.bin are not there");
  assert_int_equal(load("ten", "test", NULL), FOVEA_OK);
  assert_int_equal(loaded->count, 2);
  memset(records, 0, sizeof records);
  records[0] = 9, records[1] = 77, records[2] = 50;
  temp_file("hundred/train.bin", records, 2 * (IMAGE + 2));
  temp_file("hundred/test.bin", records, IMAGE + 2);
  assert_int_equal(load("hundred", "train", NULL), FOVEA_OK);
  assert_int_equal(loaded->labels[0], 77);
  assert_int_equal(loaded->pixels[0], 50);
  assert_said("labels are the fine ones, the coarse ones are not used");
  temp_file("hundred/train.bin", records, IMAGE + 1);
  assert_int_equal(load("hundred", "train", NULL), FOVEA_INVALID);
  assert_said("has 3073 bytes, which is no number of CIFAR's records of 3074");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_npy),     cmocka_unit_test(test_range),        cmocka_unit_test(test_bad_npy),
      cmocka_unit_test(test_npz),     cmocka_unit_test(test_bad_npz),      cmocka_unit_test(test_black_and_white),
      cmocka_unit_test(test_unnamed), cmocka_unit_test(test_one_picture),  cmocka_unit_test(test_safetensors),
      cmocka_unit_test(test_csv),     cmocka_unit_test(test_csv_of_names), cmocka_unit_test(test_csv_of_words),
      cmocka_unit_test(test_cifar)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  fovea_dataset_destroy(loaded);
  return failed;
}
