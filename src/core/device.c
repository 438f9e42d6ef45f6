#include "core/device.h"

#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/enumerate.h"
#include "core/fail.h"
#include "core/profile.h"
#include "core/program.h"
#include "core/tuning.h"

/* FOVEA_VECTOR=1 takes a GPU's path on any device, so that tests on a CPU cover it. */
static fovea_tuning choose_tuning(const fovea_device_info *info) {
  const char *forced = getenv("FOVEA_VECTOR");
  bool one = forced && strcmp(forced, "1") == 0;
  if (info->type == FOVEA_DEVICE_CPU && !one) {
    int width = (int)(info->native_float_width < 16 ? info->native_float_width : 16);
    return (fovea_tuning){.vector = 16, .native = width >= 16 ? 16 : width >= 8 ? 8 : 4, .group = 1};
  }
  size_t group = info->max_work_group_size < 64 ? info->max_work_group_size : 64;
  return (fovea_tuning){.vector = 1, .native = 1, .group = group};
}

/* Units that wait for the others at a kernel's end go on with the second queue. FOVEA_QUEUES decides it; by itself no
 * GPU gets one, since none has been measured. */
static bool wants_second_queue(const fovea_device_info *info) {
  const char *forced = getenv("FOVEA_QUEUES");
  if (forced && (strcmp(forced, "1") == 0 || strcmp(forced, "2") == 0)) return forced[0] == '2';
  return info->type == FOVEA_DEVICE_CPU && info->compute_units > 1;
}

/* The sub-device is kept until the process ends: after clFinish has returned, a worker of PoCL 3.1 still releases its
 * event through the device, and crashed there in one of a few hundred closings on a busy machine. */
static fovea_status take_part(fovea_device *d, uint32_t units) {
  const cl_device_partition_property counts[] = {CL_DEVICE_PARTITION_BY_COUNTS, (cl_device_partition_property)units,
                                                 CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
  const cl_int error = clCreateSubDevices(d->id, counts, 1, &d->id, NULL);
  if (error != CL_SUCCESS)
    return fovea_fail(FOVEA_DEVICE, "%s has %u compute units and gives no part of %u: %s", d->info.name,
                      d->info.compute_units, units, fovea_cl_error_name(error));
  d->info.compute_units = units;
  return FOVEA_OK;
}

static fovea_status open_found(const fovea_found *found, uint32_t units, fovea_device **device) {
  cl_int error = CL_SUCCESS;
  fovea_status status = FOVEA_OK;
  fovea_device *d = calloc(1, sizeof *d);
  if (!d) return fovea_fail(FOVEA_NO_MEMORY, "out of memory while opening device %s", found->info.name);
  d->info = found->info;
  d->tuning = choose_tuning(&d->info);
  d->platform = found->platform;
  d->id = found->id;
  if (units > 0 && (status = take_part(d, units))) goto fail;
  cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)found->platform, 0};
  d->context = clCreateContext(properties, 1, &d->id, NULL, NULL, &error);
  if ((status = fovea_cl_check(d, error, "cannot make a context"))) goto fail;
  d->queue = clCreateCommandQueue(d->context, d->id, CL_QUEUE_PROFILING_ENABLE, &error);
  if ((status = fovea_cl_check(d, error, "cannot make a command queue"))) goto fail;
  if (wants_second_queue(&d->info)) d->aside = clCreateCommandQueue(d->context, d->id, 0, &error);
  if ((status = fovea_cl_check(d, error, "cannot make a second command queue"))) goto fail;
  if ((status = fovea_program_cache_create(&d->programs))) goto fail;
  *device = d;
  return FOVEA_OK;
fail:
  fovea_device_close(d);
  return status;
}

fovea_status fovea_device_open(const char *selector, fovea_device **device) {
  return fovea_device_open_part(selector, 0, device);
}

fovea_status fovea_device_open_part(const char *selector, uint32_t units, fovea_device **device) {
  fovea_found *found = NULL;
  size_t count = 0, chosen = 0;
  fovea_status status = fovea_enumerate(&found, &count);
  if (!status) status = fovea_select(found, count, selector, &chosen);
  if (!status) status = open_found(&found[chosen], units, device);
  free(found);
  return status;
}

void fovea_device_close(fovea_device *device) {
  if (!device) return;
  if (device->aside) clFinish(device->aside);
  if (device->queue) clFinish(device->queue); /* what is staged and profiled below may be in use */
  fovea_staging_destroy(device->staging);
  fovea_profile_destroy(device->profile);
  fovea_program_cache_destroy(device->programs);
  fovea_tuning_destroy(device->tunings);
  if (device->queue) clReleaseCommandQueue(device->queue);
  if (device->aside) clReleaseCommandQueue(device->aside);
  if (device->context) clReleaseContext(device->context);
  free(device);
}

const fovea_device_info *fovea_device_get_info(const fovea_device *device) { return &device->info; }

fovea_status fovea_device_finish(fovea_device *device) {
  const cl_int error = device->aside ? clFinish(device->aside) : CL_SUCCESS;
  return fovea_cl_check(device, error ? error : clFinish(device->queue), "waiting for the device");
}
