/* One convolution on a device: finds the edges of a small picture, shows them, and checks every number in plain C.
 *
 *     sample_convolution [DEVICE]
 *
 * Exits 1 when a number differs, else with the status of what failed. */
#include <math.h>
#include <stdio.h>

#include "fovea/network.h"

enum { SIDE = 18, PIXELS = SIDE * SIDE, TAPS = 9 };

/* An edge filter: zero on what is flat, positive on the bright side of an edge. The bias makes the flat parts dark. */
static const float weight[TAPS] = {-2, -2, -2, -2, 16, -2, -2, -2, -2};
static const float bias = -3;

/* A disc with a square hole. */
static void draw(uint8_t *pixels) {
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      const double y = row - (SIDE - 1) / 2.0, x = column - (SIDE - 1) / 2.0;
      const bool disc = x * x + y * y < 58, hole = fabs(x) < 3 && fabs(y) < 3;
      pixels[row * SIDE + column] = disc && !hole ? 255 : 0;
    }
  }
}

/* sigmoid(conv3x3(x) + b), zeros around the image: what the graph in run() computes, the slow way. */
static double expected(const uint8_t *pixels, int row, int column) {
  double sum = bias;
  for (int i = 0; i < TAPS; i++) {
    const int r = row + i / 3 - 1, c = column + i % 3 - 1;
    if (r >= 0 && r < SIDE && c >= 0 && c < SIDE) sum += weight[i] * pixels[r * SIDE + c] / 255.0;
  }
  return 1 / (1 + exp(-sum));
}

static void show(const uint8_t *before, const float *after) {
  static const char shades[] = " .:-=+*#%@";
  for (int row = 0; row < SIDE; row++) {
    for (int column = 0; column < SIDE; column++) {
      const char c = shades[before[row * SIDE + column] * 9 / 255];
      printf("%c%c", c, c);
    }
    printf("    ");
    for (int column = 0; column < SIDE; column++) {
      const float p = after[row * SIDE + column];
      const char c = p >= 0 && p <= 1 ? shades[(int)(p * 9 + 0.5F)] : '?';
      printf("%c%c", c, c);
    }
    putchar('\n');
  }
}

/* The weights of a network are parameters with names; these are "edge.weight" [1, 1, 3, 3] and "edge.bias" [1]. */
static fovea_status set_weights(fovea_network *network) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < fovea_network_parameter_count(network) && !status; i++) {
    const bool is_weight = fovea_network_parameter(network, i)->rank == 4;
    status = fovea_network_set(network, i, FOVEA_VALUE, is_weight ? weight : &bias);
  }
  return status;
}

static fovea_status run(fovea_device *device, const uint8_t *pixels, float *edges) {
  fovea_graph *graph = NULL;
  fovea_network *network = NULL;
  fovea_tensor y = -1;
  fovea_status status = fovea_graph_create(&graph);
  if (!status) {
    /* A failing call returns -1, the next ones too, and fovea_network_create says which was the first. */
    const fovea_tensor x = fovea_add_input(graph, 1, SIDE, SIDE);
    const fovea_conv2d conv = {.filters = 1, .kernel = 3, .stride = 1, .bias = true, .same = true};
    y = fovea_add_sigmoid_bce(graph, fovea_add_conv2d(graph, x, "edge", &conv));
    status = fovea_network_create(device, graph, &(fovea_network_options){.batch = 1}, &network);
  }
  if (!status) status = set_weights(network);
  if (!status) status = fovea_network_evaluate(network, pixels, NULL, 1, 0);
  if (!status) status = fovea_network_read(network, y, 1, edges);
  fovea_network_destroy(network);
  fovea_graph_destroy(graph);
  return status;
}

int main(int argc, char **argv) {
  uint8_t pixels[PIXELS];
  float edges[PIXELS];
  fovea_device *device = NULL;
  draw(pixels);
  fovea_status status = fovea_device_open(argc > 1 ? argv[1] : NULL, &device);
  if (!status) {
    printf("%s\n\n", fovea_device_get_info(device)->name);
    status = run(device, pixels, edges);
  }
  fovea_device_close(device);
  if (status) {
    fprintf(stderr, "convolution: %s\n", fovea_error_message());
    return (int)status;
  }

  show(pixels, edges);
  double worst = 0;
  int wrong = 0;
  for (int i = 0; i < PIXELS; i++) {
    const double error = fabs(edges[i] - expected(pixels, i / SIDE, i % SIDE));
    if (!(error <= 1e-6)) wrong++; /* a NaN is wrong too */
    if (error > worst) worst = error;
  }
  printf("\nlargest difference to plain C: %.1e\n", worst);
  if (wrong) fprintf(stderr, "convolution: %d of %d pixels differ by more than 1e-6\n", wrong, PIXELS);
  return wrong ? 1 : 0;
}
