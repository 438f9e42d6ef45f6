/* Global memory. Neighbouring lanes mostly read neighbouring words, or all the same one: those are copied
 * at once, others lane by lane. */
#include "wave.h"

typedef struct addresses {
  uint64_t of[LANES];
  int first; /* active lane; -1: there is none */
  enum { SCATTERED, NEIGHBOURS, SAME } how;
} addresses;

/* A load's sources are address and base; a store's address, value and base. */
enum { LOAD_BASE = 1, VALUE = 1, STORE_BASE = 2 };

/* x[0]: a pair of vector registers, or 32 bits to which x[b], a scalar pair, is added. */
static inline void find_addresses(const wave *w, const step *o, int b, addresses *at) {
  const lanes *low = &w->v[o->x[0].index], *high = low + 1;
  const bool has_base = o->x[b].scalar;
  const uint64_t base = (has_base ? pair(w, o->x[b].index) : 0) + (uint64_t)(int64_t)o->offset[0];
  const uint64_t exec = exec_of(w);
  at->first = exec ? __builtin_ctzll(exec) : -1;
  if (!exec) return;
  const uint32_t l0 = low->u[at->first], h0 = has_base ? 0 : high->u[at->first], f = (uint32_t)at->first;
  uint32_t apart = 0, unlike = 0, other = 0;
  EACH_LANE {
    apart |= (low->u[l] - l0 - 4 * ((uint32_t)l - f)) & w->active.u[l];
    unlike |= (low->u[l] - l0) & w->active.u[l];
  }
  if (!has_base) EACH_LANE other |= (high->u[l] - h0) & w->active.u[l];
  const bool wraps = l0 > 0xffffff00u;
  at->how = other || wraps ? SCATTERED : !unlike ? SAME : !apart ? NEIGHBOURS : SCATTERED;
  if (at->how != SCATTERED) {
    at->of[0] = base + ((uint64_t)h0 << 32 | l0);
    return;
  }
  for (int l = 0; l < LANES; l++) at->of[l] = base + (has_base ? low->u[l] : (uint64_t)high->u[l] << 32 | low->u[l]);
}

static inline uint64_t address_of(const addresses *at, uint64_t l) {
  return at->how == NEIGHBOURS ? at->of[0] + 4 * (l - (uint64_t)at->first) : at->how == SAME ? at->of[0] : at->of[l];
}

/* --- global memory ------------------------------------------------------------------------------------------------ */

static inline const step *load_words(wave *w, const step *o, int words) {
  addresses at;
  find_addresses(w, o, LOAD_BASE, &at);
  if (at.first < 0) return o + 1;
  lanes *d = result(w, o);
  if (at.how == NEIGHBOURS && words == 1) {
    const uint32_t *from = (const uint32_t *)(uintptr_t)at.of[0] - at.first;
    ACTIVE_LANES(d->u[l] = from[l]);
  } else if (at.how == SAME) {
    uint32_t value[4];
    memcpy(value, (const void *)(uintptr_t)at.of[0], 4 * (size_t)words);
    for (int k = 0; k < words; k++) {
      const uint32_t x = value[k];
      lanes *to = d + k;
      ACTIVE_LANES(to->u[l] = x);
    }
  } else {
    EACH_ACTIVE {
      uint32_t value[4];
      memcpy(value, (const void *)(uintptr_t)address_of(&at, l), 4 * (size_t)words);
      for (int k = 0; k < words; k++) d[k].u[l] = value[k];
    }
  }
  return o + 1;
}

static inline const step *store_words(wave *w, const step *o, int words) {
  addresses at;
  find_addresses(w, o, STORE_BASE, &at);
  if (at.first < 0) return o + 1;
  const lanes *x = &w->v[o->x[VALUE].index];
  if (at.how == NEIGHBOURS && words == 1) {
    uint32_t *to = (uint32_t *)(uintptr_t)at.of[0] - at.first;
    ACTIVE_LANES(to[l] = x->u[l]);
    return o + 1;
  }
  EACH_ACTIVE {
    uint32_t value[4];
    for (int k = 0; k < words; k++) value[k] = x[k].u[l];
    memcpy((void *)(uintptr_t)address_of(&at, l), value, 4 * (size_t)words);
  }
  return o + 1;
}

/* A byte or two, whose upper bits are 0 or the sign; stores keep the lower bits. */
#define LOAD_PART(name, type)                                                    \
  static const step *name(wave *w, const step *o) {                              \
    addresses at;                                                                \
    find_addresses(w, o, LOAD_BASE, &at);                                        \
    lanes *d = result(w, o);                                                     \
    EACH_ACTIVE {                                                                \
      type value;                                                                \
      memcpy(&value, (const void *)(uintptr_t)address_of(&at, l), sizeof value); \
      d->u[l] = (uint32_t)(int32_t)value;                                        \
    }                                                                            \
    return o + 1;                                                                \
  }
#define STORE_PART(name, type)                                             \
  static const step *name(wave *w, const step *o) {                        \
    addresses at;                                                          \
    find_addresses(w, o, STORE_BASE, &at);                                 \
    const lanes *x = &w->v[o->x[VALUE].index];                             \
    EACH_ACTIVE {                                                          \
      const type value = (type)x->u[l];                                    \
      memcpy((void *)(uintptr_t)address_of(&at, l), &value, sizeof value); \
    }                                                                      \
    return o + 1;                                                          \
  }
LOAD_PART(load_u8, uint8_t)
LOAD_PART(load_i8, int8_t)
LOAD_PART(load_u16, uint16_t)
LOAD_PART(load_i16, int16_t)
STORE_PART(store_8, uint8_t)
STORE_PART(store_16, uint16_t)

/* The old value goes to d when there is a result; groups of other threads do the same at once. */
#define ATOMIC(name, call)                                           \
  static const step *name(wave *w, const step *o) {                  \
    addresses at;                                                    \
    find_addresses(w, o, STORE_BASE, &at);                           \
    const lanes *x = &w->v[o->x[VALUE].index];                       \
    EACH_ACTIVE {                                                    \
      uint32_t *const p = (uint32_t *)(uintptr_t)address_of(&at, l); \
      const uint32_t value = x->u[l];                                \
      call(p, value, __ATOMIC_SEQ_CST);                              \
    }                                                                \
    return o + 1;                                                    \
  }
ATOMIC(atomic_add, __atomic_fetch_add)
ATOMIC(atomic_or, __atomic_fetch_or)
ATOMIC(atomic_and, __atomic_fetch_and)

#define WORDS(n)                                                                      \
  static const step *load_##n(wave *w, const step *o) { return load_words(w, o, n); } \
  static const step *store_##n(wave *w, const step *o) { return store_words(w, o, n); }
WORDS(1)
WORDS(2)
WORDS(3)
WORDS(4)

#define ROWS(suffix, n) {"global_load_" suffix, "Fvp", load_##n}, {"global_store_" suffix, "vfp", store_##n},

/* Where gfx11 has another name than gfx90a, both. */
const instruction LANED(memory_instructions)[] = {
    ROWS("b32", 1) ROWS("b64", 2) ROWS("b96", 3) ROWS("b128", 4) ROWS("dword", 1) ROWS("dwordx2", 2) ROWS("dwordx3", 3)
        ROWS("dwordx4", 4){"global_load_u8", "Fvp", load_u8},
    {"global_load_ubyte", "Fvp", load_u8},
    {"global_load_i8", "Fvp", load_i8},
    {"global_load_sbyte", "Fvp", load_i8},
    {"global_load_u16", "Fvp", load_u16},
    {"global_load_ushort", "Fvp", load_u16},
    {"global_load_i16", "Fvp", load_i16},
    {"global_load_sshort", "Fvp", load_i16},
    {"global_store_b8", "vfp", store_8},
    {"global_store_byte", "vfp", store_8},
    {"global_store_b16", "vfp", store_16},
    {"global_store_short", "vfp", store_16},
    {"global_atomic_add_u32", "vfp", atomic_add},
    {"global_atomic_add", "vfp", atomic_add},
    {"global_atomic_or_b32", "vfp", atomic_or},
    {"global_atomic_or", "vfp", atomic_or},
    {"global_atomic_and_b32", "vfp", atomic_and},
    {"global_atomic_and", "vfp", atomic_and},
    {0},
};
