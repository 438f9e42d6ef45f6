/* One training step, its launches timed apart. */
#ifndef FOVEA_CHECK_STEP_H
#define FOVEA_CHECK_STEP_H

#include "fovea/vae.h"

/* Repeats the last training step, and adds the seconds of what a survey (runtime/autotune.h) asks a tile for to
 * seconds[question]. */
fovea_status check_time_step(fovea_vae *vae, double *seconds);

#endif
