/* How a batch normalization's sums over the batch are divided, which the attention that is fused with it asks, too. */
#ifndef FOVEA_OP_BATCHNORM_SUMS_H
#define FOVEA_OP_BATCHNORM_SUMS_H

#include "op/conv2d/batch_sum.h"
#include "plan/record.h"

/* Of launches that read and write `tensors` of the node's size. */
fovea_batch_sum fovea_batchnorm_division(const fovea_plan *plan, const fovea_node *n, double tensors);

/* Whether whoever reads them makes the statistics of the sums of a few parts of the batch. */
bool fovea_batchnorm_is_merged(const fovea_plan *plan, const fovea_node *n, const fovea_batch_sum *sum);

/* How many blocks of images each of the sums of the normalization's gradient has that its fused attention's backward
 * pass is to add up, FOVEA_BATCHNORM_SUMS; 0: that is done already. */
int fovea_batchnorm_blocks_a_sum(const fovea_plan *plan, int norm);

#endif
