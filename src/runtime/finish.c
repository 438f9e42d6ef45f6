#include "base/fail.h"
#include "runtime/device.h"
#include "runtime/lock.h"

static void finish(cl_command_queue queue, cl_int *first_error) {
  const cl_int error = queue ? clFinish(queue) : CL_SUCCESS;
  if (*first_error == CL_SUCCESS) *first_error = error;
}

cl_int fovea_finish_queues(const fovea_device *device) {
  cl_int error = CL_SUCCESS;
  for (int i = 0; i < device->shard_count; i++) finish(device->shards[i], &error);
  finish(device->side_stream, &error);
  finish(device->queue, &error);
  return error;
}

fovea_status fovea_device_finish(fovea_device *device) {
  if (!device) return fovea_fail_null("device");
  fovea_device_lock(device);
  return fovea_device_unlock(device, fovea_cl_check(device, fovea_finish_queues(device), "waiting for the device"));
}
