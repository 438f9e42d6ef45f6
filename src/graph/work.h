/* What a network costs by its graph alone: for the benchmark. */
#ifndef FOVEA_GRAPH_WORK_H
#define FOVEA_GRAPH_WORK_H

#include "fovea/graph.h"

/* Of one batch: a forward pass, and a whole training step. */
typedef struct fovea_work {
  double forward_flops, step_flops; /* of convolutions and dense layers, as direct sums */
  double forward_bytes, step_bytes; /* the fewest: see work.c */
  double activations;               /* bytes of all values of the network */
} fovea_work;

fovea_work fovea_work_of(const fovea_graph *graph, int batch);

#endif
