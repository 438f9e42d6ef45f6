/* How sums over the batch are divided among work-groups (cl/common/reduce.clh). */
#ifndef FOVEA_OP_CONV2D_BATCH_SUM_H
#define FOVEA_OP_CONV2D_BATCH_SUM_H

#include "plan/record.h"

/* On a GPU a work-group is so many units of 16 lanes. Where whole, one has all blocks of images; else `share` blocks
 * each, a power of two, and a launch for the rest of the tree follows. On a CPU it is one work-item, with one block
 * unless whole. */
typedef struct fovea_batch_sum {
  bool whole;
  int share;
  int rows; /* of a block's, that units have side by side */
  int units;
} fovea_batch_sum;

/* For a launch that has `groups` of these sums, of images with so many rows, moving `bytes` for each. On a CPU it is
 * whole if it moves less than `least` in all. */
fovea_batch_sum fovea_batch_sum_divide(const fovea_plan *plan, int rows, int groups, double bytes, double least);

/* Gives each group so many blocks that few parts are left, at most 8, which whoever reads the sums can add up itself.
 */
fovea_batch_sum fovea_batch_sum_in_few_parts(const fovea_plan *plan, fovea_batch_sum sum);

/* What the blocks of c of them have: `numbers` each. */
fovea_view fovea_batch_sum_new(fovea_plan *plan, int c, int numbers);

/* The range of a launch that sums, for each y and z; of one for the rest of the tree, for each z. */
void fovea_record_batch_sum(fovea_plan *plan, fovea_record *record, const fovea_batch_sum *sum, size_t y, size_t z);
/* A group for each block of images, y and z, whose units have `count` things side by side; on a CPU a work-item. */
void fovea_record_row_groups(fovea_plan *plan, fovea_record *record, int count, size_t y, size_t z);
/* One group, of about so many work-items; on a CPU one work-item. */
void fovea_record_one_group(fovea_plan *plan, fovea_record *record, int items);
void fovea_record_batch_tree(fovea_plan *plan, fovea_record *record, size_t z);

#endif
