/* What a plan is asked by tests and by whoever looks for the first wrong number. Gradients and canaries: of a plan
 * whose resources say `inspect`. */
#ifndef FOVEA_PLAN_INSPECT_H
#define FOVEA_PLAN_INSPECT_H

#include "plan/plan.h"

/* Whether there are launches that may run beside others (side_stream.c), and into how many shards the batch is divided
 * (shard.c; 0: it is not). For tests, the latest-legal schedule: in one queue, each such launch only when it is waited
 * for, and of each piece of the pass one shard of the batch after the other: `order` 1 the first one first, 2 the last.
 * No order that is allowed lets more happen before a launch, so runs that leave the same bits show that nothing is
 * overwritten too early. */
bool fovea_plan_has_groups(const fovea_plan *plan);
int fovea_plan_shards(const fovea_plan *plan);
void fovea_plan_use_latest_schedule(fovea_plan *plan, int order);

/* Whether a run is one call of a recorded command buffer: command_buffer.h. */
bool fovea_plan_replays(const fovea_plan *plan);

/* The gradient of the node's output as its backward pass found it; false when none came. */
bool fovea_plan_gradient(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice);
/* The node whose launches make the node's value: itself, or another for what was fused into that. */
fovea_tensor fovea_plan_source(const fovea_plan *plan, fovea_tensor node);
fovea_status fovea_plan_check_canaries(const fovea_plan *plan);
/* Runs the launches of the node's forward or backward pass alone, and adds up what they declared. *launches 0: none. */
fovea_status fovea_plan_run_node(fovea_plan *plan, fovea_tensor node, bool backward, int *launches, double *flops,
                                 double *bytes);

/* Runs every launch and adds the seconds of those that a recording of requests asked a tile for to seconds[request]. */
fovea_status fovea_plan_run_timed(fovea_plan *plan, double *seconds);

#endif
