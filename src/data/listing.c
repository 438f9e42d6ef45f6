#include "data/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- files ------------------------------------------------------------------------------------------------------ */

/* The file's first bytes, *size of them. */
static fovea_status first_bytes(const char *path, uint8_t bytes[FOVEA_KIND_BYTES], size_t *size) {
  const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t n = -1;
  if (descriptor >= 0) {
    do n = read(descriptor, bytes, FOVEA_KIND_BYTES);
    while (n < 0 && errno == EINTR);
  }
  const int error = errno;
  if (descriptor >= 0) close(descriptor);
  if (n < 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(error));
  *size = (size_t)n;
  return FOVEA_OK;
}

/* A file whose name is not a PNG's: its content decides. */
static fovea_status look_into(const char *path, const char *name, bool *png) {
  uint8_t bytes[FOVEA_KIND_BYTES];
  size_t size = 0;
  const bool named = fovea_kind_named_picture(name);
  fovea_status status = first_bytes(path, bytes, &size);
  if (status != FOVEA_OK) return status;
  const char *kind = fovea_kind_picture(bytes, size);
  *png = kind != NULL && strcmp(kind, "PNG") == 0;
  if (*png || (kind == NULL && !named)) return FOVEA_OK;
  if (kind == NULL)
    return fovea_fail(FOVEA_INVALID, "'%s' is named like a picture, but its content is none; take it away", path);
  return fovea_fail(
      FOVEA_INVALID,
      "'%s' is a %s picture, which fovea does not read, and to pass it over would change what is learned; "
      "convert such files (ImageMagick: mogrify -format png FILES) or take them away",
      path, kind);
}

/* What is no regular file and no folder, or leads nowhere, is not opened. */
static fovea_status pass_over_other(const char *path, const char *name, int error, fovea_data_report *report) {
  if (error == 0 && !fovea_kind_named_picture(name)) return fovea_report_pass_over(report, "no regular file");
  if ((error == ENOENT || error == ELOOP) && !fovea_kind_named_picture(name))
    return fovea_report_pass_over(report, "dead link");
  return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, error != 0 ? strerror(error) : "it is not a regular file");
}

static fovea_status sort_file_in(const char *path, const char *name, fovea_names *pictures, fovea_data_report *report) {
  char suffix[FOVEA_KIND_NAME];
  bool png = fovea_kind_named_png(name); /* reading it will tell */
  fovea_status status = png ? FOVEA_OK : look_into(path, name, &png);
  if (status != FOVEA_OK) return status;
  if (png) return fovea_names_add(pictures, strdup(name));
  return fovea_report_pass_over(report, fovea_kind_suffix(name, suffix));
}

/* Puts one entry where it belongs; without `pictures` only folders are looked for. */
static fovea_status sort_in(const char *path, const char *name, fovea_names *pictures, fovea_names *folders,
                            fovea_data_report *report) {
  const char *junk = fovea_kind_junk(name);
  struct stat about;
  if (junk != NULL) return report != NULL ? fovea_report_pass_over(report, junk) : FOVEA_OK;
  const int error = stat(path, &about) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(about.st_mode)) return fovea_names_add(folders, strdup(name));
  if (pictures == NULL) return FOVEA_OK;
  if (error != 0 || !S_ISREG(about.st_mode)) return pass_over_other(path, name, error, report);
  return sort_file_in(path, name, pictures, report);
}

fovea_status fovea_list_pictures(const char *dir, fovea_names *pictures, fovea_names *folders,
                                 fovea_data_report *report) {
  fovea_names all = {0};
  fovea_status status = fovea_list_all(dir, &all);
  for (size_t i = 0; i < all.count && status == FOVEA_OK; i++) {
    char *path = fovea_path_join(dir, all.name[i]);
    status = path != NULL ? sort_in(path, all.name[i], pictures, folders, report)
                          : fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
    free(path);
  }
  fovea_names_free(&all);
  return status;
}

fovea_status fovea_list_folders(const char *dir, fovea_names *folders) {
  return fovea_list_pictures(dir, NULL, folders, NULL);
}
