/* An OpenCL 1.2 driver with one device: what Fovea and its tests call, and no more. Behind it is an engine. Where that
 * has no queues of its own every command is done when its call returns, so that queues are in order and events
 * complete.
 */
#ifndef FOVEA_TESTS_EMULATOR_DRIVER_H
#define FOVEA_TESTS_EMULATOR_DRIVER_H

#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/engine.h"
#include "common/group.h"
#include "common/host_memory.h"
#include "common/settings.h"

/* The loader finds the table of functions in the first word of every object. */
struct _cl_platform_id {
  const cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
  const cl_icd_dispatch *dispatch;
};
struct _cl_context {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
};
struct _cl_command_queue {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
  cl_context context;
  void *remote; /* the engine's queue */
};
struct _cl_mem {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
  cl_mem parent;    /* of a part of a buffer */
  uint64_t address; /* the host's where the engine has no memory of its own */
  size_t size;
  host_memory host;
};
struct _cl_program {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
  char *source;
  void *module;
  char log[8192];
};
struct _cl_kernel {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
  cl_program program;
  const kernel_head *head;
  uint8_t *values;                  /* of the arguments */
  uint32_t dynamic[MOST_ARGUMENTS]; /* bytes of local memory that an argument asks for */
  bool set[MOST_ARGUMENTS];
};
struct _cl_event {
  const cl_icd_dispatch *dispatch;
  atomic_int references;
  cl_ulong begin, end;             /* of a command that is done */
  void *remote_begin, *remote_end; /* the engine's, else */
};

extern const cl_icd_dispatch driver_dispatch;
extern struct _cl_platform_id driver_platform;
extern struct _cl_device_id driver_device;

/* By EMULATOR_DEVICE; the same for all of a process's life. */
const engine *driver_engine(void);
extern const engine amd_engine, nvidia_engine, cuda_engine;

cl_ulong driver_now(void); /* ns */

/* A command on a queue, of which an event may be wanted: what it waits for, when it begins and ends. */
typedef struct command {
  cl_command_queue queue;
  cl_ulong begin;
  void *remote_begin;
} command;
cl_int driver_begin(command *, cl_command_queue, cl_uint count, const cl_event *waits, bool wanted);
cl_int driver_end(const command *, cl_event *event);

/* The answer of a clGet...Info. */
cl_int driver_answer(const void *answer, size_t bytes, size_t room, void *to, size_t *size);

/* The functions of the table. */
cl_int CL_API_CALL driver_platform_info(cl_platform_id, cl_platform_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_device_ids(cl_platform_id, cl_device_type, cl_uint, cl_device_id *, cl_uint *);
cl_int CL_API_CALL driver_device_info(cl_device_id, cl_device_info, size_t, void *, size_t *);

cl_context CL_API_CALL driver_create_context(const cl_context_properties *, cl_uint, const cl_device_id *,
                                             void(CL_CALLBACK *)(const char *, const void *, size_t, void *), void *,
                                             cl_int *);
cl_int CL_API_CALL driver_retain_context(cl_context);
cl_int CL_API_CALL driver_release_context(cl_context);
cl_command_queue CL_API_CALL driver_create_queue(cl_context, cl_device_id, cl_command_queue_properties, cl_int *);
cl_int CL_API_CALL driver_retain_queue(cl_command_queue);
cl_int CL_API_CALL driver_release_queue(cl_command_queue);
cl_int CL_API_CALL driver_queue_info(cl_command_queue, cl_command_queue_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_finish_queue(cl_command_queue);
cl_int CL_API_CALL driver_flush_queue(cl_command_queue);
cl_int CL_API_CALL driver_wait(cl_uint, const cl_event *);
cl_int CL_API_CALL driver_event_info(cl_event, cl_event_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_event_times(cl_event, cl_profiling_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_retain_event(cl_event);
cl_int CL_API_CALL driver_release_event(cl_event);
cl_int CL_API_CALL driver_marker(cl_command_queue, cl_uint, const cl_event *, cl_event *);

cl_mem CL_API_CALL driver_create_buffer(cl_context, cl_mem_flags, size_t, void *, cl_int *);
cl_mem CL_API_CALL driver_create_part(cl_mem, cl_mem_flags, cl_buffer_create_type, const void *, cl_int *);
cl_int CL_API_CALL driver_retain_buffer(cl_mem);
cl_int CL_API_CALL driver_release_buffer(cl_mem);
cl_int CL_API_CALL driver_buffer_info(cl_mem, cl_mem_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_read(cl_command_queue, cl_mem, cl_bool, size_t, size_t, void *, cl_uint, const cl_event *,
                               cl_event *);
cl_int CL_API_CALL driver_write(cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint,
                                const cl_event *, cl_event *);

cl_program CL_API_CALL driver_create_program(cl_context, cl_uint, const char **, const size_t *, cl_int *);
cl_program CL_API_CALL driver_create_from_binary(cl_context, cl_uint, const cl_device_id *, const size_t *,
                                                 const unsigned char **, cl_int *, cl_int *);
cl_int CL_API_CALL driver_retain_program(cl_program);
cl_int CL_API_CALL driver_release_program(cl_program);
cl_int CL_API_CALL driver_build(cl_program, cl_uint, const cl_device_id *, const char *,
                                void(CL_CALLBACK *)(cl_program, void *), void *);
cl_int CL_API_CALL driver_program_info(cl_program, cl_program_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_build_info(cl_program, cl_device_id, cl_program_build_info, size_t, void *, size_t *);

cl_kernel CL_API_CALL driver_create_kernel(cl_program, const char *, cl_int *);
cl_int CL_API_CALL driver_retain_kernel(cl_kernel);
cl_int CL_API_CALL driver_release_kernel(cl_kernel);
cl_int CL_API_CALL driver_set_argument(cl_kernel, cl_uint, size_t, const void *);
cl_int CL_API_CALL driver_kernel_info(cl_kernel, cl_kernel_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_group_info(cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void *, size_t *);
cl_int CL_API_CALL driver_launch(cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *,
                                 cl_uint, const cl_event *, cl_event *);

#endif
