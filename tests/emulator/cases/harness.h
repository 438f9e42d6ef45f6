/* An OpenCL program of a file here, on the only device of the only platform, which the environment names. */
#ifndef FOVEA_TESTS_EMULATOR_HARNESS_H
#define FOVEA_TESTS_EMULATOR_HARNESS_H

#include <CL/cl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* needs those above */

typedef struct harness {
  cl_device_id device;
  cl_context context;
  cl_command_queue queue;
  cl_program program;
  char log[8192]; /* of a build that failed */
} harness;

enum { HARNESS_SKIPPED = 77 };

/* The environment's device is of NVIDIA's; else of AMD's. */
bool harness_is_nvidia(void);

/* False, said on stderr: what the device's compile.sh needs is not installed. */
bool harness_can_compile(void);

/* False, with h->log: the program does not build. Any other failure ends the test. */
bool harness_build(harness *h, const char *file, const char *options);
void harness_close(harness *h);

cl_mem harness_buffer(const harness *h, size_t bytes, const void *from);
void harness_read(const harness *h, cl_mem m, size_t bytes, void *to);

/* Sets the arguments of the sizes and values that follow, up to a size of 0; value NULL: local memory. */
cl_kernel harness_kernel(const harness *h, const char *name, ...);

/* Launches and waits; what stderr gets meanwhile goes to `said`, where that is not NULL. */
cl_int harness_launch(const harness *h, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                      const size_t *global, const size_t *local, char *said, size_t size);

uint32_t harness_random(uint64_t *state);

#endif
