/* Alike launches, of the same kernel for layers of the same shape, put off to the end of the backward pass and made one
 * launch: its work-groups' third axis runs over the layers, and a table on the device has where their operands lie,
 * from the first layer's on, in units of 16 floats. For small weight gradients, such as those of attention, whose
 * operands can wait: a launch takes 1.5 us of a GPU. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "plan/internal.h"

enum { MOST_CHANNELS = 4 }; /* of a layer's operands, which live to the end of the pass */

/* The last record, which no other follows yet. */
static fovea_record *take_last(fovea_plan *plan) {
  fovea_record *r = plan->records[--plan->record_count];
  const int before = plan->record_count > 0 ? plan->records[plan->record_count - 1]->group : 0;
  if (r->group > before) plan->group_count--;
  return r;
}

void fovea_record_alike(fovea_plan *plan, fovea_record *r, int channels) {
  fovea_record_table(r);
  r->layers = 1;
  if (fovea_plan_is_apart(plan) || channels > MOST_CHANNELS || plan->status != FOVEA_OK) return;
  fovea_record **put_off = realloc(plan->put_off, ((size_t)plan->put_off_count + 1) * sizeof *put_off);
  if (!put_off) {
    fovea_plan_fail(plan, fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out"));
    return;
  }
  plan->put_off = put_off;
  put_off[plan->put_off_count++] = take_last(plan);
}

static bool is_view(const argument *a) { return a->kind == ARGUMENT_VIEW; }

static bool same_number(const argument *a, const argument *b) {
  return a->kind == b->kind && (is_view(a) || (a->i == b->i && a->u == b->u));
}

static bool are_alike(const fovea_record *a, const fovea_record *b) {
  if (strcmp(a->options, b->options) != 0 || strcmp(a->kernel, b->kernel) != 0 || a->request != b->request ||
      a->local != b->local || memcmp(a->size, b->size, sizeof a->size) != 0 || a->argument_count != b->argument_count)
    return false;
  for (int i = 0; i < a->argument_count; i++)
    if (!same_number(&a->arguments[i], &b->arguments[i])) return false;
  return true;
}

/* Appends the record, and joins to it those after it that are alike. */
static void record_with_others(fovea_plan *plan, int first) {
  fovea_record *r = fovea_plan_record_again(plan, plan->put_off[first]);
  plan->put_off[first] = NULL;
  for (int i = first + 1; r && i < plan->put_off_count; i++) {
    fovea_record *other = plan->put_off[i];
    if (!other || !are_alike(r, other)) continue;
    for (int j = 0; j < other->argument_count; j++)
      if (is_view(&other->arguments[j])) fovea_plan_touch(plan, other->arguments[j].view);
    other->next = r->next, r->next = other;
    r->layers++, r->flops += other->flops, r->bytes += other->bytes;
    plan->put_off[i] = NULL;
  }
  if (r) r->size[2] = (size_t)r->layers;
}

void fovea_plan_end_alike(fovea_plan *plan) {
  for (int i = 0; i < plan->put_off_count && plan->status == FOVEA_OK; i++)
    if (plan->put_off[i]) record_with_others(plan, i);
}

/* Of the record's views in their order. */
static int differences(const fovea_plan *plan, const fovea_record *r, const fovea_record *other, int *row) {
  int count = 0;
  for (int i = 0; i < r->argument_count; i++) {
    if (!is_view(&r->arguments[i])) continue;
    const ptrdiff_t from = (ptrdiff_t)fovea_plan_resolve(plan, r->arguments[i].view).offset;
    const ptrdiff_t to = (ptrdiff_t)fovea_plan_resolve(plan, other->arguments[i].view).offset;
    row[count++] = (int)((to - from) / LANES);
  }
  return count;
}

int *fovea_plan_layers_table(const fovea_plan *plan, const fovea_record *r, size_t *count) {
  int *table = calloc((size_t)r->layers * MAX_ARGUMENTS, sizeof *table);
  *count = 0;
  for (const fovea_record *other = r; table && other; other = other->next)
    *count += (size_t)differences(plan, r, other, table + *count);
  return table;
}

bool fovea_plan_alike_fits(const fovea_plan *plan, const fovea_record *r) {
  for (const fovea_record *other = r->next; other; other = other->next)
    for (int i = 0; i < r->argument_count; i++)
      if (is_view(&r->arguments[i]) && !fovea_plan_share_buffer(plan, r->arguments[i].view, other->arguments[i].view))
        return false;
  return true;
}

void fovea_plan_destroy_alike(fovea_plan *plan) {
  for (int i = 0; i < plan->put_off_count; i++) fovea_plan_free_record(plan->put_off[i]);
  free(plan->put_off);
}
