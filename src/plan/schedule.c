/* A pass in several queues: the whole device's, one for what runs aside (plan_aside.c), and one of each part of the
 * device (plan_parts.c). Each is in order. A record waits for those before it that another queue has:
 *
 *   over the batch       what was recorded for the whole device; where a segment begins, all parts
 *   for the whole device all parts
 *   aside                the whole device's and all parts
 *
 * and any record for the groups that it joins. */
#include <stdlib.h>

#include "base/fail.h"
#include "plan/internal.h"

enum { WHOLE, ASIDE, FIRST_PART, MOST_QUEUES = FIRST_PART + FOVEA_MOST_PARTS };

typedef struct passage {
  fovea_plan *plan;
  cl_command_queue queue[MOST_QUEUES];
  cl_event last[MOST_QUEUES];         /* of what was enqueued there; NULL: nothing */
  int enqueued[MOST_QUEUES];          /* how many */
  int seen[MOST_QUEUES][MOST_QUEUES]; /* by the first queue of the second: how many it waits for */
  int joined[MOST_QUEUES];            /* the last group that each has waited for */
  cl_event waits[MOST_QUEUES + 1];
  cl_uint wait_count;
} passage;

static passage begin(fovea_plan *plan) {
  passage p = {.plan = plan, .queue = {[WHOLE] = plan->device->queue, [ASIDE] = plan->device->aside}};
  for (int i = 0; i < plan->parts; i++) p.queue[FIRST_PART + i] = plan->device->parts[i];
  return p;
}

static void end(passage *p) {
  for (int i = 0; i < MOST_QUEUES; i++)
    if (p->last[i]) clReleaseEvent(p->last[i]);
}

/* `queue` waits for what `other` has so far. That has to be flushed, else it might never run. */
static fovea_status wait_for(passage *p, int queue, int other) {
  if (p->seen[queue][other] == p->enqueued[other]) return FOVEA_OK;
  p->seen[queue][other] = p->enqueued[other];
  p->waits[p->wait_count++] = p->last[other];
  return fovea_cl_check(p->plan->device, clFlush(p->queue[other]), "flushing a queue");
}

static fovea_status wait_for_parts(passage *p, int queue) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < p->plan->parts && status == FOVEA_OK; i++) status = wait_for(p, queue, FIRST_PART + i);
  return status;
}

static void now_last(passage *p, int queue, cl_event event) {
  if (p->last[queue]) clReleaseEvent(p->last[queue]);
  p->last[queue] = event;
  p->enqueued[queue]++;
  p->wait_count = 0;
}

static fovea_status put(passage *p, int queue, const fovea_record *r, fovea_launch_part part) {
  cl_event event = NULL;
  if (r->joins > p->joined[queue])
    p->joined[queue] = r->joins, p->waits[p->wait_count++] = p->plan->group_done[r->joins];
  const fovea_status status =
      fovea_launch_enqueue_part(r->launch, part, p->queue[queue], p->wait_count, p->waits, &event);
  if (status == FOVEA_OK) now_last(p, queue, event);
  return status;
}

/* In the whole device's queue: what it had before is done, and what is waited for. */
static fovea_status mark(passage *p) {
  cl_event event = NULL;
  const cl_int error =
      clEnqueueMarkerWithWaitList(p->queue[WHOLE], p->wait_count, p->wait_count > 0 ? p->waits : NULL, &event);
  const fovea_status status = fovea_cl_check(p->plan->device, error, "marking what is waited for");
  if (status == FOVEA_OK) now_last(p, WHOLE, event);
  return status;
}

/* All parts wait for each other, by way of the whole device's queue. */
static fovea_status meet(passage *p) {
  const fovea_status status = wait_for_parts(p, WHOLE);
  return status == FOVEA_OK && p->wait_count > 0 ? mark(p) : status;
}

static fovea_status put_over_batch(passage *p, const fovea_record *r) {
  fovea_status status = r->begins ? meet(p) : FOVEA_OK;
  for (int i = 0; i < p->plan->parts && status == FOVEA_OK; i++) {
    status = wait_for(p, FIRST_PART + i, WHOLE);
    if (status == FOVEA_OK) status = put(p, FIRST_PART + i, r, fovea_plan_part(p->plan, r, i));
  }
  return status;
}

static fovea_status put_aside(passage *p, int i) {
  const fovea_record *r = p->plan->records[i];
  fovea_status status = wait_for(p, ASIDE, WHOLE);
  if (status == FOVEA_OK) status = wait_for_parts(p, ASIDE);
  if (status == FOVEA_OK) status = put(p, ASIDE, r, (fovea_launch_part){0});
  if (status != FOVEA_OK || p->plan->records[i + 1]->group > 0) return status;
  p->plan->group_done[r->group] = p->last[ASIDE], p->last[ASIDE] = NULL;
  return fovea_cl_check(p->plan->device, clFlush(p->queue[ASIDE]), "flushing the second queue");
}

static fovea_status put_whole(passage *p, const fovea_record *r) {
  const fovea_status status = wait_for_parts(p, WHOLE);
  return status == FOVEA_OK ? put(p, WHOLE, r, (fovea_launch_part){0}) : status;
}

/* What prepares is for the whole device, and no launch waits for another. Two queues have them, from which any unit
 * takes what is next, and all wait for both: at a step's begin the thread that enqueues has a unit, too. Half of them
 * in each part's own queue took 1.02 times the step's time. No preparations at all would take
 * 0.985 of it. */
static fovea_status put_preparations(passage *p) {
  fovea_status status = FOVEA_OK;
  double bytes[] = {[WHOLE] = 0, [ASIDE] = 0};
  for (int i = 0; i < p->plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = p->plan->records[i];
    if (!r->prepares) continue;
    const int queue = bytes[ASIDE] <= bytes[WHOLE] ? ASIDE : WHOLE; /* ASIDE first, when the other has the mark alone */
    if (p->enqueued[ASIDE] == 0) status = wait_for(p, ASIDE, WHOLE);
    if (status == FOVEA_OK) status = put(p, queue, r, (fovea_launch_part){0});
    bytes[queue] += r->bytes;
  }
  if (status == FOVEA_OK) status = wait_for(p, WHOLE, ASIDE);
  return status == FOVEA_OK && p->wait_count > 0 ? mark(p) : status;
}

static fovea_status put_all(passage *p) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < p->plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = p->plan->records[i];
    if (r->prepares) continue;
    status = r->group > 0 ? put_aside(p, i) : fovea_plan_is_parted(p->plan, r) ? put_over_batch(p, r) : put_whole(p, r);
  }
  return status;
}

/* The parts begin when what was enqueued before the pass is done, and what is enqueued after it begins when they end.
 */
fovea_status fovea_plan_run_in_queues(fovea_plan *plan, bool prepares) {
  passage p = begin(plan);
  fovea_status status = plan->parts > 0 ? mark(&p) : FOVEA_OK;
  if (status == FOVEA_OK && prepares) status = put_preparations(&p);
  if (status == FOVEA_OK) status = put_all(&p);
  if (status == FOVEA_OK) status = meet(&p);
  end(&p);
  for (int group = 1; group <= plan->group_count; group++) {
    if (plan->group_done[group]) clReleaseEvent(plan->group_done[group]);
    plan->group_done[group] = NULL;
  }
  return status;
}

/* --- for tests: one order of those that are allowed, in one queue ------------------------------------------------- */

void fovea_plan_run_late_from_now(fovea_plan *plan, int order) { plan->late = order; }

static fovea_status run_part(fovea_plan *plan, const fovea_record *r, int part) {
  return fovea_launch_enqueue_part(r->launch, fovea_plan_part(plan, r, part), plan->device->queue, 0, NULL, NULL);
}

/* The records over the batch from `first` up to before `end`: one part's, then another's. */
static fovea_status run_apart(fovea_plan *plan, int first, int end) {
  fovea_status status = FOVEA_OK;
  for (int turn = 0; turn < plan->parts; turn++)
    for (int i = first; i < end && status == FOVEA_OK; i++)
      if (fovea_plan_is_parted(plan, plan->records[i]))
        status = run_part(plan, plan->records[i], plan->late == 1 ? turn : plan->parts - 1 - turn);
  return status;
}

/* Groups after `joined` up to `last`. */
static fovea_status run_groups(fovea_plan *plan, int end, int joined, int last) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < end && status == FOVEA_OK; i++)
    if (plan->records[i]->group > joined && plan->records[i]->group <= last)
      status = fovea_launch_enqueue(plan->records[i]->launch);
  return status;
}

fovea_status fovea_plan_run_late(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  int first = 0, joined = 0;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = plan->records[i];
    const bool parted = fovea_plan_is_parted(plan, r), joins = r->joins > joined;
    if (r->prepares || r->group > 0) continue;
    if (!parted || r->begins || joins) status = run_apart(plan, first, i), first = i;
    if (joins && status == FOVEA_OK) status = run_groups(plan, i, joined, r->joins);
    if (joins) joined = r->joins;
    if (!parted && status == FOVEA_OK) status = fovea_launch_enqueue(r->launch);
  }
  return status == FOVEA_OK ? run_apart(plan, first, plan->record_count) : status;
}
