/* A plan from its graph to its launches, in this order: what is fused (fuse.c), where values lie, what the ops record
 * (record.c), how long everything lives, where that is in memory (memory.c), the launches (launch.c). */
#include "plan/plan.h"

#include <stdlib.h>

#include "base/fail.h"
#include "graph/op.h"
#include "plan/inspect.h"
#include "plan/internal.h"

/* --- values ------------------------------------------------------------------------------------------------------ */

/* Whether operand k of the concatenation `node` may be a slice of it. Not the images; and not what others read, where
 * fovea_network_evaluate_from may write other values to the whole. */
static bool may_be_slice(const fovea_plan *plan, int node, int k) {
  const fovea_graph *graph = plan->graph;
  const int operand = graph->nodes[node].inputs[k];
  const node_plan *p = &plan->nodes[fovea_plan_source(plan, operand)];
  if (p->placed || fovea_node_is(&graph->nodes[operand], FOVEA_IS_SOURCE)) return false;
  return !plan->nodes[node].given ||
         (fovea_plan_readers_of(graph, operand) == 1 && !fovea_graph_is_result(graph, operand));
}

static void place_operands(fovea_plan *plan, int node) {
  fovea_view at = plan->nodes[node].value;
  for (int k = 0; k < 2; k++) {
    const int operand = plan->graph->nodes[node].inputs[k];
    node_plan *p = &plan->nodes[fovea_plan_source(plan, operand)];
    if (may_be_slice(plan, node, k)) p->value = at, p->placed = true, p->given = plan->nodes[node].given;
    at.offset += fovea_plan_node_size(plan, operand);
  }
}

/* Concatenations from the last to the first take their operands in as slices, unless an operand already lies elsewhere
 * or may not; such a one is copied. Then everything else gets a storage of its own. */
static void place_values(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = graph->count - 1; i >= 0; i--) {
    if (!fovea_node_is(&graph->nodes[i], FOVEA_CONCATENATES)) continue;
    if (!plan->nodes[i].placed) plan->nodes[i].value = fovea_plan_new_value(plan, i), plan->nodes[i].placed = true;
    plan->nodes[i].given |= !plan->training && fovea_graph_is_result(graph, i);
    place_operands(plan, i);
  }
  for (int i = 0; i < graph->count; i++)
    if (plan->nodes[i].alias == i && !plan->nodes[i].placed)
      plan->nodes[i].value = fovea_plan_new_value(plan, i), plan->nodes[i].placed = true;
}

/* --- the passes over the graph ----------------------------------------------------------------------------------- */

/* For inspection: a copy of the node's gradient, since backward may overwrite it. */
static void keep_gradient(fovea_plan *plan, int i) {
  plan->nodes[i].gradient = fovea_plan_new_value(plan, i);
  plan->nodes[i].has_gradient = true;
  fovea_plan_record_copy(plan, fovea_plan_output_gradient(plan, i), plan->nodes[i].gradient);
}

static void record_forward(fovea_plan *plan) {
  const fovea_graph *graph = plan->graph;
  for (int i = 0; i < graph->count; i++) {
    plan->nodes[i].first_record = plan->record_count;
    if (plan->nodes[i].alias == i) graph->nodes[i].op->forward(plan, i);
    plan->request = 0;
    plan->nodes[i].last_record = plan->record_count;
  }
  plan->losses_record = plan->record_count;
  for (int i = 0; i < graph->count; i++)
    if (graph->nodes[i].op->end_forward) graph->nodes[i].op->end_forward(plan, i);
}

static void record_backward(fovea_plan *plan) {
  fovea_plan_begin_gradients(plan);
  for (int i = plan->graph->count - 1; i >= 0; i--) {
    const fovea_node *node = &plan->graph->nodes[i];
    node_plan *p = &plan->nodes[i];
    if (p->alias != i || !node->op->backward || !plan->gradient_written[p->value.storage]) continue;
    if (plan->resources.inspect) keep_gradient(plan, i);
    p->first_backward = plan->record_count;
    node->op->backward(plan, i);
    plan->request = 0;
    p->last_backward = plan->record_count;
    fovea_plan_gradients_ready(plan, i);
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
    fovea_plan_end_multi(plan);
    fovea_plan_end_gradients(plan);
    plan->resources.record_optimizer(plan, &plan->resources);
    if (plan->status == FOVEA_OK) fovea_plan_fail(plan, fovea_plan_join_groups(plan));
  } else {
    fovea_plan_end_multi(plan);
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
  plan->state = fovea_plan_bind(plan, r->state);
  plan->parameters = fovea_plan_bind(plan, r->parameters);
  plan->gradients = fovea_plan_bind(plan, r->gradients);
  plan->pixels = fovea_plan_bind(plan, r->pixels);
  plan->losses = fovea_plan_bind(plan, r->losses);
  plan->merges = fovea_plan_bind(plan, r->merges);
  plan->nodes = calloc((size_t)plan->graph->count, sizeof *plan->nodes);
  if (!plan->nodes) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
  if (plan->status != FOVEA_OK) return plan->status;
  fovea_plan_fuse(plan);
  place_values(plan);
  if (plan->status == FOVEA_OK) record_passes(plan);
  if (plan->status == FOVEA_OK) fovea_plan_fail(plan, fovea_plan_place(plan));
  if (plan->status == FOVEA_OK) plan->crowded = !fovea_plan_multi_fits(plan);
  return plan->status;
}

static fovea_plan *new_plan(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                            const fovea_resources *resources) {
  fovea_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return NULL;
  plan->device = device;
  plan->graph = graph;
  plan->batch = (batch + LANES - 1) / LANES * LANES;
  plan->training = training;
  plan->resources = *resources;
  plan->shards = fovea_plan_choose_shards(plan);
  return plan;
}

fovea_status fovea_plan_create(fovea_device *device, const fovea_graph *graph, int batch, bool training,
                               const fovea_resources *resources, fovea_plan **out) {
  fovea_plan *plan = NULL;
  fovea_status status = FOVEA_OK;
  for (int apart = 0; apart < 2 && (!plan || plan->crowded); apart++) {
    fovea_plan_destroy(plan);
    plan = new_plan(device, graph, batch, training, resources);
    if (!plan) return fovea_fail(FOVEA_NO_MEMORY, "plan: host memory ran out");
    plan->apart = apart > 0 || resources->workspace == 0;
    status = build(plan);
  }
  if (status == FOVEA_OK)
    *out = plan;
  else
    fovea_plan_destroy(plan);
  return status;
}

fovea_status fovea_plan_make(fovea_plan *plan) {
  fovea_status status = fovea_plan_allocate(plan);
  if (status == FOVEA_OK) status = fovea_plan_make_meetings(plan);
  if (status == FOVEA_OK) status = fovea_plan_make_launches(plan);
  return status;
}

void fovea_plan_destroy(fovea_plan *plan) {
  if (!plan) return;
  fovea_plan_destroy_launches(plan);
  fovea_plan_destroy_meetings(plan);
  fovea_plan_destroy_multi(plan);
  fovea_plan_destroy_alike(plan);
  for (int i = 0; i < plan->record_count; i++) fovea_plan_free_record(plan->records[i]);
  for (int i = 0; plan->slabs && i < plan->slab_count; i++) fovea_buffer_destroy(plan->slabs[i]);
  free(plan->group_done);
  free(plan->records);
  free(plan->storages);
  free(plan->gradient_of);
  free(plan->gradient_written);
  free(plan->nodes);
  free(plan->slabs);
  free(plan->slab_sizes);
  free(plan);
}
