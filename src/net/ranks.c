#include "net/ranks.h"

#include <stdlib.h>

#include "base/fail.h"
#include "net/network.h"

enum { LANES = 16 };

fovea_status fovea_ranks_check(const fovea_ranks *ranks) {
  if (!ranks) return FOVEA_OK;
  if (ranks->count < 1) return fovea_fail(FOVEA_INVALID, "ranks: %d of them, expected 1 or more", ranks->count);
  if (ranks->rank < 0 || ranks->rank >= ranks->count)
    return fovea_fail(FOVEA_INVALID, "ranks: rank %d, expected 0 to %d", ranks->rank, ranks->count - 1);
  if (ranks->count > 1 && (!ranks->begin || !ranks->end))
    return fovea_fail(FOVEA_INVALID, "ranks: %s is NULL", ranks->begin ? "end" : "begin");
  return FOVEA_OK;
}

fovea_status fovea_ranks_cut(const fovea_ranks *ranks, int batch, fovea_cut **cut) {
  *cut = NULL;
  const fovea_status status = fovea_ranks_check(ranks);
  if (status != FOVEA_OK || !ranks || ranks->count == 1) return status;
  return fovea_cut_create((batch + LANES - 1) / LANES, ranks->count, cut);
}

static size_t at_most(size_t a, size_t b) { return a < b ? a : b; }

fovea_part_of_batch fovea_cut_part(const fovea_cut *cut, int rank, size_t all) {
  if (!cut) return (fovea_part_of_batch){0, all, all};
  const size_t first = at_most((size_t)cut->first[rank] * LANES, all);
  return (fovea_part_of_batch){first, at_most((size_t)cut->first[rank + 1] * LANES, all) - first, all};
}

fovea_status fovea_ranks_part(const fovea_ranks *ranks, int batch, size_t all, size_t *first, size_t *count) {
  fovea_cut *cut = NULL;
  if (!first || !count) return fovea_fail_null(first ? "count" : "first");
  if (batch < 1 || batch > FOVEA_MAX_BATCH)
    return fovea_fail(FOVEA_INVALID, "ranks: a batch of %d, expected 1 to %d", batch, FOVEA_MAX_BATCH);
  if (all > (size_t)batch) return fovea_fail(FOVEA_INVALID, "ranks: %zu images of a batch of %d", all, batch);
  const fovea_status status = fovea_ranks_cut(ranks, batch, &cut);
  if (status != FOVEA_OK) return status;
  const fovea_part_of_batch part = fovea_cut_part(cut, ranks ? ranks->rank : 0, all);
  *first = part.first, *count = part.count;
  fovea_cut_destroy(cut);
  return FOVEA_OK;
}

/* --- meetings on the host ---------------------------------------------------------------------------------------- */

static uint64_t sum_of(uint64_t a, uint64_t b) { return a + b; }
static uint64_t least_of(uint64_t a, uint64_t b) { return a < b ? a : b; }

static fovea_status meet(const fovea_ranks *ranks, uint64_t *all, size_t *bytes) {
  void *request = NULL;
  for (int i = 0; i < ranks->count; i++) bytes[i] = sizeof *all;
  const fovea_status status = fovea_fail_of_caller("ranks: begin", ranks->begin(ranks->user, all, bytes, &request));
  return status == FOVEA_OK ? fovea_fail_of_caller("ranks: end", ranks->end(ranks->user, request)) : status;
}

static fovea_status reduce(const fovea_ranks *ranks, uint64_t *number, uint64_t (*of)(uint64_t, uint64_t)) {
  if (!ranks || ranks->count == 1) return FOVEA_OK;
  const size_t count = (size_t)ranks->count;
  uint64_t *all = calloc(count, sizeof *all);
  size_t *bytes = calloc(count, sizeof *bytes);
  fovea_status status = all && bytes ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "ranks: host memory ran out");
  if (status == FOVEA_OK) all[ranks->rank] = *number, status = meet(ranks, all, bytes);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) *number = i == 0 ? all[0] : of(*number, all[i]);
  free(all);
  free(bytes);
  return status;
}

fovea_status fovea_ranks_sum(const fovea_ranks *ranks, uint64_t *number) { return reduce(ranks, number, sum_of); }
fovea_status fovea_ranks_least(const fovea_ranks *ranks, uint64_t *number) { return reduce(ranks, number, least_of); }
