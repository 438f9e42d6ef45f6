/* How long a sweep will take. */
#ifndef FOVEA_TOOLS_EXPERIMENT_ESTIMATE_H
#define FOVEA_TOOLS_EXPERIMENT_ESTIMATE_H

#include "train/run.h"

enum { ESTIMATE_TEXT = 200 };

/* ", some 34 minutes of training if all train as fast as the first does, at 1480 images/s; ..."; below two minutes in
 * seconds. */
void estimate_say(double images, double speed, char text[ESTIMATE_TEXT]);

/* The same for that many images, from a network of these options that is trained for about a second and thrown away; ""
 * where the set is too small to tell. FOVEA_DEVICE, FOVEA_NO_MEMORY. */
fovea_status estimate_time(fovea_device *device, const run_options *options, const fovea_dataset *data, size_t images,
                           char text[ESTIMATE_TEXT]);

/* What was measured of networks that are done, to correct what was said before. */
typedef struct estimate_record {
  size_t networks, images;
  double seconds; /* that all of them took, compiling and evaluation too */
  double said;    /* seconds an image, when it was last said how long the rest takes */
} estimate_record;

/* Adds a network. True, with a line to say, after the first, and whenever the mean is a quarter off what was last said,
 * and the rest half a minute; `left` networks of `left_images` images are still to come, `at_once` at a time, each as
 * fast as the mean of those that are done. */
bool estimate_correct(estimate_record *r, double seconds, size_t images, size_t left, size_t left_images,
                      size_t at_once, char text[ESTIMATE_TEXT]);

#endif
