/* A work-group of warps.
 *
 * What a program may not count on is garbage: registers are NaN, shared and private memory odd numbers. */
#include <stdio.h>

#include "warp.h"

const instruction *ptx_find(const char *name) {
  static const instruction *const tables[] = {
      ptx_float_instructions,   ptx_integer_instructions, ptx_wide_instructions,   ptx_compare_instructions,
      ptx_convert_instructions, ptx_memory_instructions,  ptx_control_instructions};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (const instruction *t = tables[i]; t->name; t++)
      if (strcmp(t->name, name) == 0) return t;
  return NULL;
}

static void fill(narrow *to, uint32_t value) { EACH_LANE to->u[l] = value; }

/* What stays the same from group to group: constants, places within the group, sizes. */
static void prepare(warp *w, const ptx_launch *launched, uint32_t number) {
  const ptx_kernel *k = launched->kernel;
  const uint32_t *size = launched->range->local;
  w->launch = launched;
  w->r = (narrow *)(void *)(w + 1);
  w->q = (wide *)(void *)(w->r + k->narrow);
  for (uint32_t i = k->first_narrow; i < k->narrow; i++) fill(&w->r[i], k->narrow_values[i - k->first_narrow]);
  for (uint32_t i = k->first_wide; i < k->wide; i++) EACH_LANE w->q[i].u[l] = k->wide_values[i - k->first_wide];
  for (uint32_t l = 0; l < LANES; l++) {
    const uint32_t i = number * LANES + l;
    w->r[TID].u[l] = i % size[0];
    w->r[TID + 1].u[l] = i / size[0] % size[1];
    w->r[TID + 2].u[l] = i / size[0] / size[1];
    w->r[LANEID].u[l] = l;
  }
  for (uint32_t i = 0; i < 3; i++) {
    fill(&w->r[NTID + i], size[i]);
    fill(&w->r[NCTAID + i], launched->range->groups[i]);
    fill(&w->r[ENVREG3 + i], launched->range->offset[i]);
  }
  fill(&w->r[ENVREG3 + 3], launched->range->dimensions);
}

static void begin(warp *w, const ptx_launch *launched, const uint32_t group[3], uint32_t number, workspace *space) {
  const ptx_kernel *k = launched->kernel;
  const uint32_t *size = launched->range->local, left = size[0] * size[1] * size[2] - number * LANES;
  if (space->prepared != launched->number) prepare(w, launched, number);
  for (uint32_t i = 0; i < 3; i++) fill(&w->r[CTAID + i], group[i]);
  memset(w->r + FIRST_NARROW, 0xff, sizeof(narrow) * (k->first_narrow - FIRST_NARROW));
  memset(w->q, 0xff, sizeof(wide) * k->first_wide);
  w->live = left < LANES ? (1u << left) - 1 : ~0u;
  set_mask(w, w->live);
  w->depth = 0;
  w->local = space->local;
  w->scratch = space->scratch + (size_t)number * LANES * k->head.private_bytes;
  memset(w->scratch, 0xee, (size_t)LANES * k->head.private_bytes);
  w->head = (wave_head){.next = k->steps};
}

/* A step that stops the warp leaves its place at itself, or behind a barrier. */
static void run(wave_head *head) {
  warp *w = (warp *)(void *)head;
  head->state = RUNNING;
  for (const step *o = head->next; o; o = o->run(w, o)) {
    head->next = o;
    head->count++;
  }
}

static void where(const void *place, char *to, size_t size) {
  const step *o = place;
  snprintf(to, size, "%s, line %u", o->text, o->line);
}

bool ptx_run_group(workspace *space, const void *launch, const uint32_t group[3]) {
  const ptx_launch *launched = launch;
  const ptx_kernel *k = launched->kernel;
  const uint32_t *size = launched->range->local, items = size[0] * size[1] * size[2];
  const group_plan plan = {.kernel = k->head.name,
                           .settings = launched->settings,
                           .count = (items + LANES - 1) / LANES,
                           .stride = sizeof(warp) + k->narrow * sizeof(narrow) + k->wide * sizeof(wide),
                           .run = run,
                           .where = where,
                           .step_bytes = sizeof(step)};
  if (!group_room(space, &plan, launched->local_bytes, (size_t)plan.count * LANES * k->head.private_bytes))
    return false;
  for (uint32_t i = 0; i < plan.count; i++)
    begin((warp *)(void *)((uint8_t *)space->waves + i * plan.stride), launched, group, i, space);
  space->prepared = launched->number;
  return group_run(space, &plan);
}
