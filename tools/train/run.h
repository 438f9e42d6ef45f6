/* What the commands that train or read a run have in common: the options of a run, its data, its directory. */
#ifndef FOVEA_TOOLS_TRAIN_RUN_H
#define FOVEA_TOOLS_TRAIN_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "fovea/vae.h"
#include "train/augment.h"
#include "train/images.h"
#include "train/show.h"

enum { RUN_PATH = 4096, RUN_OPTIONS = 56, RUN_HASH = 24 };

#define RUN_LARGEST_SEED 9007199254740992LL /* 2^53: exact in JSON and in every reader of it */

/* As the option table wants them. */
typedef struct run_options {
  const char *data, *out, *init, *device;
  image_options images;
  augment_options augment;
  option_ints arch, show;
  long long depth, latent, kernel, epochs, batch, seed, limit_train, limit_test;
  long long rank_timeout; /* seconds; this and sync_bn concern the ranks of one training */
  int ranks;              /* of this training; 0: one process */
  int activation;         /* index in run_activations: fovea_activation less one */
  int attention;          /* fovea_attention */
  bool batchnorm, resume, json, log_json, tensorboard, sync_bn;
  double dropout, kl, bn_momentum, lr, min_lr;
  char init_hash[RUN_HASH]; /* of the file that init names, "xxh64:0123456789abcdef"; "" without start weights */
  const json_t *sweep;      /* the configuration of the sweep that it belongs to, or NULL */
} run_options;

extern const char *const run_activations; /* "elu|relu|selu|sigmoid|...": all but linear */
extern const char run_attentions[];       /* "none|spatial|channel|cbam" */

enum { RUN_WORD = 16 }; /* the longest of those words, and its end */

run_options run_options_default(void);

/* Fills table[RUN_OPTIONS] with every option of a training command; returns how many. */
size_t run_options_table(run_options *o, option table[RUN_OPTIONS]);

/* FOVEA_INVALID for options that contradict each other, and for a path that is no UTF-8, as config.json names it. */
fovea_status run_options_check(const run_options *o);

fovea_vae_config run_vae_config(const run_options *o, int channels, int height, int width);

/* --- data --- */

typedef struct run_data {
  fovea_dataset *train, *test;
  uint64_t train_hash, test_hash; /* fovea_dataset_hash of each */
} run_data;

/* Both splits, of images of one size; says on stderr what they are. FOVEA_INVALID when they differ, when the options'
 * network cannot have such images, when --out is in the data or around it, or, before any image is read, when it has
 * files of an earlier run and there is no resume; else as fovea_dataset_load. So all that can be refused without a
 * device is refused before --out is made. */
fovea_status run_data_load(const run_options *o, run_data *data);
void run_data_free(run_data *data);

/* FOVEA_INVALID when the options' network cannot have such images. */
fovea_status run_check_network(const run_options *o, const fovea_dataset *images);

/* --- the directory --- */

/* "DIR/NAME" in path[RUN_PATH]; FOVEA_INVALID when it is too long. */
fovea_status run_path(const char *dir, const char *name, char path[RUN_PATH]);
bool run_exists(const char *path);

/* Makes DIR and takes its lock, which the process's end gives back too: FOVEA_IO when another process has it. */
fovea_status run_lock(const char *dir, int *lock);
void run_unlock(int lock); /* takes -1 */

/* Whether a process has DIR's lock. */
bool run_is_locked(const char *dir);

/* What a folder is of, by its files; a sweep's has factors in its config.json from its beginning. */
typedef enum run_kind { RUN_OTHER, RUN_TRAINING, RUN_SWEEP } run_kind;
run_kind run_kind_of(const char *dir);

/* FOVEA_INVALID when the file at `path`, which the option `what` names, would be one that a run or a sweep writes
 * itself, in a folder of one: its training would replace it, or miss what it had there. */
fovea_status run_refuse_own(const char *what, const char *path);

/* FOVEA_INVALID, naming some of them, when DIR has files of an earlier run or sweep: a checkpoint, a configuration,
 * tables, pictures. FOVEA_IO. */
fovea_status run_refuse_leftovers(const char *dir);

#endif
