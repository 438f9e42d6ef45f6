/* A plan's launches: made once, run every step. */
#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "plan/inspect.h"
#include "plan/internal.h"
#include "runtime/profile.h"

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
  if (record->kind == RECORD_GEMM || fovea_record_is_of_meeting(record)) return FOVEA_OK;
  if (record->kind == RECORD_ZERO) {
    fovea_view x = record->arguments[0].view;
    return fovea_launch_create_zero(fovea_plan_resolve(plan, x), plan->storages[x.storage].size, &record->launch);
  }
  if (record->kind == RECORD_COPY) {
    const fovea_slice from = fovea_plan_resolve(plan, record->arguments[0].view);
    const fovea_view to = record->arguments[1].view;
    return fovea_launch_create_copy(from, fovea_plan_resolve(plan, to), plan->storages[to.storage].size,
                                    &record->launch);
  }
  fovea_status status = record->part_count + record->layers > 0 ? fovea_plan_make_table(plan, record) : FOVEA_OK;
  if (status == FOVEA_OK)
    status = fovea_launch_create(plan->device, record->file, record->options, record->kernel, &record->launch);
  if (status != FOVEA_OK) return status;
  for (int i = 0; i < record->argument_count; i++) {
    const argument *a = &record->arguments[i];
    switch (a->kind) {
      case ARGUMENT_VIEW:
        fovea_launch_slice(record->launch, a->what, fovea_plan_resolve(plan, a->view));
        break;
      case ARGUMENT_BUFFER:
        fovea_launch_buffer(record->launch, a->what, fovea_plan_resolve(plan, a->view).buffer);
        break;
      case ARGUMENT_TABLE:
        fovea_launch_buffer(record->launch, a->what, record->table);
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
  else if (record->unit)
    fovea_launch_groups_of_units(record->launch, record->unit, record->local / record->unit, record->size);
  else if (record->local)
    fovea_launch_groups(record->launch, record->local, record->size[0], record->size[1], record->size[2]);
  else
    fovea_launch_range(record->launch, record->size[0], record->size[1], record->size[2]);
  if (record->batch_axis > 0 && plan->device->tuning.vector > 1)
    fovea_launch_origin(record->launch, record->batch_axis - 1, 1); /* first_image of cl/common/vector.clh */
  fovea_launch_cost(record->launch, record->flops, record->bytes);
  return fovea_launch_ready(record->launch);
}

static fovea_status run_gemm(fovea_plan *plan, const fovea_record *record) {
  const fovea_gemm *g = &record->gemm;
  fovea_slice a = fovea_plan_resolve(plan, record->arguments[0].view),
              b = fovea_plan_resolve(plan, record->arguments[1].view);
  fovea_slice c = fovea_plan_resolve(plan, record->arguments[2].view);
  CLBlastStatusCode code =
      CLBlastSgemm(CLBlastLayoutRowMajor, g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
                   g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo, g->m, g->n, g->k, 1.0f, a.buffer->memory,
                   a.offset, g->lda, b.buffer->memory, b.offset, g->ldb, g->beta, c.buffer->memory, c.offset, g->ldc,
                   &plan->device->queue, NULL);
  if (code == CLBlastSuccess) return FOVEA_OK;
  return fovea_fail(FOVEA_DEVICE, "CLBlast: a %zux%zux%zu product failed with status %d on %s; unset FOVEA_BLAS", g->m,
                    g->n, g->k, (int)code, plan->device->info.name);
}

static fovea_status run_record(fovea_plan *plan, const fovea_record *record) {
  if (fovea_record_is_of_meeting(record)) return fovea_plan_run_meeting(plan, record);
  return record->kind == RECORD_GEMM ? run_gemm(plan, record) : fovea_launch_enqueue(record->launch);
}

static fovea_status run_between(fovea_plan *plan, int first, int last) {
  for (int i = first; i < last; i++) {
    fovea_status status = run_record(plan, plan->records[i]);
    if (status != FOVEA_OK) return status;
  }
  return FOVEA_OK;
}

/* From record `first` up to before `end`. */
static fovea_status run_those_of(fovea_plan *plan, int first, int end, bool that_prepack) {
  fovea_status status = FOVEA_OK;
  for (int i = first; i < end && status == FOVEA_OK; i++)
    if (plan->records[i]->prepacks == that_prepack) status = run_record(plan, plan->records[i]);
  return status;
}

static fovea_status run_those(fovea_plan *plan, bool that_prepack) {
  return run_those_of(plan, 0, plan->record_count, that_prepack);
}

/* Those launches in one call, where the device can and every record is a kernel of ours; else NULL. */
static fovea_command_buffer *record_replay(fovea_plan *plan, bool that_prepare) {
  fovea_command_buffer *replay = NULL;
  fovea_launch **launches = calloc((size_t)plan->record_count + 1, sizeof(fovea_launch *));
  bool ours = launches != NULL;
  size_t count = 0;
  for (int i = 0; i < plan->record_count && ours; i++) {
    if (plan->records[i]->prepacks != that_prepare) continue;
    launches[count] = plan->records[i]->launch;
    ours = launches[count++] != NULL;
  }
  if (ours && count > 0) replay = fovea_command_buffer_record(plan->device, launches, count);
  free(launches);
  return replay;
}

fovea_status fovea_plan_make_launches(fovea_plan *plan) {
  fovea_status status = FOVEA_OK;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    status = make_launch(plan, plan->records[i]);
    describe(plan, i);
  }
  if (status == FOVEA_OK) plan->replay = record_replay(plan, false);
  if (status == FOVEA_OK) plan->prepack = record_replay(plan, true);
  return status;
}

void fovea_plan_destroy_launches(fovea_plan *plan) {
  fovea_command_buffer_destroy(plan->replay);
  fovea_command_buffer_destroy(plan->prepack);
  for (int i = 0; i < plan->record_count; i++) fovea_launch_destroy(plan->records[i]->launch);
}

bool fovea_plan_replays(const fovea_plan *plan) { return plan->replay != NULL; }

/* A profile wants an event of each launch, and kernels one at a time. */
static fovea_status run_all(fovea_plan *plan, bool prepacks) {
  const bool profiled = fovea_profile_recording(plan->device), queues = plan->shards > 0 || plan->group_count > 0;
  if (queues && !plan->replay && !plan->latest && !profiled) return fovea_plan_run_in_queues(plan, prepacks);
  fovea_status status = FOVEA_OK;
  if (prepacks && plan->prepack && !profiled)
    status = fovea_command_buffer_enqueue(plan->prepack);
  else if (prepacks)
    status = run_those(plan, true);
  if (status != FOVEA_OK) return status;
  if (plan->replay && !profiled) return fovea_command_buffer_enqueue(plan->replay);
  return plan->latest ? fovea_plan_run_latest(plan) : run_those(plan, false);
}

/* Whether weights have to be packed: since they were, the parameters have changed. */
static bool has_to_prepack(const fovea_plan *plan) { return plan->prepacked_for != *plan->resources.changes + 1; }

fovea_status fovea_plan_run(fovea_plan *plan) {
  const fovea_status status = run_all(plan, has_to_prepack(plan));
  if (status != FOVEA_OK) fovea_plan_end_meetings(plan);
  if (status == FOVEA_OK) plan->prepacked_for = *plan->resources.changes + 1;
  if (plan->training) ++*plan->resources.changes;
  return status;
}

fovea_status fovea_plan_run_timed(fovea_plan *plan, double *seconds) {
  fovea_status status = run_those(plan, true);
  if (plan->training) ++*plan->resources.changes;
  for (int i = 0; i < plan->record_count && status == FOVEA_OK; i++) {
    fovea_record *record = plan->records[i];
    if (record->prepacks) continue;
    if (record->request) status = fovea_device_finish(plan->device);
    const double begun = fovea_seconds();
    if (status == FOVEA_OK) status = run_record(plan, record);
    if (record->request && status == FOVEA_OK) status = fovea_device_finish(plan->device);
    if (record->request) seconds[record->request] += fovea_seconds() - begun;
  }
  return status;
}

fovea_status fovea_plan_run_after(fovea_plan *plan, fovea_tensor node) {
  const fovea_status status = has_to_prepack(plan) ? run_those(plan, true) : FOVEA_OK;
  if (status == FOVEA_OK) plan->prepacked_for = *plan->resources.changes + 1;
  const int first = plan->nodes[fovea_plan_source(plan, node)].last_record;
  const int last = fovea_plan_ranks(plan) > 1 ? plan->losses_record : plan->record_count; /* the others are not there */
  return status == FOVEA_OK ? run_those_of(plan, first, last, false) : status;
}

size_t fovea_plan_memory(const fovea_plan *plan) { return plan->memory; }

fovea_tensor fovea_plan_fused_by(const fovea_plan *plan, fovea_tensor node) {
  for (int i = node + 1; i < plan->graph->count; i++)
    if (fovea_plan_source(plan, i) == fovea_plan_source(plan, node) && plan->graph->nodes[i].activation != FOVEA_LINEAR)
      return i;
  return -1;
}

fovea_slice fovea_plan_made(const fovea_plan *plan, fovea_tensor node) {
  return fovea_plan_resolve(plan, fovea_plan_output(plan, node));
}

fovea_status fovea_plan_value(const fovea_plan *plan, fovea_tensor node, fovea_slice *slice) {
  fovea_view view = fovea_plan_output(plan, node);
  if (plan->storages[view.storage].last != FOREVER)
    return fovea_fail(
        FOVEA_INVALID,
        "network: tensor %d (%s) is not kept after a pass; the graph's last tensor, mu, logvar and z are, those that "
        "fovea_graph_keep was told, and in a network made with options.inspect every one",
        node, plan->graph->nodes[node].op->name);
  *slice = fovea_plan_resolve(plan, view);
  return FOVEA_OK;
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
