#include "train/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/progress.h"
#include "events/events.h"

enum { LARGEST_PICTURE = 1 << 30 };

struct board {
  const char *dir; /* the run's */
  events *log;
  events_found found;
  int epochs;
  float *values; /* of the largest parameter, made when needed */
};

/* --- beginning --------------------------------------------------------------------------------------------------- */

static fovea_status put_losses(board *b, const training_epoch *row) {
  metrics_value values[METRICS_VALUES];
  events_scalar scalars[METRICS_VALUES];
  const size_t count = metrics_values(row, values);
  for (size_t i = 0; i < count; i++) scalars[i] = (events_scalar){values[i].name, values[i].value};
  return events_scalars(b->log, row->epoch, scalars, count);
}

/* Epochs after the last that the files have, whose losses the checkpoint or metrics.csv knows. */
static fovea_status put_lost(board *b, const training_epoch *rows, int completed) {
  fovea_status status = FOVEA_OK;
  int lost = 0;
  for (int e = b->found.last; e < completed && status == FOVEA_OK; e++) {
    if (rows[e].epoch == 0) continue;
    lost++;
    status = put_losses(b, &rows[e]);
  }
  if (lost > 0)
    progress_tell(
        "fovea: %s: events of %d of %d epochs are missing; their losses are written anew, with the time of now and "
        "without pictures and histograms",
        b->dir, lost, completed);
  if (b->found.missing > 0)
    progress_tell("fovea: %s: events of %d epochs are missing among the others, and stay so", b->dir, b->found.missing);
  return status;
}

/* Hashes are no settings. */
static fovea_status put_settings(board *b, const json_t *config) {
  static const char *const hashes[] = {"train_hash", "test_hash", "init_hash"};
  json_t *settings = json_copy((json_t *)config);
  if (settings == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the settings of a run");
  for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) json_object_del(settings, hashes[i]);
  fovea_status status = events_hparams(b->log, settings);
  json_decref(settings);
  return status;
}

fovea_status board_open(const run_options *o, const json_t *config, const training_epoch *rows, int completed,
                        board **b) {
  if (!o->tensorboard) return FOVEA_OK;
  board *made = calloc(1, sizeof *made);
  if (made == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the events of %s", o->out);
  made->dir = o->out;
  made->epochs = (int)o->epochs;
  fovea_status status = events_open(o->out, completed, progress_say, &made->log, &made->found);
  if (status == FOVEA_OK && !made->found.begun) status = put_settings(made, config);
  if (status == FOVEA_OK) status = put_lost(made, rows, completed);
  if (status == FOVEA_OK) status = events_flush(made->log);
  if (status == FOVEA_OK)
    *b = made;
  else
    board_close(made);
  return status;
}

void board_close(board *b) {
  if (b == NULL) return;
  events_close(b->log);
  free(b->values);
  free(b);
}

/* --- an epoch ---------------------------------------------------------------------------------------------------- */

static fovea_status put_picture(board *b, int step, const char *tag, const char *path) {
  uint8_t *png = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(path, LARGEST_PICTURE, &png, &size);
  if (status == FOVEA_OK) status = events_image(b->log, step, tag, png, size);
  free(png);
  return status;
}

static fovea_status make_room(board *b, const fovea_network *network) {
  size_t most = 1;
  if (b->values != NULL) return FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++)
    if (fovea_network_parameter(network, i)->count > most) most = fovea_network_parameter(network, i)->count;
  b->values = malloc(most * sizeof *b->values);
  return b->values != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for histograms of %zu weights", most);
}

static fovea_status put_histograms(board *b, fovea_network *network, int step, const char *group, fovea_value which) {
  fovea_status status = make_room(b, network);
  for (size_t i = 0; i < fovea_network_parameter_count(network) && status == FOVEA_OK; i++) {
    const fovea_parameter *p = fovea_network_parameter(network, i);
    char tag[512];
    if (!p->trainable) continue;
    snprintf(tag, sizeof tag, "%s/%s", group, p->name);
    status = fovea_network_get(network, i, which, b->values);
    if (status == FOVEA_OK) status = events_histogram(b->log, step, tag, b->values, p->count);
  }
  return status;
}

fovea_status board_epoch(board *b, const fovea_vae *vae, bool stepped, const training_epoch *row, const char *picture) {
  if (b == NULL) return FOVEA_OK;
  fovea_status status = put_losses(b, row);
  if (status == FOVEA_OK) status = put_picture(b, row->epoch, "reconstructions", picture);
  if (status == FOVEA_OK) status = put_histograms(b, vae->network, row->epoch, "weights", FOVEA_VALUE);
  if (status == FOVEA_OK && stepped) status = put_histograms(b, vae->network, row->epoch, "gradients", FOVEA_GRADIENT);
  if (status == FOVEA_OK && !stepped)
    progress_tell("fovea: %s: epoch %d has no histograms of gradients: another process made its last step", b->dir,
                  row->epoch);
  return status == FOVEA_OK ? events_flush(b->log) : status;
}

/* --- the end ----------------------------------------------------------------------------------------------------- */

fovea_status board_end(board *b, const char *walk) {
  fovea_status status = FOVEA_OK;
  if (b == NULL) return FOVEA_OK;
  if (!b->found.walk) status = put_picture(b, b->epochs, "walk", walk);
  if (status == FOVEA_OK && !b->found.ended) status = events_end(b->log, b->epochs, true);
  return status == FOVEA_OK ? events_flush(b->log) : status;
}

void board_failed(board *b, int epoch) {
  if (b != NULL && events_end(b->log, epoch, false) == FOVEA_OK) (void)events_flush(b->log);
}

fovea_status board_sweep(const char *dir, json_t *const *configs, size_t count) {
  const training_epoch any = {.images_per_s = 1};
  metrics_value values[METRICS_VALUES];
  const char *tags[METRICS_VALUES];
  const size_t metrics = metrics_values(&any, values);
  size_t n = 0;
  for (int test = 1; test >= 0; test--) /* the page shows the first five at once: the test losses come first */
    for (size_t i = 0; i < metrics; i++)
      if ((strncmp(values[i].name, "val_", 4) == 0) == (test == 1)) tags[n++] = values[i].name;
  return events_experiment(dir, configs, count, tags, metrics);
}
