/* The engine of a card where the driver has no OpenCL: clang's PTX, by the CUDA driver's own interface. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/cuda_api.h"
#include "driver/driver.h"
#include "ptx/head.h"

static struct {
#define MEMBER(name, arguments) CUresult(*name) arguments;
  CUDA_FUNCTIONS(MEMBER)
  CUcontext context;
  CUevent first; /* by which times are told */
  device_facts facts;
  char name[200], version[40], target[16];
  bool usable;
} cuda;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* CL_SUCCESS, or said on stderr what failed. */
static int check(CUresult result, const char *what, const char *of) {
  const char *name = NULL;
  if (result == CUDA_SUCCESS) return CL_SUCCESS;
  if (!cuda.cuGetErrorName || cuda.cuGetErrorName(result, &name) != CUDA_SUCCESS || !name) name = "unknown";
  fprintf(stderr, "cuda: %s%s%s: error %d, %s\n", what, *of ? " of " : "", of, result, name);
  return result == CUDA_ERROR_OUT_OF_MEMORY ? CL_MEM_OBJECT_ALLOCATION_FAILURE : CL_OUT_OF_RESOURCES;
}

/* A context is a thread's; every call here begins with it. */
#define CALL(name, ...) \
  check(cuda.cuCtxSetCurrent(cuda.context) == 0 ? cuda.name(__VA_ARGS__) : CUDA_ERROR_INVALID_CONTEXT, #name, "")

/* --- the device --------------------------------------------------------------------------------------------------- */

static bool load_library(void) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return fprintf(stderr, "cuda: %s\n", dlerror()), false;
  void *found;
#define FIND(name, arguments)                                                                           \
  found = dlsym(library, #name);                                                                        \
  if (!found) return fprintf(stderr, "cuda: libcuda.so.1 has no %s: a newer one does\n", #name), false; \
  memcpy(&cuda.name, &found, sizeof found);
  CUDA_FUNCTIONS(FIND)
  return true;
}

static int attribute(CUdevice device, int which) {
  int value = 0;
  return cuda.cuDeviceGetAttribute(&value, which, device) == CUDA_SUCCESS ? value : 0;
}

/* The newest that clang 15 and the device know: the driver makes machine code of any device after it. */
static void choose_target(CUdevice device) {
  static const int known[] = {80, 75, 72, 70, 62, 61, 60, 53, 52, 50};
  const int capability = 10 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) +
                         attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  size_t i = 0;
  while (i + 1 < sizeof known / sizeof *known && known[i] > capability) i++;
  snprintf(cuda.target, sizeof cuda.target, "sm_%d", known[i]);
}

static void describe(CUdevice device, size_t memory, int version) {
  char name[128] = "";
  cuda.cuDeviceGetName(name, sizeof name, device);
  snprintf(cuda.name, sizeof cuda.name, "%s by the CUDA driver, clang's PTX", name);
  snprintf(cuda.version, sizeof cuda.version, "CUDA %d.%d, clang 15", version / 1000, version % 1000 / 10);
  choose_target(device);
  cuda.facts =
      (device_facts){.platform = "CUDA driver, clang's PTX",
                     .name = cuda.name,
                     .version = cuda.version,
                     .memory = memory,
                     .most_allocation = memory,
                     .units = (uint32_t)attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                     .clock_mhz = (uint32_t)attribute(device, CU_DEVICE_ATTRIBUTE_CLOCK_RATE) / 1000,
                     .local_bytes = (uint32_t)attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK),
                     .most_items = (uint32_t)attribute(device, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
                     .lanes = (uint32_t)attribute(device, CU_DEVICE_ATTRIBUTE_WARP_SIZE),
                     .divides = settings_get()->divides};
}

/* The first device, which CUDA_VISIBLE_DEVICES chooses. */
static void open_device(void) {
  CUdevice device = 0;
  size_t memory = 0;
  int version = 0, count = 0;
  if (!load_library()) return;
  if (check(cuda.cuInit(0), "cuInit", "") || check(cuda.cuDriverGetVersion(&version), "cuDriverGetVersion", "") ||
      check(cuda.cuDeviceGetCount(&count), "cuDeviceGetCount", ""))
    return;
  if (count == 0) {
    fprintf(stderr, "cuda: the driver has no device\n");
    return;
  }
  if (check(cuda.cuDeviceGet(&device, 0), "cuDeviceGet", "") ||
      check(cuda.cuDeviceTotalMem_v2(&memory, device), "cuDeviceTotalMem", "") ||
      check(cuda.cuCtxCreate_v2(&cuda.context, 0, device), "cuCtxCreate", "") ||
      check(cuda.cuEventCreate(&cuda.first, CU_EVENT_DEFAULT), "cuEventCreate", "") ||
      check(cuda.cuEventRecord(cuda.first, NULL), "cuEventRecord", "") ||
      check(cuda.cuEventSynchronize(cuda.first), "cuEventSynchronize", ""))
    return;
  describe(device, memory, version);
  cuda.usable = true;
}

static const device_facts *facts(void) {
  pthread_once(&once, open_device);
  return cuda.usable ? &cuda.facts : NULL;
}

static const char *target(void) { return facts() ? cuda.target : "none"; }

/* --- programs ----------------------------------------------------------------------------------------------------- */

typedef struct cuda_kernel {
  kernel_head head;
  CUfunction function;
} cuda_kernel;

typedef struct cuda_module {
  CUmodule module;
  cuda_kernel kernels[MOST_KERNELS];
  size_t count;
} cuda_module;

/* clang writes for OpenCL what differs in CUDA: ".target sm_80, texmode_independent", and kernels that are not visible.
 */
static char *make_text(const char *from) {
  static const char mode[] = ", texmode_independent", entry[] = "\n.entry ", visible[] = "\n.visible .entry ";
  size_t entries = 0;
  for (const char *t = strstr(from, entry); t; t = strstr(t + 1, entry)) entries++;
  char *text = malloc(strlen(from) + entries * (sizeof visible - sizeof entry) + 1), *to = text;
  while (text && *from) {
    const size_t n = strncmp(from, entry, sizeof entry - 1) == 0 ? sizeof entry - 1 : 0;
    if (strncmp(from, mode, sizeof mode - 1) == 0) {
      from += sizeof mode - 1;
    } else if (n) {
      memcpy(to, visible, sizeof visible - 1);
      to += sizeof visible - 1;
      from += n;
    } else {
      *to++ = *from++;
    }
  }
  if (text) *to = '\0';
  return text;
}

static bool find_function(cuda_module *m, size_t i, char *message, size_t size) {
  cuda_kernel *k = &m->kernels[i];
  int items = 0, shared = 0, local = 0;
  if (CALL(cuModuleGetFunction, &k->function, m->module, k->head.name) ||
      CALL(cuFuncGetAttribute, &items, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, k->function) ||
      CALL(cuFuncGetAttribute, &shared, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, k->function) ||
      CALL(cuFuncGetAttribute, &local, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, k->function)) {
    snprintf(message, size, "kernel %s: the CUDA driver does not give it", k->head.name);
    return false;
  }
  k->head.most_items = (uint32_t)items, k->head.local_bytes = (uint32_t)shared, k->head.private_bytes = (uint32_t)local;
  return true;
}

static bool fill(cuda_module *m, const char *text, char *message, size_t size) {
  kernel_head *heads = calloc(MOST_KERNELS, sizeof *heads);
  ptx_body bodies[MOST_KERNELS];
  char said[800] = "";
  static const int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {said, (void *)(uintptr_t)(sizeof said - 1)};
  bool good = heads && ptx_read_heads(text, heads, bodies, &m->count, message, size);
  for (size_t i = 0; good && i < m->count; i++) m->kernels[i].head = heads[i];
  free(heads);
  if (good && CALL(cuModuleLoadDataEx, &m->module, text, 2, options, values)) {
    snprintf(message, size, "the CUDA driver does not take its PTX: %s", said);
    good = false;
  }
  for (size_t i = 0; i < m->count && good; i++) good = find_function(m, i, message, size);
  return good;
}

static void unload(void *module) {
  cuda_module *m = module;
  if (m->module && CALL(cuCtxSynchronize) == CL_SUCCESS) (void)CALL(cuModuleUnload, m->module);
  free(m);
}

static void *load(const char *stem, char *message, size_t size) {
  char *file = ptx_read_file(stem, ".ptx"), *text = file ? make_text(file) : NULL;
  cuda_module *m = text ? calloc(1, sizeof *m) : NULL;
  const bool good = m && fill(m, text, message, size);
  if (!m) snprintf(message, size, "%s.ptx cannot be read", stem);
  free(file);
  free(text);
  if (good) return m;
  if (m) unload(m);
  return NULL;
}

static const kernel_head *kernel(const void *module, const char *name) {
  const cuda_module *m = module;
  for (size_t i = 0; i < m->count; i++)
    if (strcmp(m->kernels[i].head.name, name) == 0) return &m->kernels[i].head;
  return NULL;
}

static int launch_kernel(void *queue, const void *module, const call *c, uint64_t *instructions) {
  const cuda_kernel *k = (const cuda_kernel *)c->kernel;
  const uint32_t *grid = c->range->groups, *block = c->range->local, *offset = c->range->offset;
  void *arguments[MOST_ARGUMENTS];
  (void)module;
  *instructions = 0; /* nobody counts */
  if (offset[0] || offset[1] || offset[2]) {
    fprintf(stderr, "cuda: kernel %s: a range that does not begin at 0 has no way here\n", k->head.name);
    return CL_INVALID_GLOBAL_OFFSET;
  }
  for (uint32_t i = 0; i < k->head.argument_count; i++) {
    if (k->head.arguments[i].kind == DYNAMIC_LOCAL) {
      fprintf(stderr, "cuda: kernel %s: an argument in local memory has no way here\n", k->head.name);
      return CL_INVALID_KERNEL_ARGS;
    }
    arguments[i] = (void *)(uintptr_t)(c->values + k->head.arguments[i].offset);
  }
  if (cuda.cuCtxSetCurrent(cuda.context)) return CL_OUT_OF_RESOURCES;
  return check(cuda.cuLaunchKernel(k->function, grid[0], grid[1], grid[2], block[0], block[1], block[2], 0, queue,
                                   arguments, NULL),
               "cuLaunchKernel", k->head.name);
}

/* --- memory, queues, events --------------------------------------------------------------------------------------- */

static int allocate(size_t bytes, uint64_t *address) { return CALL(cuMemAlloc_v2, address, bytes); }

/* What is enqueued may still use it. */
static void release(uint64_t address) {
  if (CALL(cuCtxSynchronize) == CL_SUCCESS) (void)CALL(cuMemFree_v2, address);
}

static int make_queue(void **queue) {
  CUstream stream = NULL;
  const int error = CALL(cuStreamCreate, &stream, CU_STREAM_NON_BLOCKING);
  *queue = stream;
  return error;
}
static void release_queue(void *queue) { (void)CALL(cuStreamDestroy_v2, queue); }
static int finish(void *queue) { return CALL(cuStreamSynchronize, queue); }

/* The bytes of pageable memory are taken, or there, when the call returns: NVIDIA's "API synchronization behavior". */
static int write(void *queue, uint64_t to, const void *from, size_t bytes, bool blocking) {
  if (!queue) return CALL(cuMemcpyHtoD_v2, to, from, bytes);
  const int error = CALL(cuMemcpyHtoDAsync_v2, to, from, bytes, queue);
  return error || !blocking ? error : finish(queue);
}
static int read(void *queue, void *to, uint64_t from, size_t bytes, bool blocking) {
  const int error = CALL(cuMemcpyDtoHAsync_v2, to, from, bytes, queue);
  return error || !blocking ? error : finish(queue);
}

static void release_event(void *event) { (void)CALL(cuEventDestroy_v2, event); }

static int record(void *queue, void **event) {
  CUevent made = NULL;
  int error = CALL(cuEventCreate, &made, CU_EVENT_DEFAULT);
  if (error) return error;
  error = CALL(cuEventRecord, made, queue);
  if (error)
    release_event(made);
  else
    *event = made;
  return error;
}

static int wait(void *queue, void *event) { return CALL(cuStreamWaitEvent, queue, event, 0); }

static int is_done(void *event, bool *done, bool blocking) {
  if (blocking) return *done = true, CALL(cuEventSynchronize, event);
  if (cuda.cuCtxSetCurrent(cuda.context)) return CL_OUT_OF_RESOURCES;
  const CUresult result = cuda.cuEventQuery(event);
  *done = result != CUDA_ERROR_NOT_READY;
  return *done ? check(result, "cuEventQuery", "") : CL_SUCCESS;
}

static int nanoseconds(void *from, void *to, uint64_t *between) {
  float milliseconds = 0;
  const int error = CALL(cuEventElapsedTime, &milliseconds, from ? from : cuda.first, to);
  *between = milliseconds > 0 ? (uint64_t)(1e6 * (double)milliseconds) : 0;
  return error;
}

static const remote cuda_remote = {.allocate = allocate,
                                   .release = release,
                                   .make_queue = make_queue,
                                   .release_queue = release_queue,
                                   .finish = finish,
                                   .write = write,
                                   .read = read,
                                   .record = record,
                                   .release_event = release_event,
                                   .wait = wait,
                                   .is_done = is_done,
                                   .nanoseconds = nanoseconds};

const engine cuda_engine = {.target = target,
                            .script = "compile_ptx.sh",
                            .options = "-DRANGE_BY_CUDA",
                            .made = ".ptx",
                            .facts = facts,
                            .load = load,
                            .unload = unload,
                            .kernel = kernel,
                            .launch = launch_kernel,
                            .remote = &cuda_remote};
