/* Folders of pictures as a data set; the rules are in fovea/data.h. */
#ifndef FOVEA_DATA_PICTURE_FOLDER_H
#define FOVEA_DATA_PICTURE_FOLDER_H

#include "data/folders.h"
#include "data/source.h"

/* Fills *set, whose report is there already, from split 0 ("train") or 1 ("test") of the folders; with no image
 * where the data folder itself is one without any picture. FOVEA_IO, FOVEA_INVALID and FOVEA_NO_MEMORY as
 * fovea_dataset_load. */
fovea_status fovea_picture_folder_load(const fovea_folders *where, int split, const fovea_load_options *options,
                                       fovea_dataset *set);

/* The same, but that the pictures are left to the source, which reads them in any order and by several threads. With
 * options->skip_bad what is damaged still fails it. *set has no pixels. */
fovea_status fovea_picture_folder_source(const fovea_folders *where, int split, const fovea_load_options *options,
                                         fovea_dataset *set, fovea_source *source);

#endif
