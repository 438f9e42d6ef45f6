#include "train/training.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/signals.h"
#include "draw/pictures.h"
#include "draw/plots.h"
#include "model/checkpoint.h"
#include "train/board.h"
#include "train/identity.h"
#include "train/init.h"
#include "train/share.h"

typedef struct training {
  const run_options *options;
  const run_data *data;
  fovea_device *device;
  const training_hooks *hooks;
  fovea_vae *vae;
  fovea_vae *viewer; /* of several ranks the first one's for pictures, which asks no other rank; or NULL */
  json_t *config;
  char *config_text;
  char *recorded; /* config.json as it was found, or NULL */
  char *history;  /* as the checkpoint had it, or NULL */
  char run[IDENTITY_RUN];
  int lock;
  bool resumed; /* from a checkpoint */
  bool same;    /* config.json was there, and of this run */
  bool stepped; /* the epoch's last step was made by this process */
  board *board;
  fovea_training_state state;
  training_epoch *rows; /* options->epochs of them; state.epoch are filled */
  char checkpoint[RUN_PATH], metrics[RUN_PATH];
} training;

/* Of several ranks one has the folder. */
static bool keeps(const training *t) { return team_is_first(t->hooks->team); }

static fovea_status settle(const training *t, fovea_status status) { return team_settle(t->hooks->team, status); }

/* What it did is what all go on with, or end for. */
static fovea_status first_does(training *t, fovea_status (*what)(training *t)) {
  return settle(t, keeps(t) ? what(t) : FOVEA_OK);
}

/* --- beginning --------------------------------------------------------------------------------------------------- */

/* The files of the folder must be of this run, and of one run. */
static fovea_status compare_folder(training *t) {
  const char *out = t->options->out;
  char *checkpoint = NULL;
  fovea_status status = run_config_read(out, &t->recorded);
  const char *config = t->recorded;
  if (status == FOVEA_OK && t->resumed) status = run_config_of_checkpoint(t->checkpoint, &checkpoint, &t->history);
  if (status == FOVEA_OK && config != NULL && checkpoint != NULL) status = identity_of_folder(out, config, checkpoint);
  if (status == FOVEA_OK && config != NULL) status = run_config_compare(out, config, t->config);
  if (status == FOVEA_OK && checkpoint != NULL) status = run_config_compare(out, checkpoint, t->config);
  const char *stored = checkpoint != NULL ? checkpoint : config;
  if (status == FOVEA_OK && stored != NULL && !identity_has_data(stored))
    progress_tell(
        "fovea: %s was begun by an older version, which recorded no hash of its data: that --data are the "
        "same cannot be checked",
        out);
  if (status == FOVEA_OK && config == NULL && checkpoint != NULL)
    progress_tell("fovea: %s has no config.json; the settings are those of its checkpoint", out);
  t->same = config != NULL;
  free(checkpoint);
  return status;
}

/* Takes the directory; what is in it must be this run's. */
static fovea_status open_directory(training *t) {
  const run_options *o = t->options;
  fovea_status status = run_lock(o->out, &t->lock);
  if (status == FOVEA_OK) status = run_path(o->out, "checkpoint.safetensors", t->checkpoint);
  if (status == FOVEA_OK) status = run_path(o->out, "metrics.csv", t->metrics);
  if (status == FOVEA_OK && !o->resume) status = run_refuse_leftovers(o->out);
  if (status != FOVEA_OK) return status;
  t->resumed = o->resume && run_exists(t->checkpoint);
  t->config = run_config(o, t->data);
  t->config_text = t->config != NULL ? run_config_text(t->config) : NULL;
  if (t->config_text == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", o->out);
  status = identity_of_run(t->config, t->run);
  return status == FOVEA_OK && o->resume ? compare_folder(t) : status;
}

static fovea_status check_state(const training *t) {
  const fovea_training_state *s = &t->state;
  if (s->epoch <= t->options->epochs && s->images_done <= t->data->train->count && s->so_far.images == s->images_done)
    return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: its state is epoch %d of %lld, image %zu of %zu", t->checkpoint, s->epoch,
                    t->options->epochs, s->images_done, t->data->train->count);
}

/* The epochs that are done and those to come must be of one arithmetic. */
static fovea_status check_blas(const training *t) {
  if (!t->resumed || t->recorded == NULL) return FOVEA_OK;
  return identity_of_blas(t->options->out, t->recorded, fovea_network_blas(t->vae->network));
}

static fovea_status restore_metrics(training *t) {
  const metrics_folder folder = {.path = t->metrics,
                                 .run = t->run,
                                 .history = t->history,
                                 .same = t->same,
                                 .completed = t->state.epoch,
                                 .say = progress_say};
  return metrics_restore(&folder, t->rows, (int)t->options->epochs);
}

static fovea_status load_init(fovea_vae *vae, const char *path) {
  const fovea_status status = fovea_vae_load(vae, path, NULL);
  if (status == FOVEA_OK) init_say_types(path);
  return status;
}

static fovea_status make_network(training *t) {
  const fovea_dataset *d = t->data->train;
  fovea_vae_config c = run_vae_config(t->options, d->channels, d->height, d->width);
  c.ranks = team_ranks(t->hooks->team);
  t->rows = calloc((size_t)t->options->epochs, sizeof *t->rows);
  if (t->rows == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %lld epochs", t->options->epochs);
  return fovea_vae_create(t->device, &c, true, &t->vae);
}

static fovea_status load(training *t) {
  const run_options *o = t->options;
  fovea_status status = FOVEA_OK;
  if (t->resumed)
    status = fovea_vae_load(t->vae, t->checkpoint, &t->state);
  else if (o->init != NULL)
    status = load_init(t->vae, o->init);
  if (status == FOVEA_OK) status = check_state(t);
  return status == FOVEA_OK ? check_blas(t) : status;
}

static fovea_status begin_files(training *t) {
  const run_options *o = t->options;
  signals_busy();
  fovea_status status = restore_metrics(t);
  if (status == FOVEA_OK)
    status = run_config_write(o->out, o, t->config, fovea_device_get_info(t->device), t->vae->network);
  if (status == FOVEA_OK) status = board_open(o, t->config, t->rows, t->state.epoch, &t->board);
  return status;
}

static fovea_status begin(training *t) {
  fovea_status status = first_does(t, open_directory);
  if (status == FOVEA_OK) status = settle(t, make_network(t));
  if (status == FOVEA_OK) status = share_compare_networks(t->hooks->team, t->vae->network);
  if (status == FOVEA_OK) status = first_does(t, load);
  if (status == FOVEA_OK) status = share_training(t->hooks->team, t->vae, &t->state);
  if (status == FOVEA_OK) status = first_does(t, begin_files);
  if (status == FOVEA_OK) signals_say(&signals_of_training);
  if (status == FOVEA_OK && t->hooks->ready != NULL)
    t->hooks->ready(t->hooks->user, t->vae, fovea_device_get_info(t->device), t->state.epoch);
  return status;
}

/* --- an epoch ---------------------------------------------------------------------------------------------------- */

static void tell(const training *t, size_t images_done, const fovea_losses *losses) {
  if (t->hooks->progress != NULL) t->hooks->progress(t->hooks->user, t->state.epoch, images_done, losses);
}

static bool told_to_stop(const training *t) { return t->hooks->stop != NULL && atomic_load(t->hooks->stop); }

/* A signal that one rank was sent stops all of them at the same step. */
static bool stop_together(const training *t) {
  char name[TEAM_NAME];
  int whose = 0;
  team *all = t->hooks->team;
  const bool own = signals_received() != 0;
  const int number = team_most(all, signals_received(), &whose);
  if (number != 0 && !own && keeps(t))
    progress_tell("fovea: %s was sent %s: all ranks finish the step under way, and it is saved",
                  team_name(all, whose, name), signals_name(number));
  signals_adopt(number);
  return number != 0;
}

static bool on_progress(void *user, size_t images_done, const fovea_losses *losses) {
  const training *t = user;
  tell(t, images_done, losses);
  if (t->hooks->team != NULL) return !stop_together(t);
  return signals_received() == 0 && !told_to_stop(t);
}

/* Where nothing would be lost: whether to stop. One of several ranks is never idle: the others would wait for it. */
static bool rest(const training *t) {
  return t->hooks->team != NULL ? stop_together(t) : signals_idle() || told_to_stop(t);
}

/* Until the first step, whose kernels may take a minute to compile, nothing would be lost. */
static void on_step(void *user) {
  (void)user;
  signals_busy();
}

static training_result summarize(const training *t, bool stopped);

static void tell_saved(const training *t) {
  if (t->hooks->saved == NULL) return;
  const training_result r = summarize(t, true);
  t->hooks->saved(t->hooks->user, &r);
}

static void tell_wrote(const training *t, const char *path) {
  if (t->hooks->wrote == NULL) return;
  t->hooks->wrote(t->hooks->user, path == t->checkpoint, path, t->state.epoch, t->state.images_done);
}

static fovea_status write_checkpoint(training *t) {
  char *history = metrics_history(t->rows, t->state.epoch);
  if (history == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the losses of %d epochs", t->state.epoch);
  const fovea_safetensor_text metadata[] = {{"config", t->config_text}, {"run", t->run}, {"history", history}};
  fovea_status status =
      fovea_checkpoint_save(t->vae, t->checkpoint, &t->state, metadata, sizeof metadata / sizeof *metadata);
  free(history);
  if (status != FOVEA_OK) return status;
  tell_saved(t);
  tell_wrote(t, t->checkpoint);
  return FOVEA_OK;
}

static fovea_status save(training *t) {
  const fovea_status status = share_check(t->hooks->team, t->vae->network);
  return status == FOVEA_OK ? first_does(t, write_checkpoint) : status;
}

/* --- its pictures ------------------------------------------------------------------------------------------------ */

/* A network to draw with, which asks no other rank. */
static fovea_status viewer(training *t, fovea_vae **vae) {
  *vae = t->vae;
  if (t->hooks->team == NULL) return FOVEA_OK;
  fovea_vae_config c = t->vae->config;
  c.ranks = NULL;
  fovea_status status = t->viewer != NULL ? FOVEA_OK : fovea_vae_create(t->device, &c, false, &t->viewer);
  if (status == FOVEA_OK) status = share_copy(t->vae->network, t->viewer->network);
  *vae = t->viewer;
  return status;
}

static fovea_status reconstructions_path(const training *t, int epoch, char path[RUN_PATH]) {
  char name[64];
  snprintf(name, sizeof name, "reconstructions-epoch%03d.png", epoch);
  return run_path(t->options->out, name, path);
}

/* NULL: those that are shown by default. */
static fovea_status shown_channels(const training *t, grid_channels *room, const grid_channels **shown) {
  return show_channels(&t->options->show, t->data->train->channels, room, shown);
}

static fovea_status save_reconstructions(training *t, int epoch) {
  char path[RUN_PATH];
  grid_channels room;
  fovea_vae *vae = NULL;
  const grid_channels *shown = NULL;
  fovea_status status = reconstructions_path(t, epoch, path);
  if (status == FOVEA_OK) status = shown_channels(t, &room, &shown);
  if (status == FOVEA_OK) status = viewer(t, &vae);
  if (status == FOVEA_OK) status = pictures_reconstructions(vae, t->data->test, PICTURES_COUNT, shown, path);
  if (status == FOVEA_OK) tell_wrote(t, path);
  return status;
}

/* Says which of the first `epochs` pictures are gone: the networks that drew them are. */
static fovea_status say_lost_reconstructions(const training *t, int epochs) {
  char path[RUN_PATH], first[RUN_PATH] = "";
  int lost = 0;
  for (int epoch = 1; epoch <= epochs; epoch++) {
    fovea_status status = reconstructions_path(t, epoch, path);
    if (status != FOVEA_OK) return status;
    if (!run_exists(path) && lost++ == 0) snprintf(first, sizeof first, "%s", path);
  }
  if (lost > 1)
    progress_tell("fovea: %s and %d more of earlier epochs are missing and cannot be drawn any more", first, lost - 1);
  else if (lost == 1)
    progress_tell("fovea: %s is missing and cannot be drawn any more: the network has been trained on", first);
  return FOVEA_OK;
}

/* The picture of the epoch that the checkpoint has completed, when it is gone. */
static fovea_status restore_reconstructions(training *t) {
  char path[RUN_PATH];
  const bool drawable = t->state.epoch > 0 && t->state.images_done == 0;
  fovea_status status = say_lost_reconstructions(t, t->state.epoch - drawable);
  if (status != FOVEA_OK || !drawable) return status;
  status = reconstructions_path(t, t->state.epoch, path);
  if (status != FOVEA_OK || run_exists(path)) return status;
  progress_tell("fovea: %s is missing and drawn anew", path);
  return save_reconstructions(t, t->state.epoch);
}

/* --- its end ----------------------------------------------------------------------------------------------------- */

static fovea_status keep_epoch(training *t, const training_epoch *found) {
  char picture[RUN_PATH];
  fovea_status status = save_reconstructions(t, found->epoch);
  if (status == FOVEA_OK) status = reconstructions_path(t, found->epoch, picture);
  if (status == FOVEA_OK) status = metrics_append(t->metrics, t->run, found);
  return status == FOVEA_OK ? board_epoch(t->board, t->vae, t->stepped, found, picture) : status;
}

/* Evaluates the epoch that is trained and saved, and puts what it found on disk. The checkpoint comes last: whatever
 * ends the process before it, all of this is done again. */
static fovea_status complete_epoch(training *t) {
  const fovea_losses *train = &t->state.so_far;
  const int epoch = t->state.epoch + 1;
  fovea_losses test;
  fovea_status status = fovea_vae_evaluate(t->vae, t->data->test, &test);
  if (status != FOVEA_OK)
    return fovea_fail_in(status, "epoch %d is trained and saved, but not evaluated%s", epoch,
                         status == FOVEA_MISMATCH ? "" : ", which --resume tries again");
  signals_busy();
  training_epoch *row = &t->rows[t->state.epoch];
  const training_epoch found = {epoch,      train->total, train->bce, train->kl,
                                test.total, test.bce,     test.kl,    row->images_per_s};
  status = settle(t, keeps(t) ? keep_epoch(t, &found) : FOVEA_OK);
  if (status != FOVEA_OK) return status;
  *row = found;
  t->state = (fovea_training_state){.epoch = epoch};
  status = save(t);
  if (status == FOVEA_OK && t->hooks->epoch_done != NULL) t->hooks->epoch_done(t->hooks->user, row);
  return status;
}

/* The steps of an epoch, or of what is left of it. What they learned is saved, however they ended, and before the
 * evaluation, which may fail. */
static fovea_status train_steps(training *t, bool *stopped) {
  const run_options *o = t->options;
  const size_t images = t->data->train->count;
  fovea_epoch e = {.epoch = t->state.epoch,
                   .epochs = (int)o->epochs,
                   .lr = o->lr,
                   .min_lr = o->min_lr,
                   .start = t->state.images_done,
                   .so_far = t->state.so_far,
                   .progress = on_progress,
                   .step_done = on_step,
                   .user = t};
  tell(t, e.start, NULL);
  const double begun = fovea_seconds();
  fovea_status status = fovea_vae_train_epoch(t->vae, t->data->train, &e);
  const double seconds = fovea_seconds() - begun;
  if (status == FOVEA_OK) {
    *stopped = e.stopped;
    t->stepped = e.start < images;
    t->state.images_done = e.so_far.images;
    t->state.so_far = e.so_far;
    if (seconds > 0) t->rows[t->state.epoch].images_per_s = (double)(images - e.start) / seconds;
    status = save(t);
  }
  return status != FOVEA_OK ? fovea_fail_in(status, "epoch %d", t->state.epoch + 1) : FOVEA_OK;
}

static fovea_status train_epoch(training *t, bool *stopped) {
  fovea_status status = FOVEA_OK;
  if (t->state.images_done < t->data->train->count) status = train_steps(t, stopped);
  if (status != FOVEA_OK || *stopped) return status;
  *stopped = rest(t);
  status = *stopped ? FOVEA_OK : complete_epoch(t);
  t->stepped = false;
  return status;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

static fovea_status plot_metrics(const training *t) {
  char path[RUN_PATH];
  size_t known = 0;
  plot_epoch *points = malloc((size_t)t->state.epoch * sizeof *points);
  if (points == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of %d epochs", t->state.epoch);
  for (int i = 0; i < t->state.epoch; i++) {
    const training_epoch *r = &t->rows[i];
    if (r->epoch != 0)
      points[known++] = (plot_epoch){r->epoch, r->loss, r->bce, r->kl, r->val_loss, r->val_bce, r->val_kl};
  }
  fovea_status status = known > 0 ? run_path(t->options->out, "curves.png", path) : FOVEA_OK;
  if (status == FOVEA_OK && known > 0) status = plot_curves(path, "Training", points, known);
  if (status == FOVEA_OK && known > 0) tell_wrote(t, path);
  free(points);
  return status;
}

static fovea_status draw_latent(training *t) {
  char path[RUN_PATH];
  fovea_vae *vae = NULL;
  fovea_status status = run_path(t->options->out, "latent.png", path);
  if (status == FOVEA_OK) status = viewer(t, &vae);
  if (status == FOVEA_OK) status = pictures_latent(vae, t->data->train, t->data->test, path);
  if (status == FOVEA_OK) tell_wrote(t, path);
  return status;
}

static fovea_status draw_walk(training *t) {
  char path[RUN_PATH];
  grid_channels room;
  fovea_vae *vae = NULL;
  const grid_channels *shown = NULL;
  fovea_status status = run_path(t->options->out, "walk.png", path);
  if (status == FOVEA_OK) status = shown_channels(t, &room, &shown);
  if (status == FOVEA_OK) status = viewer(t, &vae);
  if (status == FOVEA_OK) status = pictures_walk(vae, shown, path);
  if (status == FOVEA_OK) tell_wrote(t, path);
  return status == FOVEA_OK ? board_end(t->board, path) : status;
}

/* What the first epochs do to some images, where it is not there yet. */
static fovea_status draw_augmented(training *t) {
  char path[RUN_PATH];
  grid_channels room;
  const grid_channels *shown = NULL;
  fovea_status status = run_path(t->options->out, "augmented.png", path);
  if (status == FOVEA_OK) status = shown_channels(t, &room, &shown);
  if (status != FOVEA_OK || !augment_options_any(&t->options->augment) || run_exists(path)) return status;
  fovea_vae *own = NULL; /* only one that trains augments */
  fovea_vae_config c = t->vae->config;
  c.ranks = NULL;
  if (t->hooks->team != NULL) status = fovea_vae_create(t->device, &c, true, &own);
  if (status == FOVEA_OK) status = pictures_augmented(own != NULL ? own : t->vae, t->data->train, shown, path);
  if (status == FOVEA_OK) tell_wrote(t, path);
  fovea_vae_destroy(own);
  return status;
}

/* All is saved: a signal ends the process, and --resume draws them. */
static fovea_status final_pictures(training *t) {
  fovea_status status = plot_metrics(t);
  if (status == FOVEA_OK) status = draw_latent(t);
  return status == FOVEA_OK ? draw_walk(t) : status;
}

/* Time is taken from metrics.csv, so that it is the whole run's also when this process did only the end of it. An epoch
 * whose time is not known took as long as the others. */
static training_result summarize(const training *t, bool stopped) {
  training_result r = {.parameters = fovea_vae_parameter_count(t->vae),
                       .stopped = stopped,
                       .epochs_done = t->state.epoch,
                       .images_done = t->state.images_done};
  const double images = (double)t->data->train->count;
  int timed = 0;
  for (int i = 0; i < t->state.epoch; i++) {
    if (!(t->rows[i].images_per_s > 0)) continue;
    r.seconds += images / t->rows[i].images_per_s;
    timed++;
  }
  if (t->state.epoch > 0) r.last = t->rows[t->state.epoch - 1];
  if (r.seconds > 0) r.images_per_s = images * timed / r.seconds;
  if (timed > 0) r.seconds *= (double)t->state.epoch / timed;
  return r;
}

/* Of a network that is not finite any more: for TensorBoard and in config.json, where a page finds it. */
static fovea_status note_failure(const training *t, fovea_status status) {
  char message[1024];
  if (status != FOVEA_MISMATCH) return status;
  snprintf(message, sizeof message, "%s", fovea_error_message());
  board_failed(t->board, t->state.epoch + 1);
  if (run_config_add(t->options->out, "failed", json_said(message)) != FOVEA_OK)
    progress_tell("fovea: %s", fovea_error_message());
  return fovea_fail(status, "%s", message);
}

/* Of a run that failed before anything of it was saved the first files stay, which --resume goes on from. */
static void say_what_stays(const training *t, fovea_status status) {
  char config[RUN_PATH];
  if (status == FOVEA_OK || t->resumed || run_path(t->options->out, "config.json", config) != FOVEA_OK) return;
  if (t->config == NULL || run_exists(t->checkpoint) || !run_exists(config)) return;
  progress_tell(
      "fovea: %s has no checkpoint yet, and keeps the files that the run began with: --resume begins anew in "
      "it, else remove it",
      t->options->out);
}

fovea_status training_run(const run_options *options, const run_data *data, fovea_device *device,
                          const training_hooks *hooks, training_result *result) {
  training t = {.options = options, .data = data, .device = device, .hooks = hooks, .lock = -1};
  bool stopped = false;
  fovea_status status = begin(&t);
  if (status == FOVEA_OK) status = first_does(&t, draw_augmented);
  if (status == FOVEA_OK) {
    tell_saved(&t);
    stopped = rest(&t);
  }
  if (status == FOVEA_OK && !stopped) status = first_does(&t, restore_reconstructions);
  while (status == FOVEA_OK && !stopped && t.state.epoch < options->epochs) {
    status = train_epoch(&t, &stopped);
    if (status == FOVEA_OK && !stopped) stopped = rest(&t);
  }
  if (status == FOVEA_OK && !stopped) status = first_does(&t, final_pictures);
  if (keeps(&t)) status = note_failure(&t, status);
  if (keeps(&t)) say_what_stays(&t, status);
  status = team_fail(hooks->team, status);
  signals_busy(); /* until the result is told */
  if (status == FOVEA_OK) *result = summarize(&t, stopped);
  board_close(t.board);
  fovea_vae_destroy(t.viewer);
  fovea_vae_destroy(t.vae);
  json_decref(t.config);
  free(t.config_text);
  free(t.recorded);
  free(t.history);
  free(t.rows);
  run_unlock(t.lock);
  return status;
}
