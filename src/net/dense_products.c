#include "net/dense_products.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/environment.h"
#include "base/fail.h"
#include "op/op.h"
#include "runtime/device.h"

/* Largest difference over the largest value. Both sum in fp32, in different orders. */
static const double TOLERANCE = 1e-5;

/* One dense layer alone, both ways. */
typedef struct comparison {
  fovea_graph *graph;
  size_t inputs, units, count;
  uint8_t *pixels;
  float *y[2];
  double seconds[2];
} comparison;

/* One warm pass for the values, then the time of a few. */
static fovea_status run_way(fovea_device *device, comparison *c, int way) {
  enum { PASSES = 8 };
  fovea_network *net = NULL;
  fovea_network_options options = {.batch = (int)c->count, .seed = 1};
  fovea_status status = fovea_network_create_using(device, c->graph, &options, way == 1, &net);
  if (status == FOVEA_OK) status = fovea_network_evaluate(net, c->pixels, NULL, c->count, 0);
  if (status == FOVEA_OK) status = fovea_network_read(net, 1, c->count, c->y[way]);
  double start = fovea_seconds();
  for (int i = 0; i < PASSES && status == FOVEA_OK; i++)
    status = fovea_network_evaluate(net, c->pixels, NULL, c->count, 0);
  if (status == FOVEA_OK) status = fovea_device_finish(device);
  c->seconds[way] += (fovea_seconds() - start) / PASSES;
  fovea_network_destroy(net);
  return status;
}

static double largest_difference(const comparison *c) {
  double largest = 0.0, difference = 0.0;
  for (size_t i = 0; i < c->units * c->count; i++) {
    double a = (double)c->y[0][i], b = (double)c->y[1][i];
    if (!isfinite(a) || !isfinite(b)) return INFINITY;
    largest = fmax(largest, fabs(a));
    difference = fmax(difference, fabs(a - b));
  }
  return largest > 0.0 ? difference / largest : difference;
}

static fovea_status compare(fovea_device *device, const fovea_graph *graph, const fovea_node *node, int batch,
                            double seconds[2], double *difference) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  comparison c = {.inputs = (size_t)(x->c * x->h * x->w), .units = (size_t)node->c, .count = (size_t)batch};
  c.pixels = malloc(c.count * c.inputs);
  for (int way = 0; way < 2; way++) c.y[way] = malloc(c.units * c.count * sizeof(float));
  fovea_status status = c.pixels && c.y[0] && c.y[1] ? fovea_graph_create(&c.graph)
                                                     : fovea_fail(FOVEA_NO_MEMORY, "blas: host memory ran out");
  if (status == FOVEA_OK) {
    fovea_add_dense(c.graph, fovea_add_input(c.graph, x->c, x->h, x->w), "dense", node->c, false);
    for (size_t i = 0; i < c.count * c.inputs; i++) c.pixels[i] = (uint8_t)(i * 2654435761u >> 13);
    status = fovea_graph_check(c.graph);
  }
  for (int way = 0; way < 2 && status == FOVEA_OK; way++) status = run_way(device, &c, way);
  if (status == FOVEA_OK) {
    *difference = largest_difference(&c);
    for (int way = 0; way < 2; way++) seconds[way] += c.seconds[way];
  }
  fovea_graph_destroy(c.graph);
  for (int way = 0; way < 2; way++) free(c.y[way]);
  free(c.pixels);
  return status;
}

fovea_status fovea_choose_blas(fovea_device *device, const fovea_graph *graph, int batch, bool *clblast) {
  const char *asked = fovea_environment("FOVEA_BLAS");
  if (!asked || strcmp(asked, "builtin") == 0) return FOVEA_OK;
  const bool measure = strcmp(asked, "auto") == 0;
  if (measure && device->info.type == FOVEA_DEVICE_CPU) return FOVEA_OK;
  double seconds[2] = {0.0, 0.0};
  for (int i = 0; i < graph->count; i++) {
    const fovea_node *node = &graph->nodes[i];
    double difference;
    if (node->op != &fovea_op_dense || node->conv.bias)
      continue; /* those with a bias are small, and always use this library's kernels */
    fovea_status status = compare(device, graph, node, batch, seconds, &difference);
    if (status != FOVEA_OK) return status;
    if (difference <= TOLERANCE) continue;
    if (measure) return FOVEA_OK;
    return fovea_fail(FOVEA_DEVICE, "CLBlast's product for %s differs by %g from ours on %s; unset FOVEA_BLAS",
                      node->name, difference, device->info.name);
  }
  *clblast = !measure || seconds[1] < seconds[0];
  return FOVEA_OK;
}
