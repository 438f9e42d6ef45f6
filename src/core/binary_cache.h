/* Compiled programs on disk. Every failure is a miss: the caller builds from source. */
#ifndef FOVEA_CORE_BINARY_CACHE_H
#define FOVEA_CORE_BINARY_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128 bits of everything that the binary depends on. */
typedef struct fovea_cache_key {
  uint64_t word[2];
} fovea_cache_key;

/* $XDG_CACHE_HOME/fovea, else ~/.cache/fovea; false when there is neither, or it is too long. */
bool fovea_cache_directory(char *path, size_t size);

/* *binary is the caller's, to be freed with free(). False when there is none, or it is not what was stored. */
bool fovea_binary_load(const fovea_cache_key *key, unsigned char **binary, size_t *size);
void fovea_binary_store(const fovea_cache_key *key, const unsigned char *binary, size_t size);

#endif
