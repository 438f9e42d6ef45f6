/* What follows from a node, written beside it so that a reader need not know our rules: "parameters", the names of its
 * tensors in the file, in the order of graph.h; of a convolution "pads", [top, left, bottom, right] of graph/pads.h;
 * and where the file has units in the order (h, w, c) of an image, that image's [c, h, w]: as "rows" those that it
 * makes, the first axis of all its tensors, as "columns" those that it reads, the second axis of its weights. */
#ifndef FOVEA_MODEL_GRAPH_FACTS_H
#define FOVEA_MODEL_GRAPH_FACTS_H

#include <jansson.h>

#include "graph/graph.h"

enum { FOVEA_GRAPH_FACTS = 4 };
extern const char *const fovea_graph_facts[FOVEA_GRAPH_FACTS];

/* False without memory. */
bool fovea_graph_put_facts(json_t *object, const fovea_graph *graph, const fovea_node *node);

/* FOVEA_INVALID, naming it, where a fact of `object` is another than the node's in the whole graph. */
fovea_status fovea_graph_check_facts(const json_t *object, const fovea_graph *graph, const fovea_node *node);

#endif
