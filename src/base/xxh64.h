/* XXH64, the 64-bit hash of the xxHash specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). It finds
 * accidents, not forgeries. */
#ifndef FOVEA_BASE_XXH64_H
#define FOVEA_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

typedef struct fovea_xxh64 {
  uint64_t lane[4];
  uint64_t total;      /* bytes so far */
  uint8_t waiting[32]; /* total % 32 of them */
  uint64_t seed;
} fovea_xxh64;

void fovea_xxh64_begin(fovea_xxh64 *hash, uint64_t seed);
void fovea_xxh64_put(fovea_xxh64 *hash, const void *data, size_t size);
uint64_t fovea_xxh64_end(const fovea_xxh64 *hash); /* more may be put afterwards */

#endif
