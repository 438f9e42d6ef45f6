#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "train/identity.h"
#include "train/lag.h"
#include "train/lines.h"
#include "train/training.h"

/* --- what people see while it trains ----------------------------------------------------------------------------- */

typedef struct view {
  const run_options *options;
  const run_data *data;
  int epochs;
  size_t images; /* of an epoch */
} view;

static void show_ready(void *user, const fovea_vae *vae, const fovea_device_info *device, int epochs_done) {
  const view *v = user;
  lines_start(v->options, v->data, vae, device, epochs_done);
  progress_listen(NULL); /* which has all of that */
  progress_say_network(device, vae);
  progress_listen(lines_warning);
  if (augment_options_any(&v->options->augment))
    fprintf(stderr, "fovea: training images are augmented: %s/augmented.png shows some, and what becomes of them\n",
            v->options->out);
}

static void show_progress(void *user, int epoch, size_t images_done, const fovea_losses *losses) {
  const view *v = user;
  char text[64];
  lines_interrupt();
  if (losses == NULL) {
    snprintf(text, sizeof text, "epoch %d/%d", epoch + 1, v->epochs);
    progress_begin(text, v->images, "images");
    if (images_done == 0) return;
  }
  if (losses != NULL) snprintf(text, sizeof text, "loss %.5f", losses->total);
  progress_update(images_done, losses != NULL ? text : NULL);
  if (images_done == v->images) progress_end(); /* what follows, the evaluation, is not training time */
}

static void show_epoch(void *user, const training_epoch *row) {
  const view *v = user;
  lines_epoch(row, v->epochs);
  fprintf(stderr, "epoch %d: loss %.5f (bce %.5f, kl %.4f), test loss %.5f (bce %.5f, kl %.4f)\n", row->epoch,
          row->loss, row->bce, row->kl, row->val_loss, row->val_bce, row->val_kl);
}

/* --- the result -------------------------------------------------------------------------------------------------- */

static void show_wrote(void *user, bool checkpoint, const char *path, int epochs_done, size_t images_done) {
  (void)user;
  lines_wrote(checkpoint, path, epochs_done, images_done);
}

/* The result as JSON; NULL and a message. */
static json_t *result_json(const run_options *o, const training_result *r) {
  const training_epoch *l = &r->last;
  json_t *json = json_pack("{s:s,s:b,s:i,s:I,s:I,s:f,s:f}", "run", o->out, "stopped", r->stopped, "epochs",
                           r->epochs_done, "images_done", (json_int_t)r->images_done, "parameters",
                           (json_int_t)r->parameters, "seconds", r->seconds, "images_per_s", r->images_per_s);
  bool whole = json != NULL;
  if (whole && l->epoch > 0)
    whole = json_object_update_new(
                json, json_pack("{s:f,s:f,s:f,s:f,s:f,s:f}", "loss", l->loss, "bce", l->bce, "kl", l->kl, "val_loss",
                                l->val_loss, "val_bce", l->val_bce, "val_kl", l->val_kl)) == 0;
  if (whole) return json;
  json_decref(json);
  fovea_fail(FOVEA_INVALID, "--out is not UTF-8, or no memory for JSON");
  return NULL;
}

enum { STOP_TEXT = 400 };

/* Where a stopped run stands. */
static const char *where_stopped(const run_options *o, const training_result *r, char text[STOP_TEXT]) {
  if (r->epochs_done >= o->epochs)
    snprintf(text, STOP_TEXT, "%.200s: stopped after its last epoch, without its last pictures; go on with --resume",
             o->out);
  else
    snprintf(text, STOP_TEXT, "%.200s: stopped at epoch %d of %lld, %zu images; go on with --resume", o->out,
             r->epochs_done + 1, o->epochs, r->images_done);
  return text;
}

static fovea_status print_result(const run_options *o, const training_result *r) {
  char where[STOP_TEXT];
  if (r->stopped) fprintf(stderr, "fovea: %s\n", where_stopped(o, r, where));
  if (o->json || o->log_json) {
    if (r->stopped) lines_interrupt();
    json_t *json = result_json(o, r);
    return json != NULL ? json_result(json) : FOVEA_INVALID;
  }
  if (r->stopped) {
    puts(where);
    return FOVEA_OK;
  }
  printf("%s: epoch %d, loss %.6f (bce %.6f, kl %.5f), test loss %.6f (bce %.6f, kl %.5f)", o->out, r->epochs_done,
         r->last.loss, r->last.bce, r->last.kl, r->last.val_loss, r->last.val_bce, r->last.val_kl);
  if (r->images_per_s > 0) printf(", %.0f images/s", r->images_per_s);
  putchar('\n');
  return FOVEA_OK;
}

/* Takes the result. */
static void preview(json_t *result, char *line, size_t size) {
  char *text = result != NULL ? json_dumps(result, json_logs() ? JSON_COMPACT : JSON_INDENT(2)) : NULL;
  json_preview(text, line, size);
  free(text);
  json_decref(result);
}

/* What stdout says when a signal ends the process at once, nothing being new since here. */
static void prepare_farewell(const run_options *o, const training_result *r) {
  char where[STOP_TEXT], line[1024];
  if (o->json || o->log_json)
    preview(result_json(o, r), line, sizeof line);
  else
    snprintf(line, sizeof line, "%s\n", where_stopped(o, r, where));
  signals_farewell(line);
}

/* The same before it is known where the run stands. */
static void prepare_first_farewell(const run_options *o) {
  char line[1024];
  if (o->json || o->log_json)
    preview(json_pack("{s:s,s:b}", "run", o->out, "stopped", 1), line, sizeof line);
  else
    snprintf(line, sizeof line, "%.200s: stopped before its first step; go on with --resume\n", o->out);
  signals_farewell(line);
}

static void show_saved(void *user, const training_result *so_far) {
  const view *v = user;
  prepare_farewell(v->options, so_far);
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* What is given again on --resume must be the same as in the folder; what is not is taken from there. */
typedef struct recalled {
  char *init; /* the start weights' path, or NULL */
} recalled;

static fovea_status recall_init(const char *dir, const char *config, recalled *r) {
  json_t *json = json_loads(config, 0, NULL);
  const char *init = json_string_value(json_object_get(json, "init"));
  const bool sweep = json_object_get(json, "factors") != NULL;
  r->init = init != NULL ? strdup(init) : NULL;
  const bool whole = json != NULL && (init == NULL || r->init != NULL);
  json_decref(json);
  if (sweep) return fovea_fail(FOVEA_INVALID, "%s is the folder of a sweep; go on with fovea sweep --resume", dir);
  return whole ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of a run");
}

static fovea_status recall_options(run_options *o, recalled *r) {
  char path[RUN_PATH], *config = NULL, *checkpoint = NULL;
  fovea_status status = run_path(o->out, "checkpoint.safetensors", path);
  if (status == FOVEA_OK) status = run_config_read(o->out, &config);
  if (status == FOVEA_OK && run_exists(path)) status = run_config_of_checkpoint(path, &checkpoint, NULL);
  const char *stored = config != NULL ? config : checkpoint;
  if (status == FOVEA_OK && checkpoint == NULL)
    progress_tell("fovea: %s has no checkpoint yet; starting from the beginning%s", o->out,
                  config != NULL ? " with the settings of its config.json" : "");
  if (status == FOVEA_OK && stored != NULL) status = run_config_parse(config != NULL ? o->out : path, stored, o, NULL);
  if (status == FOVEA_OK && config != NULL) status = recall_init(o->out, config, r);
  if (status == FOVEA_OK && r->init != NULL) o->init = r->init;
  free(config);
  free(checkpoint);
  return status;
}

/* The hash of the start weights, where they are read or compared. */
static fovea_status identify_init(run_options *o, const recalled *r) {
  char path[RUN_PATH];
  fovea_status status = run_path(o->out, "checkpoint.safetensors", path);
  if (status != FOVEA_OK || o->init == NULL) return status;
  if (o->init == r->init && run_exists(path)) return FOVEA_OK; /* used already; the folder has its hash */
  return identity_of_init(o);
}

static fovea_status train(const run_options *o, bool *stopped) {
  run_data data = {0};
  fovea_device *device = NULL;
  training_result result = {0};
  prepare_first_farewell(o);
  fovea_status status = run_options_check(o);
  if (o->augment.fill > 0 && o->augment.shift == 0)
    progress_tell("fovea: --fill says what a --shift leaves empty, and there is none: it changes nothing");
  if (status == FOVEA_OK) status = run_data_load(o, &data);
  if (status == FOVEA_OK) status = fovea_device_open(o->device, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_hear, NULL);
  if (status == FOVEA_OK) {
    char lag[LAG_TEXT];
    lag_say(o, data.train->count, lag);
    if (lag[0] != '\0') progress_tell("fovea: %s", lag);
    view v = {o, &data, (int)o->epochs, data.train->count};
    const training_hooks hooks = {&v, show_ready, show_progress, show_epoch, show_saved, show_wrote, NULL};
    status = training_run(o, &data, device, &hooks, &result);
    progress_end();
  }
  if (status == FOVEA_OK) status = print_result(o, &result);
  *stopped = result.stopped;
  fovea_device_close(device);
  run_data_free(&data);
  return status;
}

static int run(int argc, char **argv) {
  run_options o = run_options_default();
  recalled from = {NULL};
  bool done = false, stopped = false;
  option table[RUN_OPTIONS];
  size_t n = run_options_table(&o, table);
  table[n++] = (option){.name = "init",
                        .kind = OPTION_STRING,
                        .value = &o.init,
                        .argument = "FILE",
                        .help = "start from the weights of a checkpoint"};
  table[n++] = json_option(&o.json);
  table[n++] = (option){.name = "log-json",
                        .kind = OPTION_FLAG,
                        .value = &o.log_json,
                        .help = "print what happens, as it happens, as a JSON object a line"};
  const command_line line = {
      .usage = "fovea train --data DIR --out RUN [options]",
      .summary = "Trains a variational autoencoder; the run's folder gets its checkpoint, metrics and pictures.",
      .options = table,
      .count = n};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (status != FOVEA_OK) return command_fail(status);
  if (done) return FOVEA_OK;
  if (o.json && o.log_json)
    return command_fail(fovea_fail(FOVEA_INVALID, "--log-json ends with what --json prints; give one of them"));
  status = json_check("--out", o.out);
  if (status != FOVEA_OK) return command_fail(status);
  progress_listen(lines_warning);
  signals_catch(&signals_of_training);
  if (o.resume) {
    o.init = NULL; /* set again below, when it was given */
    status = recall_options(&o, &from);
    if (status == FOVEA_OK) status = command_parse(&line, argc, argv);
  }
  if (status == FOVEA_OK) status = identify_init(&o, &from);
  if (status == FOVEA_OK) status = train(&o, &stopped);
  free(from.init);
  if (status != FOVEA_OK) return command_fail(status);
  return stopped ? signals_exit_code() : FOVEA_OK;
}

const command command_train = {"train", "train a network", run};
