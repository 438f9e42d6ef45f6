/* The state of a warp, and how its instructions read and write it. */
#ifndef FOVEA_TESTS_EMULATOR_PTX_WARP_H
#define FOVEA_TESTS_EMULATOR_PTX_WARP_H

#include <string.h>

#include "common/lane_loops.h"
#include "ptx.h"

typedef union narrow {
  uint32_t u[LANES];
  int32_t i[LANES];
  float f[LANES];
} narrow __attribute__((aligned(64)));

typedef union wide {
  uint64_t u[LANES];
  int64_t i[LANES];
} wide __attribute__((aligned(64)));

/* What waits while some threads go another way: those of `mask`, which go on at `next`; that is `join` itself where
 * they are all that will meet there. */
typedef struct waiting {
  const step *next, *join;
  uint32_t mask;
} waiting;

/* Threads that wait to go another way are others in each entry; those at joins become fewer from entry to entry. */
enum { MOST_WAITING = 2 * LANES + 2 };

typedef struct warp {
  wave_head head;
  narrow active;       /* ~0 for the threads of `mask` */
  uint32_t mask, live; /* threads that go on now, that there are */
  bool full;           /* all of them go on */
  int depth;
  waiting stack[MOST_WAITING];
  narrow *r;
  wide *q;
  const ptx_launch *launch;
  uint8_t *local, *scratch; /* shared memory; private memory, a thread's bytes behind another's */
} warp;

/* The statement that follows for each active thread `l`, one after the other. */
#define EACH_ACTIVE \
  for (uint32_t left_ = w->mask, l = 0; left_ && (l = (uint32_t)__builtin_ctz(left_), 1); left_ &= left_ - 1)

#ifdef __AVX512F__
#include <immintrin.h>
#endif

/* The threads in which it is not 0. */
static inline uint32_t mask_of(const narrow *t) {
#ifdef __AVX512F__
  const __m512i low = _mm512_load_si512(&t->u[0]), high = _mm512_load_si512(&t->u[16]);
  return (uint32_t)_mm512_test_epi32_mask(low, low) | (uint32_t)_mm512_test_epi32_mask(high, high) << 16;
#else
  uint32_t mask = 0;
  for (int l = 0; l < LANES; l++) mask |= (uint32_t)(t->u[l] != 0) << l;
  return mask;
#endif
}

static inline void set_mask(warp *w, uint32_t mask) {
  w->mask = mask;
  w->full = mask == ~0u;
  for (int l = 0; l < LANES; l++) w->active.u[l] = 0 - (mask >> l & 1);
}

static inline const step *stop(warp *w, const char *fault) {
  w->head.state = FAULTED;
  w->head.fault = fault;
  return NULL;
}

/* An instruction of one result: `result` of a narrow or wide one, of sources A, B, C read as .u, .i or .f. */
#define INSTRUCTION(name, result_file, a_file, result) \
  static const step *name(warp *w, const step *o) {    \
    result_file *d = REGISTER_##result_file(o->d[0]);  \
    const a_file *a = REGISTER_##a_file(o->x[0]);      \
    const a_file *b = REGISTER_##a_file(o->x[1]);      \
    (void)b;                                           \
    ACTIVE_LANES(d->result);                           \
    return o + 1;                                      \
  }
#define REGISTER_narrow(i) (&w->r[i])
#define REGISTER_wide(i) (&w->q[i])
#define MASK_IF(condition) (0 - (uint32_t)(condition))

/* Tables of the files, each ended by a name that is NULL. */
extern const instruction ptx_float_instructions[], ptx_integer_instructions[], ptx_wide_instructions[],
    ptx_compare_instructions[], ptx_convert_instructions[], ptx_memory_instructions[], ptx_control_instructions[];

#endif
