#include "training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/fail.h"
#include "core/file.h"
#include "csvlog.h"
#include "pictures.h"
#include "plots.h"

static const char metrics_header[] = "epoch,loss,bce,kl,val_loss,val_bce,val_kl,images_per_s";
enum { METRICS = 7 };

typedef struct training {
  const run_options *options;
  const run_data *data;
  fovea_device *device;
  const training_hooks *hooks;
  fovea_vae *vae;
  json_t *config;
  char *config_text;
  int lock;
  bool resumed;
  fovea_training_state state;
  training_epoch *rows; /* options->epochs of them; state.epoch are filled */
  char checkpoint[RUN_PATH], metrics[RUN_PATH];
} training;

/* --- metrics.csv ------------------------------------------------------------------------------------------------- */

static fovea_status append_metrics(const training *t, const training_epoch *r) {
  const double numbers[METRICS] = {r->loss, r->bce, r->kl, r->val_loss, r->val_bce, r->val_kl, r->images_per_s};
  char line[(METRICS + 1) * (CSVLOG_NUMBER + 1)], number[CSVLOG_NUMBER];
  size_t used = (size_t)snprintf(line, sizeof line, "%d", r->epoch);
  for (int i = 0; i < METRICS; i++)
    used += (size_t)snprintf(line + used, sizeof line - used, ",%s", csvlog_number(numbers[i], number));
  return fovea_file_append_line(t->metrics, line);
}

static bool parse_metrics(const char *line, training_epoch *row) {
  double *const numbers[METRICS] = {&row->loss,    &row->bce,    &row->kl,          &row->val_loss,
                                    &row->val_bce, &row->val_kl, &row->images_per_s};
  char field[64];
  long long epoch;
  if (!options_read_int(csvlog_field(line, 0, field, sizeof field), 1, 1e6, &epoch)) return false;
  row->epoch = (int)epoch;
  for (size_t i = 0; i < METRICS; i++) {
    if (!options_read_float(csvlog_field(line, i + 1, field, sizeof field), -HUGE_VAL, HUGE_VAL, numbers[i]))
      return false;
  }
  return true;
}

/* Keeps the lines of the epochs that the checkpoint has completed: a line is written before its checkpoint, so a later
 * one is of an epoch that will be done again. */
static fovea_status restore_metrics(training *t) {
  csvlog log = {0}, kept = {0};
  fovea_status status = t->resumed ? csvlog_read(t->metrics, metrics_header, &log) : FOVEA_OK;
  if (status != FOVEA_OK) return status;
  kept.lines = log.lines;
  int epoch = 0;
  for (size_t i = 0; i < log.count && epoch < t->state.epoch; i++) {
    if (!parse_metrics(log.lines[i], &t->rows[epoch]) || t->rows[epoch].epoch != epoch + 1) break;
    kept.lines[kept.count++] = log.lines[i];
    epoch++;
  }
  if (epoch < t->state.epoch)
    status = fovea_fail(FOVEA_INVALID,
                        "%s: epoch %d is missing, but the checkpoint has completed %d; restore the file "
                        "or choose another folder",
                        t->metrics, epoch + 1, t->state.epoch);
  if (status == FOVEA_OK) status = csvlog_write(t->metrics, metrics_header, &kept);
  csvlog_free(&log);
  return status;
}

/* --- beginning --------------------------------------------------------------------------------------------------- */

/* Takes the directory; a checkpoint in it must be one to go on with. */
static fovea_status open_directory(training *t) {
  const run_options *o = t->options;
  fovea_status status = run_lock(o->out, &t->lock);
  if (status == FOVEA_OK) status = run_path(o->out, "checkpoint.safetensors", t->checkpoint);
  if (status == FOVEA_OK) status = run_path(o->out, "metrics.csv", t->metrics);
  if (status != FOVEA_OK) return status;
  t->resumed = run_exists(t->checkpoint);
  if (t->resumed && !o->resume)
    return fovea_fail(FOVEA_INVALID,
                      "%s has a checkpoint already; go on from it with --resume, or choose another "
                      "folder for --out",
                      o->out);
  t->config = run_config(o, t->data);
  t->config_text = t->config != NULL ? run_config_text(t->config) : NULL;
  t->rows = calloc((size_t)o->epochs, sizeof *t->rows);
  if (t->config_text == NULL || t->rows == NULL)
    return fovea_fail(FOVEA_NO_MEMORY, "no memory for the configuration of %s", o->out);
  if (!t->resumed) return FOVEA_OK;
  char *stored = NULL;
  status = run_config_of_checkpoint(t->checkpoint, &stored);
  if (status == FOVEA_OK) status = run_config_compare(o->out, stored, t->config);
  free(stored);
  return status;
}

static fovea_status check_state(const training *t) {
  const fovea_training_state *s = &t->state;
  if (s->epoch <= t->options->epochs && s->images_done <= t->data->train->count && s->so_far.images == s->images_done)
    return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s: its state is epoch %d of %lld, image %zu of %zu", t->checkpoint, s->epoch,
                    t->options->epochs, s->images_done, t->data->train->count);
}

static fovea_status begin(training *t) {
  const run_options *o = t->options;
  fovea_status status = open_directory(t);
  if (status != FOVEA_OK) return status;
  const fovea_dataset *d = t->data->train;
  const fovea_vae_config c = run_vae_config(o, d->channels, d->height, d->width);
  status = fovea_vae_create(t->device, &c, true, &t->vae);
  if (status == FOVEA_OK && t->resumed)
    status = fovea_vae_load(t->vae, t->checkpoint, &t->state);
  else if (status == FOVEA_OK && o->init != NULL)
    status = fovea_vae_load(t->vae, o->init, NULL);
  if (status == FOVEA_OK) status = check_state(t);
  if (status == FOVEA_OK) status = restore_metrics(t);
  if (status == FOVEA_OK)
    status =
        run_config_write(o->out, o, t->config, fovea_device_get_info(t->device), fovea_network_blas(t->vae->network));
  if (status == FOVEA_OK && t->hooks->ready != NULL)
    t->hooks->ready(t->hooks->user, t->vae, fovea_device_get_info(t->device));
  return status;
}

/* --- an epoch ---------------------------------------------------------------------------------------------------- */

static void tell(const training *t, size_t images_done, const fovea_losses *losses) {
  if (t->hooks->progress != NULL) t->hooks->progress(t->hooks->user, t->state.epoch, images_done, losses);
}

static bool on_progress(void *user, size_t images_done, const fovea_losses *losses) {
  tell(user, images_done, losses);
  return !run_interrupted();
}

static fovea_status save(training *t) { return fovea_vae_save(t->vae, t->checkpoint, &t->state, t->config_text); }

static fovea_status save_reconstructions(training *t) {
  char name[64], path[RUN_PATH];
  snprintf(name, sizeof name, "reconstructions-epoch%03d.png", t->state.epoch);
  fovea_status status = run_path(t->options->out, name, path);
  return status != FOVEA_OK ? status : pictures_reconstructions(t->vae, t->data->test, PICTURES_COUNT, path);
}

/* Evaluates after the epoch whose training losses are given and puts all that on disk. */
static fovea_status complete_epoch(training *t, const fovea_losses *train, double images_per_s) {
  fovea_losses test;
  fovea_status status = fovea_vae_evaluate(t->vae, t->data->test, &test);
  if (status != FOVEA_OK) return status;
  training_epoch *row = &t->rows[t->state.epoch];
  *row = (training_epoch){t->state.epoch + 1, train->total, train->bce, train->kl,
                          test.total,         test.bce,     test.kl,    images_per_s};
  status = append_metrics(t, row);
  if (status != FOVEA_OK) return status;
  t->state = (fovea_training_state){.epoch = t->state.epoch + 1};
  status = save(t);
  if (status == FOVEA_OK) status = save_reconstructions(t);
  if (status == FOVEA_OK && t->hooks->epoch_done != NULL) t->hooks->epoch_done(t->hooks->user, row);
  return status;
}

static fovea_status train_epoch(training *t, bool *stopped) {
  const run_options *o = t->options;
  fovea_epoch e = {.epoch = t->state.epoch,
                   .epochs = (int)o->epochs,
                   .lr = o->lr,
                   .min_lr = o->min_lr,
                   .start = t->state.images_done,
                   .so_far = t->state.so_far,
                   .progress = on_progress,
                   .user = t};
  tell(t, e.start, NULL);
  const double begun = fovea_seconds();
  fovea_status status = fovea_vae_train_epoch(t->vae, t->data->train, &e);
  const double seconds = fovea_seconds() - begun;
  if (status != FOVEA_OK) return fovea_fail_in(status, "epoch %d", t->state.epoch + 1);
  *stopped = e.stopped;
  if (!e.stopped) {
    const double rate = seconds > 0 ? (double)(t->data->train->count - e.start) / seconds : 0;
    return complete_epoch(t, &e.so_far, rate);
  }
  t->state.images_done = e.so_far.images;
  t->state.so_far = e.so_far;
  return save(t);
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

static fovea_status plot_metrics(const training *t) {
  char path[RUN_PATH];
  const size_t count = (size_t)t->state.epoch;
  plot_epoch *points = malloc(count * sizeof *points);
  if (points == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for a plot of %zu epochs", count);
  for (size_t i = 0; i < count; i++) {
    const training_epoch *r = &t->rows[i];
    points[i] = (plot_epoch){r->epoch, r->loss, r->bce, r->kl, r->val_loss, r->val_bce, r->val_kl};
  }
  fovea_status status = run_path(t->options->out, "curves.png", path);
  if (status == FOVEA_OK) status = plot_curves(path, "Training", points, count);
  free(points);
  return status;
}

static fovea_status final_pictures(training *t) {
  char path[RUN_PATH];
  fovea_status status = plot_metrics(t);
  if (status == FOVEA_OK) status = run_path(t->options->out, "latent.png", path);
  if (status == FOVEA_OK) status = pictures_latent(t->vae, t->data->train, t->data->test, path);
  if (status == FOVEA_OK) status = run_path(t->options->out, "walk.png", path);
  return status != FOVEA_OK ? status : pictures_walk(t->vae, path);
}

/* Time is taken from metrics.csv, so that it is the whole run's also when this process did only the end of it. */
static training_result summarize(const training *t, bool stopped) {
  training_result r = {.parameters = fovea_vae_parameter_count(t->vae),
                       .stopped = stopped,
                       .epochs_done = t->state.epoch,
                       .images_done = t->state.images_done};
  const double images = (double)t->data->train->count;
  for (int i = 0; i < t->state.epoch; i++) {
    if (t->rows[i].images_per_s > 0) r.seconds += images / t->rows[i].images_per_s;
  }
  if (t->state.epoch > 0) r.last = t->rows[t->state.epoch - 1];
  if (r.seconds > 0) r.images_per_s = images * t->state.epoch / r.seconds;
  return r;
}

fovea_status training_run(const run_options *options, const run_data *data, fovea_device *device,
                          const training_hooks *hooks, training_result *result) {
  training t = {.options = options, .data = data, .device = device, .hooks = hooks, .lock = -1};
  bool stopped = false;
  fovea_status status = begin(&t);
  while (status == FOVEA_OK && !stopped && t.state.epoch < options->epochs) {
    if (run_interrupted()) {
      stopped = true;
      status = save(&t);
    } else {
      status = train_epoch(&t, &stopped);
    }
  }
  if (status == FOVEA_OK && !stopped) status = final_pictures(&t);
  if (status == FOVEA_OK) *result = summarize(&t, stopped);
  fovea_vae_destroy(t.vae);
  json_decref(t.config);
  free(t.config_text);
  free(t.rows);
  run_unlock(t.lock);
  return status;
}
