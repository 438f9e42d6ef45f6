/* The page of a run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "report/folder.h"
#include "report/network.h"
#include "train/identity.h"

enum { MOST_ROWS = 4000, MOST_EPOCHS = 12, EPOCH_PAIRS = 8, EPOCH_BYTES = 40000, PICTURE_BYTES = 900000 };

/* What the folder's files have of its run. A checkpoint of another run than config.json is not used. */
typedef struct parts {
  char checkpoint[RUN_PATH];
  char *text, *history; /* the settings; the checkpoint's epochs, or NULL */
  char run[IDENTITY_RUN];
  bool foreign; /* the checkpoint */
} parts;

/* The run's name: config.json has it, and a checkpoint's settings make it. */
static fovea_status find_name(parts *of, const json_t *config, const char *settings) {
  const char *named = json_string_value(json_object_get(config, "run"));
  json_t *json = !named && settings ? json_loads(settings, 0, NULL) : NULL;
  if (named) snprintf(of->run, sizeof of->run, "%s", named);
  const fovea_status status = json ? identity_of_run(json, of->run) : FOVEA_OK;
  json_decref(json);
  return status;
}

static fovea_status find_parts(page *p, const char *dir, parts *of, json_t **config) {
  char *settings = NULL;
  fovea_status status = run_path(dir, "checkpoint.safetensors", of->checkpoint);
  if (status != FOVEA_OK) return status;
  *config = folder_config(p, dir, &of->text);
  if (run_exists(of->checkpoint) && run_config_of_checkpoint(of->checkpoint, &settings, &of->history) != FOVEA_OK)
    settings = NULL; /* which the network's part says */
  if (*config && settings && identity_of_folder(dir, of->text, settings) != FOVEA_OK) {
    of->foreign = true;
    page_miss(p, "%s. Nothing of this checkpoint is shown; pictures that a training drew name no run",
              fovea_error_message());
    free(of->history);
    of->history = NULL;
  }
  status = find_name(of, *config, of->foreign ? NULL : settings);
  free(settings);
  return status;
}

/* An epoch has none where the process that trained it was killed before it wrote its line, which another then did. */
static void say_untimed(page *p, const char *dir, const json_t *table) {
  const size_t column = folder_column(table, "images_per_s");
  json_t *rows = json_object_get(table, "rows"), *row;
  size_t i, untimed = 0;
  json_array_foreach(rows, i, row) {
    const char *text = json_string_value(json_array_get(row, column));
    untimed += text && text[0] == 0;
  }
  if (untimed > 0)
    page_miss(p,
              "%s/metrics.csv has no images/s of %zu of %zu epochs: the process that trained such an epoch was ended "
              "before it had evaluated it, or its line was damaged",
              dir, untimed, i);
}

static void show_metrics(page *p, const char *dir, const parts *of) {
  json_t *table = folder_losses(p, dir, of->run[0] ? of->run : NULL, of->history, MOST_ROWS);
  if (table) say_untimed(p, dir, table);
  if (table)
    page_set(p, p->root, "metrics", table);
  else
    page_miss(p, "%s has no metrics.csv%s: there are no curves", dir,
              folder_has(dir, "metrics.csv") ? " of a run" : "");
}

/* Test images beside their reconstructions at some of the epochs, the first and the last among them. */
static void show_epochs(page *p, const char *dir, const int dims[3], int last) {
  json_t *list = json_array();
  const int shown = last < MOST_EPOCHS ? last : MOST_EPOCHS;
  int unread = 0, lost = 0;
  page_set(p, p->root, "epochs", list);
  for (int i = 0; i < shown; i++) {
    const int epoch = shown > 1 ? 1 + (int)((long)i * (last - 1) / (shown - 1)) : 1;
    json_t *pairs = folder_pairs(dir, epoch, dims, EPOCH_PAIRS, EPOCH_BYTES);
    if (pairs) page_add(p, list, json_pack("{s:i,s:o}", "epoch", epoch, "sprite", pairs));
    unread += !pairs && folder_has_pairs(dir, epoch);
  }
  for (int epoch = 1; epoch <= last; epoch++) lost += !folder_has_pairs(dir, epoch);
  if (lost > 0) page_miss(p, "%s: the pictures of reconstructions of %d of %d epochs are missing", dir, lost, last);
  if (unread > 0)
    page_miss(p, "%s: of %d pictures of reconstructions %d cannot be read, or are not of such images", dir, shown,
              unread);
}

/* Pictures that training drew, where they could not be computed; what augmentation does is drawn by training alone. */
static void show_pictures(page *p, const char *dir) {
  static const char *const names[][2] = {{"images", "latent.png"}, {"walk", "walk.png"}, {"plain", "augmented.png"}};
  json_t *pictures = json_object();
  page_set(p, p->root, "pictures", pictures);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (json_object_get(p->root, names[i][0])) continue;
    json_t *url = folder_png(p, dir, names[i][1], PICTURE_BYTES);
    if (url) page_set(p, pictures, names[i][1], url);
  }
}

static void show_checkpoint(page *p, const char *path) {
  struct stat about;
  if (stat(path, &about) == 0) page_set(p, p->root, "checkpoint_bytes", json_integer((json_int_t)about.st_size));
}

static fovea_status show_network(page *p, const folder_request *r, const json_t *config, const run_options *o,
                                 const int dims[3], const parts *of) {
  const char *data = json_string_value(json_object_get(config, "data"));
  const bool there = run_exists(of->checkpoint);
  grid_channels room = {0};
  const grid_channels *shown = NULL;
  option_ints show = {0};
  if (!show_get(config, &show) || show_channels(&show, dims[0], &room, &shown) != FOVEA_OK) shown = NULL;
  const network_run run = {.checkpoint = there && !of->foreign ? of->checkpoint : NULL,
                           .data = r->data_given ? r->data : data,
                           .device = r->device,
                           .data_asked = r->data_given,
                           .device_asked = r->device_given,
                           .options = o,
                           .dims = {dims[0], dims[1], dims[2]},
                           .test_hash = json_string_value(json_object_get(config, "test_hash")),
                           .images = {dims[0], dims[1], dims[2], shown ? *shown : (grid_channels){0}}};
  if (!there && json_object_get(config, "failed"))
    page_miss(p, "%s failed before it had a checkpoint: nothing can be computed from its network", r->dir);
  else if (!there)
    page_miss(p, "%s has no checkpoint yet: nothing can be computed from its network", r->dir);
  return network_show(p, &run);
}

static fovea_status show_settings(page *p, const folder_request *r, json_t *config, const parts *of, int last) {
  run_options o = run_options_default();
  int dims[3] = {0};
  page_set(p, p->root, "config", json_incref(config));
  if (run_config_parse(r->dir, of->text, &o, dims) != FOVEA_OK) {
    page_miss(p, "%s; so its network cannot be made: it may be of another version", fovea_error_message());
    return FOVEA_OK;
  }
  page_set(p, p->root, augment_options_any(&o.augment) ? "augmented" : "plain", json_true());
  show_epochs(p, r->dir, dims, last);
  return show_network(p, r, config, &o, dims, of);
}

static void say_unfinished(page *p, const char *dir, int last, int epochs) {
  char doing[FOLDER_DOING];
  page_miss(p, "%s is unfinished: %d of %d epochs are done, and %s", dir, last, epochs,
            folder_doing(dir, "train", doing));
}

fovea_status run_show(page *p, const folder_request *r, bool *done) {
  parts of = {.text = NULL};
  json_t *config = NULL;
  fovea_status status = find_parts(p, r->dir, &of, &config);
  if (status == FOVEA_OK) {
    show_metrics(p, r->dir, &of);
    if (!of.foreign) show_checkpoint(p, of.checkpoint);
  }
  const char *epoch = folder_last_epoch(json_object_get(p->root, "metrics"));
  const int last = epoch ? atoi(epoch) : 0;
  if (status == FOVEA_OK && config) {
    const int epochs = (int)json_integer_value(json_object_get(config, "epochs"));
    *done = last >= epochs || json_object_get(config, "failed") != NULL;
    if (!*done) say_unfinished(p, r->dir, last, epochs);
    status = show_settings(p, r, config, &of, last);
  } else if (status == FOVEA_OK) {
    page_miss(p, "%s has no settings that can be read: neither its layers nor anything of its network can be shown",
              r->dir);
  }
  if (status == FOVEA_OK) show_pictures(p, r->dir);
  json_decref(config);
  free(of.history);
  free(of.text);
  return status;
}
