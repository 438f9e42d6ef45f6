#include "data/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little-endian, and is read in place");

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {{"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8}, {"I32", 4},  {"U32", 4}, {"F16", 2},     {"BF16", 2},
              {"I16", 2}, {"U16", 2}, {"I8", 1},  {"U8", 1},  {"BOOL", 1}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

const char *fovea_safetensors_dtype(size_t index, size_t *size) {
  if (index >= sizeof dtypes / sizeof *dtypes) return NULL;
  *size = dtypes[index].size;
  return dtypes[index].name;
}

fovea_status fovea_safetensors_size(const char *path, const fovea_safetensor *tensor, size_t *size) {
  const char *name = NULL;
  size_t bytes = 0, i = 0;
  do name = fovea_safetensors_dtype(i++, &bytes);
  while (name != NULL && strcmp(name, tensor->dtype) != 0);
  if (name == NULL)
    return fovea_fail(FOVEA_INVALID, "'%s': tensor '%s' has the dtype '%s', which is not known", path, tensor->name,
                      tensor->dtype);
  if (tensor->rank < 0 || tensor->rank > FOVEA_SAFETENSOR_RANK)
    return fovea_fail(FOVEA_INVALID, "'%s': tensor '%s' has rank %d, at most %d is possible", path, tensor->name,
                      tensor->rank, FOVEA_SAFETENSOR_RANK);
  for (int d = 0; d < tensor->rank; d++) {
    uint64_t dim = tensor->dims[d];
    /* A zero may stand after dims whose product is too large; as in the reference, that is an overflow all the same. */
    if (dim != 0 && bytes > PTRDIFF_MAX / dim)
      return fovea_fail(FOVEA_INVALID, "'%s': the size of tensor '%s' overflows at its dimension %d, %" PRIu64, path,
                        tensor->name, d + 1, dim);
    bytes *= (size_t)dim;
  }
  *size = bytes;
  return FOVEA_OK;
}

void fovea_safetensors_hash_text(XXH64_state_t *hash, const char *text) { XXH64_update(hash, text, strlen(text) + 1); }

void fovea_safetensors_hash_tensors(XXH64_state_t *hash, const fovea_safetensor *tensors, size_t count) {
  uint64_t number = count;
  XXH64_reset(hash, 0);
  XXH64_update(hash, &number, 8);
  for (size_t i = 0; i < count; i++) {
    fovea_safetensors_hash_text(hash, tensors[i].name);
    fovea_safetensors_hash_text(hash, tensors[i].dtype);
    number = (uint64_t)tensors[i].rank;
    XXH64_update(hash, &number, 8);
    XXH64_update(hash, tensors[i].dims, 8 * (size_t)tensors[i].rank);
  }
}

void fovea_safetensors_hash_name(const XXH64_state_t *hash, char name[FOVEA_SAFETENSORS_HASH]) {
  snprintf(name, FOVEA_SAFETENSORS_HASH, "xxh64:%016" PRIx64, XXH64_digest(hash));
}
