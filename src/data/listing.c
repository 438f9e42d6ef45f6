#include "data/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/kind.h"

void fovea_names_free(fovea_names *names) {
  for (size_t i = 0; i < names->count; i++) free(names->name[i]);
  free(names->name);
  *names = (fovea_names){NULL, 0, 0};
}

fovea_status fovea_names_add(fovea_names *names, char *name) {
  if (name != NULL && names->count == names->room) {
    const size_t room = names->room == 0 ? 64 : 2 * names->room;
    char **grown = realloc(names->name, room * sizeof *grown);
    if (grown == NULL) {
      free(name);
      name = NULL;
    } else {
      names->name = grown;
      names->room = room;
    }
  }
  if (name == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu files", names->count + 1);
  names->name[names->count++] = name;
  return FOVEA_OK;
}

const char *fovea_path_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

char *fovea_path_join(const char *dir, const char *name) {
  const size_t size = strlen(dir) + strlen(name) + 2;
  char *path = malloc(size);
  if (path != NULL) snprintf(path, size, "%s/%s", dir, name);
  return path;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

fovea_status fovea_list_all(const char *dir, fovea_names *names) {
  const size_t before = names->count;
  DIR *stream = opendir(dir);
  if (stream == NULL) return fovea_fail(FOVEA_IO, "cannot open the folder '%s': %s", dir, strerror(errno));
  fovea_status status = FOVEA_OK;
  const struct dirent *entry;
  while (errno = 0, status == FOVEA_OK && (entry = readdir(stream)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    status = fovea_names_add(names, strdup(entry->d_name));
  }
  if (status == FOVEA_OK && errno != 0)
    status = fovea_fail(FOVEA_IO, "cannot read the folder '%s': %s", dir, strerror(errno));
  closedir(stream);
  if (names->count > before) qsort(names->name + before, names->count - before, sizeof *names->name, by_name);
  return status;
}

fovea_status fovea_list_folders(const char *dir, fovea_names *folders) {
  fovea_names all = {0};
  struct stat about;
  fovea_status status = fovea_list_all(dir, &all);
  for (size_t i = 0; i < all.count && status == FOVEA_OK; i++) {
    if (fovea_kind_junk(all.name[i]) != NULL) continue;
    char *path = fovea_path_join(dir, all.name[i]);
    if (path == NULL)
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
    else if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
      status = fovea_names_add(folders, strdup(all.name[i]));
    free(path);
  }
  fovea_names_free(&all);
  return status;
}
