/* Images that come one after the other, from whatever files: what each reader of a format makes, and what a load and a
 * pack take. */
#ifndef FOVEA_DATA_SOURCE_H
#define FOVEA_DATA_SOURCE_H

#include "data/array.h"
#include "data/listing.h"
#include "fovea/data.h"

typedef struct fovea_source {
  size_t count; /* at least 1, at most 2^32 - 1 */
  int channels, height, width;
  uint16_t *labels;    /* count, or NULL; the source's */
  fovea_names classes; /* their names, from label 0 on; none: their numbers */
  void *of;
  /* The next image, channels x height x width bytes; with NULL, after the last one, checks what ends the files. */
  fovea_status (*next)(void *of, uint8_t *pixels);
  /* The same of image i, by several threads in any order; NULL where they can only come one after the other. */
  fovea_status (*at)(void *of, size_t i, uint8_t *pixels);
  /* Remarks what came to light, after the last image by `at`; NULL: nothing. */
  fovea_status (*end)(void *of);
  void (*close)(void *of);
} fovea_source;

void fovea_source_close(fovea_source *source); /* takes a zeroed one */

/* Where options->height says another size than the source has, makes its images that size, fitted as options->fit says;
 * `path` is for a remark. FOVEA_NO_MEMORY, and then the source is as it was. */
fovea_status fovea_source_resize(fovea_source *source, const char *path, const fovea_load_options *options,
                                 fovea_data_report *report);

/* A split in files. */
typedef struct fovea_array_pair {
  fovea_array_place images, labels; /* labels.path NULL: none */
} fovea_array_pair;

/* The sources of each format; what is guessed or changed is remarked in `report`. FOVEA_INVALID, FOVEA_IO,
 * FOVEA_NO_MEMORY as fovea_dataset_load. The names must outlive the source. */
fovea_status fovea_array_source(const fovea_array_pair *pair, const fovea_load_options *options,
                                fovea_data_report *report, fovea_source *source);
fovea_status fovea_csv_source(const char *path, const fovea_load_options *options, fovea_data_report *report,
                              fovea_source *source);
/* CIFAR's binary files, one after the other; `meta` is the file with the names of classes, or NULL. */
fovea_status fovea_cifar_source(const fovea_names *paths, const char *meta, fovea_data_report *report,
                                fovea_source *source);

/* Whether the file's first lines are numbers as Kaggle's digits. */
bool fovea_csv_looks(const char *path);

/* What an image's numbers are: how many of them, and in which order. */
typedef struct fovea_shape {
  int channels, height, width;
  bool channels_last;
  bool transposed; /* as stored: what is to be exchanged */
} fovea_shape;

/* The shape of images of dims[rank] (without the first, their number): 1: a row of numbers; 2: height, width; 3: with
 * channels. Sides are 1 to 65535. FOVEA_INVALID where it cannot be told without an option, which is named. */
fovea_status fovea_shape_find(const char *name, const size_t *dims, int rank, const fovea_load_options *options,
                              fovea_data_report *report, fovea_shape *shape);

/* The place, in an image as stored, of value i of the image as it is given. */
size_t fovea_shape_place(const fovea_shape *shape, size_t i);

#endif
