/* Meetings of the ranks that share a batch (fovea/ranks.h): what each has of a sum over the batch is read from the
 * device, goes to the others, and what all have is written to it. A record begins a meeting and another ends it.
 *
 * A meeting for statistics ends where it begins: nothing can be computed meanwhile. Gradients travel while the backward
 * pass goes on, in buckets: parameters lie in the order of the nodes, and the pass goes from the last to the first, so
 * that what is complete is the gradients' end. */
#include <stdlib.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"

int fovea_plan_ranks(const fovea_plan *plan) { return plan->resources.cut ? plan->resources.cut->ranks : 1; }

bool fovea_plan_shares_statistics(const fovea_plan *plan) {
  return plan->training && plan->resources.cut && plan->resources.ranks->sync_batchnorm;
}

fovea_view fovea_plan_merges(const fovea_plan *plan) { return plan->merges; }

/* --- recording ---------------------------------------------------------------------------------------------------- */

/* Its number, -1 after a failure. */
static int begin(fovea_plan *plan, fovea_view own, size_t size, bool gradients) {
  fovea_meeting *meetings = realloc(plan->meetings, ((size_t)plan->meeting_count + 1) * sizeof *meetings);
  if (!meetings) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    return -1;
  }
  plan->meetings = meetings;
  meetings[plan->meeting_count] = (fovea_meeting){.own = own,
                                                  .all = fovea_plan_new(plan, (size_t)fovea_plan_ranks(plan) * size),
                                                  .size = size,
                                                  .gradients = gradients};
  fovea_plan_record_meeting(plan, RECORD_BEGIN, plan->meeting_count, own)->joins_all = gradients;
  return plan->meeting_count++;
}

static fovea_view end(fovea_plan *plan, int meeting) {
  if (meeting < 0) return (fovea_view){0};
  const fovea_view all = plan->meetings[meeting].all;
  fovea_plan_record_meeting(plan, RECORD_END, meeting, all);
  return all;
}

/* What is summed already of the gradients, but for what has begun to travel. */
static void begin_bucket(fovea_plan *plan) {
  const size_t first = plan->summed_from, size = plan->travels_from - first;
  if (size == 0) return;
  begin(plan, (fovea_view){plan->gradients.storage, first}, size, true);
  plan->travels_from = first;
}

/* With what the device waits for anyway goes a bucket that waits. */
fovea_view fovea_record_meeting(fovea_plan *plan, fovea_view own, size_t size) {
  const int meeting = begin(plan, own, size, false);
  begin_bucket(plan);
  return end(plan, meeting);
}

void fovea_plan_begin_gradients(fovea_plan *plan) {
  plan->ready_from = plan->summed_from = plan->travels_from = plan->resources.trainable_count;
}

/* The node's backward pass is recorded, and so are those of all after it. */
void fovea_plan_gradients_ready(fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  if (!plan->resources.cut) return;
  for (int i = n->parameter_count - 1; i >= 0; i--)
    if (n->parameters[i].trainable) plan->ready_from = plan->resources.offsets[node * FOVEA_NODE_PARAMETERS + i];
  if (plan->summed_from - plan->ready_from < plan->device->bucket) return;
  fovea_plan_end_sums(plan);
  plan->summed_from = plan->ready_from;
  if (!fovea_plan_shares_statistics(plan)) begin_bucket(plan);
}

static void record_sums(fovea_plan *plan, const fovea_meeting *m, fovea_view all) {
  const int ranks = fovea_plan_ranks(plan);
  fovea_record *r = fovea_plan_record(plan, "ranks.cl", "", "ranks_sums");
  fovea_record_view(plan, r, "all", all);
  fovea_record_buffer(plan, r, "merges", plan->merges);
  fovea_record_view(plan, r, "to", m->own);
  fovea_record_int(r, "ranks", ranks);
  fovea_record_int(r, "size", (int)m->size);
  fovea_record_flat(r, m->size / (size_t)plan->device->tuning.vector);
  fovea_record_cost(r, 0, 12.0 * ranks * (double)m->size);
}

/* After the backward pass: the rest travels, and all of it is summed. */
void fovea_plan_end_gradients(fovea_plan *plan) {
  if (!plan->resources.cut) return;
  plan->summed_from = 0;
  begin_bucket(plan);
  for (int i = 0; i < plan->meeting_count && plan->status == FOVEA_OK; i++)
    if (plan->meetings[i].gradients) record_sums(plan, &plan->meetings[i], end(plan, i));
}

/* --- running ------------------------------------------------------------------------------------------------------ */

fovea_status fovea_plan_make_meetings(fovea_plan *plan) {
  const size_t ranks = (size_t)fovea_plan_ranks(plan);
  for (int i = 0; i < plan->meeting_count; i++) {
    fovea_meeting *m = &plan->meetings[i];
    m->data = calloc(ranks * m->size, sizeof *m->data);
    m->bytes = calloc(ranks, sizeof *m->bytes);
    if (!m->data || !m->bytes) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
    for (size_t r = 0; r < ranks; r++) m->bytes[r] = m->size * sizeof *m->data;
  }
  return FOVEA_OK;
}

static fovea_status run_begin(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_ranks *ranks = plan->resources.ranks;
  const fovea_slice own = fovea_plan_resolve(plan, m->own);
  fovea_status status =
      fovea_buffer_read(own.buffer, 4 * own.offset, 4 * m->size, m->data + (size_t)ranks->rank * m->size);
  if (status == FOVEA_OK) status = ranks->begin(ranks->user, m->data, m->bytes, &m->request);
  m->begun = status == FOVEA_OK;
  return status;
}

/* `data` is read by the device later: before the next meeting reads from the device, for the queue is in order. */
static fovea_status run_end(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_ranks *ranks = plan->resources.ranks;
  const fovea_slice all = fovea_plan_resolve(plan, m->all);
  m->begun = false;
  const fovea_status status = ranks->end(ranks->user, m->request);
  if (status != FOVEA_OK) return status;
  return fovea_buffer_write_later(all.buffer, 4 * all.offset, 4 * m->size * (size_t)ranks->count, m->data);
}

fovea_status fovea_plan_run_meeting(fovea_plan *plan, const fovea_record *record) {
  fovea_meeting *m = &plan->meetings[record->meeting];
  return record->kind == RECORD_BEGIN ? run_begin(plan, m) : run_end(plan, m);
}

void fovea_plan_end_meetings(fovea_plan *plan) {
  for (int i = 0; i < plan->meeting_count; i++) {
    fovea_meeting *m = &plan->meetings[i];
    if (m->begun) (void)plan->resources.ranks->end(plan->resources.ranks->user, m->request);
    m->begun = false;
  }
}

void fovea_plan_destroy_meetings(fovea_plan *plan) {
  fovea_plan_end_meetings(plan);
  if (plan->meeting_count > 0) (void)fovea_device_finish(plan->device);
  for (int i = 0; i < plan->meeting_count; i++) {
    free(plan->meetings[i].data);
    free(plan->meetings[i].bytes);
  }
  free(plan->meetings);
}

void fovea_plan_traffic(const fovea_plan *plan, size_t *meetings, size_t *bytes) {
  *meetings = (size_t)plan->meeting_count, *bytes = 0;
  for (int i = 0; i < plan->meeting_count; i++) *bytes += 4 * plan->meetings[i].size;
}
