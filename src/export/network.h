/* A graph with its numbers, and the part of it that is exported. */
#ifndef FOVEA_EXPORT_NETWORK_H
#define FOVEA_EXPORT_NETWORK_H

#include "fovea/onnx.h"
#include "graph/graph.h"

enum { FOVEA_EXPORT_NAME = FOVEA_NAME_SIZE + 32 };

/* A node and its tensor. */
typedef struct fovea_export_node {
  char name[FOVEA_EXPORT_NAME]; /* unique */
  bool needed;                  /* read by an output */
  bool result;                  /* an output under its own name */
  bool folded;                  /* a batch normalization that the layer before it does */
  int rank;                     /* 4; 2 of a dense layer's units, and of what keeps them units */
  /* Owned; units in the order (c, h, w) of the image that they are or become. [1] of a product is its bias or NULL. */
  float *parameters[FOVEA_NODE_PARAMETERS];
} fovea_export_node;

typedef struct fovea_export_output {
  fovea_tensor tensor;
  const char *name;
  bool units; /* [batch, units] */
} fovea_export_output;

typedef struct fovea_export {
  const fovea_graph *graph;
  fovea_export_node *nodes;     /* one for each of the graph */
  fovea_tensor given;           /* the part's input */
  fovea_export_output *outputs; /* two may be one tensor */
  int output_count;
} fovea_export;

/* Chooses the part's inputs, outputs and nodes. FOVEA_INVALID for a part that the graph does not have. To be freed,
 * whatever it returns. */
fovea_status fovea_export_choose(fovea_export *e, const fovea_graph *graph, fovea_onnx_part part);
void fovea_export_free(fovea_export *e);

/* Of those that are chosen until then. */
bool fovea_export_is_output(const fovea_export *e, fovea_tensor tensor);

/* Where parameters come from: the numbers of one in the file's order. */
typedef fovea_status fovea_export_source(void *of, const fovea_parameter_spec *parameter, float *data);
fovea_status fovea_export_read(fovea_export *e, fovea_export_source *source, void *of);

/* Folds batch normalizations, and counts them and those that stay. FOVEA_NO_MEMORY. */
fovea_status fovea_export_fold(fovea_export *e, bool fold, fovea_onnx_summary *summary);

/* How many of its inputs a node reads here: a loss its own and no images, of a sample the mean is taken. */
int fovea_export_inputs(const fovea_node *node);

#endif
