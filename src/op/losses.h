/* What the ops with a loss know of each other, for the log of losses (cl/losses.cl). */
#ifndef FOVEA_OP_LOSSES_H
#define FOVEA_OP_LOSSES_H

#include "plan/record.h"

/* The slot under which the sample keeps its divergence, [N/16][units][16]. */
enum { FOVEA_SAMPLE_KL = 1 };

#endif
