/* Every op, by kind and by name. */
#ifndef FOVEA_OP_LIST_H
#define FOVEA_OP_LIST_H

#include "graph/op.h"

extern const fovea_op *const fovea_ops[FOVEA_OP_KINDS];

/* NULL: there is none of that name. */
const fovea_op *fovea_op_named(const char *name);

#endif
