/* What a network with ranks has of each batch. */
#ifndef FOVEA_NET_RANKS_H
#define FOVEA_NET_RANKS_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/ranks.h"
#include "plan/cut.h"

/* NULL, one rank, or FOVEA_INVALID. */
fovea_status fovea_ranks_check(const fovea_ranks *ranks);

/* The cut of a batch; *cut NULL where there are no others. */
fovea_status fovea_ranks_cut(const fovea_ranks *ranks, int batch, fovea_cut **cut);

/* What a rank has of `all` images. */
typedef struct fovea_part_of_batch {
  size_t first, count, all;
} fovea_part_of_batch;

fovea_part_of_batch fovea_cut_part(const fovea_cut *cut, int rank, size_t all);

/* A meeting on the host: *number becomes the sum, or the least, of what the ranks gave. `ranks` NULL: their own. */
fovea_status fovea_ranks_sum(const fovea_ranks *ranks, uint64_t *number);
fovea_status fovea_ranks_least(const fovea_ranks *ranks, uint64_t *number);

#endif
