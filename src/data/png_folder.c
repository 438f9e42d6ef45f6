#include "data/png_folder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/classes.h"
#include "data/listing.h"
#include "data/png.h"

/* ---- the files of a split --------------------------------------------------------------------------------------- */

typedef struct item {
  char *path;
  const char *name; /* the part of path after the last slash */
  size_t folder;    /* place among the sorted subfolders */
  uint16_t label;
} item;

typedef struct items {
  item *item;
  size_t count;
} items;

static int by_name_then_folder(const void *a, const void *b) {
  const item *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order != 0 ? order : (x->folder > y->folder) - (x->folder < y->folder);
}

static void items_free(items *all) {
  for (size_t i = 0; i < all->count; i++) free(all->item[i].path);
  free(all->item);
}

static fovea_status items_add(items *all, const char *dir, const fovea_names *files, size_t folder, uint16_t label) {
  size_t count = all->count + files->count;
  if (count == all->count) return FOVEA_OK;
  item *grown = realloc(all->item, count * sizeof *grown);
  if (grown == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", count);
  all->item = grown;
  for (size_t i = 0; i < files->count; i++) {
    char *path = fovea_path_join(dir, files->name[i]);
    if (path == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu images", count);
    grown[all->count++] = (item){path, strrchr(path, '/') + 1, folder, label};
  }
  return FOVEA_OK;
}

/* A folder in a class's folder: one without pictures is passed over, one with any is refused. */
static fovea_status look_deeper(const char *parent, const char *name, fovea_data_report *report) {
  fovea_names files = {0}, folders = {0};
  char *path = fovea_path_join(parent, name);
  fovea_status status = path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", parent)
                                     : fovea_list_pictures(path, &files, &folders, report);
  if (status == FOVEA_OK && files.count + folders.count > 0)
    status = fovea_fail(FOVEA_INVALID,
                        "'%s' has a subfolder '%s' with '%s' in it; the folder of a class must hold its PNGs itself",
                        parent, name, files.count > 0 ? files.name[0] : folders.name[0]);
  if (status == FOVEA_OK) status = fovea_report_pass_over(report, "folder without pictures");
  free(path);
  fovea_names_free(&files);
  fovea_names_free(&folders);
  return status;
}

/* The folder at `path` of class `place`. */
static fovea_status add_class(items *all, const char *path, size_t place, const fovea_classes *classes,
                              fovea_data_report *report) {
  fovea_names files = {0}, deeper = {0};
  const char *name = classes->names.name[place];
  fovea_status status = fovea_list_pictures(path, &files, &deeper, report);
  for (size_t i = 0; i < deeper.count && status == FOVEA_OK; i++) status = look_deeper(path, deeper.name[i], report);
  if (status == FOVEA_OK) status = items_add(all, path, &files, place, classes->label[place]);
  if (status == FOVEA_OK && files.count == 0)
    status =
        fovea_report_remark(report, "'%s' holds no PNG: the class '%s' has no images there, and keeps its label %d",
                            path, name, classes->label[place]);
  fovea_names_free(&files);
  fovea_names_free(&deeper);
  return status;
}

static fovea_status add_folders(items *all, const char *dir, const fovea_names *folders, const char *other,
                                fovea_data_report *report) {
  fovea_classes classes;
  fovea_status status = fovea_classes_make(dir, folders, other, report, &classes);
  for (size_t i = 0, place = 0; i < folders->count && status == FOVEA_OK; i++) {
    while (strcmp(classes.names.name[place], folders->name[i]) != 0) place++; /* both are sorted */
    char *path = fovea_path_join(dir, folders->name[i]);
    status = path == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to list the folder '%s'", dir)
                          : add_class(all, path, place, &classes, report);
    free(path);
  }
  fovea_classes_free(&classes);
  return status;
}

/* The word that a file's name begins with, up to a digit and what joins it: "cat" of "cat.0.png". */
static size_t word_length(const char *name) {
  size_t n = strcspn(name, "0123456789");
  while (n > 0 && strchr("._- ", name[n - 1]) != NULL) n--;
  return name[n] == '\0' ? 0 : n;
}

/* Files of one folder that are named by a few words may be classes to their owner (Dogs vs Cats). */
static fovea_status remark_names(const char *dir, const items *all, fovea_data_report *report) {
  size_t words = 0;
  const char *first = NULL, *last = NULL;
  for (size_t i = 0; i < all->count; i++) {
    const char *name = all->item[i].name;
    const size_t n = word_length(name);
    if (n == 0) return FOVEA_OK;
    if (last != NULL && word_length(last) == n && strncmp(last, name, n) == 0) continue;
    first = first == NULL ? name : first;
    last = name;
    words++;
  }
  if (words < 2 || words > all->count / 2) return FOVEA_OK;
  return fovea_report_remark(
      report,
      "the names of files in '%s' begin with '%.*s', '%.*s' and so on: if these are classes, they "
      "are not used; put each into a folder of its own",
      dir, (int)word_length(first), first, (int)word_length(last), last);
}

/* A split without classes beside one with them. */
static fovea_status remark_flat(const char *dir, const char *other, fovea_data_report *report) {
  fovea_names folders = {0};
  struct stat about;
  fovea_status status = FOVEA_OK;
  if (stat(other, &about) == 0 && S_ISDIR(about.st_mode)) status = fovea_list_folders(other, &folders);
  if (status == FOVEA_OK && folders.count > 0)
    status = fovea_report_remark(report, "'%s' has subfolders, which are classes, and '%s' has none: it has no labels",
                                 other, dir);
  fovea_names_free(&folders);
  return status;
}

static fovea_status find_items(const char *dir, const char *other, items *all, bool *labelled,
                               fovea_data_report *report) {
  fovea_names files = {0}, folders = {0};
  fovea_status status = fovea_list_pictures(dir, &files, &folders, report);
  *labelled = folders.count > 0;
  if (status == FOVEA_OK && files.count > 0 && folders.count > 0)
    status = fovea_fail(FOVEA_INVALID, "'%s' has both PNGs ('%s') and subfolders ('%s'); one or the other is expected",
                        dir, files.name[0], folders.name[0]);
  if (status == FOVEA_OK)
    status = *labelled ? add_folders(all, dir, &folders, other, report) : items_add(all, dir, &files, 0, 0);
  if (status == FOVEA_OK && all->count == 0) status = fovea_fail(FOVEA_INVALID, "'%s' holds no PNG", dir);
  if (all->count > 0) qsort(all->item, all->count, sizeof *all->item, by_name_then_folder);
  if (status == FOVEA_OK && !*labelled) status = remark_names(dir, all, report);
  if (status == FOVEA_OK && !*labelled) status = remark_flat(dir, other, report);
  fovea_names_free(&files);
  fovea_names_free(&folders);
  return status;
}

/* ---- the images ------------------------------------------------------------------------------------------------- */

/* A fair sample of the items in place of all of them. */
static fovea_status thin_out(items *all, size_t limit, bool labelled) {
  if (limit == 0 || limit >= all->count) return FOVEA_OK;
  uint32_t *index = malloc(limit * sizeof *index);
  uint16_t *labels = malloc(all->count * sizeof *labels);
  fovea_status status = index == NULL || labels == NULL
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory to choose %zu of %zu images", limit, all->count)
                            : FOVEA_OK;
  for (size_t i = 0; i < all->count && status == FOVEA_OK; i++) labels[i] = all->item[i].label;
  if (status == FOVEA_OK) status = fovea_dataset_sample(labelled ? labels : NULL, all->count, limit, index);
  size_t kept = status == FOVEA_OK ? 0 : all->count;
  for (size_t i = 0; i < all->count && kept < limit; i++) {
    if (index[kept] != i) continue;
    const item chosen = all->item[i];
    all->item[i] = all->item[kept];
    all->item[kept++] = chosen;
  }
  while (all->count > kept) free(all->item[--all->count].path);
  free(index);
  free(labels);
  return status;
}

static fovea_status remark_notes(const fovea_png_notes *notes, fovea_data_report *report) {
  fovea_status status = FOVEA_OK;
  if (notes->transparent > 0)
    status = fovea_report_remark(report, "PNGs with a transparent colour (tRNS): %zu; it is taken as any other colour",
                                 notes->transparent);
  if (notes->turned > 0 && status == FOVEA_OK)
    status = fovea_report_remark(report, "PNGs that are to be turned (eXIf orientation): %zu; they are taken as stored",
                                 notes->turned);
  return status;
}

static fovea_status load_items(const items *all, bool labelled, fovea_dataset *set) {
  fovea_png_notes notes = {0};
  if (labelled && (set->labels = malloc(all->count * sizeof *set->labels)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", all->count);
  for (size_t n = 0; n < all->count; n++) {
    fovea_status status = fovea_png_load(all->item[n].path, n, all->count, set, &notes);
    if (status != FOVEA_OK) return status;
    if (!labelled) continue;
    set->labels[n] = all->item[n].label;
    fovea_report_taken(set->report, all->item[n].label);
  }
  set->count = all->count;
  return remark_notes(&notes, set->report);
}

fovea_status fovea_png_folder_load(const char *dir, const char *other, size_t limit, fovea_dataset *set) {
  items all = {0};
  bool labelled = false;
  fovea_status status = find_items(dir, other, &all, &labelled, set->report);
  for (size_t i = 0; i < all.count && status == FOVEA_OK && labelled; i++)
    fovea_report_there(set->report, all.item[i].label);
  set->report->images = all.count;
  if (status == FOVEA_OK) status = thin_out(&all, limit, labelled);
  if (status == FOVEA_OK) status = load_items(&all, labelled, set);
  items_free(&all);
  return status;
}
