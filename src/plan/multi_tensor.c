/* Multi-tensor launches: one that does the same for tensors of many ops, by a table of them on the device
 * (cl/common/multi_tensor.clh). OpenCL 1.2 has no array of buffers: what such a launch writes, or reads, lies in one
 * storage, and the table has offsets in it. A launch takes 1.5 us of a GPU, and most of these would be as short.
 *
 * Weights are packed before the pass, sums taken after it. For inspection, and where memory is short, each tensor has a
 * launch of its own instead, in its place: fovea_plan's `apart`. */
#include <stdlib.h>

#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"

enum { ROW = 16, SHARED = 4, SHARE_GPU = 64, SHARE_CPU = 8 };

static const struct {
  const char *file, *kernel;
  bool in_groups; /* of so many units of lanes: a work-group is a table's item */
} launches[FOVEA_MULTI_COUNT] = {[FOVEA_MULTI_WEIGHTS] = {"weights.cl", "pack_weights", false},
                                 [FOVEA_MULTI_BIASES] = {"bias.cl", "bias_backward", true},
                                 [FOVEA_MULTI_SUMS] = {"batch_sums.cl", "batch_sums", false}};

static bool on_gpu(const fovea_plan *plan) { return plan->device->tuning.vector == 1; }

/* What waits for a common launch takes no more memory than the largest tensor, or is one tensor. */
static size_t most_waiting(const fovea_plan *plan) {
  size_t largest = 0;
  for (int i = 0; i < plan->storage_count; i++)
    if (plan->storages[i].pixels > 0 && plan->storages[i].size > largest) largest = plan->storages[i].size;
  return largest;
}

/* --- recording ---------------------------------------------------------------------------------------------------- */

static void touch_at(storage *s, int index) {
  if (s->first < 0) s->first = index;
  if (s->last < index) s->last = index;
}

/* Before the pass all weights are packed, from its begin on they are there. */
static void live_from_begin(const fovea_plan *plan, storage *s) {
  s->first = 0;
  if (!plan->training) s->last = FOREVER;
}

static void record_launch(fovea_plan *plan, fovea_multi_tensor which) {
  multi_tensor *m = &plan->multi[which];
  const bool grouped = launches[which].in_groups && on_gpu(plan);
  const int share = grouped ? 1 : on_gpu(plan) ? SHARE_GPU : SHARE_CPU;
  fovea_record *r = fovea_plan_record(plan, launches[which].file, "", launches[which].kernel);
  size_t shares = 0;
  double bytes = 0;
  for (int i = 0; i < m->count; i++) {
    shares += (size_t)((m->parts[i].items + share - 1) / share);
    bytes += m->parts[i].bytes;
  }
  fovea_record_multi_tensor(r, share, m->parts[0].from, m->parts[0].to);
  if (grouped)
    fovea_record_lane_groups(plan, r, m->units, shares, 1, 1);
  else
    fovea_record_range(r, shares * (size_t)share, 1, 1), fovea_record_local(r, share);
  fovea_record_cost(r, 0, bytes);
  if (plan->status != FOVEA_OK) return; /* r is no record of the plan */
  r->prepacks = which == FOVEA_MULTI_WEIGHTS && (!fovea_plan_is_apart(plan) || !plan->training || plan->shards > 0);
  for (int i = 0; i < m->count; i++) {
    storage *from = &plan->storages[m->parts[i].from.storage], *to = &plan->storages[m->parts[i].to.storage];
    touch_at(from, plan->record_count - 1);
    if (r->prepacks)
      live_from_begin(plan, to);
    else
      touch_at(to, plan->record_count - 1);
  }
  r->parts = m->parts, r->part_count = m->count, r->share = share;
  m->parts = NULL;
}

/* Records the launch of what waits; before sums those of what they read. */
static void flush(fovea_plan *plan, fovea_multi_tensor which) {
  multi_tensor *m = &plan->multi[which];
  if (which == FOVEA_MULTI_SUMS) fovea_plan_end_alike(plan), flush(plan, FOVEA_MULTI_BIASES);
  if (m->count > 0 && plan->status == FOVEA_OK) record_launch(plan, which);
  free(m->parts);
  *m = (multi_tensor){0};
}

fovea_view fovea_plan_multi_new(fovea_plan *plan, fovea_multi_tensor which, size_t size) {
  multi_tensor *m = &plan->multi[which];
  size = (size + LANES - 1) / LANES * LANES;
  if (m->count > 0 && m->size + size > most_waiting(plan)) flush(plan, which);
  if (m->size == 0) m->storage = fovea_plan_new(plan, 0).storage;
  const fovea_view view = {m->storage, m->size};
  m->size += size;
  plan->storages[m->storage].size = m->size;
  return view;
}

void fovea_plan_multi_add(fovea_plan *plan, fovea_multi_tensor which, const fovea_part *part) {
  multi_tensor *m = &plan->multi[which];
  if (m->count == m->capacity) {
    const int capacity = m->capacity ? 2 * m->capacity : 16;
    fovea_part *parts = realloc(m->parts, (size_t)capacity * sizeof *parts);
    if (!parts) {
      fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
      return;
    }
    m->parts = parts, m->capacity = capacity;
  }
  m->parts[m->count++] = *part;
  if (part->units > m->units) m->units = part->units;
  if (fovea_plan_is_apart(plan)) flush(plan, which);
}

void fovea_plan_end_sums(fovea_plan *plan) {
  fovea_plan_side_stream(plan, true);
  fovea_plan_end_alike(plan);
  flush(plan, FOVEA_MULTI_SUMS);
  fovea_plan_side_stream(plan, false);
}

void fovea_plan_end_multi(fovea_plan *plan) {
  flush(plan, FOVEA_MULTI_WEIGHTS);
  fovea_plan_end_sums(plan);
}

void fovea_plan_destroy_multi(fovea_plan *plan) {
  for (int i = 0; i < FOVEA_MULTI_COUNT; i++) free(plan->multi[i].parts);
}

/* --- the table ---------------------------------------------------------------------------------------------------- */

/* Where each share of `share` items finds its row; then the rows: the first item, how many, the offsets in units of 16
 * floats, the values. */
static void fill_row(const fovea_plan *plan, const fovea_part *part, int first, int row[ROW]) {
  row[0] = first, row[1] = part->items;
  row[2] = (int)(fovea_plan_resolve(plan, part->from).offset / LANES);
  row[3] = (int)(fovea_plan_resolve(plan, part->to).offset / LANES);
  for (int i = 0; i < FOVEA_PART_VALUES; i++) row[SHARED + i] = part->values[i];
}

static int shares_of(const fovea_record *r, int part) { return (r->parts[part].items + r->share - 1) / r->share; }

static int *tensors_table(const fovea_plan *plan, const fovea_record *r, size_t *count) {
  int shares = 0;
  for (int i = 0; i < r->part_count; i++) shares += shares_of(r, i);
  *count = (size_t)shares + (size_t)r->part_count * ROW;
  int *table = calloc(*count, sizeof *table);
  for (int i = 0, share = 0; table && i < r->part_count; i++) {
    const int row = shares + i * ROW;
    fill_row(plan, &r->parts[i], share * r->share, table + row);
    for (const int end = share + shares_of(r, i); share < end; share++) table[share] = row;
  }
  return table;
}

int *fovea_plan_table(const fovea_plan *plan, const fovea_record *r, size_t *count) {
  return r->layers > 0 ? fovea_plan_layers_table(plan, r, count) : tensors_table(plan, r, count);
}

fovea_status fovea_plan_make_table(fovea_plan *plan, fovea_record *r) {
  size_t count = 0;
  int *table = fovea_plan_table(plan, r, &count);
  if (!table) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  fovea_status status = fovea_buffer_create(plan->device, count * sizeof *table, "a table of tensors", &r->table);
  if (status == FOVEA_OK) status = fovea_buffer_write(r->table, 0, count * sizeof *table, table);
  free(table);
  return status;
}

/* Whether all parts of every launch have their tensors in the same buffer. */
bool fovea_plan_multi_fits(const fovea_plan *plan) {
  for (int i = 0; i < plan->record_count; i++) {
    const fovea_record *r = plan->records[i];
    if (!fovea_plan_alike_fits(plan, r)) return false;
    for (int j = 1; j < r->part_count; j++)
      if (!fovea_plan_share_buffer(plan, r->parts[j].from, r->parts[0].from)) return false;
  }
  return true;
}
