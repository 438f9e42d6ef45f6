#include "events/records.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "events/crc32c.h"

enum { LENGTH = 8, CRC = 4, HEAD = LENGTH + CRC, FRAME = HEAD + CRC };

/* --- bytes ------------------------------------------------------------------------------------------------------- */

static void put_number(uint8_t *at, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_number(const uint8_t *at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; i++) value |= (uint64_t)at[i] << 8 * i;
  return value;
}

uint8_t *records_begin(records *r, size_t size) {
  if (r->room - r->size < size + FRAME) {
    const size_t room = 2 * r->room + size + FRAME;
    uint8_t *bytes = realloc(r->bytes, room);
    if (bytes == NULL) {
      fovea_fail(FOVEA_NO_MEMORY, "no memory for an event of %zu bytes", size);
      return NULL;
    }
    r->bytes = bytes;
    r->room = room;
  }
  return r->bytes + r->size + HEAD;
}

void records_seal(records *r, size_t size) {
  uint8_t *at = r->bytes + r->size;
  put_number(at, size, LENGTH);
  put_number(at + LENGTH, crc32c_masked(at, LENGTH), CRC);
  put_number(at + HEAD + size, crc32c_masked(at + HEAD, size), CRC);
  r->size += size + FRAME;
}

/* --- writing ----------------------------------------------------------------------------------------------------- */

static bool write_all(int descriptor, const uint8_t *data, size_t size) {
  while (size > 0) {
    const ssize_t n = write(descriptor, data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    data += n;
    size -= (size_t)n;
  }
  return true;
}

fovea_status records_flush(records *r, const char *path) {
  struct stat about;
  if (r->size == 0) return FOVEA_OK;
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return fovea_fail(FOVEA_IO, "%s: %s", path, strerror(errno));
  bool good = fstat(descriptor, &about) == 0 && write_all(descriptor, r->bytes, r->size);
  int reason = errno;
  if (!good) (void)!ftruncate(descriptor, about.st_size);
  if (close(descriptor) != 0 && good) good = false, reason = errno;
  r->size = 0;
  return good ? FOVEA_OK : fovea_fail(FOVEA_IO, "%s: %s", path, strerror(reason));
}

/* --- what is there ----------------------------------------------------------------------------------------------- */

/* The record at `offset` of a file of `file_size` bytes: *data, which the caller frees, NULL for a damaged one. */
static fovea_status read_record(const char *path, int descriptor, uint64_t offset, uint64_t file_size, uint8_t **data,
                                size_t *size) {
  uint8_t head[HEAD];
  *data = NULL;
  const ptrdiff_t n = fovea_file_read_at(descriptor, offset, head, HEAD);
  if (n < 0) return fovea_fail(FOVEA_IO, "%s: %s", path, strerror(errno));
  const uint64_t length = n == HEAD ? get_number(head, LENGTH) : UINT64_MAX;
  if (n < HEAD || get_number(head + LENGTH, CRC) != crc32c_masked(head, LENGTH)) return FOVEA_OK;
  if (file_size - offset < FRAME || length > file_size - offset - FRAME) return FOVEA_OK;
  uint8_t *bytes = malloc((size_t)length + CRC);
  if (bytes == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for an event", path);
  const ptrdiff_t got = fovea_file_read_at(descriptor, offset + HEAD, bytes, (size_t)length + CRC);
  const int reason = errno;
  *size = (size_t)length;
  if (got == (ptrdiff_t)(length + CRC) && get_number(bytes + length, CRC) == crc32c_masked(bytes, *size)) {
    *data = bytes;
    return FOVEA_OK;
  }
  free(bytes);
  return got < 0 ? fovea_fail(FOVEA_IO, "%s: %s", path, strerror(reason)) : FOVEA_OK;
}

/* Goes through the records; *cut is where the file is to end. */
static fovea_status walk(const char *path, int descriptor, uint64_t file_size, records_keep *keep, void *user,
                         uint64_t *cut, size_t *dropped, bool *damaged) {
  bool keeping = true;
  fovea_status status = FOVEA_OK;
  *cut = 0;
  for (uint64_t at = 0; at < file_size && status == FOVEA_OK && !*damaged;) {
    uint8_t *data = NULL;
    size_t size = 0;
    status = read_record(path, descriptor, at, file_size, &data, &size);
    *damaged = status == FOVEA_OK && data == NULL;
    if (data == NULL) break;
    if (keeping) status = keep(user, data, size, &keeping);
    free(data);
    at += size + FRAME;
    if (keeping) *cut = at;
    *dropped += !keeping;
  }
  return status;
}

fovea_status records_restore(const char *path, records_keep *keep, void *user, size_t *dropped, bool *damaged) {
  struct stat about;
  uint64_t cut = 0;
  *dropped = 0;
  *damaged = false;
  const int descriptor = open(path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return fovea_fail(FOVEA_IO, "%s: %s", path, strerror(errno));
  fovea_status status =
      fstat(descriptor, &about) == 0 ? FOVEA_OK : fovea_fail(FOVEA_IO, "%s: %s", path, strerror(errno));
  const uint64_t size = status == FOVEA_OK ? (uint64_t)about.st_size : 0;
  if (status == FOVEA_OK) status = walk(path, descriptor, size, keep, user, &cut, dropped, damaged);
  if (status == FOVEA_OK && cut < size && ftruncate(descriptor, (off_t)cut) != 0)
    status = fovea_fail(FOVEA_IO, "%s: cannot be cut to what holds: %s", path, strerror(errno));
  close(descriptor);
  return status;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static const char before[] = "events.out.tfevents.", after[] = ".fovea";

/* As many digits as seconds have until the year 2286, so that the order of names is that of numbers. */
const char *records_name(unsigned long long seconds, char name[RECORDS_NAME]) {
  snprintf(name, RECORDS_NAME, "%s%010llu%s", before, seconds, after);
  return name;
}

static bool parse_name(const char *name, unsigned long long *seconds) {
  char again[RECORDS_NAME];
  if (strncmp(name, before, sizeof before - 1) != 0) return false;
  *seconds = strtoull(name + sizeof before - 1, NULL, 10);
  return strcmp(records_name(*seconds, again), name) == 0;
}

static int ascending(const void *a, const void *b) {
  const unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;
  return (x > y) - (x < y);
}

fovea_status records_list(const char *dir, unsigned long long **seconds, size_t *count) {
  unsigned long long *found = NULL, one;
  size_t n = 0;
  DIR *folder = opendir(dir);
  if (folder == NULL) return fovea_fail(FOVEA_IO, "%s: %s", dir, strerror(errno));
  fovea_status status = FOVEA_OK;
  for (const struct dirent *entry; status == FOVEA_OK && (entry = readdir(folder)) != NULL;) {
    if (!parse_name(entry->d_name, &one)) continue;
    unsigned long long *more = realloc(found, (n + 1) * sizeof *more);
    if (more == NULL) {
      status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its event files", dir);
      continue;
    }
    found = more;
    found[n++] = one;
  }
  closedir(folder);
  if (n > 0) qsort(found, n, sizeof *found, ascending);
  if (status != FOVEA_OK) free(found);
  if (status == FOVEA_OK) *seconds = found, *count = n;
  return status;
}
