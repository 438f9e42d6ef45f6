#include "runtime/first_call.h"

#include <pthread.h>
#include <stdbool.h>

#include "runtime/driver_folder.h"

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* Set-up before the process's first OpenCL call, such as the environment that a driver reads in it: the place for a
 * setenv, since the library reads its own variables of devices afterwards. Called by one thread, again after a failure,
 * and never after FOVEA_OK. */
static fovea_status prepare(void) {
  fovea_driver_folder_make();
  return FOVEA_OK;
}

fovea_status fovea_opencl_begin(void) {
  static bool prepared;
  pthread_mutex_lock(&one_at_a_time);
  const fovea_status status = prepared ? FOVEA_OK : prepare();
  prepared = status == FOVEA_OK;
  if (status) pthread_mutex_unlock(&one_at_a_time);
  return status;
}

void fovea_opencl_end(void) { pthread_mutex_unlock(&one_at_a_time); }
