/* Streams: commands that wait, and how they are done. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/threads.h"
#include "fake.h"

CUresult fake_add(CUstream stream, const pending *c) {
  pending *made = malloc(sizeof *made);
  if (!made) return CUDA_ERROR_OUT_OF_MEMORY;
  *made = *c;
  made->number = ++stream->given;
  made->next = NULL;
  if (stream->last)
    stream->last->next = made;
  else
    stream->first = made;
  stream->last = made;
  return CUDA_SUCCESS;
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static CUresult launch(const pending *c) {
  static uint64_t number;
  uint64_t instructions = 0;
  number++;
  const ptx_launch l = {.kernel = c->kernel,
                        .settings = settings_get(),
                        .range = &c->range,
                        .values = c->data,
                        .local_bytes = c->kernel->head.local_bytes,
                        .number = number};
  return threads_run(ptx_run_group, &l, c->range.groups, &instructions) ? CUDA_SUCCESS : CUDA_ERROR_LAUNCH_FAILED;
}

static CUresult execute(const pending *c) {
  switch (c->kind) {
    case LAUNCH:
      return launch(c);
    case COPY:
      memcpy((void *)(uintptr_t)c->to, c->data, c->bytes);
      return CUDA_SUCCESS;
    case WAIT:
      return fake_run(c->other, c->until);
    default:
      c->event->when = now();
      return CUDA_SUCCESS;
  }
}

CUresult fake_run(CUstream stream, uint64_t number) {
  CUresult result = CUDA_SUCCESS;
  while (result == CUDA_SUCCESS && stream->done < number && stream->first) {
    pending *c = stream->first;
    stream->first = c->next;
    if (!stream->first) stream->last = NULL;
    result = execute(c);
    stream->done = c->number;
    free(c->data);
    free(c);
  }
  return result;
}
