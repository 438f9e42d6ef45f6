/* Devices of one kind, open in a process at the same time, compile a program once: the others wait, and take its
 * binary. */
#ifndef FOVEA_RUNTIME_COMPILE_ONCE_H
#define FOVEA_RUNTIME_COMPILE_ONCE_H

#include "runtime/cache.h"
#include "runtime/device.h"

/* The program of that key which another device has or compiles now, which is waited for: its binary, which the caller
 * frees, in *binary. False where nobody has, or the driver keeps kernels in a folder of its own, where the caller's
 * compiler finds them: then the caller compiles, and ends by fovea_compile_once_end. */
bool fovea_compile_once_begin(const fovea_device *device, const fovea_cache_key *key, unsigned char **binary,
                              size_t *size);

/* program: NULL where it could not be compiled. */
void fovea_compile_once_end(const fovea_device *device, const fovea_cache_key *key, cl_program program);

/* Before the device's programs are released. */
void fovea_compile_once_forget(const fovea_device *device);

/* A program's binary for the first device of its context; *binary NULL where the driver has none. */
cl_int fovea_program_binary(cl_program program, unsigned char **binary, size_t *size);

#endif
