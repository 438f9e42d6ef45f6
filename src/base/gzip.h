/* Reading a file that may be compressed by gzip (RFC 1952). */
#ifndef FOVEA_BASE_GZIP_H
#define FOVEA_BASE_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

typedef struct fovea_gzip fovea_gzip;

/* Opens `path`: gzip if its name ends in .gz or its first bytes are 1f 8b, else plain bytes. FOVEA_IO when it cannot be
 * read or is no regular file, FOVEA_NO_MEMORY. */
fovea_status fovea_gzip_open(const char *path, fovea_gzip **file);
/* The same of an open descriptor, which may be a pipe; `name` is what messages call it. It is closed with the file, and
 * at once on failure. */
fovea_status fovea_gzip_adopt(int descriptor, const char *name, fovea_gzip **file);
/* The same where the name says nothing, since browsers leave .gz on what they have unpacked: gzip if the first bytes
 * are 1f 8b. After a whole member, what does not begin with 1f is passed over, as gzip itself does: tapes fill up with
 * zeros. */
fovea_status fovea_gzip_open_by_content(const char *path, fovea_gzip **file);
/* Whether anything else than zeros was passed over. */
bool fovea_gzip_trailing(const fovea_gzip *file);
void fovea_gzip_close(fovea_gzip *file); /* takes NULL */

/* Reads up to `size` bytes into `data`; *got is less only at the end. Several gzip members are one stream, as the RFC
 * says. A member's CRC and length are checked when a read goes past its last byte: read one byte more than is expected
 * and get none. FOVEA_INVALID when it is no gzip data, damaged, cut off at any byte, or followed by anything but
 * another member; FOVEA_IO. */
fovea_status fovea_gzip_read(fovea_gzip *file, void *data, size_t size, size_t *got);

/* The most bytes that the file can hold when uncompressed: its size, or 1032 times that, which is deflate's limit; of a
 * pipe 0. */
uint64_t fovea_gzip_bound(const fovea_gzip *file);

#endif
