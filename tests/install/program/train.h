/* What the programs train: a network of one convolution, on two images of 4 x 4. */
#ifndef TRAIN_H
#define TRAIN_H

#include <fovea/fovea.h>

enum { SIDE = 4, IMAGES = 2, PIXELS = SIDE * SIDE };

static inline fovea_status build(fovea_graph *graph) {
  fovea_conv2d conv = {1, 3, 1, true, true, 0};
  fovea_tensor x = fovea_add_input(graph, 1, SIDE, SIDE);
  fovea_add_sigmoid_bce(graph, fovea_add_conv2d(graph, x, "conv", &conv));
  return fovea_graph_check(graph);
}

static inline fovea_status train(fovea_network *network, fovea_losses *losses) {
  uint8_t pixels[IMAGES * PIXELS];
  for (int i = 0; i < IMAGES * PIXELS; i++) pixels[i] = (uint8_t)(8 * i);
  fovea_status status = fovea_network_train_step(network, pixels, NULL, IMAGES, 0.01f);
  return status ? status : fovea_network_losses(network, losses);
}

#endif
