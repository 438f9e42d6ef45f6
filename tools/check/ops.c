/* The networks whose ops are compared: the seed's, and awkward ones. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "check/check.h"
#include "check/error.h"
#include "check/lockstep.h"
#include "op/list.h"

enum { MAX_AWKWARD = 96 };

typedef struct awkward {
  check_case run;
  int channels, height, width;
  int head; /* channels of the 3x3 convolution that gives the op floats; 0: the op reads the images */
  fovea_tensor (*op)(fovea_graph *graph, fovea_tensor x, const struct awkward *a);
  fovea_conv2d conv;
  fovea_activation activation;
  double rate;
  const fovea_op *example; /* of `example` */
} awkward;

/* --- the ops, one after another or alone ----------------------------------------------------------------------- */

static fovea_tensor conv2d(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  return fovea_add_conv2d(graph, x, "op", &a->conv);
}

static fovea_tensor conv2d_transpose(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  return fovea_add_conv2d_transpose(graph, x, "op", &a->conv);
}

static fovea_tensor dense(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  return fovea_add_dense(graph, x, "op", a->conv.filters, a->conv.bias);
}

static fovea_tensor batchnorm(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  x = fovea_add_batchnorm(graph, x, "op", 0.9f, 1e-3f);
  if (a->rate > 0) x = fovea_add_dropout(graph, x, a->rate);
  return a->activation != FOVEA_LINEAR ? fovea_add_activation(graph, x, a->activation) : x;
}

/* One image of one pixel has no variance: each multiplies by 31.6 what it was not measured on, padding images' numbers
 * until they overflow. */
static fovea_tensor batchnorms(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  enum { COUNT = 30 };
  char name[16];
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "op%d", i);
    x = fovea_add_batchnorm(graph, x, name, 0.9f, 1e-3f);
  }
  return fovea_add_activation(graph, x, a->activation);
}

/* The activation before the dropout: neither is fused into anything. */
static fovea_tensor activation(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  x = fovea_add_activation(graph, x, a->activation);
  return a->rate > 0 ? fovea_add_dropout(graph, x, a->rate) : x;
}

static fovea_tensor spatial_attention(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  (void)a;
  return fovea_add_spatial_attention(graph, x, "op");
}

static fovea_tensor channel_attention(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  (void)a;
  return fovea_add_channel_attention(graph, x, "op");
}

/* x twice, so one of them is copied, and the images. */
static fovea_tensor concat(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  (void)a;
  return fovea_add_concat(graph, fovea_add_concat(graph, x, x), 0);
}

static fovea_tensor example(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  const fovea_conv2d same = {.filters = a->head, .kernel = 1, .stride = 1, .bias = true, .same = true};
  const fovea_tensor other = a->example->inputs > 1 ? fovea_add_conv2d(graph, x, "other", &same) : -1;
  return fovea_graph_add_example(graph, a->example, x, other);
}

/* The loss alone. */
static fovea_tensor nothing(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  (void)graph, (void)a;
  return x;
}

static fovea_tensor reparameterize(fovea_graph *graph, fovea_tensor x, const awkward *a) {
  const fovea_tensor mu = fovea_add_dense(graph, x, "mu", a->conv.filters, true);
  const fovea_tensor logvar = fovea_add_dense(graph, x, "logvar", a->conv.filters, false);
  return fovea_add_reparameterize(graph, mu, logvar, 0.5f);
}

#define CONV(filters, kernel, stride, bias, same, padding) \
  { filters, kernel, stride, bias, same, padding }
#define RUN(name_, batch_, count_) \
  { .name = (name_), .batch = (batch_), .count = (count_) }

/* On both sides of where p is clipped: below at ln 1e-7 = -16.118, above between there and where 1 + exp(-x) is 1 in
 * float32, at 16.64, so neither in between. And far beyond. */
static const float logits[] = {0,       1,  -1,  5,  -5,  9,  -9,  14, -14, 15,  -15,  16.11f, -16.11f, 16.65f,
                               -16.13f, 17, -17, 20, -20, 40, -40, 88, -88, 100, -100, 1e30f,  -1e30f};
enum { LOGITS = sizeof logits / sizeof *logits };

/* In the small self-test, too: ops that the small network does not have. */
static const awkward always[] = {
    {{.name = "saturated", .batch = 17, .count = 13, .logits = logits}, LOGITS, 1, 2, 0, nothing, {0}, 0, 0, NULL},
    {{.name = "all pixels tie", .batch = 16, .count = 9, .constant = true, .seed = 3},
     3,
     4,
     4,
     5,
     channel_attention,
     {0},
     0,
     0,
     NULL},
    {{.name = "all channels tie", .batch = 16, .count = 9, .equal_filters = true},
     3,
     4,
     4,
     5,
     spatial_attention,
     {0},
     0,
     0,
     NULL},
};

static const awkward cases[] = {
    {RUN("one pixel", 1, 1), 1, 1, 1, 1, conv2d, CONV(1, 1, 1, false, true, 0), 0, 0, NULL},
    {RUN("kernel 7 of one pixel", 5, 5), 3, 1, 1, 3, conv2d, CONV(5, 7, 1, true, true, 0), 0, 0, NULL},
    {RUN("partial batch", 64, 37), 3, 5, 7, 7, conv2d, CONV(5, 3, 1, true, true, 0), 0, 0, NULL},
    {RUN("kernel 5, 17 channels", 17, 17), 1, 11, 3, 17, conv2d, CONV(16, 5, 1, false, true, 0), 0, 0, NULL},
    {RUN("stride 2, even", 5, 5), 1, 8, 6, 5, conv2d, CONV(5, 3, 2, true, true, 0), 0, 0, NULL},
    {RUN("stride 2, odd", 17, 3), 3, 7, 9, 3, conv2d, CONV(7, 3, 2, false, true, 0), 0, 0, NULL},
    {RUN("stride 2, kernel 1", 16, 11), 3, 5, 4, 3, conv2d, CONV(1, 1, 2, true, true, 0), 0, 0, NULL},
    {RUN("stride 2, kernel 5", 1, 1), 1, 13, 7, 1, conv2d, CONV(5, 5, 2, true, true, 0), 0, 0, NULL},
    {RUN("no padding", 5, 4), 1, 7, 5, 5, conv2d, CONV(3, 3, 1, true, false, 0), 0, 0, NULL},
    {RUN("more padding than same", 16, 16), 3, 3, 5, 3, conv2d, CONV(5, 3, 1, true, false, 2), 0, 0, NULL},
    {RUN("padding 1, stride 2", 64, 64), 3, 6, 9, 5, conv2d, CONV(3, 3, 2, true, false, 1), 0, 0, NULL},
    {RUN("Winograd's, odd", 17, 17), 1, 9, 9, 17, conv2d, CONV(11, 3, 1, true, true, 0), 0, 0, NULL},
    {RUN("Winograd's, wide", 33, 20), 1, 6, 8, 9, conv2d, CONV(41, 3, 1, false, true, 0), 0, 0, NULL},
    {RUN("Winograd's, more than a block", 17, 16), 1, 6, 9, 100, conv2d, CONV(35, 3, 1, false, true, 0), 0, 0, NULL},
    {RUN("stride 2, more than a block", 48, 37), 1, 4, 20, 33, conv2d, CONV(35, 3, 2, false, true, 0), 0, 0, NULL},
    {RUN("Winograd's, no padding", 16, 16), 1, 9, 8, 8, conv2d, CONV(8, 3, 1, true, false, 0), 0, 0, NULL},
    {RUN("Winograd's 4x4", 17, 17), 1, 8, 12, 17, conv2d, CONV(11, 3, 1, true, true, 0), 0, 0, NULL},
    {RUN("Winograd's 4x4, odd", 17, 16), 1, 7, 11, 100, conv2d, CONV(35, 3, 1, false, true, 0), 0, 0, NULL},
    {RUN("Winograd's, strided", 21, 9), 1, 16, 12, 17, conv2d, CONV(11, 3, 2, true, true, 0), 0, 0, NULL},
    {RUN("Winograd's, strided, odd", 17, 16), 1, 25, 23, 9, conv2d, CONV(8, 3, 2, false, true, 0), 0, 0, NULL},
    {RUN("Winograd's, strided, more than a block", 16, 5), 1, 15, 12, 141, conv2d, CONV(9, 3, 2, false, true, 0), 0, 0,
     NULL},
    {RUN("Winograd's, strided, padding 2", 16, 5), 1, 15, 11, 8, conv2d, CONV(10, 3, 2, false, false, 2), 0, 0, NULL},
    {RUN("on the images", 17, 17), 3, 5, 7, 0, conv2d, CONV(5, 3, 1, true, true, 0), 0, 0, NULL},
    {RUN("one pixel", 1, 1), 1, 1, 1, 1, conv2d_transpose, CONV(1, 3, 2, false, true, 0), 0, 0, NULL},
    {RUN("stride 2, partial batch", 33, 20), 3, 5, 3, 5, conv2d_transpose, CONV(7, 3, 2, true, true, 0), 0, 0, NULL},
    {RUN("Winograd's, stride 1", 17, 15), 1, 9, 6, 11, conv2d_transpose, CONV(9, 3, 1, true, true, 0), 0, 0, NULL},
    {RUN("Winograd's, stride 2", 21, 20), 1, 8, 6, 12, conv2d_transpose, CONV(10, 3, 2, true, true, 0), 0, 0, NULL},
    {RUN("stride 1, kernel 5", 16, 16), 1, 4, 7, 6, conv2d_transpose, CONV(3, 5, 1, false, true, 0), 0, 0, NULL},
    {RUN("stride 2, kernel 1", 5, 5), 1, 3, 4, 3, conv2d_transpose, CONV(16, 1, 2, true, true, 0), 0, 0, NULL},
    {RUN("one unit", 1, 1), 1, 1, 1, 1, dense, CONV(1, 1, 1, true, true, 0), 0, 0, NULL},
    {RUN("an image", 37, 29), 3, 5, 3, 7, dense, CONV(13, 1, 1, true, true, 0), 0, 0, NULL},
    {RUN("many units", 16, 16), 1, 6, 6, 5, dense, CONV(300, 1, 1, false, true, 0), 0, 0, NULL},
    {RUN("one value", 1, 1), 1, 1, 1, 1, batchnorm, {0}, FOVEA_LINEAR, 0, NULL},
    {RUN("one image of the batch", 64, 1), 3, 5, 3, 5, batchnorm, {0}, FOVEA_SIGMOID, 0, NULL},
    {RUN("a prime batch", 17, 17), 3, 3, 11, 3, batchnorm, {0}, FOVEA_ELU, 0, NULL},
    {RUN("partial batch", 64, 23), 3, 5, 7, 16, batchnorm, {0}, FOVEA_RELU, 0.2, NULL},
    {RUN("dropout 3/4", 16, 16), 3, 1, 13, 5, batchnorm, {0}, FOVEA_SELU, 0.75, NULL},
    {RUN("dropout alone", 5, 5), 3, 13, 1, 5, batchnorm, {0}, FOVEA_LINEAR, 0.1, NULL},
    {{.name = "constant images", .batch = 16, .count = 16, .constant = true},
     3,
     4,
     4,
     5,
     batchnorm,
     {0},
     FOVEA_RELU,
     0,
     NULL},
    {RUN("30 normalizations of one image", 16, 1), 1, 1, 1, 2, batchnorms, {0}, FOVEA_SIGMOID, 0, NULL},
    {RUN("elu", 17, 5), 1, 5, 3, 3, activation, {0}, FOVEA_ELU, 0, NULL},
    {RUN("relu", 5, 5), 1, 5, 3, 3, activation, {0}, FOVEA_RELU, 0.5, NULL},
    {RUN("selu", 16, 16), 1, 3, 5, 3, activation, {0}, FOVEA_SELU, 0.25, NULL},
    {RUN("sigmoid", 33, 32), 1, 1, 7, 3, activation, {0}, FOVEA_SIGMOID, 0, NULL},
    {RUN("one channel", 5, 5), 1, 3, 4, 1, spatial_attention, {0}, 0, 0, NULL},
    {RUN("partial batch", 37, 19), 3, 7, 5, 6, spatial_attention, {0}, 0, 0, NULL},
    {{.name = "channels tie", .batch = 16, .count = 16, .equal_filters = true},
     3,
     5,
     5,
     7,
     spatial_attention,
     {0},
     0,
     0,
     NULL},
    {RUN("one pixel", 1, 1), 1, 1, 1, 3, channel_attention, {0}, 0, 0, NULL},
    {RUN("40 channels: two hidden units", 17, 17), 3, 4, 3, 40, channel_attention, {0}, 0, 0, NULL},
    {{.name = "pixels tie", .batch = 16, .count = 9, .constant = true}, 3, 5, 5, 7, channel_attention, {0}, 0, 0, NULL},
    {RUN("copies", 21, 13), 3, 3, 5, 5, concat, {0}, 0, 0, NULL},
    {RUN("one number", 1, 1), 1, 2, 2, 2, reparameterize, CONV(1, 1, 1, false, true, 0), 0, 0, NULL},
    {RUN("partial batch", 37, 30), 1, 3, 3, 3, reparameterize, CONV(7, 1, 1, false, true, 0), 0, 0, NULL},
};

/* input -> head -> the op -> tail, to the image's shape -> sigmoid_bce */
static fovea_status build(const awkward *a, fovea_graph **out) {
  fovea_graph *graph = NULL;
  fovea_status status = fovea_graph_create(&graph);
  if (status != FOVEA_OK) return status;
  const fovea_conv2d head = {.filters = a->head, .kernel = 3, .stride = 1, .same = true};
  const fovea_conv2d tail = {.filters = a->channels, .kernel = 1, .stride = 1, .bias = true, .same = true};
  fovea_tensor x = fovea_add_input(graph, a->channels, a->height, a->width);
  if (a->head > 0) x = fovea_add_conv2d(graph, x, "head", &head);
  x = a->op(graph, x, a);
  int dims[3] = {0};
  if (fovea_graph_check(graph) == FOVEA_OK) fovea_tensor_shape(graph, x, dims);
  if (dims[1] == a->height && dims[2] == a->width && a->height * a->width > 1) {
    x = fovea_add_conv2d(graph, x, "tail", &tail);
  } else {
    x = fovea_add_dense(graph, x, "tail", a->channels * a->height * a->width, true);
    x = fovea_add_reshape(graph, x, a->channels, a->height, a->width);
  }
  fovea_add_sigmoid_bce(graph, x);
  status = fovea_graph_check(graph);
  if (status == FOVEA_OK)
    *out = graph;
  else
    fovea_graph_destroy(graph);
  return status;
}

/* --- results --------------------------------------------------------------------------------------------------- */

typedef struct tally {
  check_report report;
  void *user;
  int *failures, *differ;
} tally;

static void tell(const tally *t, const check_op *op) {
  *t->failures += op->forward.failed + op->backward.failed;
  *t->differ += op->forward.differ > 0 || op->backward.differ > 0;
  t->report(t->user, op);
}

/* What is wrong says in which of the awkward networks it is. */
static void add_case(char *text, size_t size, const char *name) {
  char was[200];
  snprintf(was, sizeof was, "%s", text);
  snprintf(text, size, "%.60s: %.120s", name, was);
}

/* Ops of one name become one, over all shapes. */
static void merge(check_op *all, int *count, check_op *op, const char *name) {
  int at = 0;
  if (*op->forward.first) add_case(op->forward.first, sizeof op->forward.first, name);
  if (*op->backward.first) add_case(op->backward.first, sizeof op->backward.first, name);
  while (at < *count && strcmp(all[at].name, op->name) != 0) at++;
  if (at == *count && *count < MAX_AWKWARD) {
    all[(*count)++] = *op;
    return;
  }
  check_merge(&all[at].forward, &op->forward);
  check_merge(&all[at].backward, &op->backward);
  all[at].nodes += op->nodes;
}

static fovea_status check_graph(fovea_device *device, const fovea_graph *graph, const check_case *run, check_op *all,
                                int *count) {
  check_op *ops = NULL;
  int found = 0;
  fovea_status status = check_lockstep(device, graph, run, &ops, &found);
  for (int i = 0; i < found; i++) merge(all, count, &ops[i], run->name);
  free(ops);
  return status;
}

static fovea_status check_shapes(fovea_device *device, const awkward *shapes, size_t n, check_op *all, int *count) {
  fovea_status status = FOVEA_OK;
  for (size_t i = 0; i < n && status == FOVEA_OK; i++) {
    fovea_graph *graph = NULL;
    status = build(&shapes[i], &graph);
    if (status == FOVEA_OK) status = check_graph(device, graph, &shapes[i].run, all, count);
    fovea_graph_destroy(graph);
  }
  return status;
}

/* Every op of the list, and every activation with a dropout after it. */
static fovea_status check_list(fovea_device *device, check_op *all, int *count) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < FOVEA_OP_KINDS && status == FOVEA_OK; i++) {
    const awkward a = {RUN(fovea_ops[i]->name, 21, 13), 3, 3, 4, 5, example, .example = fovea_ops[i]};
    if (fovea_op_has_example(fovea_ops[i])) status = check_shapes(device, &a, 1, all, count);
  }
  for (int i = 0; i < FOVEA_ACTIVATION_COUNT && status == FOVEA_OK; i++) {
    const awkward a = {.run = RUN(fovea_activation_name((fovea_activation)i), 17, 13),
                       .channels = 1,
                       .height = 5,
                       .width = 3,
                       .head = 3,
                       .op = activation,
                       .activation = (fovea_activation)i,
                       .rate = 0.25};
    status = check_shapes(device, &a, 1, all, count);
  }
  return status;
}

/* The small network on steps of few images, or of no variance. */
static fovea_status check_few_images(fovea_device *device, check_op *all, int *count) {
  static const check_case few[] = {{.name = "one image", .batch = 64, .count = 1},
                                   {.name = "one image more than a block", .batch = 32, .count = 17},
                                   {.name = "equal images", .batch = 16, .count = 7, .equal_images = true}};
  const fovea_vae_config config = check_network(true);
  fovea_vae *vae = NULL;
  fovea_status status = fovea_vae_create(device, &config, false, &vae);
  for (size_t i = 0; i < sizeof few / sizeof *few && status == FOVEA_OK; i++)
    status = check_graph(device, vae->graph, &few[i], all, count);
  fovea_vae_destroy(vae);
  return status;
}

static fovea_status check_awkward(fovea_device *device, check_extent extent, const tally *t) {
  static check_op all[MAX_AWKWARD]; /* large */
  int count = 0;
  fovea_status status = extent == CHECK_LEAST ? FOVEA_OK : check_few_images(device, all, &count);
  if (status == FOVEA_OK) status = check_shapes(device, always, sizeof always / sizeof *always, all, &count);
  if (status == FOVEA_OK && extent == CHECK_ALL)
    status = check_shapes(device, cases, sizeof cases / sizeof *cases, all, &count);
  if (status == FOVEA_OK && extent == CHECK_ALL) status = check_list(device, all, &count);
  for (int i = 0; i < count; i++) {
    all[i].network = "awkward";
    snprintf(all[i].shape, sizeof all[i].shape, "%d awkward shape%s", all[i].nodes, all[i].nodes == 1 ? "" : "s");
    tell(t, &all[i]);
  }
  return status;
}

/* Of a whole network at its own shapes, the last images of the batch missing. */
static fovea_status check_whole(fovea_device *device, bool small, const tally *t) {
  const fovea_vae_config config = check_network(small);
  const check_case run = {.name = small ? "small" : "seed",
                          .batch = config.batch,
                          .count = config.batch - (small ? 1 : 3),
                          .timed = !small};
  fovea_vae *vae = NULL;
  check_op *ops = NULL;
  int count = 0;
  fovea_status status = fovea_vae_create(device, &config, false, &vae);
  if (status == FOVEA_OK) status = check_lockstep(device, vae->graph, &run, &ops, &count);
  for (int i = 0; i < count; i++) tell(t, &ops[i]);
  free(ops);
  fovea_vae_destroy(vae);
  return status;
}

fovea_status check_ops(fovea_device *device, check_extent extent, check_report report, void *user, int *failures,
                       int *differ) {
  const tally t = {report, user, failures, differ};
  *failures = *differ = 0;
  fovea_status status = check_whole(device, extent != CHECK_ALL, &t);
  if (status == FOVEA_OK) status = check_awkward(device, extent, &t);
  check_op augmentation;
  if (status == FOVEA_OK) status = check_augmentation(device, &augmentation);
  if (status == FOVEA_OK) tell(&t, &augmentation);
  return status;
}
