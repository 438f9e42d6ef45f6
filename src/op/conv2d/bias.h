/* The gradient of a bias (cl/bias.cl). */
#ifndef FOVEA_OP_CONV2D_BIAS_H
#define FOVEA_OP_CONV2D_BIAS_H

#include "plan/record.h"

/* db[c]: the sum of dy, of c channels of h x w pixels. */
void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db);

#endif
