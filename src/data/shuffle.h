/* The order in which an epoch sees the images: a function of the seed and the epoch alone. */
#ifndef FOVEA_DATA_SHUFFLE_H
#define FOVEA_DATA_SHUFFLE_H

#include <stddef.h>
#include <stdint.h>

/* Writes a permutation of 0 .. count-1 to order[count]; count is at most 2^32. Fisher and Yates, from i = count-1 down
 * to 1 swapping order[i] with order[j]; j = floor(x * (i + 1) / 2^64), where x is words 0 (low) and 1 (high) of
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11) with key {seed low, seed high} and
 * counter {i, 0, 0x53485546, epoch}; the third word is the stream, 'SHUF'. The bias of j is under (i + 1) / 2^64. */
void fovea_shuffle(uint32_t *order, size_t count, uint64_t seed, uint32_t epoch);

#endif
