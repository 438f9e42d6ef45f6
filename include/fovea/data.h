/* Image sets on disk. */
#ifndef FOVEA_DATA_H
#define FOVEA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a load found, for whoever tells people of it: what is passed over, dropped or guessed has an entry here. All of
 * it is the data set's. */
typedef struct fovea_data_class {
  char *name;   /* the subfolder's, or the label as a number */
  int label;    /* as in fovea_dataset.labels */
  size_t there; /* images of the split; 0 when the folder is empty, or in the other split only */
  size_t taken; /* of them in the data set */
} fovea_data_class;

typedef struct fovea_data_kind {
  char *name; /* ".txt", "Thumbs.db", "without suffix" */
  size_t count;
  size_t shared; /* of them: in a folder of both splits, which were loaded together; the other report has them, too */
} fovea_data_kind;

typedef struct fovea_data_report {
  size_t images; /* of the split; the set has fewer with a limit */
  fovea_data_class *classes;
  size_t class_count; /* 0 without labels */
  fovea_data_kind *passed_over;
  size_t kind_count;
  char **remarks; /* a sentence each, without a stop */
  size_t remark_count;
} fovea_data_report;

/* The images of a set that stay in their file. */
typedef struct fovea_pack fovea_pack;

/* Images of one size, with or without labels. */
typedef struct fovea_dataset {
  size_t count;                /* at least 1 */
  int channels, height, width; /* 1 to 4; sides 1 to 65535, of pictures to 16384 */
  uint8_t *pixels;             /* count x channels x height x width, 0 .. 255 */
  uint16_t *labels;            /* count, or NULL */
  fovea_pack *file;            /* where the pixels are read from while they are needed: then `pixels` is NULL */
  fovea_data_report *report;   /* of fovea_dataset_load; NULL for a set that was made otherwise */
} fovea_dataset;

/* Loads the split "train" or "test" of the folder `dir`; with a `limit` below the number of its images a fair sample of
 * so many, as fovea_dataset_sample chooses them, in the order of the files; all with 0. The caller owns *dataset. The
 * folder holds one of
 *
 * - arrays: IDX files (yann.lecun.com/exdb/mnist) by any of their names, plain or in gzip as their content says;
 *   numpy's .npy and .npz, safetensors, tables of pixels, CIFAR's binary files. `dir` may be such a file itself, or
 *   have the set one or two levels below. Everything is checked (magic, sizes, length, checksums). Numbers are bytes,
 *   other whole numbers 0 .. 255, 16 bits, or floats 0 .. 1 or 0 .. 255. Shapes are (count, height, width), (count,
 *   height, width, channels) and, where the second number is 1 to 4 and the last one more, (count, channels, height,
 *   width). Labels are 0 .. 65535, a number an image or one-hot. The report says what was guessed or changed.
 * - a packed set, one file that `fovea pack` has written.
 * - pictures, PNG of every kind, JPEG or (where the build had libwebp) WebP, told by their content; values are taken as
 *   stored, gamma and profiles aside, but 16 bits are rounded to 8, palettes looked up, and pictures turned upright as
 *   Exif says. They lie in folders called train, training, train_set or the like, and test, testing, else val, valid,
 *   validation, in any case, also as one of several words of a name (seg_train and seg_test), or in folders of those
 *   names in that of each class. A folder without those is split, and so is train alone, each picture by its name;
 * where `dir` has one folder and nothing else, that is looked into. If a split's folder has subfolders, each is a
 * class, of all pictures in it however deep. There is one list of classes for both splits, the sorted names in both, so
 * that a label is the same class in both; it is the name as a number if every name in the list is one of 0 .. 65535 and
 * no two are the same, else the place in the list. The order is that of file names in bytes (10.png before 9.png);
 * equal ones follow their subfolder's. Hidden files and what systems leave behind (Thumbs.db, __MACOSX, @eaDir and the
 * like) are passed over and counted, and so are files that are no pictures. A picture of another kind is refused: to
 * drop it would change what is learned. As many threads as there are processors read them.
 *
 * Both kinds in one folder are refused. FOVEA_IO when the system will not give a folder or file; FOVEA_INVALID, naming
 * the file, what it has and what was expected, when one is malformed, when there is no data (the message says what was
 * looked for), or when `split` is another word; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_dataset_load(const char *dir, const char *split, size_t limit, fovea_dataset **dataset);

/* Which of an image's numbers are its channels, where the shape of an array does not tell. */
typedef enum fovea_layout { FOVEA_LAYOUT_BY_SHAPE, FOVEA_LAYOUT_NHWC, FOVEA_LAYOUT_NCHW } fovea_layout;

/* What a picture's channels become. */
typedef enum fovea_channels {
  FOVEA_CHANNELS_AUTO, /* gray where all pictures of both splits are gray, else RGB */
  FOVEA_CHANNELS_GRAY,
  FOVEA_CHANNELS_RGB,
  FOVEA_CHANNELS_AS_IS /* as the files have them, alpha too: all must have the same */
} fovea_channels;

/* What becomes of a picture of other proportions than the size asked for. */
typedef enum fovea_fit {
  FOVEA_FIT_CROP,   /* its middle fills the size */
  FOVEA_FIT_PAD,    /* all of it is seen, with the background beside it */
  FOVEA_FIT_STRETCH /* all of it fills the size */
} fovea_fit;

/* What a load is asked for beside the place; all 0 is fovea_dataset_load's. */
typedef struct fovea_load_options {
  size_t limit;    /* a fair sample of so many images; 0: all */
  const char *set; /* of several sets in one folder the one called so; NULL: there is only one */
  bool transpose;  /* exchange rows and columns, as EMNIST needs it */
  fovea_layout layout;
  int height, width; /* images of this size; 0: as stored */
  double split;      /* this part of a set without a test split is its test split, the rest trains; 0: none of arrays,
                        0.1 of pictures */
  uint64_t seed;     /* of that choice */
  double range[2];   /* which numbers of arrays and of 16-bit pictures become 0 and 255, others in proportion, those
                        outside cut off; equal: as the kind of numbers says */
  fovea_fit fit;     /* this and the rest are for pictures */
  fovea_channels channels;
  uint8_t background[3]; /* R, G, B under what is transparent, and beside what is padded */
  bool skip_bad;         /* pass over what is damaged or cannot be read, with a remark each, instead of failing */
  bool in_file;          /* of a packed set (fovea pack): the pixels are not loaded, fovea_dataset_read gives them */
} fovea_load_options;

/* The same as it is asked for; `options` may be NULL. */
FOVEA_API fovea_status fovea_dataset_load_as(const char *path, const char *split, const fovea_load_options *options,
                                             fovea_dataset **dataset);

/* Copies to pixels (count x channels x height x width) the images at the places in `index`, or with NULL the first
 * `count`: from memory, or from the file, where each is verified by its checksum. FOVEA_INVALID for a place that is
 * none, for an image that is damaged and a file that was cut since; FOVEA_IO. */
FOVEA_API fovea_status fovea_dataset_read(const fovea_dataset *dataset, const uint32_t *index, size_t count,
                                          uint8_t *pixels);

/* *hash: XXH64 of the set's count, channels, height and width as 8 bytes each, least significant first, its pixels and,
 * unless they are NULL, its labels: a byte each, or two where one is over 255. A run's configuration has it of both its
 * sets, train_hash and test_hash; of a packed set it stands in the file. Statuses as fovea_dataset_read, and
 * FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_dataset_hash(const fovea_dataset *dataset, uint64_t *hash);

FOVEA_API void fovea_dataset_destroy(fovea_dataset *dataset); /* takes NULL */

/* A fair sample of `count` of n images (n up to 2^32), `labels` of which (or NULL) are their classes: writes to index
 * the places of the chosen, ascending; all n when count is more.
 *
 * How many of a class: count * (images of the class) / n, rounded down, and the rest to the largest remainders, the
 * smaller label first; then, where count is at least the number of classes, a class with none gets one from the class
 * with the most. Which of a class: those with the smallest x, the earlier first, where x is words 0 (low) and 1 (high)
 * of Philox4x32-10 with key {0, 0} and counter {place, 0, 0x53414d50, 0}; the third word is the stream, 'SAMP'. So it
 * does not depend on any seed, and every run on the same files sees the same images. FOVEA_INVALID for NULL or more
 * images; FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_dataset_sample(const uint16_t *labels, size_t n, size_t count, uint32_t *index);

#ifdef __cplusplus
}
#endif
#endif
