/* Files that no part of the library reads, told by their first bytes: what they are, and what to do. */
#ifndef FOVEA_BASE_FOREIGN_H
#define FOVEA_BASE_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

enum { FOVEA_FOREIGN_BYTES = 512 };

/* A kind of file, by `size` bytes at the place `at`. */
typedef struct fovea_magic {
  const char *bytes;
  size_t size, at;
  const char *says;
} fovea_magic;

/* What the first of `count` kinds that the bytes are of says; NULL: they are of none. */
const char *fovea_magic_find(const fovea_magic *kinds, size_t count, const uint8_t *bytes, size_t size);

/* "an HTML page: the download went wrong" of a file's first bytes (FOVEA_FOREIGN_BYTES, or all): archives, compressed
 * files, documents and pages; NULL for what is not known here. */
const char *fovea_foreign(const uint8_t *bytes, size_t size);

#endif
