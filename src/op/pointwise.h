/* Dropout and activation as launches of their own, and as pieces of other ops' (cl/common/activation.clh). */
#ifndef FOVEA_OP_POINTWISE_H
#define FOVEA_OP_POINTWISE_H

#include "plan/record.h"

/* y = activation(dropout(x)), and its gradient from y (activation.c). */
void fovea_record_activation(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels, fovea_view x,
                             fovea_view y);
void fovea_record_activation_backward(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels,
                                      fovea_view y, fovea_view dy, fovea_view dx, bool accumulate);

/* The macros and the kernel arguments threshold, scale, op of activation.clh; no dropout in evaluation. */
enum { FOVEA_POINTWISE_OPTIONS = 48 };
void fovea_pointwise_options(const fovea_plan *plan, const fovea_pointwise *pointwise,
                             char options[FOVEA_POINTWISE_OPTIONS]);
void fovea_record_pointwise_arguments(fovea_plan *plan, fovea_record *record, const fovea_pointwise *pointwise);

/* The passes of a node that is a dropout or an activation, with what was fused into it. */
void fovea_record_pointwise_node(fovea_plan *plan, int node);
void fovea_record_pointwise_node_backward(fovea_plan *plan, int node);

#endif
