/* What an op is: one const descriptor a file. */
#ifndef FOVEA_OP_OP_H
#define FOVEA_OP_OP_H

#include <stddef.h>

#include "graph/graph.h"
#include "plan/plan.h"

/* What a node was asked for, as its builder takes it: where that lies in a fovea_node, so that a graph can be written
 * and read without knowing its ops. Shapes and parameters are none: they are inferred. */
typedef enum fovea_attribute_kind {
  FOVEA_ATTRIBUTE_INT,
  FOVEA_ATTRIBUTE_BOOL,
  FOVEA_ATTRIBUTE_FLOAT,
  FOVEA_ATTRIBUTE_DOUBLE,
  FOVEA_ATTRIBUTE_ACTIVATION
} fovea_attribute_kind;

typedef struct fovea_attribute {
  const char *name; /* NULL: past the last */
  fovea_attribute_kind kind;
  size_t offset;
} fovea_attribute;

/* FOVEA_ATTRIBUTE("rate", DOUBLE, rate): member `rate` of fovea_node, a double. */
#define FOVEA_ATTRIBUTE(name, kind, member) \
  { name, FOVEA_ATTRIBUTE_##kind, offsetof(fovea_node, member) }
/* The list of an op, a constant that lives as long as the program. */
#define FOVEA_ATTRIBUTES(...)     \
  (const fovea_attribute[]) {     \
    __VA_ARGS__, { .name = NULL } \
  }

struct fovea_op {
  const char *name;
  /* Checks the parameters against the inputs' shapes, and sets the node's shape and parameters. */
  fovea_status (*infer)(const fovea_graph *graph, fovea_node *node);
  /* Record launches; NULL for an op that is only a view. backward may overwrite the node's own output gradient, which
   * nobody reads after it. */
  void (*forward)(fovea_plan *plan, int node);
  void (*backward)(fovea_plan *plan, int node);
  /* NULL: none. A file of a graph has all of them (their names are its format). */
  const fovea_attribute *attributes;
};

extern const fovea_op fovea_op_input, fovea_op_conv2d, fovea_op_conv2d_transpose, fovea_op_dense, fovea_op_reshape,
    fovea_op_batchnorm, fovea_op_dropout, fovea_op_activation, fovea_op_spatial_attention, fovea_op_channel_attention,
    fovea_op_concat, fovea_op_reparameterize, fovea_op_sigmoid_bce;

/* --- a convolution as a piece of other ops (conv2d.c) ----------------------------------------------------------- */

typedef struct fovea_conv_shape {
  int c, h, w;   /* x */
  int k, oh, ow; /* y */
  int kernel, stride, top, left;
} fovea_conv_shape;

/* Of images and kernels of one pixel. */
static inline bool fovea_conv_is_dense(const fovea_conv_shape *s) {
  return s->kernel * s->h * s->w * s->oh * s->ow == 1;
}

/* 'same' padding before a side of n for a kernel and stride, as Keras's: half of max((ceil(n / s) - 1) s + k - n, 0).
 */
int fovea_same_padding(int n, int kernel, int stride);

/* The arguments n, c, h, w, k, oh, ow, top, left, with which every convolution kernel begins, after its views. */
void fovea_record_conv_shape(fovea_plan *plan, fovea_record *record, const fovea_conv_shape *shape);

/* Of each of the three passes, as a direct convolution, so that rates are comparable: padding counted as if it were
 * image; and each image once. */
double fovea_conv_flops(const fovea_plan *plan, const fovea_conv_shape *shape);
double fovea_conv_bytes(const fovea_plan *plan, const fovea_conv_shape *shape);

static inline int fovea_ceil_div(int a, int b) { return (a + b - 1) / b; }

/* A CPU's tiles for weight gradients, filters x channels sums in registers, `pixels` or twice as many at a time; the
 * first one of four channels if `wide`. */
fovea_tile_list fovea_product_tiles(const fovea_tuning *tuning, int k, int pixels, bool wide);

/* Filters a tile of a CPU's kernel whose sums are a vector each: up to `most` where registers are many, as few as
 * possible past k, and multiples of one number, since each other tile is another program to compile. */
int fovea_filters_a_tile(const fovea_tuning *tuning, int k, int most);

/* What to ask the plan for a tile with (runtime/autotune.h): "conv2d 85x28x28 25x28x28 3x3 s1 n64". */
fovea_tile fovea_conv_tile(fovea_plan *plan, const char *kernel, const fovea_conv_shape *shape,
                           const fovea_tile_list *list);

/* What becomes of a convolution's sums: y (+)= activation(sum + b). */
typedef struct fovea_epilogue {
  const fovea_view *bias;      /* NULL: none */
  fovea_activation activation; /* FOVEA_LINEAR where it accumulates */
  bool accumulate;
} fovea_epilogue;

/* y = conv(x, w), and what the epilogue says; w is [k][c][kernel][kernel]. */
void fovea_record_conv2d(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view w,
                         fovea_epilogue epilogue, fovea_view y);
/* dx = the gradient of that convolution by its input. A transposed convolution's forward pass, too. */
void fovea_record_conv2d_backward_data(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view dy, fovea_view w,
                                       fovea_epilogue epilogue, fovea_view dx);
void fovea_record_conv2d_backward_weight(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view dy,
                                         fovea_view dw);
/* Those of conv2d_blocked.c, on a CPU; transposed: w is [c][k], and the taps are a transposed convolution's. */
void fovea_record_conv2d_blocked(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view w,
                                 bool transposed, fovea_epilogue epilogue, fovea_view y, double flops);
void fovea_record_blocked_backward_weight(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view dy,
                                          fovea_view dw);
/* Those of winograd.c, for convolutions that it fits; backward_data: the data gradient, w as of the convolution itself.
 * The shape is from x to y, with the convolution's padding; but a data gradient of stride 1 is an ordinary convolution.
 */
bool fovea_winograd_fits(const fovea_conv_shape *shape, bool backward_data);
void fovea_record_winograd(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view w,
                           bool backward_data, fovea_epilogue epilogue, fovea_view y, double flops);
/* The arguments that kernels with an epilogue begin with; w as they take it, packed or transformed. */
void fovea_record_conv_arguments(fovea_plan *plan, fovea_record *record, const fovea_conv_shape *shape, fovea_view x,
                                 fovea_view w, fovea_epilogue epilogue, fovea_view y);
/* Appends the macro of the epilogue's activation to the options of a program, a string in `size` bytes. */
void fovea_epilogue_options(fovea_epilogue epilogue, char *options, size_t size);
void fovea_record_winograd_backward_weight(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view dy,
                                           fovea_view dw);

void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db);

/* y = activation(dropout(x)), and its gradient from y (activation.c). */
void fovea_record_activation(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels, fovea_view x,
                             fovea_view y);
void fovea_record_activation_backward(fovea_plan *plan, const fovea_pointwise *pointwise, int c, int pixels,
                                      fovea_view y, fovea_view dy, fovea_view dx, bool accumulate);

/* What a fused attention and normalization know of each other (fovea_plan_fused): the slots of the attention's scale
 * [pixels][N] and of the normalization's statistics, and its parameters. */
enum { FOVEA_ATTENTION_SCALE = 1, FOVEA_BATCHNORM_STATS = 0, FOVEA_BATCHNORM_GAMMA = 0, FOVEA_BATCHNORM_BETA = 1 };

/* Whether the attention leaves its launch to the normalization to record: with its output, in an evaluation, or with
 * the moments for its statistics (batchnorm_moments of cl/batchnorm_statistics.cl). */
bool fovea_attention_is_fused(const fovea_plan *plan, int attention);
void fovea_record_measured_attention(fovea_plan *plan, int attention, fovea_view rows);
void fovea_record_normalized_attention(fovea_plan *plan, int attention, fovea_view stats);

/* y (+)= x: units as an image, or with to_image false an image as units (reshape.c). */
void fovea_record_reshape(fovea_plan *plan, int c, int pixels, bool to_image, fovea_view x, fovea_view y,
                          bool accumulate);

/* The macros and the kernel arguments threshold, scale, op of activation.clh; no dropout in evaluation. */
enum { FOVEA_POINTWISE_OPTIONS = 48 };
void fovea_pointwise_options(const fovea_plan *plan, const fovea_pointwise *pointwise,
                             char options[FOVEA_POINTWISE_OPTIONS]);
void fovea_record_pointwise_arguments(fovea_plan *plan, fovea_record *record, const fovea_pointwise *pointwise);

#endif
