#include "runtime/compile_once.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "runtime/driver_folder.h"

typedef struct compiled {
  struct compiled *next;
  fovea_cache_key key;
  const fovea_device *by;
  cl_program program; /* NULL: it is being compiled */
} compiled;

static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static compiled *all; /* under the lock */

cl_int fovea_program_binary(cl_program program, unsigned char **binary, size_t *size) {
  size_t sizes[1 + FOVEA_MOST_SHARDS] = {0};
  unsigned char *binaries[1 + FOVEA_MOST_SHARDS] = {NULL};
  cl_int error = clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof sizes, sizes, NULL);
  *binary = NULL;
  *size = sizes[0];
  if (error != CL_SUCCESS || sizes[0] == 0) return error;
  binaries[0] = malloc(sizes[0]);
  if (!binaries[0]) return CL_OUT_OF_HOST_MEMORY;
  error = clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binaries, binaries, NULL);
  if (error == CL_SUCCESS)
    *binary = binaries[0];
  else
    free(binaries[0]);
  return error;
}

/* Under the lock, as the next. */
static compiled *find(const fovea_cache_key *key) {
  compiled *c = all;
  while (c && memcmp(&c->key, key, sizeof *key) != 0) c = c->next;
  return c;
}

static void add(const fovea_device *device, const fovea_cache_key *key) {
  compiled *c = malloc(sizeof *c);
  if (!c) return; /* then each compiles its own */
  *c = (compiled){.next = all, .key = *key, .by = device};
  all = c;
}

/* Such as PoCL, which would compile every kernel again to give a binary, 15 s of a training network. */
static bool keeps_kernels_itself(void) { return fovea_driver_folder_used() || fovea_environment("POCL_CACHE_DIR"); }

/* The lock keeps the other's program from being released meanwhile. */
bool fovea_compile_once_begin(const fovea_device *device, const fovea_cache_key *key, unsigned char **binary,
                              size_t *size) {
  compiled *c;
  *binary = NULL;
  pthread_mutex_lock(&changing);
  while ((c = find(key)) && !c->program && c->by != device) pthread_cond_wait(&changed, &changing);
  if (!c)
    add(device, key);
  else if (c->by != device && !keeps_kernels_itself())
    (void)fovea_program_binary(c->program, binary, size);
  pthread_mutex_unlock(&changing);
  return *binary != NULL;
}

static void drop(const fovea_device *device, const fovea_cache_key *key) {
  for (compiled **at = &all; *at;) {
    compiled *c = *at;
    if (c->by == device && (!key || memcmp(&c->key, key, sizeof *key) == 0))
      *at = c->next, free(c);
    else
      at = &c->next;
  }
}

void fovea_compile_once_end(const fovea_device *device, const fovea_cache_key *key, cl_program program) {
  pthread_mutex_lock(&changing);
  compiled *c = find(key);
  if (c && c->by == device && program)
    c->program = program;
  else if (c && c->by == device)
    drop(device, key);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&changing);
}

void fovea_compile_once_forget(const fovea_device *device) {
  pthread_mutex_lock(&changing);
  drop(device, NULL);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&changing);
}
