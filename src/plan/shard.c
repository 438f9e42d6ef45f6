/* Shards of the batch, each in the queue of a shard of the device: launches over the batch are enqueued once a shard.
 *
 * Units of a CPU may have caches of their own. The two cores of the virtual machine measured here shared their last
 * level in some processes and not in others (50 and 350 ns for a message there and back), as its host placed them.
 * Where they do not, what one unit has written is slow to read for another: some activations took 4.3 times as long, a
 * training step 1.27 times, an evaluation 1.36 times; with shards 1.15 and 1.02 times. A shard's images stay with one
 * unit from launch to launch. Nor does a unit wait for the others at each launch's end, but only where a launch needs
 * the whole batch.
 *
 * Where caches are not shared more than half of what is lost yet is the weight gradients', which read all images. Each
 * shard's images by its own unit, which goes on from the sums of the shard before, was no faster there (units wait for
 * each other's sums) and took 1.03 times the step's time where they are shared; nor did prefetching them earlier help.
 * Evaluating a segment for 16 images of a shard, then the next 16, was as fast as all at once.
 *
 * Two units (Zen 4, caches shared) were in kernels for 0.95 of the time that two have: 0.01 was the thread's that
 * enqueues, half of it PoCL's allocation of each argument of each launch, and 0.02 they slept, half of that at a step's
 * begin: while that thread has a unit the other's shard waits at the next meeting. Fewer launches helped (0.97 of the
 * time for 460 enqueued in place of 530, 0.96 for 380), and so did launches there that any unit takes
 * (put_prepacking, leave_some_whole): now they sleep for 0.01. What did not: weights' gradients and normalization's
 * statistics summed a half of the batch at a time, so that each shard sums its own images (another canonical
 * order; 1.00 to 1.02 of the time, quarters 1.04); shards that wait for each other without a marker; steps enqueued
 * ahead of the one that runs, or held back until its backward pass, where weights' gradients fill what is lost; weights
 * packed for the backward pass aside.
 *
 * Two Zen 5 cores that share a cache: a step takes 0.55 of one core's time (0.62 where they share none). Two processes
 * side by side, each with a core and half of the batch, which never meet, take 0.52 to 0.55: the 611 MB that a step
 * moves at least take two cores almost as long as one. A meeting costs 35 us, half of it PoCL's from a launch's end to
 * the next one's begin in another queue, and a step has 40. Another 60 launches less (spatial_attention.c) gained
 * nothing there, 0.99 where no cache is shared. Units that look for work for 10 to 40 us before they sleep (PoCL's
 * condition variables, replaced for the test) take 0.99 of it. Where no cache is shared winograd.cl loses most, a
 * twelfth, though a shard's images stay where they are, then the gradients of attention and of strided convolutions.
 * Nor did it help to let one shard multiply while the other waits for memory: half of each weight gradient before the
 * next segment, in one shard's queue, and half after it, in the other's, took 1.015 times as long. Each shard's images
 * in a weight gradient of its own gained nothing where no cache is shared either; nor did an evaluation whose first
 * launches are for the whole device.
 *
 * What follows each other over the batch is a segment, in which one shard may be ahead of another; at its end all are
 * waited for. What a segment of a training touches lives to its end, hence MOST_RECORDS. An evaluation has three or
 * four segments (before one sample of the latent code needs all, and after it), with MOST_RECORDS it took 1.02 times as
 * long. */
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

/* Segments that move little: some 50 launches less, 0.99 of the time. And the first of a training step, since the
 * thread that enqueues has one of the units meanwhile, and the others take what work-items that leaves: again 0.99. */
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
