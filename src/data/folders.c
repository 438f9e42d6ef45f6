#include "data/folders.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "data/listing.h"
#include "data/picture.h"

enum { ROLES = 3 };

/* The role of the word name[n], or -1. */
static int role_of_word(const char *name, size_t n) {
  static const char *const words[ROLES][5] = {
      {"train", "training", NULL}, {"test", "testing", NULL}, {"val", "valid", "validation", "validate", NULL}};
  if (n > 3 && strncasecmp(name + n - 3, "set", 3) == 0) n -= 3; /* trainset */
  for (int role = 0; role < ROLES; role++)
    for (size_t i = 0; words[role][i] != NULL; i++)
      if (strlen(words[role][i]) == n && strncasecmp(name, words[role][i], n) == 0) return role;
  return -1;
}

int fovea_folders_role(const char *name) {
  size_t n = strlen(name);
  if (n > 3 && strcasecmp(name + n - 3, "set") == 0) n -= 3; /* training_set, train-set */
  while (n > 0 && strchr("_- ", name[n - 1]) != NULL) n--;
  return role_of_word(name, n);
}

/* The role of the one word among others, "train" of seg_train, train2017, trainA and DIV2K_train_HR, or -1; what is
 * left of the name to rest[FOVEA_FOLDERS_NAME], without digits at its end. */
static int role_among_words(const char *name, char rest[FOVEA_FOLDERS_NAME]) {
  int found = -1;
  size_t used = 0;
  for (size_t n; *name != '\0'; name += n) {
    const bool letter = isalpha((unsigned char)*name);
    for (n = 1; name[n] != '\0' && !isalpha((unsigned char)name[n]) == !letter; n++)
      if (islower((unsigned char)name[n - 1]) && isupper((unsigned char)name[n])) break;
    const int role = letter ? role_of_word(name, n) : -1;
    if (role >= 0 && found >= 0) return -1;
    if (role >= 0)
      found = role;
    else if (used + n < FOVEA_FOLDERS_NAME)
      memcpy(rest + used, name, n), used += n;
    else
      return -1;
  }
  while (used > 0 && strchr("0123456789_- .", rest[used - 1]) != NULL) used--;
  rest[used] = '\0';
  return found;
}

static fovea_status join(const char *dir, const char *name, char path[FOVEA_FOLDERS_PATH]) {
  if (snprintf(path, FOVEA_FOLDERS_PATH, "%s/%s", dir, name) < FOVEA_FOLDERS_PATH) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%.100s...' is too long a path", dir);
}

/* Whether a file in `dir` is a picture; one that is damaged is. */
static fovea_status has_picture(const char *dir, bool *found) {
  fovea_names all = {0};
  fovea_status status = fovea_list_all(dir, &all);
  for (size_t i = 0; i < all.count && status == FOVEA_OK && !*found; i++) *found = fovea_picture_at(dir, all.name[i]);
  fovea_names_free(&all);
  return status;
}

/* Where `dir` holds one folder and no picture, goes into it; a class alone would be all that it is. */
static fovea_status unwrap(const char *dir, const fovea_names *folders, char inside[FOVEA_FOLDERS_PATH]) {
  fovea_names deeper = {0};
  bool pictures = false;
  fovea_status status = folders->count == 1 ? has_picture(dir, &pictures) : FOVEA_OK;
  inside[0] = '\0';
  if (status != FOVEA_OK || folders->count != 1 || pictures) return status;
  status = join(dir, folders->name[0], inside);
  if (status == FOVEA_OK) status = fovea_list_folders(inside, &deeper);
  if (deeper.count == 0) inside[0] = '\0';
  fovea_names_free(&deeper);
  return status;
}

/* The folders of each role among `folders`; NULL where there is none. */
typedef const char *roles[ROLES];

static fovea_status refuse_both(const char *dir, const char *one, const char *other) {
  return fovea_fail(FOVEA_INVALID, "'%s' has both '%s' and '%s': which is it? Move the other one away", dir, one,
                    other);
}

static fovea_status put_role(const char *dir, int role, const char *name, roles names) {
  if (role < 0) return FOVEA_OK;
  if (names[role] != NULL) return refuse_both(dir, names[role], name);
  names[role] = name;
  return FOVEA_OK;
}

/* Folders whose names are but for that word the same, seg_train and seg_test: a role alone would be a class's name. Of
 * `like`, which has a role, all are put into names. */
static fovea_status find_alike(const char *dir, const fovea_names *folders, const char *like, roles names) {
  char rest[FOVEA_FOLDERS_NAME], other[FOVEA_FOLDERS_NAME];
  fovea_status status = FOVEA_OK;
  if (role_among_words(like, rest) < 0) return FOVEA_OK;
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++) {
    const int role = role_among_words(folders->name[i], other);
    if (role >= 0 && strcasecmp(rest, other) == 0) status = put_role(dir, role, folders->name[i], names);
  }
  return status;
}

/* By the exact names, and by looser ones what these leave open. */
static fovea_status find_roles(const char *dir, const fovea_names *folders, roles names) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++)
    status = put_role(dir, fovea_folders_role(folders->name[i]), folders->name[i], names);
  if (status != FOVEA_OK || (names[0] != NULL && (names[1] != NULL || names[2] != NULL))) return status;
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++) {
    roles alike = {NULL};
    status = find_alike(dir, folders, folders->name[i], alike);
    if (status != FOVEA_OK || alike[0] == NULL || (alike[1] == NULL && alike[2] == NULL)) continue;
    if (names[0] != NULL && names[0] != alike[0]) return refuse_both(dir, names[0], alike[0]);
    memcpy(names, alike, sizeof alike);
  }
  return status;
}

/* Whether a picture lies in `dir` or, a few levels, below it. */
static fovea_status holds_picture(const char *dir, int levels, bool *found) {
  fovea_names folders = {0};
  fovea_status status = has_picture(dir, found);
  if (status == FOVEA_OK && !*found && levels > 0) status = fovea_list_folders(dir, &folders);
  for (size_t i = 0; i < folders.count && status == FOVEA_OK && !*found; i++) {
    char path[FOVEA_FOLDERS_PATH];
    status = join(dir, folders.name[i], path);
    if (status == FOVEA_OK) status = holds_picture(path, levels - 1, found);
  }
  fovea_names_free(&folders);
  return status;
}

/* A folder called as a split, and no other one, among folders of pictures may be a class (bus, car, train). */
static fovea_status check_alone(const char *dir, const fovea_names *folders, const char *name) {
  enum { LEVELS = 2 };
  char path[FOVEA_FOLDERS_PATH];
  for (size_t i = 0; i < folders->count; i++) {
    bool pictures = false;
    if (fovea_folders_role(folders->name[i]) >= 0 || strcmp(folders->name[i], name) == 0) continue;
    fovea_status status = join(dir, folders->name[i], path);
    if (status == FOVEA_OK) status = holds_picture(path, LEVELS, &pictures);
    if (status == FOVEA_IO) continue; /* what cannot be looked into is not used, and that is said */
    if (status != FOVEA_OK) return status;
    if (pictures)
      return fovea_fail(FOVEA_INVALID,
                        "'%s' has the folder '%s' beside '%s', which holds pictures too: is '%s' a split or a class? "
                        "For a class give it another name; for a split, --data %s/%s, or move the others away",
                        dir, name, folders->name[i], name, dir, name);
  }
  return FOVEA_OK;
}

/* Kaggle's archives have train/train: the one folder in a split's that is called as it. */
static fovea_status go_in(const char *name, char folder[FOVEA_FOLDERS_PATH]) {
  fovea_names inside = {0};
  bool pictures = false;
  char path[FOVEA_FOLDERS_PATH];
  fovea_status status = fovea_list_folders(folder, &inside);
  if (status == FOVEA_OK && inside.count == 1 && strcasecmp(inside.name[0], name) == 0) {
    status = has_picture(folder, &pictures);
    if (status == FOVEA_OK && !pictures) status = join(folder, inside.name[0], path);
    if (status == FOVEA_OK && !pictures) memcpy(folder, path, FOVEA_FOLDERS_PATH);
  }
  fovea_names_free(&inside);
  return status == FOVEA_IO ? FOVEA_OK : status; /* the walk will tell */
}

static fovea_status take_roles(const char *dir, const fovea_names *folders, fovea_folders *where, bool *found) {
  roles names = {NULL};
  fovea_status status = find_roles(dir, folders, names);
  const char *test = names[1] != NULL ? names[1] : names[2];
  *found = names[0] != NULL || test != NULL;
  if (status != FOVEA_OK || !*found) return status;
  where->one = test == NULL;
  if (names[0] == NULL || test == NULL) status = check_alone(dir, folders, names[0] != NULL ? names[0] : test);
  if (status == FOVEA_OK && names[0] != NULL) status = join(dir, names[0], where->folder[0]);
  if (status == FOVEA_OK && test != NULL) status = join(dir, test, where->folder[1]);
  if (status == FOVEA_OK && names[0] != NULL) status = go_in(names[0], where->folder[0]);
  if (status == FOVEA_OK && test != NULL) status = go_in(test, where->folder[1]);
  snprintf(where->parent, sizeof where->parent, "%s", dir);
  if (where->one) memcpy(where->folder[1], where->folder[0], FOVEA_FOLDERS_PATH);
  return status;
}

fovea_status fovea_folders_find(const char *dir, bool inside, fovea_folders *where) {
  enum { WRAPPERS = 4 };
  char here[FOVEA_FOLDERS_PATH], only[FOVEA_FOLDERS_PATH] = "";
  bool found = false;
  *where = (fovea_folders){.one = false};
  if (snprintf(here, sizeof here, "%s", dir) >= (int)sizeof here)
    return fovea_fail(FOVEA_INVALID, "'%.100s...' is too long a path", dir);
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < WRAPPERS && status == FOVEA_OK && !found; i++) {
    fovea_names folders = {0};
    status = fovea_list_folders(here, &folders);
    if (status == FOVEA_OK) status = take_roles(here, &folders, where, &found);
    if (status == FOVEA_OK && !found && inside) status = unwrap(here, &folders, only);
    fovea_names_free(&folders);
    if (found || only[0] == '\0') break;
    memcpy(here, only, sizeof here);
    where->wrapped = true;
  }
  if (status != FOVEA_OK || found) return status;
  where->one = where->whole = true;
  memcpy(where->folder[0], here, sizeof here);
  memcpy(where->folder[1], here, sizeof here);
  return FOVEA_OK;
}
