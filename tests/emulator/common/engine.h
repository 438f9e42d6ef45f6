/* What the driver knows of the engine behind its device: what it calls itself, how it compiles, kernels and launches.
 * amd.c, nvidia.c and cuda.c of driver/ each have one. */
#ifndef FOVEA_TESTS_EMULATOR_COMMON_ENGINE_H
#define FOVEA_TESTS_EMULATOR_COMMON_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct argument {
  enum { BY_VALUE, GLOBAL_BUFFER, DYNAMIC_LOCAL } kind;
  uint32_t offset, size;
} argument;

enum { MOST_ARGUMENTS = 64 };

typedef struct kernel_head {
  char name[128];
  argument arguments[MOST_ARGUMENTS];
  uint32_t argument_count, argument_bytes;
  uint32_t local_bytes, private_bytes; /* a work-group's, a work-item's */
  uint32_t most_items, required[3];    /* of a work-group */
} kernel_head;

typedef struct range {
  uint32_t dimensions, offset[3], global[3], local[3], groups[3];
} range;

/* A kernel with all that its launch is given. */
typedef struct call {
  const kernel_head *kernel;
  const range *range;
  const uint8_t *values; /* argument_bytes of them, where the arguments' offsets say */
  uint32_t local_bytes;  /* with those of the arguments */
} call;

typedef struct device_facts {
  const char *platform, *name, *version;
  uint64_t memory, most_allocation;
  uint32_t units, clock_mhz, local_bytes, most_items, lanes;
  bool divides; /* x / y and sqrt are rounded correctly */
} device_facts;

/* Of a device with memory and queues of its own. A status is CL_SUCCESS, or an error that stderr names. */
typedef struct remote {
  int (*allocate)(size_t bytes, uint64_t *address);
  void (*release)(uint64_t address);
  int (*make_queue)(void **queue);
  void (*release_queue)(void *queue);
  int (*finish)(void *queue);
  int (*write)(void *queue, uint64_t to, const void *from, size_t bytes, bool blocking);
  int (*read)(void *queue, void *to, uint64_t from, size_t bytes, bool blocking);
  int (*record)(void *queue, void **event); /* where the queue is now */
  void (*release_event)(void *event);
  int (*wait)(void *queue, void *event); /* what comes next in the queue waits */
  int (*is_done)(void *event, bool *done, bool blocking);
  int (*nanoseconds)(void *from, void *to, uint64_t *between); /* from NULL: since the first event recorded */
} remote;

typedef struct engine {
  /* `script` TARGET STEM OPTION... `options` compiles STEM.cl; STEM`made` is there when all is. */
  const char *(*target)(void), *script, *options, *made;
  const device_facts *(*facts)(void); /* NULL: there is no device, and stderr has said why */
  /* NULL: `message` says why not. */
  void *(*load)(const char *stem, char *message, size_t size);
  void (*unload)(void *module);
  const kernel_head *(*kernel)(const void *module, const char *name); /* NULL: there is none of this name */
  /* `instructions` gets how many waves executed, where that is known. */
  int (*launch)(void *queue, const void *module, const call *, uint64_t *instructions);
  const remote *remote; /* NULL: memory is the host's, and a command is done when its call returns */
} engine;

#endif
