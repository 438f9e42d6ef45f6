#include "data/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/kind.h"

enum { DEEPEST = 64 };

/* A folder that the walk is in, and those around it: a link to one of them would never end. */
typedef struct place {
  const struct place *around;
  dev_t device;
  ino_t number;
  int depth;     /* 0: the split's folder */
  size_t folder; /* of the pictures in it */
} place;

typedef struct walk {
  fovea_tree *tree;
  fovea_data_report *report; /* or NULL */
  bool skip_bad;
} walk;

static fovea_status pass_over(const walk *w, const char *kind) {
  return w->report != NULL ? fovea_report_pass_over(w->report, kind) : FOVEA_OK;
}

fovea_status fovea_tree_skip(fovea_status status, bool skip_bad, fovea_data_report *report) {
  if (!skip_bad || (status != FOVEA_INVALID && status != FOVEA_IO)) return status;
  if (report == NULL) return FOVEA_OK;
  const char *why = fovea_error_message(), *path = strrchr(why, '\''), *from = path != NULL ? path : why;
  const char *advice = strstr(from, "; "), *option = strstr(from, " (--skip-bad"); /* what to do was done */
  const char *end = advice != NULL && (option == NULL || advice < option) ? advice : option;
  status =
      fovea_report_remark(report, "passed over: %.*s", (int)(end != NULL ? (size_t)(end - why) : strlen(why)), why);
  return status == FOVEA_OK ? fovea_report_pass_over(report, "damaged or not readable") : status;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static fovea_status add(fovea_tree *t, const char *path, size_t name, size_t folder, const fovea_picture_info *info) {
  if (t->count == t->room) {
    const size_t room = t->room == 0 ? 256 : 2 * t->room;
    fovea_tree_item *grown = realloc(t->item, room * sizeof *grown);
    if (grown == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", room);
    t->item = grown;
    t->room = room;
  }
  fovea_tree_item *item = &t->item[t->count];
  *item = (fovea_tree_item){.path = strdup(path), .name = name, .folder = folder, .info = *info};
  if (item->path == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", t->count + 1);
  t->count++;
  return FOVEA_OK;
}

/* What is no regular file and no folder, or leads nowhere, is not opened. */
static fovea_status pass_over_other(const walk *w, const char *path, const char *name, int error) {
  if (error == 0 && !fovea_kind_named_picture(name)) return pass_over(w, "no regular file");
  if ((error == ENOENT || error == ELOOP) && !fovea_kind_named_picture(name)) return pass_over(w, "dead link");
  if (error == 0) return fovea_fail(FOVEA_INVALID, "cannot read '%s': it is not a regular file", path);
  return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(error));
}

static fovea_status take_file(walk *w, const char *path, const char *name, const place *here) {
  char suffix[FOVEA_KIND_NAME];
  fovea_picture_info info;
  fovea_status status = fovea_picture_look(path, name, &info);
  if (status != FOVEA_OK) return status;
  if (info.kind == FOVEA_NO_PICTURE) return pass_over(w, fovea_kind_suffix(name, suffix));
  status = add(w->tree, path, strlen(path) - strlen(name), here->folder, &info);
  if (status != FOVEA_OK) return status;
  if (here->depth == 0) w->tree->flat++;
  if (here->depth > 1) w->tree->deeper++;
  if (here->depth > 0) w->tree->pictures[here->folder]++;
  return FOVEA_OK;
}

/* Puts one entry where it belongs: a folder's name to `folders`. */
static fovea_status sort_in(walk *w, const char *path, const char *name, const place *here, fovea_names *folders) {
  const char *junk = fovea_kind_junk(name);
  struct stat about;
  if (junk != NULL) return pass_over(w, junk);
  const int error = stat(path, &about) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(about.st_mode)) return fovea_names_add(folders, strdup(name));
  if (error != 0 || !S_ISREG(about.st_mode))
    return fovea_tree_skip(pass_over_other(w, path, name, error), w->skip_bad, w->report);
  return fovea_tree_skip(take_file(w, path, name, here), w->skip_bad, w->report);
}

/* ---- folders ---------------------------------------------------------------------------------------------------- */

static fovea_status walk_in(walk *w, const char *dir, place *here);

static bool is_around(const place *p, const struct stat *about) {
  for (; p != NULL; p = p->around)
    if (p->device == about->st_dev && p->number == about->st_ino) return true;
  return false;
}

/* The folder at `path` in `here`; `folder` is its place if it is a class's. */
static fovea_status go_into(walk *w, const char *path, const place *here, size_t folder) {
  place inside = {.around = here, .depth = here->depth + 1, .folder = here->depth == 0 ? folder : here->folder};
  struct stat about;
  const size_t before = w->tree->count;
  if (stat(path, &about) != 0) return fovea_fail(FOVEA_IO, "cannot read '%s': %s", path, strerror(errno));
  if (is_around(here, &about)) return pass_over(w, "link to a folder around it");
  if (inside.depth > DEEPEST) return fovea_fail(FOVEA_INVALID, "'%s' is more than %d folders deep", path, DEEPEST);
  inside.device = about.st_dev;
  inside.number = about.st_ino;
  const fovea_status status = walk_in(w, path, &inside);
  if (status != FOVEA_OK || inside.depth == 1 || w->tree->count > before) return status;
  return pass_over(w, "folder without pictures");
}

static fovea_status go_into_all(walk *w, const char *dir, const place *here, const fovea_names *folders) {
  fovea_status status = FOVEA_OK;
  if (here->depth == 0 && folders->count > 0) {
    w->tree->pictures = calloc(folders->count, sizeof *w->tree->pictures);
    if (w->tree->pictures == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
  }
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++) {
    char *path = fovea_path_join(dir, folders->name[i]);
    status = path != NULL ? fovea_tree_skip(go_into(w, path, here, i), w->skip_bad, w->report)
                          : fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
    free(path);
  }
  return status;
}

static fovea_status walk_in(walk *w, const char *dir, place *here) {
  fovea_names all = {0}, deeper = {0};
  fovea_names *folders = here->depth == 0 ? &w->tree->folders : &deeper;
  fovea_status status = fovea_list_all(dir, &all);
  for (size_t i = 0; i < all.count && status == FOVEA_OK; i++) {
    char *path = fovea_path_join(dir, all.name[i]);
    status = path != NULL ? sort_in(w, path, all.name[i], here, folders)
                          : fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir);
    free(path);
  }
  fovea_names_free(&all);
  if (status == FOVEA_OK) status = go_into_all(w, dir, here, folders);
  fovea_names_free(&deeper);
  return status;
}

static int in_order(const void *a, const void *b) {
  const fovea_tree_item *x = a, *y = b;
  const int order = strcmp(x->path + x->name, y->path + y->name);
  if (order != 0) return order;
  return x->folder != y->folder ? (x->folder > y->folder) - (x->folder < y->folder) : strcmp(x->path, y->path);
}

fovea_status fovea_tree_walk(const char *dir, bool skip_bad, fovea_data_report *report, fovea_tree *tree) {
  walk w = {tree, report, skip_bad};
  place here = {.folder = FOVEA_TREE_FLAT};
  struct stat about;
  *tree = (fovea_tree){.item = NULL};
  if (stat(dir, &about) != 0) return fovea_fail(FOVEA_IO, "cannot open the folder '%s': %s", dir, strerror(errno));
  here.device = about.st_dev;
  here.number = about.st_ino;
  const fovea_status status = walk_in(&w, dir, &here);
  if (tree->count > 1) qsort(tree->item, tree->count, sizeof *tree->item, in_order);
  return status;
}

fovea_status fovea_tree_keep(fovea_tree *tree, const bool *keep, fovea_tree *rest) {
  size_t kept = 0;
  if (rest != NULL && (rest->item = malloc(tree->count * sizeof *rest->item)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", tree->count);
  for (size_t i = 0; i < tree->count; i++) {
    if (keep[i])
      tree->item[kept++] = tree->item[i];
    else if (rest != NULL)
      rest->item[rest->count++] = tree->item[i];
    else
      free(tree->item[i].path);
  }
  tree->count = kept;
  return FOVEA_OK;
}

void fovea_tree_free(fovea_tree *tree) {
  for (size_t i = 0; i < tree->count; i++) free(tree->item[i].path);
  free(tree->item);
  free(tree->pictures);
  fovea_names_free(&tree->folders);
  *tree = (fovea_tree){.item = NULL};
}
