/* Convolution, transposed convolution and dense layers: one family of kernels (cl/conv2d.cl, cl/conv2d_transpose.cl,
 * cl/conv2d_backward_weight.cl), each the gradient of another. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "op/op.h"

/* MAX_WEIGHTS, so that a tile-padded weight count times 16 lanes is addressed by 64 bits but counted by an int. */
enum { MAX_KERNEL = 15, MAX_FILTERS = 65536, MAX_SIDE = 4096, MAX_WEIGHTS = 1 << 28, LANES = 16 };

int fovea_same_padding(int n, int kernel, int stride) {
  int total = ((n + stride - 1) / stride - 1) * stride + kernel - n;
  return total > 0 ? total / 2 : 0;
}

/* --- tiles: how a device's registers are used; they never change a result ------------------------------------------
 */

fovea_tile fovea_conv_tile(fovea_plan *plan, const char *kernel, const fovea_conv_shape *s,
                           const fovea_tile_list *list) {
  char key[FOVEA_TILE_KEY];
  snprintf(key, sizeof key, "%s %dx%dx%d %dx%dx%d %dx%d s%d n%d", kernel, s->c, s->h, s->w, s->k, s->oh, s->ow,
           s->kernel, s->kernel, s->stride, fovea_plan_batch(plan));
  return fovea_plan_tile(plan, key, list);
}

/* Where registers are many: with two units for fma (Zen 5) five sums of a register each wait for each other. */
int fovea_filters_a_tile(const fovea_tuning *tuning, int k, int most) {
  const int step = k % 5 == 0 ? 5 : 4;
  if (tuning->native < 16) return step;
  int best = 2 * step;
  for (int filters = best + step; filters <= most; filters += step)
    if (fovea_ceil_div(k, filters) * filters <= fovea_ceil_div(k, best) * best) best = filters;
  return best;
}

/* Accumulators are filters x pixels x (vector / native) registers; AVX2 has 16, AVX-512 and Arm's SIMD 32, and a GPU
 * many. Filters divide the count where they can: the seed's channels are multiples of 5. */
static fovea_tile conv_tile(const fovea_tuning *t, int filters, int columns) {
  fovea_tile best = {.vector = t->vector, .filters = filters % 5 == 0 ? 5 : filters < 4 ? filters : 4, .pixels = 1};
  if (t->vector == 1 || t->native >= 16) best.pixels = 4;
  if (best.filters < 3 && best.pixels < 4) best.pixels = 4 / best.filters;
  if (best.pixels > columns) best.pixels = columns;
  return best;
}

/* Those that fill a part of the registers that makes sense: 8 sums hide an fma's latency, AVX2 has 14 registers for
 * them beside the operands. A GPU's work-items are many, a few sums each are enough. */
static fovea_tile_list conv_tiles(const fovea_tuning *t, int filters, int columns) {
  fovea_tile_list list = {0};
  const fovea_tile first = conv_tile(t, filters, columns);
  const int most = t->vector == 1 ? 32 : t->native == 8 ? 14 : 28, least = t->vector == 1 ? 4 : 8;
  fovea_tile_add(&list, first);
  for (int vector = t->vector; vector >= t->native; vector /= 2)
    for (int f = filters < 8 ? filters : 8; f > 0; f--)
      for (int pixels = 1; pixels <= 8; pixels++) {
        const int sums = f * pixels * vector / t->native;
        const bool odd = (f > 1 && f % 2 && f != 5) || (pixels > 1 && pixels % 2);
        if (sums < least || sums > most || (t->vector == 1 && odd) || (f == 1 && filters > 4)) continue;
        fovea_tile_add(&list, (fovea_tile){.vector = vector, .filters = f, .pixels = pixels});
      }
  for (int local = 16; t->vector == 1 && local <= 256; local *= 2) {
    fovea_tile tile = first;
    tile.local = local;
    fovea_tile_add(&list, tile);
  }
  return list;
}

static fovea_view pack(fovea_plan *plan, fovea_view w, int k, int c, int taps, int filters, bool transposed) {
  int count = fovea_ceil_div(k, filters) * filters * c * taps;
  fovea_view packed = fovea_plan_new(plan, (size_t)count);
  fovea_record *r = fovea_plan_record(plan, "pack.cl", "", "pack_weights");
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "packed", packed);
  fovea_record_int(r, "k", k);
  fovea_record_int(r, "c", c);
  fovea_record_int(r, "taps", taps);
  fovea_record_int(r, "tile", filters);
  fovea_record_int(r, "transposed", transposed);
  fovea_record_int(r, "count", count);
  fovea_record_flat(r, (size_t)count);
  fovea_record_prepacks_weights(plan, r);
  fovea_record_cost(r, 0, 8.0 * count);
  return packed;
}

double fovea_conv_flops(const fovea_plan *plan, const fovea_conv_shape *s) {
  return 2.0 * s->k * s->c * s->oh * s->ow * s->kernel * s->kernel * fovea_plan_batch(plan);
}

double fovea_conv_bytes(const fovea_plan *plan, const fovea_conv_shape *s) {
  return 4.0 * fovea_plan_batch(plan) * ((double)s->c * s->h * s->w + (double)s->k * s->oh * s->ow);
}

void fovea_record_conv_shape(fovea_plan *plan, fovea_record *r, const fovea_conv_shape *s) {
  const int values[] = {fovea_plan_batch(plan), s->c, s->h, s->w, s->k, s->oh, s->ow, s->top, s->left};
  static const char *const names[] = {"n", "c", "h", "w", "k", "oh", "ow", "top", "left"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) fovea_record_int(r, names[i], values[i]);
}

void fovea_record_conv_arguments(fovea_plan *plan, fovea_record *r, const fovea_conv_shape *s, fovea_view x,
                                 fovea_view w, fovea_epilogue epilogue, fovea_view y) {
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "w", w);
  fovea_record_view(plan, r, "b", epilogue.bias ? *epilogue.bias : w);
  fovea_record_buffer(plan, r, "state", fovea_plan_state(plan));
  fovea_record_view(plan, r, "y", y);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_int(r, "has_bias", epilogue.bias != NULL);
  fovea_record_int(r, "accumulate", epilogue.accumulate);
}

void fovea_epilogue_options(fovea_epilogue epilogue, char *options, size_t size) {
  const size_t length = strlen(options);
  if (epilogue.activation != FOVEA_LINEAR)
    snprintf(options + length, size - length, " -DACTIVATION=%d", (int)epilogue.activation);
}

/* Both gathers take the same arguments: from [c][h][w] to [k][oh][ow]. */
static void record_gather(fovea_plan *plan, const char *file, const char *kernel, const fovea_conv_shape *s,
                          fovea_view x, fovea_view w, bool transposed, fovea_epilogue epilogue, fovea_view y,
                          double flops) {
  if (fovea_plan_device(plan)->tuning.vector > 1 && s->kernel > 1 && s->c >= 4 && s->k >= 4) {
    fovea_record_conv2d_blocked(plan, s, x, w, transposed, epilogue, y, flops);
    return;
  }
  const fovea_tile_list list = conv_tiles(&fovea_plan_device(plan)->tuning, s->k, s->ow);
  const fovea_tile t = fovea_conv_tile(plan, kernel, s, &list);
  const int taps = s->kernel * s->kernel;
  const bool packed = taps > 1 && s->c >= 4 && s->k >= 4; /* few weights are read where they are: a launch less */
  if (packed) w = pack(plan, w, s->k, s->c, taps, t.filters, transposed);
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DTP=%d -DPACKED=%d", t.vector, s->kernel,
           s->kernel, s->stride, t.filters, t.pixels, packed);
  fovea_epilogue_options(epilogue, options, sizeof options);
  fovea_record *r = fovea_plan_record(plan, file, options, kernel);
  fovea_record_conv_arguments(plan, r, s, x, w, epilogue, y);
  fovea_record_int(r, "wk", (transposed ? 1 : s->c) * taps);
  fovea_record_int(r, "wc", (transposed ? s->k : 1) * taps);
  const size_t vectors = (size_t)(fovea_plan_batch(plan) / t.vector), rows = (size_t)s->oh;
  const size_t tiles = (size_t)fovea_ceil_div(s->k, t.filters);
  if (t.vector == 1)
    fovea_record_range(r, vectors, tiles, rows);
  else
    fovea_record_range(r, tiles, rows, vectors);
  fovea_record_over_batch(r, t.vector == 1 ? 0 : 2);
  fovea_record_local(r, t.local);
  fovea_record_cost(r, flops, fovea_conv_bytes(plan, s));
}

void fovea_record_conv2d(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view w,
                         fovea_epilogue epilogue, fovea_view y) {
  if (fovea_winograd_fits(s, false))
    fovea_record_winograd(plan, s, x, w, false, epilogue, y, fovea_conv_flops(plan, s));
  else
    record_gather(plan, "conv2d.cl", "conv2d_forward", s, x, w, false, epilogue, y, fovea_conv_flops(plan, s));
}

void fovea_record_conv2d_backward_data(fovea_plan *plan, const fovea_conv_shape *s, fovea_view dy, fovea_view w,
                                       fovea_epilogue epilogue, fovea_view dx) {
  fovea_conv_shape back = *s;
  back.c = s->k, back.h = s->oh, back.w = s->ow;
  back.k = s->c, back.oh = s->h, back.ow = s->w;
  if (fovea_winograd_fits(&back, true)) {
    if (s->stride == 1) /* an ordinary one, of the filters turned by half a circle */
      back.top = s->kernel - 1 - s->top, back.left = s->kernel - 1 - s->left;
    fovea_record_winograd(plan, &back, dy, w, true, epilogue, dx, fovea_conv_flops(plan, s));
    return;
  }
  record_gather(plan, "conv2d_transpose.cl", "conv2d_transpose_forward", &back, dy, w, true, epilogue, dx,
                fovea_conv_flops(plan, s));
}

/* TK * S accumulators of a register each, S columns of x and one of dy. Measured on AVX2 (Zen 3, 85->25 at 28x28, batch
 * 64; ms): 3 filters and 2 channels 17.3, 4 channels 21, 8 channels 20; 4 filters 28, 5 filters 25, for want of
 * registers for the pointers; 2 filters of V = 16 29. A 1x1 kernel has enough sums only with many filters, a wide one
 * with one. A dense layer's work-items on a GPU have all 16 lanes, since a sum of each was most of a large layer's
 * memory: of 4 filters 55 registers spill on AMD's gfx1100. */
static fovea_tile weight_tile(const fovea_tuning *tuning, const fovea_conv_shape *s) {
  fovea_tile t = {.vector = tuning->native, .channels = tuning->vector == 1 ? 1 : 2};
  t.filters = s->kernel >= 5 ? 1 : s->kernel == 1 ? 8 : tuning->native == 1 || tuning->native == 16 ? 4 : 3;
  if (tuning->native == 1 && s->kernel == 1) t.filters = 4;
  if (tuning->native == 1 && fovea_conv_is_dense(s)) t.filters = 2, t.vector = LANES;
  if (t.filters > s->k) t.filters = s->k;
  return t;
}

/* A GPU's sums are of all taps and all in registers. */
static fovea_tile_list weight_tiles(const fovea_tuning *tuning, const fovea_conv_shape *s) {
  fovea_tile_list list = {0};
  const int registers = tuning->native == 16 ? 24 : 15, taps = s->kernel * s->kernel;
  const fovea_tile first = weight_tile(tuning, s);
  fovea_tile_add(&list, first);
  if (first.vector > tuning->native) return list;
  for (int filters = s->k < 8 ? s->k : 8; filters > 1; filters--) {
    if (tuning->vector == 1 ? filters * taps > 72 : filters * s->kernel > registers) continue;
    for (int channels = tuning->vector == 1 ? 1 : 2; channels <= (tuning->vector == 1 ? 1 : 8); channels *= 2)
      fovea_tile_add(&list, (fovea_tile){.vector = tuning->native, .filters = filters, .channels = channels});
  }
  return list;
}

static void record_direct_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                          fovea_view dw) {
  const int count = s->k * s->c * s->kernel * s->kernel;
  const fovea_tile_list list = weight_tiles(&fovea_plan_device(plan)->tuning, s);
  const fovea_tile t = fovea_conv_tile(plan, "conv2d_backward_weight", s, &list);
  const bool lanes = t.vector == 1; /* apart, in work-items of their own */
  fovea_view sums = lanes ? fovea_plan_new(plan, (size_t)count * LANES) : dw;
  char options[120];
  snprintf(options, sizeof options, "-DV=%d -DR=%d -DS=%d -DSTRIDE=%d -DTK=%d -DCB=%d", t.vector, s->kernel, s->kernel,
           s->stride, t.filters, t.channels);
  fovea_record *r = fovea_plan_record(plan, "conv2d_backward_weight.cl", options, "conv2d_backward_weight");
  fovea_record_view(plan, r, "x", x);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, "dw", sums);
  fovea_record_conv_shape(plan, r, s);
  fovea_record_range(r, lanes ? LANES : 1, (size_t)fovea_ceil_div(s->k, t.filters),
                     (size_t)fovea_ceil_div(s->c, t.channels));
  fovea_record_cost(r, fovea_conv_flops(plan, s), fovea_conv_bytes(plan, s));

  if (!lanes) return;
  r = fovea_plan_record(plan, "conv2d_backward_weight.cl", options, "reduce_lanes");
  fovea_record_view(plan, r, "partial", sums);
  fovea_record_view(plan, r, "dw", dw);
  fovea_record_int(r, "count", count);
  fovea_record_flat(r, (size_t)count);
  fovea_record_cost(r, 0, 4.0 * (LANES + 1) * count);
}

void fovea_record_conv2d_backward_weight(fovea_plan *plan, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                         fovea_view dw) {
  fovea_plan_side_stream(plan, true);
  if (s->stride == 1 && fovea_winograd_fits(s, false))
    fovea_record_winograd_backward_weight(plan, s, x, dy, dw);
  else if (fovea_plan_device(plan)->tuning.vector > 1 && s->k >= 4 && s->c >= 4)
    fovea_record_blocked_backward_weight(plan, s, x, dy, dw);
  else
    record_direct_backward_weight(plan, s, x, dy, dw);
  fovea_plan_side_stream(plan, false);
}

static fovea_record *record_sums(fovea_plan *plan, const char *kernel, fovea_view dy, const char *what, fovea_view sums,
                                 int h, int w) {
  fovea_record *r = fovea_plan_record(plan, "bias.cl", "", kernel);
  fovea_record_view(plan, r, "dy", dy);
  fovea_record_view(plan, r, what, sums);
  fovea_record_int(r, "n", fovea_plan_batch(plan));
  fovea_record_int(r, "h", h);
  fovea_record_int(r, "w", w);
  return r;
}

void fovea_record_bias_backward(fovea_plan *plan, int c, int h, int w, fovea_view dy, fovea_view db) {
  const bool rows_apart = fovea_plan_device(plan)->tuning.vector == 1;
  const double bytes = 4.0 * c * h * w * fovea_plan_batch(plan);
  fovea_plan_side_stream(plan, true);
  if (rows_apart) {
    fovea_view rows = fovea_plan_new(plan, (size_t)c * (size_t)h);
    fovea_record *r = record_sums(plan, "bias_backward_rows", dy, "rows", rows, h, w);
    fovea_record_lane_groups(plan, r, (size_t)h, (size_t)c);
    fovea_record_cost(r, 0, bytes);
    r = fovea_plan_record(plan, "bias.cl", "", "bias_backward");
    fovea_record_view(plan, r, "rows", rows);
    fovea_record_view(plan, r, "db", db);
    fovea_record_int(r, "h", h);
    fovea_record_range(r, (size_t)c, 1, 1);
    fovea_record_cost(r, 0, 4.0 * c * (h + 1));
  } else {
    fovea_record *r = record_sums(plan, "bias_backward", dy, "db", db, h, w);
    fovea_record_lane_groups(plan, r, 1, (size_t)c);
    fovea_record_cost(r, 0, bytes);
  }
  fovea_plan_side_stream(plan, false);
}

/* --- the ops -------------------------------------------------------------------------------------------------------
 */

static fovea_status check(const fovea_conv2d *conv, int channels) {
  if (conv->filters < 1 || conv->filters > MAX_FILTERS)
    return fovea_fail(FOVEA_INVALID, "conv2d: %d filters, expected 1 to %d", conv->filters, MAX_FILTERS);
  if (conv->kernel < 1 || conv->kernel > MAX_KERNEL || conv->kernel % 2 == 0)
    return fovea_fail(FOVEA_INVALID, "conv2d: kernel %d, expected an odd size up to %d", conv->kernel, MAX_KERNEL);
  if (conv->stride < 1 || conv->stride > 2)
    return fovea_fail(FOVEA_INVALID, "conv2d: stride %d, expected 1 or 2", conv->stride);
  if (!conv->same && (conv->padding < 0 || conv->padding >= conv->kernel))
    return fovea_fail(FOVEA_INVALID, "conv2d: padding %d, expected 0 to %d", conv->padding, conv->kernel - 1);
  if ((long long)channels * conv->filters * conv->kernel * conv->kernel > MAX_WEIGHTS)
    return fovea_fail(FOVEA_INVALID, "conv2d: %dx%dx%dx%d weights are more than %d", conv->filters, channels,
                      conv->kernel, conv->kernel, MAX_WEIGHTS);
  return FOVEA_OK;
}

static void declare(fovea_node *node, int out_axis, int in_axis, int kernel, int channels, int filters) {
  fovea_parameter_spec *w = &node->parameters[node->parameter_count++];
  snprintf(w->name, sizeof w->name, "%s.weight", node->name);
  w->rank = 4;
  w->dims[out_axis] = filters, w->dims[in_axis] = channels, w->dims[2] = w->dims[3] = kernel;
  w->trainable = true;
  w->initial = FOVEA_GLOROT;
  w->fan_in = (double)channels * kernel * kernel, w->fan_out = (double)filters * kernel * kernel;
  if (!node->conv.bias) return;
  fovea_parameter_spec *b = &node->parameters[node->parameter_count++];
  snprintf(b->name, sizeof b->name, "%s.bias", node->name);
  b->rank = 1, b->dims[0] = filters, b->trainable = true, b->initial = FOVEA_ZEROS;
}

static fovea_status infer_conv(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const fovea_conv2d *conv = &node->conv;
  fovea_status status = check(conv, x->c);
  if (status != FOVEA_OK) return status;
  if (conv->same) {
    node->h = (x->h + conv->stride - 1) / conv->stride, node->w = (x->w + conv->stride - 1) / conv->stride;
    node->top = fovea_same_padding(x->h, conv->kernel, conv->stride);
    node->left = fovea_same_padding(x->w, conv->kernel, conv->stride);
  } else {
    int h = x->h + 2 * conv->padding - conv->kernel, w = x->w + 2 * conv->padding - conv->kernel;
    if (h < 0 || w < 0)
      return fovea_fail(FOVEA_INVALID, "conv2d: an image of %dx%d is smaller than the kernel of %d", x->h, x->w,
                        conv->kernel);
    node->h = h / conv->stride + 1, node->w = w / conv->stride + 1;
    node->top = node->left = conv->padding;
  }
  node->c = conv->filters;
  declare(node, 0, 1, conv->kernel, x->c, conv->filters);
  return FOVEA_OK;
}

static fovea_status infer_transpose(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  const fovea_conv2d *conv = &node->conv;
  fovea_status status = check(conv, x->c);
  if (status != FOVEA_OK) return status;
  if (!conv->same) return fovea_fail(FOVEA_INVALID, "conv2d_transpose: only 'same' padding");
  if (x->h * conv->stride > MAX_SIDE || x->w * conv->stride > MAX_SIDE)
    return fovea_fail(FOVEA_INVALID, "conv2d_transpose: %dx%d times %d is more than %d pixels a side", x->h, x->w,
                      conv->stride, MAX_SIDE);
  node->c = conv->filters, node->h = x->h * conv->stride, node->w = x->w * conv->stride;
  node->top = fovea_same_padding(node->h, conv->kernel, conv->stride);
  node->left = fovea_same_padding(node->w, conv->kernel, conv->stride);
  declare(node, 1, 0, conv->kernel, x->c, conv->filters);
  return FOVEA_OK;
}

static fovea_status infer_dense(const fovea_graph *graph, fovea_node *node) {
  const fovea_node *x = &graph->nodes[node->inputs[0]];
  long long size = (long long)x->c * x->h * x->w;
  if (node->conv.filters < 1 || node->conv.filters > MAX_FILTERS || size > MAX_FILTERS ||
      size * node->conv.filters > MAX_WEIGHTS)
    return fovea_fail(FOVEA_INVALID, "dense: %lld inputs to %d units, expected 1 to %d of each, %d weights", size,
                      node->conv.filters, MAX_FILTERS, MAX_WEIGHTS);
  node->c = node->conv.filters, node->h = node->w = 1;
  declare(node, 0, 1, 1, (int)size, node->c);
  node->parameters[0].rank = 2;
  if (x->h * x->w > 1) {
    int shape[3] = {x->c, x->h, x->w};
    memcpy(node->parameters[0].columns, shape, sizeof shape);
  }
  return FOVEA_OK;
}

/* The convolution that a node is, or whose gradient it is: x is the larger image. */
static fovea_conv_shape shape_of(const fovea_plan *plan, int node) {
  const fovea_node *y = fovea_plan_node(plan, node), *x = fovea_plan_node(plan, y->inputs[0]);
  if (y->op == &fovea_op_dense)
    return (fovea_conv_shape){
        .c = x->c * x->h * x->w, .h = 1, .w = 1, .k = y->c, .oh = 1, .ow = 1, .kernel = 1, .stride = 1};
  fovea_conv_shape s = {.c = x->c,
                        .h = x->h,
                        .w = x->w,
                        .k = y->c,
                        .oh = y->h,
                        .ow = y->w,
                        .kernel = y->conv.kernel,
                        .stride = y->conv.stride,
                        .top = y->top,
                        .left = y->left};
  if (y->op == &fovea_op_conv2d_transpose) {
    s.c = y->c, s.h = y->h, s.w = y->w;
    s.k = x->c, s.oh = x->h, s.ow = x->w;
  }
  return s;
}

/* An image that a dense layer reads is made a vector first, and kept as one for backward. */
enum { FLAT = 0 };

static bool reads_image(const fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node), *x = fovea_plan_node(plan, n->inputs[0]);
  return n->op == &fovea_op_dense && x->h * x->w > 1;
}

static fovea_view flatten(fovea_plan *plan, int node) {
  const fovea_node *x = fovea_plan_node(plan, fovea_plan_node(plan, node)->inputs[0]);
  const int pixels = x->h * x->w;
  fovea_view flat = fovea_plan_save(plan, node, FLAT, (size_t)(x->c * pixels) * (size_t)fovea_plan_batch(plan));
  fovea_record_reshape(plan, x->c, pixels, false, fovea_plan_input(plan, node, 0), flat, false);
  return flat;
}

static void forward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_conv_shape s = shape_of(plan, node);
  fovea_view x = reads_image(plan, node) ? flatten(plan, node) : fovea_plan_input(plan, node, 0);
  const int activation = fovea_plan_fused(plan, node);
  fovea_view y = fovea_plan_output(plan, activation < 0 ? node : activation);
  fovea_view w = fovea_plan_parameter(plan, node, 0), b = fovea_plan_parameter(plan, node, 1);
  const fovea_epilogue epilogue = {
      .bias = n->conv.bias ? &b : NULL,
      .activation = activation < 0 ? FOVEA_LINEAR : fovea_plan_node(plan, activation)->activation};
  size_t batch = (size_t)fovea_plan_batch(plan);
  if (n->op == &fovea_op_conv2d_transpose)
    fovea_record_conv2d_backward_data(plan, &s, x, w, epilogue, y);
  else if (n->op == &fovea_op_dense && fovea_plan_clblast(plan) && !epilogue.bias)
    fovea_record_gemm(
        plan,
        &(fovea_gemm){.m = (size_t)s.k, .n = batch, .k = (size_t)s.c, .lda = (size_t)s.c, .ldb = batch, .ldc = batch},
        w, x, y);
  else
    fovea_record_conv2d(plan, &s, x, w, epilogue, y);
}

static void dense_backward_clblast(fovea_plan *plan, int node, const fovea_conv_shape *s, fovea_view x, fovea_view dy,
                                   const fovea_view *dx, bool accumulate) {
  size_t batch = (size_t)fovea_plan_batch(plan), c = (size_t)s->c, k = (size_t)s->k;
  fovea_record_gemm(
      plan, &(fovea_gemm){.transpose_b = true, .m = k, .n = c, .k = batch, .lda = batch, .ldb = batch, .ldc = c}, dy, x,
      fovea_plan_parameter_gradient(plan, node, 0));
  if (!dx) return;
  fovea_record_gemm(plan,
                    &(fovea_gemm){.transpose_a = true,
                                  .m = c,
                                  .n = batch,
                                  .k = k,
                                  .lda = c,
                                  .ldb = batch,
                                  .ldc = batch,
                                  .beta = accumulate ? 1.0f : 0.0f},
                    fovea_plan_parameter(plan, node, 0), dy, *dx);
}

/* dw, and dx where that is not NULL. */
static void record_gradients(fovea_plan *plan, int node, fovea_view x, const fovea_view *dx, bool accumulate) {
  const fovea_node *n = fovea_plan_node(plan, node);
  fovea_conv_shape s = shape_of(plan, node);
  fovea_view dy = fovea_plan_output_gradient(plan, node), w = fovea_plan_parameter(plan, node, 0);
  if (n->op == &fovea_op_dense && fovea_plan_clblast(plan) && !n->conv.bias) {
    dense_backward_clblast(plan, node, &s, x, dy, dx, accumulate);
    return;
  }
  const bool transpose = n->op == &fovea_op_conv2d_transpose;
  fovea_record_conv2d_backward_weight(plan, &s, transpose ? dy : x, transpose ? x : dy,
                                      fovea_plan_parameter_gradient(plan, node, 0));
  if (!dx) return;
  const fovea_epilogue epilogue = {.accumulate = accumulate};
  if (transpose)
    fovea_record_conv2d(plan, &s, dy, w, epilogue, *dx);
  else
    fovea_record_conv2d_backward_data(plan, &s, dy, w, epilogue, *dx);
}

static void backward(fovea_plan *plan, int node) {
  const fovea_node *n = fovea_plan_node(plan, node), *in = fovea_plan_node(plan, n->inputs[0]);
  const bool image = reads_image(plan, node), wanted = fovea_plan_wants_gradient(plan, node, 0);
  fovea_view x = image ? fovea_plan_saved(plan, node, FLAT) : fovea_plan_input(plan, node, 0), dx = {0};
  bool accumulate = false;
  if (n->conv.bias)
    fovea_record_bias_backward(plan, n->c, n->h, n->w, fovea_plan_output_gradient(plan, node),
                               fovea_plan_parameter_gradient(plan, node, 1));
  if (wanted) dx = fovea_plan_input_gradient(plan, node, 0, &accumulate);
  if (!image || !wanted) {
    record_gradients(plan, node, x, wanted ? &dx : NULL, accumulate);
    return;
  }
  const int pixels = in->h * in->w;
  fovea_view flat = fovea_plan_new(plan, (size_t)(in->c * pixels) * (size_t)fovea_plan_batch(plan));
  record_gradients(plan, node, x, &flat, false);
  fovea_record_reshape(plan, in->c, pixels, true, flat, dx, accumulate);
}

static const fovea_attribute convolution[] = {FOVEA_ATTRIBUTE("filters", INT, conv.filters),
                                              FOVEA_ATTRIBUTE("kernel", INT, conv.kernel),
                                              FOVEA_ATTRIBUTE("stride", INT, conv.stride),
                                              FOVEA_ATTRIBUTE("bias", BOOL, conv.bias),
                                              FOVEA_ATTRIBUTE("same", BOOL, conv.same),
                                              FOVEA_ATTRIBUTE("padding", INT, conv.padding),
                                              {.name = NULL}};

const fovea_op fovea_op_conv2d = {"conv2d", infer_conv, forward, backward, convolution};
const fovea_op fovea_op_conv2d_transpose = {"conv2d_transpose", infer_transpose, forward, backward, convolution};
const fovea_op fovea_op_dense = {
    "dense", infer_dense, forward, backward,
    FOVEA_ATTRIBUTES(FOVEA_ATTRIBUTE("units", INT, conv.filters), FOVEA_ATTRIBUTE("bias", BOOL, conv.bias))};
