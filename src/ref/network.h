/* A whole network composed of the reference's ops, in double. Nodes are added in order, as to a fovea_graph, and are
 * numbered from 0; a node's value is [n][c][h][w]. Nodes that draw (dropout, reparameterize) are numbered from 1.
 *
 * Flattening is Keras's: a dense layer reads an image as (h, w, c), and a reshape reads its vector so. */
#ifndef FOVEA_REF_NETWORK_H
#define FOVEA_REF_NETWORK_H

#include "ref/ref.h"

enum { REF_MAX_NODES = 160, REF_MAX_PARAMETERS = 160, REF_NAME_SIZE = 96 };

struct ref_parameter {
  char name[REF_NAME_SIZE];
  int count;
  bool trainable;
  double *value, *gradient;
};

enum ref_op {
#define X(name, NAME, flags) REF_##NAME,
  FOVEA_OPS(X)
#undef X
};

/* What a node is asked for; each op reads its own. */
struct ref_asked {
  int c, h, w;                          /* of what is made of a vector, and of the images */
  int filters, kernel, stride, padding; /* filters: of a dense layer its units; padding < 0: Keras's 'same' */
  bool bias;
  int out_h, out_w; /* of a transposed convolution; 0: stride times the input's */
  double momentum, epsilon, rate, kl_weight;
  enum ref_activation activation;
};

struct ref_node {
  enum ref_op op;
  int inputs[2];
  int c, h, w;
  int parameters[4]; /* -1: none */
  struct ref_asked asked;
  struct ref_conv2d conv;
  uint32_t random;                  /* 0: draws nothing */
  double *value, *gradient, *saved; /* saved: mean and variance, or eps */
  uint8_t *keep;
};

struct ref_network {
  uint64_t seed;
  int n;
  struct ref_node nodes[REF_MAX_NODES];
  int count;
  struct ref_parameter parameters[REF_MAX_PARAMETERS];
  int parameter_count;
  uint32_t randoms;
  double bce, kl, total;
};

struct ref_network *ref_network_create(uint64_t seed);
void ref_network_destroy(struct ref_network *net);

/* Appends a node of any op; b: -1 where it reads one tensor, a too where none. `name` is what its parameters' names
 * begin with. */
int ref_add(struct ref_network *net, enum ref_op op, int a, int b, const char *name, const struct ref_asked *asked);

int ref_add_input(struct ref_network *net, int c, int h, int w);
/* padding < 0: Keras's 'same'. */
int ref_add_conv2d(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride, int padding,
                   bool bias);
int ref_add_conv2d_transpose(struct ref_network *net, int x, const char *name, int filters, int kernel, int stride,
                             bool bias);
int ref_add_dense(struct ref_network *net, int x, const char *name, int units, bool bias);
int ref_add_reshape(struct ref_network *net, int x, int c, int h, int w);
int ref_add_batchnorm(struct ref_network *net, int x, const char *name, double momentum, double epsilon);
int ref_add_dropout(struct ref_network *net, int x, double rate);
int ref_add_activation(struct ref_network *net, int x, enum ref_activation activation);
int ref_add_spatial_attention(struct ref_network *net, int x, const char *name);
int ref_add_channel_attention(struct ref_network *net, int x, const char *name);
int ref_add_concat(struct ref_network *net, int a, int b);
int ref_add_reparameterize(struct ref_network *net, int mu, int logvar, double kl_weight);
int ref_add_sigmoid_bce(struct ref_network *net, int x);

/* NULL: no such parameter. */
struct ref_parameter *ref_network_find(struct ref_network *net, const char *name);

/* n images of bytes. Training draws masks and updates the moving statistics; evaluation uses those. */
void ref_network_forward(struct ref_network *net, int n, const uint8_t *pixels, uint32_t step, bool training);
/* After a training pass: every gradient, from zeros. */
void ref_network_backward(struct ref_network *net);

/* The same node by node, so that a caller can look at and replace values and gradients between: begin, forward_node for
 * every node in order; then clear_gradients, backward_node for every node from the last to the first. */
void ref_network_begin(struct ref_network *net, int n);
void ref_network_forward_node(struct ref_network *net, int node, const uint8_t *pixels, uint32_t step, bool training);
void ref_network_clear_gradients(struct ref_network *net);
void ref_network_backward_node(struct ref_network *net, int node);

#endif
