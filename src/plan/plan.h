/* A plan: one pass over the graph as a list of launches. Ops record launches on views of storages that do not exist
 * yet; what each launch reads and writes then says how long each storage lives, storages whose lives do not meet share
 * memory, and the launches are made with their arguments set once. */
#ifndef FOVEA_PLAN_PLAN_H
#define FOVEA_PLAN_PLAN_H

#include <stdbool.h>

#include "fovea/augment.h"
#include "fovea/ranks.h"
#include "graph/op.h"
#include "plan/cut.h"
#include "runtime/buffer.h"
#include "runtime/device.h"

/* What a plan works on that outlives it: made by network.c. */
typedef struct fovea_resources fovea_resources;
struct fovea_resources {
  fovea_buffer *parameters, *gradients; /* trainable parameters first, then moving statistics */
  fovea_buffer *first_moments, *second_moments;
  fovea_buffer *state;    /* words: net/internal.h */
  fovea_buffer *pixels;   /* batch x image bytes */
  fovea_buffer *losses;   /* the log of losses.cl */
  const size_t *offsets;  /* [node * FOVEA_NODE_PARAMETERS + i], in floats */
  size_t trainable_count; /* floats, padded to 16 */
  uint64_t *changes;      /* how often the parameters have changed so far; a training plan's run counts itself */
  size_t workspace;       /* floats that a record's workspace may take where less takes more time; 0: the least,
                           * and launches do not wait for each other to be one */
  const fovea_augmentation *augment; /* NULL: none */
  const fovea_cut *cut;              /* of the batch, of which the plan is of a rank's part; NULL: of all of it */
  const fovea_ranks *ranks;          /* where there is a cut */
  fovea_buffer *merges;              /* the cut's, on the device */
  bool clblast;
  bool inspect; /* every value and gradient is kept, apart from the others and between canaries: inspect.h */
  /* Records, after a training plan's backward pass, what makes new parameters of the gradients: the last launch. */
  void (*record_optimizer)(fovea_plan *plan, const fovea_resources *resources);
};

/* Records both passes (training) or the forward one and plans the memory, of which none is taken yet. */
fovea_status fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                               const fovea_resources *resources, fovea_plan **plan);

/* Takes the memory and makes the launches; the plan can be run then. */
fovea_status fovea_plan_make(fovea_plan *plan);

void fovea_plan_destroy(fovea_plan *plan); /* takes NULL */

/* Enqueues every launch, or in an evaluation plan those after `node`. */
fovea_status fovea_plan_run(fovea_plan *plan);
fovea_status fovea_plan_run_after(fovea_plan *plan, fovea_tensor node);

size_t fovea_plan_memory(const fovea_plan *plan); /* bytes that it takes for itself */

/* How often a run meets the other ranks, and the bytes that it sends them, all together. */
void fovea_plan_traffic(const fovea_plan *plan, size_t *meetings, size_t *bytes);

/* The node whose activation is fused into the launches that make the node's value, which is therefore never made; -1:
 * it is made (a dropout changes nothing in an evaluation). */
fovea_tensor fovea_plan_fused_by(const fovea_plan *plan, fovea_tensor node);

/* Where a node's launches put its value: others may overwrite it. */
fovea_slice fovea_plan_made(const fovea_plan *plan, fovea_tensor node);

/* Where a node's value is after a run; FOVEA_INVALID when it may have been overwritten. */
fovea_status fovea_plan_value(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice);

#endif
