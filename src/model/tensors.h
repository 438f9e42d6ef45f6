/* A network's parameters and Adam's moments as tensors of a file: every parameter under its own name, the moments under
 * optimizer.m.NAME and optimizer.v.NAME. */
#ifndef FOVEA_MODEL_TENSORS_H
#define FOVEA_MODEL_TENSORS_H

#include "fovea/network.h"
#include "fovea/safetensors.h"

enum { FOVEA_TENSOR_NAME = 192 };

typedef struct fovea_tensors {
  fovea_safetensor *tensors;
  char (*names)[FOVEA_TENSOR_NAME];
  float **data;
  size_t count; /* of those in use; room is there for what `begin` was told */
} fovea_tensors;

/* Room for all of the network's, and `more`. To be ended, whatever it returns. */
fovea_status fovea_tensors_begin(fovea_tensors *t, const fovea_network *network, size_t more);
void fovea_tensors_end(fovea_tensors *t);

/* Copies the parameters, with `moments` those too. FOVEA_MISMATCH when a number is NaN or infinite. */
fovea_status fovea_tensors_gather(fovea_tensors *t, fovea_network *network, bool moments);

/* Copies the tensor `name`, of dims[rank], as floats. It is F32, or, unless its bits count (`exact`), F64, F16 or BF16.
 * FOVEA_INVALID for another type or shape, and a number that is not finite. */
fovea_status fovea_tensors_read(const fovea_safetensors *file, const char *name, int rank, const int *dims, bool exact,
                                float *data);

/* Checks that the file has them all, of the right shapes and finite, and, but for optimizer.* and state.*, no others;
 * then sets them. With `moments` all of them are exact. Nothing is set after FOVEA_INVALID. */
fovea_status fovea_tensors_set(const fovea_safetensors *file, fovea_network *network, bool moments);

#endif
