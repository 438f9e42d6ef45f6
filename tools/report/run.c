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

/* The last of the table's epochs, or 0. */
static int last_epoch(const json_t *table) {
  const json_t *rows = json_object_get(table, "rows");
  const size_t count = json_array_size(rows);
  const char *text = json_string_value(json_array_get(json_array_get(rows, count - 1), 0));
  return count > 0 && text ? atoi(text) : 0;
}

static void show_metrics(page *p, const char *dir) {
  json_t *table = folder_table(p, dir, "metrics.csv", MOST_ROWS);
  if (table)
    page_set(p, p->root, "metrics", table);
  else
    page_miss(p, "%s has no metrics.csv: there are no curves", dir);
}

/* Test images beside their reconstructions at some of the epochs, the first and the last among them. */
static void show_epochs(page *p, const char *dir, const int dims[3], int last) {
  json_t *list = json_array();
  const int shown = last < MOST_EPOCHS ? last : MOST_EPOCHS;
  int lost = 0;
  page_set(p, p->root, "epochs", list);
  for (int i = 0; i < shown; i++) {
    const int epoch = shown > 1 ? 1 + (int)((long)i * (last - 1) / (shown - 1)) : 1;
    json_t *pairs = folder_pairs(dir, epoch, dims, EPOCH_PAIRS, EPOCH_BYTES);
    if (pairs) page_add(p, list, json_pack("{s:i,s:o}", "epoch", epoch, "sprite", pairs));
    lost += !pairs;
  }
  if (lost > 0)
    page_miss(p, "%s: of %d pictures of reconstructions %d cannot be read, or are not of such images", dir, shown,
              lost);
}

/* Pictures that training drew, where they could not be computed. */
static void show_pictures(page *p, const char *dir) {
  static const char *const names[][2] = {{"images", "latent.png"}, {"walk", "walk.png"}};
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
                                 const int dims[3], const char *checkpoint) {
  const char *data = json_string_value(json_object_get(config, "data"));
  grid_channels room = {0};
  const grid_channels *shown = NULL;
  option_ints show = {0};
  if (!show_get(config, &show) || show_channels(&show, dims[0], &room, &shown) != FOVEA_OK) shown = NULL;
  const network_run run = {.checkpoint = run_exists(checkpoint) ? checkpoint : NULL,
                           .data = r->data_given ? r->data : data,
                           .device = r->device,
                           .data_asked = r->data_given,
                           .device_asked = r->device_given,
                           .options = o,
                           .dims = {dims[0], dims[1], dims[2]},
                           .test_hash = json_string_value(json_object_get(config, "test_hash")),
                           .images = {dims[0], dims[1], dims[2], shown ? *shown : (grid_channels){0}}};
  if (!run.checkpoint) page_miss(p, "%s has no checkpoint yet: nothing can be computed from its network", r->dir);
  return network_show(p, &run);
}

fovea_status run_show(page *p, const folder_request *r, bool *done) {
  char checkpoint[RUN_PATH], *text = NULL;
  run_options o = run_options_default();
  int dims[3] = {0};
  fovea_status status = run_path(r->dir, "checkpoint.safetensors", checkpoint);
  if (status != FOVEA_OK) return status;
  show_metrics(p, r->dir);
  show_checkpoint(p, checkpoint);
  json_t *config = folder_config(p, r->dir, &text);
  const int last = last_epoch(json_object_get(p->root, "metrics"));
  if (config) {
    page_set(p, p->root, "config", json_incref(config));
    *done = last >= json_integer_value(json_object_get(config, "epochs"));
    if (run_config_parse(r->dir, text, &o, dims) != FOVEA_OK) {
      page_miss(p, "%s; so its network cannot be made: it may be of another version", fovea_error_message());
    } else {
      show_epochs(p, r->dir, dims, last);
      status = show_network(p, r, config, &o, dims, checkpoint);
    }
  } else {
    page_miss(p, "%s has no settings that can be read: neither its layers nor anything of its network can be shown",
              r->dir);
  }
  if (status == FOVEA_OK) show_pictures(p, r->dir);
  json_decref(config);
  free(text);
  return status;
}
