/* Images of a source as records of a packed set, made by threads ahead of who writes them. */
#ifndef FOVEA_DATA_LANES_H
#define FOVEA_DATA_LANES_H

#include "data/source.h"

typedef struct fovea_lanes fovea_lanes;

/* The images at the ascending places[count] of the source, in this order, by up to `threads` threads, or by one where
 * the source gives one after the other. All must outlive it. FOVEA_NO_MEMORY. */
fovea_status fovea_lanes_create(fovea_source *source, const uint32_t *places, size_t count, int threads,
                                fovea_lanes **lanes);
void fovea_lanes_destroy(fovea_lanes *lanes); /* takes NULL */

/* The next records, *count of them, one after the other: each an image and the 8 bytes of its checksum; valid up to the
 * next call. After the last the source's end is checked, and *count is 0. Statuses as the source's. */
fovea_status fovea_lanes_next(fovea_lanes *lanes, const uint8_t **records, size_t *count);

#endif
