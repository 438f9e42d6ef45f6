#include "data/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static fovea_status no_memory(void) { return fovea_fail(FOVEA_NO_MEMORY, "no memory for what was found in the data"); }

fovea_status fovea_report_create(fovea_data_report **report) {
  *report = calloc(1, sizeof **report);
  return *report != NULL ? FOVEA_OK : no_memory();
}

void fovea_report_destroy(fovea_data_report *r) {
  if (r == NULL) return;
  for (size_t i = 0; i < r->class_count; i++) free(r->classes[i].name);
  for (size_t i = 0; i < r->kind_count; i++) free(r->passed_over[i].name);
  for (size_t i = 0; i < r->remark_count; i++) free(r->remarks[i]);
  free(r->classes);
  free(r->passed_over);
  free(r->remarks);
  free(r);
}

fovea_status fovea_report_class(fovea_data_report *r, const char *name, int label) {
  fovea_data_class *grown = realloc(r->classes, (r->class_count + 1) * sizeof *grown);
  if (grown != NULL) r->classes = grown;
  char *copy = grown != NULL ? strdup(name) : NULL;
  if (copy == NULL) return no_memory();
  grown[r->class_count++] = (fovea_data_class){copy, label, 0, 0};
  return FOVEA_OK;
}

fovea_status fovea_report_pass_over(fovea_data_report *r, const char *kind) {
  for (size_t i = 0; i < r->kind_count; i++) {
    if (strcmp(r->passed_over[i].name, kind) != 0) continue;
    r->passed_over[i].count++;
    return FOVEA_OK;
  }
  fovea_data_kind *grown = realloc(r->passed_over, (r->kind_count + 1) * sizeof *grown);
  if (grown != NULL) r->passed_over = grown;
  char *copy = grown != NULL ? strdup(kind) : NULL;
  if (copy == NULL) return no_memory();
  grown[r->kind_count++] = (fovea_data_kind){copy, 1, 0};
  return FOVEA_OK;
}

fovea_status fovea_report_remark(fovea_data_report *r, const char *format, ...) {
  char text[1024];
  va_list rest;
  va_start(rest, format);
  vsnprintf(text, sizeof text, format, rest);
  va_end(rest);
  char **grown = realloc(r->remarks, (r->remark_count + 1) * sizeof *grown);
  if (grown != NULL) r->remarks = grown;
  char *copy = grown != NULL ? strdup(text) : NULL;
  if (copy == NULL) return no_memory();
  grown[r->remark_count++] = copy;
  return FOVEA_OK;
}

static fovea_data_class *class_of(fovea_data_report *r, int label) {
  for (size_t i = 0; i < r->class_count; i++)
    if (r->classes[i].label == label) return &r->classes[i];
  return NULL;
}

fovea_status fovea_report_count(fovea_data_report *r, const uint16_t *labels, size_t total, const uint32_t *index,
                                size_t count) {
  enum { LABELS = UINT16_MAX + 1 };
  char name[16];
  size_t *there = calloc(2 * (size_t)LABELS, sizeof *there), *taken = there != NULL ? there + LABELS : NULL;
  fovea_status status = there != NULL ? FOVEA_OK : no_memory();
  for (size_t i = 0; i < total && status == FOVEA_OK; i++) there[labels[i]]++;
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) taken[labels[index != NULL ? index[i] : i]]++;
  for (size_t i = 0; i < r->class_count && status == FOVEA_OK; i++) { /* counted here, the others below */
    fovea_data_class *c = &r->classes[i];
    c->there = there[c->label];
    c->taken = taken[c->label];
    there[c->label] = 0;
  }
  for (int i = 0; i < LABELS && status == FOVEA_OK; i++) {
    if (there[i] == 0) continue;
    snprintf(name, sizeof name, "%d", i);
    status = fovea_report_class(r, name, i);
    if (status != FOVEA_OK) break;
    r->classes[r->class_count - 1].there = there[i];
    r->classes[r->class_count - 1].taken = taken[i];
  }
  free(there);
  return status;
}

void fovea_report_there(fovea_data_report *r, int label) {
  fovea_data_class *c = class_of(r, label);
  if (c != NULL) c->there++;
}

void fovea_report_taken(fovea_data_report *r, int label) {
  fovea_data_class *c = class_of(r, label);
  if (c != NULL) c->taken++;
}

void fovea_report_lost(fovea_data_report *r, int label) {
  fovea_data_class *c = class_of(r, label);
  if (c != NULL) c->there--;
  r->images--;
}

fovea_status fovea_report_copy(const fovea_data_report *from, fovea_data_report *to) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < from->class_count && status == FOVEA_OK; i++)
    status = fovea_report_class(to, from->classes[i].name, from->classes[i].label);
  for (size_t i = 0; i < from->kind_count && status == FOVEA_OK; i++) {
    status = fovea_report_pass_over(to, from->passed_over[i].name);
    if (status == FOVEA_OK) to->passed_over[i].count = from->passed_over[i].count;
  }
  for (size_t i = 0; i < from->remark_count && status == FOVEA_OK; i++)
    status = fovea_report_remark(to, "%s", from->remarks[i]);
  to->images = from->images;
  return status;
}
