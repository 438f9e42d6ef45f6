/* A work-group: its waves run one after the other, each to its end or to a barrier, until all have ended.
 *
 * What a program may not count on is garbage: registers are NaN or odd numbers, local and private memory too. */
#include <stdio.h>
#include <stdlib.h>

#include "trap.h"
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
  w->count--; /* no instruction of the machine's */
  return o + 1;
}

static bool grow(void *memory, size_t *have, size_t bytes) {
  void **const m = memory;
  if (*have >= bytes) return true;
  free(*m);
  *have = 0;
  *m = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (*m) *have = bytes;
  return *m != NULL;
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
  w->scratch_bytes = k->scratch_bytes;
  w->scratch = space->scratch + (size_t)number * LANES * k->scratch_bytes;
  memset(w->scratch, 0xee, (size_t)LANES * k->scratch_bytes);
  w->image = k->image, w->settings = launched->settings;
  w->count = 0, w->fault = NULL, w->state = RUNNING;
  w->next = k->steps;
  exec_changed(w, k->steps);
  w->count = 0;
}

/* A step that stops the wave leaves w->next at itself, or behind a barrier. */
static void run(wave *w) {
  w->state = RUNNING;
  for (const step *o = w->next; o; o = o->run(w, o)) {
    w->next = o;
    w->count++;
  }
}

static bool fault(workspace *space, const launch *launched, const char *what, const step *at) {
  snprintf(space->fault, sizeof space->fault, "kernel %s: %s: %s, at 0x%x", launched->kernel->name, what,
           at ? at->text : "", at ? at->address : 0);
  return false;
}

/* A barrier is passed when all waves wait at the same one. */
static bool meet(workspace *space, const launch *launched, const wave *waves, uint32_t count) {
  const wave *waiting = NULL;
  bool ended = false, other = false;
  for (uint32_t i = 0; i < count; i++) {
    const wave *w = &waves[i];
    if (w->state == FAULTED) return fault(space, launched, w->fault, w->next);
    if (w->state == ENDED) ended = true;
    if (w->state == WAITING && waiting && waiting->next != w->next) other = true;
    if (w->state == WAITING && !waiting) waiting = w;
  }
  if (waiting && ended) return fault(space, launched, "a barrier that not every wave reaches", waiting->next - 1);
  if (other) return fault(space, launched, "waves of a group wait at different barriers", waiting->next - 1);
  return true;
}

static bool run_waves(workspace *space, const launch *launched, uint32_t count) {
  wave *waves = space->waves;
  const bool backward = launched->settings->order != FORWARD;
  for (bool left = true; left;) {
    left = false;
    for (uint32_t i = 0; i < count; i++) {
      wave *w = &waves[backward ? count - 1 - i : i];
      space->running = w;
      if (w->state != ENDED) run(w);
      left |= w->state == WAITING;
    }
    if (!meet(space, launched, waves, count)) return false;
  }
  for (uint32_t i = 0; i < count; i++) space->instructions += waves[i].count;
  return true;
}

static bool run_group(workspace *space, const launch *launched, const uint32_t group[3]) {
  const kernel_code *k = launched->kernel;
  const uint32_t items = launched->local[0] * launched->local[1] * launched->local[2],
                 count = (items + LANES - 1) / LANES;
  if (!grow(&space->waves, &space->wave_bytes, count * sizeof(wave)) ||
      !grow(&space->local, &space->local_bytes, launched->local_bytes + 64) ||
      !grow(&space->scratch, &space->scratch_bytes, (size_t)count * LANES * k->scratch_bytes + 64))
    return fault(space, launched, "no memory for its waves", NULL);
  memset(space->local, 0xcd, launched->local_bytes);
  for (uint32_t i = 0; i < count; i++) begin((wave *)space->waves + i, launched, group, i, space);
  sigjmp_buf after;
  if (sigsetjmp(after, 0)) {
    trap_set(NULL);
    const wave *w = space->running;
    return fault(space, launched, "an address beyond its buffers", w->next);
  }
  trap_set(&after);
  const bool good = run_waves(space, launched, count);
  trap_set(NULL);
  return good;
}

const machine LANED(machine) = {LANES, find, exec_changed, LANED(fuse), run_group};
