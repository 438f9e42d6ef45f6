/* The functions of the CUDA driver's interface that driver/cuda.c calls. */
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define DECLARE(name, arguments) EXPORTED CUresult name arguments;
CUDA_FUNCTIONS(DECLARE)

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static struct CUctx_st context;
static _Thread_local CUcontext current;
static struct CUstream_st default_stream, *streams = &default_stream;

static struct allocation {
  host_memory memory;
  CUdeviceptr address;
  size_t bytes;
  struct allocation *next;
} * allocations;

bool fake_is_allocated(CUdeviceptr address, size_t bytes) {
  for (const struct allocation *a = allocations; a; a = a->next)
    if (address >= a->address && address - a->address <= a->bytes && bytes <= a->bytes - (address - a->address))
      return true;
  return false;
}

/* What a function does, one at a time, in a thread that has a context. */
#define LOCKED(statements)                         \
  CUresult result = CUDA_SUCCESS;                  \
  if (!current) return CUDA_ERROR_INVALID_CONTEXT; \
  pthread_mutex_lock(&fake_lock);                  \
  statements pthread_mutex_unlock(&fake_lock);     \
  return result

/* --- the device, an A100 --------------------------------------------------------------------------------------------
 */

CUresult cuInit(unsigned flags) { return flags ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS; }
CUresult cuDriverGetVersion(int *version) { return *version = 12020, CUDA_SUCCESS; }
CUresult cuDeviceGetCount(int *count) { return *count = 1, CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice *device, int ordinal) {
  *device = 7;
  return ordinal ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult error, const char **name) {
  *name = error == CUDA_ERROR_LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED" : "an error of the fake";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char *name, int length, CUdevice device) {
  snprintf(name, (size_t)length, "fake card %d, emulated", device);
  return CUDA_SUCCESS;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
  *bytes = (size_t)8 << 30;
  return device == 7 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
  const int of[][2] = {{CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, (int)settings_get()->most_items},
                       {CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 49152},
                       {CU_DEVICE_ATTRIBUTE_WARP_SIZE, 32},
                       {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1410000},
                       {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, (int)settings_get()->units},
                       {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 9},
                       {CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 0}};
  for (size_t i = 0; device == 7 && i < sizeof of / sizeof *of; i++)
    if (of[i][0] == attribute) return *value = of[i][1], CUDA_SUCCESS;
  return CUDA_ERROR_INVALID_VALUE;
}

CUresult cuCtxCreate_v2(CUcontext *made, unsigned flags, CUdevice device) {
  *made = current = &context;
  return flags || device != 7 ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext c) {
  current = c;
  return c == &context ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

/* --- modules --------------------------------------------------------------------------------------------------------
 */

static CUresult load(CUmodule *module, const char *text, char *message, size_t size) {
  char *copy = strdup(text);
  CUmodule m = copy ? calloc(1, sizeof *m) : NULL;
  if (!m) return free(copy), CUDA_ERROR_OUT_OF_MEMORY;
  const bool for_opencl = strstr(text, "texmode_independent"), hidden = strstr(text, "\n.entry ");
  if (for_opencl || hidden) {
    snprintf(message, size, for_opencl ? "texmode_independent: only for OpenCL" : "kernels that are not visible");
    free(copy);
  } else {
    m->module = ptx_read(copy, message, size);
  }
  if (!m->module) return free(m), CUDA_ERROR_INVALID_PTX;
  *module = m;
  return CUDA_SUCCESS;
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned count, const int *options, void **values) {
  char nothing[1], *message = nothing;
  size_t size = 0;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER) message = values[i];
    if (options[i] == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES) size = (size_t)(uintptr_t)values[i];
  }
  LOCKED(result = load(module, image, message, size););
}

CUresult cuModuleUnload(CUmodule module) { LOCKED(ptx_unload(module->module); free(module);); }

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  if (!current) return CUDA_ERROR_INVALID_CONTEXT;
  for (size_t i = 0; i < module->module->count; i++) {
    module->functions[i].kernel = &module->module->kernels[i];
    if (strcmp(module->functions[i].kernel->head.name, name) == 0)
      return *function = &module->functions[i], CUDA_SUCCESS;
  }
  return CUDA_ERROR_NOT_FOUND;
}

CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction function) {
  const kernel_head *head = &function->kernel->head;
  *value = (int)(attribute == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK ? head->most_items
                 : attribute == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES   ? head->local_bytes
                                                                      : head->private_bytes);
  return current ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}

/* --- memory ---------------------------------------------------------------------------------------------------------
 */

static CUresult allocate(CUdeviceptr *address, size_t bytes) {
  struct allocation *a = calloc(1, sizeof *a);
  if (!a || !host_memory_make(&a->memory, bytes, &a->address)) return free(a), CUDA_ERROR_OUT_OF_MEMORY;
  a->bytes = bytes, a->next = allocations;
  allocations = a;
  *address = a->address;
  return CUDA_SUCCESS;
}

static CUresult release(CUdeviceptr address) {
  struct allocation **a = &allocations;
  while (*a && (*a)->address != address) a = &(*a)->next;
  if (!*a) return CUDA_ERROR_INVALID_VALUE;
  struct allocation *gone = *a;
  *a = gone->next;
  host_memory_free(&gone->memory);
  free(gone);
  return CUDA_SUCCESS;
}

CUresult cuMemAlloc_v2(CUdeviceptr *address, size_t bytes) { LOCKED(result = allocate(address, bytes);); }
CUresult cuMemFree_v2(CUdeviceptr address) { LOCKED(result = release(address);); }

CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void *from, size_t bytes) {
  LOCKED(if (fake_is_allocated(to, bytes)) memcpy((void *)(uintptr_t)to, from, bytes);
         else result = CUDA_ERROR_INVALID_VALUE;);
}

static CUresult copy_later(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  if (!fake_is_allocated(to, bytes)) return CUDA_ERROR_INVALID_VALUE;
  pending c = {.kind = COPY, .to = to, .bytes = bytes, .data = malloc(bytes + 1)};
  if (!c.data) return CUDA_ERROR_OUT_OF_MEMORY;
  memcpy(c.data, from, bytes);
  return fake_add(stream, &c);
}

static CUresult copy_back(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  if (!fake_is_allocated(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
  const CUresult result = fake_run(stream, stream->given);
  memcpy(to, (const void *)(uintptr_t)from, bytes);
  return result;
}

CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void *from, size_t bytes, CUstream stream) {
  LOCKED(result = copy_later(to, from, bytes, stream););
}
CUresult cuMemcpyDtoHAsync_v2(void *to, CUdeviceptr from, size_t bytes, CUstream stream) {
  LOCKED(result = copy_back(to, from, bytes, stream););
}

/* --- streams, events ------------------------------------------------------------------------------------------------
 */

static CUresult make_stream(CUstream *stream) {
  *stream = calloc(1, sizeof **stream);
  if (!*stream) return CUDA_ERROR_OUT_OF_MEMORY;
  (*stream)->next = streams;
  streams = *stream;
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *stream, unsigned flags) {
  LOCKED(result = flags == CU_STREAM_NON_BLOCKING ? make_stream(stream) : CUDA_ERROR_INVALID_VALUE;);
}
CUresult cuCtxSynchronize(void) {
  LOCKED(for (CUstream s = streams; s && !result; s = s->next) result = fake_run(s, s->given););
}
/* It stays, for its events. */
CUresult cuStreamDestroy_v2(CUstream stream) { LOCKED(result = fake_run(stream, stream->given);); }
CUresult cuStreamSynchronize(CUstream stream) { LOCKED(result = fake_run(stream, stream->given);); }
/* For what was recorded until now. */
CUresult cuStreamWaitEvent(CUstream stream, CUevent event, unsigned flags) {
  (void)flags;
  const pending c = {.kind = WAIT, .other = event->stream, .until = event->number};
  LOCKED(if (event->stream) result = fake_add(stream, &c););
}

CUresult cuEventCreate(CUevent *event, unsigned flags) {
  (void)flags;
  LOCKED(*event = calloc(1, sizeof **event); if (!*event) result = CUDA_ERROR_OUT_OF_MEMORY;);
}
/* It stays: a command may still record it. */
CUresult cuEventDestroy_v2(CUevent event) {
  (void)event;
  return current ? CUDA_SUCCESS : CUDA_ERROR_INVALID_CONTEXT;
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  if (!stream) stream = &default_stream;
  LOCKED(result = fake_add(stream, &(pending){.kind = RECORD, .event = event}); event->stream = stream;
         event->number = stream->given; event->when = 0;);
}
CUresult cuEventSynchronize(CUevent event) {
  LOCKED(if (event->stream) result = fake_run(event->stream, event->number););
}
CUresult cuEventQuery(CUevent event) { LOCKED(if (event->stream && !event->when) result = CUDA_ERROR_NOT_READY;); }
CUresult cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to) {
  LOCKED(if (!from->when || !to->when) result = CUDA_ERROR_NOT_READY;
         else *milliseconds = 1e-6F * (float)(to->when - from->when););
}

/* --- launches -------------------------------------------------------------------------------------------------------
 */

static CUresult launch_later(const ptx_kernel *k, const range *r, CUstream stream, void **arguments) {
  pending c = {.kind = LAUNCH, .kernel = k, .range = *r, .data = malloc(k->head.argument_bytes + 8)};
  if (!c.data) return CUDA_ERROR_OUT_OF_MEMORY;
  for (uint32_t i = 0; i < k->head.argument_count; i++)
    memcpy(c.data + k->head.arguments[i].offset, arguments[i], k->head.arguments[i].size);
  return fake_add(stream, &c);
}

CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                        unsigned block_y, unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments,
                        void **extra) {
  const range r = {3, {0}, {0}, {block_x, block_y, block_z}, {grid_x, grid_y, grid_z}};
  const uint64_t threads = (uint64_t)block_x * block_y * block_z;
  if (!threads || threads > function->kernel->head.most_items || block_z > 64 || !grid_x || !grid_y || !grid_z ||
      grid_y > 65535 || grid_z > 65535 || shared_bytes || extra || !stream)
    return CUDA_ERROR_INVALID_VALUE;
  LOCKED(result = launch_later(function->kernel, &r, stream, arguments););
}
