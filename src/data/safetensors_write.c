#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "data/safetensors.h"

static fovea_status add_text(const char *path, json_t *object, const char *key, const char *value) {
  if (json_object_get(object, key) != NULL)
    return fovea_fail(FOVEA_INVALID, "cannot write '%s': the metadata key '%s' is given twice", path, key);
  if (json_object_set_new(object, key, json_string(value)) != 0)
    return fovea_fail(FOVEA_INVALID, "cannot write '%s': the metadata '%s' is not UTF-8 (or memory ran out)", path,
                      key);
  return FOVEA_OK;
}

/* {"dtype":..,"shape":[..],"data_offsets":[begin,end]}; NULL when memory ran out. */
static json_t *describe(const fovea_safetensor *tensor, size_t begin, size_t end) {
  json_t *shape = json_array();
  int failed = shape == NULL;
  for (int d = 0; d < tensor->rank && !failed; d++)
    failed = json_array_append_new(shape, json_integer((json_int_t)tensor->dims[d])) != 0;
  if (failed) {
    json_decref(shape);
    return NULL;
  }
  return json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensor->dtype, "shape", shape, "data_offsets", (json_int_t)begin,
                   (json_int_t)end);
}

/* Adds the tensors to the header, and their bytes to the hash. */
static fovea_status add_tensors(const char *path, const fovea_safetensor *tensors, size_t count, json_t *header,
                                XXH64_state_t *data) {
  size_t end = 0;
  XXH64_reset(data, 0);
  for (size_t i = 0; i < count; i++) {
    const fovea_safetensor *t = &tensors[i];
    size_t size, begin = end;
    fovea_status status = fovea_safetensors_size(path, t, &size);
    if (status != FOVEA_OK) return status;
    if (size > 0 && !t->data)
      return fovea_fail(FOVEA_INVALID, "cannot write '%s': the data of tensor '%s' are NULL", path, t->name);
    for (int d = 0; d < t->rank; d++)
      if (t->dims[d] > INT64_MAX)
        return fovea_fail(FOVEA_INVALID, "cannot write '%s': tensor '%s' has a dimension over 2^63", path, t->name);
    if (size > PTRDIFF_MAX - begin)
      return fovea_fail(FOVEA_INVALID, "cannot write '%s': its size overflows at tensor '%s'", path, t->name);
    if (json_object_get(header, t->name) != NULL) /* "__metadata__" is there as well */
      return fovea_fail(FOVEA_INVALID, "cannot write '%s': the name '%s' is given twice or reserved", path, t->name);
    end = begin + size;
    json_t *entry = describe(t, begin, end);
    if (entry == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path);
    if (json_object_set_new(header, t->name, entry) != 0)
      return fovea_fail(FOVEA_INVALID, "cannot write '%s': the name of tensor %zu is not UTF-8 (or memory ran out)",
                        path, i);
    XXH64_update(data, t->data, size);
  }
  return FOVEA_OK;
}

/* Fills the metadata, the two hashes last. */
static fovea_status add_metadata(const char *path, const fovea_safetensor *tensors, size_t count,
                                 const fovea_safetensor_text *metadata, size_t metadata_count,
                                 const XXH64_state_t *data, json_t *object) {
  char text[FOVEA_SAFETENSORS_HASH];
  XXH64_state_t hash;
  fovea_status status = FOVEA_OK;
  fovea_safetensors_hash_tensors(&hash, tensors, count);
  for (size_t i = 0; i < metadata_count && status == FOVEA_OK; i++) {
    const char *key = metadata[i].key;
    if (strcmp(key, "data_hash") == 0 || strcmp(key, "header_hash") == 0)
      return fovea_fail(FOVEA_INVALID, "cannot write '%s': the metadata key '%s' is reserved", path, key);
    status = add_text(path, object, key, metadata[i].value);
    fovea_safetensors_hash_text(&hash, key);
    fovea_safetensors_hash_text(&hash, metadata[i].value);
  }
  fovea_safetensors_hash_name(data, text);
  if (status == FOVEA_OK) status = add_text(path, object, "data_hash", text);
  fovea_safetensors_hash_text(&hash, "data_hash");
  fovea_safetensors_hash_text(&hash, text);
  fovea_safetensors_hash_name(&hash, text);
  if (status == FOVEA_OK) status = add_text(path, object, "header_hash", text);
  return status;
}

/* Makes the header's text with its length before it and its padding; *size is all of it. */
static fovea_status make_header(const char *path, const fovea_safetensor *tensors, size_t count,
                                const fovea_safetensor_text *metadata, size_t metadata_count, char **bytes,
                                size_t *size) {
  char *text = NULL;
  XXH64_state_t data;
  json_t *object = json_object();
  json_t *header = json_pack("{s:o}", "__metadata__", object); /* takes object, also when it fails */
  fovea_status status = header == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path)
                                       : add_tensors(path, tensors, count, header, &data);
  if (status == FOVEA_OK) status = add_metadata(path, tensors, count, metadata, metadata_count, &data, object);
  if (status == FOVEA_OK) {
    size_t length = json_dumpb(header, NULL, 0, JSON_COMPACT);
    size_t padded = (length + 7) / 8 * 8;
    if (length > FOVEA_SAFETENSORS_HEADER - 8) {
      status = fovea_fail(FOVEA_INVALID, "cannot write '%s': its header would have %zu bytes, at most %d are allowed",
                          path, length, FOVEA_SAFETENSORS_HEADER);
    } else if (length == 0 || (text = malloc(8 + padded)) == NULL ||
               json_dumpb(header, text + 8, padded, JSON_COMPACT) != length) {
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path);
    } else {
      uint64_t number = padded;
      memcpy(text, &number, 8);
      memset(text + 8 + length, ' ', padded - length);
      *bytes = text;
      *size = 8 + padded;
    }
  }
  if (status != FOVEA_OK) free(text);
  json_decref(header);
  return status;
}

static fovea_status check_texts(const fovea_safetensor *tensors, size_t count, const fovea_safetensor_text *metadata,
                                size_t metadata_count) {
  for (size_t i = 0; i < count; i++)
    if (!tensors[i].name || !tensors[i].dtype)
      return fovea_fail(FOVEA_INVALID, "fovea_safetensors_write: the %s of tensor %zu is NULL",
                        tensors[i].name ? "dtype" : "name", i);
  for (size_t i = 0; i < metadata_count; i++)
    if (!metadata[i].key || !metadata[i].value)
      return fovea_fail(FOVEA_INVALID, "fovea_safetensors_write: the %s of metadata %zu is NULL",
                        metadata[i].key ? "value" : "key", i);
  return FOVEA_OK;
}

fovea_status fovea_safetensors_write(const char *path, const fovea_safetensor *tensors, size_t count,
                                     const fovea_safetensor_text *metadata, size_t metadata_count) {
  if (!path) return fovea_fail_null("path");
  if (!tensors && count > 0) return fovea_fail_null("tensors");
  if (!metadata && metadata_count > 0) return fovea_fail_null("metadata");
  char *header = NULL;
  size_t size;
  fovea_file *file;
  fovea_status status = check_texts(tensors, count, metadata, metadata_count);
  if (status == FOVEA_OK) status = make_header(path, tensors, count, metadata, metadata_count, &header, &size);
  if (status != FOVEA_OK) return status;
  status = fovea_file_begin(path, &file);
  if (status == FOVEA_OK) {
    status = fovea_file_put(file, header, size);
    for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
      status = fovea_safetensors_size(path, &tensors[i], &size);
      if (status == FOVEA_OK) status = fovea_file_put(file, tensors[i].data, size);
    }
    if (status == FOVEA_OK) {
      status = fovea_file_commit(file);
    } else {
      fovea_file_abandon(file);
    }
  }
  free(header);
  return status;
}
