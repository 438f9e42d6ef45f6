/* A test split out of a set that has none. */
#ifndef FOVEA_DATA_SPLIT_H
#define FOVEA_DATA_SPLIT_H

#include "fovea/data.h"

/* The places, ascending, of the images that test (`part` of n, at least one, rounded), or of the others, which train:
 * *count of them, in index[n]. A fair sample as fovea_dataset_sample's, of the stream 'SPLT' and with key {seed low,
 * seed high}. `labels` may be NULL. FOVEA_INVALID when one of the two would be empty; FOVEA_NO_MEMORY. */
fovea_status fovea_split(const uint16_t *labels, size_t n, double part, uint64_t seed, bool test, uint32_t *index,
                         size_t *count);

/* Whether the picture at this path below the data folder tests, when `part` of the pictures does: where its word, over
 * 2^64, is below `part`. No other picture has a say, so what is added moves none from training to testing.
 *
 * The word is that of Philox4x32-10 with key {seed low, seed high} and counter {h low, h high, 'SPLT', 1}, plus n times
 * 0x9e3779b97f4a7c15, the golden ratio's fraction; n is the last number in the file's name without its suffix (0 for
 * none), and h XXH64 of the path without its digits. Multiples of that ratio fall evenly (Knuth, TAOCP 3, 6.4): of a
 * class whose files are numbered one after the other the share is right but for one or two; of others, but for chance.
 * *word is for comparing pictures. FOVEA_NO_MEMORY. */
fovea_status fovea_split_tests(const char *path, double part, uint64_t seed, bool *test, uint64_t *word);

#endif
