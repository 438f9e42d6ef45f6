/* Pictures of one folder put into the two splits, and samples of them. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/pictures.h"
#include "data/split.h"

const char *const fovea_pictures_split[2] = {"train", "test"};

enum { TRAIN, TEST, VAL, NONE, ROLES };

static fovea_status no_memory(size_t images) {
  return fovea_fail(FOVEA_NO_MEMORY, "no memory to choose of %zu images", images);
}

/* The path below the split's folder. */
static const char *below(const fovea_pictures *p, int split, const fovea_tree_item *item) {
  return item->path + strlen(p->where->folder[split]) + 1;
}

/* What the first folder in a class's folder that is called as a split says of a picture in it, and its name. */
static int role_of(const char *path, const char **name, size_t *length) {
  const char *slash = strchr(path, '/');
  for (const char *next; slash != NULL && (next = strchr(slash + 1, '/')) != NULL; slash = next) {
    char folder[16]; /* longer ones are no split's */
    *name = slash + 1;
    *length = (size_t)(next - *name);
    if (*length >= sizeof folder) continue;
    memcpy(folder, *name, *length);
    folder[*length] = '\0';
    const int role = fovea_folders_role(folder);
    if (role >= 0) return role;
  }
  return NONE;
}

/* ---- folders in those of the classes ---------------------------------------------------------------------------- */

typedef struct roles {
  size_t count[ROLES];
  const char *example[ROLES]; /* a path */
  uint8_t *of;                /* each picture's */
} roles;

static fovea_status find_roles(const fovea_pictures *p, const fovea_tree *all, roles *r) {
  const char *name;
  size_t length;
  *r = (roles){.of = malloc(all->count)};
  if (r->of == NULL) return no_memory(all->count);
  for (size_t i = 0; i < all->count; i++) {
    const char *path = below(p, 0, &all->item[i]);
    const int role = p->where->whole ? role_of(path, &name, &length) : NONE;
    r->of[i] = (uint8_t)role;
    if (r->count[role]++ == 0) r->example[role] = path;
  }
  return FOVEA_OK;
}

/* Where some folders say it, all have to. */
static fovea_status check_roles(const fovea_pictures *p, const roles *r) {
  const char *dir = p->where->folder[0];
  const int some = r->count[TRAIN] > 0 ? TRAIN : r->count[TEST] > 0 ? TEST : VAL;
  if (r->count[NONE] > 0)
    return fovea_fail(FOVEA_INVALID,
                      "in '%s' folders of classes have folders of splits, as '%s', but '%s' lies in none: to train or "
                      "to test with? Move such pictures into one",
                      dir, r->example[some], r->example[NONE]);
  if (r->count[TRAIN] == 0)
    return fovea_fail(FOVEA_INVALID, "in '%s' there are pictures to test with, as '%s', and none to train with", dir,
                      r->example[some]);
  if (p->part[fovea_pictures_lead(p)].options->split > 0)
    return fovea_fail(FOVEA_INVALID, "'%s' has a test split, as '%s': --split is for sets that have none", dir,
                      r->example[r->count[TEST] > 0 ? TEST : VAL]);
  return FOVEA_OK;
}

static fovea_status remark_both(fovea_pictures *p, const char *text, size_t count, const char *example) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    if (p->part[i].report != NULL)
      status = fovea_report_remark(p->part[i].report, text, p->where->folder[0], count, example);
  return status;
}

/* Marks what tests by the folders, drops validation pictures that are not needed, and says both. */
static fovea_status by_folders(fovea_pictures *p, fovea_tree *all, const roles *r, bool *train) {
  const int test = r->count[TEST] > 0 ? TEST : VAL;
  fovea_status status = check_roles(p, r);
  if (status == FOVEA_OK)
    status = remark_both(p, "in '%s' the splits are folders in those of the classes: %zu pictures train, as '%s'",
                         r->count[TRAIN], r->example[TRAIN]);
  if (status == FOVEA_OK && test == TEST && r->count[VAL] > 0)
    status =
        remark_both(p, "not used in '%s': %zu pictures of a validation split, as '%s'", r->count[VAL], r->example[VAL]);
  for (size_t i = 0; i < all->count && status == FOVEA_OK; i++) train[i] = r->of[i] == TRAIN || r->of[i] == test;
  if (status == FOVEA_OK) status = fovea_tree_keep(all, train, NULL);
  for (size_t i = 0, k = 0; status == FOVEA_OK && k < all->count; i++)
    if (r->of[i] == TRAIN || r->of[i] == test) train[k++] = r->of[i] == TRAIN;
  return status;
}

/* ---- by their names --------------------------------------------------------------------------------------------- */

static fovea_status remark_split(fovea_pictures *p, size_t tests, size_t all, bool chosen) {
  const fovea_pictures_part *lead = &p->part[fovea_pictures_lead(p)];
  const char *how = !chosen ? ", so that there is one"
                    : lead->labelled
                        ? ", by their names and the seed, a fair share of each class; what is added moves none"
                        : ", by their names and the seed; what is added moves none";
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    if (p->part[i].report != NULL)
      status = fovea_report_remark(
          p->part[i].report, "'%s' has no test images of its own: %zu of its %zu %s kept for testing%s (--split %g)",
          p->where->folder[0], tests, all, tests == 1 ? "is" : "are", how,
          lead->options->split > 0 ? lead->options->split : 0.1);
  return status;
}

static fovea_status by_names(fovea_pictures *p, const fovea_tree *all, bool *train) {
  const fovea_load_options *o = p->part[fovea_pictures_lead(p)].options;
  const double part = o->split > 0 ? o->split : 0.1;
  uint64_t word = 0, least = UINT64_MAX;
  size_t tests = 0, first = 0;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < all->count && status == FOVEA_OK; i++) {
    bool test = false;
    status = fovea_split_tests(below(p, 0, &all->item[i]), part, o->seed, &test, &word);
    train[i] = !test;
    tests += test;
    if (word < least) first = i;
    least = word < least ? word : least;
  }
  if (status != FOVEA_OK) return status;
  const bool chosen = tests > 0;
  if (!chosen) train[first] = false, tests = 1; /* what is added can make it train, none of the others test */
  if (tests < all->count) return remark_split(p, tests, all->count, chosen);
  return fovea_fail(FOVEA_INVALID, "'%s': a split of %g of %zu image%s leaves nothing to train", p->where->folder[0],
                    part, all->count, all->count == 1 ? "" : "s");
}

/* ---- either ----------------------------------------------------------------------------------------------------- */

fovea_status fovea_pictures_divide(fovea_pictures *p) {
  fovea_pictures_part *lead = &p->part[fovea_pictures_lead(p)];
  fovea_tree all = lead->tree, tests = {.item = NULL};
  bool *train = malloc(all.count * sizeof *train);
  roles r = {.of = NULL};
  fovea_status status = train != NULL ? find_roles(p, &all, &r) : no_memory(all.count);
  if (status == FOVEA_OK && r.count[NONE] + r.count[TRAIN] == all.count && r.count[NONE] * r.count[TRAIN] == 0)
    status = by_names(p, &all, train);
  else if (status == FOVEA_OK)
    status = by_folders(p, &all, &r, train);
  if (status == FOVEA_OK) status = fovea_tree_keep(&all, train, &tests);
  lead->tree = (fovea_tree){.item = NULL};
  p->part[0].tree = all;
  p->part[1].tree = tests;
  free(train);
  free(r.of);
  return status;
}

fovea_status fovea_pictures_check(const fovea_pictures *p) {
  for (int split = 0; split < 2; split++) {
    const fovea_tree *t = &p->part[split].tree;
    for (size_t i = 0; i < t->count; i++) {
      const char *name = NULL;
      size_t length = 0;
      const int role = role_of(below(p, split, &t->item[i]), &name, &length);
      if (role == NONE || (role == TRAIN) == (split == TRAIN)) continue;
      return fovea_fail(FOVEA_INVALID,
                        "'%s' is for %sing by its first folder, and the folder '%.*s' in it says another thing; rename "
                        "that one, or move it away",
                        t->item[i].path, fovea_pictures_split[split], (int)length, name);
    }
  }
  return FOVEA_OK;
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

uint16_t *fovea_pictures_labels(const fovea_tree *t) {
  uint16_t *labels = malloc(t->count * sizeof *labels);
  for (size_t i = 0; i < t->count && labels != NULL; i++) labels[i] = t->item[i].label;
  return labels;
}

fovea_status fovea_pictures_limit(fovea_pictures_part *part) {
  fovea_tree *t = &part->tree;
  const size_t limit = part->options->limit;
  if (limit == 0 || limit >= t->count) return FOVEA_OK;
  uint16_t *labels = fovea_pictures_labels(t);
  uint32_t *index = malloc(t->count * sizeof *index);
  bool *keep = malloc(t->count * sizeof *keep);
  fovea_status status = labels == NULL || index == NULL || keep == NULL
                            ? no_memory(t->count)
                            : fovea_dataset_sample(part->labelled ? labels : NULL, t->count, limit, index);
  for (size_t i = 0, k = 0; status == FOVEA_OK && i < t->count; i++) {
    keep[i] = k < limit && index[k] == i;
    k += keep[i];
  }
  if (status == FOVEA_OK) status = fovea_tree_keep(t, keep, NULL);
  free(labels);
  free(index);
  free(keep);
  return status;
}
