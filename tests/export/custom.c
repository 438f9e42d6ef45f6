/* custom FOLDER: networks of graphs of one's own, as files for check.py: NAME.safetensors (fovea_network_save),
 * NAME.onnx and NAME-folded.onnx, and NAME-values.safetensors, the images and what the network makes of them, under the
 * names of the ONNX file's outputs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fovea/fovea.h"
#include "graph/op.h"
#include "support/every_op.h"

enum { IMAGES = 5, MOST = 64, NAME = 128 };

static void check(fovea_status status) {
  if (status == FOVEA_OK) return;
  fprintf(stderr, "custom: %s\n", fovea_error_message());
  exit(1);
}

/* Convolutions whose padding differs from side to side, is the caller's, or whose stride exceeds the kernel; units that
 * are an image, that become one, and both; names that others have; a normalization for each kind of layer. */
static fovea_graph *shapes(void) {
  fovea_graph *g = NULL;
  check(fovea_graph_create(&g));
  const fovea_conv2d own = {.filters = 3, .kernel = 5, .stride = 2, .bias = true, .padding = 3};
  const fovea_conv2d far = {.filters = 4, .kernel = 1, .stride = 2, .same = true, .bias = true};
  const fovea_conv2d wide = {.filters = 2, .kernel = 5, .stride = 2, .same = true}, same = {2, 3, 2, false, true, 0};
  fovea_tensor x = fovea_add_conv2d(g, fovea_add_input(g, 2, 10, 7), "images", &own); /* 6x5 */
  x = fovea_add_batchnorm(g, x, "mu", 0.9f, 1e-3f);
  x = fovea_add_conv2d_transpose_sized(g, x, "größe", &far, 12, 9);
  x = fovea_add_activation(g, fovea_add_batchnorm(g, x, "up/bn", 0.9f, 1e-2f), FOVEA_TANH);
  x = fovea_add_conv2d(g, x, "even", &same); /* 6x5 */
  x = fovea_add_residual(g, fovea_add_batchnorm(g, x, "apart", 0.9f, 1e-3f), x);
  x = fovea_add_conv2d_transpose(g, x, "wide", &wide); /* 12x10 */
  fovea_graph_keep(g, x);
  const fovea_tensor units = fovea_add_dense(g, fovea_add_activation(g, x, FOVEA_SELU), "units", 24, true);
  const fovea_tensor normal = fovea_add_batchnorm(g, units, "units.bn", 0.9f, 1e-3f);
  const fovea_tensor image = fovea_add_reshape(g, fovea_add_activation(g, normal, FOVEA_ELU), 4, 3, 2);
  const fovea_tensor more = fovea_add_dense(g, normal, "more", 24, false);
  const fovea_tensor both = fovea_add_concat(g, fovea_add_residual(g, more, normal), more);
  fovea_graph_keep(g, normal);
  fovea_graph_keep(g, fovea_add_channel_attention(g, more, "of_units"));
  fovea_graph_keep(g, fovea_add_conv2d(g, both, "of_pixels", &same));
  fovea_graph_keep(g, fovea_add_dense(g, image, "of_image", 3, true));
  fovea_add_activation(g, fovea_add_spatial_attention(g, image, "last"), FOVEA_LINEAR);
  return g;
}

/* Any numbers, variances above 0. */
static void fill(fovea_network *network) {
  uint32_t draw = 1;
  for (size_t i = 0; i < fovea_network_parameter_count(network); i++) {
    const fovea_parameter *p = fovea_network_parameter(network, i);
    float *data = malloc(p->count * sizeof *data);
    for (size_t k = 0; k < p->count; k++) {
      draw = draw * 1664525u + 1013904223u;
      data[k] = (float)(draw >> 8) / (float)(1 << 24) - 0.5f;
      if (strstr(p->name, "running_var")) data[k] += 0.75f;
    }
    check(fovea_network_set(network, i, FOVEA_VALUE, data));
    free(data);
  }
}

/* What the ONNX file calls an output; NULL: it is none. */
static const char *output_name(const fovea_graph *g, fovea_tensor t, char name[NAME]) {
  if (t == g->count - 1) return g->loss >= 0 ? "reconstructions" : "output";
  if (g->latent >= 0 && t == g->nodes[g->latent].inputs[0]) return "mu";
  if (g->latent >= 0 && t == g->nodes[g->latent].inputs[1]) return "logvar";
  if (!g->nodes[t].kept || t == g->input) return NULL;
  if (*g->nodes[t].name)
    snprintf(name, NAME, "%s", g->nodes[t].name);
  else
    snprintf(name, NAME, "%s_%d", g->nodes[t].op->name, t);
  return name;
}

static float *read(fovea_network *network, const fovea_graph *g, fovea_tensor t) {
  const fovea_node *n = &g->nodes[t];
  float *values = malloc(sizeof(float) * IMAGES * (size_t)(n->c * n->h * n->w));
  check(fovea_network_read(network, t, IMAGES, values));
  return values;
}

static void write_values(const char *path, fovea_network *network, const fovea_graph *g, const uint8_t *pixels) {
  static char names[MOST][NAME];
  fovea_safetensor tensors[MOST];
  size_t count = 0;
  for (fovea_tensor t = 0; t < g->count; t++) {
    const fovea_node *n = &g->nodes[t];
    const char *name = t == g->input ? "images" : output_name(g, t, names[count]);
    if (!name) continue;
    fovea_safetensor *s = &tensors[count++];
    *s = (fovea_safetensor){name, "F32", 4, {IMAGES, (uint64_t)n->c, (uint64_t)n->h, (uint64_t)n->w}, NULL, 0};
    float *values = malloc(sizeof(float) * IMAGES * (size_t)(n->c * n->h * n->w));
    for (int i = 0; t == g->input && i < IMAGES * n->c * n->h * n->w; i++) values[i] = (float)pixels[i] / 255;
    if (t != g->input) check(fovea_network_read(network, t, IMAGES, values));
    s->data = values;
  }
  check(fovea_safetensors_write(path, tensors, count, NULL, 0));
  for (size_t i = 0; i < count; i++) free((void *)(uintptr_t)tensors[i].data);
}

static void write_all(fovea_device *device, fovea_graph *g, const char *folder, const char *name) {
  static uint8_t pixels[IMAGES * 1024];
  char path[1024];
  fovea_network *network = NULL;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 37 % 251);
  check(fovea_graph_check(g));
  check(fovea_network_create(device, g, &(fovea_network_options){.batch = IMAGES, .seed = 1}, &network));
  fill(network);
  check(fovea_network_evaluate(network, pixels, NULL, IMAGES, 0));
  if (g->latent >= 0) { /* z is mu */
    float *mu = read(network, g, g->nodes[g->latent].inputs[0]);
    check(fovea_network_evaluate_from(network, g->latent, mu, IMAGES));
    free(mu);
  }
  snprintf(path, sizeof path, "%s/%s-values.safetensors", folder, name);
  write_values(path, network, g, pixels);
  snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
  check(fovea_network_save(network, path));
  snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
  check(fovea_network_export_onnx(network, path, NULL, NULL));
  snprintf(path, sizeof path, "%s/%s-folded.onnx", folder, name);
  check(fovea_network_export_onnx(network, path, &(fovea_onnx_options){.fold_batchnorm = true}, NULL));
  fovea_network_destroy(network);
  fovea_graph_destroy(g);
}

int main(int argc, char **argv) {
  fovea_device *device = NULL;
  if (argc != 2) return 2;
  check(fovea_device_open(getenv("FOVEA_TEST_DEVICE"), &device));
  fovea_graph *every = every_op_graph();
  for (fovea_tensor t = 0; t < every_op_count(every); t += 3) check(fovea_graph_keep(every, t));
  write_all(device, every, argv[1], "every");
  write_all(device, shapes(), argv[1], "shapes");
  fovea_device_close(device);
  return 0;
}
