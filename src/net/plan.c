#include "net/plan.h"

#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/command_buffer.h"
#include "core/fail.h"
#include "core/guard.h"
#include "core/profile.h"
#include "net/placement.h"
#include "op/op.h"

enum { MAX_ARGUMENTS = 40, LANES = 16, SAVED_SLOTS = 4, FOREVER = 1 << 30, CANARY = 32 };

typedef enum argument_kind {
  ARGUMENT_VIEW,
  ARGUMENT_BUFFER,
  ARGUMENT_INT,
  ARGUMENT_UINT,
  ARGUMENT_FLOAT
} argument_kind;

typedef struct argument {
  argument_kind kind;
  const char *what;
  fovea_view view;
  int i;
  uint32_t u;
  float f;
} argument;

typedef enum record_kind { RECORD_KERNEL, RECORD_GEMM, RECORD_ZERO } record_kind;

struct fovea_record {
  record_kind kind;
  char file[48], options[160], kernel[48];
  argument arguments[MAX_ARGUMENTS];
  int argument_count;
  size_t local, size[3]; /* local 0: a plain range */
  bool flat;             /* size[0] work-items and no more than are needed beyond */
  int most, question;    /* of the work-group, 0: any; of a survey, 0: none */
  double flops, bytes;
  fovea_gemm gemm;
  fovea_launch *launch;
};

typedef struct storage {
  size_t size;          /* floats */
  int first, last;      /* records that touch it; first -1: none */
  fovea_buffer *buffer; /* its own, or a slab */
  size_t offset;        /* floats */
  bool external;
} storage;

typedef struct node_plan {
  int alias; /* the node that makes this one's value; itself unless folded or a reshape */
  fovea_view value;
  bool wants_gradient;
  fovea_pointwise pointwise;
  int merged; /* of an attention its normalization, of that the attention; -1 */
  fovea_view saved[SAVED_SLOTS];
  bool placed;                       /* value is set */
  int first_record, last_record;     /* of its forward pass: from the first up to before the last */
  int first_backward, last_backward; /* likewise; equal: none */
  bool has_gradient;                 /* inspected: gradient is a copy of what backward was given */
  fovea_view gradient;
} node_plan;

struct fovea_plan {
  fovea_device *device;
  const fovea_graph *graph;
  int batch;
  bool training;
  fovea_resources resources;
  fovea_status status;
  fovea_record **records;
  int record_count, record_capacity;
  fovea_command_buffer *replay; /* NULL: the records are enqueued one by one */
  int question;                 /* that the records made now answer; 0: none */
  storage *storages;
  int storage_count, storage_capacity;
  int *gradient_of; /* storage -> storage of its gradient, -1 */
  bool *gradient_written;
  node_plan *nodes;
  fovea_buffer **slabs;
  int slab_count;
  size_t memory;
  fovea_view state, parameters, gradients, first_moments, second_moments, pixels, losses;
  fovea_view bce_rows, kl;
  int bce_row_count, bce_values;
  bool has_bce, has_kl;
};

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
  static fovea_record scrap; /* where the arguments of a failed record go; never read */
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
  record->question = plan->question;
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

void fovea_record_local(fovea_record *record, int most) { record->most = most; }

void fovea_record_cost(fovea_record *record, double flops, double bytes) {
  record->flops = flops, record->bytes = bytes;
}

void fovea_record_batch_range(fovea_plan *plan, fovea_record *record, size_t y, size_t z) {
  fovea_record_range(record, (size_t)(plan->batch / plan->device->tuning.vector), y, z);
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
int fovea_plan_merged(const fovea_plan *plan, int node) { return plan->nodes[node].merged; }
fovea_view fovea_plan_state(const fovea_plan *plan) { return plan->state; }

fovea_tile fovea_plan_tile(fovea_plan *plan, const char *key, const fovea_tile_list *list) {
  return fovea_tuning_choose(plan->device, key, list, &plan->question);
}

static int source_of(const fovea_plan *plan, int node) {
  while (plan->nodes[node].alias != node) node = plan->nodes[node].alias;
  return node;
}

fovea_view fovea_plan_output(const fovea_plan *plan, int node) { return plan->nodes[source_of(plan, node)].value; }

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

fovea_view fovea_plan_saved(const fovea_plan *plan, int node, int slot) { return plan->nodes[node].saved[slot]; }

static size_t node_size(const fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  return (size_t)n->c * (size_t)n->h * (size_t)n->w * (size_t)plan->batch;
}

fovea_view fovea_plan_output_gradient(const fovea_plan *plan, int node) {
  fovea_view value = fovea_plan_output(plan, node);
  return (fovea_view){plan->gradient_of[value.storage], value.offset};
}

bool fovea_plan_wants_gradient(const fovea_plan *plan, int node, int input) {
  return plan->nodes[source_of(plan, plan->graph->nodes[node].inputs[input])].wants_gradient;
}

/* The first to touch a gradient overwrites it where it covers the whole, else zeroes the whole and adds. */
fovea_view fovea_plan_input_gradient(fovea_plan *plan, int node, int input, bool *accumulate) {
  int from = plan->graph->nodes[node].inputs[input];
  fovea_view value = fovea_plan_output(plan, from);
  size_t whole = plan->storages[value.storage].size;
  if (plan->gradient_of[value.storage] < 0) {
    int id = new_storage(plan, whole, NULL);
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

/* Not for inspection, which reads what is between. */
static void merge(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count && !plan->resources.inspect; i++) {
    const int from = graph->nodes[i].inputs[0];
    if (graph->nodes[i].op != &fovea_op_batchnorm || graph->nodes[from].op != &fovea_op_spatial_attention) continue;
    if (readers_of(graph, from) == 1) plan->nodes[i].merged = from, plan->nodes[from].merged = i;
  }
}

/* A dropout or activation whose input nobody else reads is done by the op that makes that input, where it can. */
static void fold(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++) {
    const fovea_node *node = &graph->nodes[i];
    node_plan *p = &plan->nodes[i];
    *p = (node_plan){.alias = i, .merged = -1, .wants_gradient = node->op != &fovea_op_input};
    if (node->op == &fovea_op_dropout) p->pointwise.rate = node->rate, p->pointwise.random = node->random;
    if (node->op == &fovea_op_activation) p->pointwise.activation = node->activation;
    if (node->op != &fovea_op_dropout && node->op != &fovea_op_activation) continue;
    const int from = source_of(plan, node->inputs[0]);
    node_plan *q = &plan->nodes[from];
    const fovea_op *op = graph->nodes[from].op;
    bool able = op == &fovea_op_batchnorm || op == &fovea_op_dropout;
    bool free_place =
        q->pointwise.activation == FOVEA_LINEAR && (node->op == &fovea_op_activation || q->pointwise.rate == 0.0);
    if (!able || !free_place || readers_of(graph, node->inputs[0]) != 1) continue;
    p->alias = from;
    if (node->op == &fovea_op_dropout) q->pointwise.rate = node->rate, q->pointwise.random = node->random;
    if (node->op == &fovea_op_activation) q->pointwise.activation = node->activation;
  }
}

/* Concatenations from the last to the first take their operands in as slices, unless an operand already lies elsewhere
 * or is the images; such a one is copied. Then everything else gets a storage of its own. */
static void place(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = graph->count - 1; i >= 0; i--) {
    if (graph->nodes[i].op != &fovea_op_concat) continue;
    if (!plan->nodes[i].placed)
      plan->nodes[i].value = fovea_plan_new(plan, node_size(plan, i)), plan->nodes[i].placed = true;
    fovea_view at = plan->nodes[i].value;
    for (int k = 0; k < 2; k++) {
      int operand = source_of(plan, graph->nodes[i].inputs[k]);
      node_plan *p = &plan->nodes[operand];
      if (!p->placed && graph->nodes[operand].op != &fovea_op_input) p->value = at, p->placed = true;
      at.offset += node_size(plan, graph->nodes[i].inputs[k]);
    }
  }
  for (int i = 0; i < graph->count; i++)
    if (plan->nodes[i].alias == i && !plan->nodes[i].placed)
      plan->nodes[i].value = fovea_plan_new(plan, node_size(plan, i)), plan->nodes[i].placed = true;
}

static void keep(fovea_plan *plan, fovea_tensor node) {
  if (node >= 0) plan->storages[fovea_plan_output(plan, node).storage].last = FOREVER;
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
  plan->nodes[i].gradient = fovea_plan_new(plan, node_size(plan, i));
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
    plan->question = 0;
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
    plan->question = 0;
    p->last_backward = plan->record_count;
  }
}

static void keep_results(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++)
    if (graph->nodes[i].op == &fovea_op_reparameterize) {
      keep(plan, i);
      keep(plan, graph->nodes[i].inputs[0]);
      keep(plan, graph->nodes[i].inputs[1]);
    }
  keep(plan, graph->count - 1);
}

static void record_passes(fovea_plan *plan) {
  record_forward(plan);
  if (plan->training) {
    record_backward(plan);
    record_adam(plan);
  } else {
    keep_results(plan);
  }
  for (int i = 0; plan->resources.inspect && i < plan->storage_count; i++)
    plan->storages[i].first = 0, plan->storages[i].last = FOREVER;
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

static fovea_status check_largest(const fovea_plan *plan, size_t largest, size_t limit) {
  if (largest <= limit) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY,
                    "network: one tensor needs %.0f MiB, the largest buffer of %s is %.0f MiB; use a smaller batch",
                    (double)largest / 262144.0, plan->device->info.name, (double)limit / 262144.0);
}

static fovea_status check_total(const fovea_plan *plan) {
  const fovea_device_info *info = &plan->device->info;
  if (plan->memory + plan->device->allocated <= info->global_memory) return FOVEA_OK;
  return fovea_fail(FOVEA_NO_MEMORY, "network: activations need %.0f MiB, %s has %.0f MiB left; use a smaller batch",
                    (double)plan->memory / 1048576.0, info->name,
                    ((double)info->global_memory - (double)plan->device->allocated) / 1048576.0);
}

static fovea_status fill_with_canaries(fovea_buffer *slab) {
  uint32_t *words = malloc(slab->size);
  if (!words) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  for (size_t i = 0; i < slab->size / 4; i++) words[i] = FOVEA_CANARY;
  fovea_status status = fovea_buffer_write(slab, 0, slab->size, words);
  free(words);
  return status;
}

static fovea_status allocate_slabs(fovea_plan *plan, const size_t *sizes, size_t count) {
  plan->slabs = calloc(count + 1, sizeof(fovea_buffer *));
  if (!plan->slabs) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  for (size_t i = 0; i < count; i++) {
    fovea_status status = fovea_buffer_create(plan->device, 4 * sizes[i], "activations", &plan->slabs[i]);
    if (status != FOVEA_OK) return status;
    plan->slab_count++;
    if (plan->resources.inspect) status = fill_with_canaries(plan->slabs[i]);
    if (status != FOVEA_OK) return status;
  }
  return FOVEA_OK;
}

/* `lives` has room for every storage; ids says whose each is. */
static fovea_status place_storages(fovea_plan *plan, fovea_lifetime *lives, int *ids) {
  size_t limit = plan->device->info.max_allocation / 4 / LANES * LANES, count = 0, largest = 0;
  const size_t margin = plan->resources.inspect ? CANARY : 0;
  size_t *sizes = NULL, slab_count = 0;
  for (int i = 0; i < plan->storage_count; i++) {
    const storage *s = &plan->storages[i];
    if (s->external || s->first < 0) continue;
    if (s->size > largest) largest = s->size;
    ids[count] = i;
    lives[count++] = (fovea_lifetime){.size = s->size + 2 * margin, .first = s->first, .last = s->last};
  }
  fovea_status status = check_largest(plan, largest, limit);
  if (status == FOVEA_OK) status = fovea_place(lives, count, limit, &sizes, &slab_count);
  for (size_t i = 0; i < slab_count; i++) plan->memory += 4 * sizes[i];
  if (status == FOVEA_OK) status = check_total(plan);
  if (status == FOVEA_OK) status = allocate_slabs(plan, sizes, slab_count);
  for (size_t i = 0; i < count && status == FOVEA_OK; i++) {
    plan->storages[ids[i]].buffer = plan->slabs[lives[i].slab];
    plan->storages[ids[i]].offset = lives[i].offset + margin;
  }
  free(sizes);
  return status;
}

static fovea_status plan_memory(fovea_plan *plan) {
  size_t count = (size_t)plan->storage_count;
  fovea_lifetime *lives = calloc(count, sizeof *lives);
  int *ids = calloc(count, sizeof *ids);
  fovea_status status =
      lives && ids ? place_storages(plan, lives, ids) : fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  free(lives);
  free(ids);
  return status;
}

/* --- launches ------------------------------------------------------------------------------------------------------
 */

static fovea_slice resolve(const fovea_plan *plan, fovea_view view) {
  const storage *s = &plan->storages[view.storage];
  return (fovea_slice){s->buffer, s->offset + view.offset};
}

/* The node whose pass recorded launch `index`, or -1. */
static int recorded_by(const fovea_plan *plan, int index, bool *backward) {
  for (int i = 0; i < plan->graph->count; i++) {
    const node_plan *p = &plan->nodes[i];
    *backward = index >= p->first_backward && index < p->last_backward;
    if (*backward || (index >= p->first_record && index < p->last_record)) return i;
  }
  return -1;
}

static int int_argument(const fovea_record *record, const char *what) {
  for (int i = 0; i < record->argument_count; i++)
    if (record->arguments[i].kind == ARGUMENT_INT && strcmp(record->arguments[i].what, what) == 0)
      return record->arguments[i].i;
  return 0;
}

/* For the profile. The shape is that of the kernel's own arguments, where they say it, else that of the op. */
static void describe(const fovea_plan *plan, int index) {
  const fovea_record *r = plan->records[index];
  const int c = int_argument(r, "c"), k = int_argument(r, "k");
  bool backward;
  char op[40] = "", shape[48] = "";
  const int node = recorded_by(plan, index, &backward);
  const fovea_node *y = node >= 0 ? &plan->graph->nodes[node] : NULL;
  const fovea_node *x = y && y->input_count == 1 ? &plan->graph->nodes[y->inputs[0]] : y;
  if (int_argument(r, "oh"))
    snprintf(shape, sizeof shape, "%dx%dx%d->%dx%dx%d", c, int_argument(r, "h"), int_argument(r, "w"), k,
             int_argument(r, "oh"), int_argument(r, "ow"));
  else if (y && (x->c != y->c || x->h != y->h || x->w != y->w))
    snprintf(shape, sizeof shape, "%dx%dx%d->%dx%dx%d", x->c, x->h, x->w, y->c, y->h, y->w);
  else if (y)
    snprintf(shape, sizeof shape, "%dx%dx%d", y->c, y->h, y->w);
  if (y) snprintf(op, sizeof op, "%s %s", y->op->name, backward ? "backward" : "forward");
  fovea_launch_describe(r->launch, op, shape);
}

static fovea_status make_launch(fovea_plan *plan, fovea_record *record) {
  if (record->kind == RECORD_GEMM) return FOVEA_OK;
  if (record->kind == RECORD_ZERO) {
    fovea_view x = record->arguments[0].view;
    return fovea_launch_create_zero(resolve(plan, x), plan->storages[x.storage].size, &record->launch);
  }
  fovea_status status =
      fovea_launch_create(plan->device, record->file, record->options, record->kernel, &record->launch);
  if (status != FOVEA_OK) return status;
  for (int i = 0; i < record->argument_count; i++) {
    const argument *a = &record->arguments[i];
    switch (a->kind) {
      case ARGUMENT_VIEW:
        fovea_launch_slice(record->launch, a->what, resolve(plan, a->view));
        break;
      case ARGUMENT_BUFFER:
        fovea_launch_buffer(record->launch, a->what, resolve(plan, a->view).buffer);
        break;
      case ARGUMENT_INT:
        fovea_launch_int(record->launch, a->what, a->i);
        break;
      case ARGUMENT_UINT:
        fovea_launch_uint(record->launch, a->what, a->u);
        break;
      case ARGUMENT_FLOAT:
        fovea_launch_float(record->launch, a->what, a->f);
        break;
    }
  }
  if (record->most) fovea_launch_local_most(record->launch, (size_t)record->most);
  if (record->flat)
    fovea_launch_flat(record->launch, record->size[0]);
  else if (record->local)
    fovea_launch_groups(record->launch, record->local, record->size[0], record->size[1], record->size[2]);
  else
    fovea_launch_range(record->launch, record->size[0], record->size[1], record->size[2]);
  fovea_launch_cost(record->launch, record->flops, record->bytes);
  return fovea_launch_ready(record->launch);
}

static fovea_status run_gemm(fovea_plan *plan, const fovea_record *record) {
  const fovea_gemm *g = &record->gemm;
  fovea_slice a = resolve(plan, record->arguments[0].view), b = resolve(plan, record->arguments[1].view);
  fovea_slice c = resolve(plan, record->arguments[2].view);
  CLBlastStatusCode code =
      CLBlastSgemm(CLBlastLayoutRowMajor, g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
                   g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo, g->m, g->n, g->k, 1.0f, a.buffer->memory,
                   a.offset, g->lda, b.buffer->memory, b.offset, g->ldb, g->beta, c.buffer->memory, c.offset, g->ldc,
                   &plan->device->queue, NULL);
  if (code == CLBlastSuccess) return FOVEA_OK;
  return fovea_fail(FOVEA_DEVICE, "CLBlast: a %zux%zux%zu product failed with status %d on %s; unset FOVEA_BLAS", g->m,
                    g->n, g->k, (int)code, plan->device->info.name);
}

static fovea_status run_record(fovea_plan *plan, fovea_record *record) {
  return record->kind == RECORD_GEMM ? run_gemm(plan, record) : fovea_launch_enqueue(record->launch);
}

static fovea_status run_between(fovea_plan *plan, int first, int last) {
  for (int i = first; i < last; i++) {
    fovea_status status = run_record(plan, plan->records[i]);
    if (status != FOVEA_OK) return status;
  }
  return FOVEA_OK;
}

/* The whole pass in one call, where the device can and every record is a kernel of ours. */
static void record_replay(fovea_plan *plan) {
  fovea_launch **launches = calloc((size_t)plan->record_count + 1, sizeof(fovea_launch *));
  bool ours = launches != NULL;
  for (int i = 0; i < plan->record_count && ours; i++) {
    launches[i] = plan->records[i]->launch;
    ours = launches[i] != NULL;
  }
  if (ours) plan->replay = fovea_command_buffer_record(plan->device, launches, (size_t)plan->record_count);
  free(launches);
}

bool fovea_plan_replays(const fovea_plan *plan) { return plan->replay != NULL; }

/* A profile wants an event of each launch. */
fovea_status fovea_plan_run(fovea_plan *plan) {
  if (plan->replay && !fovea_profile_recording(plan->device)) return fovea_command_buffer_enqueue(plan->replay);
  return run_between(plan, 0, plan->record_count);
}

fovea_status fovea_plan_run_timed(fovea_plan *plan, double *seconds) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    fovea_record *record = plan->records[i];
    if (record->question) status = fovea_device_finish(plan->device);
    const double begun = fovea_seconds();
    if (status == FOVEA_OK) status = run_record(plan, record);
    if (record->question && status == FOVEA_OK) status = fovea_device_finish(plan->device);
    if (record->question) seconds[record->question] += fovea_seconds() - begun;
  }
  return status;
}

fovea_status fovea_plan_run_after(fovea_plan *plan, fovea_tensor node) {
  return run_between(plan, plan->nodes[source_of(plan, node)].last_record, plan->record_count);
}

size_t fovea_plan_memory(const fovea_plan *plan) { return plan->memory; }

fovea_status fovea_plan_value(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice) {
  fovea_view view = fovea_plan_output(plan, node);
  if (plan->storages[view.storage].last != FOREVER)
    return fovea_fail(FOVEA_INVALID, "network: tensor %d (%s) is not kept after a pass; outputs, mu, logvar and z are",
                      node, plan->graph->nodes[node].op->name);
  *slice = resolve(plan, view);
  return FOVEA_OK;
}

/* --- inspection ----------------------------------------------------------------------------------------------------
 */

fovea_tensor fovea_plan_source(const fovea_plan *plan, fovea_tensor node) { return source_of(plan, node); }

bool fovea_plan_gradient(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice) {
  const node_plan *p = &plan->nodes[source_of(plan, node)];
  if (p->has_gradient) *slice = resolve(plan, p->gradient);
  return p->has_gradient;
}

fovea_status fovea_plan_check_canaries(const fovea_plan *plan) {
  static const char *const sides[] = {"before", "after"};
  uint32_t words[CANARY];
  char what[80];
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->storage_count && status == FOVEA_OK; i++) {
    const storage *s = &plan->storages[i];
    if (s->external || !s->buffer) continue;
    snprintf(what, sizeof what, "storage %d of the %s plan, %zu floats", i, plan->training ? "training" : "evaluation",
             s->size);
    for (int side = 0; side < 2 && status == FOVEA_OK; side++) {
      size_t at = side == 0 ? s->offset - CANARY : s->offset + s->size;
      status = fovea_buffer_read(s->buffer, 4 * at, sizeof words, words);
      if (status == FOVEA_OK) status = fovea_guard_check_words(words, CANARY, what, sides[side]);
    }
  }
  for (int i = 0; i < plan->slab_count && status == FOVEA_OK; i++)
    status = fovea_guard_check(plan->slabs[i], "activations");
  return status;
}

fovea_status fovea_plan_run_node(fovea_plan *plan, fovea_tensor node, bool backward, int *launches, double *flops,
                                 double *bytes) {
  const node_plan *p = &plan->nodes[node];
  const int first = backward ? p->first_backward : p->first_record;
  const int last = backward ? p->last_backward : p->last_record;
  *launches = last - first, *flops = *bytes = 0;
  for (int i = first; i < last; i++) *flops += plan->records[i]->flops, *bytes += plan->records[i]->bytes;
  return run_between(plan, first, last);
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
  if (plan->status == FOVEA_OK) fovea_plan_fail(plan, plan_memory(plan));
  for (int i = 0; i < plan->record_count && plan->status == FOVEA_OK; i++) {
    fovea_plan_fail(plan, make_launch(plan, plan->records[i]));
    describe(plan, i);
  }
  if (plan->status == FOVEA_OK) record_replay(plan);
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
  fovea_status status = build(plan);
  if (status == FOVEA_OK)
    *out = plan;
  else
    fovea_plan_destroy(plan);
  return status;
}

void fovea_plan_destroy(fovea_plan *plan) {
  if (!plan) return;
  fovea_command_buffer_destroy(plan->replay);
  for (int i = 0; i < plan->record_count; i++) {
    fovea_launch_destroy(plan->records[i]->launch);
    free(plan->records[i]);
  }
  for (int i = 0; plan->slabs && i < plan->slab_count; i++) fovea_buffer_destroy(plan->slabs[i]);
  free(plan->records);
  free(plan->storages);
  free(plan->gradient_of);
  free(plan->gradient_written);
  free(plan->nodes);
  free(plan->slabs);
  free(plan);
}
