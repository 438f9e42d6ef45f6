/* Gzip files: good ones of several shapes, and every way in which a small one can be bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/gzip.h"
#include "support/tempdir.h"

enum { TEXT = 3000, ROOM = 8192 };
static uint8_t text[TEXT];
static uint8_t packed[ROOM];
static size_t packed_size;

/* Compresses to one gzip member; gives its size. */
static size_t pack(const uint8_t *data, size_t size, uint8_t *to, size_t room) {
  z_stream stream = {
      .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room};
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  deflateEnd(&stream);
  return stream.total_out;
}

static int setup(void **state) {
  (void)state;
  for (size_t i = 0; i < TEXT; i++) text[i] = (uint8_t)(i * i / 7 % 11);
  packed_size = pack(text, TEXT, packed, ROOM);
  return 0;
}

/* Reads the whole file in pieces, and one byte more than `room` holds. */
static fovea_status read_file(const char *path, size_t piece, uint8_t *data, size_t room, size_t *size) {
  fovea_gzip *file;
  fovea_status status = fovea_gzip_open(path, &file);
  size_t got = 1;
  *size = 0;
  if (status != FOVEA_OK) return status;
  while (status == FOVEA_OK && got > 0 && *size < room) {
    size_t n = piece < room - *size ? piece : room - *size;
    status = fovea_gzip_read(file, data + *size, n, &got);
    if (status == FOVEA_OK) *size += got;
  }
  fovea_gzip_close(file);
  return status;
}

static void assert_reads(const char *path, const uint8_t *expected, size_t expected_size) {
  static uint8_t data[3 * TEXT];
  for (size_t piece = 1; piece <= sizeof data; piece = piece * 7 + 1) {
    size_t size;
    assert_int_equal(read_file(path, piece, data, sizeof data, &size), FOVEA_OK);
    assert_int_equal(size, expected_size);
    assert_memory_equal(data, expected, expected_size);
  }
}

static void test_good_files(void **state) {
  (void)state;
  uint8_t twice[2 * ROOM], expected[2 * TEXT];
  assert_reads(temp_file("one.gz", packed, packed_size), text, TEXT);
  assert_reads(temp_file("unnamed", packed, packed_size), text, TEXT);
  assert_reads(temp_file("plain", text, TEXT), text, TEXT);
  assert_reads(temp_file("empty", text, 0), text, 0);
  memcpy(twice, packed, packed_size);
  memcpy(twice + packed_size, packed, packed_size);
  memcpy(expected, text, TEXT);
  memcpy(expected + TEXT, text, TEXT);
  assert_reads(temp_file("members.gz", twice, 2 * packed_size), expected, 2 * TEXT);
}

static void test_every_truncation(void **state) {
  (void)state;
  uint8_t data[TEXT + 1];
  size_t size;
  for (size_t length = 0; length < packed_size; length++) {
    const char *path = temp_file("cut.gz", packed, length);
    assert_int_equal(read_file(path, TEXT + 1, data, TEXT + 1, &size), FOVEA_INVALID);
    assert_non_null(strstr(fovea_error_message(), "cut.gz"));
  }
}

/* The header's time, OS, extra flags and text bit, and up to 7 bits of padding before the CRC, say nothing of the
 * content; every other bit must be missed. */
static void test_every_bit(void **state) {
  (void)state;
  uint8_t data[TEXT + 1], bad[ROOM];
  size_t size, accepted = 0;
  memcpy(bad, packed, packed_size);
  for (size_t bit = 0; bit < 8 * packed_size; bit++) {
    bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
    const char *path = temp_file("bit.gz", bad, packed_size);
    /* A byte beyond the expected ones is what makes a caller refuse the file before its CRC is reached. */
    if (read_file(path, TEXT + 1, data, TEXT + 1, &size) == FOVEA_OK && size <= TEXT) {
      assert_int_equal(size, TEXT);
      assert_memory_equal(data, text, TEXT);
      accepted++;
    }
    bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  assert_true(accepted <= 7 * 8 + 7);
}

static void test_trailing_junk(void **state) {
  (void)state;
  static const uint8_t junks[][4] = {{0, 0, 0, 0}, {'j', 'u', 'n', 'k'}, {0x1f, 0x8b, 7, 0}, {0x1f, 0, 0, 0}};
  uint8_t data[TEXT + 1], bad[ROOM + 4];
  size_t size;
  for (size_t i = 0; i < 4; i++) {
    for (size_t length = 1; length <= 4; length++) {
      memcpy(bad, packed, packed_size);
      memcpy(bad + packed_size, junks[i], length);
      const char *path = temp_file("junk.gz", bad, packed_size + length);
      assert_int_equal(read_file(path, TEXT + 1, data, TEXT + 1, &size), FOVEA_INVALID);
    }
  }
}

static void test_a_bomb_is_read_no_further_than_asked(void **state) {
  (void)state;
  enum { BOMB = 1 << 24 };
  uint8_t *zeros = calloc(BOMB, 1), *bomb = malloc(1 << 16), data[100];
  size_t size = pack(zeros, BOMB, bomb, 1 << 16), got;
  const char *path = temp_file("bomb.gz", bomb, size);
  fovea_gzip *file;
  assert_int_equal(fovea_gzip_open(path, &file), FOVEA_OK);
  assert_int_equal(fovea_gzip_read(file, data, 100, &got), FOVEA_OK);
  assert_int_equal(got, 100);
  assert_true(fovea_gzip_bound(file) >= BOMB);
  fovea_gzip_close(file);
  free(zeros);
  free(bomb);
}

static void test_unreadable(void **state) {
  (void)state;
  fovea_gzip *file;
  assert_int_equal(fovea_gzip_open(temp_path("absent.gz"), &file), FOVEA_IO);
  assert_int_equal(fovea_gzip_open("/tmp", &file), FOVEA_IO);
  assert_int_equal(fovea_gzip_open("/dev/zero", &file), FOVEA_IO);
  fovea_gzip_close(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_files), cmocka_unit_test(test_every_truncation),
      cmocka_unit_test(test_every_bit),  cmocka_unit_test(test_trailing_junk),
      cmocka_unit_test(test_unreadable), cmocka_unit_test(test_a_bomb_is_read_no_further_than_asked),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
