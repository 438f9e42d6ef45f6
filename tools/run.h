/* What the commands that train or read a run have in common: the options of a run, its configuration as JSON, its
 * data, the lock of its directory, and signals. */
#ifndef FOVEA_TOOLS_RUN_H
#define FOVEA_TOOLS_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "fovea/vae.h"
#include "options.h"

enum { RUN_PATH = 4096, RUN_OPTIONS = 24 };

/* As the option table wants them. */
typedef struct run_options {
  const char *data, *out, *init, *device;
  option_ints arch;
  long long depth, latent, epochs, batch, seed, limit_train, limit_test;
  int activation; /* index in run_activations: fovea_activation less one */
  int attention;  /* fovea_attention */
  bool batchnorm, resume, json;
  double dropout, kl, bn_momentum, lr, min_lr;
} run_options;

extern const char run_activations[], run_attentions[]; /* "elu|relu|selu|sigmoid", "none|spatial|channel|cbam" */

enum { RUN_WORD = 16 }; /* the longest of those words, and its end */

run_options run_options_default(void);

/* Fills table[RUN_OPTIONS] with every option of a training command; returns how many. */
size_t run_options_table(run_options *o, option table[RUN_OPTIONS]);

/* FOVEA_INVALID for options that contradict each other. */
fovea_status run_options_check(const run_options *o);

fovea_vae_config run_vae_config(const run_options *o, int channels, int height, int width);

/* --- data --- */

typedef struct run_data {
  fovea_dataset *train, *test;
} run_data;

/* Both splits, of images of one size; says on stderr what they are. FOVEA_INVALID when they differ, when the options'
 * network cannot have such images, or when --out is in the data or around it; else as fovea_dataset_load. So all that
 * can be refused without a device is refused before --out is made. */
fovea_status run_data_load(const run_options *o, run_data *data);
void run_data_free(run_data *data);

/* --- the configuration: what decides the weights, and nothing else (no path, no device, no time) ------------------ */

/* A new object, or NULL without memory. `sets` are the image sets that the run trains and tests on. */
json_t *run_config(const run_options *o, const run_data *sets);

/* The caller frees it; NULL without memory. Reals have as few digits as read back the same. */
char *run_config_text(const json_t *config);

/* Sets the options (the limits to the numbers of images), and image_dims (channels, height, width; may be NULL), from a
 * configuration's text. `where` names it in messages. FOVEA_INVALID when something is missing, of another type or out
 * of range. */
fovea_status run_config_parse(const char *where, const char *text, run_options *o, int image_dims[3]);

/* The configuration in a checkpoint's metadata; the caller frees *text. FOVEA_INVALID when it has none. */
fovea_status run_config_of_checkpoint(const char *path, char **text);

/* FOVEA_INVALID, naming the first option that differs, unless both are the same. */
fovea_status run_config_compare(const char *where, const char *stored, const json_t *config);

/* Writes DIR/config.json: the configuration, and data folder, start weights, device, driver, BLAS and version. `blas`
 * may be NULL. */
fovea_status run_config_write(const char *dir, const run_options *o, const json_t *config,
                              const fovea_device_info *device, const char *blas);

/* --- the directory --- */

/* "DIR/NAME" in path[RUN_PATH]; FOVEA_INVALID when it is too long. */
fovea_status run_path(const char *dir, const char *name, char path[RUN_PATH]);
bool run_exists(const char *path);

/* Makes DIR and takes its lock, which the process's end gives back too: FOVEA_IO when another process has it. */
fovea_status run_lock(const char *dir, int *lock);
void run_unlock(int lock); /* takes -1 */

/* --- signals --- */

/* From now on the first SIGINT or SIGTERM is remembered, to be asked for; the second one ends the process. */
void run_catch_signals(void);
bool run_interrupted(void);

#endif
