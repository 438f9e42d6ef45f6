/* An array of numbers in a file: an IDX file, numpy's .npy, one of an .npz, one of a safetensors file. */
#ifndef FOVEA_DATA_ARRAY_H
#define FOVEA_DATA_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

enum { FOVEA_ARRAY_RANK = 8, FOVEA_ARRAY_NAME = 600 };

typedef enum fovea_array_kind {
  FOVEA_ARRAY_IDX,
  FOVEA_ARRAY_NPY,
  FOVEA_ARRAY_NPZ,
  FOVEA_ARRAY_SAFETENSORS
} fovea_array_kind;

/* Bytes one after the other, of a file, of a part of an archive, of memory. */
typedef struct fovea_stream {
  void *of;
  fovea_status (*read)(void *of, void *data, size_t size, size_t *got); /* *got is less only at the end */
  void (*close)(void *of);
  uint64_t bound;             /* the most bytes that can come */
  bool (*trailing)(void *of); /* whether something came after the end, which was passed over; may be NULL */
} fovea_stream;

typedef struct fovea_array {
  char name[FOVEA_ARRAY_NAME]; /* for messages: 'mnist.npz', array x_train */
  char type;                   /* 'u' and 'i' whole numbers, 'f' floats */
  size_t size;                 /* bytes of a number: 1, 2, 4, 8 */
  bool big_endian;
  bool boolean; /* the bytes are False and True */
  bool fortran; /* the first index is the fastest */
  int rank;
  size_t dims[FOVEA_ARRAY_RANK]; /* each at least 1 */
  size_t count;                  /* their product */
  size_t item;                   /* numbers of dims[1] .. dims[rank-1] */
  size_t read;                   /* bytes of the numbers that were read */
  fovea_stream stream;           /* at the first number */
} fovea_array;

/* Where an array is. */
typedef struct fovea_array_place {
  fovea_array_kind kind;
  char *path;
  char *member; /* of an .npz or a safetensors file */
} fovea_array_place;

/* Opens the array and reads its header; the sizes are checked against what the file can hold. Close it. FOVEA_INVALID
 * when it is none, or of another type of numbers, FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_array_open(const fovea_array_place *place, fovea_array *array);
void fovea_array_close(fovea_array *array); /* takes a zeroed one */

/* The next `count` numbers, as they are stored; fewer are FOVEA_INVALID. */
fovea_status fovea_array_read(fovea_array *array, size_t count, void *data);

/* After the last number: FOVEA_INVALID when more comes, or a checksum is wrong. */
fovea_status fovea_array_end(fovea_array *array);

/* `count` numbers as they are stored, as doubles; 64-bit whole numbers from 2^53 on are rounded. */
void fovea_array_convert(const fovea_array *array, const uint8_t *stored, size_t count, double *values);

/* What the readers of formats use: a stream of a plain or gzipped file, told by its content; the check of the sizes,
 * which sets count and item. */
fovea_status fovea_stream_open(const char *path, fovea_stream *stream);
fovea_status fovea_array_check(fovea_array *array);

/* One format each: from the stream, which they take over, also on failure, to the array; array->name is set. */
fovea_status fovea_idx_begin(fovea_array *array);
fovea_status fovea_npy_begin(fovea_array *array);
/* From the archive's member. */
fovea_status fovea_npz_begin(const fovea_array_place *place, fovea_array *array);
fovea_status fovea_safetensors_begin(const fovea_array_place *place, fovea_array *array);

#endif
