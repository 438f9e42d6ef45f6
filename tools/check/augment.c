/* Augmentation, which no pass of the other networks has: everything at once, on images with a border in each block. */
#include <stdio.h>

#include "check/check.h"
#include "check/draw.h"
#include "check/error.h"
#include "ref/canonical.h"
#include "ref/canonical_ops.h"

enum { CHANNELS = 3, HEIGHT = 5, WIDTH = 7, SIZE = CHANNELS * HEIGHT * WIDTH, BATCH = 21, COUNT = 19, PADDED = 32 };

static const uint64_t SEED = 768;
static const fovea_augmentation ours = {
    .shift = 2, .fill = FOVEA_FILL_EDGE, .flip = FOVEA_FLIP_BOTH, .crop = 2, .contrast = 0.5, .brightness = 0.5};

/* What plain C makes of it, image after image. */
static void expect(const uint8_t *pixels, const fovea_numbering *numbering, float *images) {
  static float x[SIZE * PADDED];
  const struct canonical_shape shape = {PADDED, COUNT, CHANNELS, HEIGHT, WIDTH};
  const struct canonical_augmentation same = {.shift = ours.shift,
                                              .crop = ours.crop,
                                              .edge = true,
                                              .horizontal = true,
                                              .vertical = true,
                                              .contrast = (float)ours.contrast,
                                              .brightness = (float)ours.brightness,
                                              .numbers = numbering->numbers,
                                              .epoch = numbering->epoch};
  canonical_augment_images(&shape, &same, SEED, pixels, x);
  for (size_t n = 0; n < COUNT; n++)
    for (size_t e = 0; e < SIZE; e++) images[n * SIZE + e] = x[e * PADDED + n];
}

static fovea_status augment(fovea_device *device, const uint8_t *pixels, const fovea_numbering *numbering,
                            float *images) {
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  const fovea_network_options options = {.batch = BATCH, .seed = SEED, .training = true, .augment = ours};
  fovea_status status = fovea_graph_create(&graph);
  if (status != FOVEA_OK) return status;
  const fovea_conv2d tail = {.filters = CHANNELS, .kernel = 1, .stride = 1, .bias = true, .same = true};
  const fovea_tensor x = fovea_add_input(graph, CHANNELS, HEIGHT, WIDTH);
  fovea_add_sigmoid_bce(graph, fovea_add_conv2d(graph, x, "tail", &tail));
  status = fovea_network_create(device, graph, &options, &network);
  if (status == FOVEA_OK) status = fovea_network_augment(network, pixels, NULL, numbering, COUNT, images);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return status;
}

fovea_status check_augmentation(fovea_device *device, check_op *op) {
  static uint8_t pixels[COUNT * SIZE];
  static float images[COUNT * SIZE], canonical[COUNT * SIZE];
  static double right[COUNT * SIZE];
  uint32_t numbers[COUNT];
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(check_draw(&state) >> 24);
  for (size_t i = 0; i < COUNT; i++) numbers[i] = check_draw(&state);
  const fovea_numbering numbering = {numbers, 7};
  const check_tensor tensor = {"images", 4, {COUNT, CHANNELS, HEIGHT, WIDTH}};
  *op = (check_op){.name = "augmentation", .network = "awkward", .nodes = 1};
  snprintf(op->shape, sizeof op->shape, "1 awkward shape");
  const fovea_status status = augment(device, pixels, &numbering, images);
  if (status != FOVEA_OK) return status;
  expect(pixels, &numbering, canonical);
  for (size_t i = 0; i < COUNT * SIZE; i++) right[i] = (double)canonical[i];
  check_compare(&op->forward, &tensor, images, right, (check_tolerance){1e-5, 0, 1e-6});
  check_compare_bits(&op->forward, &tensor, images, canonical);
  return FOVEA_OK;
}
