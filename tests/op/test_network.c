/* The whole autoencoder of src/model/vae.c against the reference's ops. */
#include "op/op_test.h"

#include "fovea/vae.h"

static const double bn_epsilon = (double)1e-3f;

struct builder {
  struct ref_network *net;
  const fovea_vae_config *config;
  double momentum;
};

static int conv(const struct builder *b, int x, const char *name, int filters, int stride) {
  return ref_add_conv2d(b->net, x, name, filters, b->config->kernel, stride, -1, false);
}

static int norm(const struct builder *b, int x, const char *name) {
  return ref_add_batchnorm(b->net, x, name, b->momentum, bn_epsilon);
}

static int block(const struct builder *b, int x, const char *coder, int i, int units) {
  const fovea_vae_config *c = b->config;
  char name[REF_NAME_SIZE];
  for (int j = 1; j <= c->depth; j++) {
    snprintf(name, sizeof name, "%s.block%d.conv%d", coder, i, j);
    int y = conv(b, x, name, units, 1);
    snprintf(name, sizeof name, "%s.block%d.attention%d", coder, i, j);
    if (c->attention == FOVEA_ATTENTION_CHANNEL || c->attention == FOVEA_ATTENTION_CBAM)
      y = ref_add_channel_attention(b->net, y, name);
    if (c->attention == FOVEA_ATTENTION_SPATIAL || c->attention == FOVEA_ATTENTION_CBAM)
      y = ref_add_spatial_attention(b->net, y, name);
    snprintf(name, sizeof name, "%s.block%d.bn%d", coder, i, j);
    if (c->batchnorm) y = norm(b, y, name);
    if (c->dropout > 0) y = ref_add_dropout(b->net, y, c->dropout);
    y = ref_add_activation(b->net, y, (enum ref_activation)c->activation);
    x = ref_add_concat(b->net, x, y);
  }
  return x;
}

static int dense_norm_relu(const struct builder *b, int x, int i, int units) {
  char name[REF_NAME_SIZE];
  snprintf(name, sizeof name, "bottleneck.dense%d", i);
  x = ref_add_dense(b->net, x, name, units, false);
  snprintf(name, sizeof name, "bottleneck.bn%d", i);
  return ref_add_activation(b->net, norm(b, x, name), REF_RELU);
}

static int encoder(const struct builder *b, int x) {
  const fovea_vae_config *c = b->config;
  char name[REF_NAME_SIZE];
  int last = c->unit_count - 1;
  x = ref_add_activation(b->net, conv(b, x, "encoder.conv_in", c->units[0], 1), REF_RELU);
  for (int i = 1; i < last; i++) {
    x = block(b, x, "encoder", i, c->units[i]);
    snprintf(name, sizeof name, "encoder.down%d", i);
    x = conv(b, x, name, c->units[i], 2);
  }
  x = conv(b, x, "encoder.conv_out", c->units[last], 1);
  return ref_add_activation(b->net, norm(b, x, "encoder.bn_out"), REF_RELU);
}

static void decoder(const struct builder *b, int x) {
  const fovea_vae_config *c = b->config;
  char name[REF_NAME_SIZE];
  int last = c->unit_count - 1;
  x = ref_add_activation(b->net, conv(b, x, "decoder.conv_in", c->units[last], 1), REF_RELU);
  for (int i = 1; i < last; i++) {
    x = block(b, x, "decoder", i, c->units[last - i]);
    snprintf(name, sizeof name, "decoder.up%d", i);
    x = ref_add_conv2d_transpose(b->net, x, name, c->units[last - i], c->kernel, 2, false);
  }
  x = conv(b, x, "decoder.conv_out", c->channels, 1);
  ref_add_sigmoid_bce(b->net, norm(b, x, "decoder.bn_out"));
}

static struct ref_network *reference(const fovea_vae_config *c) {
  struct builder b = {ref_network_create(c->seed), c, (double)(float)c->bn_momentum};
  int x = encoder(&b, ref_add_input(b.net, c->channels, c->height, c->width));
  int k = b.net->nodes[x].c, h = b.net->nodes[x].h, w = b.net->nodes[x].w;
  x = dense_norm_relu(&b, x, 1, k * h * w);
  x = dense_norm_relu(&b, x, 2, c->latent);
  int mu = ref_add_dense(b.net, x, "bottleneck.mu", c->latent, true);
  int logvar = ref_add_dense(b.net, x, "bottleneck.logvar", c->latent, true);
  x = ref_add_reparameterize(b.net, mu, logvar, (double)(float)c->kl_weight);
  x = dense_norm_relu(&b, x, 3, c->latent);
  x = dense_norm_relu(&b, x, 4, k * h * w);
  decoder(&b, ref_add_reshape(b.net, x, k, h, w));
  return b.net;
}

struct vae_case {
  const char *name;
  int channels, height, width, units[4], unit_count, batch, count;
  fovea_activation activation;
  fovea_attention attention;
  bool batchnorm;
  double dropout;
  int kernel;
};

static const struct vae_case cases[] = {
    {"everything on", 1, 8, 8, {3, 2, 2}, 3, 5, 5, FOVEA_RELU, FOVEA_ATTENTION_CBAM, true, 0.2, 3},
    {"everything on, partial batch", 1, 8, 8, {3, 2, 2}, 3, 17, 11, FOVEA_ELU, FOVEA_ATTENTION_CBAM, true, 0.2, 3},
    {"spatial, two halvings, colour",
     3,
     4,
     8,
     {5, 4, 3, 2},
     4,
     5,
     5,
     FOVEA_SELU,
     FOVEA_ATTENTION_SPATIAL,
     true,
     0.5,
     3},
    {"plain", 1, 5, 7, {3, 2}, 2, 16, 16, FOVEA_SIGMOID, FOVEA_ATTENTION_NONE, false, 0, 3},
    {"channel attention, no norm", 1, 6, 4, {5, 3, 2}, 3, 16, 16, FOVEA_LINEAR, FOVEA_ATTENTION_CHANNEL, false, 0.1, 3},
    {"kernels of 5x5", 1, 8, 8, {3, 2, 2}, 3, 5, 5, FOVEA_ELU, FOVEA_ATTENTION_NONE, false, 0, 5},
};

static int run_case(const struct vae_case *c) {
  if (!chain_wanted(c->name)) return 0;
  fovea_vae_config config = fovea_vae_default();
  config.channels = c->channels, config.height = c->height, config.width = c->width;
  memcpy(config.units, c->units, sizeof c->units);
  config.unit_count = c->unit_count, config.depth = 2, config.batch = c->batch;
  config.activation = c->activation, config.attention = c->attention;
  config.batchnorm = c->batchnorm, config.dropout = c->dropout, config.kernel = c->kernel;
  fovea_vae *vae = NULL;
  if (fovea_vae_create(chain_device(), &config, true, &vae) != FOVEA_OK) {
    fprintf(stderr, "%s: %s\n", c->name, fovea_error_message());
    return 1;
  }
  struct ref_network *ref = reference(&config);
  struct chain_run run = {.name = c->name,
                          .graph = vae->graph,
                          .network = vae->network,
                          .ref = ref,
                          .batch = c->batch,
                          .count = c->count,
                          .seed = config.seed,
                          .loss_rtol = 2e-6};
  int failures = chain_compare(&run);
  fovea_vae_destroy(vae);
  ref_network_destroy(ref);
  return failures;
}

static void test_vae(void **state) {
  (void)state;
  RUN_TABLE(run_case, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_vae)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
