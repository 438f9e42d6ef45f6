/* Programs: built once a device and options, kept in memory and on disk. */
#ifndef FOVEA_RUNTIME_PROGRAM_H
#define FOVEA_RUNTIME_PROGRAM_H

#include "runtime/device.h"

fovea_status fovea_program_cache_create(fovea_program_cache **cache);
void fovea_program_cache_destroy(fovea_program_cache *cache); /* takes NULL */

/* Writes to disk what was built from source since the last time. Not done at the build, since it may take longer. */
void fovea_program_cache_save(fovea_device *device);

/* Records that a kernel of the program is launched by such a shape, for which the driver may compile it. */
void fovea_program_launched(fovea_device *device, cl_program program, uint64_t shape);

/* Programs built so far: each file and options once. */
size_t fovea_program_cache_count(const fovea_program_cache *cache);

/* The program of cl/`file` built with `options` (macros, "-DR=3 -DTK=5"), borrowed from the device. Added to every
 * build: -cl-std=CL1.2, -w, -DFOVEA_V=<tuning.vector>, and either -cl-fp32-correctly-rounded-divide-sqrt or
 * -DFOVEA_CORRECT_DIVISION where the device does not have that. `#include "name.clh"` lines are resolved here, from
 * the embedded files or from $FOVEA_CL_DIR, so that the key covers them.
 *
 * On disk, from when the device is closed: $XDG_CACHE_HOME/fovea (else ~/.cache/fovea), a file named by a hash of
 * source, options, platform, device, driver and version; written to a temporary name and renamed; its content verified.
 * Any failure, of reading, of writing, of the binary itself, falls back to source, and is told (fovea_device_tell)
 * where a file was damaged or could not be written. On a build failure
 * FOVEA_DEVICE, the message with the file, the options and the beginning of the build log. */
fovea_status fovea_program_get(fovea_device *device, const char *file, const char *options, cl_program *program);

/* All options of a build with `options`, the added ones first. */
void fovea_program_options(const fovea_device *device, const char *options, char *text, size_t size);

#endif
