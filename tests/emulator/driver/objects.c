/* Contexts, queues, events. */
#include <stdlib.h>
#include <time.h>

#include "driver/driver.h"

/* With what every object begins with. */
static void *make(size_t size, cl_int *error) {
  struct _cl_context *object = calloc(1, size);
  if (error) *error = object ? CL_SUCCESS : CL_OUT_OF_HOST_MEMORY;
  if (!object) return NULL;
  object->dispatch = &driver_dispatch;
  object->references = 1;
  return object;
}

cl_context CL_API_CALL driver_create_context(const cl_context_properties *properties, cl_uint count,
                                             const cl_device_id *devices,
                                             void(CL_CALLBACK *told)(const char *, const void *, size_t, void *),
                                             void *user, cl_int *error) {
  (void)properties, (void)count, (void)devices, (void)told, (void)user;
  return make(sizeof(struct _cl_context), error);
}

cl_command_queue CL_API_CALL driver_create_queue(cl_context context, cl_device_id device,
                                                 cl_command_queue_properties properties, cl_int *error) {
  (void)device, (void)properties;
  cl_command_queue queue = make(sizeof *queue, error);
  if (queue) queue->context = context;
  return queue;
}

#define COUNTED(retain, release, type)           \
  cl_int CL_API_CALL retain(type object) {       \
    object->references++;                        \
    return CL_SUCCESS;                           \
  }                                              \
  cl_int CL_API_CALL release(type object) {      \
    if (--object->references == 0) free(object); \
    return CL_SUCCESS;                           \
  }
COUNTED(driver_retain_context, driver_release_context, cl_context)
COUNTED(driver_retain_queue, driver_release_queue, cl_command_queue)
COUNTED(driver_retain_event, driver_release_event, cl_event)

cl_int CL_API_CALL driver_queue_info(cl_command_queue queue, cl_command_queue_info what, size_t room, void *to,
                                     size_t *size) {
  cl_device_id device = &driver_device;
  if (what == CL_QUEUE_CONTEXT) return driver_answer(&queue->context, sizeof queue->context, room, to, size);
  if (what == CL_QUEUE_DEVICE) return driver_answer(&device, sizeof device, room, to, size);
  return CL_INVALID_VALUE;
}

cl_int CL_API_CALL driver_finish_queue(cl_command_queue queue) {
  (void)queue;
  return CL_SUCCESS;
}

/* --- events: of what is done ----------------------------------------------------------------------------------------
 */

cl_ulong driver_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (cl_ulong)t.tv_sec * 1000000000u + (cl_ulong)t.tv_nsec;
}

static cl_event make_event(cl_ulong begin, cl_int *error) {
  cl_event event = make(sizeof *event, error);
  if (event) event->begin = begin, event->end = driver_now();
  return event;
}

cl_int driver_finish(cl_event *event, cl_ulong begin) {
  cl_int error = CL_SUCCESS;
  if (event) *event = make_event(begin, &error);
  return error;
}

cl_int CL_API_CALL driver_wait(cl_uint count, const cl_event *events) {
  (void)count, (void)events;
  return CL_SUCCESS;
}

cl_int CL_API_CALL driver_event_info(cl_event event, cl_event_info what, size_t room, void *to, size_t *size) {
  const cl_int complete = CL_COMPLETE;
  (void)event;
  if (what == CL_EVENT_COMMAND_EXECUTION_STATUS) return driver_answer(&complete, sizeof complete, room, to, size);
  return CL_INVALID_VALUE;
}

cl_int CL_API_CALL driver_event_times(cl_event event, cl_profiling_info what, size_t room, void *to, size_t *size) {
  return driver_answer(what == CL_PROFILING_COMMAND_END ? &event->end : &event->begin, sizeof event->end, room, to,
                       size);
}

cl_int CL_API_CALL driver_marker(cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event) {
  (void)queue, (void)count, (void)events;
  return driver_finish(event, driver_now());
}
