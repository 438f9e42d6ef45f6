/* IDX files, as MNIST's (yann.lecun.com/exdb/mnist): 00 00, the type, the rank, the dimensions, the numbers, all
 * big-endian. */
#include <string.h>

#include "base/fail.h"
#include "data/array.h"

enum { MOST_RANK = 4 };

static const struct {
  uint8_t code;
  char type;
  uint8_t size;
} types[] = {{0x08, 'u', 1}, {0x09, 'i', 1}, {0x0b, 'i', 2}, {0x0c, 'i', 4}, {0x0d, 'f', 4}, {0x0e, 'f', 8}};

static fovea_status take(fovea_array *a, uint8_t *bytes, size_t size, size_t before) {
  size_t got;
  fovea_status status = a->stream.read(a->stream.of, bytes, size, &got);
  if (status != FOVEA_OK || got == size) return status;
  if (before == 0) return fovea_fail(FOVEA_INVALID, "%s has %zu bytes, too few for an IDX header", a->name, got);
  return fovea_fail(FOVEA_INVALID, "%s ends in its IDX header, after %zu bytes", a->name, before + got);
}

static fovea_status read_header(fovea_array *a) {
  uint8_t bytes[4 + 4 * MOST_RANK];
  fovea_status status = take(a, bytes, 4, 0);
  if (status != FOVEA_OK) return status;
  size_t i = 0;
  while (i < sizeof types / sizeof *types && types[i].code != bytes[2]) i++;
  if (bytes[0] != 0 || bytes[1] != 0 || i == sizeof types / sizeof *types || bytes[3] < 1 || bytes[3] > MOST_RANK)
    return fovea_fail(FOVEA_INVALID,
                      "%s begins with %02x %02x %02x %02x; an IDX file begins with 00 00, a type (08 for bytes) and a "
                      "rank, here 1 to %d",
                      a->name, bytes[0], bytes[1], bytes[2], bytes[3], MOST_RANK);
  a->type = types[i].type;
  a->size = types[i].size;
  a->big_endian = true;
  a->rank = bytes[3];
  status = take(a, bytes + 4, 4 * (size_t)a->rank, 4);
  for (int k = 0; k < a->rank && status == FOVEA_OK; k++) {
    const uint8_t *p = bytes + 4 + 4 * k;
    a->dims[k] = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
  }
  return status == FOVEA_OK ? fovea_array_check(a) : status;
}

fovea_status fovea_idx_begin(fovea_array *a) {
  fovea_status status = read_header(a);
  if (status != FOVEA_OK) fovea_array_close(a);
  return status;
}
