/* The configurations of a factorial experiment, in order. */
#ifndef FOVEA_TOOLS_EXPERIMENT_FACTORS_H
#define FOVEA_TOOLS_EXPERIMENT_FACTORS_H

#include "train/identity.h"

enum {
  FACTORS_NAME = 200,
  FACTORS_COLUMNS = 200,
  FACTORS_ALIASES = 8192 /* 20 factors name 210 effects */,
  FACTORS_FIRST = 2048,
  FACTORS_PART = 128
};

/* What is asked for. */
typedef struct factors_request {
  const char *factors; /* "activation,attention=spatial|none,latent=2|8,lr=0.001|0.005" */
  long long seeds;
  long long random;      /* this many of a seed's configurations, drawn by the seed; 0: all */
  const char *fraction;  /* "1/2", "1/4", ... of them, a fractional factorial; NULL: all */
  const char *baselines; /* "activation=relu": what others are compared to; else the first level that is listed */
} factors_request;

typedef struct factors_config {
  char name[FACTORS_NAME];       /* "elu-spatial-bn-drop-latent8-s768" */
  char columns[FACTORS_COLUMNS]; /* "elu,spatial,on,on,8,768": the fields of results.csv */
  run_options options;           /* those of the sweep, with the levels and the seed */
  bool done;                     /* for the caller: the results have it, or it failed */
  bool failed;                   /* likewise: training met a NaN */
  char run[IDENTITY_RUN];        /* likewise: the name of its run */
} factors_config;

typedef struct factors_plan {
  factors_config *configs;
  size_t count;
  size_t whole;                  /* how many the whole factorial has, of all seeds */
  size_t others;                 /* factors beside the four that every table has: a column each before the seed */
  char header[FACTORS_COLUMNS];  /* "activation,attention,batchnorm,dropout,latent,seed" */
  char aliases[FACTORS_ALIASES]; /* of a part: what cannot be told (apart), in sentences; else "" */
  char first[FACTORS_FIRST];     /* "activation=relu,arch=35-25-5": the first level of each factor that varies */
} factors_plan;

/* The configurations that `request` asks for. activation, attention, batchnorm and dropout alone have all their levels
 * (activation: elu, relu, selu, sigmoid, of all that there are; attention: on, which is options' attention or spatial,
 * and off; dropout: on, which is options' rate, and off); with = those given, dropout also rates. Any number that a
 * training has is a factor with the levels given: arch (as 35-25-15-5), depth, latent, kernel, kl, bn-momentum, epochs,
 * batch, lr, min-lr, those of augmentation. One left out has the level of the options. All of that is done for the
 * seeds options->seed, options->seed + 1, ... in turn, so that what is there early is a whole experiment.
 *
 * Within a seed, nested loops: activation outermost (in the order of run_activations), then attention (on, off), batch
 * norm (on, off), dropout (on, off), then the others as they are given. The original goes through itertools.product of
 * its four lists too, but the order of the lists is not known to us; the order changes no result, since every
 * configuration starts from its seed.
 *
 * The caller frees plan->configs. FOVEA_INVALID, naming what may stand there, when a factor or a level is there twice,
 * when dropout is to be on at options' rate of 0, a configuration's options contradict each other, a fraction is not of
 * factors of two levels, a baseline is none of a factor's levels, or when the last seed is above the largest;
 * FOVEA_NO_MEMORY. */
fovea_status factors_make(const factors_request *request, const run_options *options, factors_plan *plan);

/* A sentence where a configuration says how shifts are filled and none shifts, else NULL. */
const char *factors_say_fill(const factors_plan *plan);

/* "these are 20 of 32 configurations, by --random 20"; "" where they are all. */
void factors_say_part(const factors_request *request, const factors_plan *plan, char text[FACTORS_PART]);

#endif
