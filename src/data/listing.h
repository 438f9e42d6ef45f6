/* The names in a folder. */
#ifndef FOVEA_DATA_LISTING_H
#define FOVEA_DATA_LISTING_H

#include "data/report.h"

typedef struct fovea_names {
  char **name;
  size_t count, room;
} fovea_names;

void fovea_names_free(fovea_names *names);

/* Takes `name`, which may be NULL for lack of memory; FOVEA_NO_MEMORY, and then it is freed. */
fovea_status fovea_names_add(fovea_names *names, char *name);

/* What follows the last slash; the whole path where there is none. */
const char *fovea_path_name(const char *path);

/* "DIR/NAME", to be freed; NULL without memory. */
char *fovea_path_join(const char *dir, const char *name);

/* Appends the names in `dir`, sorted by bytes, without "." and "..". FOVEA_IO, FOVEA_NO_MEMORY. */
fovea_status fovea_list_all(const char *dir, fovea_names *names);

/* Appends the names of the subfolders of `dir`, sorted, without what systems leave behind. */
fovea_status fovea_list_folders(const char *dir, fovea_names *folders);

#endif
