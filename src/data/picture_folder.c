#include "data/picture_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/classes.h"
#include "data/split.h"
#include "data/survey.h"

static const char *const split_names[] = {"train", "test"};

/* A load. */
typedef struct load {
  const fovea_folders *where;
  const fovea_load_options *options;
  fovea_data_report *report;
  int split;
  fovea_tree mine, other; /* pictures of this split and of the other one */
  bool labelled;
} load;

static const char *my_folder(const load *l) { return l->where->folder[l->split]; }

/* ---- classes ---------------------------------------------------------------------------------------------------- */

static size_t in_folders(const fovea_tree *t) { return t->count - t->flat; }

/* The word that a file's name begins with, up to a digit and what joins it: "cat" of "cat.0.png". */
static size_t word_length(const char *name) {
  size_t n = strcspn(name, "0123456789");
  while (n > 0 && strchr("._- ", name[n - 1]) != NULL) n--;
  return name[n] == '\0' ? 0 : n;
}

/* Files of one folder that are named by a few words may be classes to their owner (Dogs vs Cats). */
static fovea_status remark_names(const load *l) {
  size_t words = 0;
  const char *first = NULL, *last = NULL;
  for (size_t i = 0; i < l->mine.count; i++) {
    const char *name = l->mine.item[i].path + l->mine.item[i].name;
    const size_t n = word_length(name);
    if (n == 0) return FOVEA_OK;
    if (last != NULL && word_length(last) == n && strncmp(last, name, n) == 0) continue;
    first = first == NULL ? name : first;
    last = name;
    words++;
  }
  if (words < 2 || words > l->mine.count / 2) return FOVEA_OK;
  return fovea_report_remark(
      l->report,
      "the names of files in '%s' begin with '%.*s', '%.*s' and so on: if these are classes, they "
      "are not used; put each into a folder of its own",
      my_folder(l), (int)word_length(first), first, (int)word_length(last), last);
}

static fovea_status remark_flat(const load *l) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < l->mine.folders.count && status == FOVEA_OK; i++)
    status = fovea_report_pass_over(l->report, "folder without pictures");
  if (status == FOVEA_OK) status = remark_names(l);
  if (status != FOVEA_OK || l->where->one || in_folders(&l->other) == 0) return status;
  return fovea_report_remark(l->report, "'%s' has subfolders, which are classes, and '%s' has none: it has no labels",
                             l->where->folder[1 - l->split], my_folder(l));
}

static fovea_status remark_empty(const load *l, const fovea_classes *classes) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < l->mine.folders.count && status == FOVEA_OK; i++) {
    const char *name = l->mine.folders.name[i];
    if (l->mine.pictures[i] > 0) continue;
    status = fovea_report_remark(l->report,
                                 "'%s/%s' holds no picture: the class '%s' has no images there, and keeps its label %d",
                                 my_folder(l), name, name, fovea_classes_label(classes, name));
  }
  return status;
}

/* Where pictures lie deeper, it is said which folder is the class. */
static fovea_status remark_deeper(const load *l) {
  const size_t skipped = strlen(my_folder(l)) + 1;
  const char *below = NULL;
  for (size_t i = 0; i < l->mine.count && below == NULL; i++) {
    const fovea_tree_item *item = &l->mine.item[i];
    const char *slash = strchr(item->path + skipped, '/');
    if (slash + 1 != item->path + item->name) below = item->path + skipped;
  }
  if (below == NULL) return FOVEA_OK;
  return fovea_report_remark(l->report,
                             "%s: %zu picture%s in folders of a class's folder: a class is all that is below the "
                             "first folder, '%.*s' of '%s'",
                             split_names[l->split], l->mine.deeper, l->mine.deeper == 1 ? " lies" : "s lie",
                             (int)strcspn(below, "/"), below, below);
}

/* The data folder itself may hold other things: only what has pictures is a class. */
static fovea_status drop_empty(load *l) {
  fovea_names *names = &l->mine.folders;
  fovea_status status = FOVEA_OK;
  size_t kept = 0;
  size_t *place = calloc(names->count + 1, sizeof *place);
  if (place == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu folders", names->count);
  for (size_t i = 0; i < names->count; i++) {
    if (l->mine.pictures[i] == 0) {
      free(names->name[i]);
      if (status == FOVEA_OK) status = fovea_report_pass_over(l->report, "folder without pictures");
      continue;
    }
    place[i] = kept;
    l->mine.pictures[kept] = l->mine.pictures[i];
    names->name[kept++] = names->name[i];
  }
  names->count = kept;
  for (size_t i = 0; i < l->mine.count; i++) l->mine.item[i].folder = place[l->mine.item[i].folder];
  free(place);
  return status;
}

static fovea_status label_all(load *l) {
  fovea_classes classes = {.label = NULL};
  fovea_status status = l->where->whole ? drop_empty(l) : FOVEA_OK;
  if (status == FOVEA_OK) status = fovea_classes_make(&l->mine.folders, &l->other.folders, l->report, &classes);
  for (size_t i = 0; i < l->mine.count && status == FOVEA_OK; i++)
    l->mine.item[i].label = fovea_classes_label(&classes, l->mine.folders.name[l->mine.item[i].folder]);
  if (status == FOVEA_OK) status = remark_empty(l, &classes);
  if (status == FOVEA_OK && l->mine.deeper > 0) status = remark_deeper(l);
  fovea_classes_free(&classes);
  return status;
}

static fovea_status refuse_both(const load *l) {
  const char *file = NULL, *folder = NULL;
  for (size_t i = l->mine.count; i-- > 0;) {
    const fovea_tree_item *item = &l->mine.item[i];
    if (item->folder == FOVEA_TREE_FLAT)
      file = item->path + item->name;
    else
      folder = l->mine.folders.name[item->folder];
  }
  return fovea_fail(FOVEA_INVALID,
                    "'%s' has both pictures (%zu, as '%s') and subfolders of pictures (as '%s'); one or the other is "
                    "expected: move the pictures into a subfolder, which is their class, or away",
                    my_folder(l), l->mine.flat, file, folder);
}

static fovea_status find_pictures(load *l) {
  const bool skip = l->options->skip_bad;
  const char *other = l->where->folder[1 - l->split];
  fovea_status status = fovea_tree_walk(my_folder(l), skip, l->report, &l->mine);
  if (status == FOVEA_OK && l->mine.count == 0 && !l->where->whole)
    status = fovea_fail(FOVEA_INVALID, "'%s' holds no picture", my_folder(l));
  if (status == FOVEA_OK && l->mine.flat > 0 && in_folders(&l->mine) > 0) status = refuse_both(l);
  if (status == FOVEA_OK && !l->where->one && other[0] != '\0') status = fovea_tree_walk(other, skip, NULL, &l->other);
  if (status != FOVEA_OK || l->mine.count == 0) return status;
  l->labelled = l->mine.flat == 0;
  return l->labelled ? label_all(l) : remark_flat(l);
}

/* ---- which of them ---------------------------------------------------------------------------------------------- */

/* The labels of all, to be freed; NULL without memory. */
static uint16_t *labels_of(const fovea_tree *t) {
  uint16_t *labels = malloc(t->count * sizeof *labels);
  for (size_t i = 0; i < t->count && labels != NULL; i++) labels[i] = t->item[i].label;
  return labels;
}

/* Keeps those items whose places are in the index, ascending. */
static fovea_status keep_places(load *l, const uint32_t *index, size_t count, fovea_tree *rest) {
  bool *keep = malloc(l->mine.count * sizeof *keep);
  if (keep == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose of %zu images", l->mine.count);
  for (size_t i = 0, k = 0; i < l->mine.count; i++) {
    keep[i] = k < count && index[k] == i;
    k += keep[i];
  }
  const fovea_status status = fovea_tree_keep(&l->mine, keep, rest);
  free(keep);
  return status;
}

/* Takes this split's part of a folder that has none; the rest is the other's. */
static fovea_status split_folder(load *l, const uint16_t *labels, uint32_t *index) {
  const size_t all = l->mine.count;
  const double asked = l->options->split > 0 ? l->options->split : 0.1;
  const double part = asked * (double)all < 0.5 ? 1.0 / (double)all : asked; /* one image at least */
  size_t count = 0;
  fovea_status status = fovea_split(labels, all, part, l->options->seed, l->split == 1, index, &count);
  if (status != FOVEA_OK) return fovea_fail_in(status, "'%s'", my_folder(l));
  status = keep_places(l, index, count, &l->other);
  if (status != FOVEA_OK) return status;
  return fovea_report_remark(l->report,
                             "'%s' has no test images of its own: %zu of its %zu %s kept for testing%s, by the seed "
                             "(--split %g)",
                             my_folder(l), l->split == 1 ? count : all - count, all,
                             (l->split == 1 ? count : all - count) == 1 ? "is" : "are",
                             l->labelled ? ", a fair share of each class" : "", asked);
}

/* A fair sample in place of all. */
static fovea_status thin_out(load *l, const uint16_t *labels, uint32_t *index) {
  const size_t limit = l->options->limit;
  fovea_status status = fovea_dataset_sample(labels, l->mine.count, limit, index);
  return status == FOVEA_OK ? keep_places(l, index, limit, NULL) : status;
}

/* With room for as many numbers as there are pictures. */
static fovea_status choose(load *l, fovea_status (*rule)(load *l, const uint16_t *labels, uint32_t *index)) {
  uint16_t *labels = labels_of(&l->mine);
  uint32_t *index = malloc(l->mine.count * sizeof *index);
  fovea_status status = labels == NULL || index == NULL
                            ? fovea_fail(FOVEA_NO_MEMORY, "no memory to choose of %zu images", l->mine.count)
                            : rule(l, l->labelled ? labels : NULL, index);
  free(labels);
  free(index);
  return status;
}

/* ---- the images ------------------------------------------------------------------------------------------------- */

static fovea_status load_one(const fovea_tree_item *item, const fovea_target *target, uint8_t *to) {
  uint8_t *pixels = NULL;
  fovea_status status = fovea_picture_read(item->path, &item->info, &pixels);
  if (status == FOVEA_OK) status = fovea_target_apply(target, &item->info, pixels, to);
  free(pixels);
  return status;
}

static fovea_status load_all(const load *l, const fovea_target *target, fovea_dataset *set) {
  const size_t size = (size_t)target->channels * (size_t)target->height * (size_t)target->width;
  const size_t count = l->mine.count;
  set->channels = target->channels;
  set->height = target->height;
  set->width = target->width;
  if (size > PTRDIFF_MAX / count || (set->pixels = malloc(size * count)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu images of %zu bytes", count, size);
  if (l->labelled && (set->labels = malloc(count * sizeof *set->labels)) == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", count);
  for (size_t i = 0; i < count; i++) {
    const fovea_tree_item *item = &l->mine.item[i];
    fovea_status status = load_one(item, target, set->pixels + set->count * size);
    if (status != FOVEA_OK) {
      status = fovea_tree_skip(status, l->options->skip_bad, l->report);
      if (status != FOVEA_OK) return status;
      continue;
    }
    if (l->labelled) {
      set->labels[set->count] = item->label;
      fovea_report_taken(l->report, item->label);
    }
    set->count++;
  }
  if (set->count > 0) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s': all of %zu pictures are damaged", my_folder(l), count);
}

/* Of all that was found those of the split, and of those a sample; what they become is decided by all. */
static fovea_status take_pictures(load *l, fovea_target *target) {
  fovea_status status = l->where->one ? choose(l, split_folder) : FOVEA_OK;
  if (status == FOVEA_OK)
    status = fovea_survey(split_names[l->split], &l->mine, &l->other, l->options, l->report, target);
  for (size_t i = 0; i < l->mine.count && l->labelled; i++) fovea_report_there(l->report, l->mine.item[i].label);
  l->report->images = l->mine.count;
  if (status != FOVEA_OK || l->options->limit == 0 || l->options->limit >= l->mine.count) return status;
  return choose(l, thin_out);
}

fovea_status fovea_picture_folder_load(const fovea_folders *where, int split, const fovea_load_options *options,
                                       fovea_dataset *set) {
  load l = {.where = where, .options = options, .report = set->report, .split = split};
  fovea_target target = {0};
  fovea_status status = find_pictures(&l);
  if (status == FOVEA_OK && l.mine.count > 0) status = take_pictures(&l, &target);
  if (status == FOVEA_OK && l.mine.count > 0) status = load_all(&l, &target, set);
  fovea_tree_free(&l.mine);
  fovea_tree_free(&l.other);
  return status;
}

/* ---- one at a time ---------------------------------------------------------------------------------------------- */

typedef struct pictures {
  fovea_tree tree;
  fovea_target target;
} pictures;

static fovea_status picture_at(void *of, size_t i, uint8_t *pixels) {
  const pictures *p = of;
  return load_one(&p->tree.item[i], &p->target, pixels);
}

static void pictures_close(void *of) {
  pictures *p = of;
  fovea_tree_free(&p->tree);
  free(p);
}

/* The set without its pixels. */
static fovea_status describe(const load *l, const fovea_target *target, fovea_dataset *set) {
  set->channels = target->channels;
  set->height = target->height;
  set->width = target->width;
  set->count = l->mine.count;
  if (!l->labelled) return FOVEA_OK;
  set->labels = labels_of(&l->mine);
  if (set->labels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu labels", set->count);
  for (size_t i = 0; i < set->count; i++) fovea_report_taken(l->report, set->labels[i]);
  return FOVEA_OK;
}

fovea_status fovea_picture_folder_source(const fovea_folders *where, int split, const fovea_load_options *options,
                                         fovea_dataset *set, fovea_source *source) {
  load l = {.where = where, .options = options, .report = set->report, .split = split};
  pictures *p = calloc(1, sizeof *p);
  *source = (fovea_source){.of = p, .at = picture_at, .close = pictures_close};
  if (p == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to read '%s'", where->folder[split]);
  fovea_status status = find_pictures(&l);
  if (status == FOVEA_OK && l.mine.count > 0) status = take_pictures(&l, &p->target);
  if (status == FOVEA_OK && l.mine.count > 0) status = describe(&l, &p->target, set);
  p->tree = l.mine;
  fovea_tree_free(&l.other);
  source->count = set->count;
  source->channels = set->channels;
  source->height = set->height;
  source->width = set->width;
  if (status != FOVEA_OK) fovea_source_close(source);
  return status;
}
