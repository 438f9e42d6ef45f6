/* The parts of src/plan/plan.c that decide bits: what is fused, which tensors are slices of a concatenation, and which
 * contribution to a gradient is written and which are added. */
#include "ref/canonical_plan.h"

#include <string.h>

int canonical_source(const struct canonical_network *net, int node) {
  while (net->nodes[node].alias != node) node = net->nodes[node].alias;
  return node;
}

size_t canonical_node_size(const struct canonical_network *net, int node) {
  const struct ref_node *n = &net->topology->nodes[node];
  return (size_t)n->c * (size_t)n->h * (size_t)n->w * (size_t)net->batch;
}

float *canonical_node_value(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[canonical_source(net, node)];
  return net->storages[p->storage].value + p->offset;
}

float *canonical_node_gradient(const struct canonical_network *net, int node) {
  const struct canonical_node *p = &net->nodes[canonical_source(net, node)];
  return net->storages[p->storage].gradient + p->offset;
}

/* The first to touch a gradient overwrites it where it covers the whole storage, else zeroes the whole and adds. */
float *canonical_input_gradient(struct canonical_network *net, int node, int input, bool *accumulate) {
  const int from = net->topology->nodes[node].inputs[input], source = canonical_source(net, from);
  if (net->topology->nodes[source].op == REF_INPUT) return NULL;
  struct canonical_storage *s = &net->storages[net->nodes[source].storage];
  *accumulate = s->written;
  if (!s->written && canonical_node_size(net, from) != s->size) {
    memset(s->gradient, 0, s->size * sizeof *s->gradient);
    *accumulate = true;
  }
  s->written = true;
  return s->gradient + net->nodes[source].offset;
}

static int readers_of(const struct ref_network *t, int node) {
  int readers = 0;
  for (int i = 0; i < t->count; i++)
    for (int k = 0; k < 2; k++) readers += t->nodes[i].inputs[k] == node;
  return readers;
}

/* Fuses a dropout or activation that is the only reader of its input into the op that computes that input, where that
 * op can. */
static void fuse(struct canonical_network *net) {
  const struct ref_network *t = net->topology;
  for (int i = 0; i < t->count; i++) {
    const struct ref_node *node = &t->nodes[i];
    const bool drops = node->op == REF_DROPOUT, activates = node->op == REF_ACTIVATE;
    struct canonical_node *p = &net->nodes[i];
    *p = (struct canonical_node){.alias = i};
    if (drops) p->pointwise.rate = node->rate, p->pointwise.op = node->random;
    if (activates) p->pointwise.activation = node->activation;
    if (node->op == REF_RESHAPE) p->alias = node->inputs[0];
    if (!drops && !activates) continue;
    const int from = canonical_source(net, node->inputs[0]);
    struct canonical_node *q = &net->nodes[from];
    const bool able = t->nodes[from].op == REF_BATCHNORM || t->nodes[from].op == REF_DROPOUT;
    const bool free_place = q->pointwise.activation == REF_LINEAR && (activates || q->pointwise.rate == 0.0);
    if (!able || !free_place || readers_of(t, node->inputs[0]) != 1) continue;
    if (t->nodes[node->inputs[0]].op == REF_RESHAPE) continue;
    p->alias = from;
    if (drops) q->pointwise.rate = node->rate, q->pointwise.op = node->random;
    if (activates) q->pointwise.activation = node->activation;
  }
}

static void put(struct canonical_network *net, int node, int storage, size_t offset) {
  struct canonical_node *p = &net->nodes[node];
  p->storage = storage, p->offset = offset, p->placed = true;
}

static void put_alone(struct canonical_network *net, int node) {
  if (net->nodes[node].placed) return;
  const size_t size = canonical_node_size(net, node);
  net->storages[net->storage_count] =
      (struct canonical_storage){.size = size, .value = canonical_alloc(size), .gradient = canonical_alloc(size)};
  put(net, node, net->storage_count++, 0);
}

/* Concatenations from the last to the first take their operands in as slices, unless an operand already lies elsewhere
 * or is the images. Then everything else gets a storage of its own. */
static void place(struct canonical_network *net) {
  const struct ref_network *t = net->topology;
  for (int i = t->count - 1; i >= 0; i--) {
    if (t->nodes[i].op != REF_CONCAT) continue;
    put_alone(net, i);
    size_t offset = net->nodes[i].offset;
    for (int k = 0; k < 2; k++) {
      const int operand = canonical_source(net, t->nodes[i].inputs[k]);
      if (!net->nodes[operand].placed && t->nodes[operand].op != REF_INPUT)
        put(net, operand, net->nodes[i].storage, offset);
      offset += canonical_node_size(net, t->nodes[i].inputs[k]);
    }
    net->nodes[i].found = canonical_alloc(canonical_node_size(net, i));
  }
  for (int i = 0; i < t->count; i++)
    if (net->nodes[i].alias == i) put_alone(net, i);
}

void canonical_plan(struct canonical_network *net) {
  fuse(net);
  place(net);
}
