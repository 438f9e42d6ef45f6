/* A table of the caller's text, in one block of memory. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "stats/table.h"

static const size_t most_text = (size_t)1 << 30; /* as of a file */

/* Adds up the bytes of the texts and their ends. */
static fovea_status measure(const char *const *texts, size_t count, const char *what, size_t *size) {
  for (size_t i = 0; i < count; i++) {
    if (!texts[i]) return fovea_fail(FOVEA_INVALID, "table: %s %zu is NULL", what, i + 1);
    *size += strlen(texts[i]) + 1;
    if (*size > most_text) return fovea_fail(FOVEA_INVALID, "table: its text is larger than 1 GiB");
  }
  return FOVEA_OK;
}

static fovea_status check_names(const char *const *names, size_t columns) {
  char what[64];
  for (size_t i = 0; i < columns; i++) {
    if (!*names[i]) return fovea_fail(FOVEA_INVALID, "table: column %zu has no name", i + 1);
    snprintf(what, sizeof what, "the name of column %zu", i + 1);
    fovea_status status = fovea_table_check_text("table", what, names[i], false);
    if (status) return status;
    for (size_t j = 0; j < i; j++)
      if (strcmp(names[i], names[j]) == 0)
        return fovea_fail(FOVEA_INVALID, "table: columns %zu and %zu are both called %s", j + 1, i + 1, names[i]);
  }
  return FOVEA_OK;
}

static fovea_status check_cells(const char *const *names, size_t columns, const char *const *cells, size_t rows) {
  char what[128];
  for (size_t i = 0; i < rows * columns; i++) {
    snprintf(what, sizeof what, "row %zu, column %.80s", i / columns + 1, names[i % columns]);
    fovea_status status = fovea_table_check_text("table", what, cells[i], true);
    if (status) return status;
  }
  return FOVEA_OK;
}

/* Copies the texts behind each other to `at`; returns what is behind them. */
static char *copy(const char *const *texts, size_t count, char *at, char **copies) {
  for (size_t i = 0; i < count; i++) {
    const size_t size = strlen(texts[i]) + 1;
    copies[i] = memcpy(at, texts[i], size);
    at += size;
  }
  return at;
}

static fovea_status fill(const char *const *names, const char *const *cells, size_t size, fovea_table *t) {
  const size_t count = t->rows * t->columns;
  t->names = malloc(t->columns * sizeof *t->names);
  t->cells = malloc(count * sizeof *t->cells);
  t->lines = malloc(t->rows * sizeof *t->lines);
  t->text = malloc(size);
  if (!t->names || !t->cells || !t->lines || !t->text)
    return fovea_fail(FOVEA_NO_MEMORY, "table: no memory for %zu rows of %zu columns", t->rows, t->columns);
  copy(cells, count, copy(names, t->columns, t->text, t->names), t->cells);
  for (size_t i = 0; i < t->rows; i++) t->lines[i] = i + 1;
  return FOVEA_OK;
}

fovea_status fovea_table_create(const char *const *names, size_t columns, const char *const *cells, size_t rows,
                                fovea_table **table) {
  if (!names) return fovea_fail_null("names");
  if (!cells || !table) return fovea_fail_null(cells ? "table" : "cells");
  if (rows < 1 || columns < 1 || columns > most_text / rows)
    return fovea_fail(FOVEA_INVALID, "table: %zu rows of %zu columns, expected at least 1 each and at most %zu cells",
                      rows, columns, most_text);
  size_t size = 0;
  fovea_status status = measure(names, columns, "the name of column", &size);
  if (!status) status = measure(cells, rows * columns, "cell", &size);
  if (!status) status = check_names(names, columns);
  if (!status) status = check_cells(names, columns, cells, rows);
  if (status) return status;
  fovea_table *t = calloc(1, sizeof *t);
  if (!t) return fovea_fail(FOVEA_NO_MEMORY, "table: no memory");
  t->rows = rows;
  t->columns = columns;
  status = fill(names, cells, size, t);
  if (status)
    fovea_table_destroy(t);
  else
    *table = t;
  return status;
}
