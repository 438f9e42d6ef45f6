/* The double reference of any graph. */
#ifndef FOVEA_TOOLS_CHECK_REFERENCE_H
#define FOVEA_TOOLS_CHECK_REFERENCE_H

#include "graph/graph.h"
#include "ref/network.h"

/* The same nodes under the same numbers; parameters are zero. NULL, with a message, when the graph has more than a
 * reference takes, or an op that it does not know. Destroyed by ref_network_destroy. */
struct ref_network *check_reference(const fovea_graph *graph, uint64_t seed);

#endif
