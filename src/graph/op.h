/* What an op is: one const descriptor a file of src/op, its capabilities as flags. Nothing tells ops apart but by these
 * and, where a table has an entry for each, by their kind. */
#ifndef FOVEA_GRAPH_OP_H
#define FOVEA_GRAPH_OP_H

#include <stddef.h>

#include "graph/graph.h"
#include "graph/ops.h"

typedef struct fovea_plan fovea_plan; /* src/plan: a pass over the graph as launches, which ops record */

/* What the graph, the plan and the count of work ask of an op. */
enum {
  FOVEA_IS_SOURCE = 1 << 0,        /* the images: made of bytes, has no gradient; one a graph */
  FOVEA_IS_SAMPLE = 1 << 1,        /* the latent code: it and its inputs are results; one a graph */
  FOVEA_IS_LOSS = 1 << 2,          /* makes its input's gradient in the forward pass, from nothing; one a graph */
  FOVEA_IS_VIEW = 1 << 3,          /* its values are its input's */
  FOVEA_CONCATENATES = 1 << 4,     /* its inputs may lie in its output */
  FOVEA_IS_POINTWISE = 1 << 5,     /* may be done by the op before it, a dropout or an activation ... */
  FOVEA_ACTIVATES = 1 << 6,        /* ... the latter */
  FOVEA_TAKES_POINTWISE = 1 << 7,  /* does the dropout and the activation after it in its own launches */
  FOVEA_TAKES_ACTIVATION = 1 << 8, /* does the activation after it where it writes its sums */
  FOVEA_NORMALIZES = 1 << 9,       /* makes the output anew of its input in the backward pass; and does, with ... */
  FOVEA_SCALES_PIXELS = 1 << 10,   /* ... the op before it that scales each pixel, both in common launches */
  FOVEA_MAKES_UNITS = 1 << 11,     /* a row of weights a unit, which the file permutes where units become an image */
  FOVEA_KEEPS_UNITS = 1 << 12,     /* each unit's output is of that unit alone */
  FOVEA_IS_PRODUCT = 1 << 13,      /* its time is arithmetic's rather than memory's */
  FOVEA_READS_INPUT = 1 << 14,     /* in its backward pass */
  FOVEA_READS_OUTPUT = 1 << 15,    /* in its backward pass */
  FOVEA_DRAWS = 1 << 16,           /* random numbers, under a number of its own */
  FOVEA_SHARES_KERNELS = 1 << 17   /* has no kernel file of its own */
};

typedef enum fovea_op_kind {
#define X(name, NAME, flags) FOVEA_OP_##NAME,
  FOVEA_OPS(X)
#undef X
      FOVEA_OP_KINDS
} fovea_op_kind;

enum {
  FOVEA_ACTIVATION_COUNT = 0
#define X(name, NAME, moves_zero, ulp) +1
  FOVEA_ACTIVATIONS(X)
#undef X
};

/* What a node was asked for, as its builder takes it: where that lies in a fovea_node, so that a graph can be written
 * and read without knowing its ops. Shapes and parameters are none: they are inferred. */
typedef enum fovea_attribute_kind {
  FOVEA_ATTRIBUTE_INT,
  FOVEA_ATTRIBUTE_OPTIONAL_INT, /* a file lacks it where it is 0, as files of before it was there do */
  FOVEA_ATTRIBUTE_BOOL,
  FOVEA_ATTRIBUTE_FLOAT,
  FOVEA_ATTRIBUTE_DOUBLE,
  FOVEA_ATTRIBUTE_ACTIVATION
} fovea_attribute_kind;

typedef struct fovea_attribute {
  const char *name; /* NULL: past the last */
  fovea_attribute_kind kind;
  size_t offset;
  double example; /* a value for programs that try every op: fovea_graph_add_example */
} fovea_attribute;

/* FOVEA_ATTRIBUTE("rate", DOUBLE, rate, 0.25): member `rate` of fovea_node, a double. */
#define FOVEA_ATTRIBUTE(name, kind, member, example) \
  { name, FOVEA_ATTRIBUTE_##kind, offsetof(fovea_node, member), example }
/* The list of an op, a constant that lives as long as the program. */
#define FOVEA_ATTRIBUTES(...)     \
  (const fovea_attribute[]) {     \
    __VA_ARGS__, { .name = NULL } \
  }

struct fovea_op {
  const char *name;
  fovea_op_kind kind;
  unsigned flags;
  int inputs;
  const char *group; /* of the benchmark's breakdown; NULL: the name */
  /* Checks the parameters against the inputs' shapes, and sets the node's shape and parameters. */
  fovea_status (*infer)(const fovea_graph *graph, fovea_node *node);
  /* NULL, or: what the node, which is the graph's last one, means to those before it. */
  fovea_status (*added)(fovea_graph *graph, fovea_tensor node);
  /* Record launches; backward NULL where there is nothing to record. backward may overwrite the node's own output
   * gradient, which nobody reads after it. */
  void (*forward)(fovea_plan *plan, int node);
  void (*backward)(fovea_plan *plan, int node);
  /* NULL, or: records what the whole forward pass comes before. */
  void (*end_forward)(fovea_plan *plan, int node);
  /* Multiply-adds of an image in the forward pass, as direct sums; NULL: none. */
  double (*products)(const fovea_graph *graph, const fovea_node *node);
  /* NULL: none. A file of a graph has all of them (their names are its format). */
  const fovea_attribute *attributes;
};

#define X(name, NAME, flags)             \
  extern const fovea_op fovea_op_##name; \
  enum { FOVEA_KIND_OF_##name = FOVEA_OP_##NAME, FOVEA_FLAGS_OF_##name = flags };
FOVEA_OPS(X)
#undef X

/* FOVEA_OP(concat, .inputs = 2, ...): the descriptor of an op of the list. */
#define FOVEA_OP(op, ...)          \
  const fovea_op fovea_op_##op = { \
      .name = #op, .kind = (fovea_op_kind)FOVEA_KIND_OF_##op, .flags = (unsigned)FOVEA_FLAGS_OF_##op, __VA_ARGS__}

static inline bool fovea_node_is(const fovea_node *node, int flag) { return (node->op->flags & (unsigned)flag) != 0; }

#endif
