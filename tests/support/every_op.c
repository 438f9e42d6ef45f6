#include "support/every_op.h"

#include <stdio.h>
#include <stdlib.h>

#include "op/op.h"

static const fovea_op *const ops[] = {&fovea_op_input,
                                      &fovea_op_conv2d,
                                      &fovea_op_conv2d_transpose,
                                      &fovea_op_dense,
                                      &fovea_op_reshape,
                                      &fovea_op_batchnorm,
                                      &fovea_op_dropout,
                                      &fovea_op_activation,
                                      &fovea_op_spatial_attention,
                                      &fovea_op_channel_attention,
                                      &fovea_op_concat,
                                      &fovea_op_reparameterize,
                                      &fovea_op_sigmoid_bce};

static fovea_tensor conv(fovea_graph *g, fovea_tensor x, const char *name, int filters, int kernel, int stride) {
  return fovea_add_conv2d(g, x, name,
                          &(fovea_conv2d){.filters = filters, .kernel = kernel, .stride = stride, .same = true});
}

/* With its activation, and with a normalization, dropout and activation in one; then both again where they are not.
 * *early is an operand of an operand of a concatenation. */
static fovea_tensor fused_and_not(fovea_graph *g, fovea_tensor x, fovea_tensor *early) {
  const fovea_tensor c = fovea_add_conv2d(
      g, x, "valid", &(fovea_conv2d){.filters = 3, .kernel = 3, .stride = 1, .bias = true, .padding = 1});
  const fovea_tensor relu = fovea_add_activation(g, c, FOVEA_RELU);
  fovea_tensor y = fovea_add_batchnorm(g, conv(g, relu, "conv1", 4, 3, 1), "bn1", 0.97f, 2e-3f);
  y = fovea_add_activation(g, fovea_add_dropout(g, y, 0.2), FOVEA_ELU);
  const fovea_tensor c2 = conv(g, y, "conv2", 4, 5, 1), apart = fovea_add_activation(g, c2, FOVEA_SELU);
  const fovea_tensor nested = fovea_add_concat(g, fovea_add_concat(g, c2, apart), relu);
  *early = c2;
  return fovea_add_dropout(g, nested, 0.125);
}

static fovea_tensor attended(fovea_graph *g, fovea_tensor x) {
  const fovea_tensor channel = fovea_add_channel_attention(g, x, "attention1");
  fovea_tensor y = fovea_add_spatial_attention(g, channel, "attention1");
  y = fovea_add_activation(g, fovea_add_batchnorm(g, y, "bn2", 0.9f, 1e-3f), FOVEA_RELU);
  const fovea_tensor alone = fovea_add_spatial_attention(g, y, "attention2");
  return fovea_add_concat(g, fovea_add_batchnorm(g, alone, "bn3", 0.99f, 1e-5f), alone);
}

static fovea_tensor code(fovea_graph *g, fovea_tensor x) {
  fovea_tensor y = fovea_add_dense(g, conv(g, x, "down", 3, 3, 2), "dense1", 6, false);
  y = fovea_add_activation(g, fovea_add_batchnorm(g, y, "bn4", 0.99f, 1e-3f), FOVEA_SIGMOID);
  const fovea_tensor mu = fovea_add_dense(g, y, "mu", 2, true), logvar = fovea_add_dense(g, y, "logvar", 2, true);
  return fovea_add_reparameterize(g, mu, logvar, 0.01f);
}

static fovea_tensor image(fovea_graph *g, fovea_tensor z, fovea_tensor early) {
  fovea_tensor y = fovea_add_dense(g, z, "dense2", 3 * 4 * 4, true);
  y = fovea_add_reshape(g, fovea_add_activation(g, y, FOVEA_LINEAR), 3, 4, 4);
  y = fovea_add_conv2d_transpose(g, y, "up",
                                 &(fovea_conv2d){.filters = 4, .kernel = 3, .stride = 2, .bias = true, .same = true});
  y = fovea_add_concat(g, y, conv(g, early, "late", 1, 1, 1));
  return fovea_add_batchnorm(g, conv(g, y, "last", EVERY_OP_CHANNELS, 1, 1), "bn5", 0.99f, 1e-3f);
}

static void expect_every_op(const fovea_graph *g) {
  for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) {
    int i = 0;
    while (i < g->count && g->nodes[i].op != ops[k]) i++;
    if (i < g->count) continue;
    fprintf(stderr, "%s is not in the graph of every op\n", ops[k]->name);
    abort();
  }
}

fovea_graph *every_op_graph(void) {
  fovea_graph *g = NULL;
  if (fovea_graph_create(&g) != FOVEA_OK) abort();
  const fovea_tensor x = fovea_add_input(g, EVERY_OP_CHANNELS, EVERY_OP_SIDE, EVERY_OP_SIDE);
  fovea_tensor early = -1;
  const fovea_tensor z = code(g, attended(g, fused_and_not(g, x, &early)));
  fovea_add_sigmoid_bce(g, image(g, z, early));
  if (fovea_graph_check(g) != FOVEA_OK) {
    fprintf(stderr, "%s\n", fovea_error_message());
    abort();
  }
  expect_every_op(g);
  return g;
}

int every_op_count(const fovea_graph *graph) { return graph->count; }
