/* The factors of an experiment and their levels, from the text of --factors. */
#ifndef FOVEA_TOOLS_EXPERIMENT_LEVELS_H
#define FOVEA_TOOLS_EXPERIMENT_LEVELS_H

#include "train/run.h"

enum { LEVELS_MOST = 64, LEVELS_WORD = 80, LEVELS_FACTORS = 20 };
/* The four of the original experiment come first. */
enum { LEVELS_ACTIVATION, LEVELS_ATTENTION, LEVELS_BATCHNORM, LEVELS_DROPOUT, LEVELS_FOUR };

typedef struct factor {
  const char *name;                     /* of the option */
  size_t count;                         /* of its levels */
  char words[LEVELS_MOST][LEVELS_WORD]; /* each as results.csv has it: "relu", "on", "0.005", "35-25-15-5" */
  size_t first;                         /* that --factors lists first; of attention without a list, none */
} factor;

typedef struct factor_list {
  factor of[LEVELS_FACTORS];
  size_t count; /* at least four; those that do not vary have one level */
} factor_list;

/* FOVEA_INVALID, naming what may stand there. */
fovea_status levels_parse(const char *text, const run_options *options, factor_list *list);

/* Gives the options that level of the factor. `base` has what "on" of dropout means. FOVEA_INVALID. */
fovea_status levels_apply(const factor *f, size_t level, const run_options *base, run_options *options);

/* "activation=relu,arch=35-25-5": the first level of each factor that varies, but for those that are on or off. */
void levels_first(const factor_list *list, char *text, size_t size);

/* "elu", "bn", "nodrop", "latent8": the level's part of a configuration's name. */
void levels_name(const factor *f, size_t level, char *out, size_t size);

#endif
