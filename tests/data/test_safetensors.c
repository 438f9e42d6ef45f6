/* safetensors: round trips, a file of the Python package, a table of bad headers, and every bit of a small file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "fovea/safetensors.h"
#include "support/tempdir.h"

static const float weight[] = {1, -2, 3.5f, 0, 5, 6};
static const int64_t step[] = {-7};
static const uint8_t mask[] = {1, 2, 3};
static const fovea_safetensor tensors[] = {
    {"b.weight", "F32", 2, {2, 3}, weight, 0},
    {"a.step", "I64", 0, {0}, step, 0},
    {"none", "F16", 2, {3, 0}, NULL, 0},
    {"mask", "U8", 1, {3}, mask, 0},
};
static const fovea_safetensor_text metadata[] = {{"z", "a \"quoted\"\n\xc3\xb6"}, {"config", "{}"}};

static void assert_message(const char *part) {
  if (strstr(fovea_error_message(), part) == NULL) fail_msg("no '%s' in: %s", part, fovea_error_message());
}

static void read_bytes(const char *path, uint8_t **data, size_t *size) {
  assert_int_equal(fovea_file_read(path, 1 << 20, data, size), FOVEA_OK);
}

/* Whether an open file says what tensors and metadata say. */
static bool same(const fovea_safetensors *file) {
  static const size_t sizes[] = {24, 8, 0, 3};
  bool ok = fovea_safetensors_count(file) == 4;
  for (size_t i = 0; ok && i < 4; i++) {
    const fovea_safetensor *t = fovea_safetensors_get(file, i), *e = &tensors[i];
    ok = strcmp(t->name, e->name) == 0 && strcmp(t->dtype, e->dtype) == 0 && t->rank == e->rank &&
         memcmp(t->dims, e->dims, sizeof t->dims) == 0 && t->size == sizes[i] &&
         (t->size == 0 || memcmp(t->data, e->data, t->size) == 0);
  }
  for (size_t i = 0; ok && i < 2; i++) {
    const char *value = fovea_safetensors_metadata(file, metadata[i].key);
    ok = value != NULL && strcmp(value, metadata[i].value) == 0;
  }
  return ok;
}

static void test_round_trip_and_same_bytes(void **state) {
  (void)state;
  const char *path = temp_path("a.safetensors"), *again = temp_path("b.safetensors");
  fovea_safetensors *file;
  const fovea_safetensor *found;
  uint8_t *first, *second;
  size_t size, second_size;
  uint64_t length;
  assert_int_equal(fovea_safetensors_write(path, tensors, 4, metadata, 2), FOVEA_OK);
  assert_int_equal(fovea_safetensors_write(again, tensors, 4, metadata, 2), FOVEA_OK);
  read_bytes(path, &first, &size);
  read_bytes(again, &second, &second_size);
  assert_int_equal(size, second_size);
  assert_memory_equal(first, second, size);
  memcpy(&length, first, 8);
  assert_int_equal(length % 8, 0);
  assert_int_equal(first[8], '{');
  assert_int_equal(fovea_safetensors_open(path, &file), FOVEA_OK);
  assert_true(same(file));
  assert_int_equal(fovea_safetensors_find(file, "mask", &found), FOVEA_OK);
  assert_memory_equal(found->data, mask, 3);
  assert_int_equal(fovea_safetensors_find(file, "absent", &found), FOVEA_INVALID);
  assert_message("absent");
  assert_non_null(fovea_safetensors_metadata(file, "data_hash"));
  assert_null(fovea_safetensors_metadata(file, "absent"));
  fovea_safetensors_close(file);
  fovea_safetensors_close(NULL);
  free(first);
  free(second);
}

static void test_nothing(void **state) {
  (void)state;
  fovea_safetensors *file;
  const char *path = temp_path("nothing.safetensors");
  assert_int_equal(fovea_safetensors_write(path, NULL, 0, NULL, 0), FOVEA_OK);
  assert_int_equal(fovea_safetensors_open(path, &file), FOVEA_OK);
  assert_int_equal(fovea_safetensors_count(file), 0);
  fovea_safetensors_close(file);
  assert_int_equal(fovea_safetensors_open(temp_path("absent"), &file), FOVEA_IO);
  assert_int_equal(fovea_safetensors_write(temp_path("no/folder"), tensors, 4, NULL, 0), FOVEA_IO);
}

/* Made by tests/golden/make_safetensors.py with the package of version 0.8.0. */
static void test_a_file_of_python(void **state) {
  (void)state;
  fovea_safetensors *file;
  const fovea_safetensor *t;
  int64_t steps;
  double size;
  assert_int_equal(fovea_safetensors_open(FOVEA_SOURCE_DIR "/tests/golden/numpy.safetensors", &file), FOVEA_OK);
  assert_int_equal(fovea_safetensors_count(file), 5);
  assert_string_equal(fovea_safetensors_metadata(file, "made"), "by numpy");
  assert_int_equal(fovea_safetensors_find(file, "encoder.weight", &t), FOVEA_OK);
  assert_string_equal(t->dtype, "F32");
  assert_int_equal(t->rank, 3);
  assert_int_equal(t->dims[0] * 100 + t->dims[1] * 10 + t->dims[2], 234);
  for (size_t i = 0; i < 24; i++) {
    float x;
    memcpy(&x, (const uint8_t *)t->data + 4 * i, 4);
    assert_true(x == (float)i / 8);
  }
  assert_int_equal(fovea_safetensors_find(file, "step", &t), FOVEA_OK);
  assert_int_equal(t->rank, 0);
  memcpy(&steps, t->data, 8);
  assert_int_equal(steps, 123456789012345);
  assert_int_equal(fovea_safetensors_find(file,
                                          "gr\xc3\xb6\xc3\x9f"
                                          "e",
                                          &t),
                   FOVEA_OK);
  memcpy(&size, t->data, 8);
  assert_true(size == -1.5);
  assert_int_equal(fovea_safetensors_find(file, "empty", &t), FOVEA_OK);
  assert_int_equal(t->size, 0);
  fovea_safetensors_close(file);
}

static fovea_status open_text(const char *header, size_t data) {
  uint8_t bytes[1024] = {0};
  uint64_t length = strlen(header);
  memcpy(bytes, &length, 8);
  memcpy(bytes + 8, header, (size_t)length);
  fovea_safetensors *file = NULL;
  fovea_status status = fovea_safetensors_open(temp_file("text.safetensors", bytes, 8 + (size_t)length + data), &file);
  fovea_safetensors_close(file);
  if (status != FOVEA_OK) assert_message("text.safetensors");
  return status;
}

#define T(dtype, shape, offsets) "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_headers(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t data;
    fovea_status status;
  } cases[] = {
      {"{}", 0, FOVEA_OK},
      {"{}   ", 0, FOVEA_OK},
      {"{\"a\":" T("F32", "[1]", "[0,4]") "}", 4, FOVEA_OK},
      {"{\"b\":" T("U8", "[2]", "[4,6]") ",\"a\":" T("F32", "[]", "[0,4]") "}", 6, FOVEA_OK},
      {"{\"__metadata__\":{\"k\":\"v\"}}", 0, FOVEA_OK},
      {"", 0, FOVEA_INVALID},
      {" {}", 0, FOVEA_INVALID},
      {"[]", 0, FOVEA_INVALID},
      {"{", 0, FOVEA_INVALID},
      {"{}x", 0, FOVEA_INVALID},
      {"{}", 1, FOVEA_INVALID},
      {"{\"__metadata__\":{\"k\":1}}", 0, FOVEA_INVALID},
      {"{\"__metadata__\":[]}", 0, FOVEA_INVALID},
      {"{\"__metadata__\":{\"data_hash\":\"x\"}}", 0, FOVEA_INVALID},
      {"{\"__metadata__\":{\"data_hash\":\"x\",\"header_hash\":\"y\"}}", 0, FOVEA_INVALID},
      {"{\"__metadata__\":{\"k\":\"v\",\"k\":\"v\"}}", 0, FOVEA_INVALID},
      {"{\"a\":1}", 0, FOVEA_INVALID},
      {"{\"a\":{}}", 0, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"a\":" T("F32", "[1]", "[4,8]") "}", 8, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[2,6]") "}", 6, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[0,4]") "}", 8, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") ",\"b\":" T("F32", "[1]", "[5,9]") "}", 9, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[1,5]") "}", 5, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") "}", 5, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4]") "}", 3, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[4,0]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[-4,0]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1]", "[0,4.0]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[-1]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[2]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F33", "[1]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[4294967296,4294967296]", "[0,0]") "}", 0, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[9223372036854775807,2]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[99999999999999999999]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, FOVEA_OK},
      {"{\"a\":" T("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"a\\u0000\":" T("F32", "[1]", "[0,4]") "}", 4, FOVEA_INVALID},
      {"{\"\xff\":" T("F32", "[1]", "[0,4]") "}", 4, FOVEA_INVALID},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_status status = open_text(cases[i].header, cases[i].data);
    if (status != cases[i].status) fail_msg("%s + %zu: status %d", cases[i].header, cases[i].data, status);
  }
}

static void test_other_lengths(void **state) {
  (void)state;
  static const char header[] = "{\"b\":" T("U8", "[2]", "[4,6]") ",\"a\":" T("F32", "[]", "[0,4]") "}";
  static const struct {
    size_t data;
    const char *is;
  } cases[] = {{0, "shorter"}, {3, "shorter"}, {5, "shorter"}, {7, "longer"}, {400, "longer"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char expected[160];
    snprintf(expected, sizeof expected, "is %s than its header says: it has %zu bytes, and its tensors end at %zu",
             cases[i].is, 8 + strlen(header) + cases[i].data, 8 + strlen(header) + 6);
    assert_int_equal(open_text(header, cases[i].data), FOVEA_INVALID);
    assert_message(expected);
  }
}

static void test_header_lengths(void **state) {
  (void)state;
  static const uint64_t lengths[] = {0, 1, 3, 100000000, 100000001, 1ull << 32, 1ull << 63, UINT64_MAX, UINT64_MAX - 7};
  fovea_safetensors *file;
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    uint8_t bytes[10] = {0, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    memcpy(bytes, &lengths[i], 8);
    assert_int_equal(fovea_safetensors_open(temp_file("length", bytes, 10), &file), FOVEA_INVALID);
  }
}

/* Our files: one bit changed anywhere, or any length, is never taken for another content. */
static void test_every_bit_and_length(void **state) {
  (void)state;
  const char *path = temp_path("bits");
  uint8_t *bytes;
  size_t size;
  fovea_safetensors *file;
  assert_int_equal(fovea_safetensors_write(path, tensors, 4, metadata, 2), FOVEA_OK);
  read_bytes(path, &bytes, &size);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    fovea_status status = fovea_safetensors_open(temp_file("bit", bytes, size), &file);
    bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    if (status == FOVEA_OK) {
      if (!same(file)) fail_msg("bit %zu of byte %zu was not missed", bit % 8, bit / 8);
      fovea_safetensors_close(file);
    } else {
      assert_int_equal(status, FOVEA_INVALID);
    }
  }
  for (size_t length = 0; length < size; length++)
    assert_int_equal(fovea_safetensors_open(temp_file("cut", bytes, length), &file), FOVEA_INVALID);
  free(bytes);
}

static void test_what_cannot_be_written(void **state) {
  (void)state;
  const fovea_safetensor bad[][2] = {
      {{"a", "U8", 1, {3}, mask, 0}, {"a", "U8", 1, {3}, mask, 0}},
      {{"__metadata__", "U8", 1, {3}, mask, 0}, {"a", "U8", 1, {3}, mask, 0}},
      {{"a", "F31", 1, {3}, mask, 0}, {"b", "U8", 1, {3}, mask, 0}},
      {{"a", "U8", 9, {3}, mask, 0}, {"b", "U8", 1, {3}, mask, 0}},
      {{"a", "U8", -1, {3}, mask, 0}, {"b", "U8", 1, {3}, mask, 0}},
      {{"a", "F32", 2, {1ull << 40, 1ull << 40}, mask, 0}, {"b", "U8", 1, {3}, mask, 0}},
      {{"\xff", "U8", 1, {3}, mask, 0}, {"b", "U8", 1, {3}, mask, 0}},
  };
  const fovea_safetensor_text texts[][2] = {{{"a", "1"}, {"a", "2"}},
                                            {{"data_hash", "1"}, {"b", ""}},
                                            {{"header_hash", "1"}, {"b", ""}},
                                            {{"a", "\xff"}, {"b", ""}}};
  const char *path = temp_file("kept", "old", 3);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(fovea_safetensors_write(path, bad[i], 2, NULL, 0), FOVEA_INVALID);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    assert_int_equal(fovea_safetensors_write(path, tensors, 4, texts[i], 2), FOVEA_INVALID);
  assert_message("kept");
  uint8_t *data;
  size_t size;
  read_bytes(path, &data, &size);
  assert_string_equal((char *)data, "old");
  free(data);
}

int main(int count, char **arguments) {
  if (count == 2) /* leaves a file for other programs to read */
    return (int)fovea_safetensors_write(arguments[1], tensors, 4, metadata, 2);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip_and_same_bytes),
      cmocka_unit_test(test_nothing),
      cmocka_unit_test(test_a_file_of_python),
      cmocka_unit_test(test_headers),
      cmocka_unit_test(test_header_lengths),
      cmocka_unit_test(test_other_lengths),
      cmocka_unit_test(test_every_bit_and_length),
      cmocka_unit_test(test_what_cannot_be_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
