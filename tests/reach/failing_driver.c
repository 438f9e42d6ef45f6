/* Preloaded (LD_PRELOAD) into the command: a driver one of whose devices fails. REACH_FAULT is "NAME NUMBER HOW":
 * launch NUMBER on the devices whose name begins with NAME, and each later one, returns an error, or ends the process
 * by abort(), by exit() or by a signal: "error", "abort", "exit", "crash". */
#define _GNU_SOURCE
#include <CL/cl.h>
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The loader's function, of which the one here has the name. */
#define REAL(name) ((__typeof__(&(name)))(uintptr_t)dlsym(RTLD_NEXT, #name))

static atomic_long launches;

static int is_on(cl_command_queue queue, const char *name) {
  cl_device_id device = NULL;
  char its_name[256] = "";
  if (clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL) != CL_SUCCESS) return 0;
  (void)clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof its_name - 1, its_name, NULL);
  return strncmp(its_name, name, strlen(name)) == 0;
}

static cl_int fail(const char *how) {
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "exit") == 0) exit(1);
  if (strcmp(how, "crash") == 0) raise(SIGSEGV);
  return CL_OUT_OF_RESOURCES;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                              const size_t *global, const size_t *local, cl_uint count, const cl_event *events,
                              cl_event *event) {
  const char *plan = getenv("REACH_FAULT");
  char name[64], how[16];
  long number = 0;
  if (plan && sscanf(plan, "%63s %ld %15s", name, &number, how) == 3 && is_on(queue, name) &&
      atomic_fetch_add(&launches, 1) + 1 >= number)
    return fail(how);
  return REAL(clEnqueueNDRangeKernel)(queue, kernel, dimensions, offset, global, local, count, events, event);
}
