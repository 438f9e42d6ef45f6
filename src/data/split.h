/* A test split out of a set that has none. */
#ifndef FOVEA_DATA_SPLIT_H
#define FOVEA_DATA_SPLIT_H

#include "fovea/data.h"

/* The places, ascending, of the images that test (`part` of n, at least one, rounded), or of the others, which train:
 * *count of them, in index[n]. A fair sample as fovea_dataset_sample's, of the stream 'SPLT' and with key {seed low,
 * seed high}. `labels` may be NULL. FOVEA_INVALID when one of the two would be empty; FOVEA_NO_MEMORY. */
fovea_status fovea_split(const uint16_t *labels, size_t n, double part, uint64_t seed, bool test, uint32_t *index,
                         size_t *count);

#endif
