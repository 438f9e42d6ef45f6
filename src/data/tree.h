/* All pictures of a split, found by walking over its folder. */
#ifndef FOVEA_DATA_TREE_H
#define FOVEA_DATA_TREE_H

#include "data/listing.h"
#include "data/picture.h"

#define FOVEA_TREE_FLAT SIZE_MAX /* the folder of a picture that lies in the split's folder itself */

typedef struct fovea_tree_item {
  char *path;
  size_t name;   /* where in path its last part begins */
  size_t folder; /* place among the split's subfolders, or FOVEA_TREE_FLAT */
  uint16_t label;
  fovea_picture_info info;
} fovea_tree_item;

typedef struct fovea_tree {
  fovea_tree_item *item; /* sorted by name, then by folder, then by path */
  size_t count, room;
  fovea_names folders; /* the split's subfolders, sorted */
  size_t *pictures;    /* in each of them, however deep */
  size_t flat;         /* pictures in the split's folder itself */
  size_t deeper;       /* pictures in subfolders of subfolders */
} fovea_tree;

/* Walks over `dir`. What is no picture is counted in `report` (NULL: nowhere). With skip_bad what is damaged or cannot
 * be read is remarked there and left out; without, it fails. FOVEA_INVALID as fovea_picture_look; FOVEA_IO,
 * FOVEA_NO_MEMORY. End with fovea_tree_free, also after a failure. */
fovea_status fovea_tree_walk(const char *dir, bool skip_bad, fovea_data_report *report, fovea_tree *tree);
void fovea_tree_free(fovea_tree *tree);

/* Takes what the last message says of a bad file as a remark, and returns FOVEA_OK, where that is asked for; else gives
 * `status` back. */
fovea_status fovea_tree_skip(fovea_status status, bool skip_bad, fovea_data_report *report);

/* Keeps the items of which keep[i] is true; the others go to `rest`, which is empty, or away where it is NULL.
 * FOVEA_NO_MEMORY, and then nothing has changed. */
fovea_status fovea_tree_keep(fovea_tree *tree, const bool *keep, fovea_tree *rest);

#endif
