/* Where tensors lie in memory: those whose lives do not meet may share it. */
#ifndef FOVEA_PLAN_PLACEMENT_H
#define FOVEA_PLAN_PLACEMENT_H

#include <stddef.h>

#include "fovea/status.h"

/* One tensor. Times are places in the order of launches, both ends included. */
typedef struct fovea_lifetime {
  size_t size; /* in: of any unit */
  int first, last;
  int kind; /* memory is shared only with those of the same kind */
  int slab; /* out: the slab that it lies in, and where in it */
  size_t offset;
} fovea_lifetime;

/* Places `count` tensors into as few slabs of at most `limit` as a greedy first fit finds: largest first, each at the
 * lowest offset that is free during its life, and never another kind's (as in Pisarchyk & Lee 2020, "Efficient Memory
 * Management for Deep Neural Net Inference", greedy by size). *slab_sizes gets *slab_count sizes, the caller's to free;
 * NULL when count is 0. FOVEA_NO_MEMORY when the host's memory ran out or a tensor is larger than the limit. */
fovea_status fovea_place(fovea_lifetime *tensors, size_t count, size_t limit, size_t **slab_sizes, size_t *slab_count);

#endif
