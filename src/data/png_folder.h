/* Folders of PNGs as a data set; the rules are in fovea/data.h. */
#ifndef FOVEA_DATA_PNG_FOLDER_H
#define FOVEA_DATA_PNG_FOLDER_H

#include "fovea/data.h"

/* Fills *set, whose report is there already, from the split in the folder `dir`; `other` is the folder of the other
 * split, which need not be there. limit 0: all. FOVEA_IO, FOVEA_INVALID and FOVEA_NO_MEMORY as fovea_dataset_load. */
fovea_status fovea_png_folder_load(const char *dir, const char *other, size_t limit, fovea_dataset *set);

#endif
