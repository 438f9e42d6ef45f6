/* Devices of one kind, open at once: each program is built from source once, and works on both. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <CL/cl.h>
#include <cmocka.h>

#include "fovea/fovea.h"
#include "runtime/program.h"
#include "support/tempdir.h"

static atomic_int from_source;

cl_program __real_clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                            const size_t *lengths, cl_int *error);
cl_program __wrap_clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                            const size_t *lengths, cl_int *error);

cl_program __wrap_clCreateProgramWithSource(cl_context context, cl_uint count, const char **strings,
                                            const size_t *lengths, cl_int *error) {
  atomic_fetch_add(&from_source, 1);
  return __real_clCreateProgramWithSource(context, count, strings, lengths, error);
}

enum { DEVICES = 4 };
static fovea_device *devices[DEVICES];

/* A driver that has no folder of its own: as one for GPUs. */
static int open_devices(void **state) {
  (void)state;
  setenv("POCL_CACHE_DIR", temp_path("pocl"), 1);
  if (fovea_cache_set_folder("") != FOVEA_OK) return -1;
  for (int i = 0; i < DEVICES; i++)
    if (fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &devices[i]) != FOVEA_OK) return -1;
  unsetenv("POCL_CACHE_DIR");
  return 0;
}

static int close_devices(void **state) {
  (void)state;
  for (int i = 0; i < DEVICES; i++) fovea_device_close(devices[i]);
  return 0;
}

static void assert_works(cl_program program) {
  cl_int error = CL_SUCCESS;
  cl_kernel kernel = clCreateKernel(program, "adam", &error);
  assert_int_equal(error, CL_SUCCESS);
  clReleaseKernel(kernel);
}

static void one_after_the_other(void **state) {
  (void)state;
  cl_program programs[2];
  atomic_store(&from_source, 0);
  for (int i = 0; i < 2; i++) assert_int_equal(fovea_program_get(devices[i], "adam.cl", "-DONE=1", &programs[i]), 0);
  assert_int_equal(atomic_load(&from_source), 1);
  assert_ptr_not_equal(programs[0], programs[1]);
  for (int i = 0; i < 2; i++) assert_works(programs[i]);
  assert_int_equal(fovea_program_get(devices[1], "adam.cl", "-DONE=2", &programs[1]), 0); /* another program */
  assert_int_equal(atomic_load(&from_source), 2);
}

typedef struct getting {
  fovea_device *device;
  cl_program program;
  fovea_status status;
} getting;

static void *get(void *user) {
  getting *g = user;
  g->status = fovea_program_get(g->device, "adam.cl", "-DALL=1", &g->program);
  return NULL;
}

static void at_once(void **state) {
  (void)state;
  pthread_t threads[DEVICES];
  getting all[DEVICES];
  atomic_store(&from_source, 0);
  for (int i = 0; i < DEVICES; i++) {
    all[i] = (getting){.device = devices[i]};
    assert_int_equal(pthread_create(&threads[i], NULL, get, &all[i]), 0);
  }
  for (int i = 0; i < DEVICES; i++) pthread_join(threads[i], NULL);
  assert_int_equal(atomic_load(&from_source), 1);
  for (int i = 0; i < DEVICES; i++) {
    assert_int_equal(all[i].status, FOVEA_OK);
    assert_works(all[i].program);
  }
}

/* Nobody waits for what cannot be, and each says why. */
static void what_does_not_build(void **state) {
  (void)state;
  cl_program program = NULL;
  for (int i = 0; i < DEVICES; i++)
    assert_int_equal(fovea_program_get(devices[i], "adam.cl", "-Dfloat=no_type", &program), FOVEA_DEVICE);
}

/* The one that compiled is gone: the next compiles for itself. */
static void after_a_close(void **state) {
  (void)state;
  cl_program program = NULL;
  assert_int_equal(fovea_program_get(devices[0], "adam.cl", "-DGONE=1", &program), FOVEA_OK);
  fovea_device_close(devices[0]);
  devices[0] = NULL;
  atomic_store(&from_source, 0);
  assert_int_equal(fovea_program_get(devices[1], "adam.cl", "-DGONE=1", &program), FOVEA_OK);
  assert_int_equal(atomic_load(&from_source), 1);
  assert_works(program);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_after_the_other), cmocka_unit_test(at_once),
                                     cmocka_unit_test(what_does_not_build), cmocka_unit_test(after_a_close)};
  return cmocka_run_group_tests(tests, open_devices, close_devices);
}
