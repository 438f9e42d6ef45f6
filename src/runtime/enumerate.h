/* The devices of all platforms, with the handles that open them. */
#ifndef FOVEA_RUNTIME_ENUMERATE_H
#define FOVEA_RUNTIME_ENUMERATE_H

#include <CL/cl.h>

#include "fovea/device.h"

typedef struct fovea_found {
  cl_platform_id platform;
  cl_device_id id;
  fovea_device_info info;
} fovea_found;

/* *found is the caller's, freed with free(). FOVEA_DEVICE when there is none. */
fovea_status fovea_enumerate(fovea_found **found, size_t *count);

/* What `selector` (see fovea_device_open) picks of `found`; *chosen is an index into it. */
fovea_status fovea_select(const fovea_found *found, size_t count, const char *selector, size_t *chosen);

#endif
