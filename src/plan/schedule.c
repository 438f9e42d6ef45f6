/* A pass in several queues: the whole device's, one for the side stream (side_stream.c), and one of each shard of the
 * device (shard.c). Each is in order. A record waits for those before it that another queue has:
 *
 *   over the batch       what was recorded for the whole device; where a segment begins, all shards
 *   for the whole device all shards
 *   side stream          the whole device's and all shards
 *
 * and any record for the groups that it joins. */
#include <stdlib.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"

enum { WHOLE, SIDE_STREAM, FIRST_SHARD, MOST_QUEUES = FIRST_SHARD + FOVEA_MOST_SHARDS };

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
  passage p = {.plan = plan, .queue = {[WHOLE] = plan->device->queue, [SIDE_STREAM] = plan->device->side_stream}};
  for (int i = 0; i < plan->shards; i++) p.queue[FIRST_SHARD + i] = plan->device->shards[i];
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

static fovea_status wait_for_shards(passage *p, int queue) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < p->plan->shards && status == FOVEA_OK; i++) status = wait_for(p, queue, FIRST_SHARD + i);
  return status;
}

static void now_last(passage *p, int queue, cl_event event) {
  if (p->last[queue]) clReleaseEvent(p->last[queue]);
  p->last[queue] = event;
  p->enqueued[queue]++;
  p->wait_count = 0;
}

static fovea_status put(passage *p, int queue, const fovea_record *r, fovea_launch_shard shard) {
  cl_event event = NULL;
  if (r->joins > p->joined[queue])
    p->joined[queue] = r->joins, p->waits[p->wait_count++] = p->plan->group_done[r->joins];
  const fovea_status status =
      fovea_launch_enqueue_shard(r->launch, shard, p->queue[queue], p->wait_count, p->waits, &event);
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

/* All shards wait for each other, by way of the whole device's queue. */
static fovea_status meet(passage *p) {
  const fovea_status status = wait_for_shards(p, WHOLE);
  return status == FOVEA_OK && p->wait_count > 0 ? mark(p) : status;
}

static fovea_status put_over_batch(passage *p, const fovea_record *r) {
  fovea_status status = r->begins ? meet(p) : FOVEA_OK;
  for (int i = 0; i < p->plan->shards && status == FOVEA_OK; i++) {
    status = wait_for(p, FIRST_SHARD + i, WHOLE);
    if (status == FOVEA_OK) status = put(p, FIRST_SHARD + i, r, fovea_plan_shard(p->plan, r, i));
  }
  return status;
}

static fovea_status put_side_stream(passage *p, int i) {
  const fovea_record *r = p->plan->records[i];
  fovea_status status = wait_for(p, SIDE_STREAM, WHOLE);
  if (status == FOVEA_OK) status = wait_for_shards(p, SIDE_STREAM);
  if (status == FOVEA_OK) status = put(p, SIDE_STREAM, r, (fovea_launch_shard){0});
  if (status != FOVEA_OK || p->plan->records[i + 1]->group > 0) return status;
  p->plan->group_done[r->group] = p->last[SIDE_STREAM], p->last[SIDE_STREAM] = NULL;
  return fovea_cl_check(p->plan->device, clFlush(p->queue[SIDE_STREAM]), "flushing the second queue");
}

/* What the host reads then is in the whole device's queue, too, after all that the others have. */
static fovea_status put_meeting(passage *p, const fovea_record *r) {
  fovea_status status = wait_for_shards(p, WHOLE);
  if (r->joins > p->joined[WHOLE])
    p->joined[WHOLE] = r->joins, p->waits[p->wait_count++] = p->plan->group_done[r->joins];
  if (status == FOVEA_OK && p->wait_count > 0) status = mark(p);
  if (status == FOVEA_OK) status = fovea_plan_run_meeting(p->plan, r);
  return status == FOVEA_OK && r->kind == RECORD_END ? mark(p) : status;
}

static fovea_status put_whole(passage *p, const fovea_record *r) {
  const fovea_status status = wait_for_shards(p, WHOLE);
  return status == FOVEA_OK ? put(p, WHOLE, r, (fovea_launch_shard){0}) : status;
}

/* Prepacked weights are for the whole device, and no launch waits for another: two queues have them, from which any
 * unit takes what is next, and all wait for both. A queue a shard took 1.02 times a step's time. */
static fovea_status put_prepacking(passage *p) {
  fovea_status status = FOVEA_OK;
  double bytes[] = {[WHOLE] = 0, [SIDE_STREAM] = 0};
  for (int i = 0; i < p->plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = p->plan->records[i];
    if (!r->prepacks) continue;
    const int queue = bytes[SIDE_STREAM] <= bytes[WHOLE]
                          ? SIDE_STREAM
                          : WHOLE; /* SIDE_STREAM first, when the other has the mark alone */
    if (p->enqueued[SIDE_STREAM] == 0) status = wait_for(p, SIDE_STREAM, WHOLE);
    if (status == FOVEA_OK) status = put(p, queue, r, (fovea_launch_shard){0});
    bytes[queue] += r->bytes;
  }
  if (status == FOVEA_OK) status = wait_for(p, WHOLE, SIDE_STREAM);
  return status == FOVEA_OK && p->wait_count > 0 ? mark(p) : status;
}

static fovea_status put_all(passage *p) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < p->plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = p->plan->records[i];
    if (r->prepacks) continue;
    status = r->group > 0                        ? put_side_stream(p, i)
             : fovea_record_is_of_meeting(r)     ? put_meeting(p, r)
             : fovea_plan_is_sharded(p->plan, r) ? put_over_batch(p, r)
                                                 : put_whole(p, r);
  }
  return status;
}

/* The shards, and prepacking in the second queue, begin when what was enqueued before the pass is done, such as the
 * last step's optimizer; what is enqueued after the pass begins when they end. */
fovea_status fovea_plan_run_in_queues(fovea_plan *plan, bool prepacks) {
  passage p = begin(plan);
  fovea_status status = plan->shards > 0 || prepacks ? mark(&p) : FOVEA_OK;
  if (status == FOVEA_OK && prepacks) status = put_prepacking(&p);
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

void fovea_plan_use_latest_schedule(fovea_plan *plan, int order) { plan->latest = order; }

static fovea_status run_shard(fovea_plan *plan, const fovea_record *r, int shard) {
  return fovea_launch_enqueue_shard(r->launch, fovea_plan_shard(plan, r, shard), plan->device->queue, 0, NULL, NULL);
}

/* The records over the batch from `first` up to before `end`: one shard's, then another's. */
static fovea_status run_apart(fovea_plan *plan, int first, int end) {
  fovea_status status = FOVEA_OK;
  for (int turn = 0; turn < plan->shards; turn++)
    for (int i = first; i < end && status == FOVEA_OK; i++)
      if (fovea_plan_is_sharded(plan, plan->records[i]))
        status = run_shard(plan, plan->records[i], plan->latest == 1 ? turn : plan->shards - 1 - turn);
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

fovea_status fovea_plan_run_latest(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  int first = 0, joined = 0;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = plan->records[i];
    const bool sharded = fovea_plan_is_sharded(plan, r), joins = r->joins > joined;
    if (r->prepacks || r->group > 0) continue;
    if (!sharded || r->begins || joins) status = run_apart(plan, first, i), first = i;
    if (joins && status == FOVEA_OK) status = run_groups(plan, i, joined, r->joins);
    if (joins) joined = r->joins;
    if (!sharded && status == FOVEA_OK)
      status = fovea_record_is_of_meeting(r) ? fovea_plan_run_meeting(plan, r) : fovea_launch_enqueue(r->launch);
  }
  return status == FOVEA_OK ? run_apart(plan, first, plan->record_count) : status;
}
