/* The end of a sweep: its regression, or where it was stopped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "experiment/fit.h"
#include "experiment/levels.h"
#include "experiment/lists.h"
#include "experiment/report.h"
#include "experiment/results.h"
#include "experiment/sweep.h"

size_t sweep_count_done(const sweep *s) {
  size_t done = 0;
  for (size_t i = 0; i < s->plan.count; i++) done += s->plan.configs[i].done;
  return done;
}

void sweep_stopped_text(const sweep *s, char *text, size_t size) {
  snprintf(text, size, "%.400s: stopped with %zu of %zu configurations done; go on with --resume\n", s->options.out,
           sweep_count_done(s), s->plan.count);
}

char *sweep_state(const sweep *s, bool stopped, const char *regression) {
  json_t *json =
      json_pack("{s:s,s:b,s:I,s:I,s:I}", "sweep", s->options.out, "stopped", stopped, "configurations",
                (json_int_t)s->plan.count, "done", (json_int_t)sweep_count_done(s), "failed", (json_int_t)s->failed);
  char part[SHARD_TEXT];
  const bool whole =
      s->shard.count == 0 || json_object_set_new(json, "shard", json_string(shard_text(&s->shard, part))) == 0;
  char *dump = json != NULL && whole ? json_dumps(json, JSON_INDENT(2)) : NULL;
  json_decref(json);
  if (dump == NULL || regression == NULL) return dump;
  dump[strlen(dump) - sizeof "}"] = '\0'; /* without "\n}"; the regression's members follow */
  const size_t size = strlen(dump) + strlen(regression) + 2;
  char *both = malloc(size);
  if (both != NULL) snprintf(both, size, "%s,%s", dump, regression + 1);
  free(dump);
  return both;
}

static fovea_status put_state(const sweep *s, bool stopped, const char *regression) {
  char *state = sweep_state(s, stopped, regression);
  fovea_status status = state != NULL ? json_result_text(state)
                                      : fovea_fail(FOVEA_INVALID, "--out is not UTF-8, or there is no memory for JSON");
  free(state);
  return status;
}

/* --- the regression ---------------------------------------------------------------------------------------------- */

static fovea_status write_text(const sweep *s, const char *name, const char *text) {
  char path[RUN_PATH];
  fovea_status status = run_path(s->options.out, name, path);
  return status != FOVEA_OK ? status : fovea_file_write(path, text, strlen(text));
}

static fovea_status plot(const sweep *s, const report *r) {
  char path[RUN_PATH];
  fovea_status status = FOVEA_OK;
  if (report_tells_factors(r)) {
    status = run_path(s->options.out, "differences.png", path);
    if (status == FOVEA_OK) status = report_plot_factors(path, r);
  }
  if (status == FOVEA_OK && report_tells_pairs(r)) {
    status = run_path(s->options.out, "interactions.png", path);
    if (status == FOVEA_OK) status = report_plot_pairs(path, r);
  }
  if (status == FOVEA_OK) status = run_path(s->options.out, "coefficients.png", path);
  return status == FOVEA_OK ? fit_plot(path, r->original ? r->original : r->ols) : status;
}

/* Adds the lines of failed.csv to what is left out. */
static fovea_status list_failures(const sweep *s, json_t *left_out) {
  csvlog log = {0};
  char name[FACTORS_NAME], reason[400];
  fovea_status status = sweep_read_failures(s, &log);
  const size_t before_reason = 1 + LEVELS_FOUR + s->plan.others + 1; /* its name, levels and seed */
  for (size_t i = 0; i < log.count && status == FOVEA_OK; i++) {
    csvlog_field(log.lines[i], 0, name, sizeof name);
    csvlog_field(log.lines[i], before_reason, reason, sizeof reason);
    if (json_array_append_new(left_out, json_pack("{s:s,s:s}", "config", name, "reason", reason)))
      status = fovea_fail(FOVEA_NO_MEMORY, "no memory for what is left out");
  }
  csvlog_free(&log);
  return status;
}

/* "2 of 12 configurations have no result and are left out of the fit, ...: elu-..., ..." */
static void tell_left_out(const sweep *s, report *r) {
  enum { NAMED = 20 };
  const size_t count = json_array_size(r->left_out);
  fovea_text names = {0};
  if (count == 0) return;
  for (size_t i = 0; i < count && i < NAMED; i++) {
    fovea_text_add(&names, i ? ", " : "");
    fovea_text_add(&names, json_string_value(json_object_get(json_array_get(r->left_out, i), "config")));
  }
  if (count > NAMED) fovea_text_print(&names, " and %zu more", count - NAMED);
  if (!names.failed)
    remarks_tell(&r->said, "%zu of %zu configurations %s no result and %s left out of the fit%s: %s", count,
                 s->plan.count, count == 1 ? "has" : "have", count == 1 ? "is" : "are",
                 s->failed ? ", failed.csv says why" : "", names.bytes);
  r->said.kept.failed = r->said.kept.failed || names.failed;
  free(names.bytes);
}

typedef struct level_count {
  char word[LEVELS_WORD];
  size_t configs, results;
} level_count;

/* "lr = 1000 has no results: all its 3 networks failed", "lr: only 0.001 has results" */
static void tell_empty_levels(const sweep *s, size_t place, level_count levels[LEVELS_MOST], remarks *said) {
  char name[LEVELS_WORD], word[LEVELS_WORD];
  size_t count = 0, with_results = 0, only = 0;
  for (size_t i = 0; i < s->plan.count; i++) {
    const factors_config *c = &s->plan.configs[i];
    size_t l = 0;
    csvlog_field(c->columns, place, word, sizeof word);
    while (l < count && strcmp(levels[l].word, word) != 0) l++;
    if (l == LEVELS_MOST) return;
    if (l == count) levels[count++] = (level_count){.configs = 0};
    snprintf(levels[l].word, sizeof levels[l].word, "%s", word);
    levels[l].configs++;
    levels[l].results += c->done && !c->failed;
  }
  csvlog_field(s->plan.header, place, name, sizeof name);
  for (size_t l = 0; l < count; l++) {
    if (levels[l].results > 0) with_results++, only = l;
    if (levels[l].results == 0 && levels[l].configs > 1)
      remarks_tell(said, "%s = %s has no results: all its %zu networks failed or are left out", name, levels[l].word,
                   levels[l].configs);
    else if (levels[l].results == 0)
      remarks_tell(said, "%s = %s has no results: its network failed or is left out", name, levels[l].word);
  }
  if (count > 1 && with_results == 1)
    remarks_tell(said, "%s: only %s has results, and nothing can be said of what it does", name, levels[only].word);
}

static fovea_status tell_all_empty_levels(const sweep *s, remarks *said) {
  if (s->failed + s->refused == 0) return FOVEA_OK;
  level_count *levels = malloc(LEVELS_MOST * sizeof *levels);
  if (levels == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the levels");
  for (size_t f = 0; f < LEVELS_FOUR + s->plan.others; f++) tell_empty_levels(s, f, levels, said);
  free(levels);
  return FOVEA_OK;
}

static fovea_status start_report(const sweep *s, report *r) {
  r->said.path = s->results;
  r->left_out = s->left_out != NULL ? json_deep_copy(s->left_out) : json_array();
  if (r->left_out == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for what is left out");
  fovea_status status = list_failures(s, r->left_out);
  if (status == FOVEA_OK) tell_left_out(s, r);
  if (status == FOVEA_OK) status = tell_all_empty_levels(s, &r->said);
  if (s->said.bytes != NULL) fovea_text_add(&r->said.kept, s->said.bytes);
  r->said.kept.failed = r->said.kept.failed || s->said.failed;
  return status;
}

static fovea_status regress(const sweep *s) {
  char *text = NULL, *json = NULL;
  list baselines = {0}, first = {0};
  report r = {0};
  fovea_status status = list_split("--baseline", s->request.baselines, &baselines);
  if (status == FOVEA_OK && s->plan.first[0] != '\0') status = list_split("--factors", s->plan.first, &first);
  const fovea_design_options options = {.baselines = baselines.items,
                                        .baseline_count = baselines.count,
                                        .first_levels = first.items,
                                        .first_level_count = first.count};
  if (status == FOVEA_OK) status = start_report(s, &r);
  if (status == FOVEA_OK) status = report_make(s->results, NULL, &options, NULL, NULL, &r);
  if (status == FOVEA_OK) status = report_text(&r, false, &text);
  if (status == FOVEA_OK) status = report_text(&r, true, &json);
  if (status == FOVEA_OK) status = write_text(s, "regression.txt", text);
  if (status == FOVEA_OK) status = write_text(s, "regression.json", json);
  if (status == FOVEA_OK) status = plot(s, &r);
  if (status == FOVEA_OK && s->options.json) status = put_state(s, false, json);
  if (status == FOVEA_OK && !s->options.json) fputs(text, stdout);
  free(text);
  free(json);
  list_free(&baselines);
  list_free(&first);
  report_free(&r);
  return status;
}

/* All test losses are the same, which is a result too: a sentence instead of a regression, and no picture. */
static fovea_status tell_same_loss(const sweep *s, size_t results, const char *loss) {
  report r = {0};
  fovea_text text = {0};
  fovea_status status = start_report(s, &r);
  char *first = status == FOVEA_OK ? remarks_text(&r.said) : NULL;
  fovea_text_add(&text, first != NULL ? first : "");
  fovea_text_print(
      &text,
      "The test loss is %s in each of the %zu results: nothing that was varied makes a difference to it, and there "
      "is nothing to explain by a regression.\n",
      loss, results);
  json_t *json = json_pack("{s:s,s:f,s:I,s:o*,s:O*}", "response", "test_loss", "same_in_all", strtod(loss, NULL),
                           "nobs", (json_int_t)results, "remarks", remarks_json(&r.said), "left_out", r.left_out);
  char *dump = json != NULL ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
  if (status == FOVEA_OK && (text.failed || r.said.kept.failed || dump == NULL))
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for what a sweep found");
  if (status == FOVEA_OK) status = write_text(s, "regression.txt", text.bytes);
  if (status == FOVEA_OK) status = write_text(s, "regression.json", dump);
  if (status == FOVEA_OK && s->options.json) status = put_state(s, false, dump);
  if (status == FOVEA_OK && !s->options.json) fputs(text.bytes, stdout);
  free(first);
  free(dump);
  free(text.bytes);
  json_decref(json);
  report_free(&r);
  return status;
}

static fovea_status conclude_stopped(const sweep *s) {
  char text[RUN_PATH + 256];
  fprintf(stderr, "fovea: stopped with %zu of %zu configurations done; go on with --resume\n", sweep_count_done(s),
          s->plan.count);
  if (s->options.json) return put_state(s, true, NULL);
  sweep_stopped_text(s, text, sizeof text);
  fputs(text, stdout);
  return FOVEA_OK;
}

/* Its regression is that of all shards. */
static fovea_status conclude_shard(const sweep *s, size_t lines) {
  char part[SHARD_TEXT];
  if (s->options.json) return put_state(s, false, NULL);
  printf("%s: shard %s has results of %zu of its %zu configurations; fovea sweep --merge joins all %zu\n",
         s->options.out, shard_text(&s->shard, part), lines, s->plan.count, s->shard.count);
  return FOVEA_OK;
}

/* One result, or none. */
static fovea_status conclude_without(const sweep *s, size_t lines) {
  fprintf(stderr, "fovea: no regression, which needs two results; %s has %zu, %s %zu that failed\n", s->results, lines,
          s->failures, s->failed);
  return s->options.json ? put_state(s, false, NULL) : FOVEA_OK;
}

fovea_status sweep_conclude(sweep *s) {
  csvlog kept = {0};
  if (s->stopped) return conclude_stopped(s);
  fovea_status status = results_read(s->results, &s->plan, progress_say, &kept);
  if (status == FOVEA_OK) results_sort(&s->plan, &kept);
  if (status == FOVEA_OK) status = results_write(s->results, &s->plan, &kept);
  char loss[CSVLOG_NUMBER];
  const size_t lines = kept.count;
  const bool same = lines > 1 && results_same_loss(&s->plan, &kept, loss);
  csvlog_free(&kept);
  if (status == FOVEA_OK && s->shard.count > 0)
    status = conclude_shard(s, lines);
  else if (status == FOVEA_OK && lines < 2)
    status = conclude_without(s, lines);
  else if (status == FOVEA_OK)
    status = same ? tell_same_loss(s, lines, loss) : regress(s);
  if (status == FOVEA_OK && s->refused > 0)
    status = fovea_fail(FOVEA_INVALID, "%zu configurations are left out, as said above", s->refused);
  if (status == FOVEA_OK && s->failed > 0 && s->failed == s->plan.count)
    status = fovea_fail(FOVEA_MISMATCH, "every network failed; %s says why", s->failures);
  return status;
}
