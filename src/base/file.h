/* Files that survive a crash: whole-file replacement, durable appends, bounded reads. */
#ifndef FOVEA_BASE_FILE_H
#define FOVEA_BASE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

/* Replaces `path` by `size` bytes of `data`, or leaves it as it was: a temporary file "PATH.tmp" in the same folder,
 * fsync, rename, fsync of the folder. A symbolic link at `path` is replaced, not followed. FOVEA_IO with the path and
 * the system's reason, also when another process is writing the same path at this moment; FOVEA_NO_MEMORY. The one
 * failure after which `path` is the new file (complete) is that of the folder's fsync; the message says so. */
fovea_status fovea_file_write(const char *path, const void *data, size_t size);

/* The same in pieces. Every successful begin is ended by exactly one commit or abandon, both of which free the file
 * whatever they return. A failed put has already removed the temporary; a commit after it fails too. Statuses as above.
 * The lock on the temporary is the kernel's, so what a killed process leaves behind is reused, not refused. */
typedef struct fovea_file fovea_file;
fovea_status fovea_file_begin(const char *path, fovea_file **file);
fovea_status fovea_file_put(fovea_file *file, const void *data, size_t size);
fovea_status fovea_file_commit(fovea_file *file);
void fovea_file_abandon(fovea_file *file); /* takes NULL */

/* Reads a regular file of at most `max_size` bytes. *data is the caller's, to be freed with free(), and has a zero byte
 * after its *size bytes, so a text is a string. FOVEA_IO when it cannot be read, FOVEA_INVALID when it is larger,
 * FOVEA_NO_MEMORY. */
fovea_status fovea_file_read(const char *path, size_t max_size, uint8_t **data, size_t *size);

/* All `size` bytes from `offset` of an open file: how many there are, fewer only at its end; or -1 and errno. */
ptrdiff_t fovea_file_read_at(int descriptor, uint64_t offset, void *data, size_t size);

/* Appends `line` and a newline in one write, then fsync; creates the file. When the file ends in a torn line, a newline
 * comes first, so that the torn line stays alone. FOVEA_INVALID when `line` has a newline in it; FOVEA_IO, and then
 * nothing was appended as far as the system allows; FOVEA_NO_MEMORY. */
fovea_status fovea_file_append_line(const char *path, const char *line);

/* Makes a directory and its parents; an existing one that can be written in is fine. FOVEA_IO when it cannot be made or
 * is not writable, FOVEA_NO_MEMORY. */
fovea_status fovea_directory_create(const char *path);

#endif
