#include "faults/campaign.h"

#include <CL/cl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fovea/status.h"
#include "support/sample.h"

/* How a function fails, and whether the work may do without it. */
static const struct trait {
  int errors[3];
  bool optional;
} traits[FAULT_COUNT] = {
    [FAULT_allocation] = {{ENOMEM}, true}, /* the binary cache and its like */
    [FAULT_jansson] = {{ENOMEM}, true},    /* a text to show may be left out */
    [FAULT_open] = {{EACCES, EMFILE}, true},
    [FAULT_close] = {{EIO}, true}, /* fsync has already answered for the data */
    [FAULT_read] = {{EIO, EINTR, FAULT_SHORT}, true},
    [FAULT_pread] = {{EIO}, false},
    [FAULT_write] = {{ENOSPC, EINTR, FAULT_SHORT}, true},
    [FAULT_fsync] = {{EIO, ENOSPC, EINTR}, true},
    [FAULT_rename] = {{ENOSPC, EIO}, true},
    [FAULT_flock] = {{EWOULDBLOCK, ENOLCK, EINTR}, true},
    [FAULT_fstat] = {{EIO}, true},
    [FAULT_ftruncate] = {{EIO}, true},
    [FAULT_mkdir] = {{ENOSPC, EROFS}, true},
    [FAULT_access] = {{EACCES}, true},
    [FAULT_opendir] = {{EACCES, EMFILE}, false},
    [FAULT_readdir] = {{EIO}, false},
    [FAULT_clGetPlatformIDs] = {{CL_OUT_OF_HOST_MEMORY, CL_INVALID_VALUE}, false},
    [FAULT_clGetPlatformInfo] = {{CL_OUT_OF_HOST_MEMORY}, true},
    [FAULT_clGetDeviceIDs] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, true},
    [FAULT_clGetDeviceInfo] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clCreateContext] = {{CL_DEVICE_NOT_AVAILABLE, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clCreateCommandQueue] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clCreateBuffer] = {{CL_MEM_OBJECT_ALLOCATION_FAILURE, CL_OUT_OF_RESOURCES}, false},
    [FAULT_clCreateProgramWithSource] = {{CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES}, false},
    [FAULT_clCreateProgramWithBinary] = {{CL_INVALID_BINARY}, true},
    [FAULT_clBuildProgram] = {{CL_BUILD_PROGRAM_FAILURE, CL_OUT_OF_HOST_MEMORY}, true}, /* a binary's: from source */
    [FAULT_clGetProgramInfo] = {{CL_OUT_OF_HOST_MEMORY}, true},
    [FAULT_clGetProgramBuildInfo] = {{CL_OUT_OF_HOST_MEMORY}, true},
    [FAULT_clCreateKernel] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clGetKernelInfo] = {{CL_OUT_OF_RESOURCES}, false},
    [FAULT_clGetKernelWorkGroupInfo] = {{CL_OUT_OF_HOST_MEMORY, CL_OUT_OF_RESOURCES}, false},
    [FAULT_clSetKernelArg] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clEnqueueNDRangeKernel] = {{CL_OUT_OF_RESOURCES, CL_MEM_OBJECT_ALLOCATION_FAILURE}, false},
    [FAULT_clEnqueueReadBuffer] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clEnqueueWriteBuffer] = {{CL_OUT_OF_RESOURCES, CL_MEM_OBJECT_ALLOCATION_FAILURE}, false},
    [FAULT_clEnqueueMarkerWithWaitList] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clWaitForEvents] = {{CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST}, false},
    [FAULT_clGetEventProfilingInfo] = {{CL_PROFILING_INFO_NOT_AVAILABLE}, false},
    [FAULT_clFlush] = {{CL_OUT_OF_RESOURCES, CL_OUT_OF_HOST_MEMORY}, false},
    [FAULT_clFinish] = {{CL_OUT_OF_RESOURCES}, true}, /* the one before closing */
    [FAULT_clReleaseContext] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clReleaseCommandQueue] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clReleaseMemObject] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clReleaseProgram] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clReleaseKernel] = {{CL_OUT_OF_RESOURCES}, true},
    [FAULT_clReleaseEvent] = {{CL_OUT_OF_RESOURCES}, true},
};

/* The status that the fault must end in, where it is not survived. */
static fovea_status meaning(const fault *f) {
  if (f->function == FAULT_allocation || f->function == FAULT_jansson) return FOVEA_NO_MEMORY;
  if (f->function < FAULT_clGetPlatformIDs) return FOVEA_IO;
  return f->error == CL_OUT_OF_HOST_MEMORY || f->error == CL_MEM_OBJECT_ALLOCATION_FAILURE ? FOVEA_NO_MEMORY
                                                                                           : FOVEA_DEVICE;
}

/* A sentence, on one line. */
static const char *judge_message(const char *message) {
  if (!message || strlen(message) < 8) return "no sentence says why";
  return strchr(message, '\n') ? "the message has more than one line" : NULL;
}

static const char *judge_status(const campaign *c, const fault *f, int status, bool reached, const char *message) {
  if (!reached) return "the call was not reached";
  if (status == FOVEA_OK && c->partial && !judge_message(message)) return NULL;
  if (status == FOVEA_OK) return traits[f->function].optional ? NULL : "the fault went unnoticed";
  if (f->function == FAULT_jansson && status == FOVEA_INVALID) return judge_message(message);
  if (status != (int)meaning(f)) return "that is another status than the error means";
  return judge_message(message);
}

static const char *judge_held(const campaign *c, const held *before, char *text, size_t size) {
  const held after = faults_held();
  for (int k = 0; k < HELD_KINDS; k++) {
    const long more = after.count[k] - before->count[k];
    if (more == 0 || (k == HELD_EVENT && after.count[k] <= c->events)) continue;
    snprintf(text, size, "%ld %s are left", more, held_names[k]);
    return text;
  }
  return faults_wrong_releases() ? "an object was released that was not held" : NULL;
}

/* Returns 1 if it did not end as it must. */
static int try_fault(const campaign *c, const fault *f, int *status) {
  char text[160];
  const char *message = NULL, *wrong = NULL;
  c->reset();
  const held before = faults_held();
  faults_begin(f);
  *status = c->work(&message);
  const bool reached = faults_end();
  wrong = f->number ? judge_status(c, f, *status, reached, message) : *status ? "it fails without a fault" : NULL;
  if (!wrong) wrong = judge_held(c, &before, text, sizeof text);
  if (!wrong) wrong = c->judge(*status);
  if (!wrong) return 0;
  if (f->number == 0)
    printf("%s: %s (status %d%s%s)\n", c->name, wrong, *status, *status ? ", " : "", *status ? message : "");
  if (f->number == 0) return 1;
  printf("%s: call %ld of %s fails with %d%s: %s (status %d%s%s)\n", c->name, f->number, fault_names[f->function],
         f->error, f->for_ever ? ", as do all after it" : "", wrong, *status, *status ? ", " : "",
         *status && message ? message : "");
  return 1;
}

/* Call i of `tried` of them: the one in the middle, or spread over all, the first and the last among them. */
static long spread(long i, long tried, long all) { return tried < 2 ? (all + 1) / 2 : 1 + i * (all - 1) / (tried - 1); }

static int fail_function(const campaign *c, fault_function function, long all, bool for_ever) {
  const int at_once = function < FAULT_clGetPlatformIDs ? c->most : c->most_opencl;
  const long most = for_ever && c->most_for_ever < at_once ? c->most_for_ever : at_once;
  const long tried = all < most ? all : most;
  long ended[6] = {0};
  int bad = 0, errors = 0, status = 0;
  while (errors < 3 && traits[function].errors[errors]) errors++;
  for (long i = 0; i < tried; i++) {
    const fault f = {function, spread(i, tried, all), traits[function].errors[i % errors], for_ever};
    if (for_ever && (f.error == EINTR || f.error == FAULT_SHORT) && function < FAULT_clGetPlatformIDs) continue;
    bad += try_fault(c, &f, &status);
    ended[status >= 0 && status < 6 ? status : 0]++;
  }
  printf("%s: %-26s %6ld calls, %4ld%s failed: %ld survived, %ld no device, %ld no memory, %ld no file%s\n", c->name,
         fault_names[function], all, tried, for_ever ? " (and all after)" : "", ended[0], ended[FOVEA_DEVICE],
         ended[FOVEA_NO_MEMORY], ended[FOVEA_IO], bad ? "   WRONG" : "");
  return bad;
}

/* What the run without faults made, all of which it gave back: try_fault has seen to that. */
static void print_made(const campaign *c) {
  const long programs = faults_calls(FAULT_clCreateProgramWithSource) + faults_calls(FAULT_clCreateProgramWithBinary);
  printf("%s: made and released %ld contexts, %ld queues, %ld programs, %ld kernels, %ld buffers, %ld events\n",
         c->name, faults_calls(FAULT_clCreateContext), faults_calls(FAULT_clCreateCommandQueue), programs,
         faults_calls(FAULT_clCreateKernel), faults_calls(FAULT_clCreateBuffer), faults_calls(FAULT_clReleaseEvent));
}

int campaign_run(const campaign *c) {
  long all[FAULT_COUNT];
  const char *message = NULL;
  int status = 0;
  if (c->most > 0) { /* the first run may also fill caches, and keep what it makes for them */
    c->reset();
    if (c->work(&message) != FOVEA_OK) printf("%s: fails without a fault: %s\n", c->name, message);
  }
  int bad = try_fault(c, &(fault){0}, &status);
  for (int f = 0; f < FAULT_COUNT; f++) all[f] = faults_calls((fault_function)f);
  if (bad) return bad;
  print_made(c);
  for (int f = 0; f < FAULT_COUNT; f += (int)every()) {
    if (all[f] == 0 || (f < FAULT_clGetPlatformIDs ? c->most : c->most_opencl) == 0) continue;
    bad += fail_function(c, (fault_function)f, all[f], false);
    if (c->most_for_ever) bad += fail_function(c, (fault_function)f, all[f], true);
    fflush(stdout);
  }
  return bad;
}
