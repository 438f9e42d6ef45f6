#include "runtime/staging.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* Writes in flight that have their own host copy; one more waits for the oldest. */
enum { STAGES = 4 };

struct fovea_staging {
  struct {
    void *copy;
    size_t capacity;
    cl_event written; /* NULL when free */
  } stage[STAGES];
  size_t next;
};

void fovea_staging_destroy(fovea_staging *staging) {
  if (!staging) return;
  for (size_t i = 0; i < STAGES; i++) {
    if (staging->stage[i].written) clReleaseEvent(staging->stage[i].written);
    free(staging->stage[i].copy);
  }
  free(staging);
}

/* The next copy of the ring, free and of at least `size` bytes. */
static fovea_status next_stage(fovea_device *device, size_t size, size_t *index) {
  if (!device->staging) device->staging = calloc(1, sizeof *device->staging);
  fovea_staging *s = device->staging;
  if (!s) return fovea_fail(FOVEA_NO_MEMORY, "buffer write: out of host memory");
  size_t i = s->next;
  if (s->stage[i].written) {
    cl_int error = clWaitForEvents(1, &s->stage[i].written);
    if (error != CL_SUCCESS) return fovea_cl_check(device, error, "buffer write: an earlier one");
    clReleaseEvent(s->stage[i].written);
    s->stage[i].written = NULL;
  }
  if (s->stage[i].capacity < size) {
    void *copy = realloc(s->stage[i].copy, size);
    if (!copy) return fovea_fail(FOVEA_NO_MEMORY, "buffer write: out of host memory for %zu bytes", size);
    s->stage[i].copy = copy;
    s->stage[i].capacity = size;
  }
  s->next = (i + 1) % STAGES;
  *index = i;
  return FOVEA_OK;
}

fovea_status fovea_staging_write(fovea_device *device, cl_mem memory, size_t offset, size_t size, const void *data) {
  size_t i = 0;
  if (size == 0) return FOVEA_OK;
  const fovea_status status = next_stage(device, size, &i);
  if (status) return status;
  void *copy = device->staging->stage[i].copy;
  memcpy(copy, data, size);
  cl_int error = clEnqueueWriteBuffer(device->queue, memory, CL_FALSE, offset, size, copy, 0, NULL,
                                      &device->staging->stage[i].written);
  if (error != CL_SUCCESS) device->staging->stage[i].written = NULL;
  return fovea_cl_check(device, error, "buffer write");
}
