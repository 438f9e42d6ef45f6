/* Pixels of single pictures: against Pillow's and djpeg's of the files in pngsuite/ and jpeg/, whose pixels.txt the
 * scripts beside them wrote; resizing against its definition; cut and damaged files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/file.h"
#include "data/fit.h"
#include "data/kind.h"
#include "fovea/data.h"
#include "support/tempdir.h"

#define FILES FOVEA_SOURCE_DIR "/tests/data/"

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

/* Looks and reads; FOVEA_OK with pixels to be freed. */
static fovea_status take(const char *path, fovea_picture_info *info, uint8_t **pixels) {
  *pixels = NULL;
  fovea_status status = fovea_picture_look(path, strrchr(path, '/') + 1, info);
  if (status == FOVEA_OK && info->kind == FOVEA_NO_PICTURE) return FOVEA_INVALID;
  return status == FOVEA_OK ? fovea_picture_read(path, info, pixels, NULL) : status;
}

static unsigned long checksum(const fovea_picture_info *info, const uint8_t *pixels) {
  const size_t n = (size_t)info->channels + info->alpha;
  return crc32(0, pixels, (unsigned)((size_t)info->height * (size_t)info->width * n));
}

/* ---- whole files ------------------------------------------------------------------------------------------------ */

static void test_pngsuite(void **state) {
  (void)state;
  FILE *list = fopen(FILES "pngsuite/pixels.txt", "r");
  char line[128], name[32], path[512];
  int good = 0, corrupt = 0, bad = 0;
  assert_non_null(list);
  while (fgets(line, sizeof line, list) != NULL) {
    fovea_picture_info info;
    uint8_t *pixels;
    int width, height, channels, alpha;
    unsigned crc;
    const int fields = sscanf(line, "%31s %d %d %d %d %x", name, &width, &height, &channels, &alpha, &crc);
    snprintf(path, sizeof path, FILES "pngsuite/%s", name);
    const fovea_status status = take(path, &info, &pixels);
    const bool same = status == FOVEA_OK && info.width == width && info.height == height && info.channels == channels &&
                      info.alpha == alpha && checksum(&info, pixels) == crc;
    good += fields == 6 && same;
    corrupt += fields == 1 && status == FOVEA_INVALID && strstr(fovea_error_message(), name) != NULL;
    if (fields == 6 ? !same : status != FOVEA_INVALID) bad++, print_error("%s: %s", name, line);
    free(pixels);
  }
  fclose(list);
  assert_int_equal(bad, 0);
  assert_int_equal(good, 161);
  assert_int_equal(corrupt, 14);
}

/* The suite as one set: of 61 sizes and all kinds of channels. */
static void test_pngsuite_as_a_set(void **state) {
  (void)state;
  fovea_load_options options = {.height = 16, .width = 24, .skip_bad = true};
  size_t count = 0, damaged = 0;
  static const char *const splits[] = {"train", "test"};
  for (int i = 0; i < 2; i++) {
    fovea_dataset *set;
    assert_int_equal(fovea_dataset_load_as(FILES "pngsuite", splits[i], &options, &set), FOVEA_OK);
    assert_int_equal(set->channels, 3);
    count += set->count;
    for (size_t k = 0; k < set->report->kind_count; k++)
      if (strcmp(set->report->passed_over[k].name, "damaged or not readable") == 0)
        damaged += set->report->passed_over[k].count;
    fovea_dataset_destroy(set);
  }
  assert_int_equal(count, 161);
  assert_true(damaged >= 14); /* what the header shows is told with both splits */
  options.skip_bad = false;
  fovea_dataset *set;
  assert_int_equal(fovea_dataset_load_as(FILES "pngsuite", "train", &options, &set), FOVEA_INVALID);
  assert_message("pngsuite/x");
}

static void test_jpegs(void **state) {
  (void)state;
  FILE *list = fopen(FILES "jpeg/pixels.txt", "r");
  char line[128], name[32], path[512];
  int good = 0;
  assert_non_null(list);
  while (fgets(line, sizeof line, list) != NULL) {
    fovea_picture_info info;
    uint8_t *pixels;
    int width, height, channels;
    unsigned crc;
    assert_int_equal(sscanf(line, "%31s %d %d %d %x", name, &width, &height, &channels, &crc), 5);
    snprintf(path, sizeof path, FILES "jpeg/%s", name);
    if (take(path, &info, &pixels) != FOVEA_OK) fail_msg("%s: %s", name, fovea_error_message());
    if (info.width != width || info.height != height || info.channels != channels || checksum(&info, pixels) != crc)
      fail_msg("%s is %d x %d x %d, %lx: %s", name, info.height, info.width, info.channels, checksum(&info, pixels),
               line);
    free(pixels);
    good++;
  }
  fclose(list);
  assert_int_equal(good, 19);
}

/* Of 16 bits a range, of alpha all; the same as libpng's rounding where that is the whole. */
static void test_range(void **state) {
  (void)state;
  static const char *const names[] = {"basn0g16.png", "basn2c16.png", "basn4a16.png", "basn6a16.png", "basi6a16.png"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    fovea_picture_info info;
    uint8_t *whole, *same, *part;
    char path[512];
    snprintf(path, sizeof path, FILES "pngsuite/%s", names[i]);
    assert_int_equal(take(path, &info, &whole), FOVEA_OK);
    assert_true(info.deep);
    info.white = 65535;
    assert_int_equal(fovea_picture_read(path, &info, &same, NULL), FOVEA_OK);
    info.black = 10000;
    info.white = 30000;
    assert_int_equal(fovea_picture_read(path, &info, &part, NULL), FOVEA_OK);
    const int n = info.channels + info.alpha;
    int cut = 0;
    for (int k = 0; k < info.width * info.height * n; k++) {
      assert_int_equal(same[k], whole[k]);
      const double x = k % n == info.channels ? whole[k] : (257.0 * whole[k] - 10000) * 255 / 20000;
      const double expected = x < 0 ? 0 : x > 255 ? 255 : x;
      assert_true(part[k] >= expected - 2.2 && part[k] <= expected + 2.2); /* a byte is 257 of 20,000 */
      cut += x < 0 || x > 255;
    }
    assert_true(cut > 0);
    free(whole);
    free(same);
    free(part);
  }
}

/* Without libwebp they are refused, and it is said. */
static void test_webps(void **state) {
  (void)state;
  static const char *const refusals[] = {"is an animated WebP", "the file ends too early", "the file ends too early",
                                         "is said to be 16384 x 16384, more than its 32 bytes can hold"};
  FILE *list = fopen(FILES "webp/pixels.txt", "r");
  char line[128], name[32], path[512];
  size_t good = 0, refused = 0;
  assert_non_null(list);
  while (fgets(line, sizeof line, list) != NULL) {
    fovea_picture_info info;
    uint8_t *pixels;
    int width, height, channels;
    unsigned crc;
    const int fields = sscanf(line, "%31s %d %d %d %x", name, &width, &height, &channels, &crc);
    snprintf(path, sizeof path, FILES "webp/%s", name);
    const fovea_status status = take(path, &info, &pixels);
    if (!fovea_webp_built() || fields == 1) {
      assert_int_equal(status, FOVEA_INVALID);
      assert_message(name);
      assert_message(fovea_webp_built() ? refusals[refused] : "built without libwebp");
      refused++;
      continue;
    }
    if (status != FOVEA_OK) fail_msg("%s: %s", name, fovea_error_message());
    if (info.width != width || info.height != height || info.channels + info.alpha != channels ||
        checksum(&info, pixels) != crc)
      fail_msg("%s is %d x %d, %lx: %s", name, info.height, info.width, checksum(&info, pixels), line);
    free(pixels);
    good++;
  }
  fclose(list);
  assert_int_equal(good, fovea_webp_built() ? 15 : 0);
  assert_int_equal(good + refused, 19);
}

/* ---- damage ----------------------------------------------------------------------------------------------------- */

/* Cut, it is refused by name; with a bit turned it may be anything but a crash or a hang. */
static void test_damaged(void **state) {
  (void)state;
  static const char *const names[] = {"webp/lossy_alpha.webp", "webp/lossless.webp", "jpeg/turned6.jpg",
                                      "jpeg/progressive.jpg",  "kinds/palette.png",  "kinds/turned.png"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    uint8_t *bytes, *pixels;
    size_t size;
    fovea_picture_info info;
    char path[512];
    snprintf(path, sizeof path, FILES "%s", names[i]);
    assert_int_equal(fovea_file_read(path, 1 << 20, &bytes, &size), FOVEA_OK);
    for (size_t length = 0; length + 1 < size; length += 1 + length / 16) {
      const char *cut = temp_file("cut.png", bytes, length);
      if (take(cut, &info, &pixels) == FOVEA_OK) fail_msg("%s is taken with %zu of %zu bytes", names[i], length, size);
      assert_message("cut.png");
    }
    for (size_t bit = 0; bit < 8 * size; bit += 19) {
      bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
      const fovea_status status = take(temp_file("bit.png", bytes, size), &info, &pixels);
      assert_true(status == FOVEA_OK || status == FOVEA_INVALID);
      bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
      free(pixels);
    }
    free(bytes);
  }
}

/* Headers that ask for more than can be: refused at once, with what they say. */
static void test_bombs(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t at;
    uint8_t bytes[8];
    size_t count;
    const char *says;
  } cases[] = {
      {"kinds/gray.png",
       16,
       {0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff},
       8,
       "2147483647 x 2147483647, expected 1"},
      {"kinds/gray.png", 16, {0, 0, 0, 0}, 4, "0 x 28, expected 1"},
      {"kinds/gray.png", 16, {0, 0, 0x40, 0, 0, 0, 0x40, 0}, 8, "16384 x 16384, more than its 164 bytes can hold"},
      {"jpeg/sampling2.jpg", 163, {0x40, 0, 0x40, 0}, 4, "16384 x 16384, more than its"},
      {"jpeg/sampling2.jpg", 163, {0xff, 0xff, 0xff, 0xff}, 4, "65535 x 65535, expected 1"},
      {"kinds/gray.png",
       16,
       {0, 0, 0x40, 1, 0, 0, 0, 1},
       8,
       "is too large: 16385 x 1, at most 16384 a side; make it smaller, or"},
      {"jpeg/sampling2.jpg", 162, {12}, 1, "a JPEG of 12 bits"},
      {"jpeg/sampling2.jpg", 167, {2}, 1, "a JPEG of 2 components"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t *bytes, *pixels;
    size_t size;
    fovea_picture_info info;
    char path[512];
    snprintf(path, sizeof path, FILES "%s", cases[i].name);
    assert_int_equal(fovea_file_read(path, 1 << 20, &bytes, &size), FOVEA_OK);
    memcpy(bytes + cases[i].at, cases[i].bytes, cases[i].count);
    assert_int_equal(take(temp_file("bomb", bytes, size), &info, &pixels), FOVEA_INVALID);
    assert_message(cases[i].says);
    free(bytes);
  }
}

/* ---- resizing --------------------------------------------------------------------------------------------------- */

/* What two stretches of a line share. */
static int64_t shared(int64_t a, int64_t b, int64_t c, int64_t d) {
  const int64_t left = a > c ? a : c, right = b < d ? b : d;
  return right > left ? right - left : 0;
}

/* The weight of pixel k of `in` in pixel i of `out`, by the definition; they add up to *total. */
static int64_t weight(int in, int out, int i, int k, int64_t *total) {
  *total = out > in ? 2 * (int64_t)out : in;
  if (out <= in) return shared((int64_t)i * in, (int64_t)(i + 1) * in, (int64_t)k * out, (int64_t)(k + 1) * out);
  const int64_t unit = 2 * (int64_t)out, last = (int64_t)(in - 1) * unit;
  int64_t centre = (2 * (int64_t)i + 1) * in - out;
  centre = centre < 0 ? 0 : centre > last ? last : centre;
  const int64_t apart = llabs(centre - k * unit);
  return apart < unit ? unit - apart : 0;
}

static void test_resize(void **state) {
  (void)state;
  enum { MOST = 40 };
  static const int sides[][4] = {{1, 1, 5, 3},   {5, 3, 1, 1},     {7, 7, 3, 3},   {3, 3, 7, 7},  {40, 9, 17, 20},
                                 {9, 40, 9, 39}, {28, 28, 28, 28}, {2, 40, 40, 2}, {31, 1, 8, 8}, {6, 4, 3, 2}};
  uint8_t from[MOST * MOST * 3], to[MOST * MOST * 3];
  for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
    const int h = sides[i][0], w = sides[i][1], height = sides[i][2], width = sides[i][3];
    for (size_t p = 0; p < sizeof from; p++) from[p] = (uint8_t)(p * p * 31 + p * 7 + (p % 5 == 0 ? 255 : 0));
    const fovea_window window = {from, w, 0, 0, w, h, 3};
    assert_int_equal(fovea_resize(&window, width, height, to, (size_t)width, (size_t)(width * height)), FOVEA_OK);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        for (int c = 0; c < 3; c++) {
          int64_t sum = 0, down = 0, across = 0;
          for (int k = 0; k < h; k++)
            for (int l = 0; l < w; l++)
              sum += weight(h, height, y, k, &down) * weight(w, width, x, l, &across) * from[(k * w + l) * 3 + c];
          const int64_t expected = (sum + down * across / 2) / (down * across);
          if (to[(c * height + y) * width + x] != expected)
            fail_msg("%dx%d to %dx%d: %d at %d, %d, channel %d, expected %d", h, w, height, width,
                     to[(c * height + y) * width + x], y, x, c, (int)expected);
        }
  }
}

/* A picture of 2 x 4, gray, and what becomes of it at 2 x 2 and 4 x 4. */
static void test_fit(void **state) {
  (void)state;
  static const uint8_t wide[] = {0, 10, 20, 31, 100, 110, 120, 131};
  static const uint8_t tall[] = {0, 100, 10, 110, 20, 120, 31, 131};
  static const struct {
    fovea_fit fit;
    int height, width;
    uint8_t expected[16];
  } cases[] = {
      {FOVEA_FIT_CROP, 2, 2, {10, 20, 110, 120}},
      {FOVEA_FIT_STRETCH, 2, 2, {5, 26, 105, 126}},
      {FOVEA_FIT_PAD, 2, 2, {55, 76, 9, 9}},
      {FOVEA_FIT_PAD, 4, 4, {9, 9, 9, 9, 0, 10, 20, 31, 100, 110, 120, 131, 9, 9, 9, 9}},
      {FOVEA_FIT_CROP, 1, 4, {0, 10, 20, 31}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t to[16];
    fovea_target target = {1, cases[i].height, cases[i].width, false, cases[i].fit, {9, 9, 9}};
    fovea_picture_info info = {.kind = FOVEA_PICTURE_PNG, .width = 4, .height = 2, .channels = 1, .orientation = 1};
    assert_int_equal(fovea_target_apply(&target, &info, wide, to), FOVEA_OK);
    for (int k = 0; k < cases[i].height * cases[i].width; k++)
      if (to[k] != cases[i].expected[k]) fail_msg("case %zu: %d at %d, expected %d", i, to[k], k, cases[i].expected[k]);
    /* the same on its side */
    target.height = cases[i].width;
    target.width = cases[i].height;
    info.width = 2;
    info.height = 4;
    uint8_t turned[16];
    assert_int_equal(fovea_target_apply(&target, &info, tall, turned), FOVEA_OK);
    for (int y = 0; y < target.height; y++)
      for (int x = 0; x < target.width; x++) assert_int_equal(turned[y * target.width + x], to[x * target.height + y]);
  }
}

/* Channels, alpha and background by hand. */
static void test_channels(void **state) {
  (void)state;
  static const struct {
    int channels; /* of the picture, without alpha */
    bool alpha;
    uint8_t pixel[4];
    int asked;
    bool keep;
    uint8_t background[3], expected[4];
  } cases[] = {
      {1, false, {77}, 3, false, {0}, {77, 77, 77}},
      {3, false, {255, 0, 0}, 1, false, {0}, {76}},
      {3, false, {0, 255, 0}, 1, false, {0}, {150}},
      {3, false, {0, 0, 255}, 1, false, {0}, {29}},
      {3, false, {255, 255, 255}, 1, false, {0}, {255}},
      {1, true, {200, 128}, 1, false, {0, 0, 0}, {100}},
      {1, true, {200, 128}, 1, false, {255, 255, 255}, {227}},
      {1, true, {200, 0}, 3, false, {1, 2, 3}, {1, 2, 3}},
      {3, true, {10, 20, 30, 255}, 3, false, {1, 2, 3}, {10, 20, 30}},
      {3, true, {10, 20, 30, 0}, 1, false, {255, 0, 0}, {76}},
      {3, true, {10, 20, 30, 40}, 4, true, {0}, {10, 20, 30, 40}},
      {1, true, {10, 20}, 2, true, {0}, {10, 20}},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t to[4] = {0};
    fovea_target target = {cases[i].asked, 1, 1, cases[i].keep, FOVEA_FIT_CROP, {0}};
    memcpy(target.background, cases[i].background, 3);
    const fovea_picture_info info = {.kind = FOVEA_PICTURE_PNG,
                                     .width = 1,
                                     .height = 1,
                                     .channels = cases[i].channels,
                                     .alpha = cases[i].alpha,
                                     .orientation = 1};
    assert_int_equal(fovea_target_apply(&target, &info, cases[i].pixel, to), FOVEA_OK);
    for (int c = 0; c < cases[i].asked; c++)
      if (to[c] != cases[i].expected[c])
        fail_msg("case %zu: %d in channel %d, expected %d", i, to[c], c, cases[i].expected[c]);
  }
}

static void test_pages(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool page;
  } cases[] = {{"<!DOCTYPE html>", true},
               {"<html lang=en>", true},
               {"\n  <HTML>", true},
               {"\xef\xbb\xbf<head>", true},
               {"<svg>", false},
               {"", false},
               {"html", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(fovea_kind_page((const uint8_t *)cases[i].text, strlen(cases[i].text)), cases[i].page);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pngsuite), cmocka_unit_test(test_pngsuite_as_a_set),
      cmocka_unit_test(test_jpegs),    cmocka_unit_test(test_webps),
      cmocka_unit_test(test_range),    cmocka_unit_test(test_damaged),
      cmocka_unit_test(test_bombs),    cmocka_unit_test(test_resize),
      cmocka_unit_test(test_fit),      cmocka_unit_test(test_channels),
      cmocka_unit_test(test_pages),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
