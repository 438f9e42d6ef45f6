/* Memory of a device on the host. It ends at a page that cannot be touched, to within the 255 bytes by which its
 * beginning is aligned, and one lies before it. Its bytes begin as NaN. */
#ifndef FOVEA_TESTS_EMULATOR_COMMON_HOST_MEMORY_H
#define FOVEA_TESTS_EMULATOR_COMMON_HOST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HOST_MEMORY_ALIGNED = 256 };

typedef struct host_memory {
  void *mapping;
  size_t bytes;
} host_memory;

bool host_memory_make(host_memory *, size_t size, uint64_t *address);
void host_memory_free(host_memory *);

#endif
