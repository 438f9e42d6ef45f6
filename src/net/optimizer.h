/* What makes new parameters of their gradients. */
#ifndef FOVEA_NET_OPTIMIZER_H
#define FOVEA_NET_OPTIMIZER_H

#include "plan/plan.h"

/* Adam with Keras's epsilon (cl/adam.cl): a plan's resources.record_optimizer. */
void fovea_record_adam(fovea_plan *plan, const fovea_resources *resources);

#endif
