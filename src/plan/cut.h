/* How ranks share a batch: its blocks of 16 images are summed by a tree (cl/common/reduce.clh), each rank has a node of
 * it, and what is above is ranks - 1 additions in a fixed order. */
#ifndef FOVEA_PLAN_CUT_H
#define FOVEA_PLAN_CUT_H

#include "fovea/status.h"

/* The sum of blocks first to middle, which rank `into` has, and of those up to end, which rank `from` has, will be
 * `into`'s. */
typedef struct fovea_merge {
  int into, from, first, middle, end;
} fovea_merge;

typedef struct fovea_cut {
  int ranks;
  int *first;          /* block of each rank, and the number of blocks */
  fovea_merge *merges; /* ranks - 1, in order */
} fovea_cut;

/* The largest node, the first of those, is divided until there are so many. FOVEA_INVALID for more ranks than blocks;
 * FOVEA_NO_MEMORY. */
fovea_status fovea_cut_create(int blocks, int ranks, fovea_cut **cut);
void fovea_cut_destroy(fovea_cut *cut); /* takes NULL */

#endif
