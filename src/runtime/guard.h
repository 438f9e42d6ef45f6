/* Canaries: words of a fixed pattern before and after a buffer, which nothing may write to. For the self-test and the
 * tests; a device has them when device->guard is set before its buffers are made. */
#ifndef FOVEA_RUNTIME_GUARD_H
#define FOVEA_RUNTIME_GUARD_H

#include "runtime/buffer.h"

/* A NaN, so that whoever reads a canary, or memory that nothing was written to, shows it in the result. */
#define FOVEA_CANARY 0x7fc0deadu

/* *whole becomes a buffer with canaries at its ends, *inside the `size` bytes between them, as a sub-buffer. */
fovea_status fovea_guard_create(fovea_device *device, size_t size, const char *what, cl_mem *whole, cl_mem *inside);

/* FOVEA_MISMATCH, naming the place, when a canary of the buffer was overwritten; FOVEA_OK where it has none. */
fovea_status fovea_guard_check(fovea_buffer *buffer, const char *what);

/* The same check of `count` canary words inside a buffer, from word `first`. */
fovea_status fovea_guard_check_words(const uint32_t *words, size_t count, const char *what, const char *side);

#endif
