#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *read_source(const char *file) {
  static char text[1 << 16];
  char path[1024];
  snprintf(path, sizeof path, "%s/%s", EMULATOR_CASES, file);
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  text[fread(text, 1, sizeof text - 1, f)] = '\0';
  fclose(f);
  return text;
}

bool harness_is_nvidia(void) {
  const char *device = getenv("EMULATOR_DEVICE");
  return device && (strcmp(device, "sm_80") == 0 || strcmp(device, "cuda") == 0);
}

bool harness_can_compile(void) {
  static const char *const of_amd[] = {"/usr/lib/llvm-15/bin/clang",        "/usr/lib/llvm-15/bin/ld.lld",
                                       "/usr/lib/llvm-15/bin/llvm-objdump", "/usr/lib/llvm-15/bin/llvm-readelf",
                                       "/usr/lib/clc/amdgcn--amdhsa.bc",    NULL};
  static const char *const of_nvidia[] = {"/usr/lib/llvm-15/bin/clang", "/usr/lib/clc/nvptx64--nvidiacl.bc", NULL};
  for (const char *const *needed = harness_is_nvidia() ? of_nvidia : of_amd; *needed; needed++)
    if (access(*needed, R_OK) != 0) {
      fprintf(stderr, "skipped: not installed: %s (clang-15, lld-15, llvm-15, libclc-15)\n", *needed);
      return false;
    }
  return true;
}

bool harness_build(harness *h, const char *file, const char *options) {
  cl_platform_id platform;
  const char *source = read_source(file);
  memset(h, 0, sizeof *h);
  assert_int_equal(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
  assert_int_equal(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &h->device, NULL), CL_SUCCESS);
  h->context = clCreateContext(NULL, 1, &h->device, NULL, NULL, NULL);
  assert_non_null(h->context);
  h->queue = clCreateCommandQueue(h->context, h->device, 0, NULL);
  assert_non_null(h->queue);
  h->program = clCreateProgramWithSource(h->context, 1, &source, NULL, NULL);
  assert_non_null(h->program);
  if (clBuildProgram(h->program, 1, &h->device, options, NULL, NULL) == CL_SUCCESS) return true;
  clGetProgramBuildInfo(h->program, h->device, CL_PROGRAM_BUILD_LOG, sizeof h->log, h->log, NULL);
  return false;
}

void harness_close(harness *h) {
  clReleaseProgram(h->program);
  clReleaseCommandQueue(h->queue);
  clReleaseContext(h->context);
}

cl_mem harness_buffer(const harness *h, size_t bytes, const void *from) {
  cl_mem m = clCreateBuffer(h->context, CL_MEM_READ_WRITE, bytes, NULL, NULL);
  assert_non_null(m);
  if (from) assert_int_equal(clEnqueueWriteBuffer(h->queue, m, CL_TRUE, 0, bytes, from, 0, NULL, NULL), CL_SUCCESS);
  return m;
}

void harness_read(const harness *h, cl_mem m, size_t bytes, void *to) {
  assert_int_equal(clEnqueueReadBuffer(h->queue, m, CL_TRUE, 0, bytes, to, 0, NULL, NULL), CL_SUCCESS);
}

cl_kernel harness_kernel(const harness *h, const char *name, ...) {
  cl_kernel kernel = clCreateKernel(h->program, name, NULL);
  assert_non_null(kernel);
  va_list list;
  va_start(list, name);
  cl_uint index = 0;
  for (size_t size = va_arg(list, size_t); size; size = va_arg(list, size_t))
    assert_int_equal(clSetKernelArg(kernel, index++, size, va_arg(list, const void *)), CL_SUCCESS);
  va_end(list);
  return kernel;
}

cl_int harness_launch(const harness *h, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                      const size_t *global, const size_t *local, char *said, size_t size) {
  FILE *file = said ? tmpfile() : NULL;
  const int before = said ? dup(2) : -1;
  if (said) {
    assert_non_null(file);
    dup2(fileno(file), 2);
  }
  cl_int error = clEnqueueNDRangeKernel(h->queue, kernel, dimensions, offset, global, local, 0, NULL, NULL);
  if (error == CL_SUCCESS) error = clFinish(h->queue);
  if (said) {
    dup2(before, 2);
    close(before);
    rewind(file);
    said[fread(said, 1, size - 1, file)] = '\0';
    fclose(file);
  }
  clReleaseKernel(kernel);
  return error;
}

uint32_t harness_random(uint64_t *state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(*state >> 32);
}
