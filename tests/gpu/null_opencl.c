#include "null_opencl.h"

#include <CL/cl.h>
#include <CL/cl_ext.h>
#include <stdlib.h>
#include <string.h>

static null_device told = {.max_work_group_size = 256, .local_memory = 32 << 10, .compute_units = 132};

void null_opencl_set(const null_device *device) { told = *device; }

/* Every object is this one but kernels, which count their arguments, and buffers. */
static int object;
#define OBJECT(type) ((type)(void *)&object)

static cl_int answer(const void *value, size_t length, size_t size, void *to, size_t *needed) {
  if (needed) *needed = length;
  if (!to) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  memcpy(to, value, length);
  return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t size, void *to, size_t *needed) {
  return answer(text, strlen(text) + 1, size, to, needed);
}

/* --- the platform and its device ---------------------------------------------------------------------------------- */

cl_int clGetPlatformIDs(cl_uint most, cl_platform_id *platforms, cl_uint *count) {
  if (count) *count = 1;
  if (platforms && most > 0) platforms[0] = OBJECT(cl_platform_id);
  return CL_SUCCESS;
}

cl_int clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t size, void *to, size_t *needed) {
  (void)platform;
  return answer_text(what == CL_PLATFORM_VERSION ? "OpenCL 1.2 null" : "null", size, to, needed);
}

void *clGetExtensionFunctionAddressForPlatform(cl_platform_id platform, const char *name) {
  (void)platform, (void)name;
  return NULL;
}

cl_int clGetDeviceIDs(cl_platform_id platform, cl_device_type type, cl_uint most, cl_device_id *devices,
                      cl_uint *count) {
  (void)platform, (void)type;
  if (count) *count = 1;
  if (devices && most > 0) devices[0] = OBJECT(cl_device_id);
  return CL_SUCCESS;
}

static bool number_of(cl_device_info what, cl_ulong *value) {
  const cl_ulong memory = told.memory ? told.memory : (cl_ulong)1 << 40;
  const cl_ulong fp = CL_FP_ROUND_TO_NEAREST | CL_FP_DENORM | CL_FP_FMA;
  const struct {
    cl_device_info what;
    cl_ulong value;
  } numbers[] = {{CL_DEVICE_TYPE, CL_DEVICE_TYPE_GPU},
                 {CL_DEVICE_AVAILABLE, CL_TRUE},
                 {CL_DEVICE_COMPILER_AVAILABLE, CL_TRUE},
                 {CL_DEVICE_ENDIAN_LITTLE, CL_TRUE},
                 {CL_DEVICE_HOST_UNIFIED_MEMORY, CL_FALSE},
                 {CL_DEVICE_MAX_COMPUTE_UNITS, told.compute_units},
                 {CL_DEVICE_MAX_CLOCK_FREQUENCY, 1000},
                 {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, 1},
                 {CL_DEVICE_GLOBAL_MEM_SIZE, memory},
                 {CL_DEVICE_MAX_MEM_ALLOC_SIZE, memory},
                 {CL_DEVICE_LOCAL_MEM_SIZE, told.local_memory},
                 {CL_DEVICE_MAX_WORK_GROUP_SIZE, told.max_work_group_size},
                 {CL_DEVICE_SINGLE_FP_CONFIG, fp | (told.divides_correctly ? CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT : 0)}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].what == what) return *value = numbers[i].value, true;
  return false;
}

/* Little-endian, so that a number of fewer bytes is the first of these. */
cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *to, size_t *needed) {
  (void)device;
  cl_ulong value = 0;
  if (what == CL_DEVICE_MAX_WORK_ITEM_SIZES) {
    const size_t items[3] = {told.max_work_group_size, told.max_work_group_size, told.max_work_group_size};
    return answer(items, sizeof items, size, to, needed);
  }
  if (number_of(what, &value)) return answer(&value, size < sizeof value ? size : sizeof value, size, to, needed);
  if (what == CL_DEVICE_VERSION) return answer_text("OpenCL 1.2 null", size, to, needed);
  if (what == CL_DEVICE_NAME || what == CL_DEVICE_VENDOR || what == CL_DRIVER_VERSION || what == CL_DEVICE_EXTENSIONS)
    return answer_text("null", size, to, needed);
  return CL_INVALID_VALUE;
}

cl_int clCreateSubDevices(cl_device_id device, const cl_device_partition_property *how, cl_uint most,
                          cl_device_id *devices, cl_uint *count) {
  (void)device, (void)how, (void)most, (void)devices, (void)count;
  return CL_DEVICE_PARTITION_FAILED;
}

cl_context clCreateContext(const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
                           void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
                           cl_int *error) {
  (void)properties, (void)count, (void)devices, (void)notify, (void)user;
  return *error = CL_SUCCESS, OBJECT(cl_context);
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device, cl_command_queue_properties properties,
                                      cl_int *error) {
  (void)context, (void)device, (void)properties;
  return *error = CL_SUCCESS, OBJECT(cl_command_queue);
}

cl_int clReleaseContext(cl_context context) { return (void)context, CL_SUCCESS; }
cl_int clReleaseCommandQueue(cl_command_queue queue) { return (void)queue, CL_SUCCESS; }

/* --- programs and kernels ----------------------------------------------------------------------------------------- */

struct _cl_kernel {
  cl_uint arguments;
};

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts, const size_t *lengths,
                                     cl_int *error) {
  (void)context, (void)count, (void)texts, (void)lengths;
  return *error = CL_SUCCESS, OBJECT(cl_program);
}

static int built;

int null_opencl_programs(void) { return built; }

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
                      void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
  (void)program, (void)count, (void)devices, (void)options, (void)notify, (void)user;
  built++;
  return CL_SUCCESS;
}

/* Of no binary, so that nothing is kept. */
cl_int clGetProgramInfo(cl_program program, cl_program_info what, size_t size, void *to, size_t *needed) {
  (void)program, (void)what, (void)needed;
  memset(to, 0, size);
  return CL_SUCCESS;
}

cl_int clReleaseProgram(cl_program program) { return (void)program, CL_SUCCESS; }

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *error) {
  (void)program, (void)name;
  cl_kernel kernel = calloc(1, sizeof *kernel);
  return *error = kernel ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY, kernel;
}

cl_int clReleaseKernel(cl_kernel kernel) { return free(kernel), CL_SUCCESS; }

cl_int clSetKernelArg(cl_kernel kernel, cl_uint index, size_t size, const void *value) {
  (void)size, (void)value;
  if (index >= kernel->arguments) kernel->arguments = index + 1;
  return CL_SUCCESS;
}

cl_int clGetKernelInfo(cl_kernel kernel, cl_kernel_info what, size_t size, void *to, size_t *needed) {
  if (what != CL_KERNEL_NUM_ARGS) return CL_INVALID_VALUE;
  return answer(&kernel->arguments, sizeof kernel->arguments, size, to, needed);
}

cl_int clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t size,
                                void *to, size_t *needed) {
  (void)kernel, (void)device;
  const size_t none[3] = {0};
  const cl_ulong memory = 0;
  if (what == CL_KERNEL_WORK_GROUP_SIZE)
    return answer(&told.max_work_group_size, sizeof told.max_work_group_size, size, to, needed);
  if (what == CL_KERNEL_COMPILE_WORK_GROUP_SIZE) return answer(none, sizeof none, size, to, needed);
  return what == CL_KERNEL_LOCAL_MEM_SIZE ? answer(&memory, sizeof memory, size, to, needed) : CL_INVALID_VALUE;
}

/* --- memory and queues -------------------------------------------------------------------------------------------- */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *error) {
  (void)context, (void)flags, (void)size, (void)host;
  return *error = CL_SUCCESS, OBJECT(cl_mem);
}

cl_int clReleaseMemObject(cl_mem memory) { return (void)memory, CL_SUCCESS; }

static cl_int done(cl_event *event) {
  if (event) *event = OBJECT(cl_event);
  return CL_SUCCESS;
}

cl_int clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                            const void *from, cl_uint count, const cl_event *waits, cl_event *event) {
  (void)queue, (void)memory, (void)blocking, (void)offset, (void)size, (void)from, (void)count, (void)waits;
  return done(event);
}

cl_int clEnqueueReadBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t size,
                           void *to, cl_uint count, const cl_event *waits, cl_event *event) {
  (void)queue, (void)memory, (void)blocking, (void)offset, (void)count, (void)waits;
  memset(to, 0, size);
  return done(event);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                              cl_event *event) {
  (void)queue, (void)kernel, (void)dimensions, (void)offset, (void)global, (void)local, (void)count, (void)waits;
  return done(event);
}

cl_int clEnqueueMarkerWithWaitList(cl_command_queue queue, cl_uint count, const cl_event *waits, cl_event *event) {
  (void)queue, (void)count, (void)waits;
  return done(event);
}

cl_int clFlush(cl_command_queue queue) { return (void)queue, CL_SUCCESS; }
cl_int clFinish(cl_command_queue queue) { return (void)queue, CL_SUCCESS; }
cl_int clReleaseEvent(cl_event event) { return (void)event, CL_SUCCESS; }

cl_int clWaitForEvents(cl_uint count, const cl_event *events) {
  (void)count, (void)events;
  return CL_SUCCESS;
}
