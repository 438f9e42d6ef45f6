#include "data/classes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"

void fovea_classes_free(fovea_classes *classes) {
  fovea_names_free(&classes->names);
  free(classes->label);
}

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

/* The number that a subfolder's name is, 0 .. 65535, or -1. */
static int number(const char *name) {
  int value = 0;
  const size_t length = strlen(name);
  if (length > 5) return -1;
  for (size_t i = 0; i < length; i++) {
    if (name[i] < '0' || name[i] > '9') return -1;
    value = 10 * value + (name[i] - '0');
  }
  return length > 0 && value < FOVEA_MAX_CLASSES ? value : -1;
}

/* Labels by number; *why is then NULL, else the name that forbids it and, if it is the same number, the other one.
 * `seen` has room for a name of each number. */
static void number_all(const fovea_names *names, const char **seen, uint16_t *label, const char **why,
                       const char **duplicate) {
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
  const char **seen = calloc(FOVEA_MAX_CLASSES, sizeof *seen);
  if (seen == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the labels of %zu classes", names->count);
  number_all(names, seen, classes->label, &why, &duplicate);
  free(seen);
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
                               "the class '%s' is not a number up to 65535: labels are places in the sorted list of "
                               "folders, not their numbers",
                               why);
  return FOVEA_OK;
}

static int by_name_without_case(const void *a, const void *b) {
  return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static fovea_status compare_cases(const fovea_names *names, fovea_data_report *report) {
  fovea_status status = FOVEA_OK;
  char **sorted = malloc((names->count + 1) * sizeof *sorted);
  if (sorted == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the names of %zu classes", names->count);
  for (size_t i = 0; i < names->count; i++) sorted[i] = names->name[i];
  if (names->count > 1) qsort(sorted, names->count, sizeof *sorted, by_name_without_case);
  for (size_t i = 1; i < names->count && status == FOVEA_OK; i++) {
    const bool first = strcmp(sorted[i - 1], sorted[i]) < 0;
    if (strcasecmp(sorted[i - 1], sorted[i]) == 0)
      status = fovea_report_remark(report, "'%s' and '%s' differ in upper and lower case alone: they are two classes",
                                   sorted[first ? i - 1 : i], sorted[first ? i : i - 1]);
  }
  free(sorted);
  return status;
}

/* U+0300 to U+036F, which stand on the letter before. */
static bool is_mark(const char *s) {
  const unsigned char first = (unsigned char)s[0];
  return (first == 0xcc && (unsigned char)s[1] >= 0x80) || (first == 0xcd && (unsigned char)s[1] <= 0xaf);
}

/* Behind the character at s, and marks on it; *letter is 0 of what is not ASCII or has marks. */
static const char *next_letter(const char *s, char *letter) {
  *letter = '\0';
  if ((unsigned char)*s < 0x80) *letter = *s;
  for (s++; ((unsigned char)*s & 0xc0) == 0x80; s++) continue;
  for (; is_mark(s); s += 2) *letter = '\0';
  return s;
}

/* Whether two different names have the same letters, as far as these are ASCII and have no marks in either. */
static bool look_alike(const char *a, const char *b) {
  while (*a != '\0' && *b != '\0') {
    char one, other;
    a = next_letter(a, &one);
    b = next_letter(b, &other);
    if (one != other && one != 0 && other != 0) return false;
  }
  return *a == *b;
}

static bool has_marks(const char *name) {
  while (*name != '\0' && !is_mark(name)) name++;
  return *name != '\0';
}

static bool differ_in_marks(const char *a, const char *b) { return has_marks(a) && !has_marks(b) && look_alike(a, b); }

static bool differ_in_blanks(const char *a, const char *b) {
  const size_t n = strlen(b);
  return strlen(a) > n && strncmp(a, b, n) == 0 && a[n + strspn(a + n, " ")] == '\0';
}

/* Names that programs write in two ways: macOS has accents as characters of their own, and blanks at the end are lost.
 */
static fovea_status compare_looks(const fovea_names *names, fovea_data_report *report) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < names->count; i++) {
    const char *name = names->name[i];
    if (!has_marks(name) && name[strlen(name) - 1] != ' ') continue;
    for (size_t k = 0; k < names->count && status == FOVEA_OK; k++) {
      const bool marks = differ_in_marks(name, names->name[k]);
      if (marks || differ_in_blanks(name, names->name[k]))
        status = fovea_report_remark(report, "'%s' and '%s' differ in %s: they are two classes", names->name[k], name,
                                     marks ? "how their accents are written" : "blanks at the end alone");
    }
  }
  return status;
}

static fovea_status add_all(const fovea_names *from, fovea_names *to) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < from->count && status == FOVEA_OK; i++) status = fovea_names_add(to, strdup(from->name[i]));
  return status;
}

fovea_status fovea_classes_make(const fovea_names *mine, const fovea_names *other, fovea_data_report *report,
                                fovea_classes *classes) {
  *classes = (fovea_classes){.label = NULL};
  fovea_status status = add_all(mine, &classes->names);
  if (status == FOVEA_OK) status = add_all(other, &classes->names);
  if (status != FOVEA_OK) return status;
  unite(&classes->names);
  const size_t count = classes->names.count;
  if (count > FOVEA_MAX_CLASSES)
    return fovea_fail(FOVEA_INVALID, "%zu subfolders, at most %d labels are possible", count, FOVEA_MAX_CLASSES);
  classes->label = malloc((count + 1) * sizeof *classes->label);
  if (classes->label == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the labels of %zu classes", count);
  status = give_labels(report, classes);
  if (status == FOVEA_OK) status = compare_cases(&classes->names, report);
  if (status == FOVEA_OK) status = compare_looks(&classes->names, report);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++)
    status = fovea_report_class(report, classes->names.name[i], classes->label[i]);
  return status;
}

uint16_t fovea_classes_label(const fovea_classes *classes, const char *name) {
  char **found = bsearch(&name, classes->names.name, classes->names.count, sizeof name, by_name);
  return classes->label[found - classes->names.name];
}
