/* A tensor of a safetensors file as an array. The file is read whole. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/array.h"
#include "fovea/safetensors.h"

typedef struct memory {
  fovea_safetensors *file;
  const uint8_t *at;
  size_t left;
} memory;

static fovea_status memory_read(void *of, void *data, size_t size, size_t *got) {
  memory *m = of;
  *got = size < m->left ? size : m->left;
  if (*got > 0) memcpy(data, m->at, *got);
  m->at += *got;
  m->left -= *got;
  return FOVEA_OK;
}

static void memory_close(void *of) {
  memory *m = of;
  fovea_safetensors_close(m->file);
  free(m);
}

static const struct {
  const char *dtype;
  char type;
  uint8_t size;
} types[] = {{"U8", 'u', 1},  {"BOOL", 'u', 1}, {"I8", 'i', 1},  {"U16", 'u', 2}, {"I16", 'i', 2}, {"U32", 'u', 4},
             {"I32", 'i', 4}, {"U64", 'u', 8},  {"I64", 'i', 8}, {"F32", 'f', 4}, {"F64", 'f', 8}};

static fovea_status describe(const fovea_safetensor *t, fovea_array *a) {
  size_t i = 0;
  while (i < sizeof types / sizeof *types && strcmp(types[i].dtype, t->dtype) != 0) i++;
  if (i == sizeof types / sizeof *types)
    return fovea_fail(FOVEA_INVALID, "%s has numbers of type %s; read are whole numbers, F32 and F64", a->name,
                      t->dtype);
  if (t->rank < 1) return fovea_fail(FOVEA_INVALID, "%s is a single number and no array", a->name);
  a->type = types[i].type;
  a->size = types[i].size;
  a->boolean = strcmp(t->dtype, "BOOL") == 0;
  a->rank = t->rank;
  for (int k = 0; k < t->rank; k++) a->dims[k] = (size_t)t->dims[k];
  a->stream.bound = t->size;
  return fovea_array_check(a);
}

fovea_status fovea_safetensors_begin(const fovea_array_place *place, fovea_array *a) {
  _Static_assert((int)FOVEA_SAFETENSOR_RANK == (int)FOVEA_ARRAY_RANK, "every tensor is an array");
  memory *m = calloc(1, sizeof *m);
  const fovea_safetensor *tensor = NULL;
  if (m == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read %s", a->name);
  a->stream = (fovea_stream){.of = m, .read = memory_read, .close = memory_close};
  fovea_status status = fovea_safetensors_open(place->path, &m->file);
  if (status == FOVEA_OK) status = fovea_safetensors_find(m->file, place->member, &tensor);
  if (status == FOVEA_OK) {
    m->at = tensor->data;
    m->left = tensor->size;
    status = describe(tensor, a);
  }
  if (status != FOVEA_OK) fovea_array_close(a);
  return status;
}
