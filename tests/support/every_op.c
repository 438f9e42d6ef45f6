#include "support/every_op.h"

#include <stdio.h>
#include <stdlib.h>

#include "op/list.h"

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
  const fovea_conv2d up = {.filters = 4, .kernel = 3, .stride = 2, .bias = true, .same = true};
  y = fovea_add_conv2d_transpose_sized(g, y, "up", &up, EVERY_OP_SIDE, 0);
  y = fovea_add_concat(g, y, conv(g, early, "late", 1, 1, 1));
  return fovea_add_batchnorm(g, conv(g, y, "last", EVERY_OP_CHANNELS, 1, 1), "bn5", 0.99f, 1e-3f);
}

static bool has(const fovea_graph *g, const fovea_op *op) {
  for (int i = 0; i < g->count; i++)
    if (g->nodes[i].op->kind == op->kind) return true;
  return false;
}

/* An example of each op that is not in the graph yet, one after the other. */
static fovea_tensor others(fovea_graph *g, fovea_tensor x) {
  for (int k = 0; k < FOVEA_OP_KINDS; k++)
    if (!has(g, fovea_ops[k]) && fovea_op_has_example(fovea_ops[k])) x = fovea_graph_add_example(g, fovea_ops[k], x, x);
  return x;
}

static void expect_every_op(const fovea_graph *g) {
  for (int k = 0; k < FOVEA_OP_KINDS; k++) {
    if (has(g, fovea_ops[k])) continue;
    fprintf(stderr, "%s is not in the graph of every op\n", fovea_ops[k]->name);
    abort();
  }
}

fovea_graph *every_op_graph(void) {
  fovea_graph *g = NULL;
  if (fovea_graph_create(&g) != FOVEA_OK) abort();
  const fovea_tensor x = fovea_add_input(g, EVERY_OP_CHANNELS, EVERY_OP_SIDE, EVERY_OP_SIDE);
  fovea_tensor early = -1;
  const fovea_tensor z = code(g, attended(g, fused_and_not(g, x, &early)));
  fovea_add_sigmoid_bce(g, others(g, image(g, z, early)));
  if (fovea_graph_check(g) != FOVEA_OK) {
    fprintf(stderr, "%s\n", fovea_error_message());
    abort();
  }
  expect_every_op(g);
  return g;
}

int every_op_count(const fovea_graph *graph) { return graph->count; }
