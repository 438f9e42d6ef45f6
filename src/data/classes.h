/* The one list of classes of both splits. */
#ifndef FOVEA_DATA_CLASSES_H
#define FOVEA_DATA_CLASSES_H

#include "data/listing.h"

enum { FOVEA_MAX_CLASSES = 65536 };

typedef struct fovea_classes {
  fovea_names names; /* of the subfolders of either split, sorted by bytes */
  uint16_t *label;
} fovea_classes;

/* The classes of two splits with these subfolders. What is surprising about them is remarked in `report`. FOVEA_INVALID
 * when they are too many; FOVEA_NO_MEMORY. End with fovea_classes_free, also after a failure. */
fovea_status fovea_classes_make(const fovea_names *mine, const fovea_names *other, fovea_data_report *report,
                                fovea_classes *classes);
void fovea_classes_free(fovea_classes *classes);

/* The label of the class of this name, which is there. */
uint16_t fovea_classes_label(const fovea_classes *classes, const char *name);

#endif
