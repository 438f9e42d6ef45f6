#include "runtime/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "runtime/lock.h"

/* Unreleased events pin memory in the driver, so at most this many are held. */
enum { PENDING = 1024 };

typedef struct pending_event {
  cl_event event;
  size_t row;
} pending_event;

struct words {
  char kernel[64], op[64], shape[64];
};

struct fovea_profile {
  bool recording;
  fovea_profile_row *rows; /* their strings are in words */
  struct words **words;    /* of each row; kept until the device is closed */
  size_t row_count, last_row;
  pending_event pending[PENDING]; /* in the queue's order */
  size_t pending_count;
};

bool fovea_profile_recording(const fovea_device *device) { return device->profile && device->profile->recording; }

static void release_pending(fovea_profile *p) {
  for (size_t i = 0; i < p->pending_count; i++) clReleaseEvent(p->pending[i].event);
  p->pending_count = 0;
}

void fovea_profile_destroy(fovea_profile *profile) {
  if (!profile) return;
  release_pending(profile);
  for (size_t i = 0; i < profile->row_count; i++) free(profile->words[i]);
  free(profile->words);
  free(profile->rows);
  free(profile);
}

/* Waits for the oldest n events, adds their times to their rows, and releases them. */
static fovea_status drain(fovea_device *device, size_t n) {
  fovea_profile *p = device->profile;
  if (n == 0) return FOVEA_OK;
  cl_int error = clWaitForEvents(1, &p->pending[n - 1].event);
  for (size_t i = 0; i < n && error == CL_SUCCESS; i++) {
    cl_ulong start = 0, end = 0;
    cl_event event = p->pending[i].event;
    error = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof start, &start, NULL);
    if (!error) error = clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof end, &end, NULL);
    if (!error && end > start) p->rows[p->pending[i].row].seconds += 1e-9 * (double)(end - start);
  }
  if (error != CL_SUCCESS) {
    release_pending(p);
    return fovea_cl_check(device, error, "profile");
  }
  for (size_t i = 0; i < n; i++) clReleaseEvent(p->pending[i].event);
  p->pending_count -= n;
  memmove(p->pending, p->pending + n, p->pending_count * sizeof *p->pending);
  return FOVEA_OK;
}

static bool same(const fovea_profile_row *a, const fovea_profile_row *b) {
  return strcmp(a->shape, b->shape) == 0 && strcmp(a->kernel, b->kernel) == 0 && strcmp(a->op, b->op) == 0;
}

static fovea_status add_row(fovea_profile *p, const fovea_profile_row *one) {
  fovea_profile_row *rows = realloc(p->rows, (p->row_count + 1) * sizeof *rows);
  if (rows) p->rows = rows;
  struct words **words = realloc(p->words, (p->row_count + 1) * sizeof(struct words *));
  if (words) p->words = words;
  struct words *w = rows && words ? malloc(sizeof *w) : NULL;
  if (!w) return fovea_fail(FOVEA_NO_MEMORY, "profile: out of memory for kernel %s", one->kernel);
  snprintf(w->kernel, sizeof w->kernel, "%s", one->kernel);
  snprintf(w->op, sizeof w->op, "%s", one->op);
  snprintf(w->shape, sizeof w->shape, "%s", one->shape);
  p->words[p->row_count] = w;
  p->rows[p->row_count++] = (fovea_profile_row){.kernel = w->kernel, .op = w->op, .shape = w->shape};
  return FOVEA_OK;
}

/* The search begins after the row found last: launches come in the same order, step after step. */
static fovea_status find_row(fovea_profile *p, const fovea_profile_row *one, size_t *row) {
  size_t i = 0;
  while (i < p->row_count && !same(&p->rows[(p->last_row + 1 + i) % p->row_count], one)) i++;
  if (i == p->row_count) {
    fovea_status status = add_row(p, one);
    if (status) return status;
    *row = p->row_count - 1;
  } else {
    *row = (p->last_row + 1 + i) % p->row_count;
  }
  p->last_row = *row;
  return FOVEA_OK;
}

fovea_status fovea_profile_add(fovea_device *device, const fovea_profile_row *one, cl_event event) {
  fovea_profile *p = device->profile;
  size_t row = 0;
  fovea_status status = find_row(p, one, &row);
  /* Half stays in flight, so that the device does not run dry. */
  if (!status && p->pending_count == PENDING) status = drain(device, PENDING / 2);
  if (status) {
    clReleaseEvent(event);
    return status;
  }
  p->rows[row].launches++;
  p->rows[row].flops += one->flops;
  p->rows[row].bytes += one->bytes;
  p->pending[p->pending_count++] = (pending_event){event, row};
  return FOVEA_OK;
}

static fovea_status begin_locked(fovea_device *device) {
  if (!device->profile) {
    device->profile = calloc(1, sizeof *device->profile);
    if (!device->profile) return fovea_fail(FOVEA_NO_MEMORY, "profile: out of memory");
  }
  fovea_profile *p = device->profile;
  release_pending(p);
  for (size_t i = 0; i < p->row_count; i++) {
    fovea_profile_row *r = &p->rows[i];
    *r = (fovea_profile_row){.kernel = r->kernel, .op = r->op, .shape = r->shape};
  }
  p->recording = true;
  return FOVEA_OK;
}

fovea_status fovea_profile_begin(fovea_device *device) {
  if (!device) return fovea_fail_null("device");
  fovea_device_lock(device);
  return fovea_device_unlock(device, begin_locked(device));
}

static int slower_first(const void *a, const void *b) {
  const fovea_profile_row *x = a, *y = b;
  if (x->seconds != y->seconds) return x->seconds > y->seconds ? -1 : 1;
  const int order = strcmp(x->kernel, y->kernel);
  return order ? order : strcmp(x->shape, y->shape);
}

static fovea_status end_locked(fovea_device *device, fovea_profile_row **rows, size_t *count) {
  fovea_profile *p = device->profile;
  if (!fovea_profile_recording(device)) return fovea_fail(FOVEA_INVALID, "profile: ended without being begun");
  p->recording = false;
  fovea_status status = fovea_device_finish(device);
  if (!status) status = drain(device, p->pending_count);
  release_pending(p); /* none is left, unless that failed */
  if (status) return status;
  fovea_profile_row *copy = malloc((p->row_count + 1) * sizeof *copy);
  if (!copy) return fovea_fail(FOVEA_NO_MEMORY, "profile: out of memory for %zu rows", p->row_count);
  size_t n = 0;
  for (size_t i = 0; i < p->row_count; i++) {
    if (p->rows[i].launches > 0) copy[n++] = p->rows[i];
  }
  qsort(copy, n, sizeof *copy, slower_first);
  *rows = copy;
  *count = n;
  return FOVEA_OK;
}

fovea_status fovea_profile_end(fovea_device *device, fovea_profile_row **rows, size_t *count) {
  if (!device) return fovea_fail_null("device");
  if (!rows) return fovea_fail_null("rows");
  if (!count) return fovea_fail_null("count");
  fovea_device_lock(device);
  return fovea_device_unlock(device, end_locked(device, rows, count));
}
