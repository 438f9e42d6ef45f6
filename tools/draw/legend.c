#include "draw/legend.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

enum { LABELS = UINT16_MAX + 1 };

static void count_labels(const fovea_dataset *set, size_t *counts) {
  for (size_t i = 0; set->labels != NULL && i < set->count; i++) counts[set->labels[i]]++;
}

/* The most frequent label, the smallest of equals, or -1; its count becomes 0. */
static int take_largest(size_t *counts) {
  int best = -1;
  for (int i = 0; i < LABELS; i++)
    if (counts[i] > 0 && (best < 0 || counts[i] > counts[best])) best = i;
  if (best >= 0) counts[best] = 0;
  return best;
}

static int ascending(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static const char *name_in(const fovea_data_report *report, int label) {
  for (size_t i = 0; report != NULL && i < report->class_count; i++)
    if (report->classes[i].label == label) return report->classes[i].name;
  return NULL;
}

/* Control characters and, of a name that is no UTF-8, all that is no ASCII would be refused by the plot. */
static void put_name(const char *name, int label, char *to, size_t size) {
  json_t *text = name != NULL ? json_string(name) : NULL;
  if (name == NULL)
    snprintf(to, size, "%d", label);
  else
    snprintf(to, size, "%s", name);
  for (char *c = to; *c != '\0'; c++) {
    const unsigned char byte = (unsigned char)*c;
    if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && text == NULL)) *c = '?';
  }
  for (size_t n = strlen(to); n + 1 == size && n > 0 && ((unsigned char)to[n - 1] & 0x80) != 0; n--) to[n - 1] = '\0';
  json_decref(text);
}

fovea_status class_legend_choose(const fovea_dataset *train, const fovea_dataset *test, class_legend *legend) {
  size_t *counts = calloc(LABELS, sizeof *counts);
  int taken = 0;
  if (counts == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the classes of a picture");
  count_labels(train, counts);
  count_labels(test, counts);
  for (int i = 0; i < PLOT_LABELS; i++) {
    legend->label[i] = take_largest(counts);
    taken += legend->label[i] >= 0;
  }
  free(counts);
  qsort(legend->label, (size_t)taken, sizeof *legend->label, ascending);
  for (int i = 0; i < PLOT_LABELS; i++) {
    const char *name = name_in(train->report, legend->label[i]);
    if (name == NULL) name = name_in(test->report, legend->label[i]);
    put_name(name, legend->label[i], legend->name[i], sizeof legend->name[i]);
    legend->names[i] = legend->name[i];
  }
  return FOVEA_OK;
}

int class_legend_colour(const class_legend *legend, int label) {
  for (int i = 0; i < PLOT_LABELS; i++)
    if (label >= 0 && legend->label[i] == label) return i;
  return -1;
}
