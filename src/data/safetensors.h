/* What the writer and the reader of safetensors share. */
#ifndef FOVEA_DATA_SAFETENSORS_H
#define FOVEA_DATA_SAFETENSORS_H

#include <stdbool.h>

#include "base/hash.h"
#include "fovea/safetensors.h"

enum { FOVEA_SAFETENSORS_HEADER = 100000000, FOVEA_SAFETENSORS_HASH = 32 };

/* The name and the bytes of the dtype at `index`; NULL after the last. */
const char *fovea_safetensors_dtype(size_t index, size_t *size);

/* Checks the dtype, rank and dims of a tensor and gives its bytes. FOVEA_INVALID with `path`. */
fovea_status fovea_safetensors_size(const char *path, const fovea_safetensor *tensor, size_t *size);

/* The two hashes: of the tensors' part of the header, to which the pairs are put one after the other, and as text. */
void fovea_safetensors_hash_tensors(XXH64_state_t *hash, const fovea_safetensor *tensors, size_t count);
void fovea_safetensors_hash_text(XXH64_state_t *hash, const char *text);
void fovea_safetensors_hash_name(const XXH64_state_t *hash, char name[FOVEA_SAFETENSORS_HASH]);

/* Whether a tensor is of F32, F64, F16 or BF16. */
bool fovea_safetensors_has_floats(const fovea_safetensor *tensor);

/* Copies `count` numbers of such a tensor as floats; of F64 the nearest. FOVEA_INVALID, naming the tensor and the
 * place, where one is not finite, or not as a float. */
fovea_status fovea_safetensors_floats(const fovea_safetensor *tensor, size_t count, float *data);

#endif
