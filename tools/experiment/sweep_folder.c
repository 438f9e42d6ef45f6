/* A sweep's folder: its configuration and tables, recalled, checked and written. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/recover.h"
#include "experiment/results.h"
#include "experiment/sweep.h"
#include "train/board.h"

/* The configuration of the whole: without what the factors and seeds decide. */
static json_t *common_config(const sweep *s) {
  json_t *config = run_config(&s->options, &s->data);
  static const char *const varies[] = {"activation", "attention", "batchnorm", "seed"};
  for (size_t i = 0; i < sizeof varies / sizeof *varies; i++) json_object_del(config, varies[i]);
  return config;
}

static fovea_status recall_shard(sweep *s, const json_t *json) {
  const char *value = json_string_value(json_object_get(json, "shard"));
  if (value == NULL) return FOVEA_OK;
  s->shard_given = s->shard_recalled = strdup(value);
  return s->shard_recalled != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for --shard %s", value);
}

fovea_status sweep_recall_text(sweep *s, const char *path, const char *text) {
  fovea_status status = run_config_parse(path, text, &s->options, NULL);
  json_t *json = status == FOVEA_OK ? json_loads(text, 0, NULL) : NULL;
  if (status == FOVEA_OK && json == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its factors", path);
  else if (status == FOVEA_OK && json_object_get(json, "factors") == NULL)
    status = fovea_fail(FOVEA_INVALID, "%s is not of a sweep; go on with fovea train --resume", path);
  if (status == FOVEA_OK) status = recover_request(json, &s->request, s->recalled);
  if (status == FOVEA_OK) status = recall_shard(s, json);
  json_decref(json);
  return status;
}

fovea_status sweep_recall(sweep *s) {
  const char *out = s->options.out;
  char path[RUN_PATH], *text = NULL;
  fovea_status status = run_path(out, "config.json", path);
  if (status == FOVEA_OK) status = recover_sweep(out, &text);
  if (status == FOVEA_OK && text == NULL)
    progress_tell("fovea: %s has nothing of a sweep yet; starting from the beginning", out);
  if (status != FOVEA_OK || text == NULL) return status;
  if (!run_exists(path))
    progress_tell("fovea: %s is gone; the settings are those that the configurations' folders have", path);
  status = sweep_recall_text(s, path, text);
  free(text);
  return status;
}

static fovea_status make_config(sweep *s) {
  const factors_request *r = &s->request;
  char part[SHARD_TEXT];
  s->config = run_config(&s->options, &s->data);
  if (s->config != NULL && json_object_set_new(s->config, "factors", json_string(r->factors)) == 0 &&
      json_object_set_new(s->config, "seeds", json_integer(r->seeds)) == 0 &&
      (r->random == 0 || json_object_set_new(s->config, "random", json_integer(r->random)) == 0) &&
      (r->fraction == NULL || json_object_set_new(s->config, "fraction", json_string(r->fraction)) == 0) &&
      (s->shard.count == 0 || json_object_set_new(s->config, "shard", json_string(shard_text(&s->shard, part))) == 0))
    return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", s->options.out);
}

/* Each shard has a folder of its own. */
static fovea_status check_shard(const sweep *s, const char *text) {
  char part[SHARD_TEXT];
  json_t *json = json_loads(text, 0, NULL);
  const char *was = json_string_value(json_object_get(json, "shard"));
  const char *is = s->shard.count > 0 ? shard_text(&s->shard, part) : "all";
  fovea_status status = FOVEA_OK;
  if (strcmp(was != NULL ? was : "all", is) != 0)
    status = fovea_fail(FOVEA_INVALID, "%s has shard %s of its sweep, and this is %s%s; each shard has its own folder",
                        s->options.out, was != NULL ? was : "all", s->shard.count > 0 ? "--shard " : "", is);
  json_decref(json);
  return status;
}

/* A sweep that is gone on with must be the same one. */
static fovea_status check_config(const sweep *s) {
  char *text = NULL;
  fovea_status status = recover_sweep(s->options.out, &text);
  if (status != FOVEA_OK || text == NULL) return status;
  json_t *config = common_config(s);
  if (config == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory to check %s", s->options.out);
  if (status == FOVEA_OK) status = run_config_compare(s->options.out, text, config);
  if (status == FOVEA_OK) status = check_shard(s, text);
  if (status == FOVEA_OK && !identity_has_data(text))
    progress_tell(
        "fovea: %s was begun by an older version, which recorded no hash of its data: that --data are the "
        "same cannot be checked",
        s->options.out);
  json_decref(config);
  free(text);
  return status;
}

const char *sweep_failed_header(const sweep *s, char header[SWEEP_FAILED_HEADER]) {
  snprintf(header, SWEEP_FAILED_HEADER, "config,%s,reason", s->plan.header);
  return header;
}

fovea_status sweep_read_failures(const sweep *s, csvlog *log) {
  char header[SWEEP_FAILED_HEADER];
  if (!run_exists(s->failures)) return FOVEA_OK;
  return csvlog_read(s->failures, (const char *const[]){sweep_failed_header(s, header)}, 1, log);
}

/* Reads failed.csv and marks the configurations that it has. */
static fovea_status mark_failures(sweep *s, csvlog *log) {
  char name[FACTORS_NAME];
  fovea_status status = sweep_read_failures(s, log);
  if (status == FOVEA_OK) status = results_check_plan(s->failures, log, &s->plan);
  for (size_t i = 0; i < log->count && status == FOVEA_OK; i++) {
    csvlog_field(log->lines[i], 0, name, sizeof name);
    for (size_t c = 0; c < s->plan.count; c++) {
      if (strcmp(s->plan.configs[c].name, name) == 0) s->plan.configs[c].done = s->plan.configs[c].failed = true;
    }
  }
  s->failed = log->count;
  return status;
}

fovea_status sweep_read_tables(sweep *s, csvlog *results, csvlog *failures) {
  fovea_status status = results_check_factors(s->results, &s->plan);
  if (status == FOVEA_OK) status = results_check_factors(s->failures, &s->plan);
  if (status == FOVEA_OK) status = mark_failures(s, failures);
  return status == FOVEA_OK ? results_read(s->results, &s->plan, progress_say, results) : status;
}

fovea_status sweep_write_tables(const sweep *s, const csvlog *results, const csvlog *failures) {
  char header[SWEEP_FAILED_HEADER];
  fovea_status status = results_write(s->results, &s->plan, results);
  if (status == FOVEA_OK && (failures->count > 0 || run_exists(s->failures)))
    status = csvlog_write(s->failures, sweep_failed_header(s, header), failures);
  return status;
}

/* Marks what both tables have, and drops their torn lines: neither is touched before both are found right. */
static fovea_status restore_tables(sweep *s) {
  csvlog results = {0}, failures = {0};
  fovea_status status = sweep_read_tables(s, &results, &failures);
  if (status == FOVEA_OK) status = results_check_folders(s->results, &results, &s->plan, s->options.out);
  if (status == FOVEA_OK) status = sweep_write_tables(s, &results, &failures);
  if (status == FOVEA_OK && failures.damaged > 0)
    progress_tell("fovea: %s: %zu torn lines are dropped", s->failures, failures.damaged);
  csvlog_free(&results);
  csvlog_free(&failures);
  return status;
}

run_options sweep_options_of(const sweep *s, size_t place) {
  run_options o = s->plan.configs[place].options;
  o.resume = s->options.resume;
  o.sweep = s->config;
  return o;
}

static fovea_status name_runs(sweep *s) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK; i++) {
    const run_options o = sweep_options_of(s, i);
    json_t *config = run_config(&o, &s->data);
    status = config != NULL ? identity_of_run(config, s->plan.configs[i].run)
                            : fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", o.out);
    json_decref(config);
  }
  return status;
}

fovea_status sweep_name(sweep *s) {
  fovea_status status = make_config(s);
  return status == FOVEA_OK ? name_runs(s) : status;
}

/* With the sweep's folder as it is now: a sweep that goes on may have more levels. A shard tells of all that the sweep
 * varies, so that the folders of several are one experiment. */
static fovea_status tell_board(const sweep *s) {
  factors_plan whole;
  if (!s->options.tensorboard) return FOVEA_OK;
  fovea_status status = factors_make(&s->request, &s->options, &whole);
  const size_t count = status == FOVEA_OK ? whole.count : 0;
  json_t **configs = calloc(count + 1, sizeof *configs);
  bool good = configs != NULL;
  for (size_t i = 0; i < count && good; i++) {
    whole.configs[i].options.sweep = s->config;
    configs[i] = run_config(&whole.configs[i].options, &s->data);
    good = configs[i] != NULL;
  }
  if (status == FOVEA_OK && !good)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", s->options.out);
  if (status == FOVEA_OK) status = board_sweep(s->options.out, configs, count);
  for (size_t i = 0; i < count && configs != NULL; i++) json_decref(configs[i]);
  free(configs);
  free(whole.configs);
  return status;
}

static fovea_status refuse_leftovers(const sweep *s) {
  char dir[RUN_PATH];
  fovea_status status = run_refuse_leftovers(s->options.out);
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK; i++) {
    status = run_path(s->options.out, s->plan.configs[i].name, dir);
    if (status == FOVEA_OK && run_exists(dir)) status = run_refuse_leftovers(dir);
  }
  return status;
}

/* The baselines are the regression's alone: no configuration has them. */
fovea_status sweep_write_config(const sweep *s, const fovea_device_info *device) {
  json_t *config = json_copy(s->config);
  fovea_status status = FOVEA_OK;
  if (config == NULL ||
      (s->request.baselines != NULL && json_object_set_new(config, "baseline", json_string(s->request.baselines)) != 0))
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", s->options.out);
  if (status == FOVEA_OK) status = run_config_write(s->options.out, &s->options, config, device, NULL);
  json_decref(config);
  return status;
}

fovea_status sweep_take_folder(sweep *s) {
  const char *out = s->options.out;
  fovea_status status = run_lock(out, &s->lock);
  if (status == FOVEA_OK) status = run_path(out, "results.csv", s->results);
  return status == FOVEA_OK ? run_path(out, "failed.csv", s->failures) : status;
}

/* The folders that this one was merged from, as a new reference, or NULL. */
static json_t *shards_of(const char *out) {
  char *text = NULL;
  if (run_config_read(out, &text) != FOVEA_OK || text == NULL) return NULL;
  json_t *config = json_loads(text, 0, NULL), *shards = json_incref(json_object_get(config, "shards"));
  json_decref(config);
  free(text);
  return shards;
}

/* Anew, as the settings are now. */
static fovea_status renew_config(const sweep *s) {
  json_t *shards = shards_of(s->options.out);
  const fovea_status status = sweep_write_config(s, fovea_device_get_info(s->workers[0].device));
  if (status == FOVEA_OK && shards != NULL) return run_config_add(s->options.out, "shards", shards);
  json_decref(shards);
  return status;
}

fovea_status sweep_open_folder(sweep *s) {
  fovea_status status = sweep_take_folder(s);
  if (status == FOVEA_OK) status = s->options.resume ? check_config(s) : refuse_leftovers(s);
  if (status != FOVEA_OK) return status;
  signals_busy(); /* with files */
  if (s->options.resume) status = restore_tables(s);
  if (status == FOVEA_OK) status = renew_config(s);
  if (status == FOVEA_OK) status = tell_board(s);
  if (status == FOVEA_OK && !run_exists(s->results)) status = results_write(s->results, &s->plan, &(csvlog){0});
  return status;
}
