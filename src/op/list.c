#include "op/list.h"

#include <string.h>

const fovea_op *const fovea_ops[FOVEA_OP_KINDS] = {
#define X(name, NAME, flags) &fovea_op_##name,
    FOVEA_OPS(X)
#undef X
};

const fovea_op *fovea_op_named(const char *name) {
  for (int i = 0; i < FOVEA_OP_KINDS; i++)
    if (strcmp(fovea_ops[i]->name, name) == 0) return fovea_ops[i];
  return NULL;
}
