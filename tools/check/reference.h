/* The double reference of any graph. */
#ifndef FOVEA_TOOLS_CHECK_REFERENCE_H
#define FOVEA_TOOLS_CHECK_REFERENCE_H

#include "graph/op.h"
#include "ref/network.h"

/* The same node as the graph's, appended; its number. */
int check_reference_add(struct ref_network *net, const fovea_node *node);

/* The same nodes under the same numbers; parameters are zero. NULL, with a message, when the graph has more than a
 * reference takes. Destroyed by ref_network_destroy. */
struct ref_network *check_reference(const fovea_graph *graph, uint64_t seed);

#endif
