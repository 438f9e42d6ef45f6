#include <stdio.h>

#include "data/array.h"
#include "data/foreign.h"

fovea_status fovea_array_open(const fovea_array_place *place, fovea_array *a) {
  *a = (fovea_array){.rank = 0};
  if (place->member != NULL)
    snprintf(a->name, sizeof a->name, "'%.400s', array '%.100s'", place->path, place->member);
  else
    snprintf(a->name, sizeof a->name, "'%.500s'", place->path);
  if (place->kind == FOVEA_ARRAY_NPZ) return fovea_npz_begin(place, a);
  if (place->kind == FOVEA_ARRAY_SAFETENSORS) return fovea_safetensors_begin(place, a);
  fovea_status status = fovea_foreign_check(place->path);
  if (status == FOVEA_OK) status = fovea_stream_open(place->path, &a->stream);
  if (status != FOVEA_OK) return status;
  return place->kind == FOVEA_ARRAY_IDX ? fovea_idx_begin(a) : fovea_npy_begin(a);
}
