/* The page of a sweep. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "experiment/beside.h"
#include "experiment/report.h"
#include "fovea/fovea.h"
#include "report/folder.h"
#include "train/identity.h"

enum { MOST_RUNS = 5000, ALL_EPOCHS = 20000, RUN_PAIRS = 8, RUN_BYTES = 16000, ALL_BYTES = 2500000, WORST_RATIO = 2 };
enum { LEAST = 2 }; /* results, of a regression */

/* --- what the factors do ----------------------------------------------------------------------------------------- */

/* [{across, lines, across_levels, line_levels, means, low, high}] of each pair, as report_plot_pairs draws it. */
static void show_pairs(page *p, const report *r, json_t *analysis) {
  json_t *drawn = json_array();
  page_set(p, analysis, "cells", drawn);
  for (size_t i = 0; i < r->analysis->pair_count; i++) {
    const fovea_means *m = &r->analysis->pairs[i];
    const fovea_design_variable *first = &r->design->variables[m->variables[0]];
    const fovea_design_variable *second = &r->design->variables[m->variables[1]];
    json_t *pair = json_object(), *across = json_array(), *lines = json_array(), *cells = json_array();
    for (size_t l = 0; l < first->level_count; l++) page_add(p, across, page_text(first->levels[l]));
    for (size_t l = 0; l < second->level_count; l++) page_add(p, lines, page_text(second->levels[l]));
    for (size_t c = 0; c < m->count; c++) {
      json_t *cell = json_array();
      page_add(p, cell, page_number(m->means[c].value));
      page_add(p, cell, page_number(m->means[c].low));
      page_add(p, cell, page_number(m->means[c].high));
      page_add(p, cells, cell);
    }
    page_set(p, pair, "across", page_text(first->name));
    page_set(p, pair, "lines", page_text(second->name));
    page_set(p, pair, "across_levels", across);
    page_set(p, pair, "line_levels", lines);
    page_set(p, pair, "cells", cells);
    page_set(p, pair, "p", page_number(r->analysis->interactions[i].p_value));
    page_add(p, drawn, pair);
  }
}

static fovea_status show_fit(page *p, const report *r) {
  char *text = NULL, *json = NULL;
  fovea_status status = report_text(r, false, &text);
  if (status == FOVEA_OK && r->analysis) status = fovea_analysis_json(r->analysis, r->ols, &json);
  if (status == FOVEA_OK) {
    page_set(p, p->root, "regression", page_text(text));
    page_set(p, p->root, "response", page_text(r->ols->response));
    page_set(p, p->root, "alpha", page_number(r->ols->alpha));
  }
  if (status == FOVEA_OK && json) {
    json_t *analysis = json_loads(json, 0, NULL);
    page_set(p, p->root, "analysis", analysis);
    if (analysis) show_pairs(p, r, analysis);
  }
  free(text);
  fovea_free(json);
  return status;
}

/* Remarks of the sweep's own end, which knows more than its table; else those of the fit. */
static void show_remarks(page *p, const char *dir, const report *r) {
  char path[RUN_PATH];
  json_t *kept = run_path(dir, "regression.json", path) == FOVEA_OK ? json_load_file(path, 0, NULL) : NULL;
  json_t *told = json_object_get(kept, "remarks");
  page_set(p, p->root, "remarks", json_is_array(told) ? json_incref(told) : remarks_json(&r->said));
  json_decref(kept);
}

static fovea_status show_analysis(page *p, const char *dir, const json_t *config) {
  char path[RUN_PATH];
  list baselines = {0};
  report r = {0};
  fovea_status status = run_path(dir, "results.csv", path);
  if (status == FOVEA_OK)
    status = list_split("--baseline", json_string_value(json_object_get(config, "baseline")), &baselines);
  const fovea_design_options options = {.baselines = baselines.items, .baseline_count = baselines.count};
  if (status == FOVEA_OK) status = report_make(path, NULL, &options, NULL, NULL, &r);
  if (status == FOVEA_OK) status = show_fit(p, &r);
  if (status == FOVEA_OK) show_remarks(p, dir, &r);
  if (status != FOVEA_OK && status != FOVEA_NO_MEMORY) {
    page_miss(p, "What the factors do cannot be said: %s", fovea_error_message());
    status = FOVEA_OK;
  }
  list_free(&baselines);
  report_free(&r);
  return status;
}

/* --- the runs ---------------------------------------------------------------------------------------------------- */

/* [[epoch, loss, bce, kl, val_loss, val_bce, val_kl], ...] */
static json_t *curve_of(page *p, const json_t *table) {
  enum { NUMBERS = 7 };
  json_t *rows = json_object_get(table, "rows"), *row, *curve = json_array();
  size_t i;
  json_array_foreach(rows, i, row) {
    json_t *line = json_array();
    for (size_t k = 0; k < NUMBERS; k++) {
      const char *text = json_string_value(json_array_get(row, k));
      char *end = NULL;
      const double value = text ? strtod(text, &end) : 0;
      page_add(p, line, text && end != text && *end == 0 ? page_short(value) : json_null());
    }
    page_add(p, curve, line);
  }
  return curve;
}

/* The name of a folder in the sweep's, and nothing else. */
static bool is_folder_name(const char *name) { return name && name[0] && name[0] != '.' && !strchr(name, '/'); }

typedef struct budget {
  size_t epochs, bytes; /* rows of a run's curve; bytes of pictures left */
  int dims[3];
  const json_t *shards;         /* other folders that may have runs, or NULL */
  size_t without, lost, unread; /* runs: without room for their pictures, without metrics.csv, without a good picture */
} budget;

/* The losses that a run's checkpoint keeps, where its metrics.csv is gone; the caller frees it. */
static char *history_of(const char *dir) {
  char path[RUN_PATH], *settings = NULL, *history = NULL;
  if (folder_has(dir, "metrics.csv") || !folder_has(dir, "checkpoint.safetensors") ||
      run_path(dir, "checkpoint.safetensors", path) != FOVEA_OK ||
      run_config_of_checkpoint(path, &settings, &history) != FOVEA_OK)
    return NULL;
  free(settings);
  return history;
}

/* A run's folder: in the sweep's, or in one of those that it was merged from. */
static fovea_status find_run(const char *dir, const json_t *shards, const char *name, char path[RUN_PATH]) {
  char other[RUN_PATH];
  json_t *shard;
  size_t i;
  json_array_foreach(shards, i, shard) {
    const char *folder = json_string_value(shard);
    if (folder && folder_has(folder, name) && run_path(folder, name, other) == FOVEA_OK) {
      memcpy(path, other, RUN_PATH);
      return FOVEA_OK;
    }
  }
  return run_path(dir, name, path);
}

/* `of` is the run's name in results.csv, or NULL. */
static void show_run(page *p, const char *dir, const char *name, const char *of, budget *b, json_t *runs) {
  char path[RUN_PATH];
  if (!is_folder_name(name) || find_run(dir, b->shards, name, path) != FOVEA_OK) return;
  char *history = history_of(path);
  json_t *table = folder_losses(p, path, of, history, b->epochs), *run = json_object();
  free(history);
  page_set(p, runs, name, run);
  page_set(p, run, "curve", curve_of(p, table));
  const char *last = folder_last_epoch(table);
  json_t *pairs = NULL;
  b->lost += !last;
  if (last && b->dims[0] > 0 && b->bytes > (size_t)WORST_RATIO * RUN_BYTES)
    pairs = folder_pairs(path, atoi(last), b->dims, RUN_PAIRS, RUN_BYTES);
  else if (last && b->dims[0] > 0)
    b->without++;
  const char *png = json_string_value(json_object_get(pairs, "png"));
  b->bytes -= png ? strlen(png) : 0;
  if (pairs) page_set(p, run, "sprite", pairs);
  b->unread += last && !pairs;
  json_decref(table);
}

static void show_runs(page *p, const char *dir, const json_t *results, const json_t *config) {
  json_t *rows = json_object_get(results, "rows"), *row, *runs = json_object();
  const size_t count = json_array_size(rows);
  budget b = {.epochs = count > 0 && ALL_EPOCHS / count > 2 ? ALL_EPOCHS / count : 2,
              .bytes = ALL_BYTES,
              .shards = json_object_get(config, "shards")};
  static const char *const names[] = {"channels", "height", "width"};
  for (size_t i = 0; i < 3; i++) b.dims[i] = (int)json_integer_value(json_object_get(config, names[i]));
  if (b.dims[0] < 1 || b.dims[1] < 1 || b.dims[2] < 1) b.dims[0] = 0;
  size_t i;
  page_set(p, p->root, "runs", runs);
  const size_t named = folder_column(results, "run");
  json_array_foreach(rows, i, row) {
    const char *of = json_string_value(json_array_get(row, named));
    show_run(p, dir, json_string_value(json_array_get(row, 0)), of, &b, runs);
  }
  if (b.lost > 0)
    page_miss(p, "%zu of %zu runs have no epoch in their folder's metrics.csv or checkpoint, and so no curve", b.lost,
              count);
  if (b.unread > b.without)
    page_miss(p, "%zu runs have no picture of their last epoch, or one of other images", b.unread - b.without);
  if (b.without > 0) page_miss(p, "%zu runs have no pictures here, which would make the page too large", b.without);
}

/* How many configurations the folder's sweep has, or its shard; 0 where that cannot be told. */
static size_t configurations(const char *dir, const char *part) {
  char results[RUN_PATH];
  beside b;
  if (run_path(dir, "results.csv", results) != FOVEA_OK) return 0;
  const size_t count = beside_read(results, &b) == FOVEA_OK ? beside_count(&b, part) : 0;
  beside_free(&b);
  return count;
}

/* The regression is the last thing that a sweep writes, but where it is a shard or has too few results for one. */
static bool is_done(const char *dir, const char *part, size_t results, size_t failed, size_t all) {
  char table[RUN_PATH], regression[RUN_PATH];
  struct stat a, b;
  if (part || results < LEAST) return all > 0 && results + failed >= all;
  return run_path(dir, "results.csv", table) == FOVEA_OK && run_path(dir, "regression.json", regression) == FOVEA_OK &&
         stat(table, &a) == 0 && stat(regression, &b) == 0 && b.st_mtime >= a.st_mtime;
}

/* What is left of a sweep that has no regression of all that is there. */
static void say_unfinished(page *p, const char *dir, size_t tried, size_t all) {
  char doing[FOLDER_DOING], what[FOLDER_DOING] = "its regression has not been written since its last result";
  if (tried < all) snprintf(what, sizeof what, "%zu of %zu configurations are missing", all - tried, all);
  page_miss(p, "%s is unfinished: %s, and %s", dir, what, folder_doing(dir, "sweep", doing));
}

static size_t rows_of(const json_t *table) { return json_array_size(json_object_get(table, "rows")); }

fovea_status sweep_show(page *p, const folder_request *r, bool *done) {
  char *text = NULL;
  json_t *config = folder_config(p, r->dir, &text);
  json_t *results = folder_table(p, r->dir, "results.csv", MOST_RUNS);
  json_t *failed = folder_table(p, r->dir, "failed.csv", MOST_RUNS);
  fovea_status status = FOVEA_OK;
  free(text);
  if (config) page_set(p, p->root, "config", json_incref(config));
  if (failed) page_set(p, p->root, "failed", failed);
  if (results) {
    page_set(p, p->root, "results", json_incref(results));
    show_runs(p, r->dir, results, config);
    if (rows_of(results) >= LEAST)
      status = show_analysis(p, r->dir, config);
    else
      page_miss(p, "%s has fewer than two results: nothing can be compared yet", r->dir);
  } else {
    page_miss(p, "%s has no results.csv yet", r->dir);
  }
  const char *part = json_string_value(json_object_get(config, "shard"));
  const size_t tried = rows_of(results) + rows_of(failed), all = configurations(r->dir, part);
  if (all > 0) page_set(p, p->root, "configurations", json_integer((json_int_t)all));
  *done = is_done(r->dir, part, rows_of(results), rows_of(failed), all);
  if (part && !*done) say_unfinished(p, r->dir, tried, all);
  if (part)
    page_miss(p, "%s is shard %.40s of its sweep%s: its regression is that of all, which fovea sweep --merge makes",
              r->dir, part, *done ? "" : ", and unfinished");
  else if (!*done)
    say_unfinished(p, r->dir, tried, all);
  json_decref(results);
  json_decref(config);
  return status;
}
