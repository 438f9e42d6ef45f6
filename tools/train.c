#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "core/fail.h"
#include "progress.h"
#include "training.h"

/* --- what people see while it trains ----------------------------------------------------------------------------- */

typedef struct view {
  int epochs;
  size_t images; /* of an epoch */
} view;

static void show_ready(void *user, const fovea_vae *vae, const fovea_device_info *device) {
  (void)user;
  fprintf(stderr, "fovea: %s (%s), %zu parameters, %.1f MiB of its memory\n", device->name, device->platform,
          fovea_vae_parameter_count(vae), (double)fovea_network_memory(vae->network) / (1024.0 * 1024));
}

static void show_progress(void *user, int epoch, size_t images_done, const fovea_losses *losses) {
  const view *v = user;
  char text[64];
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
  (void)user;
  fprintf(stderr, "epoch %d: loss %.5f (bce %.5f, kl %.4f), test loss %.5f (bce %.5f, kl %.4f)\n", row->epoch,
          row->loss, row->bce, row->kl, row->val_loss, row->val_bce, row->val_kl);
}

/* --- the result -------------------------------------------------------------------------------------------------- */

static fovea_status print_json(const run_options *o, const training_result *r) {
  const training_epoch *l = &r->last;
  json_t *json = json_pack("{s:s,s:b,s:i,s:I,s:I,s:f,s:f}", "run", o->out, "stopped", r->stopped, "epochs",
                           r->epochs_done, "images_done", (json_int_t)r->images_done, "parameters",
                           (json_int_t)r->parameters, "seconds", r->seconds, "images_per_s", r->images_per_s);
  bool whole = json != NULL;
  if (whole && l->epoch > 0)
    whole = json_object_update_new(
                json, json_pack("{s:f,s:f,s:f,s:f,s:f,s:f}", "loss", l->loss, "bce", l->bce, "kl", l->kl, "val_loss",
                                l->val_loss, "val_bce", l->val_bce, "val_kl", l->val_kl)) == 0;
  char *text = whole ? json_dumps(json, JSON_INDENT(2)) : NULL;
  if (text != NULL) puts(text);
  free(text);
  json_decref(json);
  return text != NULL ? FOVEA_OK : fovea_fail(FOVEA_INVALID, "--out is not UTF-8, or no memory for JSON");
}

static fovea_status print_result(const run_options *o, const training_result *r) {
  if (r->stopped)
    fprintf(stderr, "fovea: stopped at epoch %d, %zu images; go on with --resume\n", r->epochs_done + 1,
            r->images_done);
  if (o->json) return print_json(o, r);
  if (!r->stopped)
    printf("%s: epoch %d, loss %.6f (bce %.6f, kl %.5f), test loss %.6f (bce %.6f, kl %.5f), %.0f images/s\n", o->out,
           r->last.epoch, r->last.loss, r->last.bce, r->last.kl, r->last.val_loss, r->last.val_bce, r->last.val_kl,
           r->images_per_s);
  return FOVEA_OK;
}

/* --- the command ------------------------------------------------------------------------------------------------- */

/* A resumed run's options are those it began with; what is given again must be the same. */
static fovea_status recall_options(run_options *o) {
  char path[RUN_PATH], *stored = NULL;
  fovea_status status = run_path(o->out, "checkpoint.safetensors", path);
  if (status != FOVEA_OK) return status;
  if (!run_exists(path)) {
    fprintf(stderr, "fovea: %s has no checkpoint yet; starting from the beginning\n", o->out);
    return FOVEA_OK;
  }
  status = run_config_of_checkpoint(path, &stored);
  if (status == FOVEA_OK) status = run_config_parse(path, stored, o, NULL);
  free(stored);
  return status;
}

static fovea_status train(const run_options *o) {
  run_data data = {NULL, NULL};
  fovea_device *device = NULL;
  training_result result;
  run_catch_signals();
  fovea_status status = run_options_check(o);
  if (status == FOVEA_OK) status = run_data_load(o, &data);
  if (status == FOVEA_OK) status = fovea_device_open(o->device, &device);
  if (status == FOVEA_OK) fovea_device_tell(device, progress_say);
  if (status == FOVEA_OK) {
    view v = {(int)o->epochs, data.train->count};
    const training_hooks hooks = {&v, show_ready, show_progress, show_epoch};
    status = training_run(o, &data, device, &hooks, &result);
    progress_end();
  }
  if (status == FOVEA_OK) status = print_result(o, &result);
  fovea_device_close(device);
  run_data_free(&data);
  return status;
}

static int run(int argc, char **argv) {
  run_options o = run_options_default();
  bool help = false;
  option table[RUN_OPTIONS];
  size_t n = run_options_table(&o, table);
  table[n++] = (option){.name = "init",
                        .kind = OPTION_STRING,
                        .value = &o.init,
                        .argument = "FILE",
                        .help = "start from the weights of a checkpoint"};
  table[n++] = (option){.name = "json", .kind = OPTION_FLAG, .value = &o.json, .help = "print the result as JSON"};
  fovea_status status = options_parse(argc, argv, table, n, NULL, 0, NULL, &help);
  if (status != FOVEA_OK) return command_fail(status);
  if (help) {
    options_print_help("fovea train --data DIR --out RUN [options]",
                       "Trains a variational autoencoder; the run's folder gets its checkpoint, metrics and pictures.",
                       table, n);
    return FOVEA_OK;
  }
  if (o.resume) {
    status = recall_options(&o);
    if (status == FOVEA_OK) status = options_parse(argc, argv, table, n, NULL, 0, NULL, &help);
  }
  if (status == FOVEA_OK) status = train(&o);
  return status != FOVEA_OK ? command_fail(status) : FOVEA_OK;
}

const command command_train = {"train", "train a network", run};
