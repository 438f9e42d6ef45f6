#include "support/arrays.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "support/tempdir.h"

enum { ROOM = 1 << 16 };

const char *array_name(const char *set, const char *name) {
  static char paths[4][512];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", set, name);
  return path;
}

static size_t compress_member(const uint8_t *data, size_t size, uint8_t *to) {
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
  stream.next_out = to;
  stream.avail_out = ROOM;
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) abort();
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) abort();
  deflateEnd(&stream);
  return stream.total_out;
}

static void put(const char *name, const uint8_t *bytes, size_t size) {
  static uint8_t packed[ROOM];
  const size_t n = strlen(name);
  if (n > 3 && strcmp(name + n - 3, ".gz") == 0)
    temp_file(name, packed, compress_member(bytes, size, packed));
  else
    temp_file(name, bytes, size);
}

static size_t idx_header(uint8_t *bytes, uint8_t type, int rank, const uint32_t *dims, size_t *count) {
  memcpy(bytes, (uint8_t[]){0, 0, type, (uint8_t)rank}, 4);
  *count = 1;
  for (int i = 0; i < rank; i++) *count *= dims[i];
  for (int i = 0; i < 4 * rank; i++) bytes[4 + i] = (uint8_t)(dims[i / 4] >> (24 - 8 * (i % 4)));
  return 4 + 4 * (size_t)rank;
}

void array_idx(const char *name, uint8_t type, int rank, const uint32_t *dims) {
  static uint8_t bytes[ROOM];
  size_t count, header = idx_header(bytes, type, rank, dims, &count);
  if (header + count > ROOM) abort();
  for (size_t i = 0; i < count; i++) bytes[header + i] = (uint8_t)i;
  put(name, bytes, header + count);
}

void array_idx_floats(const char *name, int rank, const uint32_t *dims, const float *values) {
  static uint8_t bytes[ROOM];
  size_t count, header = idx_header(bytes, 0x0d, rank, dims, &count);
  for (size_t i = 0; i < count; i++) {
    uint32_t word;
    memcpy(&word, &values[i], 4);
    for (int k = 0; k < 4; k++) bytes[header + 4 * i + (size_t)k] = (uint8_t)(word >> (24 - 8 * k));
  }
  put(name, bytes, header + 4 * count);
}

void array_rename(const char *set, const char *from, const char *to) {
  char old[1024];
  snprintf(old, sizeof old, "%s", temp_path(array_name(set, from)));
  if (rename(old, temp_path(array_name(set, to))) != 0) abort();
}

void array_cut(const char *set, const char *name, size_t size) {
  if (truncate(temp_path(array_name(set, name)), (off_t)size) != 0) abort();
}

static uint8_t *take(const char *set, const char *from, size_t *size) {
  uint8_t *bytes = NULL;
  if (fovea_file_read(temp_path(array_name(set, from)), ROOM, &bytes, size) != FOVEA_OK) abort();
  remove(temp_path(array_name(set, from)));
  return bytes;
}

void array_gzip(const char *set, const char *from, const char *to, const void *after, size_t size, size_t cut) {
  static uint8_t packed[2 * ROOM];
  size_t n = 0;
  uint8_t *bytes = take(set, from, &n);
  n = compress_member(bytes, n, packed);
  if (cut > 0) n = cut;
  if (size > 0) memcpy(packed + n, after, size);
  temp_file(array_name(set, to), packed, n + size);
  free(bytes);
}

void array_gzip_members(const char *set, const char *from, const char *to, size_t first) {
  static uint8_t packed[2 * ROOM];
  size_t n = 0;
  uint8_t *bytes = take(set, from, &n);
  const size_t size = compress_member(bytes, first, packed);
  temp_file(array_name(set, to), packed, size + compress_member(bytes + first, n - first, packed + size));
  free(bytes);
}

void array_npy(const char *name, int version, const char *header, const void *data, size_t size) {
  static uint8_t bytes[ROOM];
  const size_t length = strlen(header), wide = version == 1 ? 2 : 4, at = 8 + wide + length;
  if (at + size > ROOM) abort();
  memcpy(bytes, "\x93NUMPY", 6);
  bytes[6] = (uint8_t)version;
  bytes[7] = 0;
  for (size_t i = 0; i < wide; i++) bytes[8 + i] = (uint8_t)(length >> 8 * i);
  memcpy(bytes + 8 + wide, header, length);
  memcpy(bytes + at, data, size);
  temp_file(name, bytes, at + size);
}

void array_said(const fovea_dataset *set, char *said, size_t size) {
  size_t used = 0;
  if (set == NULL) {
    snprintf(said, size, "%s", fovea_error_message());
    return;
  }
  const fovea_data_report *r = set->report;
  said[0] = '\0';
  for (size_t i = 0; i < r->class_count && used < size; i++)
    used += (size_t)snprintf(said + used, size - used, "%s=%d\n", r->classes[i].name, r->classes[i].label);
  for (size_t i = 0; i < r->remark_count && used < size; i++)
    used += (size_t)snprintf(said + used, size - used, "%s\n", r->remarks[i]);
}
