/* XXH64, the 64-bit hash of the xxHash specification, from libxxhash: XXH64_reset with a seed, XXH64_update with some
 * bytes, XXH64_digest, after which more may follow. It finds accidents, not forgeries.
 *
 * It is compiled into hash.c, under names of ours, as its header offers. In the shared library a hash's state is an
 * allocation, which may fail; here none of the three fails, and no bytes at NULL are no bytes. */
#ifndef FOVEA_BASE_HASH_H
#define FOVEA_BASE_HASH_H

#define XXH_NAMESPACE fovea_
#define XXH_STATIC_LINKING_ONLY /* the state's size */
#define XXH_NO_XXH3             /* another hash, and nine tenths of the text */
#include <xxhash.h>

#endif
