/* The configurations of a factorial experiment, in order. */
#ifndef FOVEA_TOOLS_EXPERIMENT_FACTORS_H
#define FOVEA_TOOLS_EXPERIMENT_FACTORS_H

#include "train/identity.h"

enum { FACTORS_NAME = 96 };

typedef struct factors_config {
  char name[FACTORS_NAME];    /* "elu-spatial-bn-drop-s768" */
  char columns[FACTORS_NAME]; /* "elu,spatial,on,on,768": the fields of results.csv */
  int activation, attention;  /* as in run_options */
  bool batchnorm, dropout;
  long long seed;
  bool done;              /* for the caller: the results have it */
  char run[IDENTITY_RUN]; /* likewise: the name of its run */
} factors_config;

/* The configurations that `factors` asks for, "activation,attention=spatial|none,...": a factor alone has all its
 * levels (activation: elu, relu, selu, sigmoid, of all that there are; attention: on, which is options' attention or
 * spatial, and off), one with = those given, one left out the level that the options have. All of that is done for the
 * seeds options->seed, options->seed + 1, ... in turn, so that what is there early is a whole experiment.
 *
 * Within a seed, nested loops: activation outermost (in the order of run_activations), then attention (on, off), batch
 * norm (on, off), dropout (on, off). The original goes through itertools.product of its four lists too, but the order
 * of the lists is not known to us; the order changes no result, since every configuration starts from its seed.
 *
 * The caller frees *configs. FOVEA_INVALID, naming what may stand there, when a factor or a level is there twice, when
 * dropout is to be on at options' rate of 0, or when the last seed is above the largest; FOVEA_NO_MEMORY. */
fovea_status factors_plan(const char *factors, const run_options *options, long long seeds, factors_config **configs,
                          size_t *count);

#endif
