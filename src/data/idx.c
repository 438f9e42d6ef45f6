#include "data/idx.h"

#include <stdlib.h>

#include "core/fail.h"
#include "data/gzip.h"

enum { UBYTE = 0x08 };

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static fovea_status read_header(fovea_gzip *file, const char *path, int min_rank, int max_rank, fovea_idx *idx) {
  uint8_t bytes[4 + 4 * FOVEA_IDX_RANK];
  size_t got;
  fovea_status status = fovea_gzip_read(file, bytes, 4, &got);
  if (status != FOVEA_OK) return status;
  if (got < 4) return fovea_fail(FOVEA_INVALID, "'%s' has %zu bytes, too few for an IDX header", path, got);
  if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != UBYTE || bytes[3] < min_rank || bytes[3] > max_rank)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' begins with %02x %02x %02x %02x; an IDX file of bytes begins with 00 00 08 and its rank, "
                      "here %d to %d",
                      path, bytes[0], bytes[1], bytes[2], bytes[3], min_rank, max_rank);
  idx->rank = bytes[3];
  size_t size = 4 * (size_t)idx->rank;
  status = fovea_gzip_read(file, bytes + 4, size, &got);
  if (status != FOVEA_OK) return status;
  if (got < size) return fovea_fail(FOVEA_INVALID, "'%s' ends in its IDX header, after %zu bytes", path, 4 + got);
  for (int i = 0; i < idx->rank; i++) idx->dims[i] = big_endian(bytes + 4 + 4 * i);
  return FOVEA_OK;
}

/* Computes the item's and the total size; the total is checked against what the file could hold. */
static fovea_status check_sizes(fovea_gzip *file, const char *path, fovea_idx *idx) {
  size_t total = idx->dims[0];
  idx->item = 1;
  for (int i = 0; i < idx->rank; i++) {
    if (idx->dims[i] == 0) return fovea_fail(FOVEA_INVALID, "'%s': dimension %d of %d is 0", path, i + 1, idx->rank);
    if (i == 0) continue;
    if (total > PTRDIFF_MAX / idx->dims[i])
      return fovea_fail(FOVEA_INVALID, "'%s': the product of its dimensions overflows at dimension %d, %lu", path,
                        i + 1, (unsigned long)idx->dims[i]);
    total *= idx->dims[i];
    idx->item *= idx->dims[i];
  }
  uint64_t bound = fovea_gzip_bound(file);
  if (total > bound)
    return fovea_fail(FOVEA_INVALID, "'%s': its header promises %zu bytes, but it holds at most %llu", path, total,
                      (unsigned long long)bound);
  return FOVEA_OK;
}

static fovea_status read_items(fovea_gzip *file, const char *path, size_t limit, fovea_idx *idx) {
  idx->count = limit == 0 || limit > idx->dims[0] ? idx->dims[0] : limit;
  size_t size = idx->count * idx->item, got, extra = 0;
  uint8_t beyond;
  idx->data = malloc(size);
  if (idx->data == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", size, path);
  fovea_status status = fovea_gzip_read(file, idx->data, size, &got);
  if (status != FOVEA_OK) return status;
  if (got < size)
    return fovea_fail(FOVEA_INVALID, "'%s' has %zu bytes of data, its header promises %zu", path, got,
                      idx->dims[0] * idx->item);
  if (idx->count < idx->dims[0]) return FOVEA_OK;
  status = fovea_gzip_read(file, &beyond, 1, &extra); /* checks the CRC as well */
  if (status == FOVEA_OK && extra > 0)
    return fovea_fail(FOVEA_INVALID, "'%s' has more than the %zu bytes of data that its header promises", path, size);
  return status;
}

fovea_status fovea_idx_load(const char *path, int min_rank, int max_rank, size_t limit, fovea_idx *idx) {
  fovea_gzip *file;
  fovea_status status = fovea_gzip_open(path, &file);
  if (status != FOVEA_OK) return status;
  fovea_idx loaded = {0};
  status = read_header(file, path, min_rank, max_rank, &loaded);
  if (status == FOVEA_OK) status = check_sizes(file, path, &loaded);
  if (status == FOVEA_OK) status = read_items(file, path, limit, &loaded);
  fovea_gzip_close(file);
  if (status == FOVEA_OK) {
    *idx = loaded;
  } else {
    free(loaded.data);
  }
  return status;
}
