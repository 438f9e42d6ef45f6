/* OpenCL devices: every one of every platform, and an opened one. Threads may
 * share a device, whose calls then wait for each other: fovea.h has the rule. */
#ifndef FOVEA_DEVICE_H
#define FOVEA_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fovea_device_type {
  FOVEA_DEVICE_CPU,
  FOVEA_DEVICE_GPU,
  FOVEA_DEVICE_ACCELERATOR,
  FOVEA_DEVICE_OTHER
} fovea_device_type;

/* What a device says of itself. Sizes are in bytes. */
typedef struct fovea_device_info {
  size_t index; /* place in the list over all platforms, the number that --device takes */
  char platform[256];
  char name[256];
  char vendor[256];
  char driver[256];
  char version[256]; /* CL_DEVICE_VERSION, e.g. "OpenCL 3.0 PoCL HSTR: ..." */
  fovea_device_type type;
  uint32_t compute_units;
  uint32_t clock_mhz;
  uint32_t native_float_width; /* CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT */
  uint64_t global_memory;
  uint64_t max_allocation; /* the largest single buffer */
  uint64_t local_memory;
  size_t max_work_group_size;
  bool correctly_rounded_divide_sqrt; /* of fp32, with the build option that asks for it */
  bool denormals;                     /* of fp32 */
  bool fma;                           /* of fp32: CL_FP_FMA, correct fma() in hardware */
  bool unified_memory;                /* shares memory with the host: an integrated GPU, or a CPU */
  bool usable;
  char why_not[256]; /* a clause, when not usable: "has no online compiler" */
} fovea_device_info;

/* Lists every device of every platform through the ICD loader, the unusable ones too. *list is the caller's, who
 * gives it to fovea_free; with no device it is NULL and *count 0 and the status FOVEA_DEVICE, whose message names the
 * package to install. */
FOVEA_API fovea_status fovea_device_list(fovea_device_info **list, size_t *count);

typedef struct fovea_device fovea_device;

/* Where compiled kernels are. When a device is closed they are kept in the cache's folder, which may be deleted at any
 * time: a file a program, used only if its hash is that of its content, at most 512 MiB, of which what was not used for
 * longest goes first; and the tiles that fovea bench --tune has measured. Where nothing can be kept they are compiled
 * each time, and fovea_device_tell's listener is told why. The folder is, the first that there is: that of
 * fovea_cache_set_folder; $XDG_CACHE_HOME/fovea; $HOME/.cache/fovea.
 *
 * A driver that keeps a cache of its own without hashes, PoCL, is given a folder of this process instead, below
 * fovea-<user> in the first of /dev/shm, $TMPDIR and /tmp, or driver in the cache's folder, that has room: it is
 * removed when the process exits with its devices closed, or by the next process. The environment has POCL_CACHE_DIR
 * for that during the first call that lists or opens devices, when no other thread may read or change the environment.
 * A POCL_CACHE_DIR that was there before is left alone, and its content unchecked, as are the caches of other drivers
 * (NVIDIA, Intel, Mesa). */

/* From now on, for all devices of the process, those that are open too, the cache is in the folder `path` itself, which
 * is made, with its parents, when something is first kept there; with "" there is none: nothing is read or kept, and no
 * file is left anywhere (PoCL's, while it works, is the folder above). NULL: as the environment says, which is the
 * default. To be called before the first call that lists or opens devices, if PoCL's last resort is not to be in the
 * environment's folder. Copies the path. Any thread may call it at any time. FOVEA_INVALID for a path that is not
 * absolute or has more than 1023 bytes. */
FOVEA_API fovea_status fovea_cache_set_folder(const char *path);

/* Opens a device: a context and an in-order queue on it. `selector` is an index, "cpu", "gpu", or a part of a name or
 * vendor, without regard to case; NULL or "" means the fastest usable GPU (discrete before integrated, then compute
 * units times clock), else the CPU. FOVEA_INVALID when nothing matches or the match is not usable (the message lists
 * what there is), or when a variable of the environment is what it may not be (tools/README.md lists them; here and
 * in fovea_network_create); FOVEA_DEVICE when there is no device at all or it could not be opened; FOVEA_NO_MEMORY,
 * FOVEA_IO where a driver has nowhere to compile. The caller owns *device. */
FOVEA_API fovea_status fovea_device_open(const char *selector, fovea_device **device);

/* From now on `say` (may be NULL) is told, with `user` (any) and in one line, before what may take long: that kernels
 * are compiled, once when the first one is not in the cache, and that they are kept there, when the device is closed
 * after that; also that files of the cache are damaged, cannot be written, or were set aside since a process died in
 * the driver. NULL: nobody. `say` is called by the thread that uses the device, while others that share it wait. */
FOVEA_API void fovea_device_tell(fovea_device *device, void (*say)(void *user, const char *line), void *user);

/* Releases the device and all that it cached. Everything made on it must be destroyed before. Takes NULL. */
FOVEA_API void fovea_device_close(fovea_device *device);

/* Borrowed; valid until the device is closed. */
FOVEA_API const fovea_device_info *fovea_device_get_info(const fovea_device *device);

/* Waits until everything enqueued has been done. FOVEA_DEVICE when it failed, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_device_finish(fovea_device *device);

/* Time and count per kernel, op and shape since profiling began. Strings are borrowed from the device. */
typedef struct fovea_profile_row {
  const char *kernel; /* what the launch was called, e.g. "conv2d_forward" */
  const char *op;     /* whose launch it is, e.g. "conv2d backward"; "" for one of no op, e.g. adam */
  const char *shape;  /* e.g. "85x28x28->25x28x28"; "" where that is unknown */
  uint64_t launches;
  double seconds; /* on the device */
  double flops;   /* floating-point operations, as the launches declared them */
  double bytes;   /* moved at the least, likewise */
} fovea_profile_row;

/* Profiling costs an event a launch, so it is off until begun. begin clears what was gathered. rows: sorted by time,
 * largest first; the caller gives *rows to fovea_free. end waits for the queue and gathers; FOVEA_INVALID where nothing
 * was begun. FOVEA_NO_MEMORY, FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_profile_begin(fovea_device *device);
FOVEA_API fovea_status fovea_profile_end(fovea_device *device, fovea_profile_row **rows, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
