/* The one path by which kernels run. A launch is made once, its arguments set once, then enqueued every step.
 *
 *   fovea_launch *l;
 *   fovea_launch_create(device, "conv2d.cl", "-DR=3 -DS=3", "conv2d_forward", &l);
 *   fovea_launch_slice(l, "x", x);
 *   fovea_launch_int(l, "c", 60);
 *   fovea_launch_range(l, n / v, h, k_tiles);
 *   status = fovea_launch_ready(l);      every failure until here is remembered and said here
 *   status = fovea_launch_enqueue(l);
 */
#ifndef FOVEA_RUNTIME_LAUNCH_H
#define FOVEA_RUNTIME_LAUNCH_H

#include "runtime/buffer.h"

typedef struct fovea_launch fovea_launch;

/* A launch of `kernel` of cl/`file`, built with `options` (see program.h). On failure *launch is one that remembers it
 * for ready, to be destroyed all the same, or NULL when there was no memory even for that: whether the status is looked
 * at here or only at ready makes no difference. */
fovea_status fovea_launch_create(fovea_device *device, const char *file, const char *options, const char *kernel,
                                 fovea_launch **launch);
void fovea_launch_destroy(fovea_launch *launch); /* takes NULL */

/* Arguments, in the kernel's order; a failing one is named in the message of ready. Each accepts a NULL launch or one
 * that failed already and does nothing then. */
void fovea_launch_buffer(fovea_launch *launch, const char *name, const fovea_buffer *buffer); /* one argument */
void fovea_launch_slice(fovea_launch *launch, const char *name, fovea_slice slice); /* two: pointer, ulong offset */
void fovea_launch_int(fovea_launch *launch, const char *name, int value);
void fovea_launch_uint(fovea_launch *launch, const char *name, uint32_t value);
void fovea_launch_ulong(fovea_launch *launch, const char *name, uint64_t value);
void fovea_launch_float(fovea_launch *launch, const char *name, float value);
void fovea_launch_local(fovea_launch *launch, const char *name, size_t bytes);

/* The global size in work-items; the kernel guards nothing beyond it. A local size is chosen that divides it: along x
 * up to tuning.group, 1 elsewhere. */
void fovea_launch_range(fovea_launch *launch, size_t x, size_t y, size_t z);

/* The global id of the first work-item along an axis, 0 unless set. */
void fovea_launch_origin(fovea_launch *launch, int axis, size_t first);

/* The most that a later fovea_launch_range takes in place of tuning.group. */
void fovea_launch_local_most(fovea_launch *launch, size_t most);

/* The global size as a number of groups of exactly `local` work-items along x, for kernels with barriers. */
void fovea_launch_groups(fovea_launch *launch, size_t local, size_t groups_x, size_t groups_y, size_t groups_z);

/* The same of `units` units of `unit` work-items each, or of as many as the device allows the kernel, for kernels that
 * take any number of them. */
void fovea_launch_groups_of_units(fovea_launch *launch, size_t unit, size_t units, const size_t groups[3]);

/* At least `items` work-items along x, in groups of what the device and the kernel allow, for kernels without barriers
 * that guard their own end. */
void fovea_launch_flat(fovea_launch *launch, size_t items);

/* What the profile divides time by: floating-point operations and bytes moved at the least, of one enqueue. */
void fovea_launch_cost(fovea_launch *launch, double flops, double bytes);

/* The op and shape under which the profile has this launch, beside its kernel (fovea_profile_row). */
void fovea_launch_describe(fovea_launch *launch, const char *op, const char *shape);

/* The most work-items of a group of `kernel`, whatever its program: what the device allows, or what it was found to
 * allow for a program of it. `ready` finds it, when a launch has more than that and fails; whoever made the launch may
 * then ask again, and make another. */
size_t fovea_launch_most_items(const fovea_device *device, const char *kernel);

/* FOVEA_OK when every argument was set, their number is the kernel's, and the device can run the range (work-group
 * size asked after the build, local memory); else the first failure with the kernel's and the argument's name. */
fovea_status fovea_launch_ready(fovea_launch *launch);

fovea_status fovea_launch_enqueue(fovea_launch *launch);

/* Work-items first to first + count - 1 of the launch along an axis; count 0: all. */
typedef struct fovea_launch_shard {
  int axis;
  size_t first, count;
} fovea_launch_shard;

/* Enqueues a shard of the launch in `queue`, after `wait_count` events. *done, unless NULL, becomes the event of its
 * end, which the caller releases. Not profiled. FOVEA_INVALID, and nothing is enqueued, when the shard is not within
 * the launch's range or cuts a work-group, which OpenCL 1.2 does not allow. */
fovea_status fovea_launch_enqueue_shard(fovea_launch *launch, fovea_launch_shard shard, cl_command_queue queue,
                                        cl_uint wait_count, const cl_event *waits, cl_event *done);

/* A ready launch that zeroes `count` floats, by a kernel of our own (clEnqueueFillBuffer is broken on some drivers), or
 * copies them. On failure *launch is NULL. */
fovea_status fovea_launch_create_zero(fovea_slice x, size_t count, fovea_launch **launch);
fovea_status fovea_launch_create_copy(fovea_slice from, fovea_slice to, size_t count, fovea_launch **launch);

/* What a ready launch enqueues, in three dimensions. */
typedef struct fovea_launch_shape {
  cl_kernel kernel;
  const size_t *origin, *global, *local;
} fovea_launch_shape;
fovea_launch_shape fovea_launch_get_shape(const fovea_launch *launch);

const char *fovea_launch_name(const fovea_launch *launch);

#endif
