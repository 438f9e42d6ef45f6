/* Where a plan's storages lie. */
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"
#include "plan/placement.h"
#include "runtime/guard.h"

/* In floats, as `limit`. */
static fovea_status check_largest(const fovea_plan *plan, size_t largest, size_t limit) {
  char wanted[FOVEA_SIZE_TEXT], most[FOVEA_SIZE_TEXT];
  if (largest <= limit) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY,
                    "network: with a batch of %d one tensor needs %s, the largest buffer of %s is %s; use a smaller "
                    "batch",
                    plan->batch, fovea_size_text(4 * (uint64_t)largest, wanted), plan->device->info.name,
                    fovea_size_text(4 * (uint64_t)limit, most));
}

static fovea_status fill_with_canaries(fovea_buffer *slab) {
  uint32_t *words = malloc(slab->size);
  if (!words) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  for (size_t i = 0; i < slab->size / 4; i++) words[i] = FOVEA_CANARY;
  fovea_status status = fovea_buffer_write(slab, 0, slab->size, words);
  free(words);
  return status;
}

fovea_status fovea_plan_allocate(fovea_plan *plan) {
  plan->slabs = calloc((size_t)plan->slab_count + 1, sizeof(fovea_buffer *));
  if (!plan->slabs) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  for (int i = 0; i < plan->slab_count; i++) {
    fovea_status status = fovea_buffer_create(plan->device, 4 * plan->slab_sizes[i], "activations", &plan->slabs[i]);
    if (status == FOVEA_OK && plan->resources.inspect) status = fill_with_canaries(plan->slabs[i]);
    if (status != FOVEA_OK) return status;
  }
  for (int i = 0; i < plan->storage_count; i++) {
    storage *s = &plan->storages[i];
    if (!s->external && s->first >= 0) s->buffer = plan->slabs[s->slab];
  }
  return FOVEA_OK;
}

/* In an evaluation in shards each shard touches its own lines of memory alone, whatever lies there in turn, since what
 * another unit has written is slow to write: 1.09 times as fast where caches are not shared. */
int fovea_plan_kind(const fovea_plan *plan, const storage *s) {
  return plan->shards > 0 && !plan->training ? s->pixels : 0;
}

/* `lives` has room for every storage; ids says whose each is. */
static fovea_status place_storages(fovea_plan *plan, fovea_lifetime *lives, int *ids) {
  size_t limit = plan->device->info.max_allocation / 4 / LANES * LANES, count = 0, largest = 0;
  const size_t margin = plan->resources.inspect ? CANARY : 0;
  size_t slab_count = 0;
  for (int i = 0; i < plan->storage_count; i++) {
    const storage *s = &plan->storages[i];
    if (s->external || s->first < 0) continue;
    if (s->size > largest) largest = s->size;
    ids[count] = i;
    lives[count++] = (fovea_lifetime){
        .size = s->size + 2 * margin, .first = s->first, .last = s->last, .kind = fovea_plan_kind(plan, s)};
  }
  fovea_status status = check_largest(plan, largest, limit);
  if (status == FOVEA_OK) status = fovea_place(lives, count, limit, &plan->slab_sizes, &slab_count);
  for (size_t i = 0; i < slab_count; i++) plan->memory += fovea_buffer_allocated(4 * plan->slab_sizes[i]);
  plan->slab_count = (int)slab_count;
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    plan->storages[ids[i]].slab = lives[i].slab;
    plan->storages[ids[i]].offset = lives[i].offset + margin;
  }
  return status;
}

fovea_status fovea_plan_place(fovea_plan *plan) {
  size_t count = (size_t)plan->storage_count;
  fovea_lifetime *lives = calloc(count, sizeof *lives);
  int *ids = calloc(count, sizeof *ids);
  fovea_status status =
      lives && ids ? place_storages(plan, lives, ids) : fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  free(lives);
  free(ids);
  return status;
}

fovea_slice fovea_plan_resolve(const fovea_plan *plan, fovea_view view) {
  const storage *s = &plan->storages[view.storage];
  return (fovea_slice){s->buffer, s->offset + view.offset};
}

bool fovea_plan_share_buffer(const fovea_plan *plan, fovea_view a, fovea_view b) {
  const storage *s = &plan->storages[a.storage], *t = &plan->storages[b.storage];
  if (s->external || t->external) return s->buffer == t->buffer;
  return s->slab == t->slab;
}

fovea_status fovea_plan_check_canaries(const fovea_plan *plan) {
  static const char *const sides[] = {"before", "after"};
  uint32_t words[CANARY];
  char what[80];
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->storage_count && status == FOVEA_OK; i++) {
    const storage *s = &plan->storages[i];
    if (s->external || !s->buffer) continue;
    snprintf(what, sizeof what, "storage %d of the %s plan, %zu floats", i, plan->training ? "training" : "evaluation",
             s->size);
    for (int side = 0; side < 2 && status == FOVEA_OK; side++) {
      size_t at = side == 0 ? s->offset - CANARY : s->offset + s->size;
      status = fovea_buffer_read(s->buffer, 4 * at, sizeof words, words);
      if (status == FOVEA_OK) status = fovea_guard_check_words(words, CANARY, what, sides[side]);
    }
  }
  for (int i = 0; i < plan->slab_count && status == FOVEA_OK; i++)
    status = fovea_guard_check(plan->slabs[i], "activations");
  return status;
}
