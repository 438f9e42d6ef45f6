#include "op/conv2d/bias.h"

#include "op/conv2d/batch_sum.h"
#include "op/conv2d/final_sum.h"

void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db) {
  const int batch = fovea_plan_batch(plan);
  const double bytes = 4.0 * h * w * batch;
  const fovea_batch_sum sum = fovea_batch_sum_divide(plan, h, c, bytes, 0);
  const int blocks = batch / 16, pieces = (blocks + sum.share - 1) / sum.share;
  fovea_plan_side_stream(plan, true);
  const fovea_view sums = fovea_sums_new(plan, (size_t)(c * blocks));
  fovea_plan_multi_add(plan, FOVEA_MULTI_BIASES,
                       &(fovea_part){.from = dy,
                                     .to = sums,
                                     .values = {batch, h, w, sum.rows, sum.share},
                                     .items = c * pieces,
                                     .units = sum.units,
                                     .bytes = bytes * c});
  fovea_record_final_sum(plan, sums, c, (fovea_sum_strides){blocks, sum.share, pieces}, db);
  fovea_plan_side_stream(plan, false);
}
