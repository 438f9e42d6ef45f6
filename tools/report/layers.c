/* The layers of a graph with their shapes and parameters. */
#include <stdio.h>

#include "graph/graph.h"
#include "graph/op.h"
#include "report/network.h"

/* "3x3, stride 2", "rate 0.2", "relu": what the op was asked for. */
static void detail(const fovea_node *n, char text[64]) {
  text[0] = 0;
  if (n->conv.kernel > 0)
    snprintf(text, 64, "%dx%d, stride %d", n->conv.kernel, n->conv.kernel, n->conv.stride);
  else if (fovea_node_is(n, FOVEA_ACTIVATES))
    snprintf(text, 64, "%s", fovea_activation_name(n->activation));
  else if (n->rate > 0)
    snprintf(text, 64, "rate %g", n->rate);
  else if (n->momentum > 0)
    snprintf(text, 64, "momentum %g", (double)n->momentum);
}

static double count_parameters(const fovea_node *n, bool trainable) {
  double all = 0;
  for (int i = 0; i < n->parameter_count; i++) {
    double count = n->parameters[i].trainable == trainable;
    for (int d = 0; d < n->parameters[i].rank; d++) count *= n->parameters[i].dims[d];
    all += count;
  }
  return all;
}

/* [op, name, detail, [channels, height, width], trainable parameters, moving statistics, multiply-adds of an image] */
void layers_show(page *p, const fovea_graph *graph) {
  json_t *list = json_array();
  page_set(p, p->root, "layers", list);
  for (int i = 0; i < graph->count; i++) {
    const fovea_node *n = &graph->nodes[i];
    char text[64];
    detail(n, text);
    page_add(p, list,
             json_pack("[s,s,s,[i,i,i],I,I,I]", n->op->name, n->name, text, n->c, n->h, n->w,
                       (json_int_t)count_parameters(n, true), (json_int_t)count_parameters(n, false),
                       (json_int_t)(n->op->products ? n->op->products(graph, n) : 0)));
  }
}
