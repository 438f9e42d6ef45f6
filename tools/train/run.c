#define _DEFAULT_SOURCE /* flock, realpath */
#include "train/run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "draw/pictures.h"
#include "fovea/safetensors.h"
#include "graph/ops.h"
#include "reach/team.h"
#include "train/load.h"

#define X(name, NAME, moves_zero, ulp) "|" #name
static const char activations[] = FOVEA_ACTIVATIONS(X);
#undef X
const char *const run_activations = activations + sizeof "|linear";
const char run_attentions[] = "none|spatial|channel|cbam";

/* --- options ----------------------------------------------------------------------------------------------------- */

run_options run_options_default(void) {
  const fovea_vae_config c = fovea_vae_default();
  run_options o = {.depth = c.depth,
                   .latent = c.latent,
                   .kernel = c.kernel,
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
                   .min_lr = 0.0001,
                   .tensorboard = true,
                   .sync_bn = true,
                   .rank_timeout = TEAM_SILENCE};
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
       .help =
           "images: a folder of pictures, IDX files or arrays; a .npz, .safetensors or table; what fovea pack made"},
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
      {.name = "kernel",
       .kind = OPTION_INT,
       .value = &o->kernel,
       .min = 3,
       .max = 15,
       .help = "pixels a side of the convolutions' kernels, 3, 5, ... 15; 5 takes some 2 to 3 times as long"},
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
       .max = (double)RUN_LARGEST_SEED,
       .help = "of weights, shuffling, masks, samples, and of the split of a set that has none"},
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
      {.name = "tensorboard",
       .kind = OPTION_ONOFF,
       .value = &o->tensorboard,
       .help = "write event files for TensorBoard beside metrics.csv"},
      {.name = "device",
       .kind = OPTION_STRING,
       .value = &o->device,
       .argument = "D",
       .help = "index, cpu, gpu, or part of a name; the fastest GPU, else the CPU"}};
  _Static_assert(sizeof all / sizeof *all + 1 + AUGMENT_OPTIONS + IMAGE_OPTIONS + 8 <= RUN_OPTIONS,
                 "room for those that a command adds");
  memcpy(table, all, sizeof all);
  size_t n = sizeof all / sizeof *all;
  n += augment_options_table(&o->augment, table + n);
  table[n++] = show_option(&o->show);
  return n + image_options_table(&o->images, table + n);
}

/* config.json has it. */
static fovea_status check_text(const char *name, const char *path) {
  json_t *text = path != NULL ? json_string(path) : json_true();
  const bool good = text != NULL;
  json_decref(text);
  if (good) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID,
                    "%s '%.500s' is not UTF-8, so that config.json could not name it; rename it, or give a link to it",
                    name, path);
}

fovea_status run_options_check(const run_options *o) {
  if (o->min_lr > o->lr)
    return fovea_fail(FOVEA_INVALID, "--min-lr %g is more than --lr %g: the learning rate cannot grow", o->min_lr,
                      o->lr);
  if (o->kernel % 2 == 0)
    return fovea_fail(FOVEA_INVALID, "--kernel %lld is even; a kernel has a pixel in its middle: 3, 5, ... 15",
                      o->kernel);
  if (o->arch.count < 2) return fovea_fail(FOVEA_INVALID, "--arch: one number, expected at least two, as 35,25,15,5");
  fovea_status status = check_text("--data", o->data);
  return status == FOVEA_OK ? check_text("--init", o->init) : status;
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
                        .kernel = (int)o->kernel,
                        .seed = (uint64_t)o->seed,
                        .augment = augment_options_read(&o->augment)};
  _Static_assert((int)OPTION_MAX_INTS == (int)FOVEA_MAX_UNITS, "a list of units is a list of numbers");
  memcpy(c.units, o->arch.values, sizeof c.units);
  return c;
}

/* --- data -------------------------------------------------------------------------------------------------------- */

fovea_status run_check_network(const run_options *o, const fovea_dataset *d) {
  const fovea_vae_config c = run_vae_config(o, d->channels, d->height, d->width);
  return fovea_vae_check(&c);
}

static fovea_status check_one_size(const char *path, const fovea_dataset *a, const fovea_dataset *b) {
  char hint[64] = "";
  const bool sides = a->height == b->height && a->width == b->width;
  if (sides && a->channels == b->channels) return FOVEA_OK;
  if (!sides) snprintf(hint, sizeof hint, "; --size %dx%d makes them one size", a->height, a->width);
  return fovea_fail(FOVEA_INVALID, "%s: training images are %dx%dx%d (channels, height, width), test images %dx%dx%d%s",
                    path, a->channels, a->height, a->width, b->channels, b->height, b->width, hint);
}

/* Before the images are read, which may take minutes; where another process works there, its lock says so later. */
static fovea_status check_leftovers(const char *out) {
  struct stat about;
  if (stat(out, &about) != 0 || !S_ISDIR(about.st_mode)) return FOVEA_OK;
  return run_is_locked(out) ? FOVEA_OK : run_refuse_leftovers(out);
}

fovea_status run_data_load(const run_options *o, run_data *data) {
  run_data d = {0};
  grid_channels room;
  const grid_channels *shown = NULL;
  fovea_load_options train, test;
  fovea_status status = image_options_read(&o->images, o->data, o->limit_train, o->seed, &train);
  if (status == FOVEA_OK) status = image_options_read(&o->images, o->data, o->limit_test, o->seed, &test);
  if (status == FOVEA_OK) image_options_say(&o->images, o->data);
  if (status == FOVEA_OK) status = load_check_folder(o->data, "--out", o->out);
  if (status == FOVEA_OK && !o->resume) status = check_leftovers(o->out);
  fovea_dataset *sets[2] = {NULL, NULL};
  if (status == FOVEA_OK) status = load_sets(o->data, (const fovea_load_options *const[]){&train, &test}, &sets);
  d.train = sets[0];
  d.test = sets[1];
  if (status == FOVEA_OK) status = check_one_size(o->data, d.train, d.test);
  if (status == FOVEA_OK) status = run_check_network(o, d.train);
  if (status == FOVEA_OK) status = show_channels(&o->show, d.train->channels, &room, &shown);
  if (status == FOVEA_OK) status = fovea_dataset_hash(d.train, &d.train_hash);
  if (status == FOVEA_OK) status = fovea_dataset_hash(d.test, &d.test_hash);
  if (status == FOVEA_OK) {
    pictures_say_channels(d.train->channels, shown);
    *data = d;
  } else {
    run_data_free(&d);
  }
  return status;
}

void run_data_free(run_data *data) {
  fovea_dataset_destroy(data->train);
  fovea_dataset_destroy(data->test);
  *data = (run_data){0};
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
  int failed = flock(descriptor, LOCK_EX | LOCK_NB);
  if (failed != 0 && errno == EWOULDBLOCK) { /* run_is_locked has it for a moment */
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    failed = flock(descriptor, LOCK_EX | LOCK_NB);
  }
  if (failed == 0) {
    *lock = descriptor;
    return FOVEA_OK;
  }
  status = errno == EWOULDBLOCK
               ? fovea_fail(FOVEA_IO, "%s: another fovea is working in this folder; wait for it or choose another", dir)
               : fovea_fail(FOVEA_IO, "%s: cannot be locked: %s", path, strerror(errno));
  close(descriptor);
  return status;
}

bool run_is_locked(const char *dir) {
  char path[RUN_PATH];
  if (run_path(dir, ".lock", path) != FOVEA_OK) return false;
  const int lock = open(path, O_RDONLY | O_CLOEXEC);
  const bool taken = lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  if (lock >= 0) close(lock);
  return taken;
}

void run_unlock(int lock) {
  if (lock >= 0) close(lock);
}

/* --- what an earlier run left ------------------------------------------------------------------------------------ */

/* A word that ends in * is a prefix. */
static const char *const left_behind[] = {"checkpoint*",         "config.json",
                                          "metrics.csv",         "results.csv",
                                          "failed.csv",          "reconstructions-epoch*",
                                          "regression.txt",      "regression.json",
                                          "coefficients.png",    "differences.png",
                                          "interactions.png",    "curves.png",
                                          "latent.png",          "walk.png",
                                          "augmented.png",       "report.html",
                                          "events.out.tfevents*"};
enum { LEFT_BEHIND = sizeof left_behind / sizeof *left_behind, NAMED = 3, NAME = 256 };

/* The place of the word that a name is; LEFT_BEHIND for none. */
static size_t word_of(const char *name) {
  size_t i = 0;
  for (; i < LEFT_BEHIND; i++) {
    const size_t n = strcspn(left_behind[i], "*");
    if (strncmp(name, left_behind[i], n) == 0 && (left_behind[i][n] == '*' || name[n] == '\0')) break;
  }
  return i;
}

/* One name of each kind that the folder has. */
static fovea_status list_leftovers(const char *dir, char found[LEFT_BEHIND + 1][NAME]) {
  DIR *folder = opendir(dir);
  if (folder == NULL) return fovea_fail(FOVEA_IO, "%s: %s", dir, strerror(errno));
  errno = 0;
  for (const struct dirent *entry; (entry = readdir(folder)) != NULL; errno = 0)
    snprintf(found[word_of(entry->d_name)], NAME, "%s", entry->d_name);
  const int reason = errno;
  closedir(folder);
  return reason == 0 ? FOVEA_OK : fovea_fail(FOVEA_IO, "%s: %s", dir, strerror(reason));
}

static bool has(const char *dir, const char *name) {
  char path[RUN_PATH];
  return run_path(dir, name, path) == FOVEA_OK && run_exists(path);
}

static bool has_factors(const char *dir) {
  char path[RUN_PATH];
  json_t *config = run_path(dir, "config.json", path) == FOVEA_OK ? json_load_file(path, 0, NULL) : NULL;
  const bool factors = json_object_get(config, "factors") != NULL;
  json_decref(config);
  return factors;
}

run_kind run_kind_of(const char *dir) {
  if (has(dir, "results.csv") || has_factors(dir)) return RUN_SWEEP;
  const bool run = has(dir, "config.json") || has(dir, "checkpoint.safetensors") || has(dir, "metrics.csv");
  return run ? RUN_TRAINING : RUN_OTHER;
}

fovea_status run_refuse_leftovers(const char *dir) {
  char found[LEFT_BEHIND + 1][NAME] = {""}, names[NAMED * (NAME + 2)] = "";
  size_t count = 0, used = 0;
  fovea_status status = list_leftovers(dir, found);
  for (size_t i = 0; i < LEFT_BEHIND && status == FOVEA_OK; i++) {
    if (found[i][0] == '\0' || ++count > NAMED) continue;
    used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", count > 1 ? ", " : "", found[i]);
  }
  if (status != FOVEA_OK || count == 0) return status;
  const bool sweep = run_kind_of(dir) == RUN_SWEEP;
  return fovea_fail(FOVEA_INVALID,
                    "%s has %s%s of an earlier %s already; go on from it with fovea %s --resume, or choose another "
                    "folder for --out",
                    dir, names, count > NAMED ? " and more" : "", sweep ? "sweep" : "run", sweep ? "sweep" : "train");
}

fovea_status run_refuse_own(const char *what, const char *path) {
  char *real = realpath(path, NULL), *copy = strdup(real != NULL ? real : path);
  free(real);
  if (copy == NULL) return fovea_fail(FOVEA_NO_MEMORY, "no memory to look at %s", path);
  char *slash = strrchr(copy, '/');
  const char *name = slash != NULL ? slash + 1 : copy;
  const bool named = word_of(name) < LEFT_BEHIND;
  if (slash != NULL) slash[slash == copy] = '\0';
  const bool own = named && run_kind_of(slash != NULL ? copy : ".") != RUN_OTHER;
  free(copy);
  if (!own) return FOVEA_OK;
  return fovea_fail(FOVEA_INVALID, "%s %s: a file of that name is the run's or the sweep's own; choose another name",
                    what, path);
}
