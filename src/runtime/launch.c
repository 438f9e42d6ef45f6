#include "runtime/launch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "runtime/profile.h"
#include "runtime/program.h"

struct fovea_launch {
  fovea_device *device;
  cl_program program; /* borrowed */
  cl_kernel kernel;
  char name[64];
  cl_uint arguments;  /* set so far */
  size_t group_limit; /* CL_KERNEL_WORK_GROUP_SIZE */
  size_t most;        /* of a range's local size; 0: tuning.group */
  size_t origin[3], global[3], local[3];
  bool ranged, checked;
  unsigned told; /* bits: the kinds of shape by which it was launched */
  double flops, bytes;
  char op[40], shape[48]; /* for the profile */
  fovea_status failure;   /* the first one; nothing is done after it */
  char message[1536];
};

/* Remembers the current message, with the launch's name before it. */
static void remember(fovea_launch *l, fovea_status status) {
  l->failure = status;
  snprintf(l->message, sizeof l->message, "%s: %.1400s", l->name, fovea_error_message());
}

__attribute__((format(printf, 3, 4))) static void fail(fovea_launch *l, fovea_status status, const char *format, ...) {
  char text[1024];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  remember(l, fovea_fail(status, "%s", text));
}

static void make_kernel(fovea_launch *l, const char *file, const char *options) {
  cl_program program = NULL;
  fovea_status status = fovea_program_get(l->device, file, options, &program);
  if (status) {
    remember(l, status);
    return;
  }
  cl_int error = CL_SUCCESS;
  cl_kernel kernel = clCreateKernel(program, l->name, &error);
  if (error != CL_SUCCESS) {
    fail(l, fovea_cl_status(error), "cannot make this kernel of %s: %s", file, fovea_cl_error_name(error));
    return;
  }
  l->program = program;
  l->kernel = kernel;
  error = clGetKernelWorkGroupInfo(kernel, l->device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof l->group_limit,
                                   &l->group_limit, NULL);
  if (error != CL_SUCCESS) {
    fail(l, fovea_cl_status(error), "CL_KERNEL_WORK_GROUP_SIZE: %s", fovea_cl_error_name(error));
  }
}

fovea_status fovea_launch_create(fovea_device *device, const char *file, const char *options, const char *kernel,
                                 fovea_launch **launch) {
  *launch = NULL;
  fovea_launch *l = calloc(1, sizeof *l);
  if (!l) return fovea_fail(FOVEA_NO_MEMORY, "%s: out of memory", kernel);
  *launch = l;
  l->device = device;
  int n = snprintf(l->name, sizeof l->name, "%s", kernel);
  if (n < 0 || (size_t)n >= sizeof l->name) {
    fail(l, FOVEA_INVALID, "a kernel's name has at most %zu characters", sizeof l->name - 1);
  } else {
    make_kernel(l, file, options);
  }
  return l->failure ? fovea_fail(l->failure, "%s", l->message) : FOVEA_OK;
}

void fovea_launch_destroy(fovea_launch *launch) {
  if (!launch) return;
  if (launch->kernel) clReleaseKernel(launch->kernel);
  free(launch);
}

const char *fovea_launch_name(const fovea_launch *launch) { return launch ? launch->name : ""; }

/* --- arguments ------------------------------------------------------------------------------------------------- */

static bool settable(const fovea_launch *l) { return l && !l->failure; }

static void set(fovea_launch *l, const char *name, size_t size, const void *value) {
  if (!settable(l)) return;
  cl_int error = clSetKernelArg(l->kernel, l->arguments, size, value);
  if (error != CL_SUCCESS) {
    fail(l, fovea_cl_status(error), "argument %s (number %u, %zu bytes): %s", name, (unsigned)l->arguments, size,
         fovea_cl_error_name(error));
    return;
  }
  l->arguments++;
  l->checked = false;
}

void fovea_launch_buffer(fovea_launch *launch, const char *name, const fovea_buffer *buffer) {
  if (!settable(launch)) return;
  if (!buffer) {
    fail(launch, FOVEA_INVALID, "argument %s: no buffer", name);
  } else if (buffer->device != launch->device) {
    fail(launch, FOVEA_INVALID, "argument %s: a buffer of another device (%s)", name, buffer->device->info.name);
  } else {
    set(launch, name, sizeof buffer->memory, &buffer->memory);
  }
}

void fovea_launch_slice(fovea_launch *launch, const char *name, fovea_slice slice) {
  if (!settable(launch)) return;
  cl_ulong offset = slice.offset;
  if (slice.buffer && slice.offset >= slice.buffer->size / 4 && slice.offset > 0) {
    fail(launch, FOVEA_INVALID, "argument %s: offset %zu is beyond a buffer of %zu elements", name, slice.offset,
         slice.buffer->size / 4);
    return;
  }
  fovea_launch_buffer(launch, name, slice.buffer);
  set(launch, name, sizeof offset, &offset);
}

void fovea_launch_int(fovea_launch *launch, const char *name, int value) {
  cl_int v = value;
  set(launch, name, sizeof v, &v);
}

void fovea_launch_uint(fovea_launch *launch, const char *name, uint32_t value) {
  cl_uint v = value;
  set(launch, name, sizeof v, &v);
}

void fovea_launch_ulong(fovea_launch *launch, const char *name, uint64_t value) {
  cl_ulong v = value;
  set(launch, name, sizeof v, &v);
}

void fovea_launch_float(fovea_launch *launch, const char *name, float value) {
  cl_float v = value;
  set(launch, name, sizeof v, &v);
}

void fovea_launch_local(fovea_launch *launch, const char *name, size_t bytes) {
  if (!settable(launch)) return;
  if (bytes == 0) {
    fail(launch, FOVEA_INVALID, "argument %s: 0 bytes of local memory", name);
    return;
  }
  set(launch, name, bytes, NULL);
}

/* --- range ----------------------------------------------------------------------------------------------------- */

static size_t largest_divisor(size_t n, size_t most) {
  size_t d = most < n ? most : n;
  while (d > 1 && n % d != 0) d--;
  return d > 0 ? d : 1;
}

static void set_range(fovea_launch *l, size_t local, size_t x, size_t y, size_t z) {
  if (x == 0 || y == 0 || z == 0 || local == 0) {
    fail(l, FOVEA_INVALID, "range %zu x %zu x %zu in groups of %zu: none may be 0", x, y, z, local);
    return;
  }
  size_t global[3] = {x, y, z}, size[3] = {local, 1, 1};
  memcpy(l->global, global, sizeof global);
  memcpy(l->local, size, sizeof size);
  l->told = 0;
  l->ranged = true;
  l->checked = false;
}

void fovea_launch_range(fovea_launch *launch, size_t x, size_t y, size_t z) {
  if (!settable(launch)) return;
  size_t most = launch->most ? launch->most : launch->device->tuning.group;
  if (most > launch->group_limit) most = launch->group_limit;
  set_range(launch, x ? largest_divisor(x, most) : 1, x, y, z);
}

void fovea_launch_origin(fovea_launch *launch, int axis, size_t first) {
  if (launch) launch->origin[axis] = first;
}

void fovea_launch_local_most(fovea_launch *launch, size_t most) {
  if (launch) launch->most = most <= launch->device->info.max_work_group_size ? most : 0;
}

void fovea_launch_groups(fovea_launch *launch, size_t local, size_t groups_x, size_t groups_y, size_t groups_z) {
  if (!settable(launch)) return;
  if (local > 0 && groups_x > SIZE_MAX / local) {
    fail(launch, FOVEA_INVALID, "%zu groups of %zu work-items are too many", groups_x, local);
    return;
  }
  set_range(launch, local, local * groups_x, groups_y, groups_z);
}

void fovea_launch_groups_of_units(fovea_launch *launch, size_t unit, size_t units, const size_t groups[3]) {
  if (!settable(launch)) return;
  const size_t most = launch->device->info.max_work_group_size;
  while (units > 1 && (units * unit > launch->group_limit || units * unit > most)) units--;
  fovea_launch_groups(launch, units * unit, groups[0], groups[1], groups[2]);
}

void fovea_launch_flat(fovea_launch *launch, size_t items) {
  if (!settable(launch)) return;
  size_t local = 64;
  while (local > 1 && (local > launch->group_limit || local > launch->device->info.max_work_group_size)) local /= 2;
  fovea_launch_groups(launch, local, items / local + (items % local != 0), 1, 1);
}

void fovea_launch_describe(fovea_launch *launch, const char *op, const char *shape) {
  if (!launch) return;
  snprintf(launch->op, sizeof launch->op, "%s", op);
  snprintf(launch->shape, sizeof launch->shape, "%s", shape);
}

void fovea_launch_cost(fovea_launch *launch, double flops, double bytes) {
  if (!launch) return;
  launch->flops = flops;
  launch->bytes = bytes;
}

/* --- checks and enqueue ---------------------------------------------------------------------------------------- */

static void check_arguments(fovea_launch *l) {
  cl_uint wanted = 0;
  cl_int error = clGetKernelInfo(l->kernel, CL_KERNEL_NUM_ARGS, sizeof wanted, &wanted, NULL);
  if (error != CL_SUCCESS) {
    fail(l, fovea_cl_status(error), "CL_KERNEL_NUM_ARGS: %s", fovea_cl_error_name(error));
  } else if (l->arguments != wanted) {
    fail(l, FOVEA_INVALID, "%u arguments were set, the kernel has %u (a slice is two)", (unsigned)l->arguments,
         (unsigned)wanted);
  }
}

/* Its number, or how many there are. */
static int limit_of(const fovea_device *d, const char *kernel) {
  int i = 0;
  while (i < d->limit_count && strcmp(d->limits[i].kernel, kernel) != 0) i++;
  return i;
}

size_t fovea_launch_most_items(const fovea_device *device, const char *kernel) {
  const int i = limit_of(device, kernel);
  return i < device->limit_count ? device->limits[i].items : device->info.max_work_group_size;
}

static void remember_limit(fovea_device *d, const char *kernel, size_t items) {
  const int i = limit_of(d, kernel);
  if (i == FOVEA_MOST_KERNEL_LIMITS || (i < d->limit_count && d->limits[i].items <= items)) return;
  if (i == d->limit_count) d->limit_count++;
  snprintf(d->limits[i].kernel, sizeof d->limits[i].kernel, "%s", kernel);
  d->limits[i].items = items;
  d->limits_found++;
}

static void check_group(fovea_launch *l) {
  fovea_device *d = l->device;
  size_t required[3] = {0}, items[16] = {0};
  cl_ulong local_memory = 0;
  cl_int error =
      clGetKernelWorkGroupInfo(l->kernel, d->id, CL_KERNEL_LOCAL_MEM_SIZE, sizeof local_memory, &local_memory, NULL);
  if (!error) {
    error =
        clGetKernelWorkGroupInfo(l->kernel, d->id, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof required, required, NULL);
  }
  if (!error) error = clGetDeviceInfo(d->id, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items, NULL);
  if (error != CL_SUCCESS) {
    fail(l, fovea_cl_status(error), "asking for the kernel's limits: %s", fovea_cl_error_name(error));
    return;
  }
  size_t limit = l->group_limit < d->info.max_work_group_size ? l->group_limit : d->info.max_work_group_size;
  if (items[0] < limit) limit = items[0];
  if (l->local[0] > limit) {
    remember_limit(d, l->name, limit);
    fail(l, FOVEA_DEVICE, "a work-group of %zu is more than %s allows this kernel (%zu)", l->local[0], d->info.name,
         limit);
  } else if (required[0] && (required[0] != l->local[0] || required[1] != 1 || required[2] != 1)) {
    fail(l, FOVEA_INVALID, "a work-group of %zu, but the kernel requires %zu x %zu x %zu", l->local[0], required[0],
         required[1], required[2]);
  } else if (local_memory > d->info.local_memory) {
    fail(l, FOVEA_DEVICE, "%llu bytes of local memory are more than %s has (%llu)", (unsigned long long)local_memory,
         d->info.name, (unsigned long long)d->info.local_memory);
  }
}

fovea_status fovea_launch_ready(fovea_launch *launch) {
  if (!launch) return fovea_fail(FOVEA_NO_MEMORY, "a kernel launch could not be made: out of memory");
  if (!launch->failure && !launch->ranged) fail(launch, FOVEA_INVALID, "no range was set");
  if (!launch->failure) check_arguments(launch);
  if (!launch->failure) check_group(launch);
  if (launch->failure) return fovea_fail(launch->failure, "%s", launch->message);
  launch->checked = true;
  return FOVEA_OK;
}

/* Tells the cache each shape by which the kernel is launched, once: a driver may compile a kernel again for a group's
 * size, for a range that begins at 0, and for a short range (PoCL: below 65,535 work-items). */
static void tell_shape(fovea_launch *l, const size_t offset[3], const size_t global[3]) {
  enum { SHORT = 65535 };
  const uint64_t kind = ((offset[0] | offset[1] | offset[2]) != 0 ? 1u : 0u) |
                        (global[0] >= SHORT || global[1] >= SHORT || global[2] >= SHORT ? 2u : 0u);
  if (l->told & 1u << kind) return;
  l->told |= 1u << kind;
  const uint64_t shape[4] = {l->local[0], l->local[1], l->local[2], kind};
  XXH64_state_t hash;
  XXH64_reset(&hash, 0);
  XXH64_update(&hash, l->name, strlen(l->name));
  XXH64_update(&hash, shape, sizeof shape);
  fovea_program_launched(l->device, l->program, XXH64_digest(&hash));
}

fovea_launch_shape fovea_launch_get_shape(const fovea_launch *launch) {
  return (fovea_launch_shape){launch->kernel, launch->origin, launch->global, launch->local};
}

fovea_status fovea_launch_enqueue(fovea_launch *launch) {
  if (!launch || !launch->checked) {
    fovea_status status = fovea_launch_ready(launch);
    if (status) return status;
  }
  fovea_device *d = launch->device;
  bool profiled = fovea_profile_recording(d);
  cl_event event = NULL;
  const fovea_status status =
      fovea_launch_enqueue_shard(launch, (fovea_launch_shard){0}, d->queue, 0, NULL, profiled ? &event : NULL);
  if (status) return status;
  const fovea_profile_row row = {launch->name, launch->op, launch->shape, 1, 0, launch->flops, launch->bytes};
  return profiled ? fovea_profile_add(d, &row, event) : FOVEA_OK;
}

/* What OpenCL 1.2 requires of a range and some drivers do not check: it is within the launch's, and of complete groups.
 */
static fovea_status check_shard(const fovea_launch *l, fovea_launch_shard shard) {
  if (shard.count == 0) return FOVEA_OK;
  const int a = shard.axis;
  if (a < 0 || a > 2) return fovea_fail(FOVEA_INVALID, "%s: a part along axis %d of 0 to 2", l->name, a);
  if (shard.count > l->global[a] || shard.first > l->global[a] - shard.count)
    return fovea_fail(FOVEA_INVALID, "%s: work-items %zu to %zu are not all among %zu", l->name, shard.first,
                      shard.first + shard.count - 1, l->global[a]);
  if (shard.count % l->local[a] == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: a part of %zu work-items cuts its groups of %zu", l->name, shard.count,
                    l->local[a]);
}

fovea_status fovea_launch_enqueue_shard(fovea_launch *launch, fovea_launch_shard shard, cl_command_queue queue,
                                        cl_uint wait_count, const cl_event *waits, cl_event *done) {
  const fovea_status status = check_shard(launch, shard);
  if (status) return status;
  size_t offset[3], global[3];
  memcpy(offset, launch->origin, sizeof offset);
  memcpy(global, launch->global, sizeof global);
  if (shard.count > 0) offset[shard.axis] += shard.first, global[shard.axis] = shard.count;
  tell_shape(launch, offset, global);
  const cl_int error = clEnqueueNDRangeKernel(queue, launch->kernel, 3, offset, global, launch->local, wait_count,
                                              wait_count > 0 ? waits : NULL, done);
  return fovea_cl_check(launch->device, error, launch->name);
}

/* --- zeroing --------------------------------------------------------------------------------------------------- */

/* The end of a kernel of fill.cl: any number of work-items is right, since they share the words among them. */
static fovea_status finish_fill(fovea_launch *l, const fovea_device *d, size_t count, double bytes,
                                fovea_launch **launch) {
  const bool gpu = d->tuning.vector == 1;
  size_t items = gpu ? 65536 : 4 * (size_t)d->info.compute_units, useful = (count + 63) / 64 * (gpu ? 64 : 1);
  if (items > useful) items = useful;
  fovea_launch_ulong(l, "count", count);
  fovea_launch_range(l, items, 1, 1);
  fovea_launch_cost(l, 0, bytes);
  fovea_status status = fovea_launch_ready(l);
  if (status == FOVEA_OK)
    *launch = l;
  else
    fovea_launch_destroy(l);
  return status;
}

fovea_status fovea_launch_create_zero(fovea_slice x, size_t count, fovea_launch **launch) {
  fovea_launch *l = NULL;
  fovea_launch_create(x.buffer->device, "fill.cl", "", "fill_zero", &l);
  fovea_launch_slice(l, "x", x);
  return finish_fill(l, x.buffer->device, count, 4 * (double)count, launch);
}

fovea_status fovea_launch_create_copy(fovea_slice from, fovea_slice to, size_t count, fovea_launch **launch) {
  fovea_launch *l = NULL;
  fovea_launch_create(from.buffer->device, "fill.cl", "", "fill_copy", &l);
  fovea_launch_slice(l, "x", from);
  fovea_launch_slice(l, "y", to);
  return finish_fill(l, from.buffer->device, count, 8 * (double)count, launch);
}
