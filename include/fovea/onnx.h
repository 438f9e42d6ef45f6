/* A trained network as an ONNX file (onnx.ai), which ONNX Runtime, OpenVINO and others run.
 *
 * Images come in as float [batch, channels, height, width], each value pixel / 255, from 0 to 1, the batch any; so
 * reconstructions come out. A dense layer's results, such as mu, logvar and z, are [batch, units]. Nothing is sampled:
 * where the code's mean is decoded, z is mu. Dropout is left out, batch normalization has its moving statistics. */
#ifndef FOVEA_ONNX_H
#define FOVEA_ONNX_H

#include "fovea/network.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FOVEA_ONNX_OLDEST = 13, FOVEA_ONNX_NEWEST = 23, FOVEA_ONNX_USUAL = 17 };

typedef enum fovea_onnx_part {
  FOVEA_ONNX_BOTH,    /* "images" to "mu", "logvar" and "reconstructions" of z = mu. Of a graph without
                         fovea_add_reparameterize: to its last tensor, "reconstructions" of fovea_add_sigmoid_bce or
                         "output". And to each tensor of fovea_graph_keep, under its name, or OP_NUMBER without one */
  FOVEA_ONNX_ENCODER, /* "images" to "mu" and "logvar" */
  FOVEA_ONNX_DECODER  /* "z" to "reconstructions" */
} fovea_onnx_part;

typedef struct fovea_onnx_options {
  fovea_onnx_part part;
  int opset;           /* 13 to 23; 0: 17 */
  bool fold_batchnorm; /* into the convolution or dense layer right before it, where nothing else reads that */
} fovea_onnx_options;

/* What was written. */
typedef struct fovea_onnx_summary {
  size_t nodes;
  size_t folded, normalized; /* batch normalizations that were folded, and that are nodes */
  size_t bytes;
} fovea_onnx_summary;

/* Whether the library was built with it; without, the functions below are FOVEA_INVALID and say so. */
FOVEA_API bool fovea_onnx_built_in(void);

/* Replaces `path` in one step by the network of `checkpoint`, a file of fovea_network_save, fovea_vae_save or a run,
 * whose metadata has its graph. No device is needed. The file's metadata go along: config, run, data_hash, graph.
 * `options` NULL is all 0; `summary` may be NULL. FOVEA_INVALID for an opset or a part that may not be, a part that the
 * graph does not have, an op that cannot be written (it is named), a file that is damaged, has no graph or whose
 * tensors are not those of its graph, and more than the 2^31 - 1 bytes of an ONNX file; FOVEA_IO, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_onnx_export(const char *checkpoint, const char *path, const fovea_onnx_options *options,
                                         fovea_onnx_summary *summary);

/* The same of a network as it is now; its graph is in the metadata. Waits for the device. And FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_network_export_onnx(fovea_network *network, const char *path,
                                                 const fovea_onnx_options *options, fovea_onnx_summary *summary);

#ifdef __cplusplus
}
#endif
#endif
