/* IDX files of unsigned bytes, as MNIST's (yann.lecun.com/exdb/mnist). */
#ifndef FOVEA_DATA_IDX_H
#define FOVEA_DATA_IDX_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

enum { FOVEA_IDX_RANK = 4 };

typedef struct fovea_idx {
  int rank;
  uint32_t dims[FOVEA_IDX_RANK]; /* the header's, big-endian in the file */
  size_t item;                   /* bytes of one item: the product of dims[1] .. dims[rank-1] */
  size_t count;                  /* items loaded, at most dims[0] */
  uint8_t *data;                 /* count x item, to be freed with free() */
} fovea_idx;

/* Loads the first `limit` items (0: all) of the IDX file `path`, gzipped or not, whose rank must be in min_rank ..
 * max_rank. The header is checked against the file's size; without a limit the file must also end where the header
 * says. FOVEA_INVALID when it is not such a file, FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_idx_load(const char *path, int min_rank, int max_rank, size_t limit, fovea_idx *idx);

#endif
