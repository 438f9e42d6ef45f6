/* Loading both splits of a set at once, and watching it. */
#ifndef FOVEA_DATA_LOAD_H
#define FOVEA_DATA_LOAD_H

#include "fovea/data.h"

/* Told of pictures that are read, `done` of `images` of a split, by the thread that loads; the last time with all of
 * them, unless it fails. */
typedef struct fovea_load_watch {
  void *user;
  void (*progress)(void *user, const char *split, size_t done, size_t images);
} fovea_load_watch;

/* Loads "train" as options[0] and "test" as options[1] say; NULL for one that is not asked for. Of a folder of pictures
 * each is looked at once, where two loads would look at all of them twice. *watch may be NULL. The caller owns
 * (*sets)[0] and [1], NULL of what was not asked for. Statuses as fovea_dataset_load. */
fovea_status fovea_dataset_load_both(const char *path, const fovea_load_options *const options[2],
                                     const fovea_load_watch *watch, fovea_dataset *(*sets)[2]);

#endif
