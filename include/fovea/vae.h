/* The variational autoencoder with attention of the seed experiment, and its training on a data set. */
#ifndef FOVEA_VAE_H
#define FOVEA_VAE_H

#include "fovea/data.h"
#include "fovea/network.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum fovea_attention {
  FOVEA_ATTENTION_NONE,
  FOVEA_ATTENTION_SPATIAL,
  FOVEA_ATTENTION_CHANNEL,
  FOVEA_ATTENTION_CBAM /* channel, then spatial */
} fovea_attention;

enum { FOVEA_MAX_UNITS = 32 };

typedef struct fovea_vae_config {
  int channels, height, width; /* of the images: 1 to 4096 each; a side that is odd where it is halved is
                                  padded by the encoder's convolution and cropped by the decoder's */
  int units[FOVEA_MAX_UNITS];  /* channels of the encoder's levels, 1 to 65536; sorted descending by fovea_vae_create */
  int unit_count;              /* 2 to FOVEA_MAX_UNITS; the image is halved unit_count - 2 times */
  int depth;                   /* convolution blocks a dense block: 1 to 1024 */
  int latent;                  /* numbers of a code: 1 to 65536 */
  fovea_activation activation;
  fovea_attention attention;
  bool batchnorm;     /* in the convolution blocks; the coders' ends and the bottleneck always have it */
  double dropout;     /* rate; 0: none; below 1 */
  double kl_weight;   /* at least 0, below 1e9 */
  double bn_momentum; /* at least 0, below 1 */
  int batch;          /* 1 to 65536 */
  uint64_t seed;
  int kernel;                 /* pixels a side of the convolutions' kernels: 3, 5, ... 15; 0 is 3 */
  fovea_augmentation augment; /* of the training's images, by their number in the set and the epoch; all 0: none */
  const fovea_ranks *ranks;   /* who else has a part of each batch (ranks.h); borrowed; NULL: nobody */
} fovea_vae_config;

/* The seed experiment's defaults: 28x28x1, units 35,25,15,5, depth 3, latent 2, relu, spatial attention, batch norm on,
 * dropout 0.2, KL weight 0.001, BN momentum 0.99, batch 64, seed 768, kernels of 3x3. */
FOVEA_API fovea_vae_config fovea_vae_default(void);

/* The members are for reading. */
typedef struct fovea_vae {
  fovea_vae_config config;
  fovea_graph *graph;
  fovea_network *network;
  fovea_tensor mu, logvar, z, reconstruction;
} fovea_vae;

/* Checks a configuration as fovea_vae_create does, without a device: a value out of range, a bottleneck
 * too large. FOVEA_INVALID with its sentence, FOVEA_NO_MEMORY. */
FOVEA_API fovea_status fovea_vae_check(const fovea_vae_config *config);

/* Builds graph and network. FOVEA_INVALID with a sentence for each value out of range. `training` false: evaluation
 * only. The caller owns *vae, the device must outlive it; other statuses are fovea_network_create's. */
FOVEA_API fovea_status fovea_vae_create(fovea_device *device, const fovea_vae_config *config, bool training,
                                        fovea_vae **vae);
FOVEA_API void fovea_vae_destroy(fovea_vae *vae); /* takes NULL */

/* Values of an image: channels x height x width. */
FOVEA_API size_t fovea_vae_image_size(const fovea_vae *vae);

/* Trainable parameters. */
FOVEA_API size_t fovea_vae_parameter_count(const fovea_vae *vae);

/* The learning rate of step `iteration` (from 0): lr / (1 + decay * iteration), decay = 2 (lr - min_lr) / epochs; NaN
 * for epochs < 1. */
FOVEA_API double fovea_vae_learning_rate(double lr, double min_lr, int epochs, uint32_t iteration);

/* One epoch: shuffles with Philox from (seed, epoch), trains on every image (the last batch may be smaller). `epoch`
 * counts from 0. `progress` (may be NULL) is called after every few steps with images done and the losses so far of
 * the epoch; returning false stops after that step: *stopped says so. */
typedef bool (*fovea_progress)(void *user, size_t images_done, const fovea_losses *losses);
typedef struct fovea_epoch {
  int epoch, epochs;
  double lr, min_lr;
  size_t start;        /* images of the epoch already done (a resumed run) */
  fovea_losses so_far; /* in: losses of those images; out: of the epoch */
  bool stopped;
  fovea_progress progress;
  void *user;
  void (*step_done)(void *user); /* may be NULL; called after every step, which the device may still be computing */
} fovea_epoch;
/* FOVEA_INVALID for an epoch, a start or a learning rate out of range: a rate is finite and at least 0.
 * FOVEA_MISMATCH when a loss or a gradient is NaN or infinite: see fovea_network_losses. */
FOVEA_API fovea_status fovea_vae_train_epoch(fovea_vae *vae, const fovea_dataset *data, fovea_epoch *epoch);

/* Mean losses over the data set in evaluation mode: moving statistics, no dropout, z sampled (FOVEA_LATENT_SAMPLE).
 * FOVEA_MISMATCH as above, naming the evaluation's batch. */
FOVEA_API fovea_status fovea_vae_evaluate(fovea_vae *vae, const fovea_dataset *data, fovea_losses *losses);

/* Which code z an image is reconstructed from. */
typedef enum fovea_latent {
  FOVEA_LATENT_MEAN,  /* z = mu: what most people mean by an image's reconstruction; a function of the image alone */
  FOVEA_LATENT_SAMPLE /* z = mu + exp(logvar / 2) eps, as the losses are evaluated; eps is drawn by Philox with the
                         network's seed and depends on the image's place in its batch and on the batch's number */
} fovea_latent;

/* Where codes go: count x latent floats each, owned by the caller; NULL for what is not wanted. */
typedef struct fovea_codes {
  float *mu, *logvar;
  float *z; /* what the decoder got: the codes that the images come from */
} fovea_codes;

/* Reconstructions (count x C x H x W, in [0, 1]) of `count` images from the first; data are their 8-bit pixels.
 * `codes` (may be NULL) is filled, too: with FOVEA_LATENT_MEAN z equals mu. The losses of these passes are discarded.
 * FOVEA_INVALID for another value of `latent`; FOVEA_MISMATCH when a loss is not finite; FOVEA_NO_MEMORY,
 * FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_vae_reconstruct(fovea_vae *vae, const uint8_t *pixels, size_t count, fovea_latent latent,
                                             const fovea_codes *codes, float *reconstructions);

/* The means mu (count x latent) of the codes of `count` images. Statuses as fovea_vae_reconstruct. */
FOVEA_API fovea_status fovea_vae_encode(fovea_vae *vae, const uint8_t *pixels, size_t count, float *mu);

/* Images (count x C x H x W, in [0, 1]) of latent codes (count x latent). FOVEA_INVALID, FOVEA_DEVICE. */
FOVEA_API fovea_status fovea_vae_decode(fovea_vae *vae, const float *z, size_t count, float *images);

/* --- checkpoints: safetensors (fovea/safetensors.h) ------------------------------------------------------------ */

typedef struct fovea_training_state {
  int epoch;           /* epochs completed */
  size_t images_done;  /* of the epoch under way */
  fovea_losses so_far; /* of the epoch under way */
} fovea_training_state;

/* Writes parameters, Adam's moments, step and state atomically. `config_json`, the text of a JSON object (may be NULL),
 * goes to __metadata__ under "config", and the graph under "graph" (tools/README.md), but for one of more than 16384
 * nodes. FOVEA_INVALID for another text, and for a VAE made for evaluation only, which
 * has no training state. FOVEA_MISMATCH, and nothing written, when a value is NaN or infinite. */
FOVEA_API fovea_status fovea_vae_save(fovea_vae *vae, const char *path, const fovea_training_state *state,
                                      const char *config_json);

/* Reads parameters; with `state` (may be NULL) also the optimizer and the state. Without `state` they may be F64, F16
 * or BF16, as other programs write them, else all is F32. FOVEA_INVALID naming the tensor when
 * it is missing or its shape differs (another architecture), and with `state` for a VAE made for evaluation only, which
 * has no optimizer; nothing changed then. */
FOVEA_API fovea_status fovea_vae_load(fovea_vae *vae, const char *path, fovea_training_state *state);

#ifdef __cplusplus
}
#endif
#endif
