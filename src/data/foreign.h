/* Files that are no images and are not read, told by their first bytes: what they are, and what to do. */
#ifndef FOVEA_DATA_FOREIGN_H
#define FOVEA_DATA_FOREIGN_H

#include "base/foreign.h"
#include "fovea/status.h"

/* As fovea_foreign, and of files that hold images in another way. */
const char *fovea_foreign_set(const uint8_t *bytes, size_t size);

/* FOVEA_INVALID with that sentence for such a file and for one without a byte; FOVEA_OK for every other, also one that
 * cannot be read, which reading will tell. */
fovea_status fovea_foreign_check(const char *path);

/* The first bytes of a regular file; 0 where it cannot be read. */
size_t fovea_first_bytes(const char *path, uint8_t *bytes, size_t size);

#endif
