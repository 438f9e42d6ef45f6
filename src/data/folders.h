/* Which folders of a data set hold the pictures of which split. */
#ifndef FOVEA_DATA_FOLDERS_H
#define FOVEA_DATA_FOLDERS_H

#include "data/report.h"

enum { FOVEA_FOLDERS_PATH = 4096, FOVEA_FOLDERS_NAME = 256 };

typedef struct fovea_folders {
  char folder[2][FOVEA_FOLDERS_PATH]; /* of training and of test pictures; "" where there is none */
  char parent[FOVEA_FOLDERS_PATH];    /* what the splits' folders are in, if not `whole` */
  bool one;                           /* both are one folder, which is to be split */
  bool wrapped;                       /* they are in the one folder that the data folder holds */
  bool whole;                         /* and that is the data folder itself, or the one folder in it */
} fovea_folders;

/* 0 for a name that means training pictures, 1 for test pictures, 2 for validation, -1 for another. */
int fovea_folders_role(const char *name);

/* Finds folders of splits in `dir`, or if `inside` in the one folder in it: called train and so on, or as seg_train and
 * seg_test alike but for that word; with none of them *where is that folder, to be split. FOVEA_INVALID where two
 * folders mean the same, and where one alone stands among others that hold pictures and may be a class; FOVEA_IO,
 * FOVEA_NO_MEMORY. */
fovea_status fovea_folders_find(const char *dir, bool inside, fovea_folders *where);

/* The folders from which a load of `dir` would read pictures, which is none for a set of arrays. */
fovea_status fovea_folders_of(const char *dir, fovea_folders *where);

#endif
