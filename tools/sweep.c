/* The factorial experiment: every configuration trained in its own folder, a line of results.csv each, and least
 * squares on that. A configuration whose loss stops being finite goes to failed.csv instead, with the reason, so that
 * results.csv stays a table of numbers for any tool. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/fail.h"
#include "core/file.h"
#include "csvlog.h"
#include "factors.h"
#include "fit.h"
#include "progress.h"
#include "training.h"

static const char results_header[] =
    "config,activation,attention,batchnorm,dropout,seed,test_loss,test_bce,test_kl,parameters,seconds,images_per_s";
static const char failed_header[] = "config,activation,attention,batchnorm,dropout,seed,reason";

typedef struct sweep {
  run_options options; /* of every configuration, but for the factors */
  const char *factors;
  long long seeds;
  char *recalled_factors; /* what `factors` may point into */
  run_data data;
  fovea_device *device;
  factors_config *configs;
  size_t count;
  size_t finished;      /* in this process, */
  size_t images;        /* and the images of an epoch: for progress */
  const char *current;  /* the name of the configuration under way, */
  size_t current_place; /* from 1 */
  size_t failed;
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

static fovea_status read_text(const char *path, char **text) {
  uint8_t *data = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(path, 1 << 20, &data, &size);
  if (status == FOVEA_OK) *text = (char *)data;
  return status;
}

/* On --resume: options, factors and seeds are those of config.json, unless given again. */
static fovea_status recall(sweep *s) {
  char path[RUN_PATH], *text = NULL;
  fovea_status status = run_path(s->options.out, "config.json", path);
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = read_text(path, &text);
  if (status == FOVEA_OK) status = run_config_parse(path, text, &s->options, NULL);
  if (status == FOVEA_OK) {
    json_t *json = json_loads(text, 0, NULL);
    const char *factors = json_string_value(json_object_get(json, "factors"));
    const json_int_t seeds = json_integer_value(json_object_get(json, "seeds"));
    if (factors != NULL) s->factors = s->recalled_factors = strdup(factors);
    if (json == NULL || (factors != NULL && s->factors == NULL))
      status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its factors", path);
    if (seeds > 0 && seeds <= 1000) s->seeds = seeds;
    json_decref(json);
  }
  free(text);
  return status;
}

static fovea_status write_config(const sweep *s) {
  json_t *config = run_config(&s->options, &s->data);
  fovea_status status = FOVEA_OK;
  if (config == NULL || json_object_set_new(config, "factors", json_string(s->factors)) != 0 ||
      json_object_set_new(config, "seeds", json_integer(s->seeds)) != 0)
    status = fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", s->options.out);
  if (status == FOVEA_OK)
    status = run_config_write(s->options.out, &s->options, config, fovea_device_get_info(s->device), NULL);
  json_decref(config);
  return status;
}

/* A sweep that is gone on with must be the same one. */
static fovea_status check_config(const sweep *s) {
  char path[RUN_PATH], *text = NULL;
  fovea_status status = run_path(s->options.out, "config.json", path);
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = read_text(path, &text);
  json_t *config = common_config(s);
  if (status == FOVEA_OK && config == NULL) status = fovea_fail(FOVEA_NO_MEMORY, "no memory to check %s", path);
  if (status == FOVEA_OK) status = run_config_compare(s->options.out, text, config);
  json_decref(config);
  free(text);
  return status;
}

/* Marks the configurations that the file has and drops its torn line. */
static fovea_status restore(sweep *s, const char *path, const char *header, size_t *lines) {
  csvlog log = {0};
  char name[FACTORS_NAME];
  *lines = 0;
  if (!run_exists(path)) return FOVEA_OK;
  fovea_status status = csvlog_read(path, header, &log);
  if (status != FOVEA_OK) return status;
  for (size_t i = 0; i < log.count; i++) {
    csvlog_field(log.lines[i], 0, name, sizeof name);
    for (size_t c = 0; c < s->count; c++) {
      if (strcmp(s->configs[c].name, name) == 0) s->configs[c].done = true;
    }
  }
  *lines = log.count;
  status = csvlog_write(path, header, &log);
  csvlog_free(&log);
  return status;
}

static fovea_status open_folder(sweep *s) {
  const char *out = s->options.out;
  size_t lines = 0;
  fovea_status status = run_lock(out, &s->lock);
  if (status == FOVEA_OK) status = run_path(out, "results.csv", s->results);
  if (status == FOVEA_OK) status = run_path(out, "failed.csv", s->failures);
  if (status != FOVEA_OK) return status;
  if (!s->options.resume && run_exists(s->results))
    return fovea_fail(FOVEA_INVALID, "%s has a results.csv already; go on with --resume, or choose another folder",
                      out);
  if (s->options.resume) status = check_config(s);
  if (status == FOVEA_OK && s->options.resume) status = restore(s, s->failures, failed_header, &s->failed);
  if (status == FOVEA_OK && s->options.resume) status = restore(s, s->results, results_header, &lines);
  if (status == FOVEA_OK && !run_exists(s->results)) status = csvlog_write(s->results, results_header, &(csvlog){0});
  return status != FOVEA_OK ? status : write_config(s);
}

/* --- a configuration --------------------------------------------------------------------------------------------- */

static void show_progress(void *user, int epoch, size_t images_done, const fovea_losses *losses) {
  const sweep *s = user;
  const size_t epochs = (size_t)s->options.epochs;
  char note[128];
  int used =
      snprintf(note, sizeof note, "%zu/%zu %s epoch %d/%zu", s->current_place, s->count, s->current, epoch + 1, epochs);
  if (losses != NULL) snprintf(note + used, sizeof note - (size_t)used, " loss %.4f", losses->total);
  progress_update((s->finished * epochs + (size_t)epoch) * s->images + images_done, note);
}

static fovea_status append_result(const sweep *s, const factors_config *c, const training_result *r) {
  char line[512], loss[CSVLOG_NUMBER], bce[CSVLOG_NUMBER], kl[CSVLOG_NUMBER];
  snprintf(line, sizeof line, "%s,%s,%s,%s,%s,%zu,%.3f,%.2f", c->name, c->columns,
           csvlog_number(r->last.val_loss, loss), csvlog_number(r->last.val_bce, bce),
           csvlog_number(r->last.val_kl, kl), r->parameters, r->seconds, r->images_per_s);
  return fovea_file_append_line(s->results, line);
}

/* The current message becomes the reason of a line; commas and quotes would be CSV. */
static fovea_status append_failure(sweep *s, const factors_config *c) {
  char reason[400], line[800];
  snprintf(reason, sizeof reason, "%s", fovea_error_message());
  fprintf(stderr, "fovea: %s failed and is left out of the regression: %s\n", c->name, reason);
  for (char *p = reason; *p != '\0'; p++) *p = *p == ',' ? ';' : *p == '"' ? '\'' : *p == '\n' ? ' ' : *p;
  snprintf(line, sizeof line, "%s,%s,%s", c->name, c->columns, reason);
  fovea_status status = run_exists(s->failures) ? FOVEA_OK : csvlog_write(s->failures, failed_header, &(csvlog){0});
  s->failed++;
  return status != FOVEA_OK ? status : fovea_file_append_line(s->failures, line);
}

/* Where dropout is on. */
static double dropout_rate(const sweep *s) {
  return s->options.dropout > 0 ? s->options.dropout : run_options_default().dropout;
}

static fovea_status run_configuration(sweep *s, const factors_config *c) {
  char dir[RUN_PATH];
  run_options o = s->options;
  o.activation = c->activation;
  o.attention = c->attention;
  o.batchnorm = c->batchnorm;
  o.dropout = c->dropout ? dropout_rate(s) : 0;
  o.seed = c->seed;
  o.out = dir;
  training_result result;
  const training_hooks hooks = {.user = s, .progress = show_progress};
  fovea_status status = run_path(s->options.out, c->name, dir);
  if (status == FOVEA_OK) status = training_run(&o, &s->data, s->device, &hooks, &result);
  if (status == FOVEA_MISMATCH) return append_failure(s, c);
  if (status != FOVEA_OK) return fovea_fail_in(status, "%s", c->name);
  s->stopped = result.stopped;
  return s->stopped ? FOVEA_OK : append_result(s, c, &result);
}

static fovea_status run_all(sweep *s) {
  size_t left = 0;
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < s->count; i++) left += !s->configs[i].done;
  fprintf(stderr, "fovea: %zu configurations, %zu to train on %s\n", s->count, left,
          fovea_device_get_info(s->device)->name);
  s->images = s->data.train->count;
  progress_begin("sweep", left * (size_t)s->options.epochs * s->images, "images");
  for (size_t i = 0; i < s->count && status == FOVEA_OK && !s->stopped; i++) {
    factors_config *c = &s->configs[i];
    if (c->done) continue;
    s->current = c->name;
    s->current_place = i + 1;
    if (run_interrupted())
      s->stopped = true;
    else
      status = run_configuration(s, c);
    c->done = status == FOVEA_OK && !s->stopped;
    s->finished += c->done;
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

static fovea_status regress(const sweep *s) {
  char path[RUN_PATH], *summary = NULL, *json = NULL;
  fovea_ols *ols = NULL;
  fovea_status status = fit_file(s->results, NULL, &ols);
  if (status == FOVEA_OK) status = fovea_ols_summary(ols, &summary);
  if (status == FOVEA_OK) status = fovea_ols_json(ols, &json);
  if (status == FOVEA_OK) status = write_text(s, "regression.txt", summary);
  if (status == FOVEA_OK) status = write_text(s, "regression.json", json);
  if (status == FOVEA_OK) status = run_path(s->options.out, "coefficients.png", path);
  if (status == FOVEA_OK) status = fit_plot(path, ols);
  if (status == FOVEA_OK) fputs(s->options.json ? json : summary, stdout);
  if (status == FOVEA_OK && s->options.json) putchar('\n');
  free(summary);
  free(json);
  fovea_ols_destroy(ols);
  return status;
}

static fovea_status conclude(const sweep *s) {
  size_t done = 0;
  for (size_t i = 0; i < s->count; i++) done += s->configs[i].done;
  if (s->stopped) {
    fprintf(stderr, "fovea: stopped with %zu of %zu configurations done; go on with --resume\n", done, s->count);
    return FOVEA_OK;
  }
  if (s->failed > 0)
    fprintf(stderr, "fovea: %zu configurations failed and are left out of the regression, see %s\n", s->failed,
            s->failures);
  csvlog log = {0};
  fovea_status status = csvlog_read(s->results, results_header, &log);
  if (status == FOVEA_OK && log.count < 2)
    fprintf(stderr, "fovea: no regression, which needs two results; %s has %zu\n", s->results, log.count);
  else if (status == FOVEA_OK)
    status = regress(s);
  csvlog_free(&log);
  return status;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

static fovea_status run_sweep(sweep *s) {
  run_catch_signals();
  fovea_status status = run_options_check(&s->options);
  if (status == FOVEA_OK) status = factors_plan(s->factors, &s->options, s->seeds, &s->configs, &s->count);
  if (status == FOVEA_OK) status = run_data_load(&s->options, &s->data);
  if (status == FOVEA_OK) status = fovea_device_open(s->options.device, &s->device);
  if (status == FOVEA_OK) fovea_device_tell(s->device, progress_say);
  if (status == FOVEA_OK) status = open_folder(s);
  if (status == FOVEA_OK) status = run_all(s);
  if (status == FOVEA_OK) status = conclude(s);
  run_unlock(s->lock);
  fovea_device_close(s->device);
  run_data_free(&s->data);
  free(s->configs);
  return status;
}

static int run(int argc, char **argv) {
  sweep s = {
      .options = run_options_default(), .factors = "activation,attention,batchnorm,dropout", .seeds = 1, .lock = -1};
  bool help = false;
  option table[RUN_OPTIONS];
  size_t n = run_options_table(&s.options, table);
  table[n++] = (option){.name = "factors",
                        .kind = OPTION_STRING,
                        .value = &s.factors,
                        .argument = "LIST",
                        .help = "what varies, and how: activation=elu|relu,dropout"};
  table[n++] = (option){.name = "seeds",
                        .kind = OPTION_INT,
                        .value = &s.seeds,
                        .min = 1,
                        .max = 1000,
                        .help = "seeds of each configuration, counted up from --seed"};
  table[n++] =
      (option){.name = "json", .kind = OPTION_FLAG, .value = &s.options.json, .help = "print the regression as JSON"};
  fovea_status status = options_parse(argc, argv, table, n, NULL, 0, NULL, &help);
  if (status == FOVEA_OK && help) {
    options_print_help("fovea sweep --data DIR --out DIR [options]",
                       "Trains every combination of the factors and regresses the test loss on them.", table, n);
    return FOVEA_OK;
  }
  if (status == FOVEA_OK && s.options.resume) {
    status = recall(&s);
    if (status == FOVEA_OK) status = options_parse(argc, argv, table, n, NULL, 0, NULL, &help);
  }
  if (status == FOVEA_OK) status = run_sweep(&s);
  free(s.recalled_factors);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_sweep = {"sweep", "train every combination of the factors and regress the loss on them", run};
