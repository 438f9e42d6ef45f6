#include "plan/placement.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/fail.h"

enum { NOWHERE = -1 };

static bool conflict(const fovea_lifetime *a, const fovea_lifetime *b) {
  return a->kind != b->kind || (a->first <= b->last && b->first <= a->last);
}

static size_t lowest_offset(const fovea_lifetime *tensors, size_t count, const fovea_lifetime *one, int slab) {
  size_t offset = 0;
  for (bool moved = true; moved;) {
    moved = false;
    for (size_t i = 0; i < count; i++) {
      const fovea_lifetime *other = &tensors[i];
      if (other->slab != slab || !conflict(one, other)) continue;
      if (offset < other->offset + other->size && other->offset < offset + one->size)
        offset = other->offset + other->size, moved = true;
    }
  }
  return offset;
}

/* Ties go by address, which is by place in the list, so that the result is the same everywhere. */
static int larger_first(const void *a, const void *b) {
  const fovea_lifetime *s = *(fovea_lifetime *const *)a, *t = *(fovea_lifetime *const *)b;
  if (s->size != t->size) return s->size > t->size ? -1 : 1;
  return s < t ? -1 : s > t;
}

fovea_status fovea_place(fovea_lifetime *tensors, size_t count, size_t limit, size_t **slab_sizes, size_t *slab_count) {
  fovea_lifetime **order = calloc(count ? count : 1, sizeof(fovea_lifetime *));
  size_t *sizes = calloc(count ? count : 1, sizeof *sizes), slabs = 0;
  fovea_status status = order && sizes ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "placement: host memory ran out");
  for (size_t i = 0; status == FOVEA_OK && i < count; i++) order[i] = &tensors[i], tensors[i].slab = NOWHERE;
  if (status == FOVEA_OK) qsort(order, count, sizeof(fovea_lifetime *), larger_first);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    fovea_lifetime *one = order[i];
    if (one->size > limit)
      status = fovea_fail(FOVEA_NO_MEMORY, "placement: a tensor of %zu, the largest buffer is %zu", one->size, limit);
    for (int slab = 0; status == FOVEA_OK && one->slab == NOWHERE; slab++) {
      size_t offset = lowest_offset(tensors, count, one, slab);
      if (one->size > limit - (offset < limit ? offset : limit)) continue;
      one->slab = slab, one->offset = offset;
      if ((size_t)slab == slabs) slabs++;
      if (sizes[slab] < offset + one->size) sizes[slab] = offset + one->size;
    }
  }
  free(order);
  if (status == FOVEA_OK && count > 0) {
    *slab_sizes = sizes, *slab_count = slabs;
    return FOVEA_OK;
  }
  free(sizes);
  if (status == FOVEA_OK) *slab_sizes = NULL, *slab_count = 0;
  return status;
}
