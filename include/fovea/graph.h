/* A network as a graph of operations. Shapes are channels x height x width of one image; the batch is added later.
 *
 * Builder calls return the handle of their output: 0 for the first, 1 for the second, and so on. A failing call (a bad
 * shape, a parameter out of range, no memory) returns -1 and later calls that are given -1 return it too;
 * fovea_network_create reports the first failure. Names become the names of parameters ("encoder.conv_in" has
 * "encoder.conv_in.weight"); they must be unique, of 1 to 127 bytes (an attention's with its ".spatial" or ".channel")
 * and without double quotes; they are copied, as everything that is given by pointer is. An image of a tensor has at
 * most 2^31 - 1 values.
 *
 * A graph is frozen by the first network that is made of it: every later builder call is refused with -1 and a message,
 * and changes nothing, so that more networks can be made of it. */
#ifndef FOVEA_GRAPH_H
#define FOVEA_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "fovea/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_graph fovea_graph;
typedef int fovea_tensor;

typedef enum fovea_activation {
  FOVEA_LINEAR,
  FOVEA_ELU, /* alpha 1 */
  FOVEA_RELU,
  FOVEA_SELU, /* Klambauer et al. 2017: scale 1.05070098735548..., alpha 1.67326324235437... */
  FOVEA_SIGMOID,
  FOVEA_TANH,
  FOVEA_LEAKY_RELU /* x, below 0 times 0.3, as Keras's LeakyReLU by default; PyTorch and Maas et al. 2013 have 0.01 */
} fovea_activation;

/* "linear", "elu", "relu", ...; NULL for what is none of them, so that 0, 1, 2, ... up to there are all. */
FOVEA_API const char *fovea_activation_name(fovea_activation activation);

/* An empty graph, the caller's, to be destroyed after the networks that are made of it. FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_graph_create(fovea_graph **graph);
FOVEA_API void fovea_graph_destroy(fovea_graph *graph); /* takes NULL */

/* The status of the first builder call that failed, FOVEA_INVALID or FOVEA_NO_MEMORY, whose message fovea_error_message
 * then has again; or FOVEA_OK. */
FOVEA_API fovea_status fovea_graph_check(const fovea_graph *graph);

/* The images: 8-bit pixels become pixel / 255. Exactly one a graph; 1 to 4096 of each. */
FOVEA_API fovea_tensor fovea_add_input(fovea_graph *graph, int channels, int height, int width);

typedef struct fovea_conv2d {
  int filters; /* output channels: 1 to 65536 */
  int kernel;  /* pixels a side: 1, 3, 5, ... 15 */
  int stride;  /* 1 or 2; 0, as of a stride that is not given, is refused */
  bool bias;
  bool same;   /* Keras's 'same' padding; else `padding` on each side */
  int padding; /* used when not same; at most kernel - 1 */
} fovea_conv2d;

/* Convolution (the field's cross-correlation); the result has `filters` channels, and sides of ceil(side / stride) with
 * `same`, else (side + 2 padding - kernel) / stride + 1, at least 1. Parameters name.weight [filters, channels, kernel,
 * kernel], at most 2^28 numbers, Glorot uniform, and name.bias [filters], zero. Copies *conv. */
FOVEA_API fovea_tensor fovea_add_conv2d(fovea_graph *graph, fovea_tensor x, const char *name, const fovea_conv2d *conv);

/* Transposed convolution, the exact gradient of a convolution by its input, with 'same' padding only: without
 * conv->same, and so by default, it is refused (FOVEA_INVALID). The result is filters x height * stride x width *
 * stride, sides of at most 4096. Parameters name.weight [channels, filters, kernel, kernel], name.bias [filters]. */
FOVEA_API fovea_tensor fovea_add_conv2d_transpose(fovea_graph *graph, fovea_tensor x, const char *name,
                                                  const fovea_conv2d *conv);

/* The same with a result of filters x out_height x out_width, each side one whose convolution of this stride gives the
 * input's: (height - 1) * stride + 1 to height * stride; 0 is height * stride. So a coder's sides come back where the
 * stride does not divide them, 15 from 8; it is what Keras and PyTorch do by output_padding. */
FOVEA_API fovea_tensor fovea_add_conv2d_transpose_sized(fovea_graph *graph, fovea_tensor x, const char *name,
                                                        const fovea_conv2d *conv, int out_height, int out_width);

/* y = W x (+ b) on all of an image's values, at most 65536; the result has shape units x 1 x 1, 1 to 65536. Parameters
 * name.weight [units, channels * height * width], at most 2^28 numbers, whose columns in files are in Keras's order
 * (h, w, c), and name.bias [units]. */
FOVEA_API fovea_tensor fovea_add_dense(fovea_graph *graph, fovea_tensor x, const char *name, int units, bool bias);

/* Keras's Reshape: x is units x 1 x 1 in the file's order (h, w, c); no data moves. */
FOVEA_API fovea_tensor fovea_add_reshape(fovea_graph *graph, fovea_tensor x, int channels, int height, int width);

/* Ioffe & Szegedy 2015 with Keras's details: per channel over batch and pixels, biased variance in both the
 * normalization and the moving average, moving = momentum * moving + (1 - momentum) * batch. Parameters weight (gamma),
 * bias (beta) [channels] and moving statistics running_mean, running_var [channels]. 0 <= momentum < 1, 0 < epsilon
 * < 1.
 */
FOVEA_API fovea_tensor fovea_add_batchnorm(fovea_graph *graph, fovea_tensor x, const char *name, float momentum,
                                           float epsilon);

/* Inverted dropout: kept values are scaled by 1 / (1 - rate); the identity in evaluation. 0 <= rate <= 1 - 2^-32. */
FOVEA_API fovea_tensor fovea_add_dropout(fovea_graph *graph, fovea_tensor x, double rate);

FOVEA_API fovea_tensor fovea_add_activation(fovea_graph *graph, fovea_tensor x, fovea_activation activation);

/* x * sigmoid(conv5x5([max over channels, mean over channels]) + b), Woo et al. 2018 (CBAM) without its batch norm.
 * Parameters name.spatial.weight [1, 2, 5, 5], name.spatial.bias [1]. */
FOVEA_API fovea_tensor fovea_add_spatial_attention(fovea_graph *graph, fovea_tensor x, const char *name);

/* x * sigmoid(mlp(mean over pixels) + mlp(max over pixels)), Woo et al. 2018; hidden max(channels / 16, 1), relu.
 * Parameters name.channel.fc1.weight [hidden, channels], .fc1.bias, .fc2.weight [channels, hidden], .fc2.bias. */
FOVEA_API fovea_tensor fovea_add_channel_attention(fovea_graph *graph, fovea_tensor x, const char *name);

/* Channels of a, then of b, of one height and width; a view where the memory plan allows it, which is nearly always. */
FOVEA_API fovea_tensor fovea_add_concat(fovea_graph *graph, fovea_tensor a, fovea_tensor b);

/* y = a + b, of one shape: the sum that a residual block ends with (He et al. 2015, arXiv:1512.03385). */
FOVEA_API fovea_tensor fovea_add_residual(fovea_graph *graph, fovea_tensor a, fovea_tensor b);

/* z = mu + exp(logvar / 2) * eps, eps standard normal, and the loss weight * mean over the batch of
 * -1/2 sum(1 + logvar - mu^2 - exp(logvar)). Kingma & Welling 2014. At most one a graph; mu and logvar are units x 1 x
 * 1 of one length; 0 <= kl_weight < 1e9. */
FOVEA_API fovea_tensor fovea_add_reparameterize(fovea_graph *graph, fovea_tensor mu, fovea_tensor logvar,
                                                float kl_weight);

/* p = sigmoid(x) and the loss: binary cross-entropy of p, clipped to [1e-7, 1 - 1e-7], against the input images, mean
 * over pixels and batch. At most one a graph, the last node; its value is the reconstruction p. */
FOVEA_API fovea_tensor fovea_add_sigmoid_bce(fovea_graph *graph, fovea_tensor x);

/* `tensor` is to be read after an evaluation pass (fovea_network_read), and a pass may go on from other values of it
 * (fovea_network_evaluate_from): its memory is not used for others then. What would be computed in one with it, and it
 * not be made, is computed apart in an evaluation, which costs time and memory: a convolution and its activation; a
 * spatial attention and its batch normalization; a batch normalization and its dropout and activation. Nothing changes
 * in training, and no number in either. Always kept are the graph's last tensor, and mu, logvar and z of
 * fovea_add_reparameterize. Returns the graph's first failure, if it has one; FOVEA_INVALID for what is no tensor of
 * the graph, which is a failure of the graph as a builder call's is, and for a frozen graph. */
FOVEA_API fovea_status fovea_graph_keep(fovea_graph *graph, fovea_tensor tensor);

/* The shape of a tensor: dims[0..2] = channels, height, width. FOVEA_INVALID for what is no tensor of the graph. */
FOVEA_API fovea_status fovea_tensor_shape(const fovea_graph *graph, fovea_tensor tensor, int dims[3]);

#ifdef __cplusplus
}
#endif
#endif
