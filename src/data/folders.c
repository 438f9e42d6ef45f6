#include "data/folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "data/listing.h"
#include "data/picture.h"

int fovea_folders_role(const char *name) {
  static const char *const words[][5] = {
      {"train", "training", NULL}, {"test", "testing", NULL}, {"val", "valid", "validation", "validate", NULL}};
  size_t n = strlen(name);
  if (n > 3 && strcasecmp(name + n - 3, "set") == 0) n -= 3; /* training_set, train-set, testset */
  while (n > 0 && strchr("_- ", name[n - 1]) != NULL) n--;
  for (int role = 0; role < 3; role++)
    for (size_t i = 0; words[role][i] != NULL; i++)
      if (strlen(words[role][i]) == n && strncasecmp(name, words[role][i], n) == 0) return role;
  return -1;
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

/* The folders of each role. */
static fovea_status take_roles(const char *dir, const fovea_names *folders, fovea_folders *where, bool *found) {
  const char *names[3] = {NULL};
  for (size_t i = 0; i < folders->count; i++) {
    const int role = fovea_folders_role(folders->name[i]);
    if (role < 0) continue;
    if (names[role] != NULL)
      return fovea_fail(FOVEA_INVALID, "'%s' has both '%s' and '%s': which is it? Move the other one away", dir,
                        names[role], folders->name[i]);
    names[role] = folders->name[i];
  }
  const char *test = names[1] != NULL ? names[1] : names[2];
  *found = names[0] != NULL || test != NULL;
  where->one = names[0] != NULL && test == NULL;
  fovea_status status = names[0] != NULL ? join(dir, names[0], where->folder[0]) : FOVEA_OK;
  if (status == FOVEA_OK && test != NULL) status = join(dir, test, where->folder[1]);
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
