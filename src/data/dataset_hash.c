/* What a set is known by. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/hash.h"
#include "data/pack.h"
#include "data/pack_format.h"
#include "fovea/data.h"

enum { CHUNK = 1 << 20 };

/* The pixels of a sample of a set in a file, some at a time. */
static fovea_status hash_pixels(const fovea_dataset *d, XXH64_state_t *hash) {
  const size_t image = (size_t)d->channels * (size_t)d->height * (size_t)d->width;
  const size_t some = image < CHUNK ? CHUNK / image : 1;
  uint8_t *pixels = malloc(some * image);
  fovea_status status = pixels == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read %zu images", some) : FOVEA_OK;
  for (size_t done = 0; done < d->count && status == FOVEA_OK; done += some) {
    const size_t n = d->count - done < some ? d->count - done : some;
    status = fovea_pack_read(d->file, NULL, done, n, pixels);
    if (status == FOVEA_OK) XXH64_update(hash, pixels, n * image);
  }
  free(pixels);
  return status;
}

fovea_status fovea_dataset_hash(const fovea_dataset *d, uint64_t *value) {
  if (!d) return fovea_fail_null("dataset");
  if (!value) return fovea_fail_null("hash");
  if (!d->file && !d->pixels) return fovea_fail(FOVEA_INVALID, "the set's pixels are NULL");
  const size_t image = (size_t)d->channels * (size_t)d->height * (size_t)d->width;
  XXH64_state_t hash;
  if (d->file != NULL && fovea_pack_hash(d->file, value)) return FOVEA_OK;
  fovea_pack_hash_begin(&hash, d->count, d->channels, d->height, d->width);
  fovea_status status = FOVEA_OK;
  if (d->pixels != NULL)
    XXH64_update(&hash, d->pixels, d->count * image);
  else
    status = hash_pixels(d, &hash);
  if (d->labels != NULL) fovea_pack_hash_labels(&hash, d->labels, d->count);
  *value = XXH64_digest(&hash);
  return status;
}
