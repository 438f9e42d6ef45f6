#include "runtime/guard.h"

#include <stdlib.h>

#include "base/fail.h"

enum { LEAST = 256 }; /* bytes of a canary */

/* A sub-buffer must begin at the device's alignment, CL_DEVICE_MEM_BASE_ADDR_ALIGN, which is in bits. */
static size_t canary_bytes(const fovea_device *device) {
  cl_uint bits = 0;
  clGetDeviceInfo(device->id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL);
  return bits / 8 > LEAST ? bits / 8 : LEAST;
}

static fovea_status fill(const fovea_device *device, cl_mem memory, size_t offset, size_t bytes) {
  uint32_t *words = malloc(bytes);
  if (!words) return fovea_fail(FOVEA_NO_MEMORY, "canaries: host memory ran out");
  for (size_t i = 0; i < bytes / 4; i++) words[i] = FOVEA_CANARY;
  cl_int error = clEnqueueWriteBuffer(device->queue, memory, CL_TRUE, offset, bytes, words, 0, NULL, NULL);
  free(words);
  return fovea_cl_check(device, error, "canaries");
}

fovea_status fovea_guard_create(fovea_device *device, size_t size, const char *what, cl_mem *whole, cl_mem *inside) {
  const size_t canary = canary_bytes(device);
  const cl_buffer_region region = {canary, size};
  cl_int error = CL_SUCCESS;
  cl_mem parent = clCreateBuffer(device->context, CL_MEM_READ_WRITE, size + 2 * canary, NULL, &error), child = NULL;
  if (error == CL_SUCCESS)
    child = clCreateSubBuffer(parent, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
  fovea_status status = fovea_cl_check(device, error, what);
  if (status == FOVEA_OK) status = fill(device, parent, 0, canary);
  if (status == FOVEA_OK) status = fill(device, parent, canary + size, canary);
  if (status == FOVEA_OK) {
    *whole = parent, *inside = child;
    return FOVEA_OK;
  }
  if (child) clReleaseMemObject(child);
  if (parent) clReleaseMemObject(parent);
  return status;
}

fovea_status fovea_guard_check_words(const uint32_t *words, size_t count, const char *what, const char *side) {
  for (size_t i = 0; i < count; i++) {
    if (words[i] == FOVEA_CANARY) continue;
    return fovea_fail(FOVEA_MISMATCH, "%s: a kernel wrote 0x%08x %s it, at word %zu of the %zu that guard it", what,
                      words[i], side, i, count);
  }
  return FOVEA_OK;
}

fovea_status fovea_guard_check(fovea_buffer *buffer, const char *what) {
  if (!buffer || !buffer->whole) return FOVEA_OK;
  const fovea_device *device = buffer->device;
  const size_t canary = canary_bytes(device), size = fovea_buffer_allocated(buffer->size);
  uint32_t *words = malloc(2 * canary);
  if (!words) return fovea_fail(FOVEA_NO_MEMORY, "%s: host memory ran out", what);
  cl_int error = clEnqueueReadBuffer(device->queue, buffer->whole, CL_TRUE, 0, canary, words, 0, NULL, NULL);
  if (error == CL_SUCCESS)
    error = clEnqueueReadBuffer(device->queue, buffer->whole, CL_TRUE, canary + size, canary, words + canary / 4, 0,
                                NULL, NULL);
  fovea_status status = fovea_cl_check(device, error, what);
  if (status == FOVEA_OK) status = fovea_guard_check_words(words, canary / 4, what, "before");
  if (status == FOVEA_OK) status = fovea_guard_check_words(words + canary / 4, canary / 4, what, "after");
  free(words);
  return status;
}
