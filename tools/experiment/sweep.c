/* The factorial experiment: every configuration trained in its own folder, a line of results.csv each, and least
 * squares on that. A configuration whose loss stops being finite goes to failed.csv instead, with the reason, so that
 * results.csv stays a table of numbers for any tool. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/estimate.h"
#include "experiment/factors.h"
#include "experiment/fit.h"
#include "experiment/recover.h"
#include "experiment/report.h"
#include "experiment/results.h"
#include "fovea/safetensors.h"
#include "train/csvlog.h"
#include "train/training.h"

typedef struct sweep {
  run_options options; /* of every configuration, but for the factors */
  factors_request request;
  char *recalled[2]; /* what request.factors and request.fraction may point to */
  json_t *config;    /* of the whole, as each configuration keeps it */
  run_data data;
  fovea_device *device;
  factors_plan plan;
  size_t finished;      /* images of the configurations done in this process, for progress */
  size_t current_place; /* of the configuration under way, from 1 */
  size_t failed;        /* training met a NaN: in failed.csv */
  size_t refused;       /* its folder's files are not its own */
  bool stopped;
  int lock;
  char results[RUN_PATH], failures[RUN_PATH];
} sweep;

/* --- its folder -------------------------------------------------------------------------------------------------- */

/* The configuration of the whole: without what the factors and seeds decide. */
static json_t *common_config(const sweep *s) {
  json_t *config = run_config(&s->options, &s->data);
  static const char *const varies[] = {"activation", "attention", "batchnorm", "seed"};
  for (size_t i = 0; i < sizeof varies / sizeof *varies; i++) json_object_del(config, varies[i]);
  return config;
}

static bool recall_text(const json_t *json, const char *name, char **copy, const char **text) {
  const char *value = json_string_value(json_object_get(json, name));
  if (value != NULL) *text = *copy = strdup(value);
  return value == NULL || *copy != NULL;
}

static bool recall_request(sweep *s, const json_t *json) {
  const json_int_t seeds = json_integer_value(json_object_get(json, "seeds"));
  const json_int_t some = json_integer_value(json_object_get(json, "random"));
  if (seeds > 0 && seeds <= 1000) s->request.seeds = seeds;
  if (some > 0) s->request.random = some;
  return recall_text(json, "factors", &s->recalled[0], &s->request.factors) &&
         recall_text(json, "fraction", &s->recalled[1], &s->request.fraction);
}

/* On --resume: options, factors and seeds are those of the folder, unless given again. */
static fovea_status recall(sweep *s) {
  const char *out = s->options.out;
  char path[RUN_PATH], *text = NULL;
  fovea_status status = run_path(out, "config.json", path);
  if (status == FOVEA_OK) status = recover_sweep(out, &text);
  if (status != FOVEA_OK || text == NULL) return status;
  if (!run_exists(path))
    progress_tell("fovea: %s is gone; the settings are those that the configurations' folders have", path);
  status = run_config_parse(path, text, &s->options, NULL);
  json_t *json = status == FOVEA_OK ? json_loads(text, 0, NULL) : NULL;
  if (status == FOVEA_OK) {
    if (json != NULL && json_object_get(json, "factors") == NULL)
      status = fovea_fail(FOVEA_INVALID, "%s is not of a sweep; go on with fovea train --resume", path);
    else if (json == NULL || !recall_request(s, json))
      status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its factors", path);
  }
  json_decref(json);
  free(text);
  return status;
}

static fovea_status make_config(sweep *s) {
  const factors_request *r = &s->request;
  s->config = run_config(&s->options, &s->data);
  if (s->config != NULL && json_object_set_new(s->config, "factors", json_string(r->factors)) == 0 &&
      json_object_set_new(s->config, "seeds", json_integer(r->seeds)) == 0 &&
      (r->random == 0 || json_object_set_new(s->config, "random", json_integer(r->random)) == 0) &&
      (r->fraction == NULL || json_object_set_new(s->config, "fraction", json_string(r->fraction)) == 0))
    return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", s->options.out);
}

/* A sweep that is gone on with must be the same one. */
static fovea_status check_config(const sweep *s) {
  char *text = NULL;
  fovea_status status = recover_sweep(s->options.out, &text);
  if (status != FOVEA_OK || text == NULL) return status;
  json_t *config = common_config(s);
  if (config == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory to check %s", s->options.out);
  if (status == FOVEA_OK) status = run_config_compare(s->options.out, text, config);
  if (status == FOVEA_OK && !identity_has_data(text))
    progress_tell(
        "fovea: %s was begun by an older version, which recorded no hash of its data: that --data are the "
        "same cannot be checked",
        s->options.out);
  json_decref(config);
  free(text);
  return status;
}

enum { FAILED_HEADER = FACTORS_COLUMNS + 20 };

static const char *make_failed_header(const sweep *s, char header[FAILED_HEADER]) {
  snprintf(header, FAILED_HEADER, "config,%s,reason", s->plan.header);
  return header;
}

/* Reads failed.csv and marks the configurations that it has. */
static fovea_status read_failures(sweep *s, csvlog *log) {
  char name[FACTORS_NAME], header[FAILED_HEADER];
  if (!run_exists(s->failures)) return FOVEA_OK;
  fovea_status status = csvlog_read(s->failures, (const char *const[]){make_failed_header(s, header)}, 1, log);
  if (status == FOVEA_OK) status = results_check_plan(s->failures, log, &s->plan);
  for (size_t i = 0; i < log->count && status == FOVEA_OK; i++) {
    csvlog_field(log->lines[i], 0, name, sizeof name);
    for (size_t c = 0; c < s->plan.count; c++) {
      if (strcmp(s->plan.configs[c].name, name) == 0) s->plan.configs[c].done = true;
    }
  }
  s->failed = log->count;
  return status;
}

/* Marks what both tables have, and drops their torn lines: neither is touched before both are found right. */
static fovea_status restore_tables(sweep *s) {
  csvlog results = {0}, failures = {0};
  char header[FAILED_HEADER];
  fovea_status status = read_failures(s, &failures);
  if (status == FOVEA_OK) status = results_read(s->results, &s->plan, progress_say, &results);
  if (status == FOVEA_OK) status = results_check_folders(s->results, &results, &s->plan, s->options.out);
  if (status == FOVEA_OK) status = results_write(s->results, &s->plan, &results);
  if (status == FOVEA_OK && failures.damaged > 0)
    progress_tell("fovea: %s: %zu torn lines are dropped", s->failures, failures.damaged);
  if (status == FOVEA_OK && run_exists(s->failures))
    status = csvlog_write(s->failures, make_failed_header(s, header), &failures);
  csvlog_free(&results);
  csvlog_free(&failures);
  return status;
}

static run_options options_of(const sweep *s, const factors_config *c) {
  run_options o = c->options;
  o.resume = s->options.resume;
  o.sweep = s->config;
  return o;
}

static fovea_status name_runs(sweep *s) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK; i++) {
    const run_options o = options_of(s, &s->plan.configs[i]);
    json_t *config = run_config(&o, &s->data);
    status = config != NULL ? identity_of_run(config, s->plan.configs[i].run)
                            : fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", o.out);
    json_decref(config);
  }
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

static fovea_status open_folder(sweep *s) {
  const char *out = s->options.out;
  fovea_status status = run_lock(out, &s->lock);
  if (status == FOVEA_OK) status = run_path(out, "results.csv", s->results);
  if (status == FOVEA_OK) status = run_path(out, "failed.csv", s->failures);
  if (status == FOVEA_OK) status = make_config(s);
  if (status == FOVEA_OK) status = name_runs(s);
  if (status == FOVEA_OK) status = s->options.resume ? check_config(s) : refuse_leftovers(s);
  if (status != FOVEA_OK) return status;
  signals_busy(); /* with files */
  if (s->options.resume) status = restore_tables(s);
  if (status == FOVEA_OK)
    status = run_config_write(out, &s->options, s->config, fovea_device_get_info(s->device), NULL);
  if (status == FOVEA_OK && !run_exists(s->results)) status = results_write(s->results, &s->plan, &(csvlog){0});
  return status;
}

/* --- a configuration --------------------------------------------------------------------------------------------- */

static void show_progress(void *user, int epoch, size_t images_done, const fovea_losses *losses) {
  const sweep *s = user;
  const factors_config *c = &s->plan.configs[s->current_place - 1];
  char note[128 + FACTORS_NAME];
  int used = snprintf(note, sizeof note, "%zu/%zu %s epoch %d/%lld", s->current_place, s->plan.count, c->name,
                      epoch + 1, c->options.epochs);
  if (losses != NULL) snprintf(note + used, sizeof note - (size_t)used, " loss %.4f", losses->total);
  progress_update(s->finished + (size_t)epoch * s->data.train->count + images_done, note);
}

/* The current message becomes the reason of a line; commas and quotes would be CSV. */
static fovea_status append_failure(sweep *s, const factors_config *c) {
  char reason[400], line[400 + FACTORS_NAME + FACTORS_COLUMNS], header[FAILED_HEADER];
  snprintf(reason, sizeof reason, "%s", fovea_error_message());
  fprintf(stderr, "fovea: %s failed and is left out of the regression: %s\n", c->name, reason);
  for (char *p = reason; *p != '\0'; p++) *p = *p == ',' ? ';' : *p == '"' ? '\'' : *p == '\n' ? ' ' : *p;
  snprintf(line, sizeof line, "%s,%s,%s", c->name, c->columns, reason);
  fovea_status status = FOVEA_OK;
  if (!run_exists(s->failures)) status = csvlog_write(s->failures, make_failed_header(s, header), &(csvlog){0});
  s->failed++;
  return status != FOVEA_OK ? status : fovea_file_append_line(s->failures, line);
}

/* A name that no file has: checkpoint.damaged.safetensors, checkpoint.damaged2.safetensors, ... */
static fovea_status free_name(const char *dir, char name[64], char path[RUN_PATH]) {
  snprintf(name, 64, "checkpoint.damaged.safetensors");
  fovea_status status = run_path(dir, name, path);
  for (int i = 2; status == FOVEA_OK && run_exists(path); i++) {
    snprintf(name, 64, "checkpoint.damaged%d.safetensors", i);
    status = run_path(dir, name, path);
  }
  return status;
}

/* A checkpoint that is damaged is set aside, and its configuration trained anew: the others must not wait for it. */
static fovea_status set_damaged_aside(const char *dir, const char *config) {
  char path[RUN_PATH], aside[RUN_PATH], name[64];
  fovea_safetensors *file = NULL;
  fovea_status status = run_path(dir, "checkpoint.safetensors", path);
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = fovea_safetensors_open(path, &file);
  fovea_safetensors_close(file);
  if (status != FOVEA_INVALID) return status;
  progress_tell("fovea: %s: %s", config, fovea_error_message());
  status = free_name(dir, name, aside);
  if (status == FOVEA_OK && rename(path, aside) != 0)
    status = fovea_fail(FOVEA_IO, "%s: cannot be set aside: %s", path, strerror(errno));
  if (status == FOVEA_OK) progress_tell("fovea: %s: it is set aside as %s and trained anew", config, name);
  return status;
}

/* What is wrong in one configuration's folder stops that configuration alone. */
static fovea_status refuse_configuration(sweep *s, const factors_config *c) {
  progress_tell("fovea: %s is left out: %s", c->name, fovea_error_message());
  s->refused++;
  return FOVEA_OK;
}

static fovea_status run_configuration(sweep *s, factors_config *c) {
  char dir[RUN_PATH];
  run_options o = options_of(s, c);
  training_result result = {0};
  const training_hooks hooks = {.user = s, .progress = show_progress};
  fovea_status status = run_path(s->options.out, c->name, dir);
  o.out = dir;
  const bool begun = o.resume && run_exists(dir);
  if (status == FOVEA_OK && begun) status = set_damaged_aside(dir, c->name);
  if (status == FOVEA_OK) status = training_run(&o, &s->data, s->device, &hooks, &result);
  c->done = status == FOVEA_MISMATCH || (status == FOVEA_OK && !result.stopped);
  if (status == FOVEA_MISMATCH) return append_failure(s, c);
  if (status == FOVEA_INVALID && begun) return refuse_configuration(s, c);
  if (status != FOVEA_OK) return fovea_fail_in(status, "%s", c->name);
  s->stopped = result.stopped;
  return s->stopped ? FOVEA_OK : results_append(s->results, c, &result);
}

static size_t count_done(const sweep *s) {
  size_t done = 0;
  for (size_t i = 0; i < s->plan.count; i++) done += s->plan.configs[i].done;
  return done;
}

/* What stdout says of a sweep that was stopped. */
static fovea_status stopped_text(const sweep *s, char *text, size_t size) {
  if (!s->options.json) {
    snprintf(text, size, "%.400s: stopped with %zu of %zu configurations done; go on with --resume\n", s->options.out,
             count_done(s), s->plan.count);
    return FOVEA_OK;
  }
  json_t *json = json_pack("{s:s,s:b,s:I,s:I}", "sweep", s->options.out, "stopped", 1, "configurations",
                           (json_int_t)s->plan.count, "done", (json_int_t)count_done(s));
  char *dump = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;
  if (dump != NULL) snprintf(text, size, "%s\n", dump);
  json_decref(json);
  free(dump);
  return dump != NULL ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "--out is not UTF-8, or no memory for JSON");
}

static void prepare_farewell(const sweep *s) {
  char text[RUN_PATH + 256];
  if (stopped_text(s, text, sizeof text) == FOVEA_OK) signals_farewell(text);
}

/* That it is trained on. */
static size_t images_of(const sweep *s, const factors_config *c) {
  return (size_t)c->options.epochs * s->data.train->count;
}

/* Says what will be done, before any of it; *images in all. */
static fovea_status announce(const sweep *s, size_t *images) {
  const factors_config *first = NULL;
  const size_t count = s->plan.count;
  char time[ESTIMATE_TEXT] = "";
  size_t left = 0;
  for (size_t i = count; i-- > 0;) {
    if (s->plan.configs[i].done) continue;
    first = &s->plan.configs[i];
    *images += images_of(s, first);
    left++;
  }
  fovea_status status = FOVEA_OK;
  if (first != NULL && left > 1) {
    const run_options o = options_of(s, first);
    status = estimate_time(s->device, &o, s->data.train, *images, time);
  }
  fprintf(stderr, "fovea: %zu configurations, %zu to train on %s: %zu images%s\n", count, left,
          fovea_device_get_info(s->device)->name, *images, time);
  if (s->plan.whole > count) fprintf(stderr, "fovea: they are some of %zu\n", s->plan.whole);
  for (const char *line = s->plan.aliases; *line; line += strcspn(line, "\n") + 1)
    fprintf(stderr, "fovea: %.*s\n", (int)strcspn(line, "\n"), line);
  if (count < 2) fputs("fovea: one configuration gives no regression; more levels or --seeds would\n", stderr);
  return status;
}

static fovea_status run_all(sweep *s) {
  size_t images = 0;
  fovea_status status = announce(s, &images);
  progress_begin("sweep", images, "images");
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK && !s->stopped; i++) {
    factors_config *c = &s->plan.configs[i];
    if (c->done) continue;
    s->current_place = i + 1;
    prepare_farewell(s);
    s->stopped = signals_idle();
    if (!s->stopped) status = run_configuration(s, c);
    if (c->done) s->finished += images_of(s, c);
  }
  progress_end();
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

static fovea_status regress(const sweep *s) {
  char *text = NULL, *json = NULL;
  report r = {0};
  fovea_status status = report_make(s->results, NULL, &(fovea_design_options){0}, NULL, NULL, &r);
  if (status == FOVEA_OK) status = report_text(&r, false, &text);
  if (status == FOVEA_OK) status = report_text(&r, true, &json);
  if (status == FOVEA_OK) status = write_text(s, "regression.txt", text);
  if (status == FOVEA_OK) status = write_text(s, "regression.json", json);
  if (status == FOVEA_OK) status = plot(s, &r);
  if (status == FOVEA_OK) fputs(s->options.json ? json : text, stdout);
  free(text);
  free(json);
  report_free(&r);
  return status;
}

static fovea_status conclude_stopped(const sweep *s) {
  char text[RUN_PATH + 256];
  fprintf(stderr, "fovea: stopped with %zu of %zu configurations done; go on with --resume\n", count_done(s),
          s->plan.count);
  fovea_status status = stopped_text(s, text, sizeof text);
  if (status == FOVEA_OK) fputs(text, stdout);
  return status;
}

static fovea_status conclude(sweep *s) {
  csvlog kept = {0};
  if (s->stopped) return conclude_stopped(s);
  if (s->failed > 0)
    fprintf(stderr, "fovea: %zu configurations failed and are left out of the regression, see %s\n", s->failed,
            s->failures);
  fovea_status status = results_read(s->results, &s->plan, progress_say, &kept);
  if (status == FOVEA_OK) status = results_write(s->results, &s->plan, &kept);
  const size_t lines = kept.count;
  csvlog_free(&kept);
  if (status == FOVEA_OK && lines < 2)
    fprintf(stderr, "fovea: no regression, which needs two results; %s has %zu\n", s->results, lines);
  else if (status == FOVEA_OK)
    status = regress(s);
  if (status == FOVEA_OK && s->refused > 0)
    status = fovea_fail(FOVEA_INVALID, "%zu configurations are left out, as said above", s->refused);
  return status;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* Nothing is made where one of the networks cannot have such images. */
static fovea_status check_networks(const sweep *s) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < s->plan.count && status == FOVEA_OK; i++) {
    status = run_check_network(&s->plan.configs[i].options, s->data.train);
    if (status != FOVEA_OK) status = fovea_fail_in(status, "the configuration %s", s->plan.configs[i].name);
  }
  return status;
}

static fovea_status run_sweep(sweep *s) {
  fovea_status status = run_options_check(&s->options);
  if (status == FOVEA_OK) status = factors_make(&s->request, &s->options, &s->plan);
  if (status == FOVEA_OK) status = run_data_load(&s->options, &s->data);
  if (status == FOVEA_OK) status = check_networks(s);
  if (status == FOVEA_OK) status = fovea_device_open(s->options.device, &s->device);
  if (status == FOVEA_OK) fovea_device_tell(s->device, progress_hear, NULL);
  if (status == FOVEA_OK) status = open_folder(s);
  if (status == FOVEA_OK) status = run_all(s);
  if (status == FOVEA_OK) status = conclude(s);
  run_unlock(s->lock);
  fovea_device_close(s->device);
  run_data_free(&s->data);
  json_decref(s->config);
  free(s->plan.configs);
  return status;
}

static int run(int argc, char **argv) {
  sweep s = {.options = run_options_default(),
             .request = {.factors = "activation,attention,batchnorm,dropout", .seeds = 1},
             .lock = -1};
  bool done = false;
  option table[RUN_OPTIONS];
  size_t n = run_options_table(&s.options, table);
  table[n++] = (option){.name = "factors",
                        .kind = OPTION_STRING,
                        .value = &s.request.factors,
                        .argument = "LIST",
                        .help = "what varies, and how: activation=elu|relu,dropout,latent=2|8,arch=35-25-5|12-8-4"};
  table[n++] = (option){.name = "seeds",
                        .kind = OPTION_INT,
                        .value = &s.request.seeds,
                        .min = 1,
                        .max = 1000,
                        .help = "seeds of each configuration, counted up from --seed"};
  table[n++] = (option){.name = "random",
                        .kind = OPTION_INT,
                        .value = &s.request.random,
                        .max = 1000000,
                        .argument = "N",
                        .help = "only N of a seed's combinations, drawn at random by --seed; 0 is all"};
  table[n++] = (option){
      .name = "fraction",
      .kind = OPTION_STRING,
      .value = &s.request.fraction,
      .argument = "1/N",
      .help = "a fractional factorial of factors of two levels: 1/2, 1/4, ... of the combinations; 1/1 is all"};
  table[n++] =
      (option){.name = "json", .kind = OPTION_FLAG, .value = &s.options.json, .help = "print the regression as JSON"};
  const command_line line = {.usage = "fovea sweep --data DIR --out DIR [options]",
                             .summary = "Trains every combination of the factors and regresses the test loss on them.",
                             .options = table,
                             .count = n};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  signals_catch();
  if (status == FOVEA_OK && s.options.resume) {
    status = recall(&s);
    if (status == FOVEA_OK) status = command_parse(&line, argc, argv);
  }
  if (status == FOVEA_OK) status = run_sweep(&s);
  free(s.recalled[0]);
  free(s.recalled[1]);
  if (status != FOVEA_OK) return command_fail(status);
  return s.stopped ? signals_exit_code() : FOVEA_OK;
}

const command command_sweep = {"sweep", "train every combination of the factors and regress the loss on them", run};
