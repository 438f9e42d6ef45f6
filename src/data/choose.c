/* Of all that may be a part of a data set, the set that is meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "data/find.h"

enum { LISTED = 600 };

static bool holds_images(const fovea_candidate *c) {
  return c->kind >= FOVEA_FOUND_CSV || c->what == FOVEA_WHAT_IMAGES;
}

static bool same_set(const fovea_candidate *a, const fovea_candidate *b) {
  return a->kind == b->kind && strcmp(a->set, b->set) == 0;
}

/* The first of those with the same set that has images. */
static bool leads(const fovea_candidates *all, size_t i) {
  if (!holds_images(&all->list[i])) return false;
  for (size_t k = 0; k < i; k++)
    if (holds_images(&all->list[k]) && same_set(&all->list[k], &all->list[i])) return false;
  return true;
}

static bool asked_for(const fovea_candidate *c, const char *asked) {
  return asked == NULL || strcasecmp(asked, fovea_found_names[c->kind]) == 0 ||
         (c->set[0] == '\0' ? strcmp(asked, "-") == 0 : fovea_naming_is(c->set, asked));
}

/* What --set would be. */
static const char *called(const fovea_candidates *all, const fovea_candidate *c) {
  for (size_t i = 0; i < all->count; i++)
    if (holds_images(&all->list[i]) && all->list[i].kind == c->kind && !same_set(&all->list[i], c))
      return c->set[0] != '\0' ? c->set : "-";
  return fovea_found_names[c->kind];
}

/* The set that is asked for, or the only one; *chosen is all->count where none has images. */
static fovea_status choose_set(const char *path, const fovea_candidates *all, const char *asked, size_t *chosen) {
  char list[LISTED] = "";
  size_t used = 0, several = 0, there = 0;
  *chosen = all->count;
  for (size_t i = 0; i < all->count; i++) {
    if (!leads(all, i)) continue;
    if (used < LISTED)
      used += (size_t)snprintf(list + used, LISTED - used, "%s%s (%.80s)", there > 0 ? ", " : "",
                               called(all, &all->list[i]), fovea_path_name(all->list[i].file));
    there++;
    if (!asked_for(&all->list[i], asked)) continue;
    if (several++ == 0) *chosen = i;
  }
  if (there == 0 || several == 1) return FOVEA_OK;
  if (several == 0)
    return fovea_fail(FOVEA_INVALID, "'%s' has no set called '%.60s'; --set is one of: %s", path, asked, list);
  return fovea_fail(FOVEA_INVALID, "'%s' has several data sets: choose one by --set: %s", path, list);
}

/* ---- one file twice --------------------------------------------------------------------------------------------- */

/* Whether all that the header promises is in a plain file. */
static bool is_whole(const char *path) {
  fovea_array a;
  fovea_array_place place = {FOVEA_ARRAY_IDX, (char *)(uintptr_t)path, NULL};
  if (fovea_array_open(&place, &a) != FOVEA_OK) return false;
  fovea_array_close(&a);
  return true;
}

/* Of two files that are the same part of a set: the smaller rank, else the first that is whole; *b is then the better
 * one if the answer is true. */
static fovea_status better(const fovea_candidate *a, const fovea_candidate *b, fovea_data_report *report,
                           bool *second) {
  *second = false;
  if (a->kind != FOVEA_FOUND_IDX)
    return fovea_fail(FOVEA_INVALID, "'%s' and '%s' are both %s of one split; take one of them away",
                      a->member != NULL ? a->member : a->file, b->member != NULL ? b->member : b->file,
                      a->what == FOVEA_WHAT_IMAGES ? "images" : "labels");
  *second = b->idx < a->idx;
  if (a->idx != b->idx || is_whole(a->file) || !is_whole(b->file)) return FOVEA_OK;
  *second = true;
  return fovea_report_remark(report, "'%s' is cut off or damaged: '%s' is taken in its place", a->file,
                             fovea_path_name(b->file));
}

/* ---- into place ------------------------------------------------------------------------------------------------- */

static fovea_status use(fovea_found *found, const char *file) {
  return fovea_names_add(&found->used, strdup(fovea_path_name(file)));
}

static const fovea_candidate *best(const fovea_candidates *all, const fovea_candidate *like, fovea_split_name split,
                                   fovea_what what, fovea_data_report *report, fovea_status *status) {
  const fovea_candidate *found = NULL;
  for (size_t i = 0; i < all->count && *status == FOVEA_OK; i++) {
    const fovea_candidate *c = &all->list[i];
    bool second = true;
    if (!same_set(c, like) || c->split != split || c->what != what) continue;
    if (found != NULL) *status = better(found, c, report, &second);
    if (second) found = c;
  }
  return found;
}

static fovea_status put_place(const fovea_candidate *c, fovea_array_place *place) {
  place->kind = (fovea_array_kind)c->kind;
  place->path = strdup(c->file);
  place->member = c->member != NULL ? strdup(c->member) : NULL;
  if (place->path != NULL && (c->member == NULL || place->member != NULL)) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of a data set's files");
}

static fovea_status put_arrays(const fovea_candidates *all, const fovea_candidate *like, fovea_split_name split,
                               fovea_data_report *report, fovea_found *found, fovea_found_split *to) {
  fovea_status status = FOVEA_OK;
  const fovea_candidate *images = best(all, like, split, FOVEA_WHAT_IMAGES, report, &status);
  const fovea_candidate *labels = best(all, like, split, FOVEA_WHAT_LABELS, report, &status);
  if (status == FOVEA_OK && images == NULL && labels != NULL && split != FOVEA_SPLIT_VAL)
    status = fovea_report_remark(report, "'%s' has labels of images that are not there", labels->file);
  if (status != FOVEA_OK || images == NULL) return status;
  status = put_place(images, &to->pair.images);
  if (status == FOVEA_OK) status = use(found, images->file);
  if (status == FOVEA_OK && labels != NULL) status = put_place(labels, &to->pair.labels);
  if (status == FOVEA_OK && labels != NULL) status = use(found, labels->file);
  return status;
}

static fovea_status put_files(const fovea_candidates *all, const fovea_candidate *like, fovea_split_name split,
                              fovea_found *found, fovea_found_split *to) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < all->count && status == FOVEA_OK; i++) {
    const fovea_candidate *c = &all->list[i];
    if (!same_set(c, like) || c->split != split) continue;
    if (to->files.count > 0 && c->kind != FOVEA_FOUND_CIFAR)
      status = fovea_fail(FOVEA_INVALID, "'%s' and '%s' are both one split; take one of them away", to->files.name[0],
                          c->file);
    if (status == FOVEA_OK) status = fovea_names_add(&to->files, strdup(c->file));
    if (status == FOVEA_OK) status = use(found, c->file);
  }
  return status;
}

static fovea_status put(const fovea_candidates *all, const fovea_candidate *like, fovea_split_name split,
                        fovea_data_report *report, fovea_found *found, int which) {
  fovea_found_split *to = &found->split[which];
  return like->kind < FOVEA_FOUND_CSV ? put_arrays(all, like, split, report, found, to)
                                      : put_files(all, like, split, found, to);
}

/* CIFAR-10's training images are five files; what is not there is missed by nothing else. */
static fovea_status remark_batches(const fovea_found *found, fovea_data_report *report) {
  enum { BATCHES = 5 };
  const fovea_names *files = &found->split[0].files;
  char name[32], missing[BATCHES * sizeof name] = "";
  size_t used = 0;
  for (int i = 1; i <= BATCHES; i++) {
    bool there = false;
    snprintf(name, sizeof name, "data_batch_%d.bin", i);
    for (size_t k = 0; k < files->count; k++) there = there || strcmp(fovea_path_name(files->name[k]), name) == 0;
    if (!there) used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", used > 0 ? ", " : "", name);
  }
  if (used == 0 || files->count == 0) return FOVEA_OK;
  return fovea_report_remark(report, "of CIFAR-10's training files %s %s not there: its images are not trained with",
                             missing, strchr(missing, ',') != NULL ? "are" : "is");
}

/* Where train and test are there, a validation split has no use. */
static fovea_status remark_val(const fovea_candidates *all, const fovea_candidate *like, const fovea_found *found,
                               fovea_data_report *report) {
  if (!fovea_found_has(found, 0) || !fovea_found_has(found, 1)) return FOVEA_OK;
  for (size_t i = 0; i < all->count; i++) {
    const fovea_candidate *c = &all->list[i];
    if (!same_set(c, like) || c->split != FOVEA_SPLIT_VAL || !holds_images(c)) continue;
    return fovea_report_remark(report, "not used: the validation split, '%s'", c->member != NULL ? c->member : c->file);
  }
  return FOVEA_OK;
}

/* A validation split tests where there is no test split. */
static fovea_status put_splits(const char *path, const fovea_candidates *all, const fovea_candidate *like,
                               fovea_data_report *report, fovea_found *found) {
  fovea_status status = put(all, like, FOVEA_SPLIT_TRAIN, report, found, 0);
  if (status == FOVEA_OK) status = put(all, like, FOVEA_SPLIT_TEST, report, found, 1);
  if (status == FOVEA_OK) status = remark_val(all, like, found, report);
  if (status == FOVEA_OK && !fovea_found_has(found, 1)) {
    status = put(all, like, FOVEA_SPLIT_VAL, report, found, 1);
    if (status == FOVEA_OK && fovea_found_has(found, 1))
      status = fovea_report_remark(report, "'%s' has no test split: its validation split is taken", path);
  }
  if (status != FOVEA_OK || fovea_found_has(found, 0)) return status;
  found->whole = true;
  status = put(all, like, FOVEA_SPLIT_NONE, report, found, 0);
  if (fovea_found_has(found, 1)) found->whole = false;
  return status;
}

/* CIFAR's names of classes stand beside its files. */
static fovea_status put_meta(fovea_found *found, const char *set) {
  struct stat about;
  if (found->dir == NULL) return FOVEA_OK;
  const char *name = strcmp(set, "cifar-100") == 0 ? "fine_label_names.txt" : "batches.meta.txt";
  char *path = fovea_path_join(found->dir, name);
  if (path == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of a data set's files");
  if (stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
    found->meta = path;
    return use(found, path);
  }
  free(path);
  return FOVEA_OK;
}

static fovea_status remark_emnist(const fovea_candidate *c, const fovea_load_options *o, fovea_data_report *report) {
  if (o->transpose || c->kind != FOVEA_FOUND_IDX || strstr(c->set, "emnist") == NULL) return FOVEA_OK;
  return fovea_report_remark(report,
                             "EMNIST's images are stored with rows and columns exchanged: --transpose puts them "
                             "upright");
}

static bool is_taken(const fovea_candidate *c, const fovea_found *found) {
  for (int i = 0; i < 2; i++) {
    const fovea_array_pair *p = &found->split[i].pair;
    const fovea_array_place *places[] = {&p->images, &p->labels};
    for (int k = 0; k < 2; k++)
      if (places[k]->path != NULL && places[k]->member != NULL && strcmp(places[k]->path, c->file) == 0 &&
          strcmp(places[k]->member, c->member) == 0)
        return true;
  }
  return false;
}

static bool has_images(const fovea_candidates *all, const fovea_candidate *of) {
  for (size_t i = 0; i < all->count; i++)
    if (holds_images(&all->list[i]) && same_set(&all->list[i], of)) return true;
  return false;
}

/* Of arrays in one file, labels that by their name are of no images there: none of --set's choices. */
static fovea_status remark_strays(const fovea_candidates *all, const fovea_found *found, fovea_data_report *report) {
  const fovea_array_place *images = &found->split[found->split[0].pair.images.path == NULL].pair.images;
  char list[LISTED] = "";
  size_t used = 0;
  for (size_t i = 0; i < all->count && images->member != NULL && used < LISTED; i++) {
    const fovea_candidate *c = &all->list[i];
    if (c->member == NULL || strcmp(c->file, images->path) != 0 || is_taken(c, found) || has_images(all, c)) continue;
    used += (size_t)snprintf(list + used, LISTED - used, "%s'%.80s'", used > 0 ? ", " : "", c->member);
  }
  if (used == 0) return FOVEA_OK;
  return fovea_report_remark(
      report,
      "'%s': '%.80s' is taken as the images; not used: %s, which by name belongs to none (names such "
      "as images and labels, or x_train and y_train, say what belongs together)",
      images->path, images->member, list);
}

fovea_status fovea_candidates_choose(const char *path, fovea_candidates *all, const fovea_load_options *o,
                                     fovea_data_report *report, fovea_found *found) {
  size_t chosen;
  fovea_status status = choose_set(path, all, o->set, &chosen);
  if (status != FOVEA_OK || chosen == all->count) return status;
  const fovea_candidate *like = &all->list[chosen];
  found->kind = like->kind;
  if (like->kind == FOVEA_FOUND_PACK) {
    status = fovea_names_add(&found->split[0].files, strdup(like->file));
    if (status == FOVEA_OK) status = fovea_names_add(&found->split[1].files, strdup(like->file));
    return status == FOVEA_OK ? use(found, like->file) : status;
  }
  status = put_splits(path, all, like, report, found);
  if (status == FOVEA_OK) status = remark_strays(all, found, report);
  if (status == FOVEA_OK && like->kind == FOVEA_FOUND_CIFAR) status = put_meta(found, like->set);
  if (status == FOVEA_OK && strcmp(like->set, "cifar-10") == 0 && like->kind == FOVEA_FOUND_CIFAR && found->dir != NULL)
    status = remark_batches(found, report);
  return status == FOVEA_OK ? remark_emnist(like, o, report) : status;
}
