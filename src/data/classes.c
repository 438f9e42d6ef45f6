#include "data/classes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/fail.h"

void fovea_classes_free(fovea_classes *classes) { fovea_names_free(&classes->names); }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Sorts the names and drops those that are there twice. */
static void unite(fovea_names *names) {
  if (names->count == 0) return;
  qsort(names->name, names->count, sizeof *names->name, by_name);
  size_t kept = 1;
  for (size_t i = 1; i < names->count; i++) {
    if (strcmp(names->name[i], names->name[kept - 1]) == 0)
      free(names->name[i]);
    else
      names->name[kept++] = names->name[i];
  }
  names->count = kept;
}

static bool is_folder(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

/* The number that a subfolder's name is, 0 .. 255, or -1. */
static int number(const char *name) {
  int value = 0;
  const size_t length = strlen(name);
  if (length > 3) return -1;
  for (size_t i = 0; i < length; i++) {
    if (name[i] < '0' || name[i] > '9') return -1;
    value = 10 * value + (name[i] - '0');
  }
  return length > 0 && value <= 255 ? value : -1;
}

/* Labels by number; *why is then NULL, else the name that forbids it and, if it is the same number, the other one. */
static void number_all(const fovea_names *names, uint16_t *label, const char **why, const char **duplicate) {
  const char *seen[256] = {NULL};
  *why = *duplicate = NULL;
  for (size_t i = 0; i < names->count && *why == NULL; i++) {
    const int value = number(names->name[i]);
    if (value < 0 || seen[value] != NULL) {
      *why = names->name[i];
      *duplicate = value < 0 ? NULL : seen[value];
    } else {
      seen[value] = names->name[i];
      label[i] = (uint16_t)value;
    }
  }
}

static fovea_status give_labels(fovea_data_report *report, fovea_classes *classes) {
  const fovea_names *names = &classes->names;
  const char *why, *duplicate;
  bool some = false;
  number_all(names, classes->label, &why, &duplicate);
  if (why == NULL) return FOVEA_OK;
  for (size_t i = 0; i < names->count; i++) {
    classes->label[i] = (uint16_t)i;
    some = some || number(names->name[i]) >= 0;
  }
  if (duplicate != NULL)
    return fovea_report_remark(report,
                               "folders '%s' and '%s' are the same number: they are two classes, and labels are "
                               "places in the sorted list of folders",
                               duplicate, why);
  if (some)
    return fovea_report_remark(report,
                               "the class '%s' is not a number up to 255: labels are places in the sorted list of "
                               "folders, not their numbers",
                               why);
  return FOVEA_OK;
}

static fovea_status compare_cases(const fovea_names *names, fovea_data_report *report) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < names->count; i++)
    for (size_t k = i + 1; k < names->count && status == FOVEA_OK; k++)
      if (strcasecmp(names->name[i], names->name[k]) == 0)
        status = fovea_report_remark(report, "'%s' and '%s' differ in upper and lower case alone: they are two classes",
                                     names->name[i], names->name[k]);
  return status;
}

fovea_status fovea_classes_make(const char *dir, const fovea_names *folders, const char *other,
                                fovea_data_report *report, fovea_classes *classes) {
  *classes = (fovea_classes){.names = {NULL, 0, 0}};
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < folders->count && status == FOVEA_OK; i++)
    status = fovea_names_add(&classes->names, strdup(folders->name[i]));
  if (status == FOVEA_OK && is_folder(other)) status = fovea_list_folders(other, &classes->names);
  if (status != FOVEA_OK) return status;
  unite(&classes->names);
  if (classes->names.count > FOVEA_MAX_CLASSES)
    return fovea_fail(FOVEA_INVALID, "'%s' and '%s' have %zu subfolders, at most %d labels are possible", dir, other,
                      classes->names.count, FOVEA_MAX_CLASSES);
  status = give_labels(report, classes);
  if (status == FOVEA_OK) status = compare_cases(&classes->names, report);
  for (size_t i = 0; i < classes->names.count && status == FOVEA_OK; i++)
    status = fovea_report_class(report, classes->names.name[i], classes->label[i]);
  return status;
}
