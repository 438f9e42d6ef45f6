#include "data/idx.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/fail.h"

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

void fovea_idx_close(fovea_idx *idx) {
  fovea_gzip_close(idx->file);
  *idx = (fovea_idx){0};
}

fovea_status fovea_idx_open(const char *path, int min_rank, int max_rank, fovea_idx *idx) {
  *idx = (fovea_idx){.path = path};
  fovea_status status = fovea_gzip_open(path, &idx->file);
  if (status == FOVEA_OK) status = read_header(idx->file, path, min_rank, max_rank, idx);
  if (status == FOVEA_OK) status = check_sizes(idx->file, path, idx);
  if (status != FOVEA_OK) fovea_idx_close(idx);
  return status;
}

/* Reads the items from `place` on, `count` of them, to data. */
static fovea_status read_exactly(fovea_idx *idx, size_t place, size_t count, uint8_t *data) {
  size_t got;
  fovea_status status = fovea_gzip_read(idx->file, data, count * idx->item, &got);
  if (status == FOVEA_OK && got < count * idx->item)
    status = fovea_fail(FOVEA_INVALID, "'%s' has %zu bytes of data, its header promises %zu", idx->path,
                        place * idx->item + got, idx->dims[0] * idx->item);
  return status;
}

/* Item after item: the chosen go to data, the others to `other`, which has room for one. */
static fovea_status read_chosen(fovea_idx *idx, const uint32_t *index, size_t count, uint8_t *data, uint8_t *other) {
  fovea_status status = FOVEA_OK;
  size_t taken = 0;
  for (size_t i = 0; i < idx->dims[0] && status == FOVEA_OK; i++) {
    const bool chosen = taken < count && (index != NULL ? index[taken] : taken) == i;
    status = read_exactly(idx, i, 1, chosen ? data + taken++ * idx->item : other);
  }
  return status;
}

/* The last read checks the CRC as well. */
static fovea_status check_end(fovea_idx *idx) {
  uint8_t beyond;
  size_t extra = 0;
  fovea_status status = fovea_gzip_read(idx->file, &beyond, 1, &extra);
  if (status == FOVEA_OK && extra > 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' has more than the %zu bytes of data that its header promises", idx->path,
                        idx->dims[0] * idx->item);
  return status;
}

fovea_status fovea_idx_read(fovea_idx *idx, const uint32_t *index, size_t count, uint8_t **data) {
  uint8_t *items = malloc(count * idx->item), *other = malloc(idx->item);
  fovea_status status = FOVEA_OK;
  if (items == NULL || other == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu bytes of '%s'", count * idx->item, idx->path);
  else if (index == NULL && count == idx->dims[0])
    status = read_exactly(idx, 0, count, items);
  else
    status = read_chosen(idx, index, count, items, other);
  if (status == FOVEA_OK) status = check_end(idx);
  free(other);
  if (status == FOVEA_OK)
    *data = items;
  else
    free(items);
  return status;
}
