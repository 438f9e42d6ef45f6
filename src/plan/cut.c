#include "plan/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

/* As many blocks as the largest power of two below their number; the rest is the tree's other half. */
static int half_of(int blocks) {
  int half = 1;
  while (2 * half < blocks) half *= 2;
  return half;
}

static int blocks_of(const fovea_cut *cut, int rank) { return cut->first[rank + 1] - cut->first[rank]; }

/* Divides the largest node; `merge` gets blocks alone, since the ranks that have them are not known yet. */
static void divide_largest(fovea_cut *cut, fovea_merge *merge) {
  int largest = 0;
  for (int i = 1; i < cut->ranks; i++)
    if (blocks_of(cut, i) > blocks_of(cut, largest)) largest = i;
  const int first = cut->first[largest], end = cut->first[largest + 1];
  *merge = (fovea_merge){.first = first, .middle = first + half_of(end - first), .end = end};
  memmove(cut->first + largest + 2, cut->first + largest + 1, (size_t)(cut->ranks - largest) * sizeof *cut->first);
  cut->first[largest + 1] = merge->middle;
  cut->ranks++;
}

static int rank_with(const fovea_cut *cut, int block) {
  int rank = 0;
  while (cut->first[rank] != block) rank++;
  return rank;
}

fovea_status fovea_cut_create(int blocks, int ranks, fovea_cut **out) {
  if (ranks > blocks)
    return fovea_fail(FOVEA_INVALID, "ranks: %d for a batch of %d blocks of 16 images, of which each has one at least",
                      ranks, blocks);
  fovea_cut *cut = calloc(1, sizeof *cut);
  if (cut) cut->first = calloc((size_t)ranks + 1, sizeof *cut->first);
  if (cut) cut->merges = calloc((size_t)ranks, sizeof *cut->merges);
  if (!cut || !cut->first || !cut->merges) {
    fovea_cut_destroy(cut);
    return fovea_fail(FOVEA_NO_MEMORY, "ranks: host memory ran out");
  }
  cut->ranks = 1, cut->first[1] = blocks;
  while (cut->ranks < ranks) divide_largest(cut, &cut->merges[ranks - 1 - cut->ranks]); /* the last one is done first */
  for (int i = 0; i + 1 < ranks; i++) {
    cut->merges[i].into = rank_with(cut, cut->merges[i].first);
    cut->merges[i].from = rank_with(cut, cut->merges[i].middle);
  }
  *out = cut;
  return FOVEA_OK;
}

void fovea_cut_destroy(fovea_cut *cut) {
  if (!cut) return;
  free(cut->first);
  free(cut->merges);
  free(cut);
}
