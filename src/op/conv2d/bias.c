#include "op/conv2d/bias.h"

#include <math.h>

#include "op/conv2d/batch_sum.h"

void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db) {
  const int batch = fovea_plan_batch(plan);
  const double bytes = 4.0 * h * w * batch;
  const fovea_batch_sum sum = fovea_batch_sum_divide(plan, h, c, bytes, HUGE_VAL);
  fovea_plan_side_stream(plan, true);
  const fovea_view blocks = fovea_batch_sum_new(plan, c, 1);
  fovea_record *r = fovea_plan_record(plan, "bias.cl", "", sum.whole ? "bias_backward" : "bias_backward_blocks");
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "blocks", blocks);
  if (sum.whole) fovea_record_view(plan, r, "db", db);
  fovea_record_int(r, "n", batch);
  fovea_record_int(r, "h", h);
  fovea_record_int(r, "w", w);
  fovea_record_int(r, "rows", sum.rows);
  if (!sum.whole) fovea_record_int(r, "share", sum.share);
  fovea_record_batch_sum(plan, r, &sum, 1, (size_t)c);
  fovea_record_cost(r, 0, bytes * c);
  if (!sum.whole) {
    r = fovea_plan_record(plan, "bias.cl", "", "bias_backward_tree");
    fovea_record_view(plan, r, "blocks", blocks);
    fovea_record_view(plan, r, "db", db);
    fovea_record_int(r, "n", batch);
    fovea_record_int(r, "share", sum.share);
    fovea_record_batch_tree(plan, r, (size_t)c);
    fovea_record_cost(r, 0, 4.0 * c * (batch / 16 + 1));
  }
  fovea_plan_side_stream(plan, false);
}
