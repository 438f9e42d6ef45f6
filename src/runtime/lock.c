#include "runtime/lock.h"

#include <string.h>

#include "base/fail.h"
#include "runtime/device.h"

void fovea_device_lock(fovea_device *device) { pthread_mutex_lock(&device->lock); }

fovea_status fovea_device_unlock(fovea_device *device, fovea_status status) {
  pthread_mutex_unlock(&device->lock);
  return status;
}

fovea_status fovea_lock_create(pthread_mutex_t *lock) {
  pthread_mutexattr_t kind;
  int error = pthread_mutexattr_init(&kind);
  if (error == 0) error = pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
  if (error == 0) error = pthread_mutex_init(lock, &kind);
  if (error == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "cannot make a device's lock: %s", strerror(error));
}
