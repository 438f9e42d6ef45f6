/* The state of a wave, and how its instructions read and write it. LANES is 32 or 64. */
#ifndef FOVEA_TESTS_EMULATOR_WAVE_H
#define FOVEA_TESTS_EMULATOR_WAVE_H

#include <string.h>

#include "common/lane_loops.h"
#include "common/settings.h"
#include "machine.h"

#if LANES == 32
#define LANED(name) name##_32
#elif LANES == 64
#define LANED(name) name##_64
#endif

typedef union lanes {
  uint32_t u[LANES];
  int32_t i[LANES];
  float f[LANES];
} lanes __attribute__((aligned(64)));

typedef struct wave {
  wave_head head;
  lanes v[MOST_VECTORS];
  lanes broadcast[4]; /* sources that are scalars, or changed */
  lanes active;       /* ~0 where exec has a lane, else 0 */
  uint32_t s[MOST_SCALARS];
  uint32_t scc;
  bool full;                /* exec has all lanes */
  uint64_t live;            /* the lanes that have a work-item */
  const uint8_t *image;     /* the loaded code object */
  uint8_t *local, *scratch; /* private memory: a lane's bytes behind another's */
  uint32_t local_bytes, scratch_bytes;
  const settings *settings;
} wave;

#define EACH_OF(count) INDEPENDENT for (int i = 0; i < (count); i++)

/* The statement that follows for each active lane `l`, one after the other. */
#define EACH_ACTIVE \
  for (uint64_t left_ = exec_of(w), l = 0; left_ && (l = (uint64_t)__builtin_ctzll(left_), 1); left_ &= left_ - 1)

/* --- operands ----------------------------------------------------------------------------------------------------- */

static inline uint32_t part_of(uint32_t u, unsigned change) {
  const uint32_t bit = (change & FROM_BIT_8 ? 8 : 0) + (change & FROM_BIT_16 ? 16 : 0);
  const uint32_t unused = change & A_BYTE ? 24 : change & A_HALF ? 16 : 0, up = u >> bit << unused;
  return change & SIGNED_PART ? (uint32_t)((int32_t)up >> unused) : up >> unused;
}

static inline const lanes *changed_source(wave *w, operand x, lanes *to) {
  const uint32_t clear = x.change & ABSOLUTE ? 0x7fffffffu : ~0u, flip = x.change & NEGATED ? 0x80000000u : 0;
  if (x.scalar) {
    const uint32_t value = (part_of(w->s[x.index], x.change) & clear) ^ flip;
    EACH_LANE to->u[l] = value;
  } else if (x.change > (ABSOLUTE | NEGATED)) {
    EACH_LANE to->u[l] = (part_of(w->v[x.index].u[l], x.change) & clear) ^ flip;
  } else {
    const lanes *from = &w->v[x.index];
    EACH_LANE to->u[l] = (from->u[l] & clear) ^ flip;
  }
  return to;
}

/* Source i of 32 bits, in all lanes; in w->broadcast[place] where it is no vector register as it is. */
static inline const lanes *source_to(wave *w, const step *o, int i, int place) {
  const operand x = o->x[i];
  if (!x.scalar && !x.change) return &w->v[x.index];
  return changed_source(w, x, &w->broadcast[place]);
}
static inline const lanes *source(wave *w, const step *o, int i) { return source_to(w, o, i, i); }

static inline lanes *result(wave *w, const step *o) { return &w->v[o->d[0].index]; }

/* Source i of 64 bits in lane l. */
static inline uint64_t wide(const wave *w, const step *o, int i, int l) {
  const operand x = o->x[i];
  if (x.scalar) return (uint64_t)w->s[x.index + 1] << 32 | w->s[x.index];
  return (uint64_t)w->v[x.index + 1].u[l] << 32 | w->v[x.index].u[l];
}

static inline void set_wide(wave *w, const step *o, int l, uint64_t value) {
  w->v[o->d[0].index].u[l] = (uint32_t)value;
  w->v[o->d[0].index + 1].u[l] = (uint32_t)(value >> 32);
}

static inline uint64_t pair(const wave *w, uint32_t index) { return (uint64_t)w->s[index + 1] << 32 | w->s[index]; }

static inline void set_pair(wave *w, uint32_t index, uint64_t value) {
  w->s[index] = (uint32_t)value;
  w->s[index + 1] = (uint32_t)(value >> 32);
}

/* --- a bit a lane ------------------------------------------------------------------------------------------------- */

static inline uint64_t bits_at(const wave *w, uint32_t index) { return LANES == 64 ? pair(w, index) : w->s[index]; }

static inline void set_bits(wave *w, uint32_t index, uint64_t bits) {
  if (LANES == 64)
    set_pair(w, index, bits);
  else
    w->s[index] = (uint32_t)bits;
}

static inline uint64_t exec_of(const wave *w) { return bits_at(w, EXEC); }

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* The lanes that are not 0. */
static inline uint64_t bits_of(const lanes *t) {
  uint64_t bits = 0;
#ifdef __AVX512F__
  for (int k = 0; k < LANES; k += 16) {
    const __m512i x = _mm512_load_si512(&t->u[k]);
    bits |= (uint64_t)_mm512_test_epi32_mask(x, x) << k;
  }
#else
  for (int l = 0; l < LANES; l++) bits |= (uint64_t)(t->u[l] != 0) << l;
#endif
  return bits;
}

/* ~0 where there is a bit. */
static inline void spread(uint64_t bits, lanes *t) {
  for (int k = 0; k < LANES; k += 32) {
    const uint32_t half = (uint32_t)(bits >> k);
    for (int l = 0; l < 32; l++) t->u[k + l] = 0 - (half >> l & 1);
  }
}

static inline float as_float(uint32_t u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
static inline uint32_t as_bits(float f) {
  uint32_t u;
  memcpy(&u, &f, 4);
  return u;
}

static inline uint32_t reversed(uint32_t a) {
  uint32_t r = 0;
  for (int k = 0; k < 32; k++) r |= (a >> k & 1) << (31 - k);
  return r;
}

static inline const step *stop(wave *w, const char *fault) {
  w->head.state = FAULTED;
  w->head.fault = fault;
  return NULL;
}

void LANED(fuse)(step *first, const step *second);

/* Tables of the files, each ended by a name that is NULL. */
extern const instruction LANED(scalar_instructions)[], LANED(scalar_flow_instructions)[], LANED(vector_instructions)[],
    LANED(special_instructions)[], LANED(division_instructions)[], LANED(compare_instructions)[],
    LANED(memory_instructions)[], LANED(local_instructions)[], LANED(private_instructions)[],
    LANED(control_instructions)[];

#endif
