#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ref/canonical_node.h"

enum { LANES = 16 };

/* --- parameters: the file's order and the device's ---------------------------------------------------------------- */

/* An image's flattened index is (h, w, c) in the file and (c, h, w) on the device; NULL: no image. */
static int device_index(const struct ref_node *image, int file) {
  if (!image) return file;
  return (file % image->c * image->h + file / image->c / image->w) * image->w + file / image->c % image->w;
}

static void set_places(struct canonical_network *net, int parameter, int rows_count, const struct ref_node *rows,
                       const struct ref_node *columns) {
  struct canonical_parameter_arrays *p = &net->parameters[parameter];
  const int count = net->topology->parameters[parameter].count, columns_count = count / rows_count;
  free(p->place);
  p->place = malloc((size_t)count * sizeof *p->place);
  if (!p->place) exit(4);
  for (int i = 0; i < count; i++)
    p->place[i] = device_index(rows, i / columns_count) * columns_count + device_index(columns, i % columns_count);
}

/* The image that a dense layer reads, NULL where it reads a vector. */
static const struct ref_node *flattened_image(const struct ref_network *t, int dense) {
  const struct ref_node *x = &t->nodes[t->nodes[dense].inputs[0]];
  return x->h * x->w > 1 ? x : NULL;
}

/* The dense layer whose output becomes an image, and the norms between: their rows are in Keras's order in the file. */
static void mark_rows(struct canonical_network *net, int reshape) {
  const struct ref_network *t = net->topology;
  const struct ref_node *image = &t->nodes[reshape];
  for (int x = image->inputs[0];; x = t->nodes[x].inputs[0]) {
    const struct ref_node *node = &t->nodes[x];
    const bool dense = node->op == REF_DENSE;
    for (int i = 0; i < 4; i++)
      if (node->parameters[i] >= 0)
        set_places(net, node->parameters[i], node->c, image, dense && i == 0 ? flattened_image(t, x) : NULL);
    if (node->op != REF_BATCHNORM && node->op != REF_DROPOUT && node->op != REF_ACTIVATION) return;
  }
}

static void create_parameters(struct canonical_network *net) {
  const struct ref_network *t = net->topology;
  for (int i = 0; i < t->count; i++)
    if (t->nodes[i].op == REF_DENSE && flattened_image(t, i))
      set_places(net, t->nodes[i].parameters[0], t->nodes[i].c, NULL, flattened_image(t, i));
  for (int i = 0; i < t->count; i++)
    if (t->nodes[i].op == REF_RESHAPE) mark_rows(net, i);
  for (int i = 0; i < t->parameter_count; i++) {
    struct canonical_parameter_arrays *p = &net->parameters[i];
    const int count = t->parameters[i].count;
    for (int k = 0; k < 4; k++) p->array[k] = canonical_alloc((size_t)count);
    for (int k = 0; k < 2; k++) p->device[k] = p->place ? canonical_alloc((size_t)count) : p->array[k];
    for (int j = 0; j < count; j++) p->array[CANONICAL_VALUE][j] = (float)t->parameters[i].value[j];
  }
}

/* Copies values to the device's order, or what a pass made back to the file's. */
static void permute(struct canonical_network *net, enum canonical_array which, bool to_device) {
  for (int i = 0; i < net->topology->parameter_count; i++) {
    const struct canonical_parameter_arrays *p = &net->parameters[i];
    float *file = p->array[which], *device = p->device[which];
    for (int j = 0; p->place && j < net->topology->parameters[i].count; j++)
      if (to_device)
        device[p->place[j]] = file[j];
      else
        file[j] = device[p->place[j]];
  }
}

/* --- creation ----------------------------------------------------------------------------------------------------- */

struct canonical_network *canonical_create(const struct ref_network *topology, int batch) {
  struct canonical_network *net = calloc(1, sizeof *net);
  if (!net) exit(4);
  net->topology = topology;
  net->batch = (batch + LANES - 1) / LANES * LANES;
  net->draw.seed = topology->seed;
  create_parameters(net);
  canonical_plan(net);
  return net;
}

void canonical_destroy(struct canonical_network *net) {
  if (!net) return;
  for (int i = 0; i < net->storage_count; i++) free(net->storages[i].value), free(net->storages[i].gradient);
  for (int i = 0; i < net->topology->count; i++) {
    for (int k = 0; k < 3; k++) free(net->nodes[i].saved[k]);
    free(net->nodes[i].found);
  }
  for (int i = 0; i < net->topology->parameter_count; i++) {
    struct canonical_parameter_arrays *p = &net->parameters[i];
    for (int k = 0; k < 2; k++)
      if (p->place) free(p->device[k]);
    for (int k = 0; k < 4; k++) free(p->array[k]);
    free(p->place);
  }
  free(net);
}

void canonical_augment(struct canonical_network *net, const struct canonical_augmentation *augment) {
  net->augment = augment;
}

/* --- passes ------------------------------------------------------------------------------------------------------- */

static const struct {
  void (*forward)(struct canonical_network *net, int node);
  void (*backward)(struct canonical_network *net, int node);
} ops[] = {
#define X(op, NAME, flags) {canonical_forward_##op, canonical_backward_##op},
    FOVEA_OPS(X)
#undef X
};

void canonical_begin(struct canonical_network *net, int count, uint32_t step, bool training) {
  net->count = count, net->training = training, net->draw.step = step;
  net->bce = net->kl = 0.0f;
  for (int i = 0; i < net->storage_count; i++) net->storages[i].written = false;
  permute(net, CANONICAL_VALUE, true);
}

void canonical_forward_node(struct canonical_network *net, int node, const uint8_t *pixels) {
  net->nodes[node].reached = false;
  net->pixels = pixels;
  if (net->nodes[node].alias == node) ops[net->topology->nodes[node].op].forward(net, node);
}

void canonical_end_forward(struct canonical_network *net) {
  if (net->training) permute(net, CANONICAL_VALUE, false); /* the moving statistics */
}

void canonical_forward(struct canonical_network *net, int count, const uint8_t *pixels, uint32_t step, bool training) {
  canonical_begin(net, count, step, training);
  for (int i = 0; i < net->topology->count; i++) canonical_forward_node(net, i, pixels);
  canonical_end_forward(net);
}

const float *canonical_pending_gradient(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[node];
  if (p->alias != node || net->topology->nodes[node].op == REF_INPUT || !net->storages[p->storage].written) return NULL;
  return canonical_node_gradient(net, node);
}

void canonical_backward_node(struct canonical_network *net, int node) {
  struct canonical_node *p = &net->nodes[node];
  const float *gradient = canonical_pending_gradient(net, node);
  if (!gradient) return;
  p->reached = true;
  if (p->found) memcpy(p->found, gradient, canonical_node_size(net, node) * sizeof(float));
  ops[net->topology->nodes[node].op].backward(net, node);
}

void canonical_end_backward(struct canonical_network *net) { permute(net, CANONICAL_GRADIENT, false); }

void canonical_backward(struct canonical_network *net) {
  for (int i = net->topology->count - 1; i >= 0; i--) canonical_backward_node(net, i);
  canonical_end_backward(net);
}

void canonical_set_value(struct canonical_network *net, int node, const float *value) {
  if (net->nodes[node].alias != node) return;
  memcpy(canonical_node_value(net, node), value, canonical_node_size(net, node) * sizeof *value);
}

void canonical_set_gradient(struct canonical_network *net, int node, const float *gradient) {
  if (net->nodes[node].alias != node) return;
  memcpy(canonical_node_gradient(net, node), gradient, canonical_node_size(net, node) * sizeof *gradient);
}

float canonical_alpha(float learning_rate, uint32_t t) {
  return (float)((double)learning_rate * sqrt(1.0 - pow(0.999, t)) / (1.0 - pow(0.9, t)));
}

void canonical_adam(struct canonical_network *net, float alpha) {
  for (int i = 0; i < net->topology->parameter_count; i++) {
    float *const *a = net->parameters[i].array;
    if (net->topology->parameters[i].trainable)
      canonical_adam_update(net->topology->parameters[i].count, alpha, a[CANONICAL_GRADIENT], a[CANONICAL_FIRST_MOMENT],
                            a[CANONICAL_SECOND_MOMENT], a[CANONICAL_VALUE]);
  }
}

/* --- results ------------------------------------------------------------------------------------------------------ */

float *canonical_parameter(struct canonical_network *net, int index, enum canonical_array which) {
  return net->parameters[index].array[which];
}

float canonical_bce(const struct canonical_network *net) { return net->bce; }
float canonical_kl(const struct canonical_network *net) { return net->kl; }
int canonical_batch(const struct canonical_network *net) { return net->batch; }

const float *canonical_value(const struct canonical_network *net, int node) {
  return net->nodes[node].alias == node ? canonical_node_value(net, node) : NULL;
}

const float *canonical_gradient(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[node];
  if (!p->reached) return NULL;
  return p->found ? p->found : canonical_node_gradient(net, node);
}
