/* Folders of PNGs as a data set; the rules are in fovea/data.h. */
#ifndef FOVEA_DATA_PNG_FOLDER_H
#define FOVEA_DATA_PNG_FOLDER_H

#include "fovea/data.h"

/* FOVEA_IO, FOVEA_INVALID and FOVEA_NO_MEMORY as fovea_dataset_load. limit 0: all. */
fovea_status fovea_png_folder_load(const char *dir, size_t limit, fovea_dataset **dataset);

#endif
