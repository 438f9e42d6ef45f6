/* The side stream: records that may run beside those after them, weight gradients, which only the optimizer reads.
 * Those recorded one after the other are a group. In the device's second queue (schedule.c) a group begins when what
 * was recorded before it is done, and is waited for when GROUPS_BEHIND more have been enqueued: 1.07 times the images/s
 * on 2 units. */
#include <stdlib.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"

enum { GROUPS_BEHIND = 2 };

void fovea_plan_side_stream(fovea_plan *plan, bool on) {
  plan->aside = on && plan->device->side_stream && !plan->resources.clblast;
}

/* A group has a record at least: what waits for a multi-tensor launch makes none. */
int fovea_plan_next_group(fovea_plan *plan) {
  const bool follows = plan->record_count > 0 && plan->records[plan->record_count - 1]->group > 0;
  if (!plan->aside) return 0;
  return follows ? plan->group_count : ++plan->group_count;
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
  for (int i = 0, group = 0, latest = 0; i < plan->record_count; i++) {
    fovea_record *r = plan->records[i];
    if (r->group > 0) group = latest = r->group;
    if (r->joins_all) r->joins = latest, group = 0;
    if (r->group > 0 || r->prepacks || group <= GROUPS_BEHIND) continue;
    r->joins = group - GROUPS_BEHIND;
    group = 0;
  }
  plan->records[plan->record_count - 1]->joins = plan->group_count;
  for (int i = 0; i < plan->record_count; i++)
    if (plan->records[i]->group > 0) outlive(plan, plan->records[i], joined_by(plan, plan->records[i]->group) - 1);
  plan->group_done = calloc((size_t)plan->group_count + 1, sizeof(cl_event));
  return plan->group_done ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
}

bool fovea_plan_has_groups(const fovea_plan *plan) { return plan->group_count > 0; }
