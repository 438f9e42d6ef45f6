#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "reach/devices.h"
#include "train/identity.h"
#include "train/lag.h"
#include "train/lines.h"
#include "train/share.h"
#include "train/training.h"

/* --- what people see while it trains ----------------------------------------------------------------------------- */

typedef struct view {
  const run_options *options;
  const run_data *data;
  int epochs;
  size_t images; /* of an epoch */
  const team *team;
} view;

static void say_traffic(const team *t, const fovea_vae *vae) {
  size_t meetings = 0, bytes = 0;
  if (fovea_network_traffic(vae->network, &meetings, &bytes) == FOVEA_OK)
    progress_tell("fovea: %d ranks: rank 0, whose memory that is, sends %zu bytes in %zu meetings a step",
                  team_who(t)->count, bytes, meetings);
}

static void show_ready(void *user, const fovea_vae *vae, const fovea_device_info *device, int epochs_done) {
  const view *v = user;
  lines_start(v->options, v->data, vae, device, epochs_done);
  progress_listen(NULL); /* which has all of that */
  progress_say_network(device, vae);
  if (v->team != NULL) say_traffic(v->team, vae);
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
    snprintf(line, sizeof line, "%.200s: stopped before its first step; %s\n", o->out,
             o->resume ? "go on with --resume" : "start it again");
  signals_farewell(line);
}

static void show_saved(void *user, const training_result *so_far) {
  const view *v = user;
  prepare_farewell(v->options, so_far);
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* What is given again on --resume must be the same as in the folder; what is not is taken from there. */
typedef struct recalled {
  char *init;   /* the start weights' path, or NULL */
  char *config; /* the folder's, as text, or NULL */
  const char *where;
  char path[RUN_PATH]; /* of its checkpoint */
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

static fovea_status recall(const run_options *o, recalled *r) {
  char *config = NULL, *checkpoint = NULL;
  fovea_status status = run_path(o->out, "checkpoint.safetensors", r->path);
  if (status == FOVEA_OK) status = run_config_read(o->out, &config);
  if (status == FOVEA_OK && run_exists(r->path)) status = run_config_of_checkpoint(r->path, &checkpoint, NULL);
  if (status == FOVEA_OK && config != NULL) status = recall_init(o->out, config, r);
  if (status == FOVEA_OK && checkpoint == NULL)
    progress_tell("fovea: %s has no checkpoint yet; starting from the beginning%s", o->out,
                  config != NULL ? " with the settings of its config.json" : "");
  r->where = config != NULL ? o->out : r->path;
  r->config = config != NULL ? config : checkpoint;
  if (config != NULL) free(checkpoint);
  return status;
}

/* Of several ranks the first one reads what all go on with. */
static fovea_status recall_options(team *t, run_options *o, recalled *r) {
  fovea_status status = team_settle(t, team_is_first(t) ? recall(o, r) : FOVEA_OK);
  if (status == FOVEA_OK) status = team_give_text(t, &r->config);
  if (status == FOVEA_OK && r->config != NULL)
    status = run_config_parse(r->where != NULL ? r->where : o->out, r->config, o, NULL);
  if (status == FOVEA_OK && r->init != NULL) o->init = r->init;
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

/* Of several ranks on a host each has its own of the host's devices, or shares one where there are too few. */
static fovea_status open_device(const run_options *o, const team *t, fovea_device **device) {
  char index[24];
  if (t == NULL) return fovea_device_open(o->device, device);
  devices *d = malloc(sizeof *d);
  if (d == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a list of devices");
  fovea_status status = devices_find(o->device, true, d);
  if (status == FOVEA_OK) (void)devices_divide(d, (size_t)team_who(t)->local, (size_t)team_who(t)->local_count);
  if (status == FOVEA_OK) snprintf(index, sizeof index, "%zu", d->index[0]);
  free(d);
  return status == FOVEA_OK ? fovea_device_open(index, device) : status;
}

static fovea_status compare_ranks(team *t, const run_options *o, const run_data *data) {
  if (t == NULL) return FOVEA_OK;
  json_t *config = run_config(o, data);
  const fovea_status status = share_compare(t, config);
  json_decref(config);
  return status;
}

/* All that can be refused before anything is made. */
static fovea_status prepare(const run_options *o, team *t, run_data *data, fovea_device **device) {
  fovea_status status = run_options_check(o);
  if (status == FOVEA_OK) status = share_check_batch(t, o->batch);
  if (status == FOVEA_OK) status = run_data_load(o, data);
  if (status == FOVEA_OK) status = open_device(o, t, device);
  status = team_settle(t, status);
  return status == FOVEA_OK ? compare_ranks(t, o, data) : status;
}

static void announce(const run_options *o, team *t, const run_data *data) {
  char lag[LAG_TEXT], parts[SHARE_TEXT];
  lag_say(o, data->train->count, lag);
  if (lag[0] != '\0') progress_tell("fovea: %s", lag);
  if (t == NULL) return;
  if (share_say_parts(t, (int)o->batch, parts)[0] != '\0') progress_tell("fovea: %s", parts);
  if (!o->sync_bn)
    progress_tell(
        "fovea: --sync-bn off: each rank normalizes by its own part of a batch, so that the network is another "
        "with another number of ranks than %d",
        team_who(t)->count);
}

/* What stdout has of it: a launcher that was sent a signal kills its ranks a second later. */
static void tell_now(const training_result *r) {
  json_end(r->stopped ? signals_exit_code() : FOVEA_OK);
  fflush(stdout);
}

static fovea_status train(const run_options *o, team *t, int quiet, bool *stopped) {
  run_data data = {0};
  fovea_device *device = NULL;
  training_result result = {0};
  const bool first = team_is_first(t);
  if (first) prepare_first_farewell(o);
  if (t != NULL) signals_busy(); /* the others would wait for it */
  if (first && o->augment.fill > 0 && o->augment.shift == 0)
    progress_tell("fovea: --fill says what a --shift leaves empty, and there is none: it changes nothing");
  fovea_status status = prepare(o, t, &data, &device);
  ranks_end_quiet(quiet);
  if (status == FOVEA_OK) {
    view v = {o, &data, (int)o->epochs, data.train->count, t};
    const training_hooks others = {.team = t};
    const training_hooks hooks = {&v, show_ready, show_progress, show_epoch, show_saved, show_wrote, NULL, t};
    if (first) fovea_device_tell(device, progress_hear, NULL);
    if (first) announce(o, t, &data);
    status = training_run(o, &data, device, first ? &hooks : &others, &result);
    progress_end();
  }
  if (status == FOVEA_OK && first) status = print_result(o, &result);
  if (status == FOVEA_OK && t != NULL) tell_now(&result);
  *stopped = result.stopped;
  /* Which may keep kernels for seconds that the launcher does not leave to one of several that end. */
  if (t == NULL || status == FOVEA_OK) fovea_device_close(device);
  run_data_free(&data);
  return status;
}

/* From the folder's settings, where it goes on, to the end. Ranks that differ in --resume would wait for each other in
 * other meetings. */
static fovea_status settle_and_train(run_options *o, team *t, const command_line *line, int argc, char **argv,
                                     bool *stopped) {
  recalled from = {NULL};
  const int quiet = team_is_first(t) ? -1 : ranks_begin_quiet();
  fovea_status status = share_compare_options(t, o);
  if (status == FOVEA_OK && o->resume) {
    o->init = NULL; /* set again below, when it was given */
    status = recall_options(t, o, &from);
    if (status == FOVEA_OK) status = command_parse(line, argc, argv);
  }
  if (status == FOVEA_OK && team_is_first(t)) status = identify_init(o, &from);
  status = team_settle(t, status);
  if (status == FOVEA_OK) status = team_give(t, o->init_hash, sizeof o->init_hash);
  team_set_silence(t, o->rank_timeout);
  if (t != NULL) team_ranks(t)->sync_batchnorm = o->sync_bn;
  o->ranks = t != NULL ? team_who(t)->count : 1;
  if (status == FOVEA_OK)
    status = train(o, t, quiet, stopped);
  else
    ranks_end_quiet(quiet);
  free(from.init);
  free(from.config);
  return status;
}

/* Alone, or as one of several ranks, who learn of each other's mistakes. */
static fovea_status join(team **t, fovea_status status) {
  ranks r;
  fovea_status joined = ranks_begin(&r, "start one process");
  if (joined == FOVEA_OK && r.index > 0) signals_quiet();
  if (joined == FOVEA_OK) joined = team_begin(&r, t);
  if (joined != FOVEA_OK) return team_fail(*t, joined);
  return team_settle(*t, status);
}

static int run(int argc, char **argv) {
  run_options o = run_options_default();
  bool done = false, stopped = false;
  team *t = NULL;
  option table[RUN_OPTIONS];
  size_t n = run_options_table(&o, table);
  table[n++] = (option){.name = "init",
                        .kind = OPTION_STRING,
                        .value = &o.init,
                        .argument = "FILE",
                        .help = "start from the weights of a checkpoint"};
  table[n++] = (option){.name = "sync-bn",
                        .kind = OPTION_ONOFF,
                        .value = &o.sync_bn,
                        .help = "under mpirun: batch norm by the whole batch; off: by each rank's part of it"};
  table[n++] = (option){.name = "rank-timeout",
                        .kind = OPTION_INT,
                        .value = &o.rank_timeout,
                        .min = TEAM_LEAST_SILENCE,
                        .max = TEAM_MOST_SILENCE,
                        .argument = "SECONDS",
                        .help = "under mpirun: a rank that is silent for so long is lost, and the others end"};
  table[n++] = json_option(&o.json);
  table[n++] = (option){.name = "log-json",
                        .kind = OPTION_FLAG,
                        .value = &o.log_json,
                        .help = "print what happens, as it happens, as a JSON object a line"};
  const command_line line = {
      .usage = "fovea train --data DIR --out RUN [options]",
      .summary = "Trains a variational autoencoder; the run's folder gets its checkpoint, metrics and pictures.",
      .options = table,
      .count = n,
      .by_many = true};
  fovea_status status = command_begin(&line, argc, argv, &done);
  if (done) return FOVEA_OK;
  if (status == FOVEA_OK && o.json && o.log_json)
    status = fovea_fail(FOVEA_INVALID, "--log-json ends with what --json prints; give one of them");
  if (status == FOVEA_OK) status = json_check("--out", o.out);
  signals_catch(o.resume ? &signals_of_training : &signals_of_beginning);
  status = join(&t, status);
  if (team_is_first(t)) progress_listen(lines_warning);
  if (status == FOVEA_OK) status = settle_and_train(&o, t, &line, argc, argv, &stopped);
  int code = stopped ? signals_exit_code() : FOVEA_OK;
  if (status != FOVEA_OK) code = team_is_speaker(t) ? command_fail(status) : (int)status;
  if (status != FOVEA_OK && t != NULL) { /* the launcher ends those that are left, soon */
    signals_quiet();
    json_end(code);
    fflush(stdout);
  }
  team_end(t, code);
  return code;
}

const command command_train = {"train", "train a network", run};
