/* A buffer ends at a page that cannot be touched, to within the 255 bytes by which its beginning is aligned, and one
 * lies before it. Its bytes begin as NaN. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "driver/driver.h"

enum { PAGE = 4096, ALIGNED = 256 };

static cl_mem fail(cl_mem m, cl_int *error, cl_int code) {
  free(m);
  if (error) *error = code;
  return NULL;
}

cl_mem CL_API_CALL driver_create_buffer(cl_context context, cl_mem_flags flags, size_t size, void *host,
                                        cl_int *error) {
  (void)context, (void)flags;
  if (size == 0) return fail(NULL, error, CL_INVALID_BUFFER_SIZE);
  cl_mem m = calloc(1, sizeof *m);
  if (!m) return fail(m, error, CL_OUT_OF_HOST_MEMORY);
  *m = (struct _cl_mem){.dispatch = &driver_dispatch, .references = 1, .size = size};
  const size_t inside = (size + ALIGNED + PAGE - 1) / PAGE * PAGE;
  m->mapped = inside + 2 * PAGE;
  m->mapping = mmap(NULL, m->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (m->mapping == MAP_FAILED) return fail(m, error, CL_MEM_OBJECT_ALLOCATION_FAILURE);
  uint8_t *const first = (uint8_t *)m->mapping + PAGE;
  if (mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) {
    munmap(m->mapping, m->mapped);
    return fail(m, error, CL_MEM_OBJECT_ALLOCATION_FAILURE);
  }
  m->bytes = first + ((inside - size) & ~(size_t)(ALIGNED - 1));
  memset(first, 0xff, inside);
  if (host) memcpy(m->bytes, host, size);
  if (error) *error = CL_SUCCESS;
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
  m->bytes = parent->bytes + region->origin;
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
  else
    munmap(m->mapping, m->mapped);
  free(m);
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_buffer_info(cl_mem m, cl_mem_info what, size_t room, void *to, size_t *size) {
  return what == CL_MEM_SIZE ? driver_answer(&m->size, sizeof m->size, room, to, size) : CL_INVALID_VALUE;
}

static bool within(cl_mem m, size_t offset, size_t size) { return offset <= m->size && size <= m->size - offset; }

cl_int CL_API_CALL driver_read(cl_command_queue queue, cl_mem m, cl_bool blocking, size_t offset, size_t size, void *to,
                               cl_uint count, const cl_event *events, cl_event *event) {
  const cl_ulong begin = driver_now();
  (void)queue, (void)blocking, (void)count, (void)events;
  if (!within(m, offset, size)) return CL_INVALID_VALUE;
  memcpy(to, m->bytes + offset, size);
  return driver_finish(event, begin);
}

cl_int CL_API_CALL driver_write(cl_command_queue queue, cl_mem m, cl_bool blocking, size_t offset, size_t size,
                                const void *from, cl_uint count, const cl_event *events, cl_event *event) {
  const cl_ulong begin = driver_now();
  (void)queue, (void)blocking, (void)count, (void)events;
  if (!within(m, offset, size)) return CL_INVALID_VALUE;
  memcpy(m->bytes + offset, from, size);
  return driver_finish(event, begin);
}
