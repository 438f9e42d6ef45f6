/* Every launch of a kernel, of a test that is linked with -Wl,--wrap=clEnqueueNDRangeKernel: it defines the second,
 * which gets the call, and calls the first, which is OpenCL's. */
#ifndef FOVEA_TESTS_SUPPORT_ENQUEUE_H
#define FOVEA_TESTS_SUPPORT_ENQUEUE_H

#include <CL/cl.h>

cl_int __real_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                                     cl_event *event);
cl_int __wrap_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                     const size_t *global, const size_t *local, cl_uint count, const cl_event *waits,
                                     cl_event *event);

#endif
