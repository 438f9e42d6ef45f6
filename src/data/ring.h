/* Pieces of a file or a set that threads make ahead of who takes them, in order: a ring of slots. */
#ifndef FOVEA_DATA_RING_H
#define FOVEA_DATA_RING_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

typedef struct fovea_ring fovea_ring;

typedef struct fovea_ring_job {
  size_t count; /* of the pieces */
  size_t size;  /* bytes of a slot */
  size_t slots; /* at least 2: one that is used, the others made or being made */
  int threads;  /* at most 64 */
  void *of;
  /* Makes piece n; by several threads at once, of different n. */
  fovea_status (*fill)(void *of, size_t n, uint8_t *slot);
} fovea_ring_job;

/* job->of must outlive it. FOVEA_NO_MEMORY. */
fovea_status fovea_ring_create(const fovea_ring_job *job, fovea_ring **ring);
void fovea_ring_destroy(fovea_ring *ring); /* takes NULL */

/* The next piece, valid up to the next call; asked for `count` times at most. The status of its `fill`, so that the
 * first failure in order is told whichever thread was faster; and that again after it. */
fovea_status fovea_ring_next(fovea_ring *ring, const uint8_t **piece);

#endif
