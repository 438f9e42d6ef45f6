#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/idx_set.h"
#include "data/listing.h"
#include "data/picture_folder.h"
#include "data/report.h"
#include "fovea/data.h"

enum { PATH_SIZE = 4096, SPLITS = 2 };

static const char hint[] = "Debian's package dataset-fashion-mnist installs a set in /usr/share/datasets/fashion-mnist";

void fovea_dataset_destroy(fovea_dataset *dataset) {
  if (dataset == NULL) return;
  free(dataset->pixels);
  free(dataset->labels);
  fovea_report_destroy(dataset->report);
  free(dataset);
}

/* ---- what the folder holds -------------------------------------------------------------------------------------- */

static const char *const split_names[SPLITS] = {"train", "test"}, *const prefixes[SPLITS] = {"train", "t10k"};

/* A split's paths; empty where there is none. */
typedef struct split_paths {
  char images[PATH_SIZE], labels[PATH_SIZE], folder[PATH_SIZE];
} split_paths;

static bool exists(const char *path) {
  struct stat about;
  return stat(path, &about) == 0;
}

static bool is_folder(const char *path) {
  struct stat about;
  return path[0] != '\0' && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* Writes the path "DIR/PREFIX REST", or nothing where nothing is. */
static bool find(const char *dir, const char *prefix, const char *rest, char path[PATH_SIZE]) {
  const int n = snprintf(path, PATH_SIZE, "%s/%s%s", dir, prefix, rest);
  if (n < PATH_SIZE && exists(path)) return true;
  path[0] = '\0';
  return false;
}

static void find_split(const char *dir, int which, split_paths *s) {
  const char *prefix = prefixes[which];
  if (!find(dir, prefix, "-images-idx3-ubyte", s->images) && !find(dir, prefix, "-images-idx3-ubyte.gz", s->images) &&
      !find(dir, prefix, "-images-idx4-ubyte", s->images))
    find(dir, prefix, "-images-idx4-ubyte.gz", s->images);
  if (!find(dir, prefix, "-labels-idx1-ubyte", s->labels)) find(dir, prefix, "-labels-idx1-ubyte.gz", s->labels);
}

static const char *last_name(const char *path) { return strrchr(path, '/') + 1; }

/* IDX files and folders together: what one of them is, the other need not be, and their labels are not the same. */
static fovea_status check_one_kind(const char *dir, const split_paths s[SPLITS]) {
  const char *images = s[0].images[0] != '\0' ? s[0].images : s[1].images;
  const char *folder = is_folder(s[0].folder) ? s[0].folder : s[1].folder;
  if (images[0] == '\0' || !is_folder(folder)) return FOVEA_OK;
  return fovea_fail(
      FOVEA_INVALID,
      "'%s' has both IDX files ('%s') and a folder of images ('%s'): which is the data set? Move the other "
      "one away",
      dir, last_name(images), last_name(folder));
}

/* ---- what is there and not used --------------------------------------------------------------------------------- */

static bool is_used(const char *name, const split_paths s[SPLITS]) {
  for (int i = 0; i < SPLITS; i++) {
    const char *const used[] = {s[i].images, s[i].labels, is_folder(s[i].folder) ? s[i].folder : ""};
    for (size_t k = 0; k < 3; k++)
      if (used[k][0] != '\0' && strcmp(last_name(used[k]), name) == 0) return true;
  }
  return false;
}

static fovea_status remark_unused(const char *dir, const split_paths s[SPLITS], fovea_data_report *report) {
  enum { NAMED = 6, TEXT = 700 };
  fovea_names names = {0};
  char text[TEXT] = "";
  size_t count = 0, used = 0;
  fovea_status status = fovea_list_all(dir, &names);
  for (size_t i = 0; i < names.count && status == FOVEA_OK; i++) {
    if (is_used(names.name[i], s) || ++count > NAMED || used >= TEXT) continue;
    used += (size_t)snprintf(text + used, TEXT - used, "%s'%.100s'", count > 1 ? ", " : "", names.name[i]);
  }
  fovea_names_free(&names);
  if (status != FOVEA_OK || count == 0) return status;
  return count > NAMED ? fovea_report_remark(report, "not used in '%s': %s and %zu more", dir, text, count - NAMED)
                       : fovea_report_remark(report, "not used in '%s': %s", dir, text);
}

static fovea_status remark_no_labels(const char *dir, int which, fovea_data_report *report) {
  return fovea_report_remark(report, "%s has no labels: '%s/%s-labels-idx1-ubyte' is not there, with or without .gz",
                             split_names[which], dir, prefixes[which]);
}

/* ---- the load --------------------------------------------------------------------------------------------------- */

static bool has_arrays(const split_paths s[SPLITS]) { return s[0].images[0] != '\0' || s[1].images[0] != '\0'; }

/* Finds what there is of both kinds. */
static fovea_status find_all(const char *dir, split_paths s[SPLITS], fovea_folders *where) {
  static const split_paths nothing = {.images = ""};
  for (int i = 0; i < SPLITS; i++) {
    s[i] = nothing;
    find_split(dir, i, &s[i]);
  }
  fovea_status status = fovea_folders_find(dir, !has_arrays(s), where);
  for (int i = 0; i < SPLITS && status == FOVEA_OK && !where->whole; i++)
    memcpy(s[i].folder, where->folder[i], sizeof s[i].folder);
  return status;
}

fovea_status fovea_folders_of(const char *dir, fovea_folders *where) {
  split_paths s[SPLITS];
  const fovea_status status = find_all(dir, s, where);
  if (status == FOVEA_OK && where->whole && has_arrays(s)) *where = (fovea_folders){.one = false};
  return status;
}

static fovea_status no_data(const char *dir, int which) {
  return fovea_fail(FOVEA_IO,
                    "no data in '%s': looked for %s-images-idx3-ubyte, %s-images-idx4-ubyte (each with or without "
                    ".gz), a folder %s/ of PNG or JPEG pictures, and such pictures or folders of them (%s)",
                    dir, prefixes[which], prefixes[which], split_names[which], hint);
}

/* Pictures; their folders are in `dir`, or in the one folder in it. */
static fovea_status load_pictures(const char *dir, const split_paths s[SPLITS], const fovea_folders *where, int which,
                                  const fovea_load_options *options, fovea_dataset *set) {
  char parent[PATH_SIZE];
  if (options->set != NULL || options->transpose || options->layout != FOVEA_LAYOUT_BY_SHAPE)
    return fovea_fail(FOVEA_INVALID, "--set, --transpose and --layout are for arrays, and '%s' holds pictures", dir);
  if (where->folder[which][0] == '\0')
    return fovea_fail(FOVEA_IO,
                      "'%s' has the folder '%s', but no images to train on: looked for a folder train, training, "
                      "train_set or the like",
                      dir, last_name(where->folder[1 - which]));
  fovea_status status = fovea_picture_folder_load(where, which, options, set);
  if (status != FOVEA_OK) return status;
  if (set->count == 0) return no_data(dir, which);
  snprintf(parent, sizeof parent, "%s", where->folder[which]);
  if (!where->whole) *strrchr(parent, '/') = '\0';
  if (where->wrapped)
    status = fovea_report_remark(set->report, "'%s' holds one folder, which is looked into: '%s'", dir, parent);
  return status != FOVEA_OK || where->whole ? status : remark_unused(parent, s, set->report);
}

static fovea_status load_split(const char *dir, int which, const fovea_load_options *options, fovea_dataset *set) {
  split_paths s[SPLITS];
  fovea_folders where;
  fovea_status status = find_all(dir, s, &where);
  if (status == FOVEA_OK) status = check_one_kind(dir, s);
  if (status != FOVEA_OK) return status;
  if (!has_arrays(s)) return load_pictures(dir, s, &where, which, options, set);
  const split_paths *mine = &s[which];
  if (mine->images[0] == '\0') return no_data(dir, which);
  const bool labelled = mine->labels[0] != '\0';
  status = fovea_idx_set_load(mine->images, labelled ? mine->labels : NULL, options->limit, set);
  if (status == FOVEA_OK && !labelled) status = remark_no_labels(dir, which, set->report);
  return status != FOVEA_OK ? status : remark_unused(dir, s, set->report);
}

fovea_status fovea_dataset_load(const char *dir, const char *split, size_t limit, fovea_dataset **dataset) {
  if (!dir) return fovea_fail_null("dir");
  if (!split || !dataset) return fovea_fail_null(split ? "dataset" : "split");
  return fovea_dataset_load_as(dir, split, &(fovea_load_options){.limit = limit}, dataset);
}

fovea_status fovea_dataset_load_as(const char *dir, const char *split, const fovea_load_options *options,
                                   fovea_dataset **dataset) {
  static const fovea_load_options none = {0};
  if (!dir) return fovea_fail_null("path");
  if (options == NULL) options = &none;
  if (!split || !dataset) return fovea_fail_null(split ? "dataset" : "split");
  const bool train = strcmp(split, split_names[0]) == 0;
  if (!train && strcmp(split, split_names[1]) != 0)
    return fovea_fail(FOVEA_INVALID, "data split '%s', expected 'train' or 'test'", split);
  struct stat about;
  if (stat(dir, &about) != 0)
    return fovea_fail(FOVEA_IO, "cannot open the data folder '%s': %s (%s)", dir, strerror(errno), hint);
  if (!S_ISDIR(about.st_mode)) return fovea_fail(FOVEA_IO, "the data folder '%s' is not a folder (%s)", dir, hint);
  fovea_dataset *set = calloc(1, sizeof *set);
  if (set == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to load '%s'", dir);
  fovea_status status = fovea_report_create(&set->report);
  if (status == FOVEA_OK) status = load_split(dir, train ? 0 : 1, options, set);
  if (status == FOVEA_OK)
    *dataset = set;
  else
    fovea_dataset_destroy(set);
  return status;
}
