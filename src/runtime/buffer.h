/* Device memory, and views of it. */
#ifndef FOVEA_RUNTIME_BUFFER_H
#define FOVEA_RUNTIME_BUFFER_H

#include "runtime/device.h"

typedef struct fovea_buffer {
  fovea_device *device;
  cl_mem memory;
  cl_mem whole; /* the buffer with its canaries, of which `memory` is a sub-buffer (guard.h); else NULL */
  size_t size;  /* bytes */
} fovea_buffer;

/* "5.2 GiB" */
enum { FOVEA_SIZE_TEXT = 32 };
const char *fovea_size_text(uint64_t size, char text[FOVEA_SIZE_TEXT]);

/* Allocates and zeroes `size` bytes (at least 1 is allocated). FOVEA_NO_MEMORY, with the size and the device's limit,
 * when it is more than the device's largest allocation or than what it has left. `what` names it in the message. */
fovea_status fovea_buffer_create(fovea_device *device, size_t size, const char *what, fovea_buffer **buffer);
void fovea_buffer_destroy(fovea_buffer *buffer); /* takes NULL */

/* What was allocated for `size` bytes: whole words, at least one, so that the kernel that zeroes it never writes past
 * the end. */
static inline size_t fovea_buffer_allocated(size_t size) {
  const size_t words = size / 4 + (size % 4 != 0 || size == 0);
  return (words < SIZE_MAX / 4 ? words : SIZE_MAX / 4) * 4;
}

/* Blocking copies; offset and size in bytes, checked against the buffer. */
fovea_status fovea_buffer_write(fovea_buffer *buffer, size_t offset, size_t size, const void *data);
fovea_status fovea_buffer_read(fovea_buffer *buffer, size_t offset, size_t size, void *data);

/* Enqueues a copy that reads `data` before it returns (it is staged), without waiting for the device. */
fovea_status fovea_buffer_write_async(fovea_buffer *buffer, size_t offset, size_t size, const void *data);

/* Enqueues a copy without waiting for the device: `data` has to stay as it is until what is enqueued after it is done.
 */
fovea_status fovea_buffer_write_later(fovea_buffer *buffer, size_t offset, size_t size, const void *data);

/* Zeroes a range on the device (fovea_launch_create_zero). */
fovea_status fovea_buffer_zero(fovea_buffer *buffer, size_t offset, size_t size);

/* A view into a buffer of floats. Kernels take the buffer and an offset, since many devices align sub-buffers to more
 * than a channel's size. */
typedef struct fovea_slice {
  fovea_buffer *buffer;
  size_t offset; /* in elements of 4 bytes */
} fovea_slice;

#endif
