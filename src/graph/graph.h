/* The graph, seen from inside the library: nodes in the order in which they were added, each with one output. */
#ifndef FOVEA_GRAPH_GRAPH_H
#define FOVEA_GRAPH_GRAPH_H

#include <stdatomic.h>
#include <stddef.h>

#include "fovea/graph.h"

enum { FOVEA_NODE_PARAMETERS = 4, FOVEA_NAME_SIZE = 128 };

typedef struct fovea_op fovea_op;

typedef enum fovea_initial { FOVEA_ZEROS, FOVEA_ONES, FOVEA_GLOROT } fovea_initial;

/* A parameter as a node declares it. Device order is the file's but for the axes that `rows` and `columns` name: an
 * image shape (channels, height, width) whose flattened index is (h, w, c) in the file and (c, h, w) on the device. */
typedef struct fovea_parameter_spec {
  char name[FOVEA_NAME_SIZE + 32];
  int rank, dims[4];
  bool trainable;
  fovea_initial initial;
  double fan_in, fan_out;
  int rows[3], columns[3]; /* rows[0] == 0: as they are */
} fovea_parameter_spec;

typedef struct fovea_node {
  const fovea_op *op;
  char name[FOVEA_NAME_SIZE];
  fovea_tensor inputs[2];
  int input_count;
  int c, h, w;
  fovea_parameter_spec parameters[FOVEA_NODE_PARAMETERS];
  int parameter_count;
  uint32_t random; /* op number in Philox's counter, from 1; 0: draws nothing */
  bool kept;       /* fovea_graph_keep */
  /* what the op was asked for; each op reads its own */
  fovea_conv2d conv;
  int out_h, out_w; /* of a transposed convolution; 0: stride times the input's */
  int top, left;
  float momentum, epsilon, kl_weight;
  double rate;
  fovea_activation activation;
} fovea_node;

struct fovea_graph {
  fovea_node *nodes;
  int count, capacity;
  uint32_t random_count;
  fovea_tensor input, latent, loss; /* -1: none yet */
  fovea_status status;
  char message[512];
  atomic_bool frozen; /* a network is made of it: nothing above changes any more */
};

/* Whether an evaluation leaves the tensor to be read and evaluated from: the user's, the last one, mu, logvar, z. */
bool fovea_graph_is_result(const fovea_graph *graph, fovea_tensor tensor);

/* For the builders, in the files of their ops. Checks, infers and appends a node of `op` with the inputs and attributes
 * of `asked`; "" for an op without a name. -1 and remembered where that fails. */
fovea_tensor fovea_graph_add(fovea_graph *graph, const fovea_op *op, const fovea_node *asked, const char *name);
/* The same with the name "name.kind". */
fovea_tensor fovea_graph_add_within(fovea_graph *graph, const fovea_op *op, const fovea_node *asked, const char *name,
                                    const char *kind);
/* What a builder, fovea_add_BUILDER, checks itself: remembers the failure, returns -1. */
fovea_tensor fovea_graph_refuse_null(fovea_graph *graph, const char *builder, const char *argument);

/* For programs that try every op: a node of it with its attributes' examples, named like the op; x and `other` are of
 * one shape, images. Not for the few that fit one place of a graph alone. */
bool fovea_op_has_example(const fovea_op *op);
fovea_tensor fovea_graph_add_example(fovea_graph *graph, const fovea_op *op, fovea_tensor x, fovea_tensor other);

/* The graph stays what it is, hence const; any thread may do it. */
void fovea_graph_freeze(const fovea_graph *graph);

#endif
