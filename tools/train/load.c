#define _XOPEN_SOURCE 700 /* realpath */
#include "train/load.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "cli/progress.h"
#include "data/folders.h"

/* --- what was found ---------------------------------------------------------------------------------------------- */

enum { MOST_NAMED = 10 };

/* Names are the user's: a control character in one must not reach a terminal. */
static void say(const char *text) {
  for (; *text != '\0'; text++) fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stderr);
}

/* The same as a text, cut to its size; returns it. */
enum { SHOWN = 1024 };
static const char *shown(const char *text, char out[SHOWN]) {
  snprintf(out, SHOWN, "%s", text);
  for (char *at = out; *at != '\0'; at++)
    if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?';
  return out;
}

static const char *plural(size_t count) { return count == 1 ? "" : "s"; }

static void say_size(const fovea_dataset *set) {
  fprintf(stderr, ", %dx%d", set->height, set->width);
  if (set->channels == 1)
    fputs(" gray", stderr);
  else if (set->channels == 3)
    fputs(" RGB", stderr);
  else
    fprintf(stderr, " with %d channels", set->channels);
  if (set->height != set->width) fputs(" (height x width)", stderr);
}

static void say_taken(const fovea_dataset *set) {
  const fovea_data_report *r = set->report;
  size_t named = 0, more = 0;
  fprintf(stderr, "; %zu of %zu taken, a fair sample", set->count, r->images);
  for (size_t i = 0; i < r->class_count; i++) {
    if (r->classes[i].there == 0 || named++ >= MOST_NAMED) {
      more += r->classes[i].there > 0;
      continue;
    }
    fprintf(stderr, "%s%zu ", named == 1 ? ": " : ", ", r->classes[i].taken);
    say(r->classes[i].name);
  }
  if (more > 0) fprintf(stderr, " and some of %zu more classes", more);
}

/* "folder without pictures", "dead link" and the like, of several. */
static void say_kind(const char *name, size_t count) {
  static const char *const nouns[] = {"folder", "dead link"};
  size_t n = 0;
  for (size_t i = 0; i < sizeof nouns / sizeof *nouns && n == 0 && count != 1; i++)
    if (strncmp(name, nouns[i], strlen(nouns[i])) == 0) n = strlen(nouns[i]);
  if (n > 0) fprintf(stderr, "%.*ss", (int)n, name);
  say(name + n);
}

/* Of a split's own, or of those that both have in common. */
static size_t count_of(const fovea_data_kind *kind, bool shared) {
  return shared ? kind->shared : kind->count - kind->shared;
}

static size_t count_passed_over(const fovea_data_report *r, bool shared) {
  size_t count = 0;
  for (size_t i = 0; i < r->kind_count; i++) count += count_of(&r->passed_over[i], shared);
  return count;
}

static void say_passed_over(const fovea_data_report *r, bool shared) {
  size_t named = 0, others = 0;
  fprintf(stderr, "%zu passed over", count_passed_over(r, shared));
  for (size_t i = 0; i < r->kind_count; i++) {
    const size_t count = count_of(&r->passed_over[i], shared);
    if (count == 0) continue;
    if (named++ >= MOST_NAMED) {
      others += count;
      continue;
    }
    fprintf(stderr, "%s%zu ", named == 1 ? ": " : ", ", count);
    say_kind(r->passed_over[i].name, count);
  }
  if (others > 0) fprintf(stderr, ", %zu others", others);
}

static void say_split(const char *split, const fovea_dataset *set) {
  const fovea_data_report *r = set->report;
  size_t classes = 0;
  if (r == NULL) return;
  for (size_t i = 0; i < r->class_count; i++) classes += r->classes[i].there > 0;
  fprintf(stderr, "fovea: %s: %zu image%s ", split, r->images, plural(r->images));
  if (set->labels != NULL)
    fprintf(stderr, "of %zu class%s", classes, classes == 1 ? "" : "es");
  else
    fputs("without labels", stderr);
  say_size(set);
  if (set->count < r->images) say_taken(set);
  if (count_passed_over(r, false) > 0) {
    fputs("; ", stderr);
    say_passed_over(r, false);
  }
  fputc('\n', stderr);
}

void load_say(const fovea_dataset *train, const fovea_dataset *test) {
  if (train != NULL) say_split("train", train);
  if (test != NULL) say_split("test", test);
  if (train == NULL || train->report == NULL || count_passed_over(train->report, true) == 0) return;
  fputs("fovea: of both, in one folder: ", stderr);
  say_passed_over(train->report, true);
  fputc('\n', stderr);
}

static bool remarked(const fovea_data_report *r, const char *remark) {
  for (size_t i = 0; r != NULL && i < r->remark_count; i++)
    if (strcmp(r->remarks[i], remark) == 0) return true;
  return false;
}

static void say_remarks(const fovea_data_report *r, const fovea_data_report *already) {
  char text[SHOWN];
  for (size_t i = 0; r != NULL && i < r->remark_count; i++) {
    if (remarked(already, r->remarks[i])) continue;
    progress_tell("fovea: %s", shown(r->remarks[i], text));
  }
}

static size_t images_of(const fovea_data_report *r, int label) {
  for (size_t i = 0; i < r->class_count; i++)
    if (r->classes[i].label == label) return r->classes[i].there;
  return 0;
}

static void say_classes_missing(const char *split, const fovea_data_report *r, const fovea_data_report *other) {
  char line[(MOST_NAMED + 1) * SHOWN], name[SHOWN];
  size_t count = 0, used = (size_t)snprintf(line, sizeof line, "fovea: classes in %s only:", split);
  for (size_t i = 0; i < r->class_count; i++) {
    const fovea_data_class *c = &r->classes[i];
    if (c->there == 0 || images_of(other, c->label) > 0) continue;
    if (++count > MOST_NAMED) continue;
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%zu image%s of '%.900s'", count > 1 ? ", " : " ",
                             c->there, plural(c->there), shown(c->name, name));
  }
  if (count > MOST_NAMED) snprintf(line + used, sizeof line - used, " and %zu more classes", count - MOST_NAMED);
  if (count > 0) progress_say(line);
}

void load_say_remarks(const fovea_dataset *train, const fovea_dataset *test) {
  say_remarks(train->report, NULL);
  if (test == NULL) return;
  say_remarks(test->report, train->report);
  if (train->labels == NULL || test->labels == NULL || train->report == NULL || test->report == NULL) return;
  say_classes_missing("train", train->report, test->report);
  say_classes_missing("test", test->report, train->report);
}

static char *join(const char *dir, const char *name) {
  const size_t size = strlen(dir) + strlen(name) + 2;
  char *path = malloc(size);
  if (path != NULL) snprintf(path, size, "%s/%s", dir, name);
  return path;
}

static bool has_file(const char *dir, const char *name) {
  struct stat about;
  char *path = join(dir, name);
  const bool there = path != NULL && stat(path, &about) == 0 && S_ISREG(about.st_mode);
  free(path);
  return there;
}

fovea_status load_check_images(const char *data) {
  const bool run = has_file(data, "metrics.csv"), sweep = has_file(data, "results.csv");
  if (!has_file(data, "config.json") || (!run && !sweep)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "'%s' holds the results of a %s, not images: --data is what it was trained with",
                    data, run ? "run" : "sweep");
}

/* --- results and data are apart ---------------------------------------------------------------------------------- */

static bool same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool folder_at(const char *path, struct stat *about) {
  return stat(path, about) == 0 && S_ISDIR(about->st_mode);
}

/* Cuts the last name off a path; false when nothing is left to look at. */
static bool cut(char *path) {
  char *slash = strrchr(path, '/');
  if (slash == NULL && strcmp(path, ".") != 0 && path[0] != '\0') {
    path[0] = '.';
    path[1] = '\0';
    return true;
  }
  if (slash == NULL || (slash == path && path[1] == '\0')) return false;
  slash[slash == path] = '\0';
  return true;
}

/* The nearest thing at or above `path` that exists, without links, and in *rest what of `path` is below it; NULL
 * without memory, or when there is none. */
static char *nearest(const char *path, const char **rest) {
  char *copy = strdup(path), *real = NULL;
  while (copy != NULL && (real = realpath(copy, NULL)) == NULL && errno != ENOMEM && cut(copy)) continue;
  const size_t n = copy != NULL ? strlen(copy) : 0; /* what is left of `path`, or "." when that is nothing */
  const bool dot = path[0] == '.' && (path[1] == '/' || path[1] == '\0');
  *rest = n == 1 && copy[0] == '.' && !dot ? path : path + n;
  free(copy);
  return real;
}

/* Where `path` will be when the folders that it lacks are made, without links and dots; NULL as for nearest. */
static char *place_of(const char *path) {
  const char *rest;
  char *real = nearest(path, &rest);
  while (real != NULL && *(rest += strspn(rest, "/")) != '\0') {
    char name[NAME_MAX + 1];
    const size_t n = strcspn(rest, "/");
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), rest);
    rest += n;
    if (strcmp(name, ".") == 0) continue;
    if (strcmp(name, "..") == 0) {
      cut(real);
      continue;
    }
    char *longer = join(real, name);
    free(real);
    real = longer;
    if (real == NULL) errno = ENOMEM;
  }
  return real;
}

/* Whether the folder `about` is `real` or above it. */
static bool holds(const struct stat *about, const char *real) {
  char path[PATH_MAX]; /* as long as realpath makes them */
  struct stat here;
  snprintf(path, sizeof path, "%s", real);
  do
    if (stat(path, &here) == 0 && same(&here, about)) return true;
  while (cut(path));
  return false;
}

/* Whether `real` lies in one of the folders in `split`, each of which may be a link to anywhere. */
static fovea_status look_into_classes(const char *split, const char *real, bool *found) {
  struct stat about;
  fovea_status status = FOVEA_OK;
  DIR *stream = opendir(split);
  if (stream == NULL) return fovea_fail(FOVEA_IO, "cannot open the folder '%s': %s", split, strerror(errno));
  const struct dirent *entry;
  while (errno = 0, status == FOVEA_OK && !*found && (entry = readdir(stream)) != NULL) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    char *path = join(split, entry->d_name);
    if (path == NULL)
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory to compare the data's folders with that of the results");
    else
      *found = folder_at(path, &about) && holds(&about, real);
    free(path);
  }
  if (status == FOVEA_OK && !*found && errno != 0)
    status = fovea_fail(FOVEA_IO, "cannot read the folder '%s': %s", split, strerror(errno));
  closedir(stream);
  return status;
}

/* Whether `real` is, or lies in, what will be a split's folder in `data`; its name to name[NAME_MAX + 1]. */
static bool will_be_split(const char *data, const char *real, char *name) {
  char path[PATH_MAX];
  struct stat about, here;
  if (!folder_at(data, &about)) return false;
  snprintf(path, sizeof path, "%s", real);
  for (;;) {
    const char *slash = strrchr(path, '/');
    snprintf(name, NAME_MAX + 1, "%s", slash != NULL ? slash + 1 : "");
    if (!cut(path)) return false;
    if (fovea_folders_role(name) >= 0 && stat(path, &here) == 0 && same(&here, &about)) return true;
  }
}

/* A split that is not there yet would be one at the next load, and the data then be of two kinds. */
static fovea_status check_new_split(const char *data, const char *option, const char *out, const char *real) {
  char name[NAME_MAX + 1];
  if (!will_be_split(data, real, name)) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "%s %s lies in %s/%s, a folder that would be taken for images of --data from then on; choose "
                    "another place",
                    option, out, data, name);
}

/* Refuses what lies in the folder of a split. */
static fovea_status check_split(const char *split, const char *option, const char *out, const char *real) {
  struct stat about;
  if (!folder_at(split, &about)) return FOVEA_OK;
  bool found = holds(&about, real);
  fovea_status status = found ? FOVEA_OK : look_into_classes(split, real, &found);
  if (status != FOVEA_OK || !found) return status;
  return fovea_fail(FOVEA_INVALID,
                    "%s %s lies in %s, among the images of --data, where results would be taken for images; choose "
                    "another place",
                    option, out, split);
}

/* Where the data folder itself is walked over, or looked into for being the only one, whatever is new in it counts. */
static fovea_status check_splits(const char *data, const char *option, const char *out, const char *real) {
  struct stat about;
  fovea_folders *where = malloc(sizeof *where);
  if (where == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to compare --data and %s", option);
  fovea_status status = folder_at(data, &about) ? fovea_folders_of(data, where) : FOVEA_OK;
  if (status == FOVEA_OK && folder_at(data, &about)) {
    status = where->whole || where->wrapped ? check_split(data, option, out, real) : FOVEA_OK;
    for (size_t i = 0; i < 2 && status == FOVEA_OK; i++)
      if (where->folder[i][0] != '\0') status = check_split(where->folder[i], option, out, real);
    if (status == FOVEA_OK) status = check_new_split(data, option, out, real);
  }
  free(where);
  return status;
}

fovea_status load_check_file(const char *data, const char *option, const char *out) {
  if (data == NULL) return FOVEA_OK;
  char *folder = strdup(out);
  char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
  if (slash != NULL) slash[slash == folder] = '\0';
  char *real = folder != NULL ? place_of(slash != NULL ? folder : ".") : NULL;
  fovea_status status = FOVEA_OK;
  if (real != NULL)
    status = check_splits(data, option, out, real);
  else if (folder == NULL || errno == ENOMEM)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory to compare --data and %s", option);
  free(folder);
  free(real);
  return status;
}

fovea_status load_check_folder(const char *data, const char *option, const char *out) {
  struct stat data_folder, out_folder;
  const bool exists = stat(out, &out_folder) == 0;
  if (exists ? !S_ISDIR(out_folder.st_mode) : errno == ENOTDIR)
    return fovea_fail(FOVEA_INVALID, "%s %s %s, and results are a folder; choose another name", option, out,
                      exists ? "is there and is no folder" : "lies in what is no folder");
  if (data == NULL || !folder_at(data, &data_folder)) return FOVEA_OK; /* the load will say it */
  char *real = place_of(out), *data_real = realpath(data, NULL);
  fovea_status status = FOVEA_OK;
  if (real == NULL || data_real == NULL) /* a path that leads nowhere is told when it is to be made */
    status = errno != ENOMEM ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory to compare --data and %s", option);
  else if (folder_at(out, &out_folder) && same(&data_folder, &out_folder))
    status = fovea_fail(
        FOVEA_INVALID, "%s %s is the folder of --data, whose files must stay as they are; choose another", option, out);
  else if (folder_at(out, &out_folder) && holds(&out_folder, data_real))
    status = fovea_fail(FOVEA_INVALID, "%s %s holds the folder of --data, %s; choose another for the results", option,
                        out, data);
  if (status == FOVEA_OK && real != NULL) status = check_splits(data, option, out, real);
  free(real);
  free(data_real);
  return status;
}
