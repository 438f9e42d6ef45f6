/* What an op may ask of a plan, and record: launches on views of storages that do not exist yet. */
#ifndef FOVEA_PLAN_RECORD_H
#define FOVEA_PLAN_RECORD_H

#include <stdbool.h>

#include "fovea/augment.h"
#include "graph/op.h"
#include "runtime/autotune.h"
#include "runtime/buffer.h"
#include "runtime/device.h"

typedef struct fovea_record fovea_record;

/* A piece of a storage; offset in floats, a multiple of 16. */
typedef struct fovea_view {
  int storage;
  size_t offset;
} fovea_view;

fovea_device *fovea_plan_device(const fovea_plan *plan);
int fovea_plan_batch(const fovea_plan *plan); /* padded */
bool fovea_plan_training(const fovea_plan *plan);
/* Whether `count` units that share the batch, in whole blocks of 16 images, have about as much to do as each other. */
bool fovea_plan_divides_evenly(const fovea_plan *plan, int count);
bool fovea_plan_clblast(const fovea_plan *plan);
const fovea_node *fovea_plan_node(const fovea_plan *plan, int node);
int fovea_plan_latent(const fovea_plan *plan);                             /* the graph's sample; -1: none */
const fovea_augmentation *fovea_plan_augmentation(const fovea_plan *plan); /* of a training pass; NULL: none */

/* activation(dropout(x)), the op number `random` in the dropout's counter; all zero is the identity. */
typedef struct fovea_pointwise {
  fovea_activation activation;
  double rate;
  uint32_t random;
} fovea_pointwise;

/* What was fused into a node: the dropout and activation that follow it, where nothing else reads what is between. */
const fovea_pointwise *fovea_plan_pointwise(const fovea_plan *plan, int node);

/* A spatial attention that only a batch normalization reads is fused with it: the attention's output and that output's
 * gradient are never made, and each makes what it needs of them anew. A convolution that only an activation reads is
 * fused with that: it writes the activation's output in place of its own. The other of the two, -1: this one is alone.
 */
int fovea_plan_fused(const fovea_plan *plan, int node);

/* Values. A node's own, its input's, its parameters and their gradients; a new storage of `size` floats, or of
 * images, channels of so many pixels of the batch, x[c][n/16][h][w][n%16]. */
fovea_view fovea_plan_output(const fovea_plan *plan, int node);
fovea_view fovea_plan_input(const fovea_plan *plan, int node, int input);
fovea_view fovea_plan_parameter(const fovea_plan *plan, int node, int parameter);
fovea_view fovea_plan_parameter_gradient(const fovea_plan *plan, int node, int parameter);
fovea_view fovea_plan_new(fovea_plan *plan, size_t size);
fovea_view fovea_plan_new_images(fovea_plan *plan, int channels, int pixels);
fovea_view fovea_plan_state(const fovea_plan *plan);  /* the words of net/internal.h */
fovea_view fovea_plan_pixels(const fovea_plan *plan); /* bytes, image after image */
fovea_view fovea_plan_losses(const fovea_plan *plan); /* the log of cl/losses.cl */

/* Ranks (fovea/ranks.h). How many share the batch, of which the plan's is a part; 1: none do. Whether a training's
 * normalizations have the statistics of the whole batch, of several ranks. How the parts of a sum over it are merged,
 * for cl/ranks.cl. A meeting: what each rank has at `own`, `size` floats, a multiple of 16, is at the view that is
 * returned then, [ranks][size]. */
int fovea_plan_ranks(const fovea_plan *plan);
bool fovea_plan_shares_statistics(const fovea_plan *plan);
fovea_view fovea_plan_merges(const fovea_plan *plan);
fovea_view fovea_record_meeting(fovea_plan *plan, fovea_view own, size_t size);
/* Floats that a record's workspace may take where less takes more time: a choice by it changes no bit. */
size_t fovea_plan_workspace(const fovea_plan *plan);
/* A buffer of whoever made the plan. */
fovea_view fovea_plan_bind(fovea_plan *plan, fovea_buffer *buffer);

/* A storage that forward makes and backward reads (a mask, a pooled map): kept for the node under `slot` (0 to 3). */
fovea_view fovea_plan_save(fovea_plan *plan, int node, int slot, size_t size);
fovea_view fovea_plan_save_images(fovea_plan *plan, int node, int slot, int channels, int pixels);
fovea_view fovea_plan_saved(const fovea_plan *plan, int node, int slot);

/* Gradients. Of the node's output; of an input, to be written, or added to when *accumulate. wants says whether the
 * input's gradient is needed at all (the images' is not). */
fovea_view fovea_plan_output_gradient(const fovea_plan *plan, int node);
bool fovea_plan_wants_gradient(const fovea_plan *plan, int node, int input);
fovea_view fovea_plan_input_gradient(fovea_plan *plan, int node, int input, bool *accumulate);

/* The tile that the next launches are to use, those recorded until the node's end or another request:
 * runtime/autotune.h. */
fovea_tile fovea_plan_tile(fovea_plan *plan, const char *key, const fovea_tile_list *list);
/* The most work-items of a group of `kernel`: fovea_launch_most_items. */
size_t fovea_plan_most_items(const fovea_plan *plan, const char *kernel);

/* What the record makes depends on the parameters alone, and no other record writes it: evaluations make it once, until
 * the parameters change. */
void fovea_record_prepacks_weights(fovea_plan *plan, fovea_record *record);

/* Launches that do the same for tensors of many ops, by a table (multi_tensor.c): weights that are packed, before the
 * pass; sums of bias gradients, then the final sums of all gradients, after it. */
typedef enum fovea_multi_tensor {
  FOVEA_MULTI_WEIGHTS, /* weights.cl, from parameters */
  FOVEA_MULTI_BIASES,  /* bias.cl, to what FOVEA_MULTI_SUMS read */
  FOVEA_MULTI_SUMS,    /* batch_sums.cl, to gradients */
  FOVEA_MULTI_COUNT
} fovea_multi_tensor;

enum { FOVEA_PART_VALUES = 12 };

/* What such a launch does for one op: its kernel's values, and how many work-items do it. */
typedef struct fovea_part {
  fovea_view from, to; /* each offset a multiple of 16 */
  int values[FOVEA_PART_VALUES];
  int items; /* FOVEA_MULTI_BIASES on a GPU: work-groups, of as many units of 16 lanes as any part asks for */
  int units;
  double bytes;
} fovea_part;

/* Room for `size` floats in the storage that such a launch packs weights into, or sums from. */
fovea_view fovea_plan_multi_new(fovea_plan *plan, fovea_multi_tensor which, size_t size);
void fovea_plan_multi_add(fovea_plan *plan, fovea_multi_tensor which, const fovea_part *part);

/* The record, the last one and complete but for its last argument, a table, is of a small gradient: it and those of
 * other layers that are alike but for where their operands lie may be one launch, whose groups' third axis runs over
 * the layers; `channels` of operands then live to the end of the pass. The table has, for each layer, how far from the
 * first's its views lie, in units of 16 floats. */
void fovea_record_alike(fovea_plan *plan, fovea_record *record, int channels);

/* The range's `axis` runs over the batch, and what is made of an image depends on that image and the parameters alone.
 * fovea_record_batch_range and fovea_record_shared_range say so themselves. */
void fovea_record_over_batch(fovea_record *record, int axis);

/* Between `on` and off: records of which only the optimizer reads what they make, and of which nothing overwrites what
 * they read. They may run beside the records that follow. */
void fovea_plan_side_stream(fovea_plan *plan, bool on);

/* Launches. Arguments in the kernel's order; `what` is the argument's name for messages. */
fovea_record *fovea_plan_record(fovea_plan *plan, const char *file, const char *options, const char *kernel);
void fovea_record_view(fovea_plan *plan, fovea_record *record, const char *what, fovea_view view);   /* 2 arguments */
void fovea_record_buffer(fovea_plan *plan, fovea_record *record, const char *what, fovea_view view); /* the pointer */
void fovea_record_int(fovea_record *record, const char *what, int value);
void fovea_record_uint(fovea_record *record, const char *what, uint32_t value);
void fovea_record_float(fovea_record *record, const char *what, float value);
void fovea_record_range(fovea_record *record, size_t x, size_t y, size_t z);
void fovea_record_groups(fovea_record *record, size_t local, size_t x, size_t y, size_t z);
/* The range's work-groups have at most `most` work-items; 0: as the device's do. */
void fovea_record_local(fovea_record *record, int most);
/* flops: of a convolution those of a direct one, whatever the algorithm; bytes: those that it moves at the least. */
void fovea_record_cost(fovea_record *record, double flops, double bytes);
/* The multiply-adds that make its result, where they are not half of those flops: Winograd's are fewer. Transforms are
 * none. */
void fovea_record_products(fovea_record *record, double products);

/* The shapes that most kernels have: over the batch, y and z; over the batch, ranges of `count` things (vector.clh) and
 * z; and groups of so many units of lanes (reduce.clh), of fewer where the device allows the kernel no more: a CPU's
 * are one work-item. */
void fovea_record_batch_range(fovea_plan *plan, fovea_record *record, size_t y, size_t z);
void fovea_record_shared_range(fovea_plan *plan, fovea_record *record, size_t count, size_t z);
void fovea_record_lane_groups(fovea_plan *plan, fovea_record *record, int units, size_t x, size_t y, size_t z);
void fovea_record_flat(fovea_record *record, size_t items); /* kernels that guard their end */

/* c[m x n] = a[m x k] b[k x n] + beta c by CLBlast, row-major; transposes as flags. */
typedef struct fovea_gemm {
  bool transpose_a, transpose_b;
  size_t m, n, k;
  size_t lda, ldb, ldc;
  float beta;
} fovea_gemm;
void fovea_record_gemm(fovea_plan *plan, const fovea_gemm *gemm, fovea_view a, fovea_view b, fovea_view c);

/* Remembers a failure; the first one is what fovea_plan_create returns. */
void fovea_plan_fail(fovea_plan *plan, fovea_status status);

#endif
