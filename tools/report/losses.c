/* The losses of a run's epochs: of metrics.csv what is the run's own, as --resume takes it, else of its checkpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/folder.h"
#include "train/csvlog.h"
#include "train/metrics.h"

enum { LINE = 512 };

/* A table's header or row as the file has it; what is longer than any line of metrics.csv is cut. */
static const char *line_of(const json_t *cells, char line[LINE]) {
  size_t used = 0;
  line[0] = 0;
  for (size_t i = 0; i < json_array_size(cells) && used < LINE; i++)
    used += (size_t)snprintf(line + used, LINE - used, "%s%s", i > 0 ? "," : "",
                             json_string_value(json_array_get(cells, i)));
  return line;
}

/* Whether the table begins as a metrics.csv does; an empty file is one without lines. */
static bool is_metrics(page *p, const char *path, const json_t *table) {
  char line[LINE];
  const json_t *columns = json_object_get(table, "columns");
  const char *expected = columns ? metrics_expected(line_of(columns, line)) : NULL;
  if (expected) page_miss(p, "%s: begins with '%.100s', expected '%s'; it is left out", path, line, expected);
  return !expected;
}

/* Takes the lines of other runs out. A file of an older version names none. */
static void leave_others_out(page *p, const char *path, const char *run, json_t *table) {
  json_t *rows = json_object_get(table, "rows");
  const size_t column = folder_column(table, "run");
  char other[32] = "";
  size_t left = 0;
  if (column == json_array_size(json_object_get(table, "columns"))) return;
  for (size_t i = json_array_size(rows); i-- > 0;) {
    const char *of = json_string_value(json_array_get(json_array_get(rows, i), column));
    if (!of || strcmp(of, run) == 0) continue;
    snprintf(other, sizeof other, "%s", of);
    json_array_remove(rows, i);
    left++;
  }
  if (left > 0)
    page_miss(p, "%s: %zu line%s of the run %s, and this is %s; %s left out", path, left, left == 1 ? " is" : "s are",
              other, run, left == 1 ? "it is" : "they are");
}

/* What the history, whose epochs ascend, has of an epoch; NULL where it has nothing. */
static const json_t *epoch_of(const json_t *history, json_int_t epoch) {
  const json_int_t first = json_integer_value(json_array_get(json_array_get(history, 0), 0));
  size_t at = epoch >= first ? (size_t)(epoch - first) + 1 : 0;
  if (at > json_array_size(history)) at = json_array_size(history);
  while (at-- > 0) {
    const json_t *kept = json_array_get(history, at);
    const json_int_t its = json_integer_value(json_array_get(kept, 0));
    if (its <= epoch) return its == epoch ? kept : NULL;
  }
  return NULL;
}

/* Puts the history's losses in place of a row's; false where they are the same. */
static bool put_kept(page *p, json_t *row, const json_t *kept) {
  char number[CSVLOG_NUMBER];
  bool changed = false;
  for (size_t i = 1; i < json_array_size(kept); i++) {
    const char *text = csvlog_number(json_number_value(json_array_get(kept, i)), number);
    if (strcmp(text, json_string_value(json_array_get(row, i))) == 0) continue;
    changed = true;
    if (json_array_set_new(row, i, json_string(text)) != 0) p->failed = true;
  }
  return changed;
}

/* Rows that are damaged, or have other losses than the checkpoint, get the checkpoint's, or are left out. */
static void mend_rows(page *p, const char *path, const char *history, json_t *table) {
  json_t *rows = json_object_get(table, "rows"), *list = history ? json_loads(history, 0, NULL) : NULL;
  const size_t rate = folder_column(table, "images_per_s");
  size_t mended = 0, lost = 0;
  char line[LINE];
  training_epoch read;
  for (size_t i = json_array_size(rows); i-- > 0;) {
    json_t *row = json_array_get(rows, i);
    const bool good = metrics_read(line_of(row, line), &read);
    const json_t *kept = epoch_of(list, read.epoch > 0 ? read.epoch : atoi(line));
    if (kept) {
      mended += put_kept(p, row, kept) || !good;
      if (!good && json_array_set_new(row, rate, json_string("")) != 0) p->failed = true;
    } else if (!good) {
      json_array_remove(rows, i);
      lost++;
    }
  }
  json_decref(list);
  if (mended > 0)
    page_miss(p, "%s: %zu line%s damaged, and shown as the checkpoint has them", path, mended,
              mended == 1 ? " is" : "s are");
  if (lost > 0) page_miss(p, "%s: %zu damaged line%s left out", path, lost, lost == 1 ? " is" : "s are");
}

/* The history as metrics.csv has it, without images_per_s; NULL where it has no epoch. */
static json_t *table_of_history(page *p, const char *history) {
  json_t *list = history ? json_loads(history, 0, NULL) : NULL, *epoch;
  metrics_value values[METRICS_VALUES];
  const size_t losses = metrics_values(&(training_epoch){0}, values);
  char number[CSVLOG_NUMBER];
  size_t at;
  if (json_array_size(list) == 0) {
    json_decref(list);
    return NULL;
  }
  json_t *table = json_object(), *columns = json_array(), *rows = json_array();
  page_set(p, table, "columns", columns);
  page_set(p, table, "rows", rows);
  page_add(p, columns, json_string("epoch"));
  for (size_t i = 0; i < losses; i++) page_add(p, columns, json_string(values[i].name));
  json_array_foreach(list, at, epoch) {
    json_t *row = json_array();
    for (size_t i = 0; i <= losses; i++)
      page_add(p, row, json_string(csvlog_number(json_number_value(json_array_get(epoch, i)), number)));
    page_add(p, rows, row);
  }
  json_decref(list);
  return table;
}

json_t *folder_losses(page *p, const char *dir, const char *run, const char *history, size_t most) {
  char path[RUN_PATH];
  if (run_path(dir, "metrics.csv", path) != FOVEA_OK) return NULL;
  json_t *table = folder_table(p, dir, "metrics.csv", most);
  const bool there = table != NULL;
  if (table && !is_metrics(p, path, table)) {
    json_decref(table);
    table = NULL;
  }
  if (table && run) leave_others_out(p, path, run, table);
  if (table) mend_rows(p, path, history, table);
  if (json_array_size(json_object_get(table, "rows")) > 0) return table;
  json_t *kept = table_of_history(p, history);
  if (kept)
    page_miss(p, "%s has no %s: the curves are those that its checkpoint keeps, without images/s", dir,
              there ? "line of this run in its metrics.csv" : "metrics.csv");
  if (!kept) return table;
  json_decref(table);
  return kept;
}
