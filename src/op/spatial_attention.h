/* A spatial attention and the batch normalization after it, where they are fused (fovea_plan_fused). */
#ifndef FOVEA_OP_SPATIAL_ATTENTION_H
#define FOVEA_OP_SPATIAL_ATTENTION_H

#include "plan/record.h"

/* What they know of each other: the slots of the attention's scale,
 * one channel, and of the normalization's statistics, and its parameters. */
enum {
  FOVEA_ATTENTION_SCALE = 1,
  FOVEA_BATCHNORM_STATS = 0,
  FOVEA_BATCHNORM_SUMS = 1,
  FOVEA_BATCHNORM_GAMMA = 0,
  FOVEA_BATCHNORM_BETA = 1
};

/* Whether the attention leaves its launch to the normalization to record: with its output, in an evaluation, or with
 * the moments for its statistics (batchnorm_moments of cl/batchnorm_statistics.cl). */
bool fovea_attention_is_fused(const fovea_plan *plan, int attention);
void fovea_record_measured_attention(fovea_plan *plan, int attention, fovea_view blocks);
void fovea_record_normalized_attention(fovea_plan *plan, int attention, fovea_view stats);

#endif
