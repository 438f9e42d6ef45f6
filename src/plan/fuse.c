/* Which ops of a graph share launches. */
#include "graph/op.h"
#include "plan/inspect.h"
#include "plan/internal.h"

int fovea_plan_readers_of(const fovea_graph *graph, int node) {
  int readers = 0;
  for (int j = 0; j < graph->count; j++)
    for (int k = 0; k < graph->nodes[j].input_count; k++) readers += graph->nodes[j].inputs[k] == node;
  return readers;
}

/* What is to be read after an evaluation is made as the graph says. */
static bool may_vanish(const fovea_plan *plan, int node) { return plan->training || !plan->graph->nodes[node].kept; }

static bool activates(const fovea_node *node) { return fovea_node_is(node, FOVEA_ACTIVATES); }

/* Whether the op of node i, which reads `from`, can be fused with that of `from`. */
static bool can_fuse(const fovea_plan *plan, int i, int from) {
  const fovea_node *node = &plan->graph->nodes[i], *before = &plan->graph->nodes[from];
  if (fovea_node_is(node, FOVEA_NORMALIZES)) return fovea_node_is(before, FOVEA_SCALES_PIXELS);
  return activates(node) && plan->nodes[i].alias == i && fovea_node_is(before, FOVEA_TAKES_ACTIVATION);
}

/* Not for inspection, which reads what is between. */
static void fuse_pairs(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count && !plan->resources.inspect; i++) {
    const int from = graph->nodes[i].inputs[0];
    if (graph->nodes[i].input_count > 0 && can_fuse(plan, i, from) && fovea_plan_readers_of(graph, from) == 1 &&
        may_vanish(plan, from))
      plan->nodes[i].fused = from, plan->nodes[from].fused = i;
  }
}

static void take(fovea_pointwise *p, const fovea_node *node) {
  if (activates(node))
    p->activation = node->activation;
  else
    p->rate = node->rate, p->random = node->random;
}

/* Whether the op of `from` has room for what the pointwise node does to its output. */
static bool can_take(const fovea_plan *plan, const fovea_node *node, int from) {
  const fovea_pointwise *p = &plan->nodes[from].pointwise;
  const bool room = p->activation == FOVEA_LINEAR && (activates(node) || p->rate == 0.0);
  return room && fovea_node_is(&plan->graph->nodes[from], FOVEA_TAKES_POINTWISE);
}

/* A dropout or activation whose input nobody else reads is done by the op that makes that input, where it can. */
static void fuse_pointwise(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++) {
    const fovea_node *node = &graph->nodes[i];
    node_plan *p = &plan->nodes[i];
    *p = (node_plan){.alias = i, .fused = -1, .wants_gradient = !fovea_node_is(node, FOVEA_IS_SOURCE)};
    if (!fovea_node_is(node, FOVEA_IS_POINTWISE)) continue;
    take(&p->pointwise, node);
    const int input = node->inputs[0], from = fovea_plan_source(plan, input);
    if (!can_take(plan, node, from) || fovea_plan_readers_of(graph, input) != 1 || !may_vanish(plan, input)) continue;
    p->alias = from;
    take(&plan->nodes[from].pointwise, node);
  }
}

void fovea_plan_fuse(fovea_plan *plan) {
  fuse_pointwise(plan);
  fuse_pairs(plan);
}
