#include "runtime/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/environment.h"
#include "base/fail.h"
#include "runtime/autotune.h"
#include "runtime/cache.h"
#include "runtime/compile_once.h"
#include "runtime/driver_folder.h"
#include "runtime/driver_watch.h"
#include "runtime/enumerate.h"
#include "runtime/first_call.h"
#include "runtime/lock.h"
#include "runtime/profile.h"
#include "runtime/program.h"
#include "runtime/staging.h"

/* Floats of gradients: fewer is latency, of more there is more to wait for at the end of the pass. */
enum { BUCKET = 256 << 10 };

/* FOVEA_VECTOR=1 selects the GPU path on any device, so that tests on a CPU cover it. */
static fovea_tuning choose_tuning(const fovea_device_info *info) {
  const bool one = fovea_environment("FOVEA_VECTOR") != NULL;
  if (info->type == FOVEA_DEVICE_CPU && !one) {
    int width = (int)(info->native_float_width < 16 ? info->native_float_width : 16);
    return (fovea_tuning){.vector = 16, .native = width >= 16 ? 16 : width >= 8 ? 8 : 4, .group = 1};
  }
  size_t group = info->max_work_group_size < 64 ? info->max_work_group_size : 64;
  return (fovea_tuning){.vector = 1, .native = 1, .group = group};
}

/* A side stream gives compute units that are done with a kernel something else to do until the others are; shards, each
 * a sub-device with a queue of its own, keep their part of the batch in their caches. FOVEA_QUEUES chooses: "1", "2" or
 * "shards", which divides every launch that can be. The default is shards on a CPU of several units, but for launches
 * that move less than 3 MB, whose launch overhead is more than the synchronization saved; and one queue on a GPU, since
 * none has been measured. */
typedef enum queues { QUEUES_ONE, QUEUES_TWO, QUEUES_SHARDS } queues;

static queues choose_queues(const fovea_device_info *info, double *shard_least_bytes) {
  const char *forced = fovea_environment("FOVEA_QUEUES");
  *shard_least_bytes = 0;
  if (forced && strcmp(forced, "1") == 0) return QUEUES_ONE;
  if (forced && strcmp(forced, "2") == 0) return QUEUES_TWO;
  if (forced && strcmp(forced, "shards") == 0) return QUEUES_SHARDS;
  *shard_least_bytes = 3e6;
  return info->type == FOVEA_DEVICE_CPU && info->compute_units > 1 ? QUEUES_SHARDS : QUEUES_ONE;
}

/* Sub-devices, once made, are kept until the process ends: a worker of PoCL 3.1 still uses the device after clFinish
 * has returned, and crashed in one of a few hundred closings. */
typedef struct division {
  struct division *next;
  cl_device_id of, parts[FOVEA_MOST_SHARDS];
  cl_device_partition_property how;
  uint32_t units;
  cl_uint count;
} division;

static fovea_status make_division(const fovea_device *d, division *made) {
  const cl_device_partition_property wanted[] = {made->how, (cl_device_partition_property)made->units, 0, 0};
  const cl_int error = clCreateSubDevices(made->of, wanted, FOVEA_MOST_SHARDS, made->parts, &made->count);
  if (error == CL_SUCCESS) return FOVEA_OK;
  return fovea_fail(FOVEA_DEVICE, "%s has %u compute units and gives no part of %u: %s", d->info.name,
                    d->info.compute_units, made->units, fovea_cl_error_name(error));
}

/* Between fovea_opencl_begin and fovea_opencl_end. */
static fovea_status find_division(const fovea_device *d, cl_device_partition_property how, uint32_t units,
                                  const division **found) {
  static division *all;
  for (const division *one = all; one; one = one->next)
    if (one->of == d->id && one->how == how && one->units == units) return *found = one, FOVEA_OK;
  division *made = malloc(sizeof *made);
  if (!made) return fovea_fail(FOVEA_NO_MEMORY, "out of memory while dividing device %s", d->info.name);
  *made = (division){.next = all, .of = d->id, .how = how, .units = units};
  const fovea_status status = make_division(d, made);
  if (status)
    free(made);
  else
    *found = all = made;
  return status;
}

static fovea_status divide(const fovea_device *d, cl_device_partition_property how, uint32_t units,
                           const division **found) {
  fovea_status status = fovea_opencl_begin();
  if (status) return status;
  status = find_division(d, how, units, found);
  fovea_opencl_end();
  return status;
}

static fovea_status take_part(fovea_device *d, uint32_t units) {
  const division *one = NULL;
  const fovea_status status = divide(d, CL_DEVICE_PARTITION_BY_COUNTS, units, &one); /* 0 ends the list */
  if (status) return status;
  d->id = one->parts[0];
  d->info.compute_units = units;
  return FOVEA_OK;
}

/* As many equal sub-devices as divide the units; none where the driver does not support it. */
static fovea_status find_parts(fovea_device *d) {
  const uint32_t units = d->info.compute_units;
  uint32_t parts = units < FOVEA_MOST_SHARDS ? units : FOVEA_MOST_SHARDS;
  while (parts > 1 && units % parts != 0) parts--;
  if (parts < 2) return FOVEA_OK;
  const division *all = NULL;
  const fovea_status status = divide(d, CL_DEVICE_PARTITION_EQUALLY, units / parts, &all);
  if (status) return status == FOVEA_DEVICE ? FOVEA_OK : status;
  if (all->count != parts) return FOVEA_OK;
  memcpy(d->ids + 1, all->parts, sizeof all->parts);
  d->shard_count = (int)parts;
  return FOVEA_OK;
}

static fovea_status make_queue(fovea_device *d, cl_device_id on, cl_command_queue_properties properties,
                               cl_command_queue *queue) {
  cl_int error = CL_SUCCESS;
  *queue = clCreateCommandQueue(d->context, on, properties, &error);
  return fovea_cl_check(d, error, "cannot make a command queue");
}

static fovea_status make_queues(fovea_device *d, queues wanted) {
  fovea_status status = make_queue(d, d->id, CL_QUEUE_PROFILING_ENABLE, &d->queue);
  if (!status && wanted != QUEUES_ONE) status = make_queue(d, d->id, 0, &d->side_stream);
  for (int i = 0; i < d->shard_count && !status; i++) status = make_queue(d, d->ids[1 + i], 0, &d->shards[i]);
  return status;
}

static fovea_status open_found(const fovea_found *found, uint32_t units, fovea_device **device) {
  cl_int error = CL_SUCCESS;
  fovea_status status = FOVEA_OK;
  fovea_device *d = calloc(1, sizeof *d);
  if (!d) return fovea_fail(FOVEA_NO_MEMORY, "out of memory while opening device %s", found->info.name);
  if ((status = fovea_lock_create(&d->lock))) return free(d), status;
  fovea_driver_opened(1);
  d->info = found->info;
  d->tuning = choose_tuning(&d->info);
  d->platform = found->platform;
  d->id = found->id;
  if (units > 0 && (status = take_part(d, units))) goto fail;
  cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)found->platform, 0};
  d->ids[0] = d->id;
  const queues wanted = choose_queues(&d->info, &d->shard_least_bytes);
  d->bucket = BUCKET;
  if (wanted == QUEUES_SHARDS && (status = find_parts(d))) goto fail;
  d->context = clCreateContext(properties, (cl_uint)(1 + d->shard_count), d->ids, NULL, NULL, &error);
  if ((status = fovea_cl_check(d, error, "cannot make a context"))) goto fail;
  if ((status = make_queues(d, wanted))) goto fail;
  if ((status = fovea_program_cache_create(&d->programs))) goto fail;
  *device = d;
  return FOVEA_OK;
fail:
  fovea_device_close(d);
  return status;
}

fovea_status fovea_device_open(const char *selector, fovea_device **device) {
  if (!device) return fovea_fail_null("device");
  return fovea_device_open_part(selector, 0, device);
}

fovea_status fovea_device_open_part(const char *selector, uint32_t units, fovea_device **device) {
  fovea_found *found = NULL;
  size_t count = 0, chosen = 0;
  fovea_status status = fovea_enumerate(&found, &count);
  /* The environment is read after the first OpenCL call, before which it may be set (first_call.c). */
  if (!status) status = fovea_environment_check(FOVEA_READ_BY_DEVICES);
  if (!status) status = fovea_cache_check();
  if (!status) status = fovea_select(found, count, selector, &chosen);
  if (!status) status = open_found(&found[chosen], units, device);
  free(found);
  return status;
}

void fovea_device_close(fovea_device *device) {
  if (!device) return;
  (void)fovea_finish_queues(device); /* what is staged and profiled below may be in use */
  fovea_staging_destroy(device->staging);
  fovea_profile_destroy(device->profile);
  fovea_program_cache_save(device);
  fovea_compile_once_forget(device);
  fovea_program_cache_destroy(device->programs);
  fovea_autotune_destroy(device->autotuned);
  if (device->queue) clReleaseCommandQueue(device->queue);
  if (device->side_stream) clReleaseCommandQueue(device->side_stream);
  for (int i = 0; i < device->shard_count; i++)
    if (device->shards[i]) clReleaseCommandQueue(device->shards[i]);
  if (device->context) clReleaseContext(device->context);
  fovea_driver_opened(-1);
  pthread_mutex_destroy(&device->lock);
  free(device);
}

void fovea_device_tell(fovea_device *device, void (*say)(void *user, const char *line), void *user) {
  if (!device) return;
  const char *note = say ? fovea_driver_folder_note() : NULL;
  fovea_device_lock(device);
  device->say = say;
  device->user = user;
  (void)fovea_device_unlock(device, FOVEA_OK);
  if (note) say(user, note);
}

const fovea_device_info *fovea_device_get_info(const fovea_device *device) { return device ? &device->info : NULL; }
