#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "plan/internal.h"

/* --- storages ------------------------------------------------------------------------------------------------ */

static int new_storage(fovea_plan *plan, size_t size, fovea_buffer *external) {
  if (plan->storage_count == plan->storage_capacity) {
    int capacity = plan->storage_capacity ? 2 * plan->storage_capacity : 64;
    storage *storages = realloc(plan->storages, (size_t)capacity * sizeof *storages);
    if (storages) plan->storages = storages;
    int *gradient_of = realloc(plan->gradient_of, (size_t)capacity * sizeof *gradient_of);
    if (gradient_of) plan->gradient_of = gradient_of;
    bool *written = realloc(plan->gradient_written, (size_t)capacity * sizeof *written);
    if (written) plan->gradient_written = written;
    if (!storages || !gradient_of || !written) {
      fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
      return 0; /* the external state's: the plan has failed and is never made */
    }
    plan->storage_capacity = capacity;
  }
  int id = plan->storage_count++;
  plan->storages[id] = (storage){.size = (size + LANES - 1) / LANES * LANES,
                                 .first = -1,
                                 .last = -1,
                                 .buffer = external,
                                 .external = external != NULL};
  plan->gradient_of[id] = -1;
  plan->gradient_written[id] = false;
  return id;
}

fovea_view fovea_plan_new(fovea_plan *plan, size_t size) { return (fovea_view){new_storage(plan, size, NULL), 0}; }

fovea_view fovea_plan_new_images(fovea_plan *plan, int channels, int pixels) {
  const fovea_view view = fovea_plan_new(plan, (size_t)channels * (size_t)pixels * (size_t)plan->batch);
  plan->storages[view.storage].pixels = pixels;
  return view;
}

static fovea_view external(fovea_plan *plan, fovea_buffer *buffer) {
  return (fovea_view){buffer ? new_storage(plan, buffer->size / 4, buffer) : 0, 0};
}

static void touch(fovea_plan *plan, fovea_view view) {
  storage *s = &plan->storages[view.storage];
  int now = plan->record_count - 1;
  if (s->first < 0) s->first = now;
  if (s->last < now) s->last = now;
}

/* --- recording ------------------------------------------------------------------------------------------------- */

void fovea_plan_fail(fovea_plan *plan, fovea_status status) {
  if (plan->status == FOVEA_OK) plan->status = status;
}

static fovea_record *new_record(fovea_plan *plan, record_kind kind) {
  static _Thread_local fovea_record scrap; /* where the arguments of a failed record go; never read */
  if (plan->record_count == plan->record_capacity) {
    int capacity = plan->record_capacity ? 2 * plan->record_capacity : 256;
    fovea_record **records = realloc(plan->records, (size_t)capacity * sizeof *records);
    if (records) plan->records = records, plan->record_capacity = capacity;
  }
  fovea_record *record = plan->record_count < plan->record_capacity ? calloc(1, sizeof *record) : NULL;
  if (!record) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    scrap.argument_count = 0;
    return &scrap;
  }
  record->kind = kind;
  record->request = plan->request;
  record->group = plan->group;
  plan->records[plan->record_count++] = record;
  return record;
}

fovea_record *fovea_plan_record(fovea_plan *plan, const char *file, const char *options, const char *kernel) {
  fovea_record *record = new_record(plan, RECORD_KERNEL);
  snprintf(record->file, sizeof record->file, "%s", file);
  snprintf(record->options, sizeof record->options, "%s", options);
  snprintf(record->kernel, sizeof record->kernel, "%s", kernel);
  return record;
}

static void add_argument(fovea_record *record, argument a) {
  if (record->argument_count < MAX_ARGUMENTS) record->arguments[record->argument_count++] = a;
}

void fovea_record_view(fovea_plan *plan, fovea_record *record, const char *what, fovea_view view) {
  add_argument(record, (argument){.kind = ARGUMENT_VIEW, .what = what, .view = view});
  touch(plan, view);
}

void fovea_record_buffer(fovea_plan *plan, fovea_record *record, const char *what, fovea_view view) {
  add_argument(record, (argument){.kind = ARGUMENT_BUFFER, .what = what, .view = view});
  touch(plan, view);
}

void fovea_record_int(fovea_record *record, const char *what, int value) {
  add_argument(record, (argument){.kind = ARGUMENT_INT, .what = what, .i = value});
}

void fovea_record_uint(fovea_record *record, const char *what, uint32_t value) {
  add_argument(record, (argument){.kind = ARGUMENT_UINT, .what = what, .u = value});
}

void fovea_record_float(fovea_record *record, const char *what, float value) {
  add_argument(record, (argument){.kind = ARGUMENT_FLOAT, .what = what, .f = value});
}

void fovea_record_range(fovea_record *record, size_t x, size_t y, size_t z) {
  record->local = 0;
  record->size[0] = x, record->size[1] = y, record->size[2] = z;
}

void fovea_record_groups(fovea_record *record, size_t local, size_t x, size_t y, size_t z) {
  fovea_record_range(record, x, y, z);
  record->local = local;
}

void fovea_record_prepacks_weights(fovea_plan *plan, fovea_record *record) {
  record->prepacks = !plan->training || plan->shards > 0;
}

void fovea_record_over_batch(fovea_record *record, int axis) { record->batch_axis = 1 + axis; }

void fovea_record_local(fovea_record *record, int most) { record->most = most; }

void fovea_record_cost(fovea_record *record, double flops, double bytes) {
  record->flops = flops, record->bytes = bytes;
}

void fovea_record_batch_range(fovea_plan *plan, fovea_record *record, size_t y, size_t z) {
  fovea_record_range(record, (size_t)(plan->batch / plan->device->tuning.vector), y, z);
  fovea_record_over_batch(record, 0);
}

/* On a CPU a work-item takes a run of them: a work-group costs 12 ns there. */
void fovea_record_shared_range(fovea_plan *plan, fovea_record *record, size_t count, size_t z) {
  enum { SHARE = 16 };
  fovea_record_batch_range(plan, record, plan->device->tuning.vector == 1 ? count : (count + SHARE - 1) / SHARE, z);
}

void fovea_record_lane_groups(fovea_plan *plan, fovea_record *record, size_t y, size_t z) {
  fovea_record_groups(record, LANES / (size_t)plan->device->tuning.vector, 1, y, z);
}

void fovea_record_flat(fovea_record *record, size_t items) {
  fovea_record_range(record, items, 1, 1);
  record->flat = true;
}

void fovea_record_gemm(fovea_plan *plan, const fovea_gemm *gemm, fovea_view a, fovea_view b, fovea_view c) {
  fovea_record *record = new_record(plan, RECORD_GEMM);
  record->gemm = *gemm;
  fovea_record_view(plan, record, "a", a);
  fovea_record_view(plan, record, "b", b);
  fovea_record_view(plan, record, "c", c);
}

static void record_zero(fovea_plan *plan, fovea_view view) {
  fovea_record_view(plan, new_record(plan, RECORD_ZERO), "x", view);
}

/* --- what ops ask ------------------------------------------------------------------------------------------------ */

fovea_device *fovea_plan_device(const fovea_plan *plan) { return plan->device; }
int fovea_plan_batch(const fovea_plan *plan) { return plan->batch; }
bool fovea_plan_training(const fovea_plan *plan) { return plan->training; }
bool fovea_plan_clblast(const fovea_plan *plan) { return plan->resources.clblast; }
const fovea_node *fovea_plan_node(const fovea_plan *plan, int node) { return &plan->graph->nodes[node]; }
const fovea_pointwise *fovea_plan_pointwise(const fovea_plan *plan, int node) { return &plan->nodes[node].pointwise; }
int fovea_plan_fused(const fovea_plan *plan, int node) { return plan->nodes[node].fused; }
fovea_view fovea_plan_state(const fovea_plan *plan) { return plan->state; }

fovea_tile fovea_plan_tile(fovea_plan *plan, const char *key, const fovea_tile_list *list) {
  return fovea_autotune_choose(plan->device, key, list, &plan->request);
}

fovea_tensor fovea_plan_source(const fovea_plan *plan, fovea_tensor node) {
  while (plan->nodes[node].alias != node) node = plan->nodes[node].alias;
  return node;
}

fovea_view fovea_plan_output(const fovea_plan *plan, int node) {
  return plan->nodes[fovea_plan_source(plan, node)].value;
}

fovea_view fovea_plan_input(const fovea_plan *plan, int node, int input) {
  return fovea_plan_output(plan, plan->graph->nodes[node].inputs[input]);
}

static fovea_view parameter_in(const fovea_plan *plan, fovea_view all, int node, int parameter) {
  return (fovea_view){all.storage, plan->resources.offsets[node * FOVEA_NODE_PARAMETERS + parameter]};
}

fovea_view fovea_plan_parameter(const fovea_plan *plan, int node, int parameter) {
  return parameter_in(plan, plan->parameters, node, parameter);
}

fovea_view fovea_plan_parameter_gradient(const fovea_plan *plan, int node, int parameter) {
  return parameter_in(plan, plan->gradients, node, parameter);
}

fovea_view fovea_plan_save(fovea_plan *plan, int node, int slot, size_t size) {
  return plan->nodes[node].saved[slot] = fovea_plan_new(plan, size);
}

fovea_view fovea_plan_save_images(fovea_plan *plan, int node, int slot, int channels, int pixels) {
  return plan->nodes[node].saved[slot] = fovea_plan_new_images(plan, channels, pixels);
}

fovea_view fovea_plan_saved(const fovea_plan *plan, int node, int slot) { return plan->nodes[node].saved[slot]; }

static fovea_view new_value(fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  return fovea_plan_new_images(plan, n->c, n->h * n->w);
}

static size_t node_size(const fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  return (size_t)n->c * (size_t)n->h * (size_t)n->w * (size_t)plan->batch;
}

fovea_view fovea_plan_output_gradient(const fovea_plan *plan, int node) {
  fovea_view value = fovea_plan_output(plan, node);
  return (fovea_view){plan->gradient_of[value.storage], value.offset};
}

bool fovea_plan_wants_gradient(const fovea_plan *plan, int node, int input) {
  return plan->nodes[fovea_plan_source(plan, plan->graph->nodes[node].inputs[input])].wants_gradient;
}

/* The first to touch a gradient overwrites it where it covers the whole, else zeroes the whole and adds. */
fovea_view fovea_plan_input_gradient(fovea_plan *plan, int node, int input, bool *accumulate) {
  int from = plan->graph->nodes[node].inputs[input];
  fovea_view value = fovea_plan_output(plan, from);
  size_t whole = plan->storages[value.storage].size;
  if (plan->gradient_of[value.storage] < 0) {
    int id = new_storage(plan, whole, NULL);
    plan->storages[id].pixels = plan->storages[value.storage].pixels;
    plan->gradient_of[value.storage] = id;
  }
  fovea_view gradient = {plan->gradient_of[value.storage], value.offset};
  *accumulate = plan->gradient_written[value.storage];
  if (!*accumulate && node_size(plan, from) != whole) {
    record_zero(plan, (fovea_view){gradient.storage, 0});
    *accumulate = true;
  }
  plan->gradient_written[value.storage] = true;
  return gradient;
}

void fovea_plan_set_bce_rows(fovea_plan *plan, fovea_view rows, int count, int values) {
  plan->bce_rows = rows, plan->bce_row_count = count, plan->bce_values = values, plan->has_bce = true;
}

void fovea_plan_set_kl(fovea_plan *plan, fovea_view kl) { plan->kl = kl, plan->has_kl = true; }

/* --- the passes over the graph ----------------------------------------------------------------------------------- */

static int readers_of(const fovea_graph *graph, int node) {
  int readers = 0;
  for (int j = 0; j < graph->count; j++)
    for (int k = 0; k < graph->nodes[j].input_count; k++) readers += graph->nodes[j].inputs[k] == node;
  return readers;
}

/* What is to be read after an evaluation is made as the graph says. */
static bool may_vanish(const fovea_plan *plan, int node) { return plan->training || !plan->graph->nodes[node].kept; }

/* Whether the op of node i, which reads `from`, can be fused with that of `from`. */
static bool can_fuse(const fovea_plan *plan, int i, int from) {
  const fovea_op *op = plan->graph->nodes[i].op, *before = plan->graph->nodes[from].op;
  if (op == &fovea_op_batchnorm) return before == &fovea_op_spatial_attention;
  const bool convolves = before == &fovea_op_conv2d || before == &fovea_op_conv2d_transpose;
  return op == &fovea_op_activation && plan->nodes[i].alias == i && convolves;
}

/* Not for inspection, which reads what is between. */
static void merge(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count && !plan->resources.inspect; i++) {
    const int from = graph->nodes[i].inputs[0];
    if (graph->nodes[i].input_count > 0 && can_fuse(plan, i, from) && readers_of(graph, from) == 1 &&
        may_vanish(plan, from))
      plan->nodes[i].fused = from, plan->nodes[from].fused = i;
  }
}

/* A dropout or activation whose input nobody else reads is done by the op that makes that input, where it can. */
static void fold(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++) {
    const fovea_node *node = &graph->nodes[i];
    node_plan *p = &plan->nodes[i];
    *p = (node_plan){.alias = i, .fused = -1, .wants_gradient = node->op != &fovea_op_input};
    if (node->op == &fovea_op_dropout) p->pointwise.rate = node->rate, p->pointwise.random = node->random;
    if (node->op == &fovea_op_activation) p->pointwise.activation = node->activation;
    if (node->op != &fovea_op_dropout && node->op != &fovea_op_activation) continue;
    const int from = fovea_plan_source(plan, node->inputs[0]);
    node_plan *q = &plan->nodes[from];
    const fovea_op *op = graph->nodes[from].op;
    bool able = op == &fovea_op_batchnorm || op == &fovea_op_dropout;
    bool free_place =
        q->pointwise.activation == FOVEA_LINEAR && (node->op == &fovea_op_activation || q->pointwise.rate == 0.0);
    if (!able || !free_place || readers_of(graph, node->inputs[0]) != 1) continue;
    if (!may_vanish(plan, node->inputs[0])) continue;
    p->alias = from;
    if (node->op == &fovea_op_dropout) q->pointwise.rate = node->rate, q->pointwise.random = node->random;
    if (node->op == &fovea_op_activation) q->pointwise.activation = node->activation;
  }
}

/* Whether operand k of the concatenation `node` may be a slice of it. Not the images; and not what others read, where
 * fovea_network_evaluate_from may write other values to the whole. */
static bool may_be_slice(const fovea_plan *plan, int node, int k) {
  const fovea_graph *graph = plan->graph;
  const int operand = graph->nodes[node].inputs[k];
  const node_plan *p = &plan->nodes[fovea_plan_source(plan, operand)];
  if (p->placed || graph->nodes[operand].op == &fovea_op_input) return false;
  return !plan->nodes[node].given || (readers_of(graph, operand) == 1 && !fovea_graph_is_result(graph, operand));
}

static void place_operands(fovea_plan *plan, int node) {
  fovea_view at = plan->nodes[node].value;
  for (int k = 0; k < 2; k++) {
    const int operand = plan->graph->nodes[node].inputs[k];
    node_plan *p = &plan->nodes[fovea_plan_source(plan, operand)];
    if (may_be_slice(plan, node, k)) p->value = at, p->placed = true, p->given = plan->nodes[node].given;
    at.offset += node_size(plan, operand);
  }
}

/* Concatenations from the last to the first take their operands in as slices, unless an operand already lies elsewhere
 * or may not; such a one is copied. Then everything else gets a storage of its own. */
static void place(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = graph->count - 1; i >= 0; i--) {
    if (graph->nodes[i].op != &fovea_op_concat) continue;
    if (!plan->nodes[i].placed) plan->nodes[i].value = new_value(plan, i), plan->nodes[i].placed = true;
    plan->nodes[i].given |= !plan->training && fovea_graph_is_result(graph, i);
    place_operands(plan, i);
  }
  for (int i = 0; i < graph->count; i++)
    if (plan->nodes[i].alias == i && !plan->nodes[i].placed)
      plan->nodes[i].value = new_value(plan, i), plan->nodes[i].placed = true;
}

static void record_losses(fovea_plan *plan) {
  if (!plan->has_bce) return;
  fovea_record *r = fovea_plan_record(plan, "losses.cl", "", "losses_log");
  fovea_record_view(plan, r, "rows", plan->bce_rows);
  fovea_record_view(plan, r, "kl", plan->has_kl ? plan->kl : plan->bce_rows);
  fovea_record_buffer(plan, r, "state", plan->state);
  fovea_record_buffer(plan, r, "log", plan->losses);
  fovea_record_int(r, "rows", plan->bce_row_count);
  fovea_record_int(r, "values", plan->bce_values);
  fovea_record_int(r, "has_kl", plan->has_kl);
  fovea_record_int(r, "training", plan->training);
  fovea_record_range(r, 1, 1, 1);
  fovea_record_cost(r, 0, 4.0 * plan->bce_row_count);
}

static void record_adam(fovea_plan *plan) {
  size_t count = plan->resources.trainable_count;
  fovea_record *r = fovea_plan_record(plan, "adam.cl", "", "adam");
  fovea_record_buffer(plan, r, "p", plan->parameters);
  fovea_record_buffer(plan, r, "g", plan->gradients);
  fovea_record_buffer(plan, r, "m", plan->first_moments);
  fovea_record_buffer(plan, r, "v", plan->second_moments);
  fovea_record_buffer(plan, r, "state", plan->state);
  fovea_record_buffer(plan, r, "trouble", plan->losses);
  fovea_record_int(r, "count", (int)count);
  fovea_record_flat(r, count / (size_t)plan->device->tuning.vector);
  fovea_record_cost(r, 12.0 * (double)count, 28.0 * (double)count);
}

static void record_input(fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  fovea_record *r = fovea_plan_record(plan, "input.cl", "", "input_forward");
  fovea_record_buffer(plan, r, "bytes", plan->pixels);
  fovea_record_buffer(plan, r, "state", plan->state);
  fovea_record_view(plan, r, "x", fovea_plan_output(plan, node));
  fovea_record_int(r, "n", plan->batch);
  fovea_record_int(r, "c", n->c);
  fovea_record_int(r, "pixels", n->h * n->w);
  fovea_record_shared_range(plan, r, (size_t)(n->c * n->h * n->w), 1);
  fovea_record_cost(r, 0, 5.0 * n->c * n->h * n->w * plan->batch);
}

/* For inspection: a copy of the node's gradient, since backward may overwrite it. */
static void keep_gradient(fovea_plan *plan, int i) {
  const fovea_node *n = &plan->graph->nodes[i];
  plan->nodes[i].gradient = new_value(plan, i);
  plan->nodes[i].has_gradient = true;
  fovea_record_activation(plan, &(fovea_pointwise){0}, n->c, n->h * n->w, fovea_plan_output_gradient(plan, i),
                          plan->nodes[i].gradient);
}

static void record_forward(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++) {
    plan->nodes[i].first_record = plan->record_count;
    if (graph->nodes[i].op == &fovea_op_input)
      record_input(plan, i);
    else if (plan->nodes[i].alias == i)
      graph->nodes[i].op->forward(plan, i);
    plan->request = 0;
    plan->nodes[i].last_record = plan->record_count;
  }
  record_losses(plan);
}

static void record_backward(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = graph->count - 1; i >= 0; i--) {
    node_plan *p = &plan->nodes[i];
    if (p->alias != i || graph->nodes[i].op == &fovea_op_input) continue;
    bool written = plan->gradient_written[p->value.storage];
    if (graph->nodes[i].op != &fovea_op_sigmoid_bce && !written) continue;
    if (plan->resources.inspect && written) keep_gradient(plan, i);
    p->first_backward = plan->record_count;
    graph->nodes[i].op->backward(plan, i);
    plan->request = 0;
    p->last_backward = plan->record_count;
  }
}

/* From the pass's begin, and in an evaluation for all to come. */
static void keep_prepacked(fovea_plan *plan) {
  for (int i = 0; i < plan->record_count; i++) {
    const fovea_record *r = plan->records[i];
    for (int j = 0; j < r->argument_count && r->prepacks; j++) {
      if (r->arguments[j].kind != ARGUMENT_VIEW) continue;
      storage *s = &plan->storages[r->arguments[j].view.storage];
      s->first = 0;
      if (!plan->training) s->last = FOREVER;
    }
  }
}

/* Results, and what a pass from one of them on reads that was made before. */
static void keep_results(fovea_plan *plan) {
  for (int i = 0; i < plan->graph->count; i++) {
    if (!fovea_graph_is_result(plan->graph, i)) continue;
    const int source = fovea_plan_source(plan, i), from = plan->nodes[source].last_record;
    plan->storages[plan->nodes[source].value.storage].last = FOREVER;
    for (int k = 0; k < plan->storage_count; k++) {
      storage *s = &plan->storages[k];
      if (s->first >= 0 && s->first < from && s->last >= from) s->last = FOREVER;
    }
  }
}

static void record_passes(fovea_plan *plan) {
  record_forward(plan);
  if (plan->training) {
    record_backward(plan);
    record_adam(plan);
    if (plan->status == FOVEA_OK) fovea_plan_fail(plan, fovea_plan_join_groups(plan));
  } else {
    keep_results(plan);
  }
  keep_prepacked(plan);
  fovea_plan_find_segments(plan);
  for (int i = 0; plan->resources.inspect && i < plan->storage_count; i++)
    plan->storages[i].first = 0, plan->storages[i].last = FOREVER;
}

bool fovea_plan_gradient(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice) {
  const node_plan *p = &plan->nodes[fovea_plan_source(plan, node)];
  if (p->has_gradient) *slice = fovea_plan_resolve(plan, p->gradient);
  return p->has_gradient;
}

/* --- life ------------------------------------------------------------------------------------------------------------
 */

static fovea_status build(fovea_plan *plan) {
  const fovea_resources *r = &plan->resources;
  plan->state = external(plan, r->state);
  plan->parameters = external(plan, r->parameters);
  plan->gradients = external(plan, r->gradients);
  plan->first_moments = external(plan, r->first_moments);
  plan->second_moments = external(plan, r->second_moments);
  plan->pixels = external(plan, r->pixels);
  plan->losses = external(plan, r->losses);
  plan->nodes = calloc((size_t)plan->graph->count, sizeof *plan->nodes);
  if (!plan->nodes) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  if (plan->status != FOVEA_OK) return plan->status;
  fold(plan);
  merge(plan);
  place(plan);
  if (plan->status == FOVEA_OK) record_passes(plan);
  if (plan->status == FOVEA_OK) fovea_plan_fail(plan, fovea_plan_place(plan));
  if (plan->status == FOVEA_OK) fovea_plan_fail(plan, fovea_plan_make_launches(plan));
  return plan->status;
}

fovea_status fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                               const fovea_resources *resources, fovea_plan **out) {
  fovea_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  plan->device = device;
  plan->graph = graph;
  plan->batch = (batch + LANES - 1) / LANES * LANES;
  plan->training = training;
  plan->resources = *resources;
  plan->shards = fovea_plan_choose_shards(plan);
  fovea_status status = build(plan);
  if (status == FOVEA_OK)
    *out = plan;
  else
    fovea_plan_destroy(plan);
  return status;
}

void fovea_plan_destroy(fovea_plan *plan) {
  if (!plan) return;
  fovea_plan_destroy_launches(plan);
  for (int i = 0; i < plan->record_count; i++) free(plan->records[i]);
  for (int i = 0; plan->slabs && i < plan->slab_count; i++) fovea_buffer_destroy(plan->slabs[i]);
  free(plan->group_done);
  free(plan->records);
  free(plan->storages);
  free(plan->gradient_of);
  free(plan->gradient_written);
  free(plan->nodes);
  free(plan->slabs);
  free(plan);
}
