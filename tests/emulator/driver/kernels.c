/* Kernels, their arguments, and their launches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/driver.h"

cl_kernel CL_API_CALL driver_create_kernel(cl_program program, const char *name, cl_int *error) {
  const kernel_code *code = NULL;
  if (error) *error = program->object ? CL_INVALID_KERNEL_NAME : CL_INVALID_PROGRAM_EXECUTABLE;
  for (size_t i = 0; program->object && i < program->object->count; i++)
    if (strcmp(program->object->kernels[i].name, name) == 0) code = &program->object->kernels[i];
  if (!code) return NULL;
  cl_kernel k = calloc(1, sizeof *k);
  if (k) k->values = calloc(1, code->kernarg_size + 8);
  if (error) *error = k && k->values ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
  if (!k || !k->values) {
    free(k);
    return NULL;
  }
  k->dispatch = &driver_dispatch;
  k->references = 1;
  k->program = program;
  k->code = code;
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
  if (index >= k->code->argument_count) return CL_INVALID_ARG_INDEX;
  const argument *a = &k->code->arguments[index];
  if ((a->kind == DYNAMIC_LOCAL) != (value == NULL)) return CL_INVALID_ARG_VALUE;
  if (a->kind == DYNAMIC_LOCAL) {
    if (size == 0 || size > DRIVER_LOCAL_BYTES) return CL_INVALID_ARG_SIZE;
    k->dynamic[index] = (uint32_t)size;
  } else if (size != a->size) {
    return CL_INVALID_ARG_SIZE;
  } else if (a->kind == GLOBAL_BUFFER) {
    cl_mem m = *(const cl_mem *)value;
    const uint64_t address = m ? (uint64_t)(uintptr_t)m->bytes : 0;
    memcpy(k->values + a->offset, &address, sizeof address);
  } else {
    memcpy(k->values + a->offset, value, size);
  }
  k->set[index] = true;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_kernel_info(cl_kernel k, cl_kernel_info what, size_t room, void *to, size_t *size) {
  const cl_uint count = k->code->argument_count;
  if (what == CL_KERNEL_NUM_ARGS) return driver_answer(&count, sizeof count, room, to, size);
  if (what == CL_KERNEL_FUNCTION_NAME) return driver_answer(k->code->name, strlen(k->code->name) + 1, room, to, size);
  return CL_INVALID_VALUE;
}

static size_t most_items(const kernel_code *code) {
  const unsigned device = settings_get()->most_items;
  return code->most_items < device ? code->most_items : device;
}

static cl_ulong local_bytes(cl_kernel k) {
  cl_ulong bytes = k->code->local_bytes;
  for (cl_uint i = 0; i < k->code->argument_count; i++)
    if (k->dynamic[i]) bytes = (bytes + 15) / 16 * 16 + k->dynamic[i];
  return bytes;
}

#define VALUE(type, x) return driver_answer(&(type){x}, sizeof(type), room, to, size)
cl_int CL_API_CALL driver_group_info(cl_kernel k, cl_device_id device, cl_kernel_work_group_info what, size_t room,
                                     void *to, size_t *size) {
  const uint32_t *r = k->code->required;
  const size_t required[3] = {r[0], r[1], r[2]};
  (void)device;
  switch (what) {
    case CL_KERNEL_WORK_GROUP_SIZE:
      VALUE(size_t, most_items(k->code));
    case CL_KERNEL_LOCAL_MEM_SIZE:
      VALUE(cl_ulong, local_bytes(k));
    case CL_KERNEL_PRIVATE_MEM_SIZE:
      VALUE(cl_ulong, k->code->scratch_bytes);
    case CL_KERNEL_PREFERRED_WORK_GROUP_SIZE_MULTIPLE:
      VALUE(size_t, driver_machine()->lanes);
    case CL_KERNEL_COMPILE_WORK_GROUP_SIZE:
      return driver_answer(required, sizeof required, room, to, size);
    default:
      return CL_INVALID_VALUE;
  }
}

/* --- a launch ----------------------------------------------------------------------------------------------------- */

typedef struct range {
  uint32_t dimensions, offset[3], global[3], local[3], groups[3];
} range;

static cl_int read_range(cl_kernel k, cl_uint dimensions, const size_t *offset, const size_t *global,
                         const size_t *local, range *r) {
  const uint32_t *required = k->code->required;
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
  if (items > most_items(k->code)) return CL_INVALID_WORK_GROUP_SIZE;
  for (int i = 0; i < 3; i++)
    if (required[i] && required[i] != r->local[i]) return CL_INVALID_WORK_GROUP_SIZE;
  return CL_SUCCESS;
}

enum { HIDDEN_BYTES = 256, PACKET_BYTES = 64 };

/* Arguments, and behind them the hidden ones as libclc 15 reads them: dimensions and three offsets, 32 bits each. */
static void write_arguments(cl_kernel k, const range *r, uint8_t *to, size_t bytes) {
  const kernel_code *code = k->code;
  memset(to, 0xa5, bytes);
  memcpy(to, k->values, code->kernarg_size);
  uint64_t local = code->local_bytes;
  for (cl_uint i = 0; i < code->argument_count; i++)
    if (k->dynamic[i]) {
      const uint32_t at = (uint32_t)((local + 15) / 16 * 16);
      memcpy(to + code->arguments[i].offset, &at, sizeof at);
      local = at + k->dynamic[i];
    }
  if (code->hidden_offset == ~0u) return;
  const uint32_t hidden[4] = {r->dimensions, r->offset[0], r->offset[1], r->offset[2]};
  memset(to + code->hidden_offset, 0, bytes - code->hidden_offset);
  memcpy(to + code->hidden_offset, hidden, sizeof hidden);
}

/* hsa_kernel_dispatch_packet_t: sizes of group and range, private and local bytes, address of the arguments. */
static void write_packet(const kernel_code *code, const range *r, const uint8_t *arguments,
                         uint8_t packet[PACKET_BYTES]) {
  const uint64_t address = (uint64_t)(uintptr_t)arguments;
  const uint16_t dimensions = (uint16_t)r->dimensions;
  memset(packet, 0, PACKET_BYTES);
  memcpy(packet + 2, &dimensions, 2);
  for (int i = 0; i < 3; i++) {
    const uint16_t local = (uint16_t)r->local[i];
    memcpy(packet + 4 + 2 * i, &local, 2);
    memcpy(packet + 12 + 4 * i, &r->global[i], 4);
  }
  memcpy(packet + 24, &code->scratch_bytes, 4);
  memcpy(packet + 28, &code->local_bytes, 4);
  memcpy(packet + 40, &address, 8);
}

/* The scalar registers that a kernel asks for by the bits of its descriptor; others begin as garbage. */
static bool write_scalars(const kernel_code *code, const uint8_t *arguments, const uint8_t *packet, launch *l) {
  enum {
    PRIVATE_BUFFER = 1,
    PACKET = 2,
    QUEUE = 4,
    ARGUMENTS = 8,
    DISPATCH_NUMBER = 16,
    FLAT_SCRATCH = 32,
    PRIVATE_SIZE = 64
  };
  const uint64_t a = (uint64_t)(uintptr_t)arguments, p = (uint64_t)(uintptr_t)packet;
  memset(l->scalars, 0xa7, sizeof l->scalars);
  uint32_t at = 0;
  if (code->properties & PRIVATE_BUFFER) at += 4;
  if (code->properties & PACKET) memcpy(&l->scalars[at], &p, 8), at += 2;
  if (code->properties & QUEUE) at += 2;
  if (code->properties & ARGUMENTS) memcpy(&l->scalars[at], &a, 8), at += 2;
  if (code->properties & DISPATCH_NUMBER) at += 2;
  if (code->properties & FLAT_SCRATCH) at += 2;
  if (code->properties & PRIVATE_SIZE) at += 1;
  l->user_scalars = code->resources2 >> 1 & 31;
  return at <= l->user_scalars;
}

static cl_int launch_kernel(cl_kernel k, const range *r, uint64_t *instructions) {
  const kernel_code *code = k->code;
  launch l = {.kernel = code, .settings = settings_get(), .local_bytes = (uint32_t)local_bytes(k)};
  const size_t bytes = (code->kernarg_size + HIDDEN_BYTES + 255) / 256 * 256;
  uint8_t packet[PACKET_BYTES];
  for (cl_uint i = 0; i < code->argument_count; i++)
    if (!k->set[i]) return CL_INVALID_KERNEL_ARGS;
  if (local_bytes(k) > DRIVER_LOCAL_BYTES) return CL_OUT_OF_RESOURCES;
  uint8_t *arguments = aligned_alloc(256, bytes);
  if (!arguments) return CL_OUT_OF_HOST_MEMORY;
  write_arguments(k, r, arguments, bytes);
  write_packet(code, r, arguments, packet);
  memcpy(l.local, r->local, sizeof l.local);
  const cl_int error =
      write_scalars(code, arguments, packet, &l) ? driver_run(&l, r->groups, instructions) : CL_OUT_OF_RESOURCES;
  free(arguments);
  return error;
}

cl_int CL_API_CALL driver_launch(cl_command_queue queue, cl_kernel k, cl_uint dimensions, const size_t *offset,
                                 const size_t *global, const size_t *local, cl_uint count, const cl_event *events,
                                 cl_event *event) {
  const cl_ulong begin = driver_now();
  uint64_t instructions = 0;
  range r;
  (void)queue, (void)count, (void)events;
  cl_int error = read_range(k, dimensions, offset, global, local, &r);
  if (error == CL_SUCCESS) error = launch_kernel(k, &r, &instructions);
  if (settings_get()->trace)
    fprintf(stderr, "emulator: %s %u,%u,%u in %u,%u,%u at %u,%u,%u: %llu instructions, %.6f s\n", k->code->name,
            r.global[0], r.global[1], r.global[2], r.local[0], r.local[1], r.local[2], r.offset[0], r.offset[1],
            r.offset[2], (unsigned long long)instructions, 1e-9 * (double)(driver_now() - begin));
  return error == CL_SUCCESS ? driver_finish(event, begin) : error;
}
