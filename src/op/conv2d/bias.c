#include "op/conv2d/bias.h"

static fovea_record *record_sums(fovea_plan *plan, const char *kernel, fovea_view dy, const char *what, fovea_view sums,
                                 int h, int w) {
  fovea_record *r = fovea_plan_record(plan, "bias.cl", "", kernel);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, what, sums);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "h", h);
  fovea_record_int(r, "w", w);
  return r;
}

void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db) {
  const bool rows_apart = fovea_plan_device(plan)->tuning.vector == 1;
  const double bytes = 4.0 * c * h * w * fovea_plan_batch(plan);
  fovea_plan_side_stream(plan, true);
  if (rows_apart) {
    fovea_view rows = fovea_plan_new(plan, (size_t)c * (size_t)h);
    fovea_record *r = record_sums(plan, "bias_backward_rows", dy, "rows", rows, h, w);
    fovea_record_lane_groups(plan, r, (size_t)h, (size_t)c);
    fovea_record_cost(r, 0, bytes);
    r = fovea_plan_record(plan, "bias.cl", "", "bias_backward");
    fovea_record_view(plan, r, "rows", rows);
    fovea_record_view(plan, r, "db", db);
    fovea_record_int(r, "h", h);
    fovea_record_range(r, (size_t)c, 1, 1);
    fovea_record_cost(r, 0, 4.0 * c * (h + 1));
  } else {
    fovea_record *r = record_sums(plan, "bias_backward", dy, "db", db, h, w);
    fovea_record_lane_groups(plan, r, 1, (size_t)c);
    fovea_record_cost(r, 0, bytes);
  }
  fovea_plan_side_stream(plan, false);
}
