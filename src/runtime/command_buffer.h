/* Launches recorded once and enqueued together (cl_khr_command_buffer, what its versions 0.9.0 to 0.9.5 share).
 *
 * By the environment's FOVEA_COMMAND_BUFFER: "on" where the device can; anything else: off. */
#ifndef FOVEA_RUNTIME_COMMAND_BUFFER_H
#define FOVEA_RUNTIME_COMMAND_BUFFER_H

#include "runtime/launch.h"

typedef struct fovea_command_buffer fovea_command_buffer;

/* Records the launches, in order, with the arguments that they have now. NULL where that is not asked for, where the
 * device cannot, or where it refuses any of it: no failure, the launches can be enqueued one by one. */
fovea_command_buffer *fovea_command_buffer_record(fovea_device *device, fovea_launch *const *launches, size_t count);
void fovea_command_buffer_destroy(fovea_command_buffer *buffer); /* takes NULL */

/* All of them, in the device's queue. An enqueue before may still be running. */
fovea_status fovea_command_buffer_enqueue(fovea_command_buffer *buffer);

#endif
