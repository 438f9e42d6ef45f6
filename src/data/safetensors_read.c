#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/safetensors.h"

struct fovea_safetensors {
  char *path;
  uint8_t *bytes; /* the file */
  size_t size;
  const uint8_t *data; /* in bytes, after the header */
  size_t data_size;
  json_t *header;   /* owns the names and the metadata */
  json_t *metadata; /* borrowed from the header; NULL if it has none */
  fovea_safetensor *tensors;
  size_t count;
};

void fovea_safetensors_close(fovea_safetensors *file) {
  if (file == NULL) return;
  json_decref(file->header);
  free(file->tensors);
  free(file->bytes);
  free(file->path);
  free(file);
}

static fovea_status parse(fovea_safetensors *file) {
  uint64_t length;
  if (file->size < 8)
    return fovea_fail(FOVEA_INVALID, "'%s' has %zu bytes, too few for a safetensors file", file->path, file->size);
  memcpy(&length, file->bytes, 8);
  if (length > FOVEA_SAFETENSORS_HEADER || length > file->size - 8)
    return fovea_fail(FOVEA_INVALID,
                      "'%s' says that its safetensors header has %llu bytes; the file has %zu, and at most %d are "
                      "allowed",
                      file->path, (unsigned long long)length, file->size, FOVEA_SAFETENSORS_HEADER);
  if (length == 0 || file->bytes[8] != '{')
    return fovea_fail(FOVEA_INVALID, "'%s': its safetensors header does not begin with '{'", file->path);
  json_error_t error;
  file->header = json_loadb((const char *)file->bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &error);
  /* Of most of its failed allocations jansson says nothing, not even that. */
  if (file->header == NULL && (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0'))
    return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", file->path);
  if (file->header == NULL)
    return fovea_fail(FOVEA_INVALID, "'%s': its safetensors header is not good JSON: %s, at byte %d", file->path,
                      error.text, error.position);
  file->data = file->bytes + 8 + length;
  file->data_size = file->size - 8 - (size_t)length;
  return FOVEA_OK;
}

static fovea_status read_metadata(fovea_safetensors *file) {
  const char *key;
  json_t *value;
  file->metadata = json_object_get(file->header, "__metadata__");
  if (file->metadata != NULL && !json_is_object(file->metadata))
    return fovea_fail(FOVEA_INVALID, "'%s': its __metadata__ is not an object", file->path);
  json_object_foreach(file->metadata, key, value) {
    if (!json_is_string(value))
      return fovea_fail(FOVEA_INVALID, "'%s': the metadata '%s' is not a string", file->path, key);
  }
  return FOVEA_OK;
}

/* The integer at `i` of an array, when there is one that is not negative. */
static bool natural(const json_t *array, size_t i, uint64_t *value) {
  const json_t *element = json_array_get(array, i);
  if (!json_is_integer(element) || json_integer_value(element) < 0) return false;
  *value = (uint64_t)json_integer_value(element);
  return true;
}

static fovea_status read_tensor(const fovea_safetensors *file, const char *name, const json_t *entry,
                                fovea_safetensor *tensor) {
  const json_t *dtype = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
  const json_t *offsets = json_object_get(entry, "data_offsets");
  uint64_t begin, end;
  if (json_object_size(entry) != 3 || !json_is_string(dtype) || !json_is_array(shape) || json_array_size(offsets) != 2)
    return fovea_fail(FOVEA_INVALID, "'%s': tensor '%s' does not have exactly a dtype, a shape and two data_offsets",
                      file->path, name);
  if (!natural(offsets, 0, &begin) || !natural(offsets, 1, &end) || begin > end || end > file->data_size)
    return fovea_fail(FOVEA_INVALID, "'%s': the data_offsets of tensor '%s' are not in order within 0 .. %zu",
                      file->path, name, file->data_size);
  size_t rank = json_array_size(shape), size = 0;
  *tensor = (fovea_safetensor){.name = name, .dtype = json_string_value(dtype)};
  tensor->rank = rank > FOVEA_SAFETENSOR_RANK ? FOVEA_SAFETENSOR_RANK + 1 : (int)rank;
  for (size_t d = 0; d < rank && d < FOVEA_SAFETENSOR_RANK; d++)
    if (!natural(shape, d, &tensor->dims[d]))
      return fovea_fail(FOVEA_INVALID, "'%s': dimension %zu of tensor '%s' is not a natural number", file->path, d + 1,
                        name);
  fovea_status status = fovea_safetensors_size(file->path, tensor, &size);
  if (status != FOVEA_OK) return status;
  if (size != end - begin)
    return fovea_fail(FOVEA_INVALID, "'%s': tensor '%s' has %llu bytes of data, but its shape and dtype need %zu",
                      file->path, name, (unsigned long long)(end - begin), size);
  tensor->data = file->data + begin;
  tensor->size = size;
  return FOVEA_OK;
}

/* By place of the data; an empty tensor comes before the one that begins where it does. */
static int by_data(const void *a, const void *b) {
  const fovea_safetensor *x = a, *y = b;
  const uint8_t *p = x->data, *q = y->data;
  if (p != q) return (p > q) - (p < q);
  return (x->size > y->size) - (x->size < y->size);
}

/* Sorts by place. What the writer wrote is sorted already, and stays as it is: qsort might swap empty tensors, and the
 * header's hash depends on their order. */
static void sort(fovea_safetensor *tensors, size_t count) {
  bool sorted = true;
  for (size_t i = 1; i < count; i++) sorted = sorted && by_data(&tensors[i - 1], &tensors[i]) <= 0;
  if (!sorted) qsort(tensors, count, sizeof *tensors, by_data);
}

/* Says first what is the matter with a file that was cut, or to which something was appended. */
static fovea_status check_length(const fovea_safetensors *file) {
  const char *name;
  json_t *entry;
  uint64_t end, last = 0;
  json_object_foreach(file->header, name, entry) {
    if (entry != file->metadata && natural(json_object_get(entry, "data_offsets"), 1, &end) && end > last) last = end;
  }
  if (last == file->data_size) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s' is %s than its header says: it has %zu bytes, and its tensors end at %llu",
                    file->path, last > file->data_size ? "shorter" : "longer", file->size,
                    (unsigned long long)(last + (file->size - file->data_size)));
}

static fovea_status read_tensors(fovea_safetensors *file) {
  const char *name;
  json_t *entry;
  size_t entries = json_object_size(file->header), end = 0;
  file->tensors = malloc((entries + 1) * sizeof *file->tensors);
  if (file->tensors == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for the %zu tensors of '%s'", entries, file->path);
  json_object_foreach(file->header, name, entry) {
    if (entry == file->metadata) continue;
    fovea_status status = read_tensor(file, name, entry, &file->tensors[file->count]);
    if (status != FOVEA_OK) return status;
    file->count++;
  }
  sort(file->tensors, file->count);
  for (size_t i = 0; i < file->count; i++) {
    const fovea_safetensor *t = &file->tensors[i];
    size_t begin = (size_t)((const uint8_t *)t->data - file->data);
    if (begin != end)
      return fovea_fail(FOVEA_INVALID,
                        "'%s': the data of tensor '%s' begins at %zu, but the data before it ends at %zu", file->path,
                        t->name, begin, end);
    end += t->size;
  }
  return FOVEA_OK; /* check_length has looked where the last one ends */
}

static fovea_status compare(const fovea_safetensors *file, const char *key, const XXH64_state_t *hash) {
  char found[FOVEA_SAFETENSORS_HASH];
  const char *expected = fovea_safetensors_metadata(file, key);
  fovea_safetensors_hash_name(hash, found);
  if (strcmp(expected, found) == 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "'%s' is damaged: its %s says '%s', but it is '%s' (if another program rewrote the file, let it "
                    "remove data_hash and header_hash from __metadata__)",
                    file->path, key, expected, found);
}

static fovea_status check_hashes(const fovea_safetensors *file) {
  const char *data_hash = fovea_safetensors_metadata(file, "data_hash");
  const char *header_hash = fovea_safetensors_metadata(file, "header_hash");
  if (data_hash == NULL && header_hash == NULL) return FOVEA_OK;
  if (data_hash == NULL || header_hash == NULL)
    return fovea_fail(FOVEA_INVALID, "'%s' is damaged: of data_hash and header_hash only the %s is there", file->path,
                      data_hash == NULL ? "latter" : "former");
  XXH64_state_t hash;
  const char *key;
  json_t *value;
  fovea_safetensors_hash_tensors(&hash, file->tensors, file->count);
  json_object_foreach(file->metadata, key, value) {
    if (strcmp(key, "header_hash") == 0) continue;
    fovea_safetensors_hash_text(&hash, key);
    fovea_safetensors_hash_text(&hash, json_string_value(value));
  }
  fovea_status status = compare(file, "header_hash", &hash);
  if (status != FOVEA_OK) return status;
  XXH64_reset(&hash, 0);
  XXH64_update(&hash, file->data, file->data_size);
  return compare(file, "data_hash", &hash);
}

fovea_status fovea_safetensors_open(const char *path, fovea_safetensors **file) {
  if (!path || !file) return fovea_fail_null(path ? "file" : "path");
  fovea_safetensors *f = calloc(1, sizeof *f);
  if (f != NULL) f->path = strdup(path);
  fovea_status status = f == NULL || f->path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", path)
                                                     : fovea_file_read(path, PTRDIFF_MAX, &f->bytes, &f->size);
  if (status == FOVEA_OK) status = parse(f);
  if (status == FOVEA_OK) status = read_metadata(f);
  if (status == FOVEA_OK) status = check_length(f);
  if (status == FOVEA_OK) status = read_tensors(f);
  if (status == FOVEA_OK) status = check_hashes(f);
  if (status == FOVEA_OK) {
    *file = f;
  } else {
    fovea_safetensors_close(f);
  }
  return status;
}

size_t fovea_safetensors_count(const fovea_safetensors *file) { return file ? file->count : 0; }

const fovea_safetensor *fovea_safetensors_get(const fovea_safetensors *file, size_t i) {
  return file && i < file->count ? &file->tensors[i] : NULL;
}

fovea_status fovea_safetensors_find(const fovea_safetensors *file, const char *name, const fovea_safetensor **tensor) {
  if (!file) return fovea_fail_null("file");
  if (!name || !tensor) return fovea_fail_null(name ? "tensor" : "name");
  for (size_t i = 0; i < file->count; i++) {
    if (strcmp(file->tensors[i].name, name) != 0) continue;
    *tensor = &file->tensors[i];
    return FOVEA_OK;
  }
  return fovea_fail(FOVEA_INVALID, "'%s' has no tensor '%s'", file->path, name);
}

const char *fovea_safetensors_metadata(const fovea_safetensors *file, const char *key) {
  return file && key ? json_string_value(json_object_get(file->metadata, key)) : NULL;
}
