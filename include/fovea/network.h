/* A graph made ready on a device: parameters, the memory plan, and the launches of a training and an evaluation pass.
 *
 * All memory is allocated and all kernel arguments are set by fovea_network_create; a step allocates no device memory,
 * uploads only the batch's bytes, and waits for nothing but, once in some 4000 calls, for the losses so far. */
#ifndef FOVEA_NETWORK_H
#define FOVEA_NETWORK_H

#include <stddef.h>

#include "fovea/augment.h"
#include "fovea/device.h"
#include "fovea/graph.h"
#include "fovea/ranks.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fovea_network fovea_network;

typedef struct fovea_network_options {
  int batch;                  /* images a step, 1 to 65536; padded inside to a multiple of 16 */
  uint64_t seed;              /* of initial weights, masks and samples */
  bool training;              /* false: evaluation only, in less memory */
  bool inspect;               /* for debugging: no two tensors share memory: see fovea_network_read */
  fovea_augmentation augment; /* of training steps; all 0: none */
  const fovea_ranks *ranks;   /* who else has a part of each batch (ranks.h); borrowed; NULL: nobody */
} fovea_network_options;

/* Borrows device and graph, which must outlive the network, and freezes the graph (graph.h). The caller owns *network.
 * The parameters get their initial values, from the seed. FOVEA_INVALID for a failed graph or one without an input, for
 * one to be trained whose last node is no loss, for a batch, an augmentation or ranks out of range, and for a variable
 * of the environment as in fovea_device_open; FOVEA_NO_MEMORY, before anything ran, with the total and the device's
 * limit; FOVEA_DEVICE when a kernel cannot be built or run. */
FOVEA_API fovea_status fovea_network_create(fovea_device *device, const fovea_graph *graph,
                                            const fovea_network_options *options, fovea_network **network);
FOVEA_API void fovea_network_destroy(fovea_network *network); /* takes NULL */

/* What the network was made with, or loaded; borrowed from it. NULL for NULL. */
FOVEA_API const fovea_network_options *fovea_network_get_options(const fovea_network *network);

/* The images, and the graph's last tensor; -1 for NULL. */
FOVEA_API fovea_tensor fovea_network_input(const fovea_network *network);
FOVEA_API fovea_tensor fovea_network_output(const fovea_network *network);

/* Whether fovea_network_read and fovea_network_evaluate_from take the tensor; false for what is none, and for NULL. The
 * tensors of a loaded graph are those from 0 to fovea_network_output. */
FOVEA_API bool fovea_network_keeps(const fovea_network *network, fovea_tensor tensor);

/* Bytes of device memory that the network holds. */
FOVEA_API size_t fovea_network_memory(const fovea_network *network);

/* "builtin" or "clblast": which of them computes the dense layers' products. By the environment's FOVEA_BLAS: builtin,
 * the default and the only one that gives the same bits on every device; clblast; or auto, the faster one in a
 * measurement on this device, never clblast on a CPU. clblast is verified against builtin first. "" for NULL. */
FOVEA_API const char *fovea_network_blas(const fovea_network *network);

/* --- parameters, in the file's layout (PyTorch's axis order, Keras's flatten order) --------------------------- */

typedef struct fovea_parameter {
  const char *name; /* "encoder.block1.conv2.weight"; borrowed from the network */
  int rank;
  int dims[4];
  size_t count;   /* product of dims */
  bool trainable; /* false: a moving statistic */
} fovea_parameter;

/* parameter: borrowed; NULL where index is not below the count. */
FOVEA_API size_t fovea_network_parameter_count(const fovea_network *network);
FOVEA_API const fovea_parameter *fovea_network_parameter(const fovea_network *network, size_t index);

typedef enum fovea_value {
  FOVEA_VALUE,        /* the parameter itself */
  FOVEA_GRADIENT,     /* of the last backward pass; trainable only */
  FOVEA_FIRST_MOMENT, /* Adam's m; trainable only */
  FOVEA_SECOND_MOMENT /* Adam's v; trainable only */
} fovea_value;

/* Blocking copies from and to the device of parameter `index`: `data` has its count of floats, row-major in its dims,
 * which may be any. FOVEA_INVALID for an index out of range, or a value that a parameter or network does not have;
 * FOVEA_NO_MEMORY, FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_network_get(fovea_network *network, size_t index, fovea_value which, float *data);
FOVEA_API fovea_status fovea_network_set(fovea_network *network, size_t index, fovea_value which, const float *data);

/* --- training and evaluation ---------------------------------------------------------------------------------- */

/* Adam (Kingma & Ba 2015) in Keras's form, p -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps); b1 .9, b2 .999,
 * eps 1e-7; t counts from 1 and is the number of steps taken since creation or fovea_network_set_step. */
FOVEA_API fovea_status fovea_network_set_step(fovea_network *network, uint32_t step);
FOVEA_API uint32_t fovea_network_get_step(const fovea_network *network);

/* Enqueues one training step (forward, backward, Adam) on `count` images, 1 to batch, of channels x height x width
 * bytes each, gathered from pixels + index[i] * image size (index NULL: consecutive). Does not wait for the device, but
 * once in some 4000 calls, training steps and evaluations together, to read the losses so far; `pixels` and `index` may
 * be changed afterwards. FOVEA_INVALID for a count out of range, a rate that is not finite or
 * below 0, for a network without training, and after step 2^32 - 2; FOVEA_MISMATCH, once in some 4000 calls, as
 * fovea_network_losses; FOVEA_DEVICE, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_network_train_step(fovea_network *network, const uint8_t *pixels, const uint32_t *index,
                                                size_t count, float learning_rate);

/* Which images they are, for augmentation, whose draws depend on nothing else but the seed. */
typedef struct fovea_numbering {
  const uint32_t
      *numbers; /* of each image in the set; NULL: its `index`, or its place in the batch where that is NULL */
  uint32_t epoch;
} fovea_numbering;

/* fovea_network_train_step, which itself takes the indices for the images' numbers and the step for the epoch. The
 * numbers may be changed afterwards. `numbering` NULL: likewise. Statuses as there. */
FOVEA_API fovea_status fovea_network_train_numbered(fovea_network *network, const uint8_t *pixels,
                                                    const uint32_t *index, const fovea_numbering *numbering,
                                                    size_t count, float learning_rate);

/* What the next training step would see of these images: count x channels x height x width floats in [0, 1], made by
 * the kernel that a step begins with. Without augmentation the pixels / 255. Waits for the device; changes nothing but
 * that the losses so far are added up. Statuses as fovea_network_train_step, and FOVEA_MISMATCH as
 * fovea_network_losses. */
FOVEA_API fovea_status fovea_network_augment(fovea_network *network, const uint8_t *pixels, const uint32_t *index,
                                             const fovea_numbering *numbering, size_t count, float *images);

/* Enqueues one evaluation pass (moving statistics, no dropout, z sampled) on `count` images, given as for a training
 * step. `noise_step` is the Philox counter of the sample: the number of the batch in the test set. FOVEA_INVALID for a
 * count out of range; FOVEA_MISMATCH as above; FOVEA_DEVICE, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_network_evaluate(fovea_network *network, const uint8_t *pixels, const uint32_t *index,
                                              size_t count, uint32_t noise_step);

/* How often the ranks meet in a training step, or in an evaluation pass of a network made for that alone, and how many
 * bytes this rank sends then, to all others together, each of which sends about as many. 0 without other ranks. */
FOVEA_API fovea_status fovea_network_traffic(const fovea_network *network, size_t *meetings, size_t *bytes);

/* Mean losses over the images of all passes since the last call, of training steps and of evaluations alike: call it
 * between them for the losses of each. All 0 where there were none; in nats, binary cross-entropy a pixel and channel.
 * Waits for the device. */
typedef struct fovea_losses {
  double bce;
  double kl;    /* unweighted: mean over images */
  double total; /* bce + kl_weight * kl */
  size_t images;
  size_t passes;
} fovea_losses;

/* FOVEA_MISMATCH when a loss of these passes is NaN or infinite, or a gradient of a training step: the message names
 * the first such pass, by its training step or its batch of an evaluation, both counted from 0, and, where it can be
 * found, the parameter or tensor that was the first, with its op. A training step whose loss is not finite
 * changes no trainable parameter, and neither do the steps after it, nor those after a step whose gradient was not
 * finite, up to this call. The losses of these passes are discarded. FOVEA_DEVICE, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_network_losses(fovea_network *network, fovea_losses *losses);

/* Copies a tensor of the last evaluation pass: count x channels x height x width floats, image after image. Kept are
 * the graph's last tensor, mu, logvar and z, what fovea_graph_keep was told, and with options.inspect all but those
 * that are computed in one with an activation after them. FOVEA_INVALID for another tensor, which may have been
 * overwritten, before the first evaluation pass, and for more images than the last one that made the tensor had;
 * FOVEA_DEVICE, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_network_read(fovea_network *network, fovea_tensor tensor, size_t count, float *data);

/* Runs only the part of an evaluation pass after `tensor` (z, to decode latent codes) from given values, count x
 * channels x height x width: the nodes that were added after it. What they read of nodes before it is what the last
 * evaluation pass left; a z among them is sampled as in noise_step 0, and the loss, which has no images to compare
 * with, goes nowhere. Waits for the copy. FOVEA_INVALID for a tensor that is not kept (see fovea_network_read), for a
 * count out of range, and where nodes before `tensor` are read after it and the last evaluation pass had fewer images.
 */
FOVEA_API fovea_status fovea_network_evaluate_from(fovea_network *network, fovea_tensor tensor, const float *data,
                                                   size_t count);

/* --- a network in a file ---------------------------------------------------------------------------------------- */

/* Replaces `path`, in one step (a crash leaves the old file or the new one), by a safetensors file (safetensors.h) of
 * all that the network is: its graph with every attribute to the last bit, names and what is kept, its batch, seed and
 * augmentation, the parameters, and of a network that trains the step and Adam's moments. Waits for the device. Losses
 * that were not read yet are not in it. Any tool reads the parameters under their names; the graph is JSON in its
 * metadata. FOVEA_INVALID for a graph of more than 16384 nodes, and for names that are not UTF-8 or that the file needs
 * itself (optimizer.m.NAME); FOVEA_MISMATCH, and nothing written, when a number is NaN or infinite; FOVEA_IO,
 * FOVEA_NO_MEMORY, FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_network_save(fovea_network *network, const char *path);

/* Makes a graph and a network as they were saved: every output and every further training step has the same bits, on
 * any device. Both are the caller's, the graph to be destroyed after the network; tensors have the numbers that they
 * had when the graph was built. `options` NULL: the batch, the seed and the training that were saved, without
 * inspection. Else what they say, of which a batch or a seed of 0 and no augmentation are the saved one; with training
 * false moments in the file are passed over. The file is not trusted. FOVEA_INVALID, with what is wrong where, for one
 * that fovea_network_save has not written, that a newer version has, that is damaged, whose tensors are not those of
 * its graph, or that has no training state where `options` want it; and as fovea_network_create; FOVEA_IO,
 * FOVEA_NO_MEMORY, FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_network_load(fovea_device *device, const char *path, const fovea_network_options *options,
                                          fovea_graph **graph, fovea_network **network);

/* The graph alone, without a device; not frozen, so that it can be added to. Statuses as above. */
FOVEA_API fovea_status fovea_graph_load(const char *path, fovea_graph **graph);

#ifdef __cplusplus
}
#endif
#endif
