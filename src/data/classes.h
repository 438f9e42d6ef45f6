/* The one list of classes of both splits. */
#ifndef FOVEA_DATA_CLASSES_H
#define FOVEA_DATA_CLASSES_H

#include "data/listing.h"

enum { FOVEA_MAX_CLASSES = 256 };

typedef struct fovea_classes {
  fovea_names names; /* of the subfolders of either split, sorted by bytes */
  uint16_t label[FOVEA_MAX_CLASSES];
} fovea_classes;

/* The classes of a split with these subfolders and of the one in the folder `other`, which need not be there. What is
 * surprising about them is remarked in `report`. FOVEA_INVALID when they are too many; FOVEA_IO, FOVEA_NO_MEMORY. End
 * with fovea_classes_free, also after a failure. */
fovea_status fovea_classes_make(const char *dir, const fovea_names *folders, const char *other,
                                fovea_data_report *report, fovea_classes *classes);
void fovea_classes_free(fovea_classes *classes);

#endif
