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
  const remote *r = driver_engine()->remote;
  cl_command_queue queue = make(sizeof *queue, error);
  if (!queue) return NULL;
  queue->context = context;
  const cl_int code = r ? r->make_queue(&queue->remote) : CL_SUCCESS;
  if (error) *error = code;
  if (code == CL_SUCCESS) return queue;
  free(queue);
  return NULL;
}

static void end_context(cl_context context) { (void)context; }

static void end_queue(cl_command_queue queue) {
  if (queue->remote) driver_engine()->remote->release_queue(queue->remote);
}

static void end_event(cl_event event) {
  const remote *r = driver_engine()->remote;
  if (event->remote_begin) r->release_event(event->remote_begin);
  if (event->remote_end) r->release_event(event->remote_end);
}

#define COUNTED(retain, release, type, end) \
  cl_int CL_API_CALL retain(type object) {  \
    object->references++;                   \
    return CL_SUCCESS;                      \
  }                                         \
  cl_int CL_API_CALL release(type object) { \
    if (--object->references == 0) {        \
      end(object);                          \
      free(object);                         \
    }                                       \
    return CL_SUCCESS;                      \
  }
COUNTED(driver_retain_context, driver_release_context, cl_context, end_context)
COUNTED(driver_retain_queue, driver_release_queue, cl_command_queue, end_queue)
COUNTED(driver_retain_event, driver_release_event, cl_event, end_event)

cl_int CL_API_CALL driver_queue_info(cl_command_queue queue, cl_command_queue_info what, size_t room, void *to,
                                     size_t *size) {
  cl_device_id device = &driver_device;
  if (what == CL_QUEUE_CONTEXT) return driver_answer(&queue->context, sizeof queue->context, room, to, size);
  if (what == CL_QUEUE_DEVICE) return driver_answer(&device, sizeof device, room, to, size);
  return CL_INVALID_VALUE;
}

cl_int CL_API_CALL driver_finish_queue(cl_command_queue queue) {
  return queue->remote ? driver_engine()->remote->finish(queue->remote) : CL_SUCCESS;
}

/* What a queue has is on its way when it is enqueued. */
cl_int CL_API_CALL driver_flush_queue(cl_command_queue queue) {
  (void)queue;
  return CL_SUCCESS;
}

/* --- commands and their events ------------------------------------------------------------------------------------ */

cl_ulong driver_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (cl_ulong)t.tv_sec * 1000000000u + (cl_ulong)t.tv_nsec;
}

cl_int driver_begin(command *c, cl_command_queue queue, cl_uint count, const cl_event *waits, bool wanted) {
  const remote *r = driver_engine()->remote;
  cl_int error = CL_SUCCESS;
  *c = (command){.queue = queue, .begin = driver_now()};
  for (cl_uint i = 0; r && i < count && !error; i++) error = r->wait(queue->remote, waits[i]->remote_end);
  if (r && wanted && !error) error = r->record(queue->remote, &c->remote_begin);
  return error;
}

cl_int driver_end(const command *c, cl_event *event) {
  const remote *r = driver_engine()->remote;
  cl_int error = CL_SUCCESS;
  if (!event) return error;
  cl_event made = make(sizeof *made, &error);
  if (!made) return error;
  made->begin = c->begin, made->end = driver_now(), made->remote_begin = c->remote_begin;
  if (r) error = r->record(c->queue->remote, &made->remote_end);
  if (error == CL_SUCCESS)
    *event = made;
  else
    driver_release_event(made);
  return error;
}

cl_int CL_API_CALL driver_wait(cl_uint count, const cl_event *events) {
  const remote *r = driver_engine()->remote;
  cl_int error = CL_SUCCESS;
  bool done;
  for (cl_uint i = 0; r && i < count && !error; i++) error = r->is_done(events[i]->remote_end, &done, true);
  return error;
}

cl_int CL_API_CALL driver_event_info(cl_event event, cl_event_info what, size_t room, void *to, size_t *size) {
  const remote *r = driver_engine()->remote;
  bool done = true;
  if (what != CL_EVENT_COMMAND_EXECUTION_STATUS) return CL_INVALID_VALUE;
  const cl_int error = r ? r->is_done(event->remote_end, &done, false) : CL_SUCCESS;
  const cl_int state = done ? CL_COMPLETE : CL_RUNNING;
  return error ? error : driver_answer(&state, sizeof state, room, to, size);
}

cl_int CL_API_CALL driver_event_times(cl_event event, cl_profiling_info what, size_t room, void *to, size_t *size) {
  const remote *r = driver_engine()->remote;
  const bool end = what == CL_PROFILING_COMMAND_END;
  cl_ulong when = end ? event->end : event->begin;
  uint64_t before = 0, during = 0;
  cl_int error = r ? r->nanoseconds(NULL, event->remote_begin, &before) : CL_SUCCESS;
  if (r && end && !error) error = r->nanoseconds(event->remote_begin, event->remote_end, &during);
  if (r) when = before + during;
  return error ? error : driver_answer(&when, sizeof when, room, to, size);
}

cl_int CL_API_CALL driver_marker(cl_command_queue queue, cl_uint count, const cl_event *events, cl_event *event) {
  command c;
  const cl_int error = driver_begin(&c, queue, count, events, event != NULL);
  return error ? error : driver_end(&c, event);
}
