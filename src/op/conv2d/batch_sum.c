#include "op/conv2d/batch_sum.h"

enum {
  LANES = 16,
  MOST_UNITS = 32, /* of cl/common/reduce.clh */
  LEAST_UNITS = 2, /* a work-group of 32 is a warp of the narrowest kind */
  /* A whole batch is one work-group's where its units have no more rows each and it moves no more bytes: then a launch
   * less, which takes 1.5 us, makes up for the other units of the device. */
  MOST_ROWS = 4,
  MOST_BYTES = 256 << 10
};

static int at_most(int a, int b) { return a < b ? a : b; }
static int at_least(int a, int b) { return a > b ? a : b; }
static int blocks_of(const fovea_plan *plan) { return fovea_plan_batch(plan) / LANES; }
static bool on_cpu(const fovea_plan *plan) { return fovea_plan_device(plan)->tuning.vector > 1; }

static int most_units(const fovea_plan *plan) {
  const size_t most = fovea_plan_device(plan)->info.max_work_group_size / LANES;
  return most < 1 ? 1 : most < MOST_UNITS ? (int)most : MOST_UNITS;
}

/* A GPU's, where its work-groups have at most so many units. */
static fovea_batch_sum divide(int blocks, int rows, double bytes, int most) {
  const int chunks = (rows + most - 1) / most;
  fovea_batch_sum sum = {.share = 1, .rows = (rows + chunks - 1) / chunks};
  int at_once = at_most(blocks, most / sum.rows);
  while (2 * sum.share <= at_once) sum.share *= 2;
  const double each = (double)blocks * rows / most;
  sum.whole = blocks <= sum.share || (each <= MOST_ROWS && bytes <= MOST_BYTES);
  if (sum.whole)
    sum.share = blocks;
  else
    at_once = sum.share;
  sum.units = at_most(most, at_least(LEAST_UNITS, sum.rows * at_once));
  return sum;
}

fovea_batch_sum fovea_batch_sum_divide(const fovea_plan *plan, int rows, int groups, double bytes, double least) {
  const int blocks = blocks_of(plan);
  const bool whole = bytes * groups < least;
  if (on_cpu(plan)) return (fovea_batch_sum){.whole = whole, .share = whole ? blocks : 1, .rows = 1, .units = 1};
  return divide(blocks, rows, bytes, most_units(plan));
}

fovea_batch_sum fovea_batch_sum_in_few_parts(const fovea_plan *plan, fovea_batch_sum sum) {
  enum { MOST_PARTS = 8 }; /* of cl/common/reduce.clh */
  while (sum.share * MOST_PARTS < blocks_of(plan)) sum.share *= 2;
  return sum;
}

fovea_view fovea_batch_sum_new(fovea_plan *plan, int c, int numbers) {
  return fovea_plan_new(plan, (size_t)c * (size_t)blocks_of(plan) * (size_t)numbers);
}

void fovea_record_batch_sum(fovea_plan *plan, fovea_record *record, const fovea_batch_sum *sum, size_t y, size_t z) {
  const int groups = (blocks_of(plan) + sum->share - 1) / sum->share;
  if (on_cpu(plan) && !sum->whole)
    fovea_record_batch_range(plan, record, y, z);
  else
    fovea_record_lane_groups(plan, record, sum->units, (size_t)groups, y, z);
}

static int units_for(const fovea_plan *plan, int count) {
  return at_most(most_units(plan), at_least(LEAST_UNITS, count));
}

void fovea_record_row_groups(fovea_plan *plan, fovea_record *record, int count, size_t y, size_t z) {
  const int most = most_units(plan), chunks = (count + most - 1) / most;
  if (on_cpu(plan))
    fovea_record_batch_range(plan, record, y, z);
  else
    fovea_record_lane_groups(plan, record, units_for(plan, (count + chunks - 1) / chunks), (size_t)blocks_of(plan), y,
                             z);
}

void fovea_record_one_group(fovea_plan *plan, fovea_record *record, int items) {
  fovea_record_lane_groups(plan, record, units_for(plan, items / LANES), 1, 1, 1);
}

void fovea_record_batch_tree(fovea_plan *plan, fovea_record *record, size_t z) {
  enum { UNITS = 4 };
  fovea_record_lane_groups(plan, record, units_for(plan, UNITS), 1, 1, z);
}
