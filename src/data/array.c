#include "data/array.h"

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "base/gzip.h"

/* ---- streams ---------------------------------------------------------------------------------------------------- */

static fovea_status file_read(void *of, void *data, size_t size, size_t *got) {
  return fovea_gzip_read(of, data, size, got);
}

static bool file_trailing(void *of) { return fovea_gzip_trailing(of); }

static void file_close(void *of) { fovea_gzip_close(of); }

fovea_status fovea_stream_open(const char *path, fovea_stream *stream) {
  fovea_gzip *file;
  fovea_status status = fovea_gzip_open_by_content(path, &file);
  if (status == FOVEA_OK) *stream = (fovea_stream){file, file_read, file_close, fovea_gzip_bound(file), file_trailing};
  return status;
}

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

fovea_status fovea_array_check(fovea_array *a) {
  size_t bytes = a->size;
  a->item = 1;
  a->count = 1;
  for (int i = 0; i < a->rank; i++) {
    if (a->dims[i] == 0) return fovea_fail(FOVEA_INVALID, "%s: dimension %d of %d is 0", a->name, i + 1, a->rank);
    if (bytes > PTRDIFF_MAX / a->dims[i])
      return fovea_fail(FOVEA_INVALID, "%s: the product of its dimensions overflows at dimension %d, %zu", a->name,
                        i + 1, a->dims[i]);
    bytes *= a->dims[i];
    a->count *= a->dims[i];
    if (i > 0) a->item *= a->dims[i];
  }
  if (bytes > a->stream.bound)
    return fovea_fail(FOVEA_INVALID, "%s: its header promises %zu bytes, but it holds at most %" PRIu64, a->name, bytes,
                      a->stream.bound);
  return FOVEA_OK;
}

void fovea_array_close(fovea_array *a) {
  if (a->stream.close != NULL) a->stream.close(a->stream.of);
  *a = (fovea_array){.rank = 0};
}

fovea_status fovea_array_read(fovea_array *a, size_t count, void *data) {
  size_t got;
  fovea_status status = a->stream.read(a->stream.of, data, count * a->size, &got);
  if (status == FOVEA_OK) a->read += got;
  if (status == FOVEA_OK && got < count * a->size)
    status = fovea_fail(FOVEA_INVALID, "%s has %zu bytes of data, its header promises %zu: it is cut off", a->name,
                        a->read, a->count * a->size);
  return status;
}

fovea_status fovea_array_end(fovea_array *a) {
  uint8_t beyond;
  size_t extra = 0;
  fovea_status status = a->stream.read(a->stream.of, &beyond, 1, &extra);
  if (status == FOVEA_OK && extra > 0)
    status = fovea_fail(FOVEA_INVALID, "%s has more than the %zu bytes of data that its header promises", a->name,
                        a->count * a->size);
  return status;
}

static double number(char type, size_t size, uint64_t bits) {
  float f;
  double d;
  const uint32_t low = (uint32_t)bits;
  if (type == 'f') {
    memcpy(&f, &low, sizeof f);
    memcpy(&d, &bits, sizeof d);
    return size == 4 ? (double)f : d;
  }
  if (type == 'u') return (double)bits;
  const unsigned unused = 64 - 8 * (unsigned)size;
  return (double)((int64_t)(bits << unused) >> unused); /* the sign is carried down */
}

void fovea_array_convert(const fovea_array *a, const uint8_t *stored, size_t count, double *values) {
  for (size_t i = 0; i < count; i++) {
    uint64_t bits = 0;
    for (size_t k = 0; k < a->size; k++)
      bits |= (uint64_t)stored[i * a->size + k] << 8 * (a->big_endian ? a->size - 1 - k : k);
    values[i] = number(a->type, a->size, bits);
  }
}
