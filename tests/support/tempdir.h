/* A folder for a test's files. */
#ifndef FOVEA_TESTS_SUPPORT_TEMPDIR_H
#define FOVEA_TESTS_SUPPORT_TEMPDIR_H

#include <stddef.h>

/* "FOLDER/name" for a new folder in $TMPDIR or /tmp that is this process's, removed with its content at exit. The
 * string lives until the eighth call after it. Aborts when the folder cannot be made. */
const char *temp_path(const char *name);

/* Writes the bytes to temp_path(name), making its parent folders, and returns that path. Aborts on failure. */
const char *temp_file(const char *name, const void *data, size_t size);

#endif
