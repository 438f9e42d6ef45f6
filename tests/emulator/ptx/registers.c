/* PTX has a register for each value, thousands in all; a machine has places for those that are needed at once. Here,
 * too: by linear scan (Poletto and Sarkar 1999) over the instructions in their order, so that a warp's registers stay
 * in the processor's cache. A thread's register is its own, so that threads may go any ways. */
#include <stdlib.h>

#include "draft.h"

/* From the first to the last instruction at which a register is needed, twice their numbers; one that is only read by
 * the instruction that begins another's life may leave it its place. */
typedef struct life {
  uint32_t begin, end, reg;
} life;

typedef struct bits {
  uint64_t *words;
  size_t per_step; /* words */
} bits;

static uint64_t *bits_of(const bits *b, uint32_t i) { return b->words + i * b->per_step; }
static void put(uint64_t *words, uint32_t reg) { words[reg / 64] |= 1ull << reg % 64; }
static void take(uint64_t *words, uint32_t reg) { words[reg / 64] &= ~(1ull << reg % 64); }

/* The registers that are read later, before each first instruction of a block, and here of each instruction: programs
 * are small. */
static void find_needed(const draft *d, bits *needed) {
  needed->per_step = d->registers / 64 + 1;
  needed->words = calloc(d->count * needed->per_step, sizeof *needed->words);
  uint64_t *now = calloc(needed->per_step, sizeof *now);
  if (!needed->words || !now) abort();
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t i = d->count; i-- > 0;) {
      const draft_step *o = &d->steps[i];
      uint32_t next[2];
      memset(now, 0, needed->per_step * sizeof *now);
      for (int k = draft_next(d, i, next); k-- > 0;)
        for (size_t n = 0; n < needed->per_step; n++) now[n] |= bits_of(needed, next[k])[n];
      for (int k = 0; k < MOST_RESULTS; k++)
        if (o->d[k].kind == REGISTER) take(now, o->d[k].index);
      for (int k = 0; k < MOST_SOURCES; k++)
        if (o->x[k].kind == REGISTER) put(now, o->x[k].index);
      if (memcmp(now, bits_of(needed, i), needed->per_step * sizeof *now) == 0) continue;
      memcpy(bits_of(needed, i), now, needed->per_step * sizeof *now);
      changed = true;
    }
  }
  free(now);
}

static void extend(life *l, uint32_t at) {
  if (at < l->begin) l->begin = at;
  if (at > l->end) l->end = at;
}

static life *find_lives(const draft *d) {
  bits needed;
  life *lives = calloc(d->registers + 1, sizeof *lives);
  if (!lives) abort();
  find_needed(d, &needed);
  for (uint32_t r = 0; r < d->registers; r++) lives[r] = (life){NOWHERE, 0, r};
  for (uint32_t i = 0; i < d->count; i++) {
    const draft_step *o = &d->steps[i];
    for (uint32_t r = 0; r < d->registers; r++)
      if (bits_of(&needed, i)[r / 64] >> r % 64 & 1) extend(&lives[r], 2 * i);
    for (int k = 0; k < MOST_SOURCES; k++)
      if (o->x[k].kind == REGISTER) extend(&lives[o->x[k].index], 2 * i);
    for (int k = 0; k < MOST_RESULTS; k++)
      if (o->d[k].kind == REGISTER) extend(&lives[o->d[k].index], 2 * i + 1);
  }
  free(needed.words);
  return lives;
}

static int by_begin(const void *a, const void *b) {
  const life *x = a, *y = b;
  return x->begin != y->begin ? (x->begin < y->begin ? -1 : 1) : x->reg < y->reg ? -1 : 1;
}

/* Places of one file from `first` on; where each is free again. */
typedef struct places {
  uint32_t free_after[4096], count;
} places;

static uint32_t find_place(places *p, const life *l) {
  uint32_t i = 0;
  while (i < p->count && p->free_after[i] >= l->begin) i++;
  if (i == p->count && p->count++ == sizeof p->free_after / sizeof *p->free_after) abort();
  p->free_after[i] = l->end;
  return i;
}

void draft_allocate(draft *d, uint16_t *slots) {
  life *lives = find_lives(d);
  places *files = calloc(2, sizeof *files);
  if (!files) abort();
  qsort(lives, d->registers, sizeof *lives, by_begin);
  for (uint32_t i = 0; i < d->registers; i++) {
    const life *l = &lives[i];
    if (l->begin == NOWHERE) continue; /* declared and not used */
    const bool is_wide = d->wide[l->reg];
    slots[l->reg] = (uint16_t)(find_place(&files[is_wide], l) + (is_wide ? 0 : FIRST_NARROW));
  }
  d->kernel->first_narrow = FIRST_NARROW + files[0].count;
  d->kernel->first_wide = files[1].count;
  free(files);
  free(lives);
}
