/* The canonical reference, plain C in the kernels' documented order, and the device: every bit of every tensor,
 * parameter, gradient, moment and loss is the same after steps of training, of every op and of whole networks. */
#include "op/op_test.h"

#include "check/reference.h"
#include "fovea/vae.h"
#include "net/network.h"
#include "op/list.h"
#include "plan/inspect.h"
#include "ref/canonical.h"
#include "runtime/buffer.h"

enum { STEPS = 3, NOISE_STEP = 3 };
static const float LEARNING_RATE = 0.01f;

/* --- comparing ---------------------------------------------------------------------------------------------------- */

struct subject {
  struct chain_run run; /* the network and the double reference, which is the topology here */
  struct canonical_network *canonical;
  bool inspect;          /* every tensor can be read */
  int steps, last_count; /* count: images of the last step; of those before, the whole batch */
};

static int complain(const struct subject *s, const char *what) {
  fprintf(stderr, "%s on %s, batch %d of %d, seed %llu: %s\n", s->run.name, fovea_device_get_info(chain_device())->name,
          s->run.count, s->run.batch, (unsigned long long)s->run.seed, what);
  chain_print_repeat(s->run.name);
  return 1;
}

static int ask(const struct subject *s, fovea_status status) {
  return status == FOVEA_OK ? 0 : complain(s, fovea_error_message());
}

/* Prints the first of `count` that has other bits. */
static int same_bits(const struct subject *s, const char *what, const float *device, const float *canonical,
                     size_t count, const int *dims, int rank) {
  size_t first = 0, bad = 0;
  for (size_t i = count; i-- > 0;)
    if (memcmp(&device[i], &canonical[i], sizeof *device) != 0) first = i, bad++;
  if (!bad) return 0;
  char text[400];
  int used = snprintf(text, sizeof text, "%s[", what);
  size_t rest = first, block = count;
  for (int i = 0; i < rank; i++) {
    block /= (size_t)dims[i];
    used += snprintf(text + used, sizeof text - (size_t)used, "%s%zu", i ? "," : "", rest / block);
    rest %= block;
  }
  snprintf(text + used, sizeof text - (size_t)used, "] is %a, canonical %a; %zu of %zu differ", (double)device[first],
           (double)canonical[first], bad, count);
  return complain(s, text);
}

static int compare_parameters(const struct subject *s, int step) {
  static const char *const names[] = {"", "'s gradient", "'s first moment", "'s second moment"};
  int failures = 0;
  for (size_t i = 0; i < fovea_network_parameter_count(s->run.network); i++) {
    const fovea_parameter *p = fovea_network_parameter(s->run.network, i);
    const int index = (int)(ref_network_find(s->run.ref, p->name) - s->run.ref->parameters);
    float *data = malloc(p->count * sizeof *data);
    assert_non_null(data);
    for (int k = 0; k < (p->trainable ? 4 : 1); k++) {
      char what[240];
      snprintf(what, sizeof what, "step %d: %s%s", step, p->name, names[k]);
      failures += ask(s, fovea_network_get(s->run.network, i, (fovea_value)k, data));
      failures += same_bits(s, what, data, canonical_parameter(s->canonical, index, (enum canonical_array)k), p->count,
                            p->dims, p->rank);
    }
    free(data);
  }
  return failures;
}

static int compare_losses(const struct subject *s, const char *pass, int step) {
  fovea_losses losses;
  char what[64];
  if (ask(s, fovea_network_losses(s->run.network, &losses))) return 1;
  const float device[] = {(float)losses.bce, (float)losses.kl};
  const float canonical[] = {canonical_bce(s->canonical), canonical_kl(s->canonical)};
  snprintf(what, sizeof what, "%s %d: the losses (bce, kl)", pass, step);
  return same_bits(s, what, device, canonical, 2, (int[]){2}, 1);
}

/* A node's value of an evaluation pass: [n][c][h][w] from the device. */
static int compare_result(const struct subject *s, const char *what, int node) {
  const struct ref_node *r = &s->run.ref->nodes[node];
  const int n = s->run.count, batch = canonical_batch(s->canonical);
  const size_t size = (size_t)(r->c * r->h * r->w), count = (size_t)n * size;
  const float *value = canonical_value(s->canonical, node);
  float *device = malloc(count * sizeof *device), *canonical = malloc(count * sizeof *canonical);
  assert_true(device && canonical && value);
  for (size_t i = 0; i < count; i++) canonical[i] = value[i % size * (size_t)batch + i / size];
  int failures = ask(s, fovea_network_read(s->run.network, node, (size_t)n, device));
  if (!failures) failures = same_bits(s, what, device, canonical, count, (int[]){n, r->c, r->h, r->w}, 4);
  free(device);
  free(canonical);
  return failures;
}

/* `canonical` NULL: there must be none on the device either. */
static int compare_tensor(const struct subject *s, int step, int node, const char *what, bool found, fovea_slice slice,
                          const float *canonical) {
  const struct ref_node *r = &s->run.ref->nodes[node];
  const int dims[] = {r->c, r->h, r->w, canonical_batch(s->canonical)};
  const size_t count = (size_t)(dims[0] * dims[1] * dims[2] * dims[3]);
  char text[64];
  snprintf(text, sizeof text, "step %d: node %d's %s", step, node, what);
  if (found != (canonical != NULL)) return complain(s, text);
  if (!found) return 0;
  const size_t batch = (size_t)dims[3], pixels = (size_t)(dims[1] * dims[2]);
  float *raw = malloc(count * sizeof *raw), *device = malloc(count * sizeof *device);
  assert_true(raw && device);
  int failures = ask(s, fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * count, raw));
  for (size_t i = 0; i < count; i++) device[i] = raw[fovea_device_place(i / batch, pixels, i % batch, batch)];
  if (!failures) failures = same_bits(s, text, device, canonical, count, dims, 4);
  free(device);
  free(raw);
  return failures;
}

/* Of a training pass, padding images and all. */
static int compare_tensors(const struct subject *s, int step) {
  const fovea_plan *plan = fovea_network_plan(s->run.network, true);
  int failures = 0;
  for (int i = 0; i < s->run.ref->count && s->inspect; i++) {
    fovea_slice value = {0}, gradient = {0};
    /* A reshape is a copy on the device; the reference has it under its source. */
    if (fovea_plan_source(plan, i) != i || s->run.ref->nodes[i].op == REF_RESHAPE) continue;
    failures += ask(s, fovea_plan_value(plan, i, &value));
    failures += compare_tensor(s, step, i, "value", true, value, canonical_value(s->canonical, i));
    const bool found = fovea_plan_gradient(plan, i, &gradient);
    failures += compare_tensor(s, step, i, "gradient", found, gradient, canonical_gradient(s->canonical, i));
  }
  return failures;
}

static int train(struct subject *s) {
  int failures = 0;
  const uint64_t seed = s->run.seed;
  for (int step = 0; step < s->steps && !failures; step++) {
    s->run.count = step == s->steps - 1 ? s->last_count : s->run.batch;
    s->run.seed = seed + (uint64_t)step; /* of the images */
    uint8_t *pixels = chain_pixels(&s->run);
    s->run.seed = seed;
    failures = ask(s, fovea_network_train_step(s->run.network, pixels, NULL, (size_t)s->run.count, LEARNING_RATE));
    canonical_forward(s->canonical, s->run.count, pixels, (uint32_t)step, true);
    canonical_backward(s->canonical);
    canonical_adam(s->canonical, canonical_alpha(LEARNING_RATE, (uint32_t)step + 1));
    free(pixels);
    if (!failures) failures = compare_losses(s, "step", step) + compare_tensors(s, step) + compare_parameters(s, step);
  }
  return failures;
}

static int evaluate(struct subject *s) {
  const struct ref_network *ref = s->run.ref;
  uint8_t *pixels = chain_pixels(&s->run);
  int failures = ask(s, fovea_network_evaluate(s->run.network, pixels, NULL, (size_t)s->run.count, NOISE_STEP));
  canonical_forward(s->canonical, s->run.count, pixels, NOISE_STEP, false);
  free(pixels);
  if (!failures) failures = compare_losses(s, "evaluation", NOISE_STEP);
  for (int i = 0; i < ref->count && !failures; i++) {
    if (ref->nodes[i].op != REF_REPARAMETERIZE) continue;
    failures = compare_result(s, "mu", ref->nodes[i].inputs[0]) + compare_result(s, "logvar", ref->nodes[i].inputs[1]) +
               compare_result(s, "z", i);
  }
  return failures ? failures : compare_result(s, "the reconstruction", ref->count - 1);
}

/* Draws parameters, trains and evaluates both. */
static int compare(struct subject *s) {
  int failures = chain_parameters(&s->run);
  s->canonical = canonical_create(s->run.ref, s->run.batch);
  if (!failures) failures = train(s);
  if (!failures) failures = evaluate(s);
  canonical_destroy(s->canonical);
  return failures;
}

/* --- ops ---------------------------------------------------------------------------------------------------------- */

/* To the image's shape, and the loss; then both are compared, and freed. */
static int finish(struct chain *chain, int x) {
  const struct chain_shape *shape = chain->shape;
  const struct ref_node *node = &chain->ref->nodes[x];
  if (node->h == shape->height && node->w == shape->width) {
    const fovea_conv2d one = {.filters = shape->channels, .kernel = 1, .stride = 1, .bias = true, .same = true};
    x = chain_conv2d(chain, x, "tail", &one);
  } else {
    x = chain_dense(chain, x, "tail", shape->channels * shape->height * shape->width, true);
    x = chain_reshape(chain, x, shape->channels, shape->height, shape->width);
  }
  assert_int_equal(fovea_add_sigmoid_bce(chain->graph, x), ref_add_sigmoid_bce(chain->ref, x));
  struct subject s = {.run = {.name = shape->name,
                              .graph = chain->graph,
                              .ref = chain->ref,
                              .batch = shape->batch,
                              .seed = chain->seed,
                              .shape = shape},
                      .steps = STEPS,
                      .last_count = shape->count};
  memcpy(s.run.given, chain->given, sizeof s.run.given);
  memcpy(s.run.values, chain->values, sizeof s.run.values);
  int failures = 0;
  /* every tensor; then what is merged, in memory that is shared */
  for (int inspect = 1; inspect >= 0 && !failures && chain_wanted(shape->name); inspect--) {
    const fovea_network_options options = {
        .batch = shape->batch, .seed = chain->seed, .training = true, .inspect = inspect == 1};
    s.inspect = options.inspect;
    failures = ask(&s, fovea_network_create(chain_device(), chain->graph, &options, &s.run.network));
    if (!failures) failures = compare(&s);
    fovea_network_destroy(s.run.network);
    s.run.network = NULL;
  }
  fovea_graph_destroy(chain->graph);
  ref_network_destroy(chain->ref);
  return failures;
}

/* x -> convolution -> attention -> batch norm -> dropout -> activation -> concatenated to x, each where it is asked */
struct block {
  struct chain_shape shape;
  fovea_conv2d conv; /* filters 0: none */
  bool transpose;
  fovea_attention attention;
  bool batchnorm;
  double dropout;
  fovea_activation activation;
  bool concat;
};

enum { NO = false, YES = true };
#define NONE FOVEA_ATTENTION_NONE
#define SPATIAL FOVEA_ATTENTION_SPATIAL
#define CHANNEL FOVEA_ATTENTION_CHANNEL
#define CBAM FOVEA_ATTENTION_CBAM

/* Of shape: name, C, H, W, batch, count, head, head's kernel and stride, constant images, equal filters.
 * Of conv: filters, kernel, stride, bias, same, padding. */
static const struct block blocks[] = {
    /* a GPU's statistics: more rows than one work-group sums, of parts of two blocks and of one */
    {{"11 blocks of images in 6 parts", 2, 20, 6, 176, 171, 3, 0, 0, NO, NO},
     {3, 3, 1, NO, YES, 0},
     NO,
     SPATIAL,
     YES,
     0.3,
     FOVEA_ELU,
     NO},
    {{"one row", 3, 1, 5, 16, 7, 2, 0, 0, NO, NO}, {5, 3, 1, YES, YES, 0}, NO, CBAM, YES, 0.3, FOVEA_RELU, YES},
    {{"one column", 1, 7, 1, 21, 21, 5, 0, 0, NO, NO}, {7, 5, 1, NO, YES, 0}, NO, NONE, YES, 0, FOVEA_ELU, NO},
    {{"kernel 3, partial batch", 1, 5, 7, 64, 37, 7, 0, 0, NO, NO},
     {16, 3, 1, YES, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_SELU,
     NO},
    {{"Winograd's, odd", 1, 9, 9, 21, 9, 17, 0, 0, NO, NO}, {11, 3, 1, YES, YES, 0}, NO, NONE, YES, 0, FOVEA_ELU, YES},
    {{"Winograd's, wide", 1, 6, 8, 33, 33, 9, 0, 0, NO, NO}, {41, 3, 1, NO, YES, 0}, NO, CBAM, NO, 0, FOVEA_RELU, NO},
    {{"Winograd's, more than a block", 1, 6, 9, 37, 36, 100, 0, 0, NO, NO},
     {35, 3, 1, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"Winograd's, no padding", 1, 9, 8, 16, 16, 8, 0, 0, NO, NO}, {8, 3, 1, NO, NO, 0}, NO, NONE, NO, 0, 0, NO},
    {{"stride 2, two parts of a row", 1, 3, 33, 16, 7, 6, 0, 0, NO, NO},
     {5, 3, 2, YES, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"Winograd's, transposed", 1, 8, 7, 16, 5, 12, 0, 0, NO, NO}, {10, 3, 1, YES, YES, 0}, YES, NONE, NO, 0, 0, NO},
    {{"stride 2, more than a block", 1, 4, 20, 48, 37, 33, 0, 0, NO, NO},
     {35, 3, 2, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"Winograd's 4x4", 1, 8, 12, 21, 9, 17, 0, 0, NO, NO}, {11, 3, 1, YES, YES, 0}, NO, NONE, YES, 0, FOVEA_ELU, YES},
    {{"Winograd's 4x4, odd", 1, 7, 11, 17, 16, 9, 0, 0, NO, NO}, {41, 3, 1, NO, YES, 0}, NO, CBAM, NO, 0, 0, YES},
    {{"Winograd's 4x4, more than a block", 1, 7, 8, 17, 16, 100, 0, 0, NO, NO},
     {35, 3, 1, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"Winograd's 4x4, no padding", 1, 9, 10, 16, 16, 8, 0, 0, NO, NO}, {8, 3, 1, YES, NO, 0}, NO, NONE, NO, 0, 0, NO},
    {{"Winograd's 4x4, padding 2", 1, 6, 10, 16, 5, 8, 0, 0, NO, NO}, {10, 3, 1, NO, NO, 2}, NO, NONE, NO, 0, 0, NO},
    {{"Winograd's, strided", 1, 16, 12, 21, 9, 17, 0, 0, NO, NO},
     {11, 3, 2, YES, YES, 0},
     NO,
     NONE,
     YES,
     0,
     FOVEA_ELU,
     NO},
    {{"Winograd's, strided, odd", 1, 25, 23, 17, 16, 9, 0, 0, NO, NO}, {8, 3, 2, NO, YES, 0}, NO, CBAM, NO, 0, 0, NO},
    {{"Winograd's, strided, more than a block", 1, 15, 12, 16, 5, 141, 0, 0, NO, NO},
     {9, 3, 2, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"Winograd's, strided, no padding", 1, 17, 13, 16, 16, 8, 0, 0, NO, NO},
     {8, 3, 2, YES, NO, 0},
     NO,
     NONE,
     NO,
     0,
     0,
     NO},
    {{"Winograd's, strided, padding 2", 1, 15, 11, 16, 5, 8, 0, 0, NO, NO},
     {10, 3, 2, NO, NO, 2},
     NO,
     NONE,
     NO,
     0,
     0,
     NO},
    {{"Winograd's, strided, transposed", 1, 16, 12, 21, 20, 12, 3, 2, NO, NO},
     {10, 3, 2, YES, YES, 0},
     YES,
     NONE,
     NO,
     0,
     FOVEA_RELU,
     NO},
    {{"5 blocks of images", 1, 5, 9, 80, 70, 5, 0, 0, NO, NO}, {6, 3, 2, NO, YES, 0}, NO, NONE, NO, 0, 0, NO},
    {{"7 blocks, few channels", 1, 4, 5, 112, 112, 2, 0, 0, NO, NO}, {1, 5, 1, NO, YES, 0}, NO, NONE, NO, 0, 0, NO},
    {{"13 blocks, more weights than pixels", 1, 1, 1, 208, 199, 16, 0, 0, NO, NO},
     {16, 3, 1, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     0,
     NO},
    {{"5 blocks, large tiles, pieces of rows", 1, 1, 9, 80, 80, 40, 0, 0, NO, NO},
     {41, 3, 2, NO, YES, 0},
     NO,
     NONE,
     NO,
     0,
     0,
     NO},
    {{"kernel 5", 3, 7, 3, 21, 13, 5, 5, 0, NO, NO}, {17, 5, 1, NO, YES, 0}, NO, NONE, NO, 0, FOVEA_SIGMOID, NO},
    {{"stride 2, even", 1, 8, 6, 16, 16, 5, 0, 0, NO, NO}, {5, 3, 2, YES, YES, 0}, NO, NONE, NO, 0, FOVEA_RELU, NO},
    {{"stride 2, odd", 1, 7, 9, 21, 5, 7, 0, 0, NO, NO}, {2, 3, 2, NO, YES, 0}, NO, SPATIAL, YES, 0, FOVEA_ELU, NO},
    {{"stride 2, kernel 1", 2, 5, 4, 1, 1, 16, 0, 0, NO, NO},
     {1, 1, 2, YES, YES, 0},
     NO,
     NONE,
     NO,
     0.5,
     FOVEA_LINEAR,
     NO},
    {{"stride 2, kernel 5", 1, 9, 7, 16, 3, 1, 5, 2, NO, NO},
     {5, 5, 2, YES, YES, 0},
     NO,
     NONE,
     YES,
     0,
     FOVEA_SIGMOID,
     NO},
    {{"no padding", 1, 7, 5, 21, 19, 5, 0, 0, NO, NO}, {7, 3, 1, YES, NO, 0}, NO, NONE, NO, 0, FOVEA_SELU, NO},
    {{"padding 2 of kernel 3", 1, 3, 5, 16, 9, 2, 0, 0, NO, NO},
     {5, 3, 2, NO, NO, 2},
     NO,
     NONE,
     NO,
     0,
     FOVEA_LINEAR,
     NO},
    {{"transposed", 1, 8, 6, 64, 41, 5, 3, 2, NO, NO}, {5, 3, 2, NO, YES, 0}, YES, NONE, YES, 0.2, FOVEA_RELU, NO},
    {{"transposed, bias, kernel 1", 2, 5, 3, 21, 21, 7, 0, 2, NO, NO},
     {2, 1, 2, YES, YES, 0},
     YES,
     NONE,
     NO,
     0,
     FOVEA_ELU,
     NO},
    {{"transposed, kernel 5", 1, 6, 2, 1, 1, 17, 5, 2, NO, NO},
     {16, 5, 2, YES, YES, 0},
     YES,
     CHANNEL,
     NO,
     0,
     FOVEA_SELU,
     NO},
    {{"transposed, stride 1", 1, 3, 5, 16, 1, 3, 0, 0, NO, NO},
     {5, 3, 1, NO, YES, 0},
     YES,
     NONE,
     NO,
     0,
     FOVEA_SIGMOID,
     NO},
    {{"batch norm alone", 3, 5, 3, 21, 4, 0, 0, 0, NO, NO}, {0}, NO, NONE, YES, 0, FOVEA_LINEAR, NO},
    {{"many blocks", 1, 12, 2, 800, 789, 2, 0, 0, NO, NO}, {0}, NO, NONE, YES, 0.2, FOVEA_ELU, NO},
    {{"many rows", 1, 41, 2, 33, 33, 2, 0, 0, NO, NO}, {0}, NO, NONE, YES, 0, FOVEA_LINEAR, NO},
    {{"dropout alone", 1, 5, 5, 64, 63, 5, 0, 0, NO, NO}, {0}, NO, NONE, NO, 0.25, FOVEA_LINEAR, NO},
    {{"dropout and batch norm", 1, 3, 7, 16, 15, 7, 0, 0, NO, NO}, {0}, NO, NONE, YES, 0.9, FOVEA_SELU, YES},
    {{"spatial attention", 1, 5, 4, 64, 17, 17, 0, 0, NO, NO}, {0}, NO, SPATIAL, NO, 0, FOVEA_LINEAR, NO},
    {{"channel attention", 1, 4, 5, 16, 16, 33, 0, 0, NO, NO}, {0}, NO, CHANNEL, NO, 0, FOVEA_LINEAR, NO},
    {{"attention of the images", 3, 4, 3, 21, 20, 0, 0, 0, NO, NO}, {0}, NO, CBAM, NO, 0, FOVEA_RELU, YES},
    {{"channels tie", 1, 5, 7, 21, 11, 5, 0, 0, NO, YES}, {0}, NO, CBAM, YES, 0, FOVEA_RELU, YES},
    {{"pixels tie", 2, 7, 5, 16, 5, 7, 1, 0, YES, NO}, {0}, NO, CBAM, NO, 0.1, FOVEA_ELU, NO},
    {{"all ties", 1, 3, 3, 16, 2, 16, 1, 0, YES, YES}, {5, 3, 1, NO, YES, 0}, NO, CBAM, YES, 0.2, FOVEA_SELU, YES},
    {{"one pixel", 1, 1, 1, 1, 1, 1, 0, 0, NO, NO}, {1, 1, 1, NO, YES, 0}, NO, NONE, NO, 0, FOVEA_LINEAR, NO},
};

static int run_block(const struct block *b) {
  struct chain chain;
  int input = chain_begin(&chain, &b->shape), x = input;
  if (b->conv.filters)
    x = b->transpose ? chain_conv2d_transpose(&chain, x, "op", &b->conv) : chain_conv2d(&chain, x, "op", &b->conv);
  if (b->attention == CHANNEL || b->attention == CBAM) x = chain_channel_attention(&chain, x, "attention");
  if (b->attention == SPATIAL || b->attention == CBAM) x = chain_spatial_attention(&chain, x, "attention");
  if (b->batchnorm) x = chain_batchnorm(&chain, x, "bn", 0.9, 1e-3);
  if (b->dropout > 0) x = chain_dropout(&chain, x, b->dropout);
  if (b->activation != FOVEA_LINEAR) x = chain_activation(&chain, x, b->activation);
  return finish(&chain, b->concat ? chain_concat(&chain, input, x) : x);
}

static void test_blocks(void **state) {
  (void)state;
  RUN_TABLE(run_block, blocks);
}

/* --- ways to connect them ----------------------------------------------------------------------------------------- */

struct connection {
  struct chain_shape shape;
  int (*build)(struct chain *chain, int x);
};

static int variational(struct chain *chain, int x) {
  x = chain_dense(chain, x, "code", 5, false);
  x = chain_activation(chain, chain_batchnorm(chain, x, "bn1", 0.99, 1e-3), FOVEA_RELU);
  const int mu = chain_dense(chain, x, "mu", 2, true), logvar = chain_dense(chain, x, "logvar", 2, true);
  x = chain_reparameterize(chain, mu, logvar, 0.001);
  const struct ref_node *head = &chain->ref->nodes[1];
  const int c = head->c, h = head->h, w = head->w;
  x = chain_dense(chain, x, "decode", c * h * w, false);
  x = chain_batchnorm(chain, x, "bn2", 0.99, 1e-3);
  x = chain_activation(chain, chain_dropout(chain, x, 0.2), FOVEA_RELU);
  return chain_reshape(chain, x, c, h, w);
}

/* The gradients of both add up in one. */
static int one_mu_and_logvar(struct chain *chain, int x) {
  const int code = chain_dense(chain, x, "code", 40, true);
  return chain_reparameterize(chain, code, code, 0.5);
}

static int with_itself(struct chain *chain, int x) { return chain_concat(chain, x, x); }

static int with_the_images(struct chain *chain, int x) { return chain_concat(chain, 0, x); }

/* x is read by five, one of them a part of it. */
static int many_readers(struct chain *chain, int x) {
  const fovea_conv2d conv = {.filters = 5, .kernel = 3, .stride = 1, .same = true};
  const int a = chain_activation(chain, x, FOVEA_ELU), b = chain_dropout(chain, x, 0.3);
  const int c = chain_conv2d(chain, x, "c", &conv), d = chain_batchnorm(chain, x, "d", 0.9, 1e-3);
  const int xa = chain_concat(chain, x, a), cd = chain_concat(chain, c, d), bcd = chain_concat(chain, b, cd);
  const int all = chain_concat(chain, xa, bcd), y = chain_conv2d(chain, all, "all", &conv);
  return chain_concat(chain, y, chain_activation(chain, all, FOVEA_SIGMOID));
}

/* The first gradient to come is of a slice, so the whole is zeroed. */
static int a_slice_read_last(struct chain *chain, int x) {
  const fovea_conv2d conv = {.filters = 5, .kernel = 3, .stride = 1, .same = true};
  const int a = chain_activation(chain, x, FOVEA_RELU), b = chain_conv2d(chain, a, "b", &conv);
  const int y = chain_conv2d(chain, chain_concat(chain, a, b), "y", &conv);
  return chain_concat(chain, y, chain_activation(chain, b, FOVEA_RELU));
}

/* What can be folded and what cannot: bn2 has two readers. */
static int in_a_row(struct chain *chain, int x) {
  x = chain_batchnorm(chain, x, "bn", 0.9, 1e-3);
  x = chain_dropout(chain, chain_dropout(chain, x, 0.1), 0.2);
  x = chain_activation(chain, chain_activation(chain, x, FOVEA_SELU), FOVEA_SIGMOID);
  const int y = chain_batchnorm(chain, x, "bn2", 0.9, 1e-3);
  const int a = chain_activation(chain, y, FOVEA_RELU), b = chain_activation(chain, y, FOVEA_ELU);
  return chain_concat(chain, a, b);
}

/* Its gradient comes from the concatenation, and is added to by the dense layer. */
static int read_by_a_dense_layer(struct chain *chain, int x) {
  const struct ref_node in = chain->ref->nodes[x];
  const int y = chain_dense(chain, x, "d", in.c * in.h * in.w, false);
  return chain_concat(chain, x, chain_reshape(chain, y, in.c, in.h, in.w));
}

/* The convolution before it has halved an image whose sides it does not divide. */
static int back_to_odd_sides(struct chain *chain, int x) {
  const struct ref_node *image = &chain->ref->nodes[0];
  const fovea_conv2d up = {.filters = 9, .kernel = 3, .stride = 2, .bias = true, .same = true};
  const int y = chain_mirror(chain, fovea_add_conv2d_transpose_sized(chain->graph, x, "up", &up, image->h, image->w));
  return chain_batchnorm(chain, y, "bn", 0.9, 1e-3);
}

/* Whose twin no table here may have. */
static int every_op(struct chain *chain, int x) {
  for (int i = 0; i < FOVEA_OP_KINDS; i++) {
    if (!fovea_op_has_example(fovea_ops[i])) continue;
    const int other = fovea_ops[i]->inputs > 1 ? chain_activation(chain, x, FOVEA_ELU) : -1;
    x = chain_mirror(chain, fovea_graph_add_example(chain->graph, fovea_ops[i], x, other));
  }
  return x;
}

static const struct connection connections[] = {
    {{"every op of the list", 3, 3, 4, 21, 13, 5, 0, 0, NO, NO}, every_op}, /* first, so in each sample */
    {{"back to odd sides", 1, 7, 5, 21, 20, 3, 3, 2, NO, NO}, back_to_odd_sides},
    {{"back to one odd side, five channels", 3, 5, 8, 16, 15, 5, 3, 2, NO, NO}, back_to_odd_sides},
    {{"back to odd sides by Winograd's", 1, 13, 11, 17, 16, 10, 3, 2, NO, NO}, back_to_odd_sides},
    {{"back to one pixel", 1, 1, 1, 16, 7, 4, 3, 2, NO, NO}, back_to_odd_sides},
    {{"variational head", 1, 5, 7, 21, 13, 3, 0, 0, NO, NO}, variational},
    {{"one mu and logvar", 1, 3, 4, 64, 61, 2, 0, 0, NO, NO}, one_mu_and_logvar},
    {{"one mu and logvar, 13 blocks of images", 1, 2, 3, 208, 195, 3, 0, 0, NO, NO}, one_mu_and_logvar},
    {{"concatenated with itself", 1, 5, 3, 16, 7, 5, 0, 0, NO, NO}, with_itself},
    {{"read by a dense layer", 1, 5, 3, 21, 17, 5, 0, 0, NO, NO}, read_by_a_dense_layer},
    {{"many readers", 1, 5, 5, 21, 20, 5, 0, 0, NO, NO}, many_readers},
    {{"a slice read last", 1, 4, 5, 16, 16, 5, 0, 0, NO, NO}, a_slice_read_last},
    {{"concatenated with the images", 2, 3, 5, 16, 16, 5, 0, 0, NO, NO}, with_the_images},
    {{"in a row", 1, 3, 5, 64, 50, 5, 0, 0, NO, NO}, in_a_row},
};

static int run_connection(const struct connection *c) {
  struct chain chain;
  const int x = chain_begin(&chain, &c->shape);
  return finish(&chain, c->build(&chain, x));
}

static void test_connections(void **state) {
  (void)state;
  RUN_TABLE(run_connection, connections);
}

/* Weights so small that products are denormal, or round to 0 of either sign. */
static void test_denormals(void **state) {
  (void)state;
  static const struct chain_shape shapes[] = {{"denormals", 1, 5, 4, 16, 16, 5, 0, 0, NO, NO},
                                              {"beyond denormals", 1, 5, 4, 16, 16, 5, 0, 0, NO, NO}};
  int failures = 0;
  for (size_t i = 0; i < COUNT(shapes); i++) {
    struct chain chain;
    float head[5 * 9];
    uint64_t random = 1;
    for (size_t j = 0; j < COUNT(head); j++) head[j] = chain_uniform(&random) * (i == 0 ? 1e-36f : 3e-45f);
    int x = chain_begin(&chain, &shapes[i]);
    chain.given[0] = "head.weight", chain.values[0] = head;
    const fovea_conv2d conv = {.filters = 5, .kernel = 3, .stride = 1, .same = true};
    x = chain_conv2d(&chain, chain_activation(&chain, x, FOVEA_ELU), "op", &conv);
    failures += finish(&chain, chain_spatial_attention(&chain, x, "attention"));
  }
  if (failures) fail_msg("%d comparisons failed", failures);
}

/* --- whole networks ----------------------------------------------------------------------------------------------- */

static int run_vae(const char *name, const fovea_vae_config *config, int steps, int last_count) {
  fovea_vae *vae = NULL;
  if (!chain_wanted(name)) return 0;
  struct subject s = {.run = {.name = name, .batch = config->batch, .count = last_count, .seed = config->seed},
                      .steps = steps,
                      .last_count = last_count};
  int failures = ask(&s, fovea_vae_create(chain_device(), config, true, &vae));
  if (!failures) {
    s.run.graph = vae->graph, s.run.network = vae->network;
    s.run.ref = check_reference(vae->graph, config->seed);
    assert_non_null(s.run.ref);
    failures = compare(&s);
  }
  fovea_vae_destroy(vae);
  ref_network_destroy(s.run.ref);
  return failures;
}

static void test_small_vae(void **state) {
  (void)state;
  fovea_vae_config config = fovea_vae_default();
  config.channels = 3, config.height = 8, config.width = 12;
  config.units[0] = 7, config.units[1] = 5, config.units[2] = 3, config.unit_count = 3;
  config.depth = 2, config.batch = 21;
  config.attention = FOVEA_ATTENTION_CBAM, config.activation = FOVEA_SELU;
  assert_int_equal(run_vae("a small autoencoder", &config, 8, 13), 0);
}

static void test_seed_vae(void **state) {
  (void)state;
#ifndef __OPTIMIZE__
  print_message("the reference takes minutes a step in a build without optimization\n");
  skip();
#endif
  if (every() > 1) {
    print_message("a sample is of small networks\n");
    skip();
  }
  const fovea_vae_config config = fovea_vae_default();
  assert_int_equal(run_vae("the seed network", &config, 2, 37), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_blocks), cmocka_unit_test(test_connections),
                                     cmocka_unit_test(test_denormals), cmocka_unit_test(test_small_vae),
                                     cmocka_unit_test(test_seed_vae)};
  unsetenv("FOVEA_BLAS"); /* another one rounds in another order */
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
