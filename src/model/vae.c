/* The seed network as a graph: a convolutional variational autoencoder with dense blocks and attention, after the Keras
 * script of the experiment that the project reproduces. tests/golden/torch_vae.py is the same network in PyTorch. */
#include "fovea/vae.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fail.h"
#include "model/vae.h"
#include "net/augment.h"
#include "net/network.h"

static const float bn_epsilon = 1e-3f; /* Keras's */

enum { NAME_SIZE = 64 };

fovea_vae_config fovea_vae_default(void) {
  return (fovea_vae_config){.channels = 1,
                            .height = 28,
                            .width = 28,
                            .units = {35, 25, 15, 5},
                            .unit_count = 4,
                            .depth = 3,
                            .latent = 2,
                            .activation = FOVEA_RELU,
                            .attention = FOVEA_ATTENTION_SPATIAL,
                            .batchnorm = true,
                            .dropout = 0.2,
                            .kl_weight = 0.001,
                            .bn_momentum = 0.99,
                            .batch = 64,
                            .seed = 768,
                            .kernel = 3};
}

/* --- what a configuration may be --------------------------------------------------------------------------------- */

static fovea_status check_image(const fovea_vae_config *c) {
  if (c->channels < 1 || c->height < 1 || c->width < 1)
    return fovea_fail(FOVEA_INVALID, "vae: images of %d channels, %dx%d pixels; each must be at least 1", c->channels,
                      c->height, c->width);
  return FOVEA_OK;
}

static fovea_status check_units(const fovea_vae_config *c) {
  if (c->unit_count < 2 || c->unit_count > FOVEA_MAX_UNITS)
    return fovea_fail(FOVEA_INVALID, "vae: %d units, expected 2 to %d of them, such as 35,25,15,5", c->unit_count,
                      FOVEA_MAX_UNITS);
  for (int i = 0; i < c->unit_count; i++) {
    if (c->units[i] < 1 || c->units[i] > 65536)
      return fovea_fail(FOVEA_INVALID, "vae: unit %d has %d channels, expected 1 to 65536", i + 1, c->units[i]);
  }
  return FOVEA_OK;
}

static fovea_status check_config(const fovea_vae_config *c) {
  fovea_status status = check_units(c);
  if (status == FOVEA_OK) status = check_image(c);
  if (status != FOVEA_OK) return status;
  if (c->depth < 1 || c->depth > 1024) return fovea_fail(FOVEA_INVALID, "vae: depth %d, expected 1 to 1024", c->depth);
  if (c->latent < 1 || c->latent > 65536)
    return fovea_fail(FOVEA_INVALID, "vae: latent size %d, expected 1 to 65536", c->latent);
  if (c->batch < 1 || c->batch > FOVEA_MAX_BATCH)
    return fovea_fail(FOVEA_INVALID, "vae: batch %d, expected 1 to %d", c->batch, FOVEA_MAX_BATCH);
  if (!fovea_activation_name(c->activation))
    return fovea_fail(FOVEA_INVALID, "vae: activation %d is not one of fovea_activation", (int)c->activation);
  if ((int)c->attention < FOVEA_ATTENTION_NONE || (int)c->attention > FOVEA_ATTENTION_CBAM)
    return fovea_fail(FOVEA_INVALID, "vae: attention %d is not one of fovea_attention", (int)c->attention);
  if (!(c->dropout >= 0 && c->dropout < 1))
    return fovea_fail(FOVEA_INVALID, "vae: dropout %g, expected at least 0 and below 1", c->dropout);
  if (!(c->kl_weight >= 0 && isfinite(c->kl_weight)))
    return fovea_fail(FOVEA_INVALID, "vae: KL weight %g, expected 0 or more", c->kl_weight);
  if (!(c->bn_momentum >= 0 && c->bn_momentum < 1))
    return fovea_fail(FOVEA_INVALID, "vae: batch norm momentum %g, expected at least 0 and below 1", c->bn_momentum);
  if (c->kernel != 0 && (c->kernel < 3 || c->kernel > 15 || c->kernel % 2 == 0))
    return fovea_fail(FOVEA_INVALID, "vae: kernels of %dx%d, expected an odd side from 3 to 15", c->kernel, c->kernel);
  return fovea_augmentation_check(&c->augment, c->height, c->width);
}

static int descending(const void *a, const void *b) { return *(const int *)b - *(const int *)a; }

/* --- the graph --------------------------------------------------------------------------------------------------- */

typedef struct builder {
  fovea_graph *graph;
  const fovea_vae_config *config;
} builder;

static fovea_tensor conv(const builder *b, fovea_tensor x, const char *name, int filters, int stride) {
  return fovea_add_conv2d(
      b->graph, x, name,
      &(fovea_conv2d){.filters = filters, .kernel = b->config->kernel, .stride = stride, .same = true});
}

static fovea_tensor batchnorm(const builder *b, fovea_tensor x, const char *name) {
  return fovea_add_batchnorm(b->graph, x, name, (float)b->config->bn_momentum, bn_epsilon);
}

/* conv -> attention -> batch norm -> dropout -> activation, named "encoder.block2.conv3" and so on. */
static fovea_tensor convolution_block(const builder *b, fovea_tensor x, const char *block, int j, int units) {
  const fovea_vae_config *c = b->config;
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "%s.conv%d", block, j);
  x = conv(b, x, name, units, 1);
  snprintf(name, sizeof name, "%s.attention%d", block, j);
  if (c->attention == FOVEA_ATTENTION_CHANNEL || c->attention == FOVEA_ATTENTION_CBAM)
    x = fovea_add_channel_attention(b->graph, x, name);
  if (c->attention == FOVEA_ATTENTION_SPATIAL || c->attention == FOVEA_ATTENTION_CBAM)
    x = fovea_add_spatial_attention(b->graph, x, name);
  snprintf(name, sizeof name, "%s.bn%d", block, j);
  if (c->batchnorm) x = batchnorm(b, x, name);
  if (c->dropout > 0) x = fovea_add_dropout(b->graph, x, c->dropout);
  return fovea_add_activation(b->graph, x, c->activation);
}

static fovea_tensor dense_block(const builder *b, fovea_tensor x, const char *block, int units) {
  for (int j = 1; j <= b->config->depth; j++)
    x = fovea_add_concat(b->graph, x, convolution_block(b, x, block, j, units));
  return x;
}

static fovea_tensor encoder(const builder *b, fovea_tensor x) {
  const fovea_vae_config *c = b->config;
  char name[NAME_SIZE];
  x = fovea_add_activation(b->graph, conv(b, x, "encoder.conv_in", c->units[0], 1), FOVEA_RELU);
  for (int i = 1; i < c->unit_count - 1; i++) {
    snprintf(name, sizeof name, "encoder.block%d", i);
    x = dense_block(b, x, name, c->units[i]);
    snprintf(name, sizeof name, "encoder.down%d", i);
    x = conv(b, x, name, c->units[i], 2);
  }
  x = conv(b, x, "encoder.conv_out", c->units[c->unit_count - 1], 1);
  return fovea_add_activation(b->graph, batchnorm(b, x, "encoder.bn_out"), FOVEA_RELU);
}

/* What is left of a side after being halved so often: a convolution of stride 2 rounds up. */
static int halved(int side, int times) {
  while (times-- > 0) side = (side + 1) / 2;
  return side;
}

/* To the sides that the encoder's i-th level had, 0 the image's: where they are even, just twice x's. */
static fovea_tensor upsample(const builder *b, fovea_tensor x, const char *name, int filters, int level) {
  const fovea_conv2d up = {.filters = filters, .kernel = b->config->kernel, .stride = 2, .same = true};
  const int h = halved(b->config->height, level), w = halved(b->config->width, level);
  return fovea_add_conv2d_transpose_sized(b->graph, x, name, &up, h % 2 == 0 ? 0 : h, w % 2 == 0 ? 0 : w);
}

/* The units reversed; the sigmoid is the loss's. */
static fovea_tensor decoder(const builder *b, fovea_tensor x) {
  const fovea_vae_config *c = b->config;
  char name[NAME_SIZE];
  x = fovea_add_activation(b->graph, conv(b, x, "decoder.conv_in", c->units[c->unit_count - 1], 1), FOVEA_RELU);
  for (int i = 1; i < c->unit_count - 1; i++) {
    const int units = c->units[c->unit_count - 1 - i];
    snprintf(name, sizeof name, "decoder.block%d", i);
    x = dense_block(b, x, name, units);
    snprintf(name, sizeof name, "decoder.up%d", i);
    x = upsample(b, x, name, units, c->unit_count - 2 - i);
  }
  x = conv(b, x, "decoder.conv_out", c->channels, 1);
  return batchnorm(b, x, "decoder.bn_out");
}

/* Dense layer i of the bottleneck with its batch norm and relu. */
static fovea_tensor bottleneck_dense(const builder *b, fovea_tensor x, int i, int units) {
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "bottleneck.dense%d", i);
  x = fovea_add_dense(b->graph, x, name, units, false);
  snprintf(name, sizeof name, "bottleneck.bn%d", i);
  return fovea_add_activation(b->graph, batchnorm(b, x, name), FOVEA_RELU);
}

/* The values of the code that the encoder makes of sides halved `times`. */
static long long code_size(const fovea_vae_config *c, int height, int width, int times) {
  return (long long)c->units[c->unit_count - 1] * halved(height, times) * halved(width, times);
}

/* A layer of the bottleneck has a weight for each pair of the code's values, and a dense layer 2^28 at most. */
static fovea_status check_code(const fovea_vae_config *c) {
  enum { MOST = 1 << 14 };
  const int times = c->unit_count - 2;
  const long long m = code_size(c, c->height, c->width, times);
  int side = c->height > c->width ? c->height : c->width, more = 1;
  if (m <= MOST) return FOVEA_OK;
  while (side > 1 && code_size(c, side, side, times) > MOST) side--;
  while (times + more < FOVEA_MAX_UNITS - 2 && code_size(c, c->height, c->width, times + more) > MOST) more++;
  return fovea_fail(FOVEA_INVALID,
                    "vae: images of %dx%d are too large for %d units: the bottleneck would have %lld values, expected "
                    "at most %d: make the images %dx%d or smaller, or give %d units or more, of which each halves the "
                    "sides",
                    c->height, c->width, c->unit_count, m, MOST, side, side, c->unit_count + more);
}

static fovea_status build(fovea_vae *vae) {
  const fovea_vae_config *c = &vae->config;
  const builder b = {vae->graph, c};
  fovea_tensor x = encoder(&b, fovea_add_input(vae->graph, c->channels, c->height, c->width));
  int code[3] = {1, 1, 1};
  fovea_status status = fovea_graph_check(vae->graph);
  if (status == FOVEA_OK) status = fovea_tensor_shape(vae->graph, x, code);
  if (status != FOVEA_OK) return status;
  const int m = code[0] * code[1] * code[2];
  x = bottleneck_dense(&b, x, 1, m);
  x = bottleneck_dense(&b, x, 2, c->latent);
  vae->mu = fovea_add_dense(vae->graph, x, "bottleneck.mu", c->latent, true);
  vae->logvar = fovea_add_dense(vae->graph, x, "bottleneck.logvar", c->latent, true);
  vae->z = fovea_add_reparameterize(vae->graph, vae->mu, vae->logvar, (float)c->kl_weight);
  x = bottleneck_dense(&b, vae->z, 3, c->latent);
  x = bottleneck_dense(&b, x, 4, m);
  x = fovea_add_reshape(vae->graph, x, code[0], code[1], code[2]);
  vae->reconstruction = fovea_add_sigmoid_bce(vae->graph, decoder(&b, x));
  return fovea_graph_check(vae->graph);
}

fovea_status fovea_vae_build(const fovea_vae_config *config, fovea_vae **vae) {
  *vae = NULL;
  fovea_status status = check_config(config);
  if (status != FOVEA_OK) return status;
  fovea_vae *made = *vae = calloc(1, sizeof *made);
  if (made == NULL) return fovea_fail(FOVEA_NO_MEMORY, "vae: no memory");
  made->config = *config;
  if (config->kernel == 0) made->config.kernel = 3;
  qsort(made->config.units, (size_t)config->unit_count, sizeof *made->config.units, descending);
  status = fovea_graph_create(&made->graph);
  if (status == FOVEA_OK) status = check_code(&made->config);
  return status == FOVEA_OK ? build(made) : status;
}

fovea_status fovea_vae_check(const fovea_vae_config *config) {
  fovea_vae *made = NULL;
  if (!config) return fovea_fail_null("config");
  fovea_status status = fovea_vae_build(config, &made);
  fovea_vae_destroy(made);
  return status;
}

fovea_status fovea_vae_create(fovea_device *device, const fovea_vae_config *config, bool training, fovea_vae **vae) {
  fovea_vae *made = NULL;
  if (!device) return fovea_fail_null("device");
  if (!config || !vae) return fovea_fail_null(config ? "vae" : "config");
  fovea_status status = fovea_vae_build(config, &made);
  const fovea_network_options options = {.batch = config->batch,
                                         .seed = config->seed,
                                         .training = training,
                                         .augment = config->augment,
                                         .ranks = config->ranks};
  if (status == FOVEA_OK) status = fovea_network_create(device, made->graph, &options, &made->network);
  if (status == FOVEA_OK)
    *vae = made;
  else
    fovea_vae_destroy(made);
  return status;
}

void fovea_vae_destroy(fovea_vae *vae) {
  if (vae == NULL) return;
  fovea_network_destroy(vae->network);
  fovea_graph_destroy(vae->graph);
  free(vae);
}

size_t fovea_vae_parameter_count(const fovea_vae *vae) {
  size_t count = 0;
  if (vae == NULL) return 0;
  for (size_t i = 0; i < fovea_network_parameter_count(vae->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(vae->network, i);
    if (p->trainable) count += p->count;
  }
  return count;
}

size_t fovea_vae_image_size(const fovea_vae *vae) {
  if (vae == NULL) return 0;
  return (size_t)vae->config.channels * (size_t)vae->config.height * (size_t)vae->config.width;
}
