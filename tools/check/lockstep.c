#include "check/lockstep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "check/draw.h"
#include "check/error.h"
#include "check/reference.h"
#include "net/network.h"
#include "op/op.h"
#include "ref/canonical.h"

static const uint64_t SEED = 768;
static const float LEARNING_RATE = 0.005f;
enum { NOISE_STEP = 3, TIMINGS = 5 };

/* Tolerances that an fp32 computation in any sensible order meets, Winograd's F(4x4, 3x3) included (its largest error
 * was 2.5e-6 of the largest value; benchdnn allows 2e-5). The absolute terms are for sums that nearly cancel, such as a
 * bias's gradient before a batch norm, or a parameter and its step: they are as exact as their terms. */
static const check_tolerance VALUES = {1e-5, 4e-6, 1e-7};
static const double GRADIENT_RTOL = 1e-4, GRADIENT_SHARE = 2e-6, GRADIENT_SHARE_OF_ALL = 1e-7;
static const check_tolerance LOSSES = {2e-6, 0, 1e-7}, SATURATED_LOSSES = {1e-2, 0, 1e-7};
static const check_tolerance ADAM = {2e-6, 0, 5e-9};

typedef struct lockstep {
  const check_case *c;
  fovea_device *device;
  const fovea_graph *graph;
  fovea_network *network;
  struct ref_network *ref;             /* in double: what is right */
  struct canonical_network *canonical; /* in fp32 and in the kernels' order: which bits */
  int padded;                          /* images of a batch on the device */
  uint8_t *pixels;
  check_op *ops;           /* [node]: of the nodes that are a source */
  float *raw;              /* a tensor as it lies on the device, [c][n / 16][h][w][16] */
  float *plain;            /* the same as [c][h][w][n] */
  float *values;           /* the same as [n][c][h][w] of the images that count */
  float *canonical_values; /* of the canonical reference, likewise */
  double all;              /* the largest of all parameters' gradients */
  fovea_status status;
} lockstep;

static void fail(lockstep *s, fovea_status status) {
  if (s->status == FOVEA_OK) s->status = status;
}

static int source_of(const lockstep *s, int node) {
  return fovea_plan_source(fovea_network_plan(s->network, true), node);
}

/* The last node that the source of `node` computes: the one whose value is on the device. */
static int end_of(const lockstep *s, int node) {
  const int source = source_of(s, node);
  int end = source;
  for (int i = source; i < s->graph->count; i++)
    if (source_of(s, i) == source) end = i;
  return end;
}

static size_t image_of(const fovea_node *n) { return (size_t)n->c * (size_t)n->h * (size_t)n->w; }

/* --- numbers that both start from ---------------------------------------------------------------------------- */

static float uniform(uint64_t *state) { return (float)(check_draw(state) >> 8) * 0x1p-23f - 1.0f; }

static void draw_pixels(lockstep *s) {
  const fovea_node *input = &s->graph->nodes[s->graph->input];
  const size_t hw = (size_t)input->h * (size_t)input->w, count = (size_t)s->c->batch * image_of(input);
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < count; i++) {
    const uint32_t word = check_draw(&state); /* a quarter is black, as in margins */
    s->pixels[i] = word % 4 == 0 ? 0 : (uint8_t)(word >> 24);
    if (s->c->constant && i % hw) s->pixels[i] = s->pixels[i - 1];
    if (s->c->equal_images) s->pixels[i] = s->pixels[i % image_of(input)];
  }
}

/* The last convolution's, of a case that gives the logits. */
static bool gives_logits(const lockstep *s, const fovea_parameter *p, float *data) {
  if (!s->c->logits || (strcmp(p->name, "tail.weight") != 0 && strcmp(p->name, "tail.bias") != 0)) return false;
  for (size_t i = 0; i < p->count; i++) data[i] = p->rank == 1 ? s->c->logits[i] : 0;
  return true;
}

static void draw_parameter(const lockstep *s, const fovea_parameter *p, float *data, uint64_t *state) {
  if (gives_logits(s, p, data)) return;
  const size_t row = p->count / (size_t)p->dims[0];
  const bool scale = strstr(p->name, "running_var") || (p->rank == 1 && strstr(p->name, ".weight"));
  for (size_t i = 0; i < p->count; i++) {
    const float u = uniform(state);
    data[i] = scale ? 1.0f + 0.5f * u : p->rank == 1 ? 0.5f * u : u * sqrtf(3.0f / (float)row);
    if (s->c->equal_filters && p->rank == 4 && i >= row) data[i] = data[i - row];
  }
}

static void start_parameters(lockstep *s) {
  uint64_t state = s->c->seed ? s->c->seed : SEED;
  for (size_t i = 0; i < fovea_network_parameter_count(s->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(s->network, i);
    struct ref_parameter *r = ref_network_find(s->ref, p->name);
    if (!r || (size_t)r->count != p->count) {
      fail(s, fovea_fail(FOVEA_MISMATCH, "check: the reference has no %s of %zu values", p->name, p->count));
      return;
    }
    float *data = malloc(p->count * sizeof *data);
    if (!data) {
      fail(s, fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out"));
      return;
    }
    draw_parameter(s, p, data, &state);
    for (size_t j = 0; j < p->count; j++) r->value[j] = (double)data[j];
    memcpy(canonical_parameter(s->canonical, (int)(r - s->ref->parameters), CANONICAL_VALUE), data,
           p->count * sizeof *data);
    fail(s, fovea_network_set(s->network, i, FOVEA_VALUE, data));
    free(data);
  }
}

/* --- tensors of the device ------------------------------------------------------------------------------------ */

/* Where value e of the reference's order is in an image on the device: units that become an image are (c, h, w) there.
 */
static size_t device_element(const lockstep *s, int end, size_t e) {
  const fovea_node *source = &s->graph->nodes[source_of(s, end)];
  if (source->parameter_count == 0) return e;
  return fovea_device_index(source->parameters[0].rows, e);
}

static void take_image(lockstep *s, int end, size_t i, float *to) {
  const size_t image = image_of(&s->graph->nodes[end]);
  for (size_t e = 0; e < image; e++) to[e] = s->plain[device_element(s, end, e) * (size_t)s->padded + i];
}

static void read_tensor(lockstep *s, fovea_slice slice, int end) {
  const fovea_node *node = &s->graph->nodes[end];
  const size_t image = image_of(node), pixels = (size_t)(node->h * node->w), n = (size_t)s->padded;
  fail(s, fovea_buffer_read(slice.buffer, 4 * slice.offset, 4 * image * n, s->raw));
  for (size_t e = 0; e < image; e++)
    for (size_t i = 0; i < n; i++) s->plain[e * n + i] = s->raw[fovea_device_place(e, pixels, i, n)];
  for (size_t i = 0; i < (size_t)s->c->count; i++) take_image(s, end, i, s->values + i * image);
}

/* Of the tensor just read, those images that only pad the batch: cl/common/vector.clh. */
static void compare_padding(lockstep *s, check_error *error, const check_tensor *tensor, int end) {
  float *image = s->values + (size_t)s->c->count * image_of(&s->graph->nodes[end]);
  for (int i = s->c->count; i < s->padded; i++) {
    take_image(s, end, (size_t)i, image);
    check_padding(error, tensor, i, image);
  }
}

/* The tensor just read, with the canonical reference's [c][h][w][n]; NULL where that has none. */
static void compare_bits(lockstep *s, check_error *error, const check_tensor *tensor, int end, const float *canonical) {
  const size_t image = image_of(&s->graph->nodes[end]), n = (size_t)s->padded;
  for (size_t i = 0; canonical && i < (size_t)s->c->count; i++)
    for (size_t e = 0; e < image; e++)
      s->canonical_values[i * image + e] = canonical[device_element(s, end, e) * n + i];
  if (canonical) check_compare_bits(error, tensor, s->values, s->canonical_values);
}

static check_tensor tensor_of(const lockstep *s, int node, const char *name) {
  const fovea_node *n = &s->graph->nodes[node];
  return (check_tensor){name, 4, {s->c->count, n->c, n->h, n->w}};
}

/* The reference goes on from the device's numbers. */
static void adopt(const lockstep *s, double *to, int node) {
  const size_t count = (size_t)s->c->count * image_of(&s->graph->nodes[node]);
  for (size_t i = 0; i < count; i++) to[i] = (double)s->values[i];
}

/* --- forward -------------------------------------------------------------------------------------------------- */

static void compare_loss(lockstep *s, int node, const char *name, double loss, double expected, float canonical) {
  const float value = (float)loss;
  const check_tensor tensor = {name, 1, {1}};
  if (node < 0) return;
  check_error *error = &s->ops[source_of(s, node)].forward;
  check_compare(error, &tensor, &value, &expected, s->c->logits ? SATURATED_LOSSES : LOSSES);
  check_compare_bits(error, &tensor, &value, &canonical);
}

static void compare_losses(lockstep *s) {
  fovea_losses losses = {0};
  fail(s, fovea_network_losses(s->network, &losses));
  compare_loss(s, s->graph->loss, "bce", losses.bce, s->ref->bce, canonical_bce(s->canonical));
  compare_loss(s, s->graph->latent, "kl", losses.kl, s->ref->kl, canonical_kl(s->canonical));
}

static void forward(lockstep *s, bool training) {
  const fovea_plan *plan = fovea_network_plan(s->network, training);
  const uint32_t step = training ? 0 : NOISE_STEP;
  ref_network_begin(s->ref, s->c->count);
  canonical_begin(s->canonical, s->c->count, step, training);
  for (int i = 0; i < s->graph->count && s->status == FOVEA_OK; i++) {
    ref_network_forward_node(s->ref, i, s->pixels, step, training);
    canonical_forward_node(s->canonical, i, s->pixels);
    if (end_of(s, i) != i) continue;
    fovea_slice slice;
    const check_tensor y = tensor_of(s, i, "y");
    fail(s, fovea_plan_value(plan, i, &slice));
    if (s->status == FOVEA_OK) read_tensor(s, slice, i);
    if (s->status != FOVEA_OK) return;
    const int source = source_of(s, i);
    check_error *error = &s->ops[source].forward;
    check_compare(error, &y, s->values, s->ref->nodes[i].value, VALUES);
    compare_bits(s, error, &y, i, canonical_value(s->canonical, source));
    compare_padding(s, error, &y, i);
    adopt(s, s->ref->nodes[i].value, i);
    canonical_set_value(s->canonical, source, s->plain);
  }
  canonical_end_forward(s->canonical);
}

/* --- backward ------------------------------------------------------------------------------------------------- */

/* The gradient of a tensor is the sum over its readers; its error is reported for each of them. */
static void compare_gradient(lockstep *s, int end) {
  const check_tensor dx = tensor_of(s, end, "dx");
  const check_tolerance tolerance = {GRADIENT_RTOL, GRADIENT_SHARE, 0};
  check_error error = {0};
  check_compare(&error, &dx, s->values, s->ref->nodes[end].gradient, tolerance);
  compare_bits(s, &error, &dx, end, canonical_pending_gradient(s->canonical, source_of(s, end)));
  compare_padding(s, &error, &dx, end);
  for (int j = 0; j < s->graph->count; j++) {
    const fovea_node *reader = &s->graph->nodes[j];
    for (int k = 0; k < reader->input_count; k++)
      if (reader->inputs[k] == end && source_of(s, j) != source_of(s, end))
        check_merge(&s->ops[source_of(s, j)].backward, &error);
  }
}

static void backward(lockstep *s) {
  const fovea_plan *plan = fovea_network_plan(s->network, true);
  ref_network_clear_gradients(s->ref);
  for (int i = s->graph->count - 1; i >= 0 && s->status == FOVEA_OK; i--) {
    fovea_slice slice;
    if (end_of(s, i) == i && fovea_plan_gradient(plan, i, &slice)) {
      read_tensor(s, slice, i);
      compare_gradient(s, i);
      adopt(s, s->ref->nodes[i].gradient, i);
      canonical_set_gradient(s->canonical, source_of(s, i), s->plain);
    }
    ref_network_backward_node(s->ref, i);
    /* A source's canonical backward is that of all it does, so it waits until the first of them is reached. */
    canonical_backward_node(s->canonical, i);
  }
  canonical_end_backward(s->canonical);
}

/* Calls `compare` with each parameter of each node, and the op that it belongs to. */
static void each_parameter(lockstep *s, void (*compare)(lockstep *s, check_op *op, size_t index, float *data,
                                                        const struct ref_parameter *r)) {
  for (size_t i = 0; i < fovea_network_parameter_count(s->network) && s->status == FOVEA_OK; i++) {
    const fovea_parameter *p = fovea_network_parameter(s->network, i);
    float *data = malloc(p->count * sizeof *data);
    if (!data) fail(s, fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out"));
    for (int n = 0; n < s->graph->count && data; n++)
      for (int j = 0; j < s->graph->nodes[n].parameter_count; j++)
        if (strcmp(s->graph->nodes[n].parameters[j].name, p->name) == 0)
          compare(s, &s->ops[source_of(s, n)], i, data, ref_network_find(s->ref, p->name));
    free(data);
  }
}

static check_tensor parameter_tensor(const fovea_parameter *p) {
  check_tensor t = {p->name, p->rank, {0}};
  memcpy(t.dims, p->dims, sizeof t.dims);
  return t;
}

static void compare_parameter(lockstep *s, check_op *op, size_t index, float *data, const struct ref_parameter *r) {
  const fovea_parameter *p = fovea_network_parameter(s->network, index);
  const check_tensor tensor = parameter_tensor(p);
  const int canonical = (int)(r - s->ref->parameters);
  if (!p->trainable) {
    fail(s, fovea_network_get(s->network, index, FOVEA_VALUE, data));
    if (s->status != FOVEA_OK) return;
    check_compare(&op->forward, &tensor, data, r->value, VALUES);
    check_compare_bits(&op->forward, &tensor, data, canonical_parameter(s->canonical, canonical, CANONICAL_VALUE));
    return;
  }
  const check_tolerance tolerance = {GRADIENT_RTOL, GRADIENT_SHARE, GRADIENT_SHARE_OF_ALL * s->all};
  fail(s, fovea_network_get(s->network, index, FOVEA_GRADIENT, data));
  if (s->status != FOVEA_OK) return;
  check_compare(&op->backward, &tensor, data, r->gradient, tolerance);
  check_compare_bits(&op->backward, &tensor, data, canonical_parameter(s->canonical, canonical, CANONICAL_GRADIENT));
}

static void largest_gradient(lockstep *s) {
  for (int i = 0; i < s->ref->parameter_count; i++)
    s->all = fmax(s->all, check_largest(s->ref->parameters[i].gradient, (size_t)s->ref->parameters[i].count));
}

/* --- Adam ----------------------------------------------------------------------------------------------------- */

static const struct {
  fovea_value device;
  enum canonical_array canonical;
  const char *name;
} adam_arrays[] = {{FOVEA_FIRST_MOMENT, CANONICAL_FIRST_MOMENT, "m"},
                   {FOVEA_SECOND_MOMENT, CANONICAL_SECOND_MOMENT, "v"},
                   {FOVEA_VALUE, CANONICAL_VALUE, "p"},
                   {FOVEA_GRADIENT, CANONICAL_GRADIENT, "g"}};
enum { ADAM_RESULTS = 3, ADAM_ARRAYS = 4 };

static float *canonical_array(lockstep *s, const fovea_parameter *p, int array) {
  const struct ref_parameter *r = ref_network_find(s->ref, p->name);
  return canonical_parameter(s->canonical, (int)(r - s->ref->parameters), adam_arrays[array].canonical);
}

/* Arrays first to last of every trainable parameter, from the device to the canonical reference. */
static void take_arrays(lockstep *s, int first, int last) {
  for (size_t i = 0; i < fovea_network_parameter_count(s->network); i++) {
    const fovea_parameter *p = fovea_network_parameter(s->network, i);
    for (int k = first; k < last && p->trainable && s->status == FOVEA_OK; k++)
      fail(s, fovea_network_get(s->network, i, adam_arrays[k].device, canonical_array(s, p, k)));
  }
}

/* Compares the double reference's step from the canonical arrays with the device's, which is in data. */
static void compare_adam_double(lockstep *s, check_op *adam, size_t index, int iteration, float *data) {
  const struct ref_adam d = {.lr = (double)LEARNING_RATE, .b1 = 0.9, .b2 = 0.999, .eps = 1e-7};
  const fovea_parameter *p = fovea_network_parameter(s->network, index);
  double *doubles = malloc(ADAM_ARRAYS * p->count * sizeof *doubles), *at[ADAM_ARRAYS];
  if (!doubles) {
    fail(s, fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out"));
    return;
  }
  for (int k = 0; k < ADAM_ARRAYS; k++) {
    at[k] = doubles + (size_t)k * p->count;
    for (size_t i = 0; i < p->count; i++) at[k][i] = (double)canonical_array(s, p, k)[i];
  }
  ref_adam(&d, iteration, (int)p->count, at[3], at[0], at[1], at[2]);
  for (int k = 0; k < ADAM_RESULTS && s->status == FOVEA_OK; k++) {
    check_tensor tensor = parameter_tensor(p);
    tensor.name = adam_arrays[k].name;
    fail(s, fovea_network_get(s->network, index, adam_arrays[k].device, data));
    if (s->status == FOVEA_OK) check_compare(&adam->forward, &tensor, data, at[k], ADAM);
  }
  free(doubles);
}

/* One step with a learning rate, from what the device had before and the gradient it had in it. */
static void compare_adam(lockstep *s, check_op *adam) {
  const uint32_t iteration = fovea_network_get_step(s->network);
  size_t largest = 1;
  for (size_t i = 0; i < fovea_network_parameter_count(s->network); i++) {
    const size_t count = fovea_network_parameter(s->network, i)->count;
    if (count > largest) largest = count;
  }
  float *data = malloc(largest * sizeof *data);
  if (!data) fail(s, fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out"));
  take_arrays(s, 0, ADAM_RESULTS);
  if (s->status == FOVEA_OK)
    fail(s, fovea_network_train_step(s->network, s->pixels, NULL, (size_t)s->c->count, LEARNING_RATE));
  take_arrays(s, ADAM_RESULTS, ADAM_ARRAYS);
  for (int canonical = 0; canonical < 2 && s->status == FOVEA_OK; canonical++) {
    if (canonical) canonical_adam(s->canonical, canonical_alpha(LEARNING_RATE, iteration + 1));
    for (size_t i = 0; i < fovea_network_parameter_count(s->network) && s->status == FOVEA_OK; i++) {
      const fovea_parameter *p = fovea_network_parameter(s->network, i);
      if (!p->trainable) continue;
      if (!canonical) compare_adam_double(s, adam, i, (int)iteration, data);
      for (int k = 0; k < ADAM_RESULTS && canonical && s->status == FOVEA_OK; k++) {
        check_tensor tensor = parameter_tensor(p);
        tensor.name = adam_arrays[k].name;
        fail(s, fovea_network_get(s->network, i, adam_arrays[k].device, data));
        if (s->status == FOVEA_OK) check_compare_bits(&adam->forward, &tensor, data, canonical_array(s, p, k));
      }
    }
  }
  free(data);
}

/* --- speed ---------------------------------------------------------------------------------------------------- */

/* The best of a few, since other load on the machine can only slow it. */
static double rate(lockstep *s, int node, bool is_backward) {
  fovea_plan *plan = fovea_network_plan(s->network, true);
  double best = INFINITY, flops = 0, bytes = 0;
  int launches = 0;
  for (int i = 0; i < TIMINGS && s->status == FOVEA_OK; i++) {
    fail(s, fovea_device_finish(s->device));
    const double begun = fovea_seconds();
    fail(s, fovea_plan_run_node(plan, node, is_backward, &launches, &flops, &bytes));
    fail(s, fovea_device_finish(s->device));
    best = fmin(best, fovea_seconds() - begun);
  }
  return launches > 0 ? (s->ops[node].rate_is_bytes ? bytes : flops) / best : 0;
}

static void measure_speed(lockstep *s) {
  for (int i = 0; i < s->graph->count; i++) {
    const fovea_op *op = s->graph->nodes[i].op;
    if (source_of(s, i) != i) continue;
    s->ops[i].rate_is_bytes = op != &fovea_op_conv2d && op != &fovea_op_conv2d_transpose && op != &fovea_op_dense;
    s->ops[i].forward_rate = rate(s, i, false);
    s->ops[i].backward_rate = rate(s, i, true);
  }
}

/* --- what the results are called -------------------------------------------------------------------------------- */

static const char *activation_name(fovea_activation a) {
  static const char *const names[] = {"linear", "elu", "relu", "selu", "sigmoid"};
  return names[a];
}

static void name_op(lockstep *s, int source) {
  check_op *op = &s->ops[source];
  op->network = s->c->name, op->nodes = 1;
  for (int i = source; i < s->graph->count; i++) {
    const fovea_node *n = &s->graph->nodes[i];
    if (source_of(s, i) != source) continue;
    const size_t used = strlen(op->name);
    snprintf(op->name + used, sizeof op->name - used, "%s%s", i > source ? "+" : "",
             n->op == &fovea_op_activation ? activation_name(n->activation) : n->op->name);
  }
}

static void shape_op(lockstep *s, int source) {
  const fovea_node *y = &s->graph->nodes[source];
  char *text = s->ops[source].shape;
  const size_t size = sizeof s->ops[source].shape;
  const fovea_node *x = y->input_count > 0 ? &s->graph->nodes[y->inputs[0]] : NULL;
  if (y->op == &fovea_op_conv2d || y->op == &fovea_op_conv2d_transpose)
    snprintf(text, size, "%d->%d %dx%d k%d s%d%s%s", x->c, y->c, x->h, x->w, y->conv.kernel, y->conv.stride,
             y->conv.bias ? " bias" : "", y->conv.same ? "" : " valid");
  else if (y->op == &fovea_op_dense)
    snprintf(text, size, "%d->%d%s", x->c * x->h * x->w, y->c, y->conv.bias ? " bias" : "");
  else if (y->op == &fovea_op_concat)
    snprintf(text, size, "%d+%d %dx%d", x->c, y->c - x->c, y->h, y->w);
  else
    snprintf(text, size, "%d %dx%d", y->c, y->h, y->w);
}

/* Source nodes only; those of the same name and shape are one result. */
static int collect(lockstep *s, check_op *results) {
  int count = 0;
  for (int i = 0; i <= s->graph->count; i++) {
    if (i < s->graph->count && source_of(s, i) != i) continue;
    const check_op *op = &s->ops[i];
    int at = 0;
    while (at < count && (strcmp(results[at].name, op->name) != 0 || strcmp(results[at].shape, op->shape) != 0)) at++;
    if (at == count) {
      results[count++] = *op;
      continue;
    }
    check_op *r = &results[at];
    check_merge(&r->forward, &op->forward);
    check_merge(&r->backward, &op->backward);
    r->nodes++;
    r->forward_rate = fmax(r->forward_rate, op->forward_rate);
    r->backward_rate = fmax(r->backward_rate, op->backward_rate);
  }
  return count;
}

/* A whole batch first, so that there is something where the step has padding images. What its loss is, if any, is seen
 * in the step itself. */
static void fill_batch(lockstep *s) {
  fovea_losses losses;
  fail(s, fovea_network_evaluate(s->network, s->pixels, NULL, (size_t)s->c->batch, NOISE_STEP));
  const fovea_status status = s->status == FOVEA_OK ? fovea_network_losses(s->network, &losses) : FOVEA_OK;
  if (status != FOVEA_MISMATCH) fail(s, status);
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

static fovea_status create(lockstep *s) {
  const fovea_network_options options = {.batch = s->c->batch, .seed = SEED, .training = true, .inspect = true};
  const size_t nodes = (size_t)s->graph->count + 1; /* and Adam */
  size_t largest = 0;
  for (int i = 0; i < s->graph->count; i++)
    if (image_of(&s->graph->nodes[i]) > largest) largest = image_of(&s->graph->nodes[i]);
  s->padded = (s->c->batch + 15) / 16 * 16;
  s->ops = calloc(nodes, sizeof *s->ops);
  s->raw = malloc(largest * (size_t)s->padded * sizeof *s->raw);
  s->plain = malloc(largest * (size_t)s->padded * sizeof *s->plain);
  s->values = malloc(largest * (size_t)s->padded * sizeof *s->values);
  s->canonical_values = malloc(largest * (size_t)s->padded * sizeof *s->canonical_values);
  s->pixels = malloc(image_of(&s->graph->nodes[s->graph->input]) * (size_t)s->padded);
  if (!s->ops || !s->raw || !s->plain || !s->values || !s->canonical_values || !s->pixels)
    return fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out");
  s->ref = check_reference(s->graph, SEED);
  if (!s->ref) return FOVEA_INVALID;
  s->canonical = canonical_create(s->ref, s->c->batch);
  return fovea_network_create(s->device, s->graph, &options, &s->network);
}

static void compare(lockstep *s) {
  const size_t count = (size_t)s->c->count;
  for (int i = 0; i < s->graph->count; i++)
    if (source_of(s, i) == i) name_op(s, i), shape_op(s, i);
  check_op *adam = &s->ops[s->graph->count];
  *adam = (check_op){.name = "adam", .network = s->c->name, .nodes = 1};
  snprintf(adam->shape, sizeof adam->shape, "%d parameters", s->ref->parameter_count);
  draw_pixels(s);
  start_parameters(s);
  if (s->status == FOVEA_OK) fill_batch(s);
  if (s->status == FOVEA_OK) fail(s, fovea_network_train_step(s->network, s->pixels, NULL, count, 0));
  if (s->status == FOVEA_OK) forward(s, true);
  if (s->status == FOVEA_OK) backward(s);
  if (s->status == FOVEA_OK) largest_gradient(s);
  if (s->status == FOVEA_OK) compare_losses(s);
  if (s->status == FOVEA_OK) each_parameter(s, compare_parameter);
  if (s->status == FOVEA_OK) fail(s, fovea_network_evaluate(s->network, s->pixels, NULL, count, NOISE_STEP));
  if (s->status == FOVEA_OK) forward(s, false);
  if (s->status == FOVEA_OK) compare_losses(s);
  if (s->status == FOVEA_OK) compare_adam(s, adam);
  if (s->status == FOVEA_OK && s->c->timed) measure_speed(s);
  if (s->status == FOVEA_OK) fail(s, fovea_network_check_canaries(s->network));
}

fovea_status check_lockstep(fovea_device *device, const fovea_graph *graph, const check_case *c, check_op **ops,
                            int *count) {
  lockstep s = {.c = c, .device = device, .graph = graph};
  const bool guarded = device->guard;
  device->guard = true;
  s.status = create(&s);
  device->guard = guarded;
  if (s.status == FOVEA_OK) compare(&s);
  const bool compared = s.status == FOVEA_OK || (s.status == FOVEA_MISMATCH && s.network);
  check_op *results = compared ? calloc((size_t)graph->count + 1, sizeof *results) : NULL;
  if (compared && !results) fail(&s, fovea_fail(FOVEA_NO_MEMORY, "check: host memory ran out"));
  if (results) *count = collect(&s, results), *ops = results;
  fovea_network_destroy(s.network);
  canonical_destroy(s.canonical);
  ref_network_destroy(s.ref);
  free(s.ops), free(s.raw), free(s.plain), free(s.values), free(s.canonical_values), free(s.pixels);
  return s.status == FOVEA_OK ? FOVEA_OK : fovea_fail_in(s.status, "%s", c->name);
}
