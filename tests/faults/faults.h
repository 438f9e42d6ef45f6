/* Faults on demand, and a count of everything that is held.
 *
 * The linker sends the calls that our own objects make of the functions below through faults.c (--wrap, see
 * CMakeLists.txt); what the OpenCL driver and the other libraries call among themselves stays as it is. While nothing
 * is planned every call goes through and is only counted. Any thread's calls are counted; where a fault is planned for
 * the n-th of calls that several threads make, which of them it meets is left to their order. */
#ifndef FOVEA_TESTS_FAULTS_H
#define FOVEA_TESTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* Allocation is one: malloc, calloc, realloc, strdup, strndup, in the order of the calls. So is jansson's, which does
 * not always tell a failed one from text that is not JSON. */
/* clang-format off */
#define FAULT_FUNCTIONS(X) \
  X(allocation) X(jansson) X(open) X(close) X(read) X(pread) X(write) X(fsync) X(rename) X(flock) X(fstat) \
  X(ftruncate) X(mkdir) X(access) X(opendir) X(readdir) X(clGetPlatformIDs) X(clGetPlatformInfo) \
  X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext) X(clCreateCommandQueue) X(clCreateBuffer) \
  X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clBuildProgram) X(clGetProgramInfo) \
  X(clGetProgramBuildInfo) X(clCreateKernel) X(clGetKernelInfo) X(clGetKernelWorkGroupInfo) X(clSetKernelArg) \
  X(clEnqueueNDRangeKernel) X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueMarkerWithWaitList) \
  X(clWaitForEvents) X(clGetEventProfilingInfo) X(clFlush) X(clFinish) \
  X(clReleaseContext) X(clReleaseCommandQueue) X(clReleaseMemObject) X(clReleaseProgram) X(clReleaseKernel) \
  X(clReleaseEvent)
/* clang-format on */

typedef enum fault_function {
#define FAULT_ENUM(name) FAULT_##name,
  FAULT_FUNCTIONS(FAULT_ENUM)
#undef FAULT_ENUM
      FAULT_COUNT
} fault_function;

extern const char *const fault_names[FAULT_COUNT];

typedef struct fault {
  fault_function function;
  long number;   /* the call that fails, from 1; 0: none */
  int error;     /* an OpenCL error or an errno; FAULT_SHORT: read and write do half of what they were asked to */
  bool for_ever; /* and every later one */
} fault;

enum { FAULT_SHORT = -1 };

/* Begins to count calls anew, and plans a fault; NULL: none. */
void faults_begin(const fault *planned);

/* Ends what was planned, and the counting. Whether the planned call was reached. */
bool faults_end(void);

/* Sends jansson's allocations here, too. To be called before it is used. */
void faults_watch_jansson(void);

/* Calls in between are neither counted nor failed: what a test does itself. */
void faults_pause(void);
void faults_resume(void);

/* Calls from faults_begin to faults_end. */
long faults_calls(fault_function function);

/* What is held: OpenCL objects by their reference counts, blocks of memory, open files. */
typedef enum held_kind {
  HELD_CONTEXT,
  HELD_QUEUE,
  HELD_BUFFER,
  HELD_PROGRAM,
  HELD_KERNEL,
  HELD_EVENT,
  HELD_MEMORY,
  HELD_FILE,
  HELD_KINDS
} held_kind;

typedef struct held {
  long count[HELD_KINDS];
} held;

extern const char *const held_names[HELD_KINDS];

/* Also how often an OpenCL object was released that was not held: that many must be 0. */
held faults_held(void);
long faults_wrong_releases(void);

#endif
