/* What the network costs by its graph alone, whatever kernels compute it.
 *
 * Arithmetic: 2 flops a multiply-add of convolutions and dense layers, those inside of attention too, counted as direct
 * sums and padding as if it were image. Backward does the same again for the weights, and once more for the input where
 * its gradient is wanted (not the images').
 *
 * The fewest bytes: those of an ideally fused step. Each op is one kernel that reads every tensor it needs once and
 * writes every tensor it makes once. Dropout and activation belong to the op before them where nothing else reads what
 * is between; concatenation and reshaping are views; sums over the batch, attention's pooling and the loss are taken
 * while their tensor is in registers. So:
 *
 *   forward   each value is written once and read once by each op that uses it; images are bytes; the reconstruction is
 *             not written in training
 *   backward  each op reads its output's gradient once, and what its formulas need: the inputs of convolutions, dense
 *             layers, attention and normalization (which makes its output, mask and activation again); the output of an
 *             activation behind another op. A gradient is written by each op that used the value, and all but the first
 *             read it to add
 *   weights   read in both passes, gradients written: 12 bytes; Adam 28 more
 *
 * Attention's maps and the batch's statistics, which have no channels or no images, are left out. */
#include "graph/work.h"

#include "graph/op.h"

typedef struct reckoning {
  const fovea_graph *graph;
  fovea_work work; /* of one image */
} reckoning;

static double size_of(const fovea_node *n) { return (double)n->c * n->h * n->w; }

static bool is_pointwise(const fovea_node *n) { return fovea_node_is(n, FOVEA_IS_POINTWISE); }

static int uses(const fovea_graph *graph, int node) {
  int count = 0;
  for (int j = 0; j < graph->count; j++)
    for (int k = 0; k < graph->nodes[j].input_count; k++) count += graph->nodes[j].inputs[k] == node;
  return count;
}

/* Whether the node is done by the op before it. */
static bool is_fused(const fovea_graph *graph, int node) {
  const fovea_node *n = &graph->nodes[node], *x = &graph->nodes[n->input_count > 0 ? n->inputs[0] : node];
  if (fovea_node_is(n, FOVEA_IS_VIEW)) return true;
  return is_pointwise(n) && !fovea_node_is(x, FOVEA_IS_SOURCE | FOVEA_CONCATENATES) && uses(graph, n->inputs[0]) == 1;
}

static int source_of(const fovea_graph *graph, int node) {
  while (is_fused(graph, node)) node = graph->nodes[node].inputs[0];
  return node;
}

/* --- arithmetic --------------------------------------------------------------------------------------------------- */

static void count_flops(reckoning *r, const fovea_node *n) {
  const double flops = n->op->products ? 2 * n->op->products(r->graph, n) : 0;
  const bool wanted = n->input_count > 0 && !fovea_node_is(&r->graph->nodes[n->inputs[0]], FOVEA_IS_SOURCE);
  r->work.forward_flops += flops;
  r->work.step_flops += (wanted ? 3 : 2) * flops;
}

/* --- bytes -------------------------------------------------------------------------------------------------------- */

/* Whether whoever reads `from` reads the value of `node`, a concatenation's reader those of its parts. */
static bool reads(const fovea_graph *graph, int from, int node) {
  from = source_of(graph, from);
  const fovea_node *n = &graph->nodes[from];
  return fovea_node_is(n, FOVEA_CONCATENATES) ? reads(graph, n->inputs[0], node) || reads(graph, n->inputs[1], node)
                                              : from == node;
}

static double readers_of(const fovea_graph *graph, int node) {
  int count = 0;
  for (int j = 0; j < graph->count; j++) {
    const fovea_node *n = &graph->nodes[j];
    if (fovea_node_is(n, FOVEA_CONCATENATES) || is_fused(graph, j)) continue;
    for (int k = 0; k < n->input_count; k++) count += reads(graph, n->inputs[k], node);
  }
  return count;
}

static void count_value(reckoning *r, int node) {
  const fovea_node *n = &r->graph->nodes[node];
  const double size = size_of(n), readers = readers_of(r->graph, node);
  if (fovea_node_is(n, FOVEA_IS_SOURCE)) {
    r->work.forward_bytes += readers * size;
    r->work.step_bytes += readers * size;
    return;
  }
  r->work.activations += 4 * size;
  r->work.forward_bytes += 4 * size * (1 + readers);
  if (fovea_node_is(n, FOVEA_IS_LOSS)) return;
  r->work.step_bytes += 4 * size * (1 + readers);         /* the value, */
  r->work.step_bytes += 4 * size * (2 * readers - 1 + 1); /* its gradient, made and read */
}

/* What the op's backward pass reads besides its output's gradient. */
static void count_saved(reckoning *r, int node) {
  const fovea_node *n = &r->graph->nodes[node];
  if (is_pointwise(n)) {
    const fovea_node *by = &r->graph->nodes[source_of(r->graph, node)];
    if (!fovea_node_is(by, FOVEA_NORMALIZES) && fovea_node_is(n, FOVEA_READS_OUTPUT))
      r->work.step_bytes += 4 * size_of(n);
    return;
  }
  for (int k = 0; k < n->input_count && fovea_node_is(n, FOVEA_READS_INPUT); k++) {
    const fovea_node *x = &r->graph->nodes[n->inputs[k]];
    r->work.step_bytes += (fovea_node_is(x, FOVEA_IS_SOURCE) ? 1 : 4) * size_of(x);
  }
}

static double parameter_count(const fovea_graph *graph) {
  double count = 0;
  for (int i = 0; i < graph->count; i++)
    for (int j = 0; j < graph->nodes[i].parameter_count; j++) {
      const fovea_parameter_spec *p = &graph->nodes[i].parameters[j];
      double size = p->trainable;
      for (int d = 0; d < p->rank; d++) size *= p->dims[d];
      count += size;
    }
  return count;
}

fovea_work fovea_work_of(const fovea_graph *graph, int batch) {
  reckoning r = {.graph = graph};
  const double parameters = parameter_count(graph);
  for (int i = 0; i < r.graph->count; i++) {
    const fovea_node *n = &r.graph->nodes[i];
    count_flops(&r, n);
    if (fovea_node_is(n, FOVEA_CONCATENATES)) continue;
    count_saved(&r, i);
    if (!is_fused(r.graph, i)) count_value(&r, i);
  }
  return (fovea_work){.forward_flops = batch * r.work.forward_flops,
                      .step_flops = batch * r.work.step_flops,
                      .forward_bytes = batch * r.work.forward_bytes + 4 * parameters,
                      .step_bytes = batch * r.work.step_bytes + (12 + 28) * parameters,
                      .activations = batch * r.work.activations};
}
