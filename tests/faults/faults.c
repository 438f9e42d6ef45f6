#include "faults/faults.h"

#include <CL/cl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const fault_names[FAULT_COUNT] = {
#define FAULT_NAME(name) #name,
    FAULT_FUNCTIONS(FAULT_NAME)
#undef FAULT_NAME
};

const char *const held_names[HELD_KINDS] = {"contexts", "queues", "buffers",          "programs",
                                            "kernels",  "events", "blocks of memory", "open files"};

/* Pictures are read by several threads, each of which allocates. */
static pthread_mutex_t changing = PTHREAD_MUTEX_INITIALIZER;

/* --- what is planned --------------------------------------------------------------------------------------------- */

static fault plan;
static bool counting, reached;
static long calls[FAULT_COUNT];

void faults_begin(const fault *planned) {
  memset(calls, 0, sizeof calls);
  plan = planned ? *planned : (fault){0};
  reached = false;
  counting = true;
}

bool faults_end(void) {
  plan = (fault){0};
  counting = false;
  return reached;
}

void faults_pause(void) { counting = false; }
void faults_resume(void) { counting = true; }

long faults_calls(fault_function function) { return calls[function]; }

static int strike_alone(fault_function function) {
  if (!counting) return 0;
  const long number = ++calls[function];
  if (plan.number == 0 || plan.function != function) return 0;
  if (number != plan.number && !(plan.for_ever && number > plan.number)) return 0;
  reached = true;
  return plan.error;
}

/* The error that this call is to give, or 0. */
static int strike(fault_function function) {
  pthread_mutex_lock(&changing);
  const int error = strike_alone(function);
  pthread_mutex_unlock(&changing);
  return error;
}

/* --- what is held ------------------------------------------------------------------------------------------------ */

enum { PLACES = 1 << 18 };

/* Open addressing with linear probing; a count of 0 is a free place. */
static struct place {
  uintptr_t key;
  held_kind kind;
  long count;
} places[PLACES];
static held now;
static long wrong_releases;

static size_t home(uintptr_t key) { return (size_t)(((uint64_t)key * 0x9e3779b97f4a7c15u) >> 46); }

/* The place of the object, or the free one where it would be. */
static struct place *find(uintptr_t key, held_kind kind) {
  size_t i = home(key);
  while (places[i].count > 0 && (places[i].key != key || places[i].kind != kind)) i = (i + 1) % PLACES;
  return &places[i];
}

static void *born(held_kind kind, void *object) {
  if (!object) return NULL;
  pthread_mutex_lock(&changing);
  struct place *p = find((uintptr_t)object, kind);
  *p = (struct place){(uintptr_t)object, kind, p->count + 1};
  if (++now.count[kind] > PLACES / 2) abort();
  pthread_mutex_unlock(&changing);
  return object;
}

/* Frees the place and moves up what stands behind it for want of a nearer one. */
static void remove_place(size_t hole) {
  places[hole].count = 0;
  for (size_t i = (hole + 1) % PLACES; places[i].count > 0; i = (i + 1) % PLACES) {
    const struct place moved = places[i];
    places[i].count = 0;
    *find(moved.key, moved.kind) = moved;
  }
}

static bool died_alone(held_kind kind, const void *object) {
  struct place *p = find((uintptr_t)object, kind);
  if (p->count == 0) return false;
  now.count[kind]--;
  if (--p->count == 0) remove_place((size_t)(p - places));
  return true;
}

/* False when it was not held: a block that another library made, or a wrong release. To be called before the object is
 * given back, for another thread may get its address at once. */
static bool died(held_kind kind, const void *object) {
  pthread_mutex_lock(&changing);
  const bool was_held = died_alone(kind, object);
  pthread_mutex_unlock(&changing);
  return was_held;
}

static void object_died(held_kind kind, const void *object) {
  if (!died(kind, object)) wrong_releases++;
}

held faults_held(void) { return now; }
long faults_wrong_releases(void) { return wrong_releases; }

/* --- memory ------------------------------------------------------------------------------------------------------ */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void __real_free(void *block);

static bool no_memory(void) {
  const int error = strike(FAULT_allocation);
  if (error) errno = ENOMEM;
  return error != 0;
}

void *__wrap_malloc(size_t size) { return no_memory() ? NULL : born(HELD_MEMORY, __real_malloc(size)); }

void *__wrap_calloc(size_t count, size_t size) {
  return no_memory() ? NULL : born(HELD_MEMORY, __real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size) {
  if (no_memory()) return NULL;
  if (block) died(HELD_MEMORY, block);
  return born(HELD_MEMORY, __real_realloc(block, size));
}

char *__wrap_strdup(const char *text) { return no_memory() ? NULL : born(HELD_MEMORY, __real_strdup(text)); }

char *__wrap_strndup(const char *text, size_t size) {
  return no_memory() ? NULL : born(HELD_MEMORY, __real_strndup(text, size));
}

void __wrap_free(void *block) {
  if (block) died(HELD_MEMORY, block);
  __real_free(block);
}

static void *jansson_malloc(size_t size) {
  return strike(FAULT_jansson) ? NULL : born(HELD_MEMORY, __real_malloc(size));
}

void faults_watch_jansson(void) { json_set_alloc_funcs(jansson_malloc, __wrap_free); }

/* --- files ------------------------------------------------------------------------------------------------------- */

int __real_open(const char *path, int flags, ...);
int __real_close(int descriptor);
ssize_t __real_read(int descriptor, void *data, size_t size);
ssize_t __real_pread(int descriptor, void *data, size_t size, off_t offset);
ssize_t __real_write(int descriptor, const void *data, size_t size);
int __real_fsync(int descriptor);
int __real_rename(const char *from, const char *to);
int __real_flock(int descriptor, int operation);
int __real_fstat(int descriptor, struct stat *about);
int __real_ftruncate(int descriptor, off_t size);
int __real_mkdir(const char *path, mode_t mode);
int __real_access(const char *path, int mode);
DIR *__real_opendir(const char *path);
struct dirent *__real_readdir(DIR *folder);

/* Whether the call is to fail; errno is set then. */
static bool fails(fault_function function) {
  const int error = strike(function);
  if (error) errno = error;
  return error != 0;
}

int __wrap_open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (fails(FAULT_open)) return -1;
  const int descriptor = __real_open(path, flags, mode);
  if (descriptor >= 0) born(HELD_FILE, (void *)((intptr_t)descriptor + 1));
  return descriptor;
}

/* The descriptor is closed also when close says that it failed, as on Linux. */
int __wrap_close(int descriptor) {
  died(HELD_FILE, (void *)((intptr_t)descriptor + 1));
  const int result = __real_close(descriptor);
  return fails(FAULT_close) ? -1 : result;
}

ssize_t __wrap_read(int descriptor, void *data, size_t size) {
  const int error = strike(FAULT_read);
  if (error == FAULT_SHORT) size = size / 2 + 1;
  if (error > 0) errno = error;
  return error > 0 ? -1 : __real_read(descriptor, data, size);
}

ssize_t __wrap_pread(int descriptor, void *data, size_t size, off_t offset) {
  return fails(FAULT_pread) ? -1 : __real_pread(descriptor, data, size, offset);
}

ssize_t __wrap_write(int descriptor, const void *data, size_t size) {
  const int error = strike(FAULT_write);
  if (error == FAULT_SHORT) size = size / 2;
  if (error > 0) errno = error;
  return error > 0 ? -1 : __real_write(descriptor, data, size);
}

int __wrap_fsync(int descriptor) { return fails(FAULT_fsync) ? -1 : __real_fsync(descriptor); }
int __wrap_rename(const char *from, const char *to) { return fails(FAULT_rename) ? -1 : __real_rename(from, to); }
int __wrap_flock(int descriptor, int how) { return fails(FAULT_flock) ? -1 : __real_flock(descriptor, how); }
int __wrap_fstat(int descriptor, struct stat *about) {
  return fails(FAULT_fstat) ? -1 : __real_fstat(descriptor, about);
}
int __wrap_ftruncate(int descriptor, off_t size) {
  return fails(FAULT_ftruncate) ? -1 : __real_ftruncate(descriptor, size);
}
int __wrap_mkdir(const char *path, mode_t mode) { return fails(FAULT_mkdir) ? -1 : __real_mkdir(path, mode); }
int __wrap_access(const char *path, int mode) { return fails(FAULT_access) ? -1 : __real_access(path, mode); }
DIR *__wrap_opendir(const char *path) { return fails(FAULT_opendir) ? NULL : __real_opendir(path); }
struct dirent *__wrap_readdir(DIR *folder) {
  return fails(FAULT_readdir) ? NULL : __real_readdir(folder);
}

/* --- OpenCL: making ---------------------------------------------------------------------------------------------- */

cl_context __real_clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                                  void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
                                  cl_int *error);
cl_command_queue __real_clCreateCommandQueue(cl_context context, cl_device_id device,
                                             cl_command_queue_properties properties, cl_int *error);
cl_mem __real_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error);
cl_program __real_clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                            const size_t *lengths, cl_int *error);
cl_program __real_clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                            const size_t *lengths, const unsigned char **binaries, cl_int *statuses,
                                            cl_int *error);
cl_kernel __real_clCreateKernel(cl_program program, const char *name, cl_int *error);

cl_context __wrap_clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                                  void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
                                  cl_int *error) {
  if ((*error = strike(FAULT_clCreateContext))) return NULL;
  return born(HELD_CONTEXT, __real_clCreateContext(properties, count, devices, notify, user, error));
}

cl_command_queue __wrap_clCreateCommandQueue(cl_context context, cl_device_id device,
                                             cl_command_queue_properties properties, cl_int *error) {
  if ((*error = strike(FAULT_clCreateCommandQueue))) return NULL;
  return born(HELD_QUEUE, __real_clCreateCommandQueue(context, device, properties, error));
}

cl_mem __wrap_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error) {
  if ((*error = strike(FAULT_clCreateBuffer))) return NULL;
  return born(HELD_BUFFER, __real_clCreateBuffer(context, flags, size, host, error));
}

cl_program __wrap_clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                            const size_t *lengths, cl_int *error) {
  if ((*error = strike(FAULT_clCreateProgramWithSource))) return NULL;
  return born(HELD_PROGRAM, __real_clCreateProgramWithSource(context, count, strings, lengths, error));
}

cl_program __wrap_clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                            const size_t *lengths, const unsigned char **binaries, cl_int *statuses,
                                            cl_int *error) {
  if ((*error = strike(FAULT_clCreateProgramWithBinary))) return NULL;
  return born(HELD_PROGRAM,
              __real_clCreateProgramWithBinary(context, count, devices, lengths, binaries, statuses, error));
}

cl_kernel __wrap_clCreateKernel(cl_program program, const char *name, cl_int *error) {
  if ((*error = strike(FAULT_clCreateKernel))) return NULL;
  return born(HELD_KERNEL, __real_clCreateKernel(program, name, error));
}

/* --- OpenCL: commands -------------------------------------------------------------------------------------------- */

cl_int __real_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event);
cl_int __real_clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                  void *data, cl_uint waits, const cl_event *wait, cl_event *event);
cl_int __real_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                   const void *data, cl_uint waits, const cl_event *wait, cl_event *event);
cl_int __real_clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint waits, const cl_event *wait, cl_event *event);
cl_int __real_clWaitForEvents(cl_uint count, const cl_event *events);
cl_int __real_clFinish(cl_command_queue queue);

static cl_int enqueued(cl_int error, cl_event *event) {
  if (error == CL_SUCCESS && event) born(HELD_EVENT, *event);
  return error;
}

cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dims, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait,
                                     cl_event *event) {
  const cl_int error = strike(FAULT_clEnqueueNDRangeKernel);
  if (error) return error;
  return enqueued(__real_clEnqueueNDRangeKernel(queue, kernel, dims, offset, global, local, waits, wait, event), event);
}

cl_int __wrap_clEnqueueReadBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                  void *data, cl_uint waits, const cl_event *wait, cl_event *event) {
  const cl_int error = strike(FAULT_clEnqueueReadBuffer);
  if (error) return error;
  return enqueued(__real_clEnqueueReadBuffer(queue, buffer, blocking, offset, size, data, waits, wait, event), event);
}

cl_int __wrap_clEnqueueWriteBuffer(cl_command_queue queue, cl_mem buffer, cl_bool blocking, size_t offset, size_t size,
                                   const void *data, cl_uint waits, const cl_event *wait, cl_event *event) {
  const cl_int error = strike(FAULT_clEnqueueWriteBuffer);
  if (error) return error;
  return enqueued(__real_clEnqueueWriteBuffer(queue, buffer, blocking, offset, size, data, waits, wait, event), event);
}

cl_int __wrap_clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint waits, const cl_event *wait,
                                          cl_event *event) {
  const cl_int error = strike(FAULT_clEnqueueMarkerWithWaitList);
  if (error) return error;
  return enqueued(__real_clEnqueueMarkerWithWaitList(queue, waits, wait, event), event);
}

/* These two do wait when they are to fail: a device that is lost no longer touches the host's memory. */
cl_int __wrap_clWaitForEvents(cl_uint count, const cl_event *events) {
  const cl_int error = strike(FAULT_clWaitForEvents), result = __real_clWaitForEvents(count, events);
  return error ? error : result;
}

cl_int __wrap_clFinish(cl_command_queue queue) {
  const cl_int error = strike(FAULT_clFinish), result = __real_clFinish(queue);
  return error ? error : result;
}

/* --- OpenCL: what fails or passes through, no more ---------------------------------------------------------------- */

#define PASS(name, parameters, arguments)           \
  cl_int __real_##name parameters;                  \
  cl_int __wrap_##name parameters {                 \
    const cl_int error = strike(FAULT_##name);      \
    return error ? error : __real_##name arguments; \
  }

PASS(clGetPlatformIDs, (cl_uint size, cl_platform_id *ids, cl_uint *count), (size, ids, count))
PASS(clGetPlatformInfo, (cl_platform_id id, cl_platform_info what, size_t size, void *value, size_t *used),
     (id, what, size, value, used))
PASS(clGetDeviceIDs, (cl_platform_id platform, cl_device_type type, cl_uint size, cl_device_id *ids, cl_uint *count),
     (platform, type, size, ids, count))
PASS(clGetDeviceInfo, (cl_device_id id, cl_device_info what, size_t size, void *value, size_t *used),
     (id, what, size, value, used))
PASS(clBuildProgram,
     (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
      void(CL_CALLBACK *notify)(cl_program, void *), void *user),
     (program, count, devices, options, notify, user))
PASS(clGetProgramInfo, (cl_program program, cl_program_info what, size_t size, void *value, size_t *used),
     (program, what, size, value, used))
PASS(clGetProgramBuildInfo,
     (cl_program program, cl_device_id device, cl_program_build_info what, size_t size, void *value, size_t *used),
     (program, device, what, size, value, used))
PASS(clGetKernelInfo, (cl_kernel kernel, cl_kernel_info what, size_t size, void *value, size_t *used),
     (kernel, what, size, value, used))
PASS(clGetKernelWorkGroupInfo,
     (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size, void *value, size_t *used),
     (kernel, device, what, size, value, used))
PASS(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t size, const void *value), (kernel, index, size, value))
PASS(clGetEventProfilingInfo, (cl_event event, cl_profiling_info what, size_t size, void *value, size_t *used),
     (event, what, size, value, used))
PASS(clFlush, (cl_command_queue queue), (queue))

/* --- OpenCL: releasing, which releases also when it says that it failed ------------------------------------------- */

#define RELEASE(name, kind, type)                                              \
  cl_int __real_##name(type object);                                           \
  cl_int __wrap_##name(type object) {                                          \
    object_died(kind, object);                                                 \
    const cl_int error = strike(FAULT_##name), result = __real_##name(object); \
    return error ? error : result;                                             \
  }

RELEASE(clReleaseContext, HELD_CONTEXT, cl_context)
RELEASE(clReleaseCommandQueue, HELD_QUEUE, cl_command_queue)
RELEASE(clReleaseMemObject, HELD_BUFFER, cl_mem)
RELEASE(clReleaseProgram, HELD_PROGRAM, cl_program)
RELEASE(clReleaseKernel, HELD_KERNEL, cl_kernel)
RELEASE(clReleaseEvent, HELD_EVENT, cl_event)
