/* Inside the canonical network: the storage of values and gradients, and the state of a pass. */
#ifndef FOVEA_REF_CANONICAL_PLAN_H
#define FOVEA_REF_CANONICAL_PLAN_H

#include "ref/canonical.h"
#include "ref/canonical_ops.h"

/* Memory of one tensor, or of several that a concatenation holds side by side. */
struct canonical_storage {
  size_t size;
  float *value, *gradient;
  bool written; /* the gradient, in this step */
};

struct canonical_node {
  int alias; /* the node that makes this one's value; itself unless fused or a reshape */
  bool placed;
  int storage;
  size_t offset;
  struct canonical_pointwise pointwise; /* the dropout and activation fused into it */
  float *saved[3];                      /* what forward leaves for backward */
  float *found;                         /* a concatenation's gradient: its operands add to theirs afterwards */
  bool reached;                         /* by backward */
};

struct canonical_parameter_arrays {
  float *array[4];  /* by enum canonical_array, in the file's order */
  float *device[2]; /* value and gradient in the device's; array's where they are the same */
  int *place;       /* of the file's values on the device; NULL: the same */
};

struct canonical_network {
  const struct ref_network *topology;
  int batch, count; /* padded; the pass's images */
  bool training;
  const uint8_t *pixels;
  const struct canonical_augmentation *augment;
  struct canonical_draw draw;
  float bce, kl;
  struct canonical_node nodes[REF_MAX_NODES];
  struct canonical_storage storages[REF_MAX_NODES];
  int storage_count;
  struct canonical_parameter_arrays parameters[REF_MAX_PARAMETERS];
};

/* Fuses, then gives every node its place in a storage. */
void canonical_plan(struct canonical_network *net);

int canonical_source(const struct canonical_network *net, int node);
size_t canonical_node_size(const struct canonical_network *net, int node);
float *canonical_node_value(const struct canonical_network *net, int node);
float *canonical_node_gradient(const struct canonical_network *net, int node);

/* The gradient of an input of `node`, to be written, or added to when *accumulate; NULL: not wanted. */
float *canonical_input_gradient(struct canonical_network *net, int node, int input, bool *accumulate);

#endif
