/* The files of a data set that is no folder of pictures: which they are, and which is what. */
#ifndef FOVEA_DATA_FIND_H
#define FOVEA_DATA_FIND_H

#include "data/load.h"
#include "data/naming.h"
#include "data/source.h"

typedef enum fovea_found_kind {
  FOVEA_FOUND_IDX, /* the first four as fovea_array_kind */
  FOVEA_FOUND_NPY,
  FOVEA_FOUND_NPZ,
  FOVEA_FOUND_SAFETENSORS,
  FOVEA_FOUND_CSV,
  FOVEA_FOUND_CIFAR,
  FOVEA_FOUND_PACK,
  FOVEA_FOUND_NOTHING
} fovea_found_kind;

typedef struct fovea_found_split {
  fovea_array_pair pair; /* of arrays; images.path NULL: there is no such split */
  fovea_names files;     /* of tables, of CIFAR's and of packed files; none: no such split */
} fovea_found_split;

typedef struct fovea_found {
  fovea_found_kind kind;
  char *dir;                  /* where the files are; NULL where the set is one file */
  fovea_found_split split[2]; /* train, or the whole; test */
  bool whole;                 /* nothing says train or test */
  char *meta;                 /* of CIFAR: the names of classes */
  fovea_names used;           /* names in dir */
} fovea_found;

/* Looks at the file or into the folder `path`, and where that has neither arrays nor pictures' folders, one or two
 * levels below it. FOVEA_INVALID when it is not clear which of several sets is meant; FOVEA_IO, FOVEA_NO_MEMORY. End it
 * with fovea_found_free, also after a failure. */
fovea_status fovea_find(const char *path, const fovea_load_options *options, fovea_data_report *report,
                        fovea_found *found);
void fovea_found_free(fovea_found *found);

bool fovea_found_has(const fovea_found *found, int which);

/* Makes the source of split 0 or 1, which is there. */
fovea_status fovea_found_source(const fovea_found *found, int which, const fovea_load_options *options,
                                fovea_data_report *report, fovea_source *source);

/* The source that split `which` (0 train, 1 test) of the set is in, with the remarks of it; *part is that split where
 * options->split makes it, and -1 where the source is the split. FOVEA_INVALID when there is no such split. */
fovea_status fovea_found_open(const char *path, const fovea_found *found, int which, const fovea_load_options *options,
                              fovea_data_report *report, fovea_source *source, int *part);

/* Folders of pictures in `dir`: fills set[0] (train) and set[1] (test), whose reports are there already; a NULL one is
 * not loaded. With `source` (else NULL) both without their pixels, which those give. FOVEA_INVALID, FOVEA_IO,
 * FOVEA_NO_MEMORY as fovea_dataset_load. */
fovea_status fovea_pictures_open(const char *dir, const fovea_load_options *const options[2],
                                 const fovea_load_watch *watch, fovea_dataset *const set[2],
                                 fovea_source *const source[2]);

/* Fills *set, whose report is there already, from the source: `part` of it (see above), a sample of that. Without
 * `pixels` they are not read, and *places, to be freed with free(), has where the set's images are in the source. */
fovea_status fovea_dataset_from(fovea_source *source, int part, const fovea_load_options *options, bool pixels,
                                fovea_dataset *set, uint32_t **places);

/* FOVEA_IO when there is neither a folder nor a file at `path`. */
fovea_status fovea_find_path(const char *path);

/* FOVEA_INVALID, naming a file in `dir` or one level below it and what to do, when there is one that is known but not
 * read: an archive, a Parquet file, a pickle; else FOVEA_OK. */
fovea_status fovea_find_foreign(const char *dir);

/* All that is in a folder or a file that may be a part of a set. */
typedef struct fovea_candidate {
  fovea_found_kind kind;
  char *file; /* path */
  char *member;
  fovea_split_name split;
  fovea_what what;
  int idx;
  size_t row; /* numbers an image of an array of rank 2 that only its shape says what it is; else 0 */
  bool by_shape;
  char set[FOVEA_NAMING_SET];
} fovea_candidate;

typedef struct fovea_candidates {
  fovea_candidate *list;
  size_t count;
} fovea_candidates;

void fovea_candidates_free(fovea_candidates *all);
fovea_status fovea_candidates_in_folder(const char *dir, fovea_candidates *all);
fovea_status fovea_candidates_in_file(const char *path, fovea_candidates *all);
/* Puts the candidates of one set into *found. */
fovea_status fovea_candidates_choose(const char *path, fovea_candidates *all, const fovea_load_options *options,
                                     fovea_data_report *report, fovea_found *found);

extern const char *const fovea_found_names[];

#endif
