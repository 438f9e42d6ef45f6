/* A libcuda.so.1 for tests, without a card: its kernels run by the emulator of PTX. As on a card a launch returns
 * before it is done: a stream keeps its commands until somebody waits for it, and another stream's are done no sooner
 * for that. What CUDA forbids is an error: a thread without a context, kernels that are not visible, PTX for OpenCL's
 * textures, groups that are too large, copies beyond an allocation. */
#ifndef FOVEA_TESTS_EMULATOR_FAKE_FAKE_H
#define FOVEA_TESTS_EMULATOR_FAKE_FAKE_H

#include <pthread.h>
#include <stdbool.h>

#include "common/host_memory.h"
#include "driver/cuda_api.h"
#include "ptx/module.h"

struct CUctx_st {
  int made;
};
struct CUmod_st {
  ptx_module *module;
  struct CUfunc_st {
    const ptx_kernel *kernel;
  } functions[MOST_KERNELS];
};
struct CUevent_st {
  CUstream stream; /* NULL: it is recorded in none, or that is gone */
  uint64_t number; /* of its command there */
  uint64_t when;   /* ns; 0: not yet */
};

typedef struct pending {
  enum { LAUNCH, COPY, WAIT, RECORD } kind;
  uint64_t number;
  CUevent event;  /* to record */
  CUstream other; /* to wait for, up to its command */
  uint64_t until;
  const ptx_kernel *kernel;
  range range;
  CUdeviceptr to;
  size_t bytes;
  uint8_t *data; /* of a copy; a kernel's arguments */
  struct pending *next;
} pending;

struct CUstream_st {
  pending *first, *last;
  uint64_t given, done;     /* numbers of commands */
  struct CUstream_st *next; /* of all */
};

/* Everything here is one thread's at a time. */
extern pthread_mutex_t fake_lock;

/* To be done later; `data` is then the stream's. */
CUresult fake_add(CUstream, const pending *);

/* Does what the stream has up to this command. */
CUresult fake_run(CUstream, uint64_t number);

/* The bytes there are within one allocation. */
bool fake_is_allocated(CUdeviceptr address, size_t bytes);

#endif
