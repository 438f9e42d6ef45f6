#include "runtime/buffer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "runtime/guard.h"
#include "runtime/launch.h"
#include "runtime/staging.h"

const char *fovea_size_text(uint64_t size, char text[FOVEA_SIZE_TEXT]) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = (double)size;
  size_t unit = 0;
  while (value >= 1024 && unit < sizeof units / sizeof *units - 1) {
    value /= 1024;
    unit++;
  }
  snprintf(text, FOVEA_SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
  return text;
}

static fovea_status check_fits(const fovea_device *device, size_t size, const char *what) {
  char wanted[FOVEA_SIZE_TEXT], limit[FOVEA_SIZE_TEXT], used[FOVEA_SIZE_TEXT];
  const fovea_device_info *info = &device->info;
  if (size > info->max_allocation) {
    return fovea_fail(FOVEA_NO_MEMORY, "%s: %s is more than the largest buffer of %s (%s); use a smaller batch", what,
                      fovea_size_text(size, wanted), info->name, fovea_size_text(info->max_allocation, limit));
  }
  if (device->allocated + size > info->global_memory) {
    return fovea_fail(FOVEA_NO_MEMORY,
                      "%s: %s is more than what %s has left (%s, of which %s are in use); use a smaller batch", what,
                      fovea_size_text(size, wanted), info->name, fovea_size_text(info->global_memory, limit),
                      fovea_size_text(device->allocated, used));
  }
  return FOVEA_OK;
}

static fovea_status allocate(fovea_buffer *b, size_t bytes, const char *what) {
  char wanted[FOVEA_SIZE_TEXT];
  cl_int error = CL_SUCCESS;
  if (b->device->guard) return fovea_guard_create(b->device, bytes, what, &b->whole, &b->memory);
  b->memory = clCreateBuffer(b->device->context, CL_MEM_READ_WRITE, bytes, NULL, &error);
  if (error == CL_SUCCESS) return FOVEA_OK;
  return fovea_fail(fovea_cl_status(error), "%s: cannot allocate %s on %s: %s; use a smaller batch", what,
                    fovea_size_text(bytes, wanted), b->device->info.name, fovea_cl_error_name(error));
}

fovea_status fovea_buffer_create(fovea_device *device, size_t size, const char *what, fovea_buffer **buffer) {
  char wanted[FOVEA_SIZE_TEXT];
  const size_t bytes = fovea_buffer_allocated(size);
  fovea_status status = check_fits(device, bytes, what);
  if (status) return status;
  fovea_buffer *b = calloc(1, sizeof *b);
  if (!b) return fovea_fail(FOVEA_NO_MEMORY, "%s: out of host memory", what);
  b->device = device;
  b->size = size;
  status = allocate(b, bytes, what);
  if (status) {
    free(b);
    return status;
  }
  device->allocated += bytes;
  /* Many drivers allocate at the first use, so this is also where a full device says so. */
  status = fovea_buffer_zero(b, 0, size);
  if (status) {
    fovea_fail_in(status, "%s (%s)", what, fovea_size_text(size, wanted));
    fovea_buffer_destroy(b);
    return status;
  }
  *buffer = b;
  return FOVEA_OK;
}

void fovea_buffer_destroy(fovea_buffer *buffer) {
  if (!buffer) return;
  buffer->device->allocated -= fovea_buffer_allocated(buffer->size);
  clReleaseMemObject(buffer->memory);
  if (buffer->whole) clReleaseMemObject(buffer->whole);
  free(buffer);
}

static fovea_status check_range(const fovea_buffer *buffer, size_t offset, size_t size, const char *what) {
  if (offset <= buffer->size && size <= buffer->size - offset) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: %zu bytes at offset %zu are not within a buffer of %zu bytes", what, size,
                    offset, buffer->size);
}

static fovea_status enqueue_write(fovea_buffer *buffer, size_t offset, size_t size, const void *data, cl_bool waits) {
  fovea_status status = check_range(buffer, offset, size, "buffer write");
  if (status || size == 0) return status;
  cl_int error = clEnqueueWriteBuffer(buffer->device->queue, buffer->memory, waits, offset, size, data, 0, NULL, NULL);
  return fovea_cl_check(buffer->device, error, "buffer write");
}

fovea_status fovea_buffer_write(fovea_buffer *buffer, size_t offset, size_t size, const void *data) {
  return enqueue_write(buffer, offset, size, data, CL_TRUE);
}

fovea_status fovea_buffer_write_later(fovea_buffer *buffer, size_t offset, size_t size, const void *data) {
  return enqueue_write(buffer, offset, size, data, CL_FALSE);
}

fovea_status fovea_buffer_read(fovea_buffer *buffer, size_t offset, size_t size, void *data) {
  fovea_status status = check_range(buffer, offset, size, "buffer read");
  if (status || size == 0) return status;
  cl_int error = clEnqueueReadBuffer(buffer->device->queue, buffer->memory, CL_TRUE, offset, size, data, 0, NULL, NULL);
  return fovea_cl_check(buffer->device, error, "buffer read");
}

fovea_status fovea_buffer_write_async(fovea_buffer *buffer, size_t offset, size_t size, const void *data) {
  const fovea_status status = check_range(buffer, offset, size, "buffer write");
  if (status || size == 0) return status;
  return fovea_staging_write(buffer->device, buffer->memory, offset, size, data);
}

/* --- zeroing --------------------------------------------------------------------------------------------------- */

static fovea_status zero_words(fovea_buffer *buffer, size_t first, size_t count) {
  fovea_launch *launch = NULL;
  fovea_status status = fovea_launch_create_zero((fovea_slice){buffer, first}, count, &launch);
  if (!status) status = fovea_launch_enqueue(launch);
  fovea_launch_destroy(launch); /* the queue keeps what it needs of it */
  return status;
}

static fovea_status zero_bytes(fovea_buffer *buffer, size_t offset, size_t size) {
  static const unsigned char zeros[4] = {0}; /* static, for the write may happen after the return */
  if (size == 0) return FOVEA_OK;
  cl_int error =
      clEnqueueWriteBuffer(buffer->device->queue, buffer->memory, CL_FALSE, offset, size, zeros, 0, NULL, NULL);
  return fovea_cl_check(buffer->device, error, "buffer zero");
}

fovea_status fovea_buffer_zero(fovea_buffer *buffer, size_t offset, size_t size) {
  fovea_status status = check_range(buffer, offset, size, "buffer zero");
  if (status || size == 0) return status;
  size_t head = (4 - offset % 4) % 4; /* bytes before the first whole word */
  if (head > size) head = size;
  size_t words = (size - head) / 4, tail = (size - head) % 4;
  status = zero_bytes(buffer, offset, head);
  if (!status && words > 0) status = zero_words(buffer, (offset + head) / 4, words);
  if (!status) status = zero_bytes(buffer, offset + size - tail, tail);
  return status;
}
