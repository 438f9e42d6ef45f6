/* An OpenCL without a device: it says of itself what it is told to, takes every call, keeps no memory and runs nothing.
 * Linked before the loader, it takes the place of that: a plan at any batch is made in milliseconds, and no driver
 * needs to be there. */
#ifndef FOVEA_TESTS_NULL_OPENCL_H
#define FOVEA_TESTS_NULL_OPENCL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct null_device {
  size_t max_work_group_size; /* work-items; of every kernel, too */
  size_t local_memory;        /* bytes */
  size_t memory;              /* bytes, all of which one buffer may have; 0: 1 TiB */
  unsigned compute_units;
  bool divides_correctly; /* CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT */
} null_device;

/* What the one device, a GPU, answers; before the first OpenCL call. */
void null_opencl_set(const null_device *device);

int null_opencl_programs(void); /* that were built so far */

#endif
