#include "group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trap.h"

static bool grow(void *memory, size_t *have, size_t bytes) {
  void **const m = memory;
  if (*have >= bytes) return true;
  free(*m);
  *have = 0;
  *m = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (*m) *have = bytes;
  return *m != NULL;
}

static bool fault(workspace *space, const group_plan *plan, const char *what, const void *at) {
  char where[300] = "";
  if (at) plan->where(at, where, sizeof where);
  snprintf(space->fault, sizeof space->fault, "kernel %s: %s: %s", plan->kernel, what, where);
  return false;
}

bool group_room(workspace *space, const group_plan *plan, size_t local_bytes, size_t scratch_bytes) {
  const size_t before = space->wave_bytes;
  if (!grow(&space->waves, &space->wave_bytes, plan->count * plan->stride) ||
      !grow(&space->local, &space->local_bytes, local_bytes + 64) ||
      !grow(&space->scratch, &space->scratch_bytes, scratch_bytes + 64))
    return fault(space, plan, "no memory for its waves", NULL);
  if (space->wave_bytes != before) space->prepared = 0;
  memset(space->local, 0xcd, local_bytes);
  return true;
}

static wave_head *wave_at(const workspace *space, const group_plan *plan, uint32_t i) {
  return (wave_head *)(void *)((uint8_t *)space->waves + i * plan->stride);
}

/* A barrier is passed when all waves wait at the same one. */
static bool meet(workspace *space, const group_plan *plan) {
  const wave_head *waiting = NULL;
  bool ended = false, other = false;
  for (uint32_t i = 0; i < plan->count; i++) {
    const wave_head *w = wave_at(space, plan, i);
    if (w->state == FAULTED) return fault(space, plan, w->fault, w->next);
    if (w->state == ENDED) ended = true;
    if (w->state == WAITING && waiting && waiting->next != w->next) other = true;
    if (w->state == WAITING && !waiting) waiting = w;
  }
  const void *barrier = waiting ? (const uint8_t *)waiting->next - plan->step_bytes : NULL;
  if (waiting && ended) return fault(space, plan, "a barrier that not every wave reaches", barrier);
  if (other) return fault(space, plan, "waves of a group wait at different barriers", barrier);
  return true;
}

static bool run_waves(workspace *space, const group_plan *plan) {
  const bool backward = plan->settings->order != FORWARD;
  for (bool left = true; left;) {
    left = false;
    for (uint32_t i = 0; i < plan->count; i++) {
      wave_head *w = wave_at(space, plan, backward ? plan->count - 1 - i : i);
      space->running = w;
      if (w->state != ENDED) plan->run(w);
      left |= w->state == WAITING;
    }
    if (!meet(space, plan)) return false;
  }
  for (uint32_t i = 0; i < plan->count; i++) space->instructions += wave_at(space, plan, i)->count;
  return true;
}

bool group_run(workspace *space, const group_plan *plan) {
  sigjmp_buf after;
  if (sigsetjmp(after, 0)) {
    trap_set(NULL);
    return fault(space, plan, "an address beyond its buffers", space->running->next);
  }
  trap_set(&after);
  const bool good = run_waves(space, plan);
  trap_set(NULL);
  return good;
}
