/* Meetings of the ranks that share a batch (fovea/ranks.h): what each has of a sum over the batch is read from the
 * device, goes to the others, and what all have is written to it. A record begins a meeting and another ends it.
 *
 * A meeting for statistics ends where it begins: nothing can be computed meanwhile. Gradients travel while the backward
 * pass goes on, in buckets: parameters lie in the order of the nodes, and the pass goes from the last to the first, so
 * that what is complete is the gradients' end.
 *
 * A bucket of two ranks goes whole from each to the other, and is summed after the pass. Of more it is scattered: each
 * rank sums its own slice of everybody's when the next bucket has begun, and the sums are gathered until after the
 * pass. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"

int fovea_plan_ranks(const fovea_plan *plan) { return plan->resources.cut ? plan->resources.cut->ranks : 1; }

bool fovea_plan_shares_statistics(const fovea_plan *plan) {
  return plan->training && plan->resources.cut && plan->resources.ranks->sync_batchnorm;
}

fovea_view fovea_plan_merges(const fovea_plan *plan) { return plan->merges; }

/* --- slices ------------------------------------------------------------------------------------------------------- */

/* The one place that says which way gradients go: two ranks send as many bytes either way, and meet less often in the
 * first. */
static bool scatters(const fovea_plan *plan) { return plan->resources.ranks->scatter && fovea_plan_ranks(plan) > 2; }

/* Of a bucket, which is whole blocks of 16 floats, as slices are: ranks may have devices of different vectors. Where
 * there are fewer blocks than ranks some slices are empty. */
static size_t slice_begin(const fovea_plan *plan, size_t size, int rank) {
  return size / LANES * (size_t)rank / (size_t)fovea_plan_ranks(plan) * LANES;
}

static size_t slice_of(const fovea_plan *plan, size_t size, int rank) {
  return slice_begin(plan, size, rank + 1) - slice_begin(plan, size, rank);
}

static int own_rank(const fovea_plan *plan) { return plan->resources.ranks->rank; }
static size_t own_slice(const fovea_plan *plan, size_t size) { return slice_of(plan, size, own_rank(plan)); }

/* Floats that the rank gives, of which `own_begin` of the data are before them, and those that come to be there. */
static size_t own_floats(const fovea_plan *plan, const fovea_meeting *m) {
  return m->kind == MEETING_GATHER ? own_slice(plan, m->size) : m->size;
}

static size_t own_begin(const fovea_plan *plan, const fovea_meeting *m) {
  return m->kind == MEETING_GATHER ? slice_begin(plan, m->size, own_rank(plan)) : (size_t)own_rank(plan) * m->size;
}

static size_t all_floats(const fovea_plan *plan, const fovea_meeting *m) {
  if (m->kind == MEETING_GATHER) return m->size;
  return (size_t)fovea_plan_ranks(plan) * (m->kind == MEETING_SCATTER ? own_slice(plan, m->size) : m->size);
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

/* Its number, -1 after a failure. What is gathered has its place already. */
static int begin(fovea_plan *plan, fovea_meeting meeting) {
  fovea_meeting *meetings = realloc(plan->meetings, ((size_t)plan->meeting_count + 1) * sizeof *meetings);
  if (!meetings) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    return -1;
  }
  plan->meetings = meetings;
  if (meeting.kind != MEETING_GATHER) meeting.all = fovea_plan_new(plan, all_floats(plan, &meeting));
  meetings[plan->meeting_count] = meeting;
  fovea_plan_record_meeting(plan, RECORD_BEGIN, plan->meeting_count, meeting.own)->joins_all = meeting.gradients;
  return plan->meeting_count++;
}

static fovea_view end(fovea_plan *plan, int meeting) {
  if (meeting < 0) return (fovea_view){0};
  const fovea_view all = plan->meetings[meeting].all;
  fovea_plan_record_meeting(plan, RECORD_END, meeting, all);
  return all;
}

static void record_sums(fovea_plan *plan, fovea_view all, fovea_view to, size_t size) {
  const int ranks = fovea_plan_ranks(plan);
  if (size == 0) return;
  fovea_record *r = fovea_plan_record(plan, "ranks.cl", "", "ranks_sums");
  fovea_record_view(plan, r, "all", all);
  fovea_record_buffer(plan, r, "merges", plan->merges);
  fovea_record_view(plan, r, "to", to);
  fovea_record_int(r, "ranks", ranks);
  fovea_record_int(r, "size", (int)size);
  fovea_record_flat(r, size / (size_t)plan->device->tuning.vector);
  fovea_record_cost(r, 0, 12.0 * ranks * (double)size);
}

static void end_bucket(fovea_plan *plan, int meeting) {
  const fovea_view all = end(plan, meeting);
  plan->meetings[meeting].summed = true;
  const fovea_meeting m = plan->meetings[meeting];
  if (m.kind == MEETING_WHOLE) {
    record_sums(plan, all, m.own, m.size);
    return;
  }
  const fovea_view own = {m.own.storage, m.own.offset + slice_begin(plan, m.size, own_rank(plan))};
  record_sums(plan, all, own, own_slice(plan, m.size));
  begin(plan, (fovea_meeting){.kind = MEETING_GATHER, .own = own, .all = m.own, .size = m.size});
}

/* Those begun before meeting `before`. */
static void end_buckets(fovea_plan *plan, int before) {
  for (int i = 0; i < before && plan->status == FOVEA_OK; i++)
    if (plan->meetings[i].gradients && !plan->meetings[i].summed) end_bucket(plan, i);
}

/* What is summed already of the gradients, but for what has begun to travel. What was scattered before is there by now,
 * so that its sums travel while the pass goes on, too. */
static void begin_bucket(fovea_plan *plan) {
  const size_t first = plan->summed_from, size = plan->travels_from - first;
  if (size == 0) return;
  const int bucket = begin(plan, (fovea_meeting){.kind = scatters(plan) ? MEETING_SCATTER : MEETING_WHOLE,
                                                 .own = {plan->gradients.storage, first},
                                                 .size = size,
                                                 .gradients = true});
  plan->travels_from = first;
  if (scatters(plan)) end_buckets(plan, bucket);
}

/* With what the device waits for anyway goes a bucket that waits. */
fovea_view fovea_record_meeting(fovea_plan *plan, fovea_view own, size_t size) {
  const int meeting = begin(plan, (fovea_meeting){.own = own, .size = size});
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

/* After the backward pass: the rest travels, and all of it is summed. */
void fovea_plan_end_gradients(fovea_plan *plan) {
  if (!plan->resources.cut) return;
  plan->summed_from = 0;
  begin_bucket(plan);
  end_buckets(plan, plan->meeting_count);
  for (int i = 0; i < plan->meeting_count; i++)
    if (plan->meetings[i].kind == MEETING_GATHER) end(plan, i);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static fovea_status make(const fovea_plan *plan, fovea_meeting *m) {
  const int ranks = fovea_plan_ranks(plan);
  m->data = calloc(all_floats(plan, m) + 1, sizeof *m->data);
  m->bytes = calloc((size_t)ranks, sizeof *m->bytes);
  if (m->kind == MEETING_SCATTER) m->give = calloc(m->size, sizeof *m->give);
  if (!m->data || !m->bytes || (m->kind == MEETING_SCATTER && !m->give))
    return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  for (int r = 0; r < ranks; r++)
    m->bytes[r] = (m->kind == MEETING_WHOLE ? m->size : slice_of(plan, m->size, r)) * sizeof *m->data;
  return FOVEA_OK;
}

fovea_status fovea_plan_make_meetings(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->meeting_count && status == FOVEA_OK; i++) status = make(plan, &plan->meetings[i]);
  return status;
}

/* What a rank gives itself is there when the others' comes. */
static fovea_status scatter(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_ranks *ranks = plan->resources.ranks;
  const size_t slice = own_slice(plan, m->size);
  memcpy(m->data + (size_t)ranks->rank * slice, m->give + slice_begin(plan, m->size, ranks->rank), 4 * slice);
  return fovea_fail_of_caller("ranks: scatter", ranks->scatter(ranks->user, m->give, m->data, m->bytes, &m->request));
}

static fovea_status gather(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_ranks *ranks = plan->resources.ranks;
  return fovea_fail_of_caller("ranks: begin", ranks->begin(ranks->user, m->data, m->bytes, &m->request));
}

static fovea_status run_begin(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_slice own = fovea_plan_resolve(plan, m->own);
  float *to = m->kind == MEETING_SCATTER ? m->give : m->data + own_begin(plan, m);
  fovea_status status = fovea_buffer_read(own.buffer, 4 * own.offset, 4 * own_floats(plan, m), to);
  if (status != FOVEA_OK) return status;
  status = m->kind == MEETING_SCATTER ? scatter(plan, m) : gather(plan, m);
  m->begun = status == FOVEA_OK;
  return status;
}

/* `data` is read by the device later: before the next meeting reads from the device, for the queue is in order. */
static fovea_status run_end(const fovea_plan *plan, fovea_meeting *m) {
  const fovea_ranks *ranks = plan->resources.ranks;
  const fovea_slice all = fovea_plan_resolve(plan, m->all);
  m->begun = false;
  const fovea_status status = fovea_fail_of_caller("ranks: end", ranks->end(ranks->user, m->request));
  if (status != FOVEA_OK) return status;
  return fovea_buffer_write_later(all.buffer, 4 * all.offset, 4 * all_floats(plan, m), m->data);
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
    free(plan->meetings[i].give);
    free(plan->meetings[i].bytes);
  }
  free(plan->meetings);
}

static size_t sent_floats(const fovea_plan *plan, const fovea_meeting *m) {
  if (m->kind == MEETING_SCATTER) return m->size - own_slice(plan, m->size);
  return (size_t)(fovea_plan_ranks(plan) - 1) * own_floats(plan, m);
}

void fovea_plan_traffic(const fovea_plan *plan, size_t *meetings, size_t *bytes) {
  *meetings = (size_t)plan->meeting_count, *bytes = 0;
  for (int i = 0; i < plan->meeting_count; i++) *bytes += 4 * sent_floats(plan, &plan->meetings[i]);
}
