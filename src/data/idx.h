/* IDX files of unsigned bytes, as MNIST's (yann.lecun.com/exdb/mnist). */
#ifndef FOVEA_DATA_IDX_H
#define FOVEA_DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "base/gzip.h"
#include "fovea/status.h"

enum { FOVEA_IDX_RANK = 4 };

typedef struct fovea_idx {
  const char *path; /* borrowed */
  int rank;
  uint32_t dims[FOVEA_IDX_RANK]; /* the header's, big-endian in the file */
  size_t item;                   /* bytes of one item: the product of dims[1] .. dims[rank-1] */
  fovea_gzip *file;
} fovea_idx;

/* Opens the IDX file `path`, gzipped or not, whose rank must be in min_rank .. max_rank, and reads its header, which is
 * checked against the file's size. `path` must outlive *idx, which is to be closed with fovea_idx_close. FOVEA_INVALID
 * when it is not such a file, FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_idx_open(const char *path, int min_rank, int max_rank, fovea_idx *idx);

/* Reads the `count` items whose places are in `index`, ascending; with NULL the first `count`. *data is count x item
 * bytes, to be freed with free(). The whole file is gone through whatever is chosen: it must end where the header says,
 * with a good CRC if it has one. Once after an open. FOVEA_INVALID, FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_idx_read(fovea_idx *idx, const uint32_t *index, size_t count, uint8_t **data);

void fovea_idx_close(fovea_idx *idx); /* takes a zeroed one */

#endif
