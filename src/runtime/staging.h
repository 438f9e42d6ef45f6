/* Host copies of writes that are not waited for: a ring of a few a device, reused when their writes are done. */
#ifndef FOVEA_RUNTIME_STAGING_H
#define FOVEA_RUNTIME_STAGING_H

#include "runtime/device.h"

/* Enqueues the copy of `size` bytes to byte `offset` of the memory; `data` is free when it returns. Waits
 * only where the ring is full. FOVEA_NO_MEMORY, FOVEA_DEVICE. */
fovea_status fovea_staging_write(fovea_device *device, cl_mem memory, size_t offset, size_t size, const void *data);

void fovea_staging_destroy(fovea_staging *staging); /* takes NULL; the queue must be finished */

#endif
