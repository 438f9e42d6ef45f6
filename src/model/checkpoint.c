/* Checkpoints. The tensors, in this order: every parameter under its own name; Adam's moments under optimizer.m.NAME
 * and optimizer.v.NAME; the position of the run as state.step, .epoch, .images_done, .loss_images, .loss_passes (U64
 * scalars) and state.losses (F64: bce, kl and total, the running means of the epoch under way). The metadata ends with
 * "graph", by which other programs rebuild the network (graph_json.h); a graph too large for that is left out. */
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/safetensors.h"
#include "model/checkpoint.h"
#include "model/graph_json.h"
#include "model/tensors.h"
#include "net/network.h"

enum { COUNTERS = 5, LOSSES = 3 };

static const char *const counter_names[COUNTERS] = {"state.step", "state.epoch", "state.images_done",
                                                    "state.loss_images", "state.loss_passes"};

/* The training state as it lies in the file. */
typedef struct raw_state {
  uint64_t counters[COUNTERS];
  double losses[LOSSES];
} raw_state;

static raw_state pack_state(uint32_t step, const fovea_training_state *s) {
  const fovea_losses *l = &s->so_far;
  return (raw_state){{step, (uint64_t)s->epoch, s->images_done, l->images, l->passes}, {l->bce, l->kl, l->total}};
}

/* Moments and position are of a network that trains. */
static fovea_status check_trains(const fovea_vae *vae, const char *otherwise) {
  if (fovea_network_plan(vae->network, true) != NULL) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "vae: made for evaluation only: it has no training state%s", otherwise);
}

/* --- saving ------------------------------------------------------------------------------------------------------ */

static void add_state(fovea_tensors *c, const raw_state *raw) {
  for (int i = 0; i < COUNTERS; i++)
    c->tensors[c->count++] = (fovea_safetensor){.name = counter_names[i], .dtype = "U64", .data = &raw->counters[i]};
  c->tensors[c->count++] =
      (fovea_safetensor){.name = "state.losses", .dtype = "F64", .rank = 1, .dims = {LOSSES}, .data = raw->losses};
}

static fovea_status gather(fovea_tensors *c, fovea_vae *vae, const raw_state *raw) {
  for (int i = 0; i < LOSSES; i++) {
    if (!isfinite(raw->losses[i]))
      return fovea_fail(FOVEA_MISMATCH, "the loss is %g; nothing was written", raw->losses[i]);
  }
  const fovea_status status = fovea_tensors_gather(c, vae->network, true);
  add_state(c, raw);
  return status;
}

/* The tensors under the caller's metadata and the graph. */
static fovea_status write_file(const fovea_vae *vae, const char *path, const fovea_tensors *c,
                               const fovea_safetensor_text *metadata, size_t count) {
  char *graph = NULL;
  fovea_safetensor_text *texts = malloc((count + 1) * sizeof *texts);
  fovea_status status = texts ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory to write '%s'", path);
  if (status == FOVEA_OK && vae->graph->count <= FOVEA_GRAPH_FILE_NODES)
    status = fovea_graph_to_json(vae->graph, &graph);
  if (status == FOVEA_OK) {
    if (count > 0) memcpy(texts, metadata, count * sizeof *texts);
    texts[count] = (fovea_safetensor_text){"graph", graph};
    status = fovea_safetensors_write(path, c->tensors, c->count, texts, count + (graph ? 1 : 0));
  }
  free(graph);
  free(texts);
  return status;
}

fovea_status fovea_checkpoint_save(fovea_vae *vae, const char *path, const fovea_training_state *state,
                                   const fovea_safetensor_text *metadata, size_t count) {
  const raw_state raw = pack_state(fovea_network_get_step(vae->network), state);
  fovea_tensors c;
  fovea_status status = check_trains(vae, " to save");
  if (status != FOVEA_OK) return status;
  status = fovea_tensors_begin(&c, vae->network, COUNTERS + 1);
  if (status == FOVEA_OK) status = gather(&c, vae, &raw);
  if (status != FOVEA_OK) fovea_fail_in(status, "checkpoint %s", path);
  if (status == FOVEA_OK) status = write_file(vae, path, &c, metadata, count);
  fovea_tensors_end(&c);
  return status;
}

static fovea_status check_config(const char *text) {
  json_error_t error;
  json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  const bool is_object = json_is_object(json);
  json_decref(json);
  if (is_object) return FOVEA_OK;
  if (json == NULL && (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0'))
    return fovea_fail(FOVEA_NO_MEMORY, "fovea_vae_save: no memory to read config_json");
  return fovea_fail(FOVEA_INVALID, "fovea_vae_save: config_json is no JSON object: '%.80s'%s%s", text,
                    json == NULL ? ": " : "", json == NULL ? error.text : "");
}

fovea_status fovea_vae_save(fovea_vae *vae, const char *path, const fovea_training_state *state,
                            const char *config_json) {
  if (!vae) return fovea_fail_null("vae");
  if (!path || !state) return fovea_fail_null(path ? "state" : "path");
  if (state->epoch < 0) return fovea_fail(FOVEA_INVALID, "fovea_vae_save: state->epoch is %d", state->epoch);
  fovea_status status = config_json != NULL ? check_config(config_json) : FOVEA_OK;
  if (status != FOVEA_OK) return status;
  const fovea_safetensor_text metadata = {"config", config_json};
  return fovea_checkpoint_save(vae, path, state, &metadata, config_json != NULL ? 1 : 0);
}

fovea_status fovea_checkpoint_hash(fovea_vae *vae, const fovea_training_state *state, uint64_t *hash) {
  const raw_state raw = pack_state(fovea_network_get_step(vae->network), state);
  XXH64_state_t sum;
  fovea_tensors c;
  XXH64_reset(&sum, 0);
  fovea_status status = fovea_tensors_begin(&c, vae->network, COUNTERS + 1);
  if (status == FOVEA_OK) status = gather(&c, vae, &raw);
  for (size_t i = 0; i < c.count && status == FOVEA_OK; i++) {
    size_t size = 0;
    status = fovea_safetensors_size("checkpoint", &c.tensors[i], &size);
    if (status == FOVEA_OK) XXH64_update(&sum, c.tensors[i].data, size);
  }
  fovea_tensors_end(&c);
  *hash = XXH64_digest(&sum);
  return status;
}

/* --- loading ----------------------------------------------------------------------------------------------------- */

static fovea_status read_raw(const fovea_safetensors *file, const char *name, const char *dtype, size_t size,
                             void *out) {
  const fovea_safetensor *t;
  fovea_status status = fovea_safetensors_find(file, name, &t);
  if (status != FOVEA_OK) return status;
  if (strcmp(t->dtype, dtype) != 0 || t->size != size)
    return fovea_fail(FOVEA_INVALID, "%s is %zu bytes of %s, expected %zu of %s", name, t->size, t->dtype, size, dtype);
  memcpy(out, t->data, size);
  return FOVEA_OK;
}

static fovea_status read_state(const fovea_safetensors *file, uint32_t *step, fovea_training_state *state) {
  raw_state raw = {0};
  fovea_status status = read_raw(file, "state.losses", "F64", sizeof raw.losses, raw.losses);
  for (int i = 0; i < COUNTERS && status == FOVEA_OK; i++)
    status = read_raw(file, counter_names[i], "U64", sizeof raw.counters[i], &raw.counters[i]);
  if (status != FOVEA_OK) return status;
  bool good = raw.counters[0] <= UINT32_MAX && raw.counters[1] <= INT_MAX;
  for (int i = 2; i < COUNTERS; i++) good = good && raw.counters[i] <= SIZE_MAX / 2;
  for (int i = 0; i < LOSSES; i++) good = good && isfinite(raw.losses[i]);
  if (!good) return fovea_fail(FOVEA_INVALID, "the training state under state. is out of range");
  *step = (uint32_t)raw.counters[0];
  *state = (fovea_training_state){.epoch = (int)raw.counters[1],
                                  .images_done = (size_t)raw.counters[2],
                                  .so_far = {.bce = raw.losses[0],
                                             .kl = raw.losses[1],
                                             .total = raw.losses[2],
                                             .images = (size_t)raw.counters[3],
                                             .passes = (size_t)raw.counters[4]}};
  return FOVEA_OK;
}

static fovea_status load(const fovea_safetensors *file, fovea_vae *vae, fovea_training_state *state) {
  uint32_t step = 0;
  fovea_training_state read;
  fovea_status status = state != NULL ? read_state(file, &step, &read) : FOVEA_OK;
  if (status == FOVEA_OK) status = fovea_tensors_set(file, vae->network, state != NULL);
  if (status == FOVEA_OK && state != NULL) status = fovea_network_set_step(vae->network, step);
  if (status == FOVEA_OK && state != NULL) *state = read;
  return status;
}

fovea_status fovea_vae_load(fovea_vae *vae, const char *path, fovea_training_state *state) {
  if (!vae || !path) return fovea_fail_null(vae ? "path" : "vae");
  fovea_safetensors *file = NULL;
  fovea_status status = state != NULL ? check_trains(vae, "; pass state NULL") : FOVEA_OK;
  if (status == FOVEA_OK) status = fovea_safetensors_open(path, &file);
  if (status != FOVEA_OK) return status;
  status = load(file, vae, state);
  if (status != FOVEA_OK) fovea_fail_in(status, "%s", path);
  fovea_safetensors_close(file);
  return status;
}
