#include "train/identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "fovea/fovea.h"

/* --- hashes ------------------------------------------------------------------------------------------------------ */

void identity_hash_text(uint64_t hash, char text[RUN_HASH]) { snprintf(text, RUN_HASH, "xxh64:%016" PRIx64, hash); }

uint64_t identity_hash(const json_t *config, const char *key) {
  const char *text = json_string_value(json_object_get(config, key));
  uint64_t hash = 0;
  return text != NULL && sscanf(text, "xxh64:%" SCNx64, &hash) == 1 ? hash : 0;
}

fovea_status identity_of_init(run_options *o) {
  uint8_t *data = NULL;
  size_t size = 0;
  fovea_status status = fovea_file_read(o->init, SIZE_MAX, &data, &size);
  if (status != FOVEA_OK) return status;
  XXH64_state_t hash;
  XXH64_reset(&hash, 0);
  XXH64_update(&hash, data, size);
  identity_hash_text(XXH64_digest(&hash), o->init_hash);
  free(data);
  return FOVEA_OK;
}

/* --- the configuration ------------------------------------------------------------------------------------------- */

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

static bool add_hashes(json_t *config, const run_options *o, const run_data *sets) {
  char train[RUN_HASH], test[RUN_HASH];
  identity_hash_text(sets->train_hash, train);
  identity_hash_text(sets->test_hash, test);
  return json_object_set_new(config, "train_hash", json_string(train)) == 0 &&
         json_object_set_new(config, "test_hash", json_string(test)) == 0 &&
         (o->init_hash[0] == '\0' || json_object_set_new(config, "init_hash", json_string(o->init_hash)) == 0);
}

/* How the images are read. What is damaged is left out after the sample was taken, so that a limit is then not the
 * number of images. */
static bool add_images(json_t *config, const run_options *o) {
  if (!image_options_put(config, &o->images)) return false;
  json_t *images = json_object_get(config, "images");
  return !o->images.now.skip_bad || (json_object_set_new(images, "limit_train", json_integer(o->limit_train)) == 0 &&
                                     json_object_set_new(images, "limit_test", json_integer(o->limit_test)) == 0);
}

/* Kernels of 3x3 are not named, so that runs keep the names that they had before others were possible. */
static bool add_kernel(json_t *config, const run_options *o) {
  return o->kernel == 3 || json_object_set_new(config, "kernel", json_integer(o->kernel)) == 0;
}

/* Of a network that is another with another number of ranks. */
static bool add_ranks(json_t *config, const run_options *o) {
  return o->sync_bn || o->ranks < 2 || json_object_set_new(config, "ranks", json_integer(o->ranks)) == 0;
}

json_t *run_config(const run_options *o, const run_data *sets) {
  char activation[RUN_WORD], attention[RUN_WORD];
  option_ints arch = o->arch;
  qsort(arch.values, (size_t)arch.count, sizeof *arch.values, descending); /* as fovea_vae_create does */
  json_t *units = json_array();
  bool good = units != NULL;
  for (int i = 0; i < arch.count && good; i++) good = json_array_append_new(units, json_integer(arch.values[i])) == 0;
  if (!good) {
    json_decref(units);
    return NULL;
  }
  json_t *config =
      json_pack("{s:o,s:I,s:I,s:s,s:s,s:b,s:f,s:f,s:f,s:I,s:I,s:f,s:f,s:I,s:I,s:I,s:i,s:i,s:i}", "arch", units, "depth",
                (json_int_t)o->depth, "latent", (json_int_t)o->latent, "activation",
                options_choice(run_activations, o->activation, activation, sizeof activation), "attention",
                options_choice(run_attentions, o->attention, attention, sizeof attention), "batchnorm", o->batchnorm,
                "dropout", o->dropout, "kl", o->kl, "bn_momentum", o->bn_momentum, "epochs", (json_int_t)o->epochs,
                "batch", (json_int_t)o->batch, "lr", o->lr, "min_lr", o->min_lr, "seed", (json_int_t)o->seed,
                "train_images", (json_int_t)sets->train->count, "test_images", (json_int_t)sets->test->count,
                "channels", sets->train->channels, "height", sets->train->height, "width", sets->train->width);
  if (config != NULL && add_kernel(config, o) && add_ranks(config, o) && add_hashes(config, o, sets) &&
      add_images(config, o) && augment_options_put(config, &o->augment))
    return config;
  json_decref(config);
  return NULL;
}

static char *dump(const json_t *json, size_t flags) {
  for (size_t digits = 15; digits <= 17; digits++) {
    char *text = json_dumps(json, flags | JSON_REAL_PRECISION(digits));
    if (text == NULL) return NULL;
    json_t *back = json_loads(text, JSON_DECODE_ANY, NULL);
    const bool same = json_equal(json, back) == 1;
    json_decref(back);
    if (same || digits == 17) return text;
    free(text);
  }
  return NULL;
}

char *run_config_text(const json_t *config) { return dump(config, JSON_COMPACT); }

fovea_status identity_of_run(const json_t *config, char run[IDENTITY_RUN]) {
  char *text = run_config_text(config);
  if (text == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory for the name of a run");
  XXH64_state_t hash;
  XXH64_reset(&hash, 0);
  XXH64_update(&hash, text, strlen(text));
  snprintf(run, IDENTITY_RUN, "%016" PRIx64, XXH64_digest(&hash));
  free(text);
  return FOVEA_OK;
}

/* Whether every number is one that the option table would take. */
static bool in_range(run_options *o) {
  option table[RUN_OPTIONS];
  const size_t count = run_options_table(o, table);
  for (size_t i = 0; i < count; i++) {
    double v = table[i].min;
    if (table[i].kind == OPTION_INT) v = (double)*(long long *)table[i].value;
    if (table[i].kind == OPTION_FLOAT) v = *(double *)table[i].value;
    if (!(v >= table[i].min && (v <= table[i].max || v == table[i].min))) return false;
  }
  for (int i = 0; i < o->arch.count; i++) {
    if (o->arch.values[i] < 1 || o->arch.values[i] > 65536) return false;
  }
  return o->activation >= 0 && o->attention >= 0 && o->arch.count >= 2;
}

static bool read_arch(const json_t *units, option_ints *arch) {
  const size_t count = json_array_size(units);
  if (count < 1 || count > OPTION_MAX_INTS) return false;
  for (size_t i = 0; i < count; i++) {
    const json_int_t v = json_integer_value(json_array_get(units, i));
    arch->values[i] = v >= 1 && v <= 65536 ? (int)v : 0;
  }
  arch->count = (int)count;
  return true;
}

/* A limit as it was given, else the number of images that came of it. */
static json_int_t limit(const json_t *config, const char *key, json_int_t images) {
  const json_t *given = json_object_get(json_object_get(config, "images"), key);
  return json_is_integer(given) ? json_integer_value(given) : images;
}

static bool unpack(json_t *config, run_options *o, int dims[3]) {
  json_t *units = NULL;
  const char *activation = NULL, *attention = NULL, *init_hash = "";
  json_int_t depth, latent, kernel = 3, epochs, batch, seed, train_images, test_images;
  int batchnorm;
  if (json_unpack(config, "{s:o,s:I,s:I,s:s,s:s,s:b,s:F,s:F,s:F,s:I,s:I,s:F,s:F,s:I,s:I,s:I,s:i,s:i,s:i,s?s,s?I}",
                  "arch", &units, "depth", &depth, "latent", &latent, "activation", &activation, "attention",
                  &attention, "batchnorm", &batchnorm, "dropout", &o->dropout, "kl", &o->kl, "bn_momentum",
                  &o->bn_momentum, "epochs", &epochs, "batch", &batch, "lr", &o->lr, "min_lr", &o->min_lr, "seed",
                  &seed, "train_images", &train_images, "test_images", &test_images, "channels", &dims[0], "height",
                  &dims[1], "width", &dims[2], "init_hash", &init_hash, "kernel", &kernel) != 0 ||
      strlen(init_hash) >= sizeof o->init_hash)
    return false;
  snprintf(o->init_hash, sizeof o->init_hash, "%s", init_hash);
  o->limit_train = limit(config, "limit_train", train_images);
  o->limit_test = limit(config, "limit_test", test_images);
  o->depth = depth;
  o->latent = latent;
  o->kernel = kernel;
  o->epochs = epochs;
  o->batch = batch;
  o->seed = seed;
  o->batchnorm = batchnorm != 0;
  o->sync_bn = json_object_get(config, "ranks") == NULL;
  o->activation = options_find_choice(run_activations, activation, strlen(activation));
  o->attention = options_find_choice(run_attentions, attention, strlen(attention));
  o->tensorboard = !json_is_false(json_object_get(config, "tensorboard"));
  return read_arch(units, &o->arch) && image_options_get(config, &o->images) &&
         augment_options_get(config, &o->augment) && show_get(config, &o->show) && in_range(o);
}

static fovea_status load_json(const char *where, const char *text, json_t **json) {
  json_error_t error = {.text = ""};
  *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (*json != NULL) return FOVEA_OK;
  if (error.text[0] == '\0') return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its configuration", where);
  return fovea_fail(FOVEA_INVALID, "%s: its configuration is not JSON: %s at line %d", where, error.text, error.line);
}

fovea_status run_config_parse(const char *where, const char *text, run_options *o, int image_dims[3]) {
  json_t *config = NULL;
  fovea_status status = load_json(where, text, &config);
  if (status != FOVEA_OK) return status;
  run_options read = *o;
  int dims[3];
  const bool good = unpack(config, &read, dims);
  json_decref(config);
  if (!good)
    return fovea_fail(FOVEA_INVALID,
                      "%s: its configuration lacks an option, or one is out of range; it is not of this "
                      "version of fovea",
                      where);
  *o = read;
  if (image_dims != NULL) memcpy(image_dims, dims, sizeof dims);
  return FOVEA_OK;
}

static fovea_status copy_metadata(const fovea_safetensors *file, const char *key, char **copy) {
  const char *text = fovea_safetensors_metadata(file, key);
  *copy = text != NULL ? strdup(text) : NULL;
  return text == NULL || *copy != NULL ? FOVEA_OK : fovea_fail(FOVEA_NO_MEMORY, "no memory for its %s", key);
}

fovea_status run_config_of_checkpoint(const char *path, char **text, char **history) {
  fovea_safetensors *file = NULL;
  char *config = NULL, *epochs = NULL;
  fovea_status status = fovea_safetensors_open(path, &file);
  if (status != FOVEA_OK) return status;
  status = copy_metadata(file, "config", &config);
  if (status == FOVEA_OK && history != NULL) status = copy_metadata(file, "history", &epochs);
  if (status == FOVEA_OK && config == NULL)
    status = fovea_fail(FOVEA_INVALID, "%s has no configuration: it is not the checkpoint of a run", path);
  fovea_safetensors_close(file);
  if (status == FOVEA_OK) {
    *text = config;
    if (history != NULL) *history = epochs;
    return FOVEA_OK;
  }
  free(config);
  free(epochs);
  return status;
}

fovea_status run_config_read(const char *dir, char **text) {
  char path[RUN_PATH];
  uint8_t *data = NULL;
  size_t size = 0;
  fovea_status status = run_path(dir, "config.json", path);
  *text = NULL;
  if (status != FOVEA_OK || !run_exists(path)) return status;
  status = fovea_file_read(path, 1 << 20, &data, &size);
  if (status == FOVEA_OK) *text = (char *)data;
  return status;
}

/* --- comparing --------------------------------------------------------------------------------------------------- */

/* A key as people know it: "train_images" is decided by --limit-train. */
static void option_of_key(const char *key, char *out, size_t size) {
  static const char *const others[][2] = {{"train_images", "--data or --limit-train"},
                                          {"test_images", "--data or --limit-test"},
                                          {"train_hash", "the content of --data's training images and labels"},
                                          {"test_hash", "the content of --data's test images and labels"},
                                          {"init_hash", "--init (its content)"},
                                          {"images", "how --data is read (--size, --channels and so on)"},
                                          {"channels", "--data (channels)"},
                                          {"height", "--data (height)"},
                                          {"width", "--data (width)"},
                                          {"build", "the program (its file)"},
                                          {"fovea_blas", "FOVEA_BLAS"},
                                          {"blas", "the BLAS of the dense layers"},
                                          {"ranks", "the number of ranks with --sync-bn off"}};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (strcmp(key, others[i][0]) == 0) {
      snprintf(out, size, "%s", others[i][1]);
      return;
    }
  }
  snprintf(out, size, "--%s", key);
  for (char *s = out + 2; *s != '\0'; s++) *s = *s == '_' ? '-' : *s;
}

static bool is_hash_of_data(const char *key) { return strcmp(key, "train_hash") == 0 || strcmp(key, "test_hash") == 0; }

/* The first key of `config` whose value `stored` has not, or NULL. */
static const char *difference(const json_t *stored, const json_t *config) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)config, key, value) {
    json_t *before = json_object_get(stored, key);
    if (json_equal(before, value)) continue;
    if (before != NULL || !is_hash_of_data(key)) return key;
  }
  static const char *const optional[] = {"init_hash", "images", "kernel", "ranks"};
  for (size_t i = 0; i < sizeof optional / sizeof *optional; i++)
    if (json_object_get(stored, optional[i]) != NULL && json_object_get(config, optional[i]) == NULL)
      return optional[i];
  for (size_t i = 0; (key = augment_options_key(i)) != NULL; i++)
    if (json_object_get(stored, key) != NULL && json_object_get(config, key) == NULL) return key;
  return NULL;
}

typedef struct changed {
  char key[64]; /* "": nothing */
  char option[80];
  char *was, *is; /* as JSON; NULL: not there, or no memory */
} changed;

static changed compare(const json_t *stored, const json_t *config) {
  changed c = {.key = ""};
  const char *key = difference(stored, config);
  if (key == NULL) return c;
  snprintf(c.key, sizeof c.key, "%s", key);
  const json_t *was = json_object_get(stored, key), *is = json_object_get(config, key);
  option_of_key(key, c.option, sizeof c.option);
  if (was != NULL) c.was = dump(was, JSON_ENCODE_ANY | JSON_COMPACT);
  if (is != NULL) c.is = dump(is, JSON_ENCODE_ANY | JSON_COMPACT);
  return c;
}

static void changed_free(changed *c) {
  free(c->was);
  free(c->is);
}

/* What is not there: of augmentation, what is off; of the kernels, their usual size. */
static const char *or_none(const changed *c, const char *text) {
  const char *key;
  if (text != NULL) return text;
  if (strcmp(c->key, "kernel") == 0) return "3";
  if (strcmp(c->key, "ranks") == 0) return "none";
  for (size_t i = 0; (key = augment_options_key(i)) != NULL; i++)
    if (strcmp(c->key, key) == 0) return "off";
  return "not recorded";
}

fovea_status run_config_compare(const char *where, const char *stored, const json_t *config) {
  json_t *old = NULL;
  fovea_status status = load_json(where, stored, &old);
  if (status != FOVEA_OK) return status;
  changed c = compare(old, config);
  if (c.key[0] != '\0')
    status = fovea_fail(FOVEA_INVALID,
                        "%s: %s was %s when it began and is %s now; resume with the same options and data, or "
                        "choose another folder",
                        where, c.option, or_none(&c, c.was), or_none(&c, c.is));
  changed_free(&c);
  json_decref(old);
  return status;
}

/* Of two texts, which the messages call by these names. */
static fovea_status compare_texts(const char *name, const char *text, const char *other, const char *others,
                                  changed *c) {
  json_t *a = NULL, *b = NULL;
  *c = (changed){.key = ""};
  fovea_status status = load_json(name, text, &a);
  if (status == FOVEA_OK) status = load_json(other, others, &b);
  if (status == FOVEA_OK) *c = compare(a, b);
  json_decref(a);
  json_decref(b);
  return status;
}

fovea_status identity_of_folder(const char *dir, const char *config_json, const char *checkpoint) {
  changed c;
  fovea_status status = compare_texts(dir, config_json, dir, checkpoint, &c);
  if (c.key[0] != '\0')
    status = fovea_fail(FOVEA_INVALID,
                        "%s: the checkpoint is of another run than config.json, %s is %s in it and %s there; put the "
                        "right one back, nothing was changed",
                        dir, c.option, or_none(&c, c.is), or_none(&c, c.was));
  changed_free(&c);
  return status;
}

fovea_status identity_of_ranks(const char *first, const char *its, const char *other, const char *others) {
  changed c;
  fovea_status status = compare_texts(first, its, other, others, &c);
  if (c.key[0] != '\0')
    status = fovea_fail(FOVEA_INVALID,
                        "%s and %s differ in %s: %s and %s; start all ranks by one command, with one program, one "
                        "environment and one set of images",
                        first, other, c.option, or_none(&c, c.was), or_none(&c, c.is));
  changed_free(&c);
  return status;
}

fovea_status identity_of_blas(const char *dir, const char *config_json, const char *blas) {
  json_t *config = NULL;
  fovea_status status = load_json(dir, config_json, &config);
  const char *was = json_string_value(json_object_get(config, "blas"));
  if (status == FOVEA_OK && was != NULL && strcmp(was, blas) != 0)
    status = fovea_fail(FOVEA_INVALID,
                        "%s: its dense layers were computed by the BLAS %s so far, and it would be %s now: one run has "
                        "one; resume with FOVEA_BLAS=%s, nothing was changed",
                        dir, was, blas, was);
  json_decref(config);
  return status;
}

bool identity_has_data(const char *text) {
  return strstr(text, "\"train_hash\"") != NULL && strstr(text, "\"test_hash\"") != NULL;
}

/* --- config.json ------------------------------------------------------------------------------------------------- */

/* Takes the object, which may be NULL. */
static fovea_status write_config(const char *dir, json_t *all) {
  char path[RUN_PATH];
  fovea_status status = run_path(dir, "config.json", path);
  char *text = all != NULL ? dump(all, JSON_INDENT(2)) : NULL;
  json_decref(all);
  if (status == FOVEA_OK && text == NULL)
    status = fovea_fail(FOVEA_INVALID, "%s: a path or the device's name is not UTF-8", path);
  if (status == FOVEA_OK) {
    const size_t size = strlen(text);
    text[size] = '\n'; /* in place of the end */
    status = fovea_file_write(path, text, size + 1);
  }
  free(text);
  return status;
}

fovea_status run_config_write(const char *dir, const run_options *o, const json_t *config,
                              const fovea_device_info *device, const fovea_network *network) {
  char run[IDENTITY_RUN];
  const fovea_status status = identity_of_run(config, run);
  if (status != FOVEA_OK) return status;
  json_t *all = json_deep_copy(config);
  json_t *about = json_pack("{s:s,s:s*,s:s*,s:O*,s:s*,s:s*,s:s*,s:s}", "run", run, "data", o->data, "init", o->init,
                            "sweep", o->sweep, "device", device->name, "driver", device->driver, "blas",
                            network != NULL ? fovea_network_blas(network) : NULL, "version", FOVEA_VERSION);
  const bool whole = all != NULL && about != NULL && json_object_update(all, about) == 0 && show_put(all, &o->show) &&
                     (o->tensorboard || json_object_set_new(all, "tensorboard", json_false()) == 0) &&
                     (network == NULL ||
                      json_object_set_new(all, "memory", json_integer((json_int_t)fovea_network_memory(network))) == 0);
  json_decref(about);
  if (whole) return write_config(dir, all);
  json_decref(all);
  return write_config(dir, NULL);
}

fovea_status run_config_add(const char *dir, const char *key, json_t *value) {
  char *text = NULL;
  json_t *config = NULL;
  fovea_status status = run_config_read(dir, &text);
  if (status == FOVEA_OK && text != NULL) status = load_json(dir, text, &config);
  free(text);
  if (config == NULL) json_decref(value);
  if (config == NULL) return status;
  if (json_object_set_new(config, key, value) == 0) return write_config(dir, config);
  json_decref(config);
  return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for the configuration", dir);
}
