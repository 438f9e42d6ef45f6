/* What ops record: storages, launches on views of them, and what a plan tells ops of itself. */
#include "plan/record.h"

#include <stdio.h>
#include <stdlib.h>

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

bool fovea_plan_is_apart(const fovea_plan *plan) { return plan->apart || plan->resources.inspect; }

size_t fovea_plan_workspace(const fovea_plan *plan) { return plan->resources.workspace; }

fovea_view fovea_plan_bind(fovea_plan *plan, fovea_buffer *buffer) {
  return (fovea_view){buffer ? new_storage(plan, buffer->size / 4, buffer) : 0, 0};
}

void fovea_plan_touch(fovea_plan *plan, fovea_view view) {
  storage *s = &plan->storages[view.storage];
  int now = plan->record_count - 1;
  if (s->first < 0) s->first = now;
  if (s->last < now) s->last = now;
}

/* --- recording ------------------------------------------------------------------------------------------------- */

void fovea_plan_fail(fovea_plan *plan, fovea_status status) {
  if (plan->status == FOVEA_OK) plan->status = status;
}

/* Whether there is room for another record. */
static bool has_room(fovea_plan *plan) {
  if (plan->record_count < plan->record_capacity) return true;
  int capacity = plan->record_capacity ? 2 * plan->record_capacity : 256;
  fovea_record **records = realloc(plan->records, (size_t)capacity * sizeof *records);
  if (records) plan->records = records, plan->record_capacity = capacity;
  return records != NULL;
}

static fovea_record *new_record(fovea_plan *plan, record_kind kind) {
  static _Thread_local fovea_record scrap; /* where the arguments of a failed record go; never read */
  fovea_record *record = has_room(plan) ? calloc(1, sizeof *record) : NULL;
  if (!record) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    scrap.argument_count = 0;
    return &scrap;
  }
  record->kind = kind;
  record->request = plan->request;
  record->group = fovea_plan_next_group(plan);
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
  fovea_plan_touch(plan, view);
}

void fovea_record_buffer(fovea_plan *plan, fovea_record *record, const char *what, fovea_view view) {
  add_argument(record, (argument){.kind = ARGUMENT_BUFFER, .what = what, .view = view});
  fovea_plan_touch(plan, view);
}

void fovea_plan_free_record(fovea_record *record) {
  for (fovea_record *next = NULL; record; record = next) {
    next = record->next;
    fovea_buffer_destroy(record->table);
    free(record->parts);
    free(record);
  }
}

fovea_record *fovea_plan_record_again(fovea_plan *plan, fovea_record *record) {
  if (!has_room(plan)) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    fovea_plan_free_record(record);
    return NULL;
  }
  record->group = fovea_plan_next_group(plan);
  plan->records[plan->record_count++] = record;
  for (int i = 0; i < record->argument_count; i++)
    if (record->arguments[i].kind == ARGUMENT_VIEW || record->arguments[i].kind == ARGUMENT_BUFFER)
      fovea_plan_touch(plan, record->arguments[i].view);
  return record;
}

void fovea_record_table(fovea_record *record) {
  add_argument(record, (argument){.kind = ARGUMENT_TABLE, .what = "table"});
}

void fovea_record_multi_tensor(fovea_record *record, int share, fovea_view from, fovea_view to) {
  fovea_record_table(record);
  fovea_record_int(record, "share", share);
  add_argument(record, (argument){.kind = ARGUMENT_BUFFER, .what = "from", .view = from});
  add_argument(record, (argument){.kind = ARGUMENT_BUFFER, .what = "to", .view = to});
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
  record->local = record->unit = 0;
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

void fovea_record_products(fovea_record *record, double products) { record->products = products; }

void fovea_record_batch_range(fovea_plan *plan, fovea_record *record, size_t y, size_t z) {
  fovea_record_range(record, (size_t)(plan->batch / plan->device->tuning.vector), y, z);
  fovea_record_over_batch(record, 0);
}

/* On a CPU a work-item takes a run of them: a work-group costs 12 ns there. */
void fovea_record_shared_range(fovea_plan *plan, fovea_record *record, size_t count, size_t z) {
  enum { SHARE = 16 };
  fovea_record_batch_range(plan, record, plan->device->tuning.vector == 1 ? count : (count + SHARE - 1) / SHARE, z);
}

void fovea_record_lane_groups(fovea_plan *plan, fovea_record *record, int units, size_t x, size_t y, size_t z) {
  const size_t unit = LANES / (size_t)plan->device->tuning.vector;
  fovea_record_groups(record, unit == 1 ? 1 : unit * (size_t)units, x, y, z);
  record->unit = unit;
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

void fovea_plan_record_copy(fovea_plan *plan, fovea_view from, fovea_view to) {
  fovea_record *record = new_record(plan, RECORD_COPY);
  fovea_record_view(plan, record, "from", from);
  fovea_record_view(plan, record, "to", to);
}

fovea_record *fovea_plan_record_meeting(fovea_plan *plan, record_kind kind, int meeting, fovea_view view) {
  fovea_record *record = new_record(plan, kind);
  record->meeting = meeting;
  fovea_record_view(plan, record, "x", view);
  return record;
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
fovea_view fovea_plan_pixels(const fovea_plan *plan) { return plan->pixels; }
fovea_view fovea_plan_losses(const fovea_plan *plan) { return plan->losses; }
int fovea_plan_latent(const fovea_plan *plan) { return plan->graph->latent; }
const fovea_augmentation *fovea_plan_augmentation(const fovea_plan *plan) {
  return plan->training ? plan->resources.augment : NULL;
}

fovea_tile fovea_plan_tile(fovea_plan *plan, const char *key, const fovea_tile_list *list) {
  return fovea_autotune_choose(plan->device, key, list, &plan->request);
}

size_t fovea_plan_most_items(const fovea_plan *plan, const char *kernel) {
  return fovea_launch_most_items(plan->device, kernel);
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

fovea_view fovea_plan_new_value(fovea_plan *plan, int node) {
  const fovea_node *n = &plan->graph->nodes[node];
  return fovea_plan_new_images(plan, n->c, n->h * n->w);
}

size_t fovea_plan_node_size(const fovea_plan *plan, int node) {
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
  if (!*accumulate && fovea_plan_node_size(plan, from) != whole) {
    record_zero(plan, (fovea_view){gradient.storage, 0});
    *accumulate = true;
  }
  plan->gradient_written[value.storage] = true;
  return gradient;
}
