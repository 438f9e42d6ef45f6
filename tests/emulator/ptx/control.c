/* "Control Flow Instructions", bar.sync.
 *
 * Where threads of a warp go different ways those that branch wait, the others go first, and all go on together from
 * where both ways must meet: the nearest instruction that each way to the end leads through (flow.c). */
#include "warp.h"

static waiting *top(warp *w) { return w->depth > 0 ? &w->stack[w->depth - 1] : NULL; }

static bool push(warp *w, const step *next, const step *join, uint32_t mask) {
  if (w->depth == MOST_WAITING) return stop(w, "ways that do not meet"), false;
  w->stack[w->depth++] = (waiting){next, join, mask};
  return true;
}

static const step *diverge(warp *w, const step *o, uint32_t taken) {
  const uint32_t others = w->mask & ~taken;
  const bool known = o->join && top(w) && top(w)->join == o->join; /* some wait there already for these */
  if (o->join && !known && !push(w, o->join, o->join, w->mask)) return NULL;
  if (o->target == o->join) {
    set_mask(w, others);
    return o + 1;
  }
  if (o + 1 == o->join) {
    set_mask(w, taken);
    return o->target;
  }
  if (!push(w, o->target, o->join, taken)) return NULL;
  set_mask(w, others);
  return o + 1;
}

static const step *branch_if(warp *w, const step *o) {
  const uint32_t taken = (mask_of(&w->r[o->x[0]]) ^ (0 - o->number)) & w->mask;
  if (taken == w->mask) return o->target;
  return taken ? diverge(w, o, taken) : o + 1;
}

static const step *branch(warp *w, const step *o) {
  (void)w;
  return o->target;
}

const step *ptx_join(warp *w, const step *o) {
  w->head.count--; /* no instruction of PTX */
  const waiting *t = top(w);
  if (!t || t->join != o) return o + 1;
  w->depth--;
  set_mask(w, t->mask);
  return t->next; /* this again, where all have come */
}

/* None of those that wait at a join has ended: each way to the end leads through it. */
static const step *end(warp *w, const step *o) {
  (void)o;
  if (w->depth > 0) {
    const waiting t = w->stack[--w->depth];
    set_mask(w, t.mask);
    return t.next;
  }
  w->head.state = ENDED;
  return NULL;
}

/* bar.sync is .aligned: all threads of a warp must execute it. */
static const step *barrier(warp *w, const step *o) {
  if (w->mask != w->live) return stop(w, "a barrier that only some of a warp's threads reach");
  w->head.state = WAITING;
  w->head.next = o + 1;
  return NULL;
}

static const step *no_effect(warp *w, const step *o) {
  (void)w;
  return o + 1;
}

const instruction ptx_control_instructions[] = {
    {"bra", "L", branch, 0},
    {"bra.uni", "L", branch, 0},
    {"@bra", "rL", branch_if, 0},
    {"ret", "", end, 0},
    {"exit", "", end, 0},
    {"bar.sync", "k", barrier, 0},
    {"membar.cta", "", no_effect, 0},
    {"membar.gl", "", no_effect, 0},
    {0},
};
