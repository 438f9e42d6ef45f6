/* A graph with every op, most of them more than once: where ops are fused, where they cannot be, and where a
 * concatenation's operands have other readers. */
#ifndef FOVEA_TESTS_SUPPORT_EVERY_OP_H
#define FOVEA_TESTS_SUPPORT_EVERY_OP_H

#include "fovea/graph.h"

enum { EVERY_OP_CHANNELS = 2, EVERY_OP_SIDE = 8, EVERY_OP_IMAGE = EVERY_OP_CHANNELS * EVERY_OP_SIDE * EVERY_OP_SIDE };

/* Not destroyed by anybody else; aborts where a node is refused or an op of the list is not in it. */
fovea_graph *every_op_graph(void);

int every_op_count(const fovea_graph *graph); /* tensors */

#endif
