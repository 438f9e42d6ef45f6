/* A convolution as a piece of ops: its shape, its three passes, and what the algorithms share (cl/conv2d.cl,
 * cl/conv2d_transpose.cl, cl/conv2d_backward_weight.cl: one family of kernels, each the gradient of another). */
#ifndef FOVEA_OP_CONV2D_CONV2D_H
#define FOVEA_OP_CONV2D_CONV2D_H

#include "plan/record.h"

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

/* Levels of sums that wait in the tree over a batch (cl/common/reduce.clh). */
int fovea_levels(int batch);

/* A CPU's tiles for weight gradients, filters x channels sums in registers, `pixels` or twice as many at a time; the
 * first one of four channels if `wide`. */
fovea_tile_list fovea_product_tiles(const fovea_tuning *tuning, int k, int pixels, bool wide);

/* Filters a tile of a CPU's kernel whose sums are a vector each: up to `most` where registers are many, as few as
 * possible past k, and multiples of one number, since each other tile is another program to compile. */
int fovea_filters_a_tile(const fovea_tuning *tuning, int k, int most);

/* What to ask the plan for a tile with (runtime/autotune.h): "conv2d 85x28x28 25x28x28 3x3 s1 n64". */
fovea_tile fovea_conv_tile(fovea_plan *plan, const char *kernel, const fovea_conv_shape *shape,
                           const fovea_tile_list *list);

/* How many work-items keep all units of a GPU busy: four warps of 32 each. */
double fovea_conv_enough_items(const fovea_plan *plan);

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
/* The three algorithms, of which choose.c takes one. Those of direct.c, on any device; transposed: w is [c][k], and the
 * taps are a transposed convolution's. Of conv2d_backward_weight.c, on any device. */
void fovea_record_conv2d_direct(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view w,
                                bool transposed, fovea_epilogue epilogue, fovea_view y, double flops);
void fovea_record_direct_backward_weight(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view dy,
                                         fovea_view dw);
/* Those of conv2d_blocked.c, on a CPU, where there are channels and filters enough. */
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
/* winograd_backward_weight.c: of stride 1, where it fits. */
void fovea_record_winograd_backward_weight(fovea_plan *plan, const fovea_conv_shape *shape, fovea_view x, fovea_view dy,
                                           fovea_view dw);

/* So many weights that their number, padded to tiles, is counted by an int. */
enum { FOVEA_MAX_FILTERS = 65536, FOVEA_MAX_WEIGHTS = 1 << 28 };

/* For the ops that are convolutions: whether `conv` can be one of `channels`; its parameters, `filters` along axis
 * out_axis of the weight; with what its sums end, `bias` the parameter's view, which outlives the epilogue; the
 * convolution of node y from the larger image to the smaller, and its products an image. */
fovea_conv_shape fovea_conv_shape_between(const fovea_node *y, const fovea_node *larger, const fovea_node *smaller);
double fovea_conv_products(const fovea_node *y, const fovea_node *larger, const fovea_node *smaller);
fovea_status fovea_conv_check(const fovea_conv2d *conv, int channels);
void fovea_conv_declare(fovea_node *node, int out_axis, int in_axis, int kernel, int channels, int filters);
fovea_epilogue fovea_conv_epilogue(const fovea_plan *plan, int node, fovea_view *bias);
/* Where the sums go: the node's output, or that of the activation which is fused with it. */
fovea_view fovea_conv_output(const fovea_plan *plan, int node);
/* Of a node with a bias: its gradient. */
void fovea_conv_bias_backward(fovea_plan *plan, int node);

#endif
