/* What pictures there are in the folders of a set, and which classes they are of. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/classes.h"
#include "data/pictures.h"

/* A part beside the other one. */
typedef struct load {
  const fovea_folders *where;
  const fovea_load_options *options;
  fovea_data_report *report;
  int split;
  fovea_tree *mine, *other;
} load;

static load load_of(fovea_pictures *p, int split) {
  fovea_pictures_part *mine = &p->part[split];
  return (load){.where = p->where,
                .options = mine->options,
                .report = mine->report,
                .split = split,
                .mine = &mine->tree,
                .other = &p->part[1 - split].tree};
}

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
  for (size_t i = 0; i < l->mine->count; i++) {
    const char *name = l->mine->item[i].path + l->mine->item[i].name;
    const size_t n = word_length(name);
    if (n == 0) return FOVEA_OK;
    if (last != NULL && word_length(last) == n && strncmp(last, name, n) == 0) continue;
    first = first == NULL ? name : first;
    last = name;
    words++;
  }
  if (words < 2 || words > l->mine->count / 2) return FOVEA_OK;
  return fovea_report_remark(
      l->report,
      "the names of files in '%s' begin with '%.*s', '%.*s' and so on: if these are classes, they "
      "are not used; put each into a folder of its own",
      my_folder(l), (int)word_length(first), first, (int)word_length(last), last);
}

static fovea_status remark_flat(const load *l) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < l->mine->folders.count && status == FOVEA_OK; i++)
    status = fovea_report_pass_over(l->report, "folder without pictures");
  if (status == FOVEA_OK) status = remark_names(l);
  if (status != FOVEA_OK || l->where->one || in_folders(l->other) == 0) return status;
  return fovea_report_remark(l->report, "'%s' has subfolders, which are classes, and '%s' has none: it has no labels",
                             l->where->folder[1 - l->split], my_folder(l));
}

static fovea_status remark_empty(const load *l, const fovea_classes *classes) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < l->mine->folders.count && status == FOVEA_OK; i++) {
    const char *name = l->mine->folders.name[i];
    if (l->mine->pictures[i] > 0) continue;
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
  for (size_t i = 0; i < l->mine->count && below == NULL; i++) {
    const fovea_tree_item *item = &l->mine->item[i];
    const char *slash = strchr(item->path + skipped, '/');
    if (slash + 1 != item->path + item->name) below = item->path + skipped;
  }
  if (below == NULL) return FOVEA_OK;
  return fovea_report_remark(l->report,
                             "%s: %zu picture%s in folders of a class's folder: a class is all that is below the "
                             "first folder, '%.*s' of '%s'",
                             l->where->one ? "both splits" : fovea_pictures_split[l->split], l->mine->deeper,
                             l->mine->deeper == 1 ? " lies" : "s lie", (int)strcspn(below, "/"), below, below);
}

/* The data folder itself may hold other things: only what has pictures is a class. */
static fovea_status drop_empty(load *l) {
  fovea_names *names = &l->mine->folders;
  fovea_status status = FOVEA_OK;
  size_t kept = 0;
  size_t *place = calloc(names->count + 1, sizeof *place);
  if (place == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu folders", names->count);
  for (size_t i = 0; i < names->count; i++) {
    if (l->mine->pictures[i] == 0) {
      free(names->name[i]);
      if (status == FOVEA_OK) status = fovea_report_pass_over(l->report, "folder without pictures");
      continue;
    }
    place[i] = kept;
    l->mine->pictures[kept] = l->mine->pictures[i];
    names->name[kept++] = names->name[i];
  }
  names->count = kept;
  for (size_t i = 0; i < l->mine->count; i++) l->mine->item[i].folder = place[l->mine->item[i].folder];
  free(place);
  return status;
}

static fovea_status label_all(load *l) {
  fovea_classes classes = {.label = NULL};
  fovea_status status = l->where->whole ? drop_empty(l) : FOVEA_OK;
  if (status == FOVEA_OK) status = fovea_classes_make(&l->mine->folders, &l->other->folders, l->report, &classes);
  for (size_t i = 0; i < l->mine->count && status == FOVEA_OK; i++)
    l->mine->item[i].label = fovea_classes_label(&classes, l->mine->folders.name[l->mine->item[i].folder]);
  if (status == FOVEA_OK) status = remark_empty(l, &classes);
  if (status == FOVEA_OK && l->mine->deeper > 0) status = remark_deeper(l);
  fovea_classes_free(&classes);
  return status;
}

static fovea_status refuse_both(const load *l) {
  const char *file = NULL, *folder = NULL;
  for (size_t i = l->mine->count; i-- > 0;) {
    const fovea_tree_item *item = &l->mine->item[i];
    if (item->folder == FOVEA_TREE_FLAT)
      file = item->path + item->name;
    else
      folder = l->mine->folders.name[item->folder];
  }
  return fovea_fail(FOVEA_INVALID,
                    "'%s' has both pictures (%zu, as '%s') and subfolders of pictures (as '%s'); one or the other is "
                    "expected: move the pictures into a subfolder, which is their class, or away",
                    my_folder(l), l->mine->flat, file, folder);
}

static fovea_status walk(const load *l, bool skip) {
  fovea_status status = fovea_tree_walk(my_folder(l), skip, l->report, l->mine);
  if (status != FOVEA_OK || l->options == NULL) return status;
  if (l->mine->count == 0 && !l->where->whole) return fovea_fail(FOVEA_INVALID, "'%s' holds no picture", my_folder(l));
  return l->mine->flat > 0 && in_folders(l->mine) > 0 ? refuse_both(l) : FOVEA_OK;
}

static fovea_status give_labels(fovea_pictures *p, int split) {
  load l = load_of(p, split);
  p->part[split].labelled = l.mine->flat == 0;
  return l.mine->flat == 0 ? label_all(&l) : remark_flat(&l);
}

/* One folder with both splits: the other part says and has the same. */
static fovea_status share(fovea_pictures *p, int lead) {
  fovea_pictures_part *other = &p->part[1 - lead];
  other->labelled = p->part[lead].labelled;
  if (other->report == NULL) return FOVEA_OK;
  const fovea_status status = fovea_report_copy(p->part[lead].report, other->report);
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    for (size_t k = 0; k < p->part[i].report->kind_count; k++)
      p->part[i].report->passed_over[k].shared = p->part[i].report->passed_over[k].count;
  return status;
}

fovea_status fovea_pictures_find(fovea_pictures *p) {
  const int lead = fovea_pictures_lead(p);
  const bool skip = p->part[lead].options->skip_bad;
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < 2 && status == FOVEA_OK; i++) {
    const int split = i == 0 ? lead : 1 - lead;
    const load l = load_of(p, split);
    if ((i == 0 || !p->where->one) && my_folder(&l)[0] != '\0') status = walk(&l, skip);
  }
  if (status != FOVEA_OK || p->part[lead].tree.count == 0) return status;
  for (int i = 0; i < 2 && status == FOVEA_OK; i++)
    if (p->part[i].options != NULL && (i == lead || !p->where->one)) status = give_labels(p, i);
  if (status == FOVEA_OK && p->where->one) status = share(p, lead);
  if (status != FOVEA_OK) return status;
  return p->where->one ? fovea_pictures_divide(p) : fovea_pictures_check(p);
}

void fovea_pictures_free(fovea_pictures *p) {
  for (int i = 0; i < 2; i++) fovea_tree_free(&p->part[i].tree);
}
