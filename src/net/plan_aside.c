/* Records that may run beside those after them: weight gradients, which only the optimizer reads. Those recorded one
 * after the other are a group. In the device's second queue a group begins when what was recorded before it is done,
 * and is waited for when GROUPS_BEHIND more have been enqueued.
 *
 * Without it the units of a device wait for each other at the end of each of some 430 launches: 8% of a step's time on
 * 2 units. With it 4% (and 1.07 times the images/s, the median of 9 alternations, for 7 MiB more memory). To wait for
 * the group before (1) gave as much, later ones (4) nothing that could be told from noise. */
#include <stdlib.h>

#include "core/fail.h"
#include "net/plan_inside.h"

enum { GROUPS_BEHIND = 2 };

void fovea_plan_aside(fovea_plan *plan, bool on) {
  const bool able = plan->device->aside && !plan->resources.clblast;
  const bool follows = plan->record_count > 0 && plan->records[plan->record_count - 1]->group > 0;
  plan->group = !on || !able ? 0 : follows ? plan->group_count : ++plan->group_count;
}

/* The first record of those that wait for the group. */
static int joined_by(const fovea_plan *plan, int group) {
  int i = 0;
  while (plan->records[i]->joins < group) i++;
  return i;
}

static void outlive(fovea_plan *plan, const fovea_record *record, int last) {
  for (int i = 0; i < record->argument_count; i++) {
    const argument *a = &record->arguments[i];
    if (a->kind != ARGUMENT_VIEW && a->kind != ARGUMENT_BUFFER) continue;
    storage *s = &plan->storages[a->view.storage];
    if (s->last < last) s->last = last;
  }
}

/* The last record, the optimizer, is in no group and waits for all. */
fovea_status fovea_plan_join_groups(fovea_plan *plan) {
  if (plan->group_count == 0) return FOVEA_OK;
  for (int i = 1; i < plan->record_count; i++) {
    const int group = plan->records[i - 1]->group;
    if (group > GROUPS_BEHIND && plan->records[i]->group == 0) plan->records[i]->joins = group - GROUPS_BEHIND;
  }
  plan->records[plan->record_count - 1]->joins = plan->group_count;
  for (int i = 0; i < plan->record_count; i++)
    if (plan->records[i]->group > 0) outlive(plan, plan->records[i], joined_by(plan, plan->records[i]->group) - 1);
  plan->group_done = calloc((size_t)plan->group_count + 1, sizeof(cl_event));
  return plan->group_done ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
}

static void forget(cl_event *event) {
  if (*event) clReleaseEvent(*event);
  *event = NULL;
}

/* Into the second queue. *fork is the end of what was recorded before the group, or NULL within it. What another queue
 * waits for has to be flushed. */
static fovea_status run_in_group(fovea_plan *plan, int i, cl_event *fork) {
  const fovea_record *r = plan->records[i];
  const bool ends = plan->records[i + 1]->group == 0;
  fovea_status status = FOVEA_OK;
  if (*fork) status = fovea_cl_check(plan->device, clFlush(plan->device->queue), "flushing the first queue");
  if (status == FOVEA_OK)
    status =
        fovea_launch_enqueue_after(r->launch, plan->device->aside, *fork, ends ? &plan->group_done[r->group] : NULL);
  forget(fork);
  if (ends && status == FOVEA_OK)
    status = fovea_cl_check(plan->device, clFlush(plan->device->aside), "flushing the second queue");
  return status;
}

fovea_status fovea_plan_run_beside(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  cl_event fork = NULL;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    const fovea_record *r = plan->records[i];
    const bool forks = i + 1 < plan->record_count && plan->records[i + 1]->group > 0;
    if (r->group > 0)
      status = run_in_group(plan, i, &fork);
    else
      status =
          fovea_launch_enqueue_after(r->launch, plan->device->queue, plan->group_done[r->joins], forks ? &fork : NULL);
  }
  forget(&fork);
  for (int group = 1; group <= plan->group_count; group++) forget(&plan->group_done[group]);
  return status;
}

bool fovea_plan_has_groups(const fovea_plan *plan) { return plan->group_count > 0; }

void fovea_plan_run_late_from_now(fovea_plan *plan, int order) { plan->late = order; }

fovea_status fovea_plan_run_late(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  for (int i = 0, next = 0; i < plan->record_count; i++) {
    if (plan->records[i]->group > 0) continue;
    for (; next < i && plan->records[next]->group <= plan->records[i]->joins; next++)
      if (plan->records[next]->group > 0 && status == FOVEA_OK)
        status = fovea_launch_enqueue(plan->records[next]->launch);
    if (status == FOVEA_OK) status = fovea_launch_enqueue(plan->records[i]->launch);
  }
  return status;
}
