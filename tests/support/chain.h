/* A small graph built twice, for the library and of the reference's ops, and what comes of both compared:
 *
 *   input -> head (a convolution) -> the op under test -> tail (a convolution, or dense and reshape) -> sigmoid_bce
 *
 * The head gives the op floats, and its weight's gradient tests the op's dx. A chain_ function adds the node to both,
 * the reference's with a shape of its own; the handles are the same in both. */
#ifndef FOVEA_TESTS_CHAIN_H
#define FOVEA_TESTS_CHAIN_H

#include "fovea/network.h"
#include "ref/network.h"

struct chain_shape {
  const char *name;
  int channels, height, width; /* of the image */
  int batch, count;            /* count: images of the step */
  int head;                    /* channels of the head's output; 0: no head */
  int head_kernel;             /* 0: 3 */
  int head_stride;             /* 0: 1 */
  bool constant;               /* every image is of one value a channel */
  bool equal_filters;          /* the head's filters are the same: its output channels tie */
};

struct chain {
  const struct chain_shape *shape;
  fovea_graph *graph;
  struct ref_network *ref;
  uint64_t seed;
  const char *given[2]; /* parameters whose values are not drawn but these; values NULL: zeros */
  const float *values[2];
  double loss_rtol; /* 1e-6 by chain_begin */
  const char *blas; /* out: what the network used */
};

/* The device that all chains run on, the default or the environment's FOVEA_TEST_DEVICE: opened by the first use,
 * closed by chain_close (a cmocka group teardown). */
fovea_device *chain_device(void);
int chain_close(void **state);

/* False when the environment's FOVEA_TEST_CASE names another case. */
bool chain_wanted(const char *name);
/* Prints the command that runs this program's case alone. */
void chain_print_repeat(const char *name);

/* Input and head; returns the head's output, or the input where there is no head. */
int chain_begin(struct chain *chain, const struct chain_shape *shape);

/* What the builder call just made has been added to the graph: the same node of the reference. Any op can be tested by
 * it; the functions below are for the ops that many tests need. */
int chain_mirror(struct chain *chain, fovea_tensor added);

int chain_conv2d(struct chain *chain, int x, const char *name, const fovea_conv2d *conv);
int chain_conv2d_transpose(struct chain *chain, int x, const char *name, const fovea_conv2d *conv);
int chain_dense(struct chain *chain, int x, const char *name, int units, bool bias);
int chain_reshape(struct chain *chain, int x, int c, int h, int w);
int chain_batchnorm(struct chain *chain, int x, const char *name, double momentum, double epsilon);
int chain_dropout(struct chain *chain, int x, double rate);
int chain_activation(struct chain *chain, int x, fovea_activation activation);
int chain_spatial_attention(struct chain *chain, int x, const char *name);
int chain_channel_attention(struct chain *chain, int x, const char *name);
int chain_concat(struct chain *chain, int a, int b);
int chain_reparameterize(struct chain *chain, int mu, int logvar, double kl_weight);

/* Tail and loss, then runs and compares, frees everything, and returns how many comparisons failed: each has been
 * printed, with the case, the device, the seed and the first bad coordinate. */
int chain_end(struct chain *chain, int x);

/* --- the comparison alone, of a network and a reference with the same parameters' names --------------------------- */

struct chain_run {
  const char *name;
  const fovea_graph *graph;
  fovea_network *network;
  struct ref_network *ref;
  int batch, count;
  uint64_t seed;
  const struct chain_shape *shape; /* NULL: random images, filters all different */
  const char *given[2];
  const float *values[2];
  double loss_rtol;
};

/* Draws parameters and pixels; after another step, a training step of learning rate 0: losses, all gradients, and
 * moving statistics; an evaluation pass: losses, reconstruction, mu, logvar and z; of both, that padding images are 0.
 */
int chain_compare(const struct chain_run *run);

/* The last training or evaluation pass: of every value and gradient that is still in memory, the images that only pad
 * the batch must be 0 (cl/common/vector.clh), the others finite. Returns how many are not so. */
int chain_check_padding(const struct chain_run *run, bool training);

/* |a-b| <= atol + rtol |b| for each, NaN fails. Prints the first that is not; returns 0 or 1. dims[rank] for the
 * coordinate. */
int chain_close_to(const struct chain_run *run, const char *what, const float *a, const double *b, const int *dims,
                   int rank, double rtol, double atol);

/* A uniform number of [-1, 1), a 24-bit fraction: xorshift of *state, which is not 0. */
float chain_uniform(uint64_t *state);

/* A step's images, and new values of all parameters in both. The caller frees. */
uint8_t *chain_pixels(const struct chain_run *run);
int chain_parameters(const struct chain_run *run);

#endif
