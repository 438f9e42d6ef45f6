/* An opened device, seen from inside the library. */
#ifndef FOVEA_RUNTIME_DEVICE_H
#define FOVEA_RUNTIME_DEVICE_H

#include <CL/cl.h>
#include <pthread.h>

#include "fovea/device.h"

/* Build parameters that follow from the device's capabilities, never from its vendor's name. */
typedef struct fovea_tuning {
  int vector;   /* V: images of the batch that a work-item handles: 16 on a CPU, 1 on a GPU */
  int native;   /* lanes that one instruction handles: 4, 8 or 16 on a CPU, 1 on a GPU */
  size_t group; /* work-items of a work-group along the batch: 1 on a CPU, 64 on a GPU (or what the device allows) */
} fovea_tuning;

typedef struct fovea_program_cache fovea_program_cache;
typedef struct fovea_profile fovea_profile;
typedef struct fovea_staging fovea_staging;
typedef struct fovea_autotuned fovea_autotuned;

enum { FOVEA_MOST_SHARDS = 8, FOVEA_MOST_KERNEL_LIMITS = 16 };

/* A kernel of which the device allows fewer work-items in a group than it does in general: for want of registers. */
typedef struct fovea_kernel_limit {
  char kernel[64];
  size_t items;
} fovea_kernel_limit;

struct fovea_device {
  pthread_mutex_t lock; /* lock.h */
  fovea_device_info info;
  fovea_tuning tuning;
  cl_platform_id platform;
  cl_device_id id, ids[1 + FOVEA_MOST_SHARDS]; /* those of the context: the device, then its shards */
  int shard_count;                             /* sub-devices of equally many compute units; 0: none */
  cl_context context;
  cl_command_queue queue;                     /* in order, profiling enabled */
  cl_command_queue side_stream;               /* another, for what may run beside it; NULL: none */
  cl_command_queue shards[FOVEA_MOST_SHARDS]; /* one for each shard */
  double shard_least_bytes;                   /* bytes; a launch that moves less is not sharded */
  size_t bucket;                              /* floats of gradients that go to other ranks together */
  fovea_program_cache *programs;
  void (*say)(void *user, const char *line); /* fovea_device_tell; NULL: nobody */
  void *user;
  fovea_profile *profile;     /* NULL until begun */
  fovea_staging *staging;     /* host copies of asynchronous writes in flight; NULL until the first */
  fovea_autotuned *autotuned; /* measured tiles: autotune.h; NULL until an op requests one */
  fovea_kernel_limit limits[FOVEA_MOST_KERNEL_LIMITS]; /* found so far: fovea_launch_most_items */
  int limit_count, limits_found;                       /* how many; how often one was found or lowered */
  uint64_t allocated;                                  /* bytes in live buffers */
  bool guard;                                          /* canaries around every buffer made from now on: guard.h */
};

/* fovea_device_open for a sub-device of `units` compute units; 0: the whole device. FOVEA_DEVICE where it cannot be
 * divided so. The driver's sub-device is kept until the process ends. */
fovea_status fovea_device_open_part(const char *selector, uint32_t units, fovea_device **device);

/* Waits for all queues, whatever one says; the first error, without a message. */
cl_int fovea_finish_queues(const fovea_device *device);

/* "CL_OUT_OF_RESOURCES" for -5, and so on; "CL_UNKNOWN_ERROR" for what it does not know. */
const char *fovea_cl_error_name(cl_int error);

/* The status that an OpenCL error means: FOVEA_NO_MEMORY for allocation failures, else FOVEA_DEVICE. */
fovea_status fovea_cl_status(cl_int error);

/* Sets the message "what: CL_NAME (on device NAME)" and returns fovea_cl_status(error); FOVEA_OK for CL_SUCCESS. */
fovea_status fovea_cl_check(const fovea_device *device, cl_int error, const char *what);

#endif
