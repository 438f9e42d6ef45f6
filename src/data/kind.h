/* What a file is, by its name and by its first bytes. */
#ifndef FOVEA_DATA_KIND_H
#define FOVEA_DATA_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOVEA_KIND_BYTES = 16, FOVEA_KIND_NAME = 32 };

/* The name under which to count a file that systems and programs leave in folders, or that is hidden; NULL for every
 * other file. */
const char *fovea_kind_junk(const char *name);

/* "PNG", "JPEG", "WEBP" and so on by a file's first bytes (FOVEA_KIND_BYTES of them, or all), or NULL: no picture that
 * is known here. */
const char *fovea_kind_picture(const uint8_t *bytes, size_t size);

/* Whether a file begins as an HTML page does. */
bool fovea_kind_page(const uint8_t *bytes, size_t size);

/* Whether the name ends as those of pictures of any kind do. */
bool fovea_kind_named_picture(const char *name);

/* What to count a file of this name under: its suffix in lower case, or "without suffix". */
const char *fovea_kind_suffix(const char *name, char suffix[FOVEA_KIND_NAME]);

#endif
