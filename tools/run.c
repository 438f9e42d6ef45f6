#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fail.h"
#include "core/file.h"
#include "fovea/safetensors.h"
#include "load.h"
#include "pictures.h"

const char run_activations[] = "elu|relu|selu|sigmoid";
const char run_attentions[] = "none|spatial|channel|cbam";

static const double largest_seed = 9007199254740992; /* 2^53: exact in JSON and in every reader of it */

/* --- options ----------------------------------------------------------------------------------------------------- */

run_options run_options_default(void) {
  const fovea_vae_config c = fovea_vae_default();
  run_options o = {.depth = c.depth,
                   .latent = c.latent,
                   .epochs = 25,
                   .batch = c.batch,
                   .seed = (long long)c.seed,
                   .activation = (int)c.activation - FOVEA_ELU,
                   .attention = (int)c.attention,
                   .batchnorm = c.batchnorm,
                   .dropout = c.dropout,
                   .kl = c.kl_weight,
                   .bn_momentum = c.bn_momentum,
                   .lr = 0.005,
                   .min_lr = 0.0001};
  o.arch.count = c.unit_count;
  memcpy(o.arch.values, c.units, (size_t)c.unit_count * sizeof *c.units);
  return o;
}

size_t run_options_table(run_options *o, option table[RUN_OPTIONS]) {
  const option all[] = {
      {.name = "data",
       .kind = OPTION_STRING,
       .value = &o->data,
       .argument = "DIR",
       .required = true,
       .help = "images: MNIST-style IDX files, or folders train/ and test/ of PNGs"},
      {.name = "out",
       .kind = OPTION_STRING,
       .value = &o->out,
       .argument = "DIR",
       .required = true,
       .help = "where the results go"},
      {.name = "arch",
       .kind = OPTION_INTS,
       .value = &o->arch,
       .min = 1,
       .max = 65536,
       .help = "channels of the coder's layers; all but two of them halve the image"},
      {.name = "depth",
       .kind = OPTION_INT,
       .value = &o->depth,
       .min = 1,
       .max = 1024,
       .help = "convolution blocks a dense block"},
      {.name = "latent",
       .kind = OPTION_INT,
       .value = &o->latent,
       .min = 1,
       .max = 65536,
       .help = "numbers in an image's code"},
      {.name = "activation",
       .kind = OPTION_CHOICE,
       .value = &o->activation,
       .choices = run_activations,
       .help = "of the convolution blocks"},
      {.name = "attention",
       .kind = OPTION_CHOICE,
       .value = &o->attention,
       .choices = run_attentions,
       .help = "of the convolution blocks"},
      {.name = "batchnorm", .kind = OPTION_ONOFF, .value = &o->batchnorm, .help = "in the convolution blocks"},
      {.name = "dropout",
       .kind = OPTION_FLOAT,
       .value = &o->dropout,
       .max = 0.99,
       .argument = "RATE",
       .help = "in the convolution blocks; 0 is off"},
      {.name = "kl",
       .kind = OPTION_FLOAT,
       .value = &o->kl,
       .max = 1e6,
       .argument = "WEIGHT",
       .help = "of the KL divergence in the loss"},
      {.name = "bn-momentum",
       .kind = OPTION_FLOAT,
       .value = &o->bn_momentum,
       .max = 0.999999,
       .argument = "M",
       .help = "of the moving averages of batch norm"},
      {.name = "epochs",
       .kind = OPTION_INT,
       .value = &o->epochs,
       .min = 1,
       .max = 1000000,
       .help = "passes over the training images; the learning rate's decay depends on it"},
      {.name = "batch", .kind = OPTION_INT, .value = &o->batch, .min = 1, .max = 65536, .help = "images a step"},
      {.name = "lr", .kind = OPTION_FLOAT, .value = &o->lr, .max = 1000, .help = "learning rate of the first step"},
      {.name = "min-lr",
       .kind = OPTION_FLOAT,
       .value = &o->min_lr,
       .max = 1000,
       .help = "sets the decay, 2 (lr - min-lr) / epochs a step"},
      {.name = "seed",
       .kind = OPTION_INT,
       .value = &o->seed,
       .max = largest_seed,
       .help = "of weights, shuffling, masks and samples"},
      {.name = "limit-train",
       .kind = OPTION_INT,
       .value = &o->limit_train,
       .max = 4294967295.0,
       .help = "use N training images, a fair sample of each class; 0 is all"},
      {.name = "limit-test",
       .kind = OPTION_INT,
       .value = &o->limit_test,
       .max = 4294967295.0,
       .help = "use N test images, a fair sample of each class; 0 is all"},
      {.name = "resume", .kind = OPTION_FLAG, .value = &o->resume, .help = "go on with what --out has"},
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &o->device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"}};
  _Static_assert(sizeof all / sizeof *all <= RUN_OPTIONS, "room for a few more");
  memcpy(table, all, sizeof all);
  return sizeof all / sizeof *all;
}

fovea_status run_options_check(const run_options *o) {
  if (o->min_lr > o->lr)
    return fovea_fail(FOVEA_INVALID, "--min-lr %g is more than --lr %g: the learning rate cannot grow", o->min_lr,
                      o->lr);
  if (o->arch.count < 2) return fovea_fail(FOVEA_INVALID, "--arch: one number, expected at least two, as 35,25,15,5");
  return FOVEA_OK;
}

fovea_vae_config run_vae_config(const run_options *o, int channels, int height, int width) {
  fovea_vae_config c = {.channels = channels,
                        .height = height,
                        .width = width,
                        .unit_count = o->arch.count,
                        .depth = (int)o->depth,
                        .latent = (int)o->latent,
                        .activation = (fovea_activation)(o->activation + FOVEA_ELU),
                        .attention = (fovea_attention)o->attention,
                        .batchnorm = o->batchnorm,
                        .dropout = o->dropout,
                        .kl_weight = o->kl,
                        .bn_momentum = o->bn_momentum,
                        .batch = (int)o->batch,
                        .seed = (uint64_t)o->seed};
  _Static_assert((int)OPTION_MAX_INTS == (int)FOVEA_MAX_UNITS, "a list of units is a list of numbers");
  memcpy(c.units, o->arch.values, sizeof c.units);
  return c;
}

/* --- data -------------------------------------------------------------------------------------------------------- */

/* Nothing is made for a network that these images cannot have. */
static fovea_status check_network(const run_options *o, const fovea_dataset *d) {
  const fovea_vae_config c = run_vae_config(o, d->channels, d->height, d->width);
  return fovea_vae_check(&c);
}

fovea_status run_data_load(const run_options *o, run_data *data) {
  run_data d = {NULL, NULL};
  fovea_status status = load_check_folder(o->data, "--out", o->out);
  if (status == FOVEA_OK) status = fovea_dataset_load(o->data, "train", (size_t)o->limit_train, &d.train);
  if (status == FOVEA_OK) load_say("train", d.train);
  if (status == FOVEA_OK) status = fovea_dataset_load(o->data, "test", (size_t)o->limit_test, &d.test);
  if (status == FOVEA_OK) load_say("test", d.test);
  if (status == FOVEA_OK) load_say_remarks(d.train, d.test);
  if (status == FOVEA_OK &&
      (d.train->channels != d.test->channels || d.train->height != d.test->height || d.train->width != d.test->width))
    status = fovea_fail(
        FOVEA_INVALID, "%s: training images are %dx%dx%d (channels, height, width), test images %dx%dx%d", o->data,
        d.train->channels, d.train->height, d.train->width, d.test->channels, d.test->height, d.test->width);
  if (status == FOVEA_OK) status = check_network(o, d.train);
  if (status == FOVEA_OK) pictures_say_channels(d.train->channels);
  if (status == FOVEA_OK)
    *data = d;
  else
    run_data_free(&d);
  return status;
}

void run_data_free(run_data *data) {
  fovea_dataset_destroy(data->train);
  fovea_dataset_destroy(data->test);
  *data = (run_data){NULL, NULL};
}

/* --- configuration ----------------------------------------------------------------------------------------------- */

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

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
  return json_pack("{s:o,s:I,s:I,s:s,s:s,s:b,s:f,s:f,s:f,s:I,s:I,s:f,s:f,s:I,s:I,s:I,s:i,s:i,s:i}", "arch", units,
                   "depth", (json_int_t)o->depth, "latent", (json_int_t)o->latent, "activation",
                   options_choice(run_activations, o->activation, activation, sizeof activation), "attention",
                   options_choice(run_attentions, o->attention, attention, sizeof attention), "batchnorm", o->batchnorm,
                   "dropout", o->dropout, "kl", o->kl, "bn_momentum", o->bn_momentum, "epochs", (json_int_t)o->epochs,
                   "batch", (json_int_t)o->batch, "lr", o->lr, "min_lr", o->min_lr, "seed", (json_int_t)o->seed,
                   "train_images", (json_int_t)sets->train->count, "test_images", (json_int_t)sets->test->count,
                   "channels", sets->train->channels, "height", sets->train->height, "width", sets->train->width);
}

static char *dump(const json_t *json, size_t flags) {
  for (size_t digits = 15; digits <= 17; digits++) {
    char *text = json_dumps(json, flags | JSON_REAL_PRECISION(digits));
    if (text == NULL) return NULL;
    json_t *back = json_loads(text, 0, NULL);
    const bool same = json_equal(json, back) == 1;
    json_decref(back);
    if (same || digits == 17) return text;
    free(text);
  }
  return NULL;
}

char *run_config_text(const json_t *config) { return dump(config, JSON_COMPACT); }

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

static bool unpack(json_t *config, run_options *o, int dims[3]) {
  json_t *units = NULL;
  const char *activation = NULL, *attention = NULL;
  json_int_t depth, latent, epochs, batch, seed, train_images, test_images;
  int batchnorm;
  if (json_unpack(config, "{s:o,s:I,s:I,s:s,s:s,s:b,s:F,s:F,s:F,s:I,s:I,s:F,s:F,s:I,s:I,s:I,s:i,s:i,s:i}", "arch",
                  &units, "depth", &depth, "latent", &latent, "activation", &activation, "attention", &attention,
                  "batchnorm", &batchnorm, "dropout", &o->dropout, "kl", &o->kl, "bn_momentum", &o->bn_momentum,
                  "epochs", &epochs, "batch", &batch, "lr", &o->lr, "min_lr", &o->min_lr, "seed", &seed, "train_images",
                  &train_images, "test_images", &test_images, "channels", &dims[0], "height", &dims[1], "width",
                  &dims[2]) != 0)
    return false;
  o->limit_train = train_images;
  o->limit_test = test_images;
  o->depth = depth;
  o->latent = latent;
  o->epochs = epochs;
  o->batch = batch;
  o->seed = seed;
  o->batchnorm = batchnorm != 0;
  o->activation = options_find_choice(run_activations, activation, strlen(activation));
  o->attention = options_find_choice(run_attentions, attention, strlen(attention));
  return read_arch(units, &o->arch) && in_range(o);
}

fovea_status run_config_parse(const char *where, const char *text, run_options *o, int image_dims[3]) {
  json_error_t error;
  json_t *config = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (config == NULL && error.text[0] == '\0')
    return fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its configuration", where);
  if (config == NULL)
    return fovea_fail(FOVEA_INVALID, "%s: its configuration is not JSON: %s at line %d", where, error.text, error.line);
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

fovea_status run_config_of_checkpoint(const char *path, char **text) {
  fovea_safetensors *file = NULL;
  fovea_status status = fovea_safetensors_open(path, &file);
  if (status != FOVEA_OK) return status;
  const char *config = fovea_safetensors_metadata(file, "config");
  char *copy = config != NULL ? strdup(config) : NULL;
  if (config == NULL)
    status = fovea_fail(FOVEA_INVALID, "%s has no configuration: it is not the checkpoint of a run", path);
  else if (copy == NULL)
    status = fovea_fail(FOVEA_NO_MEMORY, "%s: no memory for its configuration", path);
  fovea_safetensors_close(file);
  if (status == FOVEA_OK) *text = copy;
  return status;
}

/* "train_images" as people know it: --limit-train. */
static void option_of_key(const char *key, char *out, size_t size) {
  if (strcmp(key, "train_images") == 0 || strcmp(key, "test_images") == 0) {
    snprintf(out, size, "--data or --limit-%.*s", (int)strcspn(key, "_"), key);
  } else if (strcmp(key, "channels") == 0 || strcmp(key, "height") == 0 || strcmp(key, "width") == 0) {
    snprintf(out, size, "--data (%s)", key);
  } else {
    snprintf(out, size, "--%s", key);
    for (char *s = out + 2; *s != '\0'; s++) *s = *s == '_' ? '-' : *s;
  }
}

fovea_status run_config_compare(const char *where, const char *stored, const json_t *config) {
  json_t *old = json_loads(stored, 0, NULL);
  if (old == NULL) return fovea_fail(FOVEA_INVALID, "%s: its configuration is not JSON", where);
  fovea_status status = FOVEA_OK;
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)config, key, value) {
    json_t *before = json_object_get(old, key);
    if (json_equal(before, value)) continue;
    char name[64], *was = before != NULL ? dump(before, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *is = dump(value, JSON_ENCODE_ANY | JSON_COMPACT);
    option_of_key(key, name, sizeof name);
    status = fovea_fail(FOVEA_INVALID,
                        "%s: %s was %s when it began and is %s now; resume with the same options, or "
                        "choose another folder",
                        where, name, was != NULL ? was : "unknown", is != NULL ? is : "other");
    free(was);
    free(is);
    break;
  }
  json_decref(old);
  return status;
}

fovea_status run_config_write(const char *dir, const run_options *o, const json_t *config,
                              const fovea_device_info *device, const char *blas) {
  char path[RUN_PATH];
  fovea_status status = run_path(dir, "config.json", path);
  if (status != FOVEA_OK) return status;
  json_t *all = json_deep_copy(config);
  json_t *about = json_pack("{s:s*,s:s*,s:s*,s:s*,s:s*,s:s}", "data", o->data, "init", o->init, "device", device->name,
                            "driver", device->driver, "blas", blas, "version", FOVEA_VERSION);
  char *text = NULL;
  if (all != NULL && about != NULL && json_object_update(all, about) == 0) text = dump(all, JSON_INDENT(2));
  json_decref(all);
  json_decref(about);
  if (text == NULL) return fovea_fail(FOVEA_INVALID, "%s: a path or the device's name is not UTF-8", path);
  const size_t size = strlen(text);
  text[size] = '\n'; /* in place of the end */
  status = fovea_file_write(path, text, size + 1);
  free(text);
  return status;
}

/* --- the directory ----------------------------------------------------------------------------------------------- */

fovea_status run_path(const char *dir, const char *name, char path[RUN_PATH]) {
  if (snprintf(path, RUN_PATH, "%s/%s", dir, name) < RUN_PATH) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%.100s...: the path is too long", dir);
}

bool run_exists(const char *path) {
  struct stat about;
  return lstat(path, &about) == 0;
}

fovea_status run_lock(const char *dir, int *lock) {
  char path[RUN_PATH];
  fovea_status status = fovea_directory_create(dir);
  if (status == FOVEA_OK) status = run_path(dir, ".lock", path);
  if (status != FOVEA_OK) return status;
  int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return fovea_fail(FOVEA_IO, "%s: %s", path, strerror(errno));
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
    *lock = descriptor;
    return FOVEA_OK;
  }
  status = errno == EWOULDBLOCK
               ? fovea_fail(FOVEA_IO, "%s: another fovea is working in this folder; wait for it or choose another", dir)
               : fovea_fail(FOVEA_IO, "%s: cannot be locked: %s", path, strerror(errno));
  close(descriptor);
  return status;
}

void run_unlock(int lock) {
  if (lock >= 0) close(lock);
}

/* --- signals ----------------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void remember(int number) {
  (void)number;
  interrupted = 1;
}

void run_catch_signals(void) {
  struct sigaction action = {.sa_handler = remember, .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
}

bool run_interrupted(void) { return interrupted != 0; }
