/* A graph as a text, from which it is built again: for files. */
#ifndef FOVEA_MODEL_GRAPH_JSON_H
#define FOVEA_MODEL_GRAPH_JSON_H

#include "fovea/graph.h"

enum { FOVEA_GRAPH_FILE_NODES = 16384 };

/* {"version": 2, "nodes": [{"op": "conv2d", "name": "a", "inputs": [0], "attributes": {"filters": 3, ...}, "shape": [3,
 * 8, 8], "parameters": ["a.weight"], "pads": [1, 1, 1, 1]}, ...], "kept": [1, 4]}: everything that its builders were
 * asked for, in their order, floats with all their bits, and what follows from it (graph_facts.h); tools/README.md says
 * what each op computes. The caller frees *text. FOVEA_INVALID for a graph that has failed or has more than
 * FOVEA_GRAPH_FILE_NODES nodes, and for a name that is not UTF-8; FOVEA_NO_MEMORY. */
fovea_status fovea_graph_to_json(const fovea_graph *graph, char **text);

/* The graph of such a text, the caller's. FOVEA_INVALID, with the place and the value, for everything that to_json does
 * not write: unknown members, ops and attributes, missing ones, a version other than 2 or 1, which had no facts, what
 * the op refuses, another shape or other facts than the op makes. FOVEA_NO_MEMORY. */
fovea_status fovea_graph_from_json(const char *text, fovea_graph **graph);

#endif
