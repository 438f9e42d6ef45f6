/* Decoding one PNG into a data set. */
#ifndef FOVEA_DATA_PNG_H
#define FOVEA_DATA_PNG_H

#include "fovea/data.h"

/* How many images have a property that is ignored. */
typedef struct fovea_png_notes {
  size_t transparent; /* a transparent colour (tRNS) */
  size_t turned;      /* an orientation that is not upright (eXIf) */
} fovea_png_notes;

/* Decodes the PNG at `path` into image n of the `count` of the set; image 0 decides the set's size and allocates its
 * pixels. Counts in *notes. FOVEA_INVALID, FOVEA_IO, FOVEA_NO_MEMORY as fovea_dataset_load. */
fovea_status fovea_png_load(const char *path, size_t n, size_t count, fovea_dataset *set, fovea_png_notes *notes);

#endif
