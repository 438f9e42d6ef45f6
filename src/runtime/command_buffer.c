/* Off by default: on PoCL 3.1 it changes nothing that can be measured (cl/README.md, the log), and no device whose
 * queue runs a recording by itself has been measured. */
#include "runtime/command_buffer.h"

#include <CL/cl_ext.h>
#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"

struct fovea_command_buffer {
  fovea_device *device;
  cl_command_buffer_khr recorded;
  clCreateCommandBufferKHR_fn create;
  clCommandNDRangeKernelKHR_fn command;
  clFinalizeCommandBufferKHR_fn finalize;
  clEnqueueCommandBufferKHR_fn enqueue;
  clReleaseCommandBufferKHR_fn release;
};

static bool asked_for(void) {
  const char *asked = fovea_environment("FOVEA_COMMAND_BUFFER");
  return asked && strcmp(asked, "on") == 0;
}

static bool has_extension(const fovea_device *device) {
  static const char name[] = CL_KHR_COMMAND_BUFFER_EXTENSION_NAME;
  size_t size = 0;
  if (clGetDeviceInfo(device->id, CL_DEVICE_EXTENSIONS, 0, NULL, &size) != CL_SUCCESS) return false;
  char *all = calloc(1, size + 1);
  if (!all) return false;
  bool found = false;
  if (clGetDeviceInfo(device->id, CL_DEVICE_EXTENSIONS, size, all, NULL) == CL_SUCCESS) {
    for (const char *at = all; !found && (at = strstr(at, name)); at += strlen(name)) {
      const char after = at[strlen(name)];
      found = after == '\0' || after == ' '; /* not one of those that build on it */
    }
  }
  free(all);
  return found;
}

/* A step is enqueued while the one before runs, into the queue that everything else uses. */
static bool allows_our_use(const fovea_device *device) {
  cl_device_command_buffer_capabilities_khr can = 0;
  cl_command_queue_properties needed = 0;
  if (clGetDeviceInfo(device->id, CL_DEVICE_COMMAND_BUFFER_CAPABILITIES_KHR, sizeof can, &can, NULL) ||
      clGetDeviceInfo(device->id, CL_DEVICE_COMMAND_BUFFER_REQUIRED_QUEUE_PROPERTIES_KHR, sizeof needed, &needed, NULL))
    return false;
  return (can & CL_COMMAND_BUFFER_CAPABILITY_SIMULTANEOUS_USE_KHR) &&
         (needed & ~(cl_command_queue_properties)CL_QUEUE_PROFILING_ENABLE) == 0;
}

/* An address as the function it is of; C has no conversion for that. */
static bool find(const fovea_device *device, const char *name, void *function) {
  void *address = clGetExtensionFunctionAddressForPlatform(device->platform, name);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

static bool find_functions(fovea_command_buffer *b) {
  const fovea_device *d = b->device;
  return find(d, "clCreateCommandBufferKHR", &b->create) && find(d, "clCommandNDRangeKernelKHR", &b->command) &&
         find(d, "clFinalizeCommandBufferKHR", &b->finalize) && find(d, "clEnqueueCommandBufferKHR", &b->enqueue) &&
         find(d, "clReleaseCommandBufferKHR", &b->release);
}

static bool record(fovea_command_buffer *b, fovea_launch *const *launches, size_t count) {
  const cl_command_buffer_properties_khr properties[] = {CL_COMMAND_BUFFER_FLAGS_KHR,
                                                         CL_COMMAND_BUFFER_SIMULTANEOUS_USE_KHR, 0};
  cl_int error = CL_SUCCESS;
  b->recorded = b->create(1, &b->device->queue, properties, &error);
  if (error != CL_SUCCESS) b->recorded = NULL;
  for (size_t i = 0; i < count && error == CL_SUCCESS; i++) {
    const fovea_launch_shape shape = fovea_launch_get_shape(launches[i]);
    error = b->command(b->recorded, NULL, NULL, shape.kernel, 3, shape.origin, shape.global, shape.local, 0, NULL, NULL,
                       NULL);
  }
  return error == CL_SUCCESS && b->finalize(b->recorded) == CL_SUCCESS;
}

fovea_command_buffer *fovea_command_buffer_record(fovea_device *device, fovea_launch *const *launches, size_t count) {
  if (!asked_for() || !has_extension(device) || !allows_our_use(device)) return NULL;
  fovea_command_buffer *b = calloc(1, sizeof *b);
  if (!b) return NULL;
  b->device = device;
  if (find_functions(b) && record(b, launches, count)) return b;
  fovea_command_buffer_destroy(b);
  return NULL;
}

void fovea_command_buffer_destroy(fovea_command_buffer *buffer) {
  if (!buffer) return;
  if (buffer->recorded) buffer->release(buffer->recorded);
  free(buffer);
}

fovea_status fovea_command_buffer_enqueue(fovea_command_buffer *buffer) {
  const cl_int error = buffer->enqueue(0, NULL, buffer->recorded, 0, NULL, NULL);
  return fovea_cl_check(buffer->device, error, "recorded launches");
}
