#include "data/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/folders.h"
#include "data/foreign.h"
#include "data/kind.h"

enum { LEVELS = 2, LISTED = 600 };

static bool is_folder(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The first folder in `dir` that is called as a split, which is one of pictures; NULL for none. To be freed. */
static char *split_folder(const fovea_names *folders) {
  for (size_t i = 0; i < folders->count; i++)
    if (fovea_folders_role(folders->name[i]) >= 0) return folders->name[i];
  return NULL;
}

/* Arrays and pictures' folders together: what one of them is, the other need not be. *pictures: those are asked for. */
static fovea_status check_one_kind(const char *dir, const fovea_candidates *all, const char *folder, const char *asked,
                                   bool *pictures) {
  *pictures = asked != NULL && strcasecmp(asked, "pictures") == 0;
  for (size_t i = 0; i < all->count && asked == NULL; i++) {
    const fovea_candidate *c = &all->list[i];
    if (folder == NULL || (c->kind < FOVEA_FOUND_CSV && c->what != FOVEA_WHAT_IMAGES)) continue;
    const char *kind = c->kind == FOVEA_FOUND_IDX ? "IDX" : fovea_found_names[c->kind];
    return fovea_fail(FOVEA_INVALID,
                      "'%s' has both %s files ('%s') and a folder of images ('%s'): which is the data set? --set %s or "
                      "--set pictures says it",
                      dir, kind, fovea_path_name(c->file), folder, fovea_found_names[c->kind]);
  }
  return FOVEA_OK;
}

static fovea_status look_into(const char *dir, const fovea_load_options *o, fovea_data_report *report,
                              fovea_names *folders, bool *stop, fovea_found *found) {
  fovea_candidates all = {NULL, 0};
  bool pictures = false;
  fovea_status status = fovea_list_folders(dir, folders);
  const char *folder = status == FOVEA_OK ? split_folder(folders) : NULL;
  if (status == FOVEA_OK) status = fovea_candidates_in_folder(dir, &all);
  if (status == FOVEA_OK) status = check_one_kind(dir, &all, folder, o->set, &pictures);
  if (status == FOVEA_OK && (found->dir = strdup(dir)) == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory to look into '%s'", dir);
  if (status == FOVEA_OK && !pictures) status = fovea_candidates_choose(dir, &all, o, report, found);
  *stop = pictures || folder != NULL || found->kind != FOVEA_FOUND_NOTHING;
  fovea_candidates_free(&all);
  return status;
}

/* How many folders below have a set, the first of which goes to *found; their names to `list`. */
static fovea_status look_below(const char *dir, const fovea_names *folders, int level, const fovea_load_options *o,
                               fovea_data_report *report, size_t *sets, char list[LISTED], fovea_found *found) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++) {
    fovea_found here = {.kind = FOVEA_FOUND_NOTHING};
    fovea_names below = {0};
    bool stop = false;
    char *path = fovea_path_join(dir, folders->name[i]);
    status = path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to look into '%s'", dir)
                          : look_into(path, o, report, &below, &stop, &here);
    if (status == FOVEA_OK && here.kind != FOVEA_FOUND_NOTHING) {
      const size_t used = strlen(list);
      snprintf(list + used, LISTED - used, "%s%s", *sets > 0 ? ", " : "", path);
      if ((*sets)++ == 0) {
        *found = here;
        here = (fovea_found){.kind = FOVEA_FOUND_NOTHING};
      }
    } else if (status == FOVEA_OK && !stop && level < LEVELS) {
      status = look_below(path, &below, level + 1, o, report, sets, list, found);
    }
    fovea_found_free(&here);
    fovea_names_free(&below);
    free(path);
  }
  return status;
}

static fovea_status find_in_folder(const char *dir, const fovea_load_options *o, fovea_data_report *report,
                                   fovea_found *found) {
  fovea_names folders = {0};
  char list[LISTED] = "";
  size_t sets = 0;
  bool stop = false;
  fovea_status status = look_into(dir, o, report, &folders, &stop, found);
  if (status == FOVEA_OK && !stop) {
    fovea_found below = {.kind = FOVEA_FOUND_NOTHING};
    status = look_below(dir, &folders, 1, o, report, &sets, list, &below);
    if (status == FOVEA_OK && sets == 1) {
      fovea_found_free(found);
      *found = below;
      status = fovea_report_remark(report, "the data set is in '%s'", list);
    } else {
      fovea_found_free(&below);
    }
  }
  if (status == FOVEA_OK && sets > 1)
    status = fovea_fail(FOVEA_INVALID, "'%s' holds several data sets: give --data one of %s", dir, list);
  fovea_names_free(&folders);
  return status;
}

fovea_status fovea_find(const char *path, const fovea_load_options *o, fovea_data_report *report, fovea_found *found) {
  *found = (fovea_found){.kind = FOVEA_FOUND_NOTHING};
  if (is_folder(path)) return find_in_folder(path, o, report, found);
  fovea_candidates all = {NULL, 0};
  fovea_status status = fovea_candidates_in_file(path, &all);
  if (status == FOVEA_OK) status = fovea_candidates_choose(path, &all, o, report, found);
  if (status == FOVEA_OK && found->kind == FOVEA_FOUND_NOTHING)
    status = fovea_fail(FOVEA_INVALID, "'%s' holds labels and no images", path);
  fovea_candidates_free(&all);
  return status;
}

fovea_status fovea_found_source(const fovea_found *f, int which, const fovea_load_options *o, fovea_data_report *report,
                                fovea_source *source) {
  const fovea_found_split *s = &f->split[which];
  if (f->kind == FOVEA_FOUND_CSV) return fovea_csv_source(s->files.name[0], o, report, source);
  if (f->kind == FOVEA_FOUND_CIFAR) return fovea_cifar_source(&s->files, f->meta, report, source);
  return fovea_array_source(&s->pair, o, report, source);
}

/* ---- what is not read ------------------------------------------------------------------------------------------- */

static fovea_status foreign_in(const char *dir, fovea_names *folders) {
  fovea_names names = {0};
  fovea_status status = fovea_list_all(dir, &names);
  for (size_t i = 0; i < names.count && status == FOVEA_OK; i++) {
    uint8_t bytes[FOVEA_FOREIGN_BYTES];
    char *path = fovea_path_join(dir, names.name[i]);
    if (path == NULL)
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to look into '%s'", dir);
    else if (fovea_kind_junk(names.name[i]) != NULL)
      status = FOVEA_OK;
    else if (is_folder(path))
      status = folders != NULL ? fovea_names_add(folders, strdup(path)) : FOVEA_OK;
    else {
      const char *says = fovea_foreign_set(bytes, fovea_first_bytes(path, bytes, sizeof bytes));
      if (says != NULL)
        status = fovea_fail(FOVEA_INVALID, "no images in '%s', but '%s', which is %s", dir, names.name[i], says);
    }
    free(path);
  }
  fovea_names_free(&names);
  return status;
}

fovea_status fovea_find_foreign(const char *dir) {
  fovea_names folders = {0};
  fovea_status status = foreign_in(dir, &folders);
  for (size_t i = 0; i < folders.count && status == FOVEA_OK; i++) status = foreign_in(folders.name[i], NULL);
  fovea_names_free(&folders);
  return status == FOVEA_IO ? FOVEA_OK : status;
}
