/* A split of IDX files as a data set; the rules are in fovea/data.h. */
#ifndef FOVEA_DATA_IDX_SET_H
#define FOVEA_DATA_IDX_SET_H

#include "fovea/data.h"

/* Fills *set, whose report is there already, from a file of images and one of labels, or NULL. limit 0: all.
 * FOVEA_IO, FOVEA_INVALID and FOVEA_NO_MEMORY as fovea_dataset_load. */
fovea_status fovea_idx_set_load(const char *images, const char *labels, size_t limit, fovea_dataset *set);

#endif
