/* Shards of the batch, each in the queue of a shard of the device: launches over the batch are enqueued once a shard.
 *
 * Units of a CPU may have caches of their own, and what one unit has written is slow to read for another: without
 * shards a training step takes 1.27 times as long then, with them 1.15. A shard's images stay with one unit from launch
 * to launch, and units wait for each other only where a launch needs the whole batch.
 *
 * What follows each other over the batch is a segment, in which one shard may be ahead of another; at its end all are
 * waited for. What a segment of a training touches lives to its end, hence MOST_RECORDS; an evaluation has three or
 * four segments of any length. What else was tried: README.md. */
#include <math.h>

#include "plan/inspect.h"
#include "plan/internal.h"

enum { MOST_RECORDS = 16, EVEN_ENOUGH = 4 };

static int blocks_of(const fovea_plan *plan) { return plan->batch / LANES; }

bool fovea_plan_divides_evenly(const fovea_plan *plan, int count) {
  return blocks_of(plan) % count == 0 || blocks_of(plan) >= EVEN_ENOUGH * count;
}

/* Only where a work-item is a work-group (tuning.group), so that none is cut, and no shard has much more to do than
 * another. */
int fovea_plan_choose_shards(const fovea_plan *plan) {
  const int shards = plan->device->shard_count;
  if (shards < 2 || plan->device->tuning.vector == 1 || plan->resources.clblast) return 0;
  return fovea_plan_divides_evenly(plan, shards) ? shards : 0;
}

bool fovea_plan_is_sharded(const fovea_plan *plan, const fovea_record *r) {
  return plan->shards > 0 && r->batch_axis > 0 && !r->whole && r->group == 0 && !r->prepacks;
}

/* Whole blocks of the layout. */
fovea_launch_shard fovea_plan_shard(const fovea_plan *plan, const fovea_record *r, int shard) {
  const int axis = r->batch_axis - 1, blocks = blocks_of(plan);
  const size_t each = r->size[axis] / (size_t)blocks;
  const size_t first = (size_t)(shard * blocks / plan->shards), end = (size_t)((shard + 1) * blocks / plan->shards);
  return (fovea_launch_shard){axis, first * each, (end - first) * each};
}

/* Records from `first` up to before `end` over the batch become records for the whole device if they move less than
 * `least` bytes. */
static void leave_whole(fovea_plan *plan, int first, int end, double least) {
  double bytes = 0;
  for (int i = first; i < end; i++)
    if (fovea_plan_is_sharded(plan, plan->records[i])) bytes += plan->records[i]->bytes;
  for (int i = first; i < end && bytes < least; i++) plan->records[i]->whole = true;
}

/* Segments that move little, and the first of a training step: the thread that enqueues has one of the units meanwhile,
 * and the others take what work-items that leaves. 0.99 of the time each. */
static void leave_some_whole(fovea_plan *plan) {
  double least = plan->device->shard_least_bytes;
  if (least > 0 && plan->training) least = HUGE_VAL;
  int first = -1;
  for (int i = 0; i < plan->record_count; i++) {
    const fovea_record *r = plan->records[i];
    if (r->prepacks || r->group > 0) continue;
    const bool sharded = fovea_plan_is_sharded(plan, r);
    if (sharded && first < 0) first = i;
    if (sharded || first < 0) continue;
    leave_whole(plan, first, i, least);
    first = -1, least = plan->device->shard_least_bytes;
  }
  if (first >= 0) leave_whole(plan, first, plan->record_count, least);
}

/* What a segment's records touch for the last time lives to its end, lest a shard that is ahead writes there what
 * another still needs; but not where each shard has its own lines of it, whatever tensor lies there. */
static void outlive(fovea_plan *plan, int first, int last) {
  for (int i = 0; i < plan->storage_count; i++) {
    storage *s = &plan->storages[i];
    if (s->last >= first && s->last < last && fovea_plan_kind(plan, s) == 0) s->last = last;
  }
}

void fovea_plan_find_segments(fovea_plan *plan) {
  int first = -1, last = -1;
  leave_some_whole(plan);
  for (int i = 0; i < plan->record_count; i++) {
    fovea_record *r = plan->records[i];
    if (r->prepacks || r->group > 0) continue;
    const bool sharded = fovea_plan_is_sharded(plan, r);
    if (first >= 0 && (!sharded || (plan->training && i - first >= MOST_RECORDS)))
      outlive(plan, first, last), first = -1;
    if (sharded && first < 0) first = i, r->begins = true;
    if (sharded) last = i;
  }
  if (first >= 0) outlive(plan, first, last);
}

int fovea_plan_shards(const fovea_plan *plan) { return plan->shards; }
