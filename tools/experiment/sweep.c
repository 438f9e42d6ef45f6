/* The factorial experiment: every configuration trained in its own folder, a line of results.csv each, and least
 * squares on that. A configuration whose loss stops being finite goes to failed.csv instead, with the reason, so that
 * results.csv stays a table of numbers for any tool. */
#include "experiment/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/file.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "experiment/estimate.h"
#include "experiment/given.h"
#include "experiment/results.h"
#include "fovea/safetensors.h"
#include "train/lag.h"

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
  char reason[400], line[400 + FACTORS_NAME + FACTORS_COLUMNS], header[SWEEP_FAILED_HEADER];
  snprintf(reason, sizeof reason, "%s", fovea_error_message());
  fprintf(stderr, "fovea: %s failed and is left out of the regression: %s\n", c->name, reason);
  for (char *p = reason; *p != '\0'; p++) *p = *p == ',' ? ';' : *p == '"' ? '\'' : *p == '\n' ? ' ' : *p;
  snprintf(line, sizeof line, "%s,%s,%s", c->name, c->columns, reason);
  fovea_status status = FOVEA_OK;
  if (!run_exists(s->failures)) status = csvlog_write(s->failures, sweep_failed_header(s, header), &(csvlog){0});
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
  if (s->left_out == NULL) s->left_out = json_array();
  const int failed =
      json_array_append_new(s->left_out, json_pack("{s:s,s:s}", "config", c->name, "reason", fovea_error_message()));
  return failed ? fovea_fail(FOVEA_NO_MEMORY, "no memory for what is left out") : FOVEA_OK;
}

/* That it is trained on. */
static size_t images_of(const sweep *s, const factors_config *c) {
  return (size_t)c->options.epochs * s->data.train->count;
}

/* How many are to come; *images in all. */
static size_t count_left(const sweep *s, size_t *images) {
  size_t left = 0;
  *images = 0;
  for (size_t i = 0; i < s->plan.count; i++) {
    if (s->plan.configs[i].done) continue;
    *images += images_of(s, &s->plan.configs[i]);
    left++;
  }
  return left;
}

static void correct_estimate(sweep *s, const factors_config *c, double seconds) {
  char text[ESTIMATE_TEXT];
  size_t images = 0;
  const size_t left = count_left(s, &images);
  if (estimate_correct(&s->speed, seconds, images_of(s, c), left, images, text)) progress_tell("fovea: %s", text);
}

static fovea_status run_configuration(sweep *s, factors_config *c) {
  const double start = fovea_seconds();
  char dir[RUN_PATH];
  run_options o = sweep_options_of(s, c);
  training_result result = {0};
  const training_hooks hooks = {.user = s, .progress = show_progress};
  fovea_status status = run_path(s->options.out, c->name, dir);
  o.out = dir;
  const bool begun = o.resume && run_exists(dir);
  if (status == FOVEA_OK && begun) status = set_damaged_aside(dir, c->name);
  if (status == FOVEA_OK) status = training_run(&o, &s->data, s->device, &hooks, &result);
  c->done = status == FOVEA_MISMATCH || (status == FOVEA_OK && !result.stopped);
  c->failed = status == FOVEA_MISMATCH;
  if (status == FOVEA_MISMATCH) return append_failure(s, c);
  if (status == FOVEA_INVALID && begun) return refuse_configuration(s, c);
  if (status != FOVEA_OK) return fovea_fail_in(status, "%s", c->name);
  if (c->done && !begun) correct_estimate(s, c, fovea_seconds() - start);
  s->stopped = result.stopped;
  return s->stopped ? FOVEA_OK : results_append(s->results, c, &result);
}

static void prepare_farewell(const sweep *s) {
  char text[RUN_PATH + 256];
  if (s->options.json) {
    char *state = sweep_state(s, true, NULL);
    json_preview(state, text, sizeof text);
    free(state);
  } else {
    sweep_stopped_text(s, text, sizeof text);
  }
  signals_farewell(text);
}

/* Says a sentence, with which the result is saved, too. */
static void announce_kept(sweep *s, const char *sentence) {
  const size_t size = strlen(sentence) + sizeof "fovea: ";
  char *line = malloc(size);
  if (line != NULL) {
    snprintf(line, size, "fovea: %s", sentence);
    progress_say(line);
  }
  s->said.failed = s->said.failed || line == NULL;
  free(line);
  fovea_text_add(&s->said, sentence);
  fovea_text_add(&s->said, "\n");
}

/* That it is a part of the factorial, by which option, and what cannot be told apart then. */
static void announce_part(sweep *s) {
  char text[FACTORS_ALIASES], part[FACTORS_PART];
  factors_say_part(&s->request, &s->plan, part);
  if (part[0] == '\0') return;
  snprintf(text, sizeof text, "%s%s", part, s->part_recalled ? ", as it was begun; --fraction 1/1 completes it" : "");
  announce_kept(s, text);
  for (const char *line = s->plan.aliases; *line; line += strcspn(line, "\n") + 1) {
    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "\n"), line);
    announce_kept(s, text);
  }
}

/* That test losses will measure how slowly batch normalization's averages arrive. */
static void announce_lag(sweep *s) {
  const size_t images = s->data.train->count;
  const factors_config *worst = NULL;
  char text[LAG_TEXT], line[LAG_TEXT + FACTORS_NAME + 80];
  size_t lagging = 0;
  for (size_t i = 0; i < s->plan.count; i++) {
    const factors_config *c = &s->plan.configs[i];
    lag_say(&c->options, images, text);
    lagging += text[0] != '\0';
    if (worst == NULL || lag_left(&c->options, images) > lag_left(&worst->options, images)) worst = c;
  }
  if (lagging == 0) return;
  lag_say(&worst->options, images, text);
  if (lagging == s->plan.count)
    snprintf(line, sizeof line, "%s", text);
  else
    snprintf(line, sizeof line, "in %zu of %zu configurations, such as %s: %s", lagging, s->plan.count, worst->name,
             text);
  announce_kept(s, line);
}

/* Says what will be done, before any of it; *images in all. */
static fovea_status announce(sweep *s, size_t *images) {
  const factors_config *first = NULL;
  const size_t count = s->plan.count;
  char time[ESTIMATE_TEXT] = "";
  const size_t left = count_left(s, images);
  for (size_t i = count; i-- > 0;)
    if (!s->plan.configs[i].done) first = &s->plan.configs[i];
  fovea_status status = FOVEA_OK;
  if (first != NULL && left > 1) {
    const run_options o = sweep_options_of(s, first);
    status = estimate_time(s->device, &o, s->data.train, *images, time);
  }
  fprintf(stderr, "fovea: %zu configurations, %zu to train on %s: %zu images%s\n", count, left,
          fovea_device_get_info(s->device)->name, *images, time);
  announce_part(s);
  announce_lag(s);
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
  if (status == FOVEA_OK) status = sweep_open_folder(s);
  if (status == FOVEA_OK) status = run_all(s);
  if (status == FOVEA_OK) status = sweep_conclude(s);
  run_unlock(s->lock);
  fovea_device_close(s->device);
  run_data_free(&s->data);
  json_decref(s->config);
  json_decref(s->left_out);
  free(s->said.bytes);
  free(s->plan.configs);
  return status;
}

static bool is_given(const option *table, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(table[i].name, name) == 0) return table[i].given;
  return false;
}

/* On --resume: either of --fraction 1/1 and --random 0 completes a sweep that was begun with either. */
static void settle_part(sweep *s, const option *table, size_t count) {
  factors_request *r = &s->request;
  const bool fraction = is_given(table, count, "fraction"), random = is_given(table, count, "random");
  if (fraction && !random && strcmp(r->fraction, "1/1") == 0) r->random = 0;
  if (random && !fraction && r->random == 0) r->fraction = NULL;
  s->part_recalled = !fraction && !random;
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
  table[n++] = (option){.name = "baseline",
                        .kind = OPTION_STRING,
                        .value = &s.request.baselines,
                        .argument = "A=X,B=Y",
                        .help = "the level of a factor that its others are compared to; the first in --factors"};
  table[n++] = json_option(&s.options.json);
  const command_line line = {.usage = "fovea sweep --data DIR --out DIR [options]",
                             .summary = "Trains every combination of the factors and regresses the test loss on them.",
                             .options = table,
                             .count = n};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  status = json_check("--out", s.options.out);
  signals_catch();
  if (status == FOVEA_OK && s.options.resume) {
    status = sweep_recall(&s);
    if (status == FOVEA_OK) status = command_parse(&line, argc, argv);
    if (status == FOVEA_OK) settle_part(&s, table, n);
  }
  if (status == FOVEA_OK) status = given_check_options(s.request.factors, &s.options, table, n);
  if (status == FOVEA_OK) status = run_sweep(&s);
  for (size_t i = 0; i < sizeof s.recalled / sizeof *s.recalled; i++) free(s.recalled[i]);
  if (status != FOVEA_OK) return command_fail(status);
  return s.stopped ? signals_exit_code() : FOVEA_OK;
}

const command command_sweep = {"sweep", "train every combination of the factors and regress the loss on them", run};
