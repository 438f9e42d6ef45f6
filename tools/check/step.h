/* One training step, its launches timed apart. */
#ifndef FOVEA_TOOLS_CHECK_STEP_H
#define FOVEA_TOOLS_CHECK_STEP_H

#include "fovea/vae.h"

/* Repeats the last training step, and adds the seconds of the launches of each autotune request (runtime/autotune.h) to
 * seconds[request]. */
fovea_status check_time_step(fovea_vae *vae, double *seconds);

#endif
