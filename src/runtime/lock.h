/* A device's lock: what makes calls of several threads on one device wait for each other. */
#ifndef FOVEA_RUNTIME_LOCK_H
#define FOVEA_RUNTIME_LOCK_H

#include <pthread.h>

#include "fovea/device.h"

/* Every public call on a device, or on what is made on it, that reads or changes what calls change stands between these
 * two. They nest, so that such a call may make others, and a listener too. unlock gives `status` back. */
void fovea_device_lock(fovea_device *device);
fovea_status fovea_device_unlock(fovea_device *device, fovea_status status);

/* For who makes a device. FOVEA_NO_MEMORY. */
fovea_status fovea_lock_create(pthread_mutex_t *lock);

#endif
