/* Folders of pictures as a data set; the rules are in fovea/data.h. */
#ifndef FOVEA_DATA_PICTURE_FOLDER_H
#define FOVEA_DATA_PICTURE_FOLDER_H

#include "data/folders.h"
#include "data/load.h"
#include "data/source.h"

/* Fills set[0] of "train" and set[1] of "test", whose reports are there already; a split without a set is not loaded.
 * Pictures are read by several threads; bytes, remarks and the failure that is told are those of one. Without any
 * picture where the data folder itself is one, the sets have none. FOVEA_IO, FOVEA_INVALID and FOVEA_NO_MEMORY as
 * fovea_dataset_load. */
fovea_status fovea_picture_folder_load(const fovea_folders *where, const fovea_load_options *const options[2],
                                       const fovea_load_watch *watch, fovea_dataset *const set[2]);

/* The same of both, but that the pictures are left to the sources, which read them in any order and by several threads.
 * With skip_bad what is damaged still fails it. The sets have no pixels. */
fovea_status fovea_picture_folder_sources(const fovea_folders *where, const fovea_load_options *const options[2],
                                          fovea_dataset *const set[2], fovea_source *const source[2]);

#endif
