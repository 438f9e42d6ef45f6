/* Tensors in a file that any other tool reads: safetensors (github.com/huggingface/safetensors, README "Format"). */
#ifndef FOVEA_SAFETENSORS_H
#define FOVEA_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FOVEA_SAFETENSOR_RANK = 8 };

/* One tensor. Writing: the caller's strings and data, borrowed for the call. Reading: borrowed from the file. */
typedef struct fovea_safetensor {
  const char *name;  /* UTF-8, unique, not "__metadata__" */
  const char *dtype; /* BOOL U8 I8 F8_E4M3 F8_E5M2 I16 U16 F16 BF16 I32 U32 F32 I64 U64 F64 C64 */
  int rank;          /* 0 (a scalar) .. FOVEA_SAFETENSOR_RANK */
  uint64_t dims[FOVEA_SAFETENSOR_RANK];
  const void *data; /* row-major, little-endian; as read, it may lie at any address: copy it with memcpy */
  size_t size;      /* bytes: the product of dims times dtype's; set when read, not looked at when written */
} fovea_safetensor;

typedef struct fovea_safetensor_text {
  const char *key, *value; /* UTF-8 */
} fovea_safetensor_text;

/* Replaces `path` by a file of tensors[count] and metadata[metadata_count], both in the order given, in one step: a
 * crash leaves the old file or the new one. The same arguments give the same bytes. Added to the metadata:
 *
 * - "data_hash": "xxh64:" and 16 hexadecimal digits, XXH64 with seed 0 of the data section;
 * - "header_hash": likewise, of what the header says: the count of tensors as 8 bytes; for each its name and dtype,
 * each with a zero byte after it, and rank and dims as 8 bytes each; then each other pair's key and value likewise,
 * with data_hash last. Numbers are little-endian.
 *
 * `tensors` and `metadata` may be NULL where their count is 0.
 *
 * FOVEA_INVALID for a name or key twice or reserved, text that is not UTF-8, an unknown dtype, a rank or size out of
 * range, a header over 100,000,000 bytes; FOVEA_IO; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_safetensors_write(const char *path, const fovea_safetensor *tensors, size_t count,
                                               const fovea_safetensor_text *metadata, size_t metadata_count);

typedef struct fovea_safetensors fovea_safetensors;

/* Reads a whole file and verifies all of it: the header's length and JSON, no name twice, known dtypes, shapes that
 * agree with their bytes, data without hole, overlap or rest, metadata of strings; and the two hashes, if it has either
 * of them (then it must have both). FOVEA_INVALID with the file, what is wrong and what was expected; FOVEA_IO;
 * FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_safetensors_open(const char *path, fovea_safetensors **file);
FOVEA_API void fovea_safetensors_close(fovea_safetensors *file); /* takes NULL; ends what was borrowed from it */

/* The tensors in the order of their data; NULL where i is not below the count. */
FOVEA_API size_t fovea_safetensors_count(const fovea_safetensors *file);
FOVEA_API const fovea_safetensor *fovea_safetensors_get(const fovea_safetensors *file, size_t i);

/* The tensor called `name`, borrowed. FOVEA_INVALID, with the file's name, when there is none. */
FOVEA_API fovea_status fovea_safetensors_find(const fovea_safetensors *file, const char *name,
                                              const fovea_safetensor **tensor);

/* The value of a key of the metadata, borrowed, or NULL where there is no such key. */
FOVEA_API const char *fovea_safetensors_metadata(const fovea_safetensors *file, const char *key);

#ifdef __cplusplus
}
#endif
#endif
