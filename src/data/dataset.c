#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/find.h"
#include "data/listing.h"
#include "data/load.h"
#include "data/pack.h"
#include "data/picture_folder.h"
#include "data/report.h"
#include "data/split.h"
#include "fovea/data.h"

enum { SPLITS = 2 };

static const char hint[] = "Debian's package dataset-fashion-mnist installs a set in /usr/share/datasets/fashion-mnist";

void fovea_dataset_destroy(fovea_dataset *dataset) {
  if (dataset == NULL) return;
  free(dataset->pixels);
  free(dataset->labels);
  fovea_pack_close(dataset->file);
  fovea_report_destroy(dataset->report);
  free(dataset);
}

/* ---- what is there and not used --------------------------------------------------------------------------------- */

static bool is_used(const char *name, const fovea_names *used) {
  for (size_t i = 0; i < used->count; i++)
    if (strcmp(used->name[i], name) == 0) return true;
  return false;
}

static fovea_status remark_unused(const char *dir, const fovea_names *used, fovea_data_report *report) {
  enum { NAMED = 6, TEXT = 700 };
  fovea_names names = {0};
  char text[TEXT] = "";
  size_t count = 0, length = 0;
  fovea_status status = fovea_list_all(dir, &names);
  for (size_t i = 0; i < names.count && status == FOVEA_OK; i++) {
    if (is_used(names.name[i], used) || ++count > NAMED || length >= TEXT) continue;
    length += (size_t)snprintf(text + length, TEXT - length, "%s'%.100s'", count > 1 ? ", " : "", names.name[i]);
  }
  fovea_names_free(&names);
  if (status != FOVEA_OK || count == 0) return status;
  return count > NAMED ? fovea_report_remark(report, "not used in '%s': %s and %zu more", dir, text, count - NAMED)
                       : fovea_report_remark(report, "not used in '%s': %s", dir, text);
}

/* ---- folders of pictures ---------------------------------------------------------------------------------------- */

static const char *const split_names[SPLITS] = {"train", "test"};

static fovea_status no_data(const char *dir, int which) {
  return fovea_fail(FOVEA_INVALID,
                    "no data in '%s': looked for IDX files (%s-images-idx3-ubyte, with or without .gz), arrays (.npz, "
                    ".npy, .safetensors), tables (%s.csv), CIFAR's binary files, packed sets, a folder %s/ of PNG or "
                    "JPEG pictures, and such pictures or folders of them (%s)",
                    dir, which == 0 ? "train" : "t10k", split_names[which], split_names[which], hint);
}

/* What lies beside the splits' folders, and that such a one was gone into. */
static fovea_status remark_others(const fovea_folders *where, fovea_data_report *report) {
  fovea_names used = {0};
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < SPLITS && status == FOVEA_OK; i++) {
    if (where->folder[i][0] == '\0') continue;
    const char *name = where->folder[i] + strlen(where->parent) + 1;
    const size_t n = strcspn(name, "/");
    status = fovea_names_add(&used, strndup(name, n));
    if (status == FOVEA_OK && name[n] == '/' && !(where->one && i > 0))
      status = fovea_report_remark(report, "'%s/%.*s' holds one folder of that name, which is gone into", where->parent,
                                   (int)n, name);
  }
  if (status == FOVEA_OK) status = remark_unused(where->parent, &used, report);
  fovea_names_free(&used);
  return status;
}

/* What is refused of folders that hold pictures of split `which`. */
static fovea_status check_folders(const char *dir, int which, const fovea_load_options *options,
                                  const fovea_folders *where) {
  if (options->transpose || options->layout != FOVEA_LAYOUT_BY_SHAPE)
    return fovea_fail(FOVEA_INVALID, "--set, --transpose and --layout are for arrays, and '%s' holds pictures", dir);
  if (where->folder[which][0] == '\0')
    return fovea_fail(FOVEA_INVALID,
                      "'%s' has the folder '%s', but no images to train on: looked for a folder train, training, "
                      "train_set or the like",
                      dir, fovea_path_name(where->folder[1 - which]));
  if (options->split > 0 && !where->one && where->folder[1][0] != '\0')
    return fovea_fail(FOVEA_INVALID, "'%s' has a test split: --split is for sets that have none", dir);
  return FOVEA_OK;
}

/* What is told of a split that was loaded, or that nothing was there. */
static fovea_status finish_pictures(const char *dir, int which, const fovea_folders *where, const fovea_dataset *set) {
  fovea_status status = FOVEA_OK;
  if (set->count == 0) {
    status = fovea_find_foreign(dir);
    return status != FOVEA_OK ? status : no_data(dir, which);
  }
  if (where->wrapped)
    status = fovea_report_remark(set->report, "'%s' holds one folder, which is looked into: '%s'", dir,
                                 where->whole ? where->folder[which] : where->parent);
  return status != FOVEA_OK || where->whole ? status : remark_others(where, set->report);
}

/* Pictures; their folders are in `dir`, or in the one folder in it. */
fovea_status fovea_pictures_open(const char *dir, const fovea_load_options *const options[2],
                                 const fovea_load_watch *watch, fovea_dataset *const set[2],
                                 fovea_source *const source[2]) {
  fovea_folders where;
  fovea_status status = fovea_folders_find(dir, true, &where);
  for (int i = 0; i < SPLITS && status == FOVEA_OK; i++)
    if (set[i] != NULL) status = check_folders(dir, i, options[i], &where);
  if (status != FOVEA_OK) return status;
  status = source != NULL ? fovea_picture_folder_sources(&where, options, set, source)
                          : fovea_picture_folder_load(&where, options, watch, set);
  for (int i = 0; i < SPLITS && status == FOVEA_OK; i++)
    if (set[i] != NULL) status = finish_pictures(dir, i, &where, set[i]);
  return status;
}

fovea_status fovea_folders_of(const char *dir, fovea_folders *where) {
  static const fovea_load_options none = {0};
  fovea_data_report *report = NULL;
  fovea_found found = {.kind = FOVEA_FOUND_NOTHING};
  fovea_status status = fovea_report_create(&report);
  if (status != FOVEA_OK) return status;
  const fovea_status arrays = fovea_find(dir, &none, report, &found); /* a failure is the load's to tell */
  const bool some = arrays != FOVEA_OK || found.kind != FOVEA_FOUND_NOTHING;
  status = fovea_folders_find(dir, !some, where);
  if (status == FOVEA_OK && where->whole && some) *where = (fovea_folders){.one = false};
  fovea_found_free(&found);
  fovea_report_destroy(report);
  return status;
}

/* ---- arrays, tables, CIFAR's files ------------------------------------------------------------------------------ */

/* Fills the set with the images at the places in index[set->count] of the source. */
static fovea_status read_images(fovea_source *source, const uint32_t *index, fovea_dataset *set) {
  const size_t image = (size_t)source->channels * (size_t)source->height * (size_t)source->width;
  uint8_t *other = malloc(image);
  size_t taken = 0;
  fovea_status status = FOVEA_OK;
  if (set->count <= PTRDIFF_MAX / image) set->pixels = malloc(set->count * image);
  if (set->pixels == NULL || other == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", set->count, image);
  for (size_t i = 0; i < source->count && status == FOVEA_OK; i++) {
    const bool chosen = taken < set->count && index[taken] == i;
    status = source->next(source->of, chosen ? set->pixels + taken++ * image : other);
  }
  if (status == FOVEA_OK) status = source->next(source->of, NULL); /* the whole file is checked, whatever is chosen */
  free(other);
  return status;
}

/* Which images of the source are the split's: *count of them, in index[source->count]. */
static fovea_status choose_part(const fovea_source *source, int part, const fovea_load_options *o, uint32_t *index,
                                size_t *count) {
  *count = source->count;
  for (size_t i = 0; i < source->count; i++) index[i] = (uint32_t)i;
  return part < 0 ? FOVEA_OK : fovea_split(source->labels, source->count, o->split, o->seed, part == 1, index, count);
}

/* Labels and the fair sample of a split whose images have the places index[count] in the source. */
static fovea_status choose_images(const fovea_source *source, uint32_t *index, size_t count, size_t limit,
                                  fovea_dataset *set) {
  uint16_t *labels = source->labels != NULL ? malloc(count * sizeof *labels) : NULL;
  uint32_t *sample = malloc(count * sizeof *sample);
  set->report->images = count;
  set->count = limit == 0 || limit > count ? count : limit;
  fovea_status status = sample == NULL || (source->labels != NULL && labels == NULL)
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory to choose %zu images", set->count)
                            : FOVEA_OK;
  for (size_t i = 0; i < count && labels != NULL && status == FOVEA_OK; i++) labels[i] = source->labels[index[i]];
  if (status == FOVEA_OK) status = fovea_dataset_sample(labels, count, set->count, sample);
  for (size_t i = 0; i < source->classes.count && status == FOVEA_OK; i++)
    status = fovea_report_class(set->report, source->classes.name[i], (int)i);
  if (status == FOVEA_OK && labels != NULL) status = fovea_report_count(set->report, labels, count, sample, set->count);
  for (size_t i = 0; i < set->count && status == FOVEA_OK; i++) { /* ascending, so nothing is overwritten early */
    index[i] = index[sample[i]];
    if (labels != NULL) labels[i] = labels[sample[i]];
  }
  set->labels = labels;
  free(sample);
  return status;
}

fovea_status fovea_dataset_from(fovea_source *source, int part, const fovea_load_options *o, bool pixels,
                                fovea_dataset *set, uint32_t **places) {
  uint32_t *index = malloc(source->count * sizeof *index);
  size_t count = 0;
  fovea_status status = index == NULL ? fovea_fail(FOVEA_NO_MEMORY, "no memory to choose of %zu images", source->count)
                                      : choose_part(source, part, o, index, &count);
  if (status == FOVEA_OK) status = choose_images(source, index, count, o->limit, set);
  set->channels = source->channels;
  set->height = source->height;
  set->width = source->width;
  if (status == FOVEA_OK && pixels) status = read_images(source, index, set);
  if (places != NULL)
    *places = index;
  else
    free(index);
  return status;
}

/* A set that nobody split, or that has no test split, is split as asked. *part: -1 for a split of its own. */
static fovea_status choose_split(const char *path, const fovea_found *found, int which, const fovea_load_options *o,
                                 int *split, int *part) {
  const bool alone = found->whole || !fovea_found_has(found, 1);
  *split = alone && o->split > 0 ? 0 : which;
  *part = alone && o->split > 0 ? which : -1;
  if (!alone && o->split > 0)
    return fovea_fail(FOVEA_INVALID, "'%s' has a test split: --split is for sets that have none", path);
  if (fovea_found_has(found, *split) && (!found->whole || *part >= 0)) return FOVEA_OK;
  if (which == 0 && !found->whole)
    return fovea_fail(FOVEA_INVALID, "'%s' has no images to train with, only a test split", path);
  return fovea_fail(FOVEA_INVALID,
                    "'%s' has no %s: --split 0.1 tests with a tenth of its images and trains with the others", path,
                    found->whole ? "splits, train and test" : "test split");
}

static fovea_status remark_no_labels(const fovea_found *found, int which, fovea_data_report *report) {
  if (found->kind != FOVEA_FOUND_IDX)
    return fovea_report_remark(report, "%s has no labels", found->whole ? "the set" : split_names[which]);
  return fovea_report_remark(report, "%s has no labels: no file of them is there, as %s-labels-idx1-ubyte",
                             split_names[which], which == 0 ? "train" : "t10k");
}

fovea_status fovea_found_open(const char *path, const fovea_found *found, int which, const fovea_load_options *o,
                              fovea_data_report *report, fovea_source *source, int *part) {
  int split;
  *source = (fovea_source){.count = 0};
  if (o->channels != FOVEA_CHANNELS_AUTO || o->skip_bad)
    return fovea_fail(FOVEA_INVALID, "--channels and --skip-bad are for pictures, and '%s' holds arrays", path);
  if (o->range[0] != o->range[1] && found->kind >= FOVEA_FOUND_CSV)
    return fovea_fail(FOVEA_INVALID, "--range is for arrays and pictures of 16 bits, and '%s' holds bytes", path);
  fovea_status status = choose_split(path, found, which, o, &split, part);
  if (status == FOVEA_OK) status = fovea_found_source(found, split, o, report, source);
  if (status == FOVEA_OK) status = fovea_source_resize(source, path, o, report);
  if (status == FOVEA_OK && source->labels == NULL) status = remark_no_labels(found, split, report);
  if (status == FOVEA_OK && *part >= 0)
    status = fovea_report_remark(report, "'%s' is split by --split %g and the seed, %s", path, o->split,
                                 source->labels != NULL ? "each class alike" : "without classes");
  if (status == FOVEA_OK && found->dir != NULL) status = remark_unused(found->dir, &found->used, report);
  if (status != FOVEA_OK) fovea_source_close(source);
  return status;
}

static fovea_status load_found(const char *path, const fovea_found *found, int which, const fovea_load_options *o,
                               fovea_dataset *set) {
  if (found->kind == FOVEA_FOUND_PACK) return fovea_pack_load(found->split[which].files.name[0], which, o, set);
  fovea_source source;
  int part;
  fovea_status status = fovea_found_open(path, found, which, o, set->report, &source, &part);
  if (status == FOVEA_OK) status = fovea_dataset_from(&source, part, o, true, set, NULL);
  fovea_source_close(&source);
  return status;
}

/* ---- the load --------------------------------------------------------------------------------------------------- */

fovea_status fovea_dataset_read(const fovea_dataset *set, const uint32_t *index, size_t count, uint8_t *pixels) {
  if (!set) return fovea_fail_null("dataset");
  if (!pixels) return fovea_fail_null("pixels");
  const size_t image = (size_t)set->channels * (size_t)set->height * (size_t)set->width;
  for (size_t i = 0; i < count; i++)
    if ((index != NULL ? index[i] : i) >= set->count)
      return fovea_fail(FOVEA_INVALID, "the set has %zu images, number %zu is none", set->count,
                        index != NULL ? (size_t)index[i] : i);
  if (set->file != NULL) return fovea_pack_read(set->file, index, 0, count, pixels);
  if (set->pixels == NULL) return fovea_fail(FOVEA_INVALID, "the set's pixels are NULL");
  for (size_t i = 0; i < count; i++)
    memcpy(pixels + i * image, set->pixels + (index != NULL ? index[i] : i) * image, image);
  return FOVEA_OK;
}

/* Fills the sets that are there. */
static fovea_status load_sets(const char *path, const fovea_load_options *const options[2],
                              const fovea_load_watch *watch, fovea_dataset *const set[2]) {
  bool pictures = false;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < SPLITS && status == FOVEA_OK && !pictures; i++) {
    fovea_found found = {.kind = FOVEA_FOUND_NOTHING};
    if (set[i] == NULL) continue;
    status = fovea_find(path, options[i], set[i]->report, &found);
    if (status == FOVEA_OK && found.kind != FOVEA_FOUND_NOTHING)
      status = load_found(path, &found, i, options[i], set[i]);
    else if (status == FOVEA_OK && options[i]->set != NULL && strcasecmp(options[i]->set, "pictures") != 0)
      status = fovea_fail(FOVEA_INVALID, "'%s' has no set called '%.60s'", path, options[i]->set);
    else
      pictures = status == FOVEA_OK;
    fovea_found_free(&found);
  }
  return status == FOVEA_OK && pictures ? fovea_pictures_open(path, options, watch, set, NULL) : status;
}

fovea_status fovea_find_path(const char *dir) {
  struct stat about;
  if (stat(dir, &about) != 0)
    return fovea_fail(FOVEA_IO, "cannot open the data folder '%s': %s (%s)", dir, strerror(errno), hint);
  if (!S_ISDIR(about.st_mode) && !S_ISREG(about.st_mode))
    return fovea_fail(FOVEA_INVALID, "the data '%s' are neither a folder nor a file (%s)", dir, hint);
  return FOVEA_OK;
}

fovea_status fovea_dataset_load(const char *dir, const char *split, size_t limit, fovea_dataset **dataset) {
  if (!dir) return fovea_fail_null("dir");
  if (!split || !dataset) return fovea_fail_null(split ? "dataset" : "split");
  return fovea_dataset_load_as(dir, split, &(fovea_load_options){.limit = limit}, dataset);
}

static fovea_status make_set(const char *path, fovea_dataset **set) {
  *set = calloc(1, sizeof **set);
  return *set != NULL ? fovea_report_create(&(*set)->report)
                      : fovea_fail(FOVEA_NO_MEMORY, "no memory to load '%s'", path);
}

fovea_status fovea_dataset_load_both(const char *path, const fovea_load_options *const options[2],
                                     const fovea_load_watch *watch, fovea_dataset *(*sets)[2]) {
  fovea_dataset *set[SPLITS] = {NULL, NULL};
  fovea_status status = fovea_find_path(path);
  for (int i = 0; i < SPLITS && status == FOVEA_OK; i++)
    if (options[i] != NULL) status = make_set(path, &set[i]);
  if (status == FOVEA_OK) status = load_sets(path, options, watch, set);
  for (int i = 0; i < SPLITS; i++) {
    if (status == FOVEA_OK)
      (*sets)[i] = set[i];
    else
      fovea_dataset_destroy(set[i]);
  }
  return status;
}

fovea_status fovea_dataset_load_as(const char *dir, const char *split, const fovea_load_options *options,
                                   fovea_dataset **dataset) {
  static const fovea_load_options none = {0};
  fovea_dataset *sets[SPLITS];
  if (!dir) return fovea_fail_null("path");
  if (!split || !dataset) return fovea_fail_null(split ? "dataset" : "split");
  const int which = strcmp(split, split_names[0]) == 0 ? 0 : 1;
  if (which == 1 && strcmp(split, split_names[1]) != 0)
    return fovea_fail(FOVEA_INVALID, "data split '%s', expected 'train' or 'test'", split);
  const fovea_load_options *asked[SPLITS] = {NULL, NULL};
  asked[which] = options != NULL ? options : &none;
  const fovea_status status = fovea_dataset_load_both(dir, asked, NULL, &sets);
  if (status == FOVEA_OK) *dataset = sets[which];
  return status;
}
