/* Compiled programs on disk. A missing, truncated or damaged file is a miss: the caller builds from source. */
#ifndef FOVEA_RUNTIME_CACHE_H
#define FOVEA_RUNTIME_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* 128 bits of everything that the binary depends on. */
typedef struct fovea_cache_key {
  uint64_t word[2];
} fovea_cache_key;

/* That of fovea_cache_set_folder, else $XDG_CACHE_HOME/fovea, else ~/.cache/fovea; false when there is none, or it is
 * too long; and why there is none. */
bool fovea_cache_directory(char *path, size_t size);
const char *fovea_cache_why_none(void);

/* fovea_environment_check of the variables that say where it is, where they do. */
fovea_status fovea_cache_check(void);

/* Hashes of the launch shapes for which a driver had compiled a program's kernels when the binary was taken. Kernels
 * launched by more shapes than fit here may be compiled again at each start. */
typedef struct fovea_cache_shapes {
  size_t count;
  uint64_t shape[128];
} fovea_cache_shapes;

typedef enum fovea_cache_found { FOVEA_CACHE_NONE, FOVEA_CACHE_DAMAGED, FOVEA_CACHE_GOOD } fovea_cache_found;

/* The file of a key; false when there is no folder for it. */
bool fovea_binary_path(const fovea_cache_key *key, char *path, size_t size);

/* When GOOD, *binary is what was stored, verified by its hash; the caller frees it with free(). Reading a file makes it
 * the newest for fovea_cache_trim. */
fovea_cache_found fovea_binary_load(const fovea_cache_key *key, unsigned char **binary, size_t *size,
                                    fovea_cache_shapes *shapes);

/* FOVEA_IO when it could not be written or there is no folder, FOVEA_NO_MEMORY. */
fovea_status fovea_binary_store(const fovea_cache_key *key, const unsigned char *binary, size_t size,
                                const fovea_cache_shapes *shapes);

/* Removes files that were set aside or left half written, then the least recently used, until at most `most` bytes
 * remain. */
enum { FOVEA_CACHE_MOST = 512 << 20 };
void fovea_cache_trim(uint64_t most);

#endif
