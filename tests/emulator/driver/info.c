/* The platform, its device, and the table of functions that the loader asks for. */
#include <stdlib.h>
#include <string.h>

#include "driver/driver.h"

struct _cl_platform_id driver_platform = {&driver_dispatch};
struct _cl_device_id driver_device = {&driver_dispatch};

const engine *driver_engine(void) {
  static const engine *const engines[] = {&amd_engine, &amd_engine, &nvidia_engine, &cuda_engine};
  return engines[settings_get()->device]; /* in the order of `emulated` */
}

static const device_facts *facts(void) { return driver_engine()->facts(); }

cl_int driver_answer(const void *answer, size_t bytes, size_t room, void *to, size_t *size) {
  if (size) *size = bytes;
  if (to && room < bytes) return CL_INVALID_VALUE;
  if (to) memcpy(to, answer, bytes);
  return CL_SUCCESS;
}

#define TEXT(x) return driver_answer(x, strlen(x) + 1, room, to, size)
#define VALUE(type, x) return driver_answer(&(type){x}, sizeof(type), room, to, size)

cl_int CL_API_CALL driver_platform_info(cl_platform_id platform, cl_platform_info what, size_t room, void *to,
                                        size_t *size) {
  (void)platform;
  switch (what) {
    case CL_PLATFORM_NAME:
      TEXT(facts() ? facts()->platform : "no device");
    case CL_PLATFORM_VENDOR:
      TEXT("Fovea's tests");
    case CL_PLATFORM_VERSION:
      TEXT("OpenCL 1.2 emulated");
    case CL_PLATFORM_PROFILE:
      TEXT("FULL_PROFILE");
    case CL_PLATFORM_EXTENSIONS:
      TEXT("cl_khr_icd");
    case CL_PLATFORM_ICD_SUFFIX_KHR:
      TEXT("EMULATOR");
    default:
      return CL_INVALID_VALUE;
  }
}

cl_int CL_API_CALL driver_device_ids(cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *ids,
                                     cl_uint *count) {
  (void)platform;
  if (!facts()) return CL_DEVICE_NOT_FOUND; /* stderr has said why */
  if (type != CL_DEVICE_TYPE_ALL && !(type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT))) return CL_DEVICE_NOT_FOUND;
  if (count) *count = 1;
  if (ids && room) ids[0] = &driver_device;
  return CL_SUCCESS;
}

static cl_int device_text(cl_device_info what, size_t room, void *to, size_t *size) {
  switch (what) {
    case CL_DEVICE_NAME:
      TEXT(facts()->name);
    case CL_DEVICE_VENDOR:
      TEXT("Fovea's tests");
    case CL_DRIVER_VERSION:
      TEXT(facts()->version);
    case CL_DEVICE_VERSION:
      TEXT("OpenCL 1.2 emulated");
    case CL_DEVICE_OPENCL_C_VERSION:
      TEXT("OpenCL C 1.2");
    case CL_DEVICE_PROFILE:
      TEXT("FULL_PROFILE");
    case CL_DEVICE_EXTENSIONS:
    case CL_DEVICE_BUILT_IN_KERNELS:
      TEXT("");
    default:
      return CL_INVALID_VALUE;
  }
}

static cl_int device_number(cl_device_info what, size_t room, void *to, size_t *size) {
  const device_facts *s = facts();
  switch (what) {
    case CL_DEVICE_MAX_COMPUTE_UNITS:
      VALUE(cl_uint, s->units);
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
      VALUE(cl_uint, s->clock_mhz);
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
      VALUE(cl_uint, 1);
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
      VALUE(cl_uint, 3);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
      VALUE(cl_uint, 2048);
    case CL_DEVICE_ADDRESS_BITS:
      VALUE(cl_uint, 64);
    case CL_DEVICE_VENDOR_ID:
      VALUE(cl_uint, 0);
    case CL_DEVICE_LOCAL_MEM_TYPE:
      VALUE(cl_device_local_mem_type, CL_LOCAL);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
      VALUE(cl_ulong, s->memory);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
      VALUE(cl_ulong, s->most_allocation);
    case CL_DEVICE_LOCAL_MEM_SIZE:
      VALUE(cl_ulong, s->local_bytes);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
      VALUE(size_t, s->most_items);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
    case CL_DEVICE_IMAGE_SUPPORT:
      VALUE(cl_bool, CL_FALSE);
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_LINKER_AVAILABLE:
    case CL_DEVICE_ENDIAN_LITTLE:
      VALUE(cl_bool, CL_TRUE);
    default:
      return device_text(what, room, to, size);
  }
}

cl_int CL_API_CALL driver_device_info(cl_device_id device, cl_device_info what, size_t room, void *to, size_t *size) {
  const device_facts *s = facts();
  const cl_device_fp_config fp = CL_FP_DENORM | CL_FP_INF_NAN | CL_FP_ROUND_TO_NEAREST | CL_FP_FMA;
  (void)device;
  switch (what) {
    case CL_DEVICE_TYPE:
      VALUE(cl_device_type, CL_DEVICE_TYPE_GPU);
    case CL_DEVICE_PLATFORM:
      VALUE(cl_platform_id, &driver_platform);
    case CL_DEVICE_QUEUE_PROPERTIES:
      VALUE(cl_command_queue_properties, CL_QUEUE_PROFILING_ENABLE);
    case CL_DEVICE_SINGLE_FP_CONFIG:
      VALUE(cl_device_fp_config, fp | (s->divides ? CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT : 0));
    case CL_DEVICE_MAX_WORK_ITEM_SIZES: {
      const size_t sizes[3] = {s->most_items, s->most_items, s->most_items};
      return driver_answer(sizes, sizeof sizes, room, to, size);
    }
    default:
      return device_number(what, room, to, size);
  }
}

/* --- what the loader asks ----------------------------------------------------------------------------------------- */

static cl_int CL_API_CALL platform_ids(cl_uint room, cl_platform_id *ids, cl_uint *count) {
  if (count) *count = 1;
  if (ids && room) ids[0] = &driver_platform;
  return CL_SUCCESS;
}

static void *CL_API_CALL no_extension(cl_platform_id platform, const char *name) {
  (void)platform, (void)name;
  return NULL;
}

#define EXPORTED __attribute__((visibility("default")))
EXPORTED void *CL_API_CALL clGetExtensionFunctionAddress(const char *name) {
  union {
    cl_int(CL_API_CALL *function)(cl_uint, cl_platform_id *, cl_uint *);
    void *address;
  } ids = {platform_ids};
  return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? ids.address : NULL;
}
EXPORTED cl_int CL_API_CALL clIcdGetPlatformIDsKHR(cl_uint room, cl_platform_id *ids, cl_uint *count) {
  return platform_ids(room, ids, count);
}
EXPORTED cl_int CL_API_CALL clGetPlatformInfo(cl_platform_id platform, cl_platform_info what, size_t room, void *to,
                                              size_t *size) {
  return driver_platform_info(platform, what, room, to, size);
}

const cl_icd_dispatch driver_dispatch = {
    .clGetPlatformInfo = driver_platform_info,
    .clGetDeviceIDs = driver_device_ids,
    .clGetDeviceInfo = driver_device_info,
    .clCreateContext = driver_create_context,
    .clRetainContext = driver_retain_context,
    .clReleaseContext = driver_release_context,
    .clCreateCommandQueue = driver_create_queue,
    .clRetainCommandQueue = driver_retain_queue,
    .clReleaseCommandQueue = driver_release_queue,
    .clGetCommandQueueInfo = driver_queue_info,
    .clCreateBuffer = driver_create_buffer,
    .clCreateSubBuffer = driver_create_part,
    .clRetainMemObject = driver_retain_buffer,
    .clReleaseMemObject = driver_release_buffer,
    .clGetMemObjectInfo = driver_buffer_info,
    .clCreateProgramWithSource = driver_create_program,
    .clCreateProgramWithBinary = driver_create_from_binary,
    .clRetainProgram = driver_retain_program,
    .clReleaseProgram = driver_release_program,
    .clBuildProgram = driver_build,
    .clGetProgramInfo = driver_program_info,
    .clGetProgramBuildInfo = driver_build_info,
    .clCreateKernel = driver_create_kernel,
    .clRetainKernel = driver_retain_kernel,
    .clReleaseKernel = driver_release_kernel,
    .clSetKernelArg = driver_set_argument,
    .clGetKernelInfo = driver_kernel_info,
    .clGetKernelWorkGroupInfo = driver_group_info,
    .clWaitForEvents = driver_wait,
    .clGetEventInfo = driver_event_info,
    .clRetainEvent = driver_retain_event,
    .clReleaseEvent = driver_release_event,
    .clGetEventProfilingInfo = driver_event_times,
    .clFlush = driver_flush_queue,
    .clFinish = driver_finish_queue,
    .clEnqueueReadBuffer = driver_read,
    .clEnqueueWriteBuffer = driver_write,
    .clEnqueueNDRangeKernel = driver_launch,
    .clEnqueueMarkerWithWaitList = driver_marker,
    .clGetExtensionFunctionAddressForPlatform = no_extension,
};
