/* A network in a file: safetensors whose metadata has the graph (graph_json.h) under "graph", and under "network"
 * {"batch": 64, "seed": "768", "training": true, "step": 12}, with {"shift": 2, "fill": 0, "flip": 1, "crop": 0,
 * "contrast": 0.0, "brightness": 0.1} under "augment" where there is augmentation, enums as numbers; the tensors are
 * those of tensors.h, the moments only of a network that trains. */
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "model/graph_json.h"
#include "model/tensors.h"
#include "net/augment.h"
#include "net/network.h"

/* --- saving --------------------------------------------------------------------------------------------------------
 */

static json_t *augment_json(const fovea_augmentation *a) {
  return json_pack("{s:i,s:i,s:i,s:i,s:f,s:f}", "shift", a->shift, "fill", (int)a->fill, "flip", (int)a->flip, "crop",
                   a->crop, "contrast", a->contrast, "brightness", a->brightness);
}

/* The caller frees it; NULL without memory. The seed is a text, since it may be more than JSON's integers. */
static char *options_text(const fovea_network *network) {
  const fovea_network_options *o = fovea_network_get_options(network);
  char seed[32];
  snprintf(seed, sizeof seed, "%" PRIu64, o->seed);
  json_t *root = json_pack("{s:i,s:s,s:b,s:I}", "batch", o->batch, "seed", seed, "training", o->training, "step",
                           (json_int_t)fovea_network_get_step(network));
  bool good = root != NULL;
  if (fovea_augments(&o->augment)) good = json_object_set_new(root, "augment", augment_json(&o->augment)) == 0;
  char *text = good ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
  json_decref(root);
  return text;
}

static fovea_status write_file(fovea_network *network, const char *path, const char *graph) {
  fovea_tensors t;
  const bool training = fovea_network_get_options(network)->training;
  char *options = options_text(network);
  if (options == NULL) return fovea_fail(FOVEA_NO_MEMORY, "%s: host memory ran out", path);
  const fovea_safetensor_text metadata[] = {{"graph", graph}, {"network", options}};
  fovea_status status = fovea_tensors_begin(&t, network, 0);
  if (status == FOVEA_OK) status = fovea_tensors_gather(&t, network, training);
  if (status != FOVEA_OK) fovea_fail_in(status, "%s", path);
  if (status == FOVEA_OK) status = fovea_safetensors_write(path, t.tensors, t.count, metadata, 2);
  fovea_tensors_end(&t);
  free(options);
  return status;
}

fovea_status fovea_network_save(fovea_network *network, const char *path) {
  if (!network || !path) return fovea_fail_null(network ? "path" : "network");
  char *graph = NULL;
  fovea_status status = fovea_graph_to_json(fovea_network_graph(network), &graph);
  if (status != FOVEA_OK) return fovea_fail_in(status, "%s", path);
  status = write_file(network, path, graph);
  free(graph);
  return status;
}

/* --- loading -------------------------------------------------------------------------------------------------------
 */

typedef struct saved {
  fovea_network_options options;
  uint32_t step;
} saved;

static bool take_integer(const json_t *root, const char *key, json_int_t least, json_int_t most, json_int_t *out) {
  const json_t *value = json_object_get(root, key);
  *out = json_integer_value(value);
  return json_is_integer(value) && *out >= least && *out <= most;
}

/* Digits alone: strtoull takes signs and spaces. */
static bool take_seed(const json_t *root, uint64_t *seed) {
  const char *text = json_string_value(json_object_get(root, "seed"));
  if (!text || !*text || text[strspn(text, "0123456789")]) return false;
  char again[32];
  *seed = strtoull(text, NULL, 10);
  snprintf(again, sizeof again, "%" PRIu64, *seed);
  return strcmp(again, text) == 0;
}

static bool take_part(const json_t *root, const char *key, double *part) {
  *part = json_real_value(json_object_get(root, key));
  return json_is_real(json_object_get(root, key));
}

/* What the images cannot have is refused when the network is made. */
static bool take_augmentation(const json_t *root, fovea_augmentation *a) {
  const json_t *from = json_object_get(root, "augment");
  json_int_t shift, fill, flip, crop;
  if (!from) return json_object_size(root) == 4;
  const bool good =
      json_object_size(root) == 5 && json_object_size(from) == 6 && take_integer(from, "shift", 0, INT_MAX, &shift) &&
      take_integer(from, "fill", 0, FOVEA_FILL_BLACK, &fill) && take_integer(from, "flip", 0, FOVEA_FLIP_BOTH, &flip) &&
      take_integer(from, "crop", 0, INT_MAX, &crop) && take_part(from, "contrast", &a->contrast) &&
      take_part(from, "brightness", &a->brightness);
  if (good) a->shift = (int)shift, a->fill = (fovea_fill)fill, a->flip = (fovea_flip)flip, a->crop = (int)crop;
  return good && fovea_augments(a);
}

static fovea_status read_options(const char *text, saved *s) {
  json_error_t error;
  json_int_t batch = 0, step = 0;
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (!root && (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0'))
    return fovea_fail(FOVEA_NO_MEMORY, "host memory ran out");
  const json_t *training = json_object_get(root, "training");
  bool good = json_is_boolean(training) && take_seed(root, &s->options.seed);
  good = take_augmentation(root, &s->options.augment) && good;
  good = take_integer(root, "batch", 1, FOVEA_MAX_BATCH, &batch) && good;
  good = take_integer(root, "step", 0, UINT32_MAX, &step) && good;
  s->options.training = json_is_true(training);
  s->options.batch = (int)batch, s->step = (uint32_t)step;
  json_decref(root);
  if (good) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "its metadata 'network', '%.200s', is not what fovea_network_save writes", text);
}

static fovea_status find_text(const fovea_safetensors *file, const char *key, const char **text) {
  *text = fovea_safetensors_metadata(file, key);
  if (*text) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "its metadata has no '%s': fovea_network_save has not written it", key);
}

static fovea_status read_graph(const fovea_safetensors *file, fovea_graph **graph) {
  const char *text = NULL;
  const fovea_status status = find_text(file, "graph", &text);
  return status == FOVEA_OK ? fovea_graph_from_json(text, graph) : status;
}

fovea_status fovea_graph_load(const char *path, fovea_graph **graph) {
  if (!path || !graph) return fovea_fail_null(path ? "graph" : "path");
  fovea_safetensors *file = NULL;
  fovea_status status = fovea_safetensors_open(path, &file);
  if (status != FOVEA_OK) return status;
  status = read_graph(file, graph);
  fovea_safetensors_close(file);
  return status == FOVEA_OK ? status : fovea_fail_in(status, "%s", path);
}

/* Those asked for, or saved where none are, or no batch, seed or augmentation. A network for training needs what one
 * without has not saved. */
static fovea_status choose_options(const saved *s, const fovea_network_options *asked, fovea_network_options *options) {
  *options = asked ? *asked : s->options;
  if (options->batch == 0) options->batch = s->options.batch;
  if (options->seed == 0) options->seed = s->options.seed;
  if (!fovea_augments(&options->augment)) options->augment = s->options.augment;
  if (!options->training || s->options.training) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "it is of a network made for evaluation only, which has no training state");
}

/* Both are the caller's, or NULL. */
static fovea_status load(fovea_device *device, const fovea_safetensors *file, const fovea_network_options *asked,
                         fovea_graph **graph, fovea_network **network) {
  const char *text = NULL;
  saved s = {.step = 0};
  fovea_network_options options = {.batch = 0};
  fovea_status status = find_text(file, "network", &text);
  if (status == FOVEA_OK) status = read_options(text, &s);
  if (status == FOVEA_OK) status = choose_options(&s, asked, &options);
  if (status == FOVEA_OK) status = read_graph(file, graph);
  if (status == FOVEA_OK) status = fovea_network_create(device, *graph, &options, network);
  if (status == FOVEA_OK) status = fovea_tensors_set(file, *network, options.training);
  if (status == FOVEA_OK) status = fovea_network_set_step(*network, s.step);
  return status;
}

fovea_status fovea_network_load(fovea_device *device, const char *path, const fovea_network_options *options,
                                fovea_graph **graph, fovea_network **network) {
  if (!device || !path) return fovea_fail_null(device ? "path" : "device");
  if (!graph || !network) return fovea_fail_null(graph ? "network" : "graph");
  fovea_graph *made_graph = NULL;
  fovea_network *made = NULL;
  fovea_safetensors *file = NULL;
  fovea_status status = fovea_safetensors_open(path, &file);
  if (status != FOVEA_OK) return status;
  status = load(device, file, options, &made_graph, &made);
  fovea_safetensors_close(file);
  if (status == FOVEA_OK) {
    *graph = made_graph, *network = made;
    return status;
  }
  fovea_network_destroy(made);
  fovea_graph_destroy(made_graph);
  return fovea_fail_in(status, "%s", path);
}
