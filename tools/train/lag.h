/* Batch normalization's moving averages in a short training: they begin at mean 0 and variance 1, and each step takes
 * only 1 - momentum of the way from there. */
#ifndef FOVEA_TOOLS_TRAIN_LAG_H
#define FOVEA_TOOLS_TRAIN_LAG_H

#include "train/run.h"

enum { LAG_TEXT = 400 };

/* Steps of a training on so many images. */
double lag_steps(const run_options *o, size_t images);

/* momentum^steps: the part of the averages that is still what they began with. */
double lag_left(const run_options *o, size_t images);

/* A sentence, without a stop, where more than 1% is left, else "": the test losses are those of other averages than the
 * batches had. */
void lag_say(const run_options *o, size_t images, char text[LAG_TEXT]);

#endif
