/* An evaluation in two queues, each of which takes half of the batch: launches over the batch are enqueued in two
 * parts. So the units of a device need not wait for each other at a launch's end: the other half has work for them. The
 * pass is in segments, in each of which either half may be ahead of the other; at its end both are waited for. A launch
 * that is not over the batch, or whose work-groups would be cut, is a segment of its own. */
#include <stdlib.h>

#include "core/fail.h"
#include "net/plan_inside.h"

enum { MOST_RECORDS = 16 }; /* of a segment */

/* The images of the first half: whole blocks of the layout. */
static int first_half(const fovea_plan *plan) { return (plan->batch / LANES + 1) / 2 * LANES; }

/* The part of the record's launch that is of one half; the whole, if it is not over the batch. */
static fovea_launch_part half_of(const fovea_plan *plan, const fovea_record *r, int half) {
  if (!r->batch_axis) return (fovea_launch_part){0};
  const int axis = r->batch_axis - 1;
  const size_t all = r->size[axis], first = (size_t)first_half(plan) * all / (size_t)plan->batch;
  return half == 0 ? (fovea_launch_part){axis, 0, first} : (fovea_launch_part){axis, first, all - first};
}

/* What a segment's records touch lives for the whole of it. */
static void outlive(fovea_plan *plan, int first, int last) {
  for (int i = 0; i < plan->storage_count; i++) {
    storage *s = &plan->storages[i];
    if (s->first > first && s->first <= last) s->first = first;
    if (s->last >= first && s->last < last) s->last = last;
  }
}

/* Only where a work-item is a work-group (tuning.group), so that none is cut. */
static bool able(const fovea_plan *plan) {
  return plan->device->aside && plan->device->tuning.vector > 1 && !plan->resources.clblast && plan->batch >= 2 * LANES;
}

static void end_segment(fovea_plan *plan, int first, int last) {
  plan->records[first]->begins = plan->records[last]->ends = true;
  outlive(plan, first, last);
}

void fovea_plan_halve(fovea_plan *plan) {
  int first = -1, last = -1;
  if (!able(plan)) return;
  for (int i = 0; i < plan->record_count; i++) {
    const fovea_record *r = plan->records[i];
    if (r->prepares) continue;
    const bool follows = last >= 0 && r->batch_axis && plan->records[last]->batch_axis && i - first < MOST_RECORDS;
    if (!follows && last >= 0) end_segment(plan, first, last);
    if (!follows) first = i;
    last = i;
  }
  if (last >= 0) end_segment(plan, first, last);
  plan->halved = last >= 0;
}

bool fovea_plan_has_halves(const fovea_plan *plan) { return plan->halved; }

static void forget(cl_event *event) {
  if (*event) clReleaseEvent(*event);
  *event = NULL;
}

/* One half, or the whole of a record that is not over the batch, into its queue. What another queue waits for has to be
 * flushed. */
static fovea_status enqueue(fovea_plan *plan, const fovea_record *r, int half, cl_event after, cl_event *done) {
  cl_command_queue queue = half == 0 ? plan->device->queue : plan->device->aside;
  const fovea_launch_part part = half_of(plan, r, half);
  const fovea_status status =
      fovea_launch_enqueue_part(r->launch, part, queue, r->begins ? after : NULL, r->ends ? done : NULL);
  if (!r->ends || status != FOVEA_OK) return status;
  return fovea_cl_check(plan->device, clFlush(queue), "flushing a queue");
}

/* A segment's records begin in each queue when the other has ended the segment before; the first, when the images are
 * there. */
static fovea_status run_all(fovea_plan *plan, cl_event ended[2]) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = plan->records[i];
    cl_event done[2] = {NULL, NULL};
    if (r->prepares) continue;
    for (int half = 0; half < (r->batch_axis ? 2 : 1) && status == FOVEA_OK; half++)
      status = enqueue(plan, r, half, ended[1 - half], &done[half]);
    for (int half = 0; half < 2 && (r->begins || r->ends); half++) forget(&ended[half]), ended[half] = done[half];
  }
  return status;
}

fovea_status fovea_plan_run_halves(fovea_plan *plan) {
  fovea_device *d = plan->device;
  cl_event ended[2] = {NULL, NULL};
  fovea_status status =
      fovea_cl_check(d, clEnqueueMarkerWithWaitList(d->queue, 0, NULL, &ended[0]), "marking where a pass begins");
  if (status == FOVEA_OK) status = fovea_cl_check(d, clFlush(d->queue), "flushing the first queue");
  if (status == FOVEA_OK) status = run_all(plan, ended);
  if (status == FOVEA_OK && ended[1])
    status = fovea_cl_check(d, clEnqueueBarrierWithWaitList(d->queue, 1, &ended[1], NULL), "waiting for a half");
  forget(&ended[0]);
  forget(&ended[1]);
  return status;
}

/* A segment, `first` to `last`, one half after the other. */
static fovea_status run_apart(fovea_plan *plan, int first, int last) {
  fovea_status status = FOVEA_OK;
  for (int turn = 0; turn < 2; turn++)
    for (int i = first; i <= last && status == FOVEA_OK; i++) {
      const fovea_record *r = plan->records[i];
      const int half = plan->late == 1 ? turn : 1 - turn;
      if (r->prepares || (!r->batch_axis && turn > 0)) continue;
      const fovea_launch_part part = half_of(plan, r, half);
      status = fovea_launch_enqueue_part(r->launch, part, plan->device->queue, NULL, NULL);
    }
  return status;
}

fovea_status fovea_plan_run_halves_late(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  int first = 0;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    if (plan->records[i]->begins) first = i;
    if (plan->records[i]->ends) status = run_apart(plan, first, i);
  }
  return status;
}
