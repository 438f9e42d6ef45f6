/* The losses of a run's epochs: of metrics.csv what is the run's own, as --resume takes it, else of its checkpoint. */
#include <stdio.h>
#include <string.h>

#include "report/folder.h"
#include "train/csvlog.h"
#include "train/metrics.h"

/* Whether the table begins as a metrics.csv does; an empty file is one without lines. */
static bool is_metrics(page *p, const char *path, const json_t *table) {
  char line[256] = "";
  size_t used = 0;
  const json_t *columns = json_object_get(table, "columns");
  for (size_t i = 0; i < json_array_size(columns) && used < sizeof line; i++)
    used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", i > 0 ? "," : "",
                             json_string_value(json_array_get(columns, i)));
  const char *expected = columns ? metrics_expected(line) : NULL;
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
  if (json_array_size(json_object_get(table, "rows")) > 0) return table;
  json_t *kept = table_of_history(p, history);
  if (kept)
    page_miss(p, "%s has no %s: the curves are those that its checkpoint keeps, without images/s", dir,
              there ? "line of this run in its metrics.csv" : "metrics.csv");
  if (!kept) return table;
  json_decref(table);
  return kept;
}
