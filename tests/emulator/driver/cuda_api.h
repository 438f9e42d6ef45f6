/* What is called of the CUDA driver: "CUDA Driver API" of NVIDIA's documentation, whose names and numbers these are.
 * Its header is not needed, and its library is loaded when it is used. */
#ifndef FOVEA_TESTS_EMULATOR_DRIVER_CUDA_API_H
#define FOVEA_TESTS_EMULATOR_DRIVER_CUDA_API_H

#include <stddef.h>
#include <stdint.h>

typedef int CUresult, CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;
typedef struct CUevent_st *CUevent;

enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_INVALID_VALUE = 1,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_INVALID_CONTEXT = 201,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_NOT_FOUND = 500,
  CUDA_ERROR_NOT_READY = 600,
  CUDA_ERROR_LAUNCH_FAILED = 719
};
enum {
  CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 1,
  CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK = 8,
  CU_DEVICE_ATTRIBUTE_WARP_SIZE = 10,
  CU_DEVICE_ATTRIBUTE_CLOCK_RATE = 13, /* kHz */
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT = 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76
};
enum {
  CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK = 0,
  CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES = 1,
  CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES = 3
};
enum { CU_JIT_ERROR_LOG_BUFFER = 5, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6 };
enum { CU_STREAM_NON_BLOCKING = 1, CU_EVENT_DEFAULT = 0 };

/* X(result, arguments) of each. */
#define CUDA_FUNCTIONS(X)                                                                                          \
  X(cuInit, (unsigned flags))                                                                                      \
  X(cuDriverGetVersion, (int *version))                                                                            \
  X(cuGetErrorName, (CUresult error, const char **name))                                                           \
  X(cuDeviceGetCount, (int *count))                                                                                \
  X(cuDeviceGet, (CUdevice * device, int ordinal))                                                                 \
  X(cuDeviceGetName, (char *name, int length, CUdevice device))                                                    \
  X(cuDeviceGetAttribute, (int *value, int attribute, CUdevice device))                                            \
  X(cuDeviceTotalMem_v2, (size_t * bytes, CUdevice device))                                                        \
  X(cuCtxCreate_v2, (CUcontext * context, unsigned flags, CUdevice device))                                        \
  X(cuCtxSetCurrent, (CUcontext context))                                                                          \
  X(cuCtxSynchronize, (void))                                                                                      \
  X(cuModuleLoadDataEx, (CUmodule * module, const void *image, unsigned count, const int *options, void **values)) \
  X(cuModuleUnload, (CUmodule module))                                                                             \
  X(cuModuleGetFunction, (CUfunction * function, CUmodule module, const char *name))                               \
  X(cuFuncGetAttribute, (int *value, int attribute, CUfunction function))                                          \
  X(cuMemAlloc_v2, (CUdeviceptr * address, size_t bytes))                                                          \
  X(cuMemFree_v2, (CUdeviceptr address))                                                                           \
  X(cuMemcpyHtoD_v2, (CUdeviceptr to, const void *from, size_t bytes))                                             \
  X(cuMemcpyHtoDAsync_v2, (CUdeviceptr to, const void *from, size_t bytes, CUstream stream))                       \
  X(cuMemcpyDtoHAsync_v2, (void *to, CUdeviceptr from, size_t bytes, CUstream stream))                             \
  X(cuStreamCreate, (CUstream * stream, unsigned flags))                                                           \
  X(cuStreamDestroy_v2, (CUstream stream))                                                                         \
  X(cuStreamSynchronize, (CUstream stream))                                                                        \
  X(cuStreamWaitEvent, (CUstream stream, CUevent event, unsigned flags))                                           \
  X(cuEventCreate, (CUevent * event, unsigned flags))                                                              \
  X(cuEventDestroy_v2, (CUevent event))                                                                            \
  X(cuEventRecord, (CUevent event, CUstream stream))                                                               \
  X(cuEventQuery, (CUevent event))                                                                                 \
  X(cuEventSynchronize, (CUevent event))                                                                           \
  X(cuEventElapsedTime, (float *milliseconds, CUevent from, CUevent to))                                           \
  X(cuLaunchKernel,                                                                                                \
    (CUfunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,   \
     unsigned block_z, unsigned shared_bytes, CUstream stream, void **arguments, void **extra))

#endif
