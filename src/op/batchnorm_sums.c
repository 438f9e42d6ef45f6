#include "op/batchnorm_sums.h"

#include "op/conv2d/batch_sum.h"
#include "runtime/device.h"

/* On a CPU a launch over a small image costs as much as its sums: there a work-item has a channel of all images, unless
 * other ranks have some of them. */
fovea_batch_sum fovea_batchnorm_division(const fovea_plan *plan, const fovea_node *n, double tensors) {
  enum { SMALL = 2 << 20 };
  const double bytes = tensors * 4 * n->h * n->w * fovea_plan_batch(plan);
  return fovea_batch_sum_divide(plan, n->h, n->c, bytes, fovea_plan_shares_statistics(plan) ? 0 : tensors * SMALL);
}

/* On a GPU whose units still have groups enough: a launch of a group a channel would take some 7 us, its levels one
 * after the other. */
bool fovea_batchnorm_is_merged(const fovea_plan *plan, const fovea_node *n, const fovea_batch_sum *sum) {
  enum { MOST_CHANNELS = 128, PARTS = 8, GROUPS = 4 }; /* of local memory of spatial_attention.cl; a unit's share */
  const fovea_device *device = fovea_plan_device(plan);
  return fovea_plan_ranks(plan) == 1 && device->tuning.vector == 1 && !sum->whole && n->c <= MOST_CHANNELS &&
         GROUPS * PARTS * (unsigned)n->c >= device->info.compute_units;
}

int fovea_batchnorm_blocks_a_sum(const fovea_plan *plan, int norm) {
  const fovea_node *n = fovea_plan_node(plan, norm);
  const fovea_batch_sum sum = fovea_batchnorm_division(plan, n, 4);
  const bool reads = fovea_plan_fused(plan, norm) >= 0 && fovea_plan_wants_gradient(plan, norm, 0);
  return reads && fovea_batchnorm_is_merged(plan, n, &sum) ? fovea_batch_sum_in_few_parts(plan, sum).share : 0;
}
