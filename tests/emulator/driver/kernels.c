/* Kernels, their arguments, and their launches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/driver.h"

cl_kernel CL_API_CALL driver_create_kernel(cl_program program, const char *name, cl_int *error) {
  if (error) *error = program->module ? CL_INVALID_KERNEL_NAME : CL_INVALID_PROGRAM_EXECUTABLE;
  const kernel_head *head = program->module ? driver_engine()->kernel(program->module, name) : NULL;
  if (!head) return NULL;
  cl_kernel k = calloc(1, sizeof *k);
  if (k) k->values = calloc(1, head->argument_bytes + 8);
  if (error) *error = k && k->values ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
  if (!k || !k->values) {
    free(k);
    return NULL;
  }
  k->dispatch = &driver_dispatch;
  k->references = 1;
  k->program = program;
  k->head = head;
  program->references++;
  return k;
}

cl_int CL_API_CALL driver_retain_kernel(cl_kernel k) {
  k->references++;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_release_kernel(cl_kernel k) {
  if (--k->references > 0) return CL_SUCCESS;
  driver_release_program(k->program);
  free(k->values);
  free(k);
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_set_argument(cl_kernel k, cl_uint index, size_t size, const void *value) {
  if (index >= k->head->argument_count) return CL_INVALID_ARG_INDEX;
  const argument *a = &k->head->arguments[index];
  if ((a->kind == DYNAMIC_LOCAL) != (value == NULL)) return CL_INVALID_ARG_VALUE;
  if (a->kind == DYNAMIC_LOCAL) {
    if (size == 0 || size > driver_engine()->facts()->local_bytes) return CL_INVALID_ARG_SIZE;
    k->dynamic[index] = (uint32_t)size;
  } else if (size != a->size) {
    return CL_INVALID_ARG_SIZE;
  } else if (a->kind == GLOBAL_BUFFER) {
    cl_mem m = *(const cl_mem *)value;
    const uint64_t address = m ? m->address : 0;
    memcpy(k->values + a->offset, &address, sizeof address);
  } else {
    memcpy(k->values + a->offset, value, size);
  }
  k->set[index] = true;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_kernel_info(cl_kernel k, cl_kernel_info what, size_t room, void *to, size_t *size) {
  const cl_uint count = k->head->argument_count;
  if (what == CL_KERNEL_NUM_ARGS) return driver_answer(&count, sizeof count, room, to, size);
  if (what == CL_KERNEL_FUNCTION_NAME) return driver_answer(k->head->name, strlen(k->head->name) + 1, room, to, size);
  return CL_INVALID_VALUE;
}

static size_t most_items(const kernel_head *head) {
  const uint32_t device = driver_engine()->facts()->most_items;
  return head->most_items < device ? head->most_items : device;
}

static cl_ulong local_bytes(cl_kernel k) {
  cl_ulong bytes = k->head->local_bytes;
  for (cl_uint i = 0; i < k->head->argument_count; i++)
    if (k->dynamic[i]) bytes = (bytes + 15) / 16 * 16 + k->dynamic[i];
  return bytes;
}

#define VALUE(type, x) return driver_answer(&(type){x}, sizeof(type), room, to, size)
cl_int CL_API_CALL driver_group_info(cl_kernel k, cl_device_id device, cl_kernel_work_group_info what, size_t room,
                                     void *to, size_t *size) {
  const uint32_t *r = k->head->required;
  const size_t required[3] = {r[0], r[1], r[2]};
  (void)device;
  switch (what) {
    case CL_KERNEL_WORK_GROUP_SIZE:
      VALUE(size_t, most_items(k->head));
    case CL_KERNEL_LOCAL_MEM_SIZE:
      VALUE(cl_ulong, local_bytes(k));
    case CL_KERNEL_PRIVATE_MEM_SIZE:
      VALUE(cl_ulong, k->head->private_bytes);
    case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
      VALUE(size_t, driver_engine()->facts()->lanes);
    case CL_KERNEL_COMPILE_WORK_GROUP_SIZE:
      return driver_answer(required, sizeof required, room, to, size);
    default:
      return CL_INVALID_VALUE;
  }
}

/* --- a launch ----------------------------------------------------------------------------------------------------- */

static cl_int read_range(cl_kernel k, cl_uint dimensions, const size_t *offset, const size_t *global,
                         const size_t *local, range *r) {
  const uint32_t *required = k->head->required;
  *r = (range){dimensions, {0}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}};
  if (dimensions < 1 || dimensions > 3) return CL_INVALID_WORK_DIMENSION;
  size_t items = 1;
  for (cl_uint i = 0; i < dimensions; i++) {
    const size_t l = local ? local[i] : 1;
    if (global[i] == 0 || global[i] > UINT32_MAX || (offset && offset[i] > UINT32_MAX))
      return CL_INVALID_GLOBAL_WORK_SIZE;
    if (l == 0 || l > 1024 || global[i] % l != 0) return CL_INVALID_WORK_GROUP_SIZE;
    r->offset[i] = offset ? (uint32_t)offset[i] : 0;
    r->global[i] = (uint32_t)global[i], r->local[i] = (uint32_t)l, r->groups[i] = (uint32_t)(global[i] / l);
    items *= l;
  }
  if (items > most_items(k->head)) return CL_INVALID_WORK_GROUP_SIZE;
  for (int i = 0; i < 3; i++)
    if (required[i] && required[i] != r->local[i]) return CL_INVALID_WORK_GROUP_SIZE;
  return CL_SUCCESS;
}

/* The arguments, and where each that is in local memory lies there: behind the kernel's own. */
static void write_values(cl_kernel k, uint8_t *to) {
  const kernel_head *head = k->head;
  uint64_t local = head->local_bytes;
  memcpy(to, k->values, head->argument_bytes);
  for (cl_uint i = 0; i < head->argument_count; i++)
    if (k->dynamic[i]) {
      const uint64_t at = (local + 15) / 16 * 16;
      memcpy(to + head->arguments[i].offset, &at, head->arguments[i].size);
      local = at + k->dynamic[i];
    }
}

static cl_int launch_kernel(cl_command_queue queue, cl_kernel k, const range *r, uint64_t *instructions) {
  for (cl_uint i = 0; i < k->head->argument_count; i++)
    if (!k->set[i]) return CL_INVALID_KERNEL_ARGS;
  if (local_bytes(k) > driver_engine()->facts()->local_bytes) return CL_OUT_OF_RESOURCES;
  uint8_t *values = malloc(k->head->argument_bytes + 8);
  if (!values) return CL_OUT_OF_HOST_MEMORY;
  write_values(k, values);
  const call c = {k->head, r, values, (uint32_t)local_bytes(k)};
  const cl_int error = driver_engine()->launch(queue->remote, k->program->module, &c, instructions);
  free(values);
  return error;
}

cl_int CL_API_CALL driver_launch(cl_command_queue queue, cl_kernel k, cl_uint dimensions, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint count, const cl_event *events,
                                 cl_event *event) {
  command c;
  uint64_t instructions = 0;
  range r;
  cl_int error = read_range(k, dimensions, offset, global, local, &r);
  if (error == CL_SUCCESS) error = driver_begin(&c, queue, count, events, event != NULL);
  if (error != CL_SUCCESS) return error;
  error = launch_kernel(queue, k, &r, &instructions);
  if (settings_get()->trace)
    fprintf(stderr, "emulator: %s %u,%u,%u in %u,%u,%u at %u,%u,%u: %llu instructions, %.6f s\n", k->head->name,
            r.global[0], r.global[1], r.global[2], r.local[0], r.local[1], r.local[2], r.offset[0], r.offset[1],
            r.offset[2], (unsigned long long)instructions, 1e-9 * (double)(driver_now() - c.begin));
  return error == CL_SUCCESS ? driver_end(&c, event) : error;
}
