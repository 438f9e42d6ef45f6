/* A folder of pictures while it is loaded: both splits, of which each is walked over once. */
#ifndef FOVEA_DATA_PICTURES_H
#define FOVEA_DATA_PICTURES_H

#include "data/fit.h"
#include "data/folders.h"
#include "data/tree.h"

typedef struct fovea_pictures_part {
  const fovea_load_options *options; /* NULL: the split is not asked for, and only looked at */
  fovea_data_report *report;         /* NULL as well then */
  fovea_tree tree;                   /* its pictures */
  bool labelled;
} fovea_pictures_part;

typedef struct fovea_pictures {
  const fovea_folders *where;
  fovea_pictures_part part[2]; /* train, test */
} fovea_pictures;

extern const char *const fovea_pictures_split[2]; /* "train", "test" */

/* The first part that is asked for. */
static inline int fovea_pictures_lead(const fovea_pictures *p) { return p->part[0].options != NULL ? 0 : 1; }

/* Walks over the folders and gives labels; what is surprising is remarked. Both parts empty: the data folder itself is
 * one without any picture. FOVEA_INVALID, FOVEA_IO and FOVEA_NO_MEMORY as fovea_dataset_load. */
fovea_status fovea_pictures_find(fovea_pictures *p);
void fovea_pictures_free(fovea_pictures *p);

/* Of pictures that are all in the leading part's tree, since one folder has both splits, puts those that test into part
 * 1 and the others into part 0: by folders called as splits in those of the classes, else by fovea_split_tests.
 * FOVEA_INVALID where neither tells, or one part would be empty; FOVEA_NO_MEMORY. */
fovea_status fovea_pictures_divide(fovea_pictures *p);

/* Refuses pictures of one split in a folder that is called as the other. */
fovea_status fovea_pictures_check(const fovea_pictures *p);

/* The labels of all, to be freed; NULL without memory. */
uint16_t *fovea_pictures_labels(const fovea_tree *tree);

/* Keeps options->limit of a part, a fair sample. FOVEA_NO_MEMORY. */
fovea_status fovea_pictures_limit(fovea_pictures_part *part);

#endif
