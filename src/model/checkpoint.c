/* Checkpoints. The tensors, in this order: every parameter under its own name; Adam's moments under optimizer.m.NAME
 * and optimizer.v.NAME; the position of the run as state.step, .epoch, .images_done, .loss_images, .loss_passes (U64
 * scalars) and state.losses (F64: bce, kl and total, the running means of the epoch under way). */
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "data/safetensors.h"
#include "model/checkpoint.h"
#include "net/network.h"

enum { NAME_SIZE = 160, COUNTERS = 5, LOSSES = 3 };

static const char *const counter_names[COUNTERS] = {"state.step", "state.epoch", "state.images_done",
                                                    "state.loss_images", "state.loss_passes"};
static const struct {
  fovea_value which;
  const char *prefix;
} groups[] = {{FOVEA_VALUE, ""}, {FOVEA_FIRST_MOMENT, "optimizer.m."}, {FOVEA_SECOND_MOMENT, "optimizer.v."}};
enum { GROUPS = sizeof groups / sizeof *groups };

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

typedef struct contents {
  fovea_safetensor *tensors;
  char (*names)[NAME_SIZE];
  float **data;
  size_t count, capacity;
} contents;

static void contents_free(contents *c) {
  for (size_t i = 0; i < c->count && c->data != NULL; i++) free(c->data[i]);
  free(c->data);
  free(c->names);
  free(c->tensors);
}

static fovea_status contents_allocate(contents *c, size_t capacity) {
  *c = (contents){.tensors = calloc(capacity, sizeof *c->tensors),
                  .names = calloc(capacity, sizeof *c->names),
                  .data = calloc(capacity, sizeof *c->data),
                  .capacity = capacity};
  if (c->tensors != NULL && c->names != NULL && c->data != NULL) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "checkpoint: no memory for %zu tensors", capacity);
}

static fovea_status check_finite(const char *name, const float *data, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(data[i]))
      return fovea_fail(FOVEA_MISMATCH, "%s is %g at place %zu; nothing was written", name, (double)data[i], i);
  }
  return FOVEA_OK;
}

static fovea_status add_parameter(contents *c, fovea_vae *vae, size_t index, fovea_value which, const char *prefix) {
  const fovea_parameter *p = fovea_network_parameter(vae->network, index);
  const size_t at = c->count++;
  snprintf(c->names[at], NAME_SIZE, "%s%s", prefix, p->name);
  fovea_safetensor *t = &c->tensors[at];
  *t = (fovea_safetensor){.name = c->names[at], .dtype = "F32", .rank = p->rank};
  for (int i = 0; i < p->rank; i++) t->dims[i] = (uint64_t)p->dims[i];
  c->data[at] = malloc(p->count * sizeof *c->data[at]);
  t->data = c->data[at];
  if (c->data[at] == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %s", t->name);
  fovea_status status = fovea_network_get(vae->network, index, which, c->data[at]);
  return status != FOVEA_OK ? status : check_finite(t->name, c->data[at], p->count);
}

static void add_state(contents *c, const raw_state *raw) {
  for (int i = 0; i < COUNTERS; i++)
    c->tensors[c->count++] = (fovea_safetensor){.name = counter_names[i], .dtype = "U64", .data = &raw->counters[i]};
  c->tensors[c->count++] =
      (fovea_safetensor){.name = "state.losses", .dtype = "F64", .rank = 1, .dims = {LOSSES}, .data = raw->losses};
}

static fovea_status gather(contents *c, fovea_vae *vae, const raw_state *raw) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < LOSSES; i++) {
    if (!isfinite(raw->losses[i]))
      return fovea_fail(FOVEA_MISMATCH, "the loss is %g; nothing was written", raw->losses[i]);
  }
  for (size_t g = 0; g < GROUPS; g++) {
    for (size_t i = 0; i < fovea_network_parameter_count(vae->network) && status == FOVEA_OK; i++) {
      if (groups[g].which == FOVEA_VALUE || fovea_network_parameter(vae->network, i)->trainable)
        status = add_parameter(c, vae, i, groups[g].which, groups[g].prefix);
    }
  }
  add_state(c, raw);
  return status;
}

fovea_status fovea_checkpoint_save(fovea_vae *vae, const char *path, const fovea_training_state *state,
                                   const fovea_safetensor_text *metadata, size_t count) {
  const raw_state raw = pack_state(fovea_network_get_step(vae->network), state);
  contents c;
  fovea_status status = check_trains(vae, " to save");
  if (status != FOVEA_OK) return status;
  status = contents_allocate(&c, GROUPS * fovea_network_parameter_count(vae->network) + COUNTERS + 1);
  if (status == FOVEA_OK) {
    status = gather(&c, vae, &raw);
    if (status != FOVEA_OK) fovea_fail_in(status, "checkpoint %s", path);
  }
  if (status == FOVEA_OK) status = fovea_safetensors_write(path, c.tensors, c.count, metadata, count);
  contents_free(&c);
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
  contents c;
  XXH64_reset(&sum, 0);
  fovea_status status = contents_allocate(&c, GROUPS * fovea_network_parameter_count(vae->network) + COUNTERS + 1);
  if (status == FOVEA_OK) status = gather(&c, vae, &raw);
  for (size_t i = 0; i < c.count && status == FOVEA_OK; i++) {
    size_t size = 0;
    status = fovea_safetensors_size("checkpoint", &c.tensors[i], &size);
    if (status == FOVEA_OK) XXH64_update(&sum, c.tensors[i].data, size);
  }
  contents_free(&c);
  *hash = XXH64_digest(&sum);
  return status;
}

/* --- loading ----------------------------------------------------------------------------------------------------- */

static void shape_text(char *text, size_t size, int rank, const uint64_t *dims) {
  size_t used = (size_t)snprintf(text, size, "[");
  for (int i = 0; i < rank && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i > 0 ? ", " : "", dims[i]);
  if (used < size) snprintf(text + used, size - used, "]");
}

/* The tensor of a parameter's value or moment, with the right type and shape. */
static fovea_status find_parameter(const fovea_safetensors *file, const fovea_parameter *p, const char *prefix,
                                   const fovea_safetensor **tensor) {
  char name[NAME_SIZE], has[128], wants[128];
  snprintf(name, sizeof name, "%s%s", prefix, p->name);
  const fovea_safetensor *t;
  fovea_status status = fovea_safetensors_find(file, name, &t);
  if (status != FOVEA_OK) return status;
  uint64_t dims[4] = {0};
  for (int i = 0; i < p->rank; i++) dims[i] = (uint64_t)p->dims[i];
  bool same = strcmp(t->dtype, "F32") == 0 && t->rank == p->rank;
  for (int i = 0; i < p->rank && same; i++) same = t->dims[i] == dims[i];
  if (!same) {
    shape_text(has, sizeof has, t->rank, t->dims);
    shape_text(wants, sizeof wants, p->rank, dims);
    return fovea_fail(FOVEA_INVALID, "%s is %s %s, this network has F32 %s: it is of another architecture", name,
                      t->dtype, has, wants);
  }
  *tensor = t;
  return FOVEA_OK;
}

/* The tensor's floats, at an address where floats may lie; NULL and a message when one is NaN or infinite. */
static fovea_status copy_floats(const fovea_safetensor *t, float *data) {
  const size_t count = t->size / sizeof *data;
  if (count > 0) memcpy(data, t->data, count * sizeof *data);
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(data[i]))
      return fovea_fail(FOVEA_INVALID, "%s is %g at place %zu, expected finite numbers", t->name, (double)data[i], i);
  }
  return FOVEA_OK;
}

static bool is_parameter(fovea_vae *vae, const char *name) {
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    if (strcmp(fovea_network_parameter(vae->network, i)->name, name) == 0) return true;
  }
  return false;
}

/* A layer that this network does not have would be lost in silence. */
static fovea_status check_no_more(const fovea_safetensors *file, fovea_vae *vae) {
  for (size_t i = 0; i < fovea_safetensors_count(file); i++) {
    const char *name = fovea_safetensors_get(file, i)->name;
    if (strncmp(name, "optimizer.", 10) != 0 && strncmp(name, "state.", 6) != 0 && !is_parameter(vae, name))
      return fovea_fail(FOVEA_INVALID, "%s is not in this network: it is of another architecture", name);
  }
  return FOVEA_OK;
}

/* Checks (set false) or sets all parameters, and with `all` the moments. `data` holds the largest parameter. */
static fovea_status visit(const fovea_safetensors *file, fovea_vae *vae, bool all, bool set, float *data) {
  fovea_status status = FOVEA_OK;
  for (size_t g = 0; g < (all ? GROUPS : 1); g++) {
    for (size_t i = 0; i < fovea_network_parameter_count(vae->network) && status == FOVEA_OK; i++) {
      const fovea_parameter *p = fovea_network_parameter(vae->network, i);
      const fovea_safetensor *t;
      if (groups[g].which != FOVEA_VALUE && !p->trainable) continue;
      status = find_parameter(file, p, groups[g].prefix, &t);
      if (status == FOVEA_OK) status = copy_floats(t, data);
      if (status == FOVEA_OK && set) status = fovea_network_set(vae->network, i, groups[g].which, data);
    }
  }
  return status;
}

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
  size_t largest = 1;
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const size_t count = fovea_network_parameter(vae->network, i)->count;
    if (count > largest) largest = count;
  }
  float *data = malloc(largest * sizeof *data);
  if (data == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for %zu numbers", largest);
  uint32_t step = 0;
  fovea_training_state read;
  fovea_status status = visit(file, vae, state != NULL, false, data);
  if (status == FOVEA_OK) status = check_no_more(file, vae);
  if (status == FOVEA_OK && state != NULL) status = read_state(file, &step, &read);
  if (status == FOVEA_OK) status = visit(file, vae, state != NULL, true, data);
  if (status == FOVEA_OK && state != NULL) status = fovea_network_set_step(vae->network, step);
  if (status == FOVEA_OK && state != NULL) *state = read;
  free(data);
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
