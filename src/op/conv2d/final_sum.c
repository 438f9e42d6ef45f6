#include "op/conv2d/final_sum.h"

fovea_view fovea_sums_new(fovea_plan *plan, size_t count) {
  return fovea_plan_multi_new(plan, FOVEA_MULTI_SUMS, count);
}

void fovea_record_final_sum(fovea_plan *plan, fovea_view sums, int count, fovea_sum_strides strides, fovea_view to) {
  fovea_plan_multi_add(plan, FOVEA_MULTI_SUMS,
                       &(fovea_part){.from = sums,
                                     .to = to,
                                     .values = {0, strides.number, strides.part, strides.parts},
                                     .items = count,
                                     .bytes = 4.0 * count * (strides.parts + 1)});
}
