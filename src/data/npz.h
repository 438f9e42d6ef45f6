/* The arrays in an .npz file. */
#ifndef FOVEA_DATA_NPZ_H
#define FOVEA_DATA_NPZ_H

#include "data/listing.h"

/* Appends their names, without .npy, in the order of the file. FOVEA_INVALID when it is no good zip archive; FOVEA_IO,
 * FOVEA_NO_MEMORY. */
fovea_status fovea_npz_list(const char *path, fovea_names *names);

#endif
