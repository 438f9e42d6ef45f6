/* Where the engine has no memory of its own a buffer is the host's. */
#include <stdlib.h>
#include <string.h>

#include "driver/driver.h"

enum { ALIGNED = HOST_MEMORY_ALIGNED };

static cl_mem fail(cl_mem m, cl_int *error, cl_int code) {
  free(m);
  if (error) *error = code;
  return NULL;
}

static uint8_t *host_bytes(cl_mem m) { return (uint8_t *)(uintptr_t)m->address; }

cl_mem CL_API_CALL driver_create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host,
                                        cl_int *error) {
  const remote *r = driver_engine()->remote;
  (void)context, (void)flags;
  if (size == 0) return fail(NULL, error, CL_INVALID_BUFFER_SIZE);
  cl_mem m = calloc(1, sizeof *m);
  if (!m) return fail(m, error, CL_OUT_OF_HOST_MEMORY);
  *m = (struct _cl_mem){.dispatch = &driver_dispatch, .references = 1, .size = size};
  cl_int code = r                                               ? r->allocate(size, &m->address)
                : host_memory_make(&m->host, size, &m->address) ? CL_SUCCESS
                                                                : CL_MEM_OBJECT_ALLOCATION_FAILURE;
  if (code) return fail(m, error, code);
  if (host && r) code = r->write(NULL, m->address, host, size, true);
  if (host && !r) memcpy(host_bytes(m), host, size);
  if (code) {
    driver_release_buffer(m);
    m = NULL;
  }
  if (error) *error = code;
  return m;
}

cl_mem CL_API_CALL driver_create_part(cl_mem parent, cl_mem_flags flags, cl_buffer_create_type type, const void *info,
                                      cl_int *error) {
  const cl_buffer_region *region = info;
  (void)flags, (void)type;
  if (region->origin > parent->size || region->size > parent->size - region->origin)
    return fail(NULL, error, CL_INVALID_VALUE);
  if (region->origin % ALIGNED) return fail(NULL, error, CL_MISALIGNED_SUB_BUFFER_OFFSET);
  cl_mem m = calloc(1, sizeof *m);
  if (!m) return fail(m, error, CL_OUT_OF_HOST_MEMORY);
  *m = (struct _cl_mem){.dispatch = &driver_dispatch, .references = 1, .parent = parent, .size = region->size};
  m->address = parent->address + region->origin;
  parent->references++;
  if (error) *error = CL_SUCCESS;
  return m;
}

cl_int CL_API_CALL driver_retain_buffer(cl_mem m) {
  m->references++;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_release_buffer(cl_mem m) {
  if (--m->references > 0) return CL_SUCCESS;
  if (m->parent)
    driver_release_buffer(m->parent);
  else if (driver_engine()->remote)
    driver_engine()->remote->release(m->address);
  else
    host_memory_free(&m->host);
  free(m);
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_buffer_info(cl_mem m, cl_mem_info what, size_t room, void *to, size_t *size) {
  return what == CL_MEM_SIZE ? driver_answer(&m->size, sizeof m->size, room, to, size) : CL_INVALID_VALUE;
}

static bool within(cl_mem m, size_t offset, size_t size) { return offset <= m->size && size <= m->size - offset; }

cl_int CL_API_CALL driver_read(cl_command_queue queue, cl_mem m, cl_bool blocking, size_t offset, size_t size, void *to,
                               cl_uint count, const cl_event *events, cl_event *event) {
  command c;
  const remote *r = driver_engine()->remote;
  if (!within(m, offset, size)) return CL_INVALID_VALUE;
  cl_int error = driver_begin(&c, queue, count, events, event != NULL);
  if (!error && r) error = r->read(queue->remote, to, m->address + offset, size, blocking);
  if (!error && !r) memcpy(to, host_bytes(m) + offset, size);
  return error ? error : driver_end(&c, event);
}

cl_int CL_API_CALL driver_write(cl_command_queue queue, cl_mem m, cl_bool blocking, size_t offset, size_t size,
                                const void *from, cl_uint count, const cl_event *events, cl_event *event) {
  command c;
  const remote *r = driver_engine()->remote;
  if (!within(m, offset, size)) return CL_INVALID_VALUE;
  cl_int error = driver_begin(&c, queue, count, events, event != NULL);
  if (!error && r) error = r->write(queue->remote, m->address + offset, from, size, blocking);
  if (!error && !r) memcpy(host_bytes(m) + offset, from, size);
  return error ? error : driver_end(&c, event);
}
