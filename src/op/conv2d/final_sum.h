/* The final sums of gradients over the batch (cl/batch_sums.cl), those of many layers in one launch. */
#ifndef FOVEA_OP_CONV2D_FINAL_SUM_H
#define FOVEA_OP_CONV2D_FINAL_SUM_H

#include "plan/record.h"

/* Floats from one number of a gradient to the next, and from a part of the batch to the next; how many parts. */
typedef struct fovea_sum_strides {
  int number, part, parts;
} fovea_sum_strides;

/* Where `count` floats that are to be summed may be put; and, after the launch that puts them there, their sums. */
fovea_view fovea_sums_new(fovea_plan *plan, size_t count);
void fovea_record_final_sum(fovea_plan *plan, fovea_view sums, int count, fovea_sum_strides strides, fovea_view to);

#endif
