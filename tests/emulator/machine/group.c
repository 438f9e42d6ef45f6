/* A work-group of waves.
 *
 * What a program may not count on is garbage: registers are NaN or odd numbers, local and private memory too. */
#include <stdio.h>

#include "wave.h"

static const instruction *find(const char *mnemonic) {
  static const instruction *const tables[] = {LANED(vector_instructions),   LANED(special_instructions),
                                              LANED(division_instructions), LANED(compare_instructions),
                                              LANED(scalar_instructions),   LANED(scalar_flow_instructions),
                                              LANED(memory_instructions),   LANED(local_instructions),
                                              LANED(private_instructions),  LANED(control_instructions)};
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    for (const instruction *t = tables[i]; t->name; t++)
      if (strcmp(t->name, mnemonic) == 0) return t;
  return NULL;
}

static const step *exec_changed(wave *w, const step *o) {
  const uint64_t exec = exec_of(w);
  spread(exec, &w->active);
  w->full = exec == (LANES == 64 ? ~0ull : (1ull << LANES % 64) - 1);
  w->head.count--; /* no instruction of the machine's */
  return o + 1;
}

static void begin(wave *w, const launch *launched, const uint32_t group[3], uint32_t number, workspace *space) {
  const kernel_code *k = launched->kernel;
  const uint32_t *size = launched->local, items = size[0] * size[1] * size[2], first = number * LANES;
  const uint32_t lanes_live = items - first < LANES ? items - first : LANES;
  memset(w->v, 0xff, sizeof(lanes) * k->vectors);
  memcpy(w->s, launched->scalars, sizeof launched->scalars);
  memcpy(&w->s[FIRST_CONSTANT], k->constants, sizeof *k->constants * k->constant_count);
  uint32_t s = launched->user_scalars;
  for (int i = 0; i < 3; i++)
    if (k->resources2 >> (7 + i) & 1) w->s[s++] = group[i];
  w->live = lanes_live == 64 ? ~0ull : (1ull << lanes_live) - 1;
  set_pair(w, EXEC, w->live);
  for (uint32_t l = 0; l < lanes_live; l++) { /* the three numbers of an item, of 10 bits each */
    const uint32_t i = first + l;
    w->v[0].u[l] = i % size[0] | i / size[0] % size[1] << 10 | i / size[0] / size[1] << 20;
  }
  w->scc = 1;
  w->local = space->local, w->local_bytes = launched->local_bytes;
  w->scratch_bytes = k->head.private_bytes;
  w->scratch = space->scratch + (size_t)number * LANES * k->head.private_bytes;
  memset(w->scratch, 0xee, (size_t)LANES * k->head.private_bytes);
  w->image = k->image, w->settings = launched->settings;
  w->head = (wave_head){.next = k->steps};
  exec_changed(w, k->steps);
  w->head.count = 0;
}

/* A step that stops the wave leaves its place at itself, or behind a barrier. */
static void run(wave_head *head) {
  wave *w = (wave *)head;
  head->state = RUNNING;
  for (const step *o = head->next; o; o = o->run(w, o)) {
    head->next = o;
    head->count++;
  }
}

static void where(const void *place, char *to, size_t size) {
  const step *o = place;
  snprintf(to, size, "%s, at 0x%x", o->text ? o->text : "", o->address);
}

static bool run_group(workspace *space, const launch *launched, const uint32_t group[3]) {
  const kernel_code *k = launched->kernel;
  const uint32_t items = launched->local[0] * launched->local[1] * launched->local[2];
  const group_plan plan = {.kernel = k->head.name,
                           .settings = launched->settings,
                           .count = (items + LANES - 1) / LANES,
                           .stride = sizeof(wave),
                           .run = run,
                           .where = where,
                           .step_bytes = sizeof(step)};
  if (!group_room(space, &plan, launched->local_bytes, (size_t)plan.count * LANES * k->head.private_bytes))
    return false;
  for (uint32_t i = 0; i < plan.count; i++) begin((wave *)space->waves + i, launched, group, i, space);
  return group_run(space, &plan);
}

const machine LANED(machine) = {LANES, find, exec_changed, LANED(fuse), run_group};
