/* What makes a run this one: its settings, and hashes of the data and of the start weights, as JSON in config.json and
 * in the checkpoint, and one short name for all of that, which stands in each line of metrics.csv and results.csv.
 * Nothing else is in it (no path, no device, no time): two runs of one identity are the same bytes. */
#ifndef FOVEA_TOOLS_TRAIN_IDENTITY_H
#define FOVEA_TOOLS_TRAIN_IDENTITY_H

#include "train/run.h"

enum { IDENTITY_RUN = 17 }; /* 16 hexadecimal digits and the end */

/* A hash as a configuration has it; and that of a configuration's key, 0 where there is none. */
void identity_hash_text(uint64_t hash, char text[RUN_HASH]);
uint64_t identity_hash(const json_t *config, const char *key);

/* Sets options->init_hash to the XXH64 of the file options->init. FOVEA_IO, FOVEA_NO_MEMORY, FOVEA_INVALID. */
fovea_status identity_of_init(run_options *options);

/* A new object, or NULL without memory. `sets` are the image sets that the run trains and tests on. */
json_t *run_config(const run_options *o, const run_data *sets);

/* The caller frees it; NULL without memory. Reals have as few digits as read back the same. */
char *run_config_text(const json_t *config);

/* The run's name: XXH64 of run_config_text. FOVEA_NO_MEMORY. */
fovea_status identity_of_run(const json_t *config, char run[IDENTITY_RUN]);

/* Sets the options (the limits to the numbers of images, init_hash), and image_dims (channels, height, width; may be
 * NULL), from a configuration's text. `where` names it in messages. FOVEA_INVALID when something is missing, of another
 * type or out of range. */
fovea_status run_config_parse(const char *where, const char *text, run_options *o, int image_dims[3]);

/* The configuration in a checkpoint's metadata, and its record of the epochs, or NULL, when history is not NULL; the
 * caller frees both. FOVEA_INVALID when it has no configuration. */
fovea_status run_config_of_checkpoint(const char *path, char **text, char **history);

/* DIR/config.json as text, which the caller frees; *text is NULL when there is no such file. FOVEA_IO, FOVEA_NO_MEMORY,
 * FOVEA_INVALID when it is too large. */
fovea_status run_config_read(const char *dir, char **text);

/* FOVEA_INVALID, naming the first option that differs, unless both are the same. What an older version did not record,
 * the hashes of the data, is not compared. */
fovea_status run_config_compare(const char *where, const char *stored, const json_t *config);

/* The same for the two files of a folder, config.json and the checkpoint's configuration. */
fovea_status identity_of_folder(const char *dir, const char *config_json, const char *checkpoint);

/* The same for what two ranks have, which `first` and `other` name. */
fovea_status identity_of_ranks(const char *first, const char *its, const char *other, const char *others);

/* FOVEA_INVALID, naming both, when config.json's text names another BLAS than `blas`, which would end one run with
 * products of two libraries. An older version recorded none, which passes. */
fovea_status identity_of_blas(const char *dir, const char *config_json, const char *blas);

/* Whether the hashes of the data are in a configuration's text. */
bool identity_has_data(const char *text);

/* Writes DIR/config.json: the configuration, its run's name, and data folder, start weights, sweep, device, driver and
 * version; of the network that is trained, which may be NULL, its BLAS and the bytes of the device that it takes. */
fovea_status run_config_write(const char *dir, const run_options *o, const json_t *config,
                              const fovea_device_info *device, const fovea_network *network);

/* Adds a key to DIR/config.json, where that is, until it is written anew: "failed", why a training ended without a
 * result, or "shards", the folders that were merged. Takes the value; NULL is no memory. FOVEA_IO, FOVEA_NO_MEMORY,
 * FOVEA_INVALID. */
fovea_status run_config_add(const char *dir, const char *key, json_t *value);

#endif
