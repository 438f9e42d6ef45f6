/* Global memory. Of 16 lanes, as many as a block of the batch has images, neighbours mostly read neighbouring words, or
 * all the same one: those are copied at once, others lane by lane. */
#include "wave.h"

enum { RUN = 16 };

/* A load's sources are address and base; a store's address, value and base. */
enum { LOAD_BASE = 1, VALUE = 1, STORE_BASE = 2 };

/* x[0], a pair of vector registers, or 32 bits (then `high` is NULL) to which x[b], a scalar pair, is added. */
typedef struct addresses {
  const lanes *low, *high;
  uint64_t base;
} addresses;

static inline addresses find_addresses(const wave *w, const step *o, int b) {
  const lanes *low = &w->v[o->x[0].index];
  const uint64_t offset = (uint64_t)(int64_t)o->offset[0];
  if (o->x[b].scalar) return (addresses){low, NULL, pair(w, o->x[b].index) + offset};
  return (addresses){low, low + 1, offset};
}

static inline uint64_t address_of(const addresses *a, uint64_t l) {
  return a->base + (a->high ? (uint64_t)a->high->u[l] << 32 : 0) + a->low->u[l];
}

typedef struct run {
  enum { SCATTERED, NEIGHBOURS, SAME } how;
  uint64_t first; /* the address of lane k, if it were active, or of all */
} run;

static inline bool any(const uint32_t t[RUN]) {
#ifdef __AVX512F__
  const __m512i x = _mm512_loadu_si512(t);
  return _mm512_test_epi32_mask(x, x) != 0;
#else
  uint32_t r = 0;
  for (int i = 0; i < RUN; i++) r |= t[i];
  return r != 0;
#endif
}

/* Of the lanes from k on, whose active ones are `bits`, at least one. */
static inline run look(const wave *w, const addresses *a, int k, uint32_t bits) {
  const int f = __builtin_ctz(bits);
  const uint32_t *low = &a->low->u[k], *active = &w->active.u[k], l0 = low[f];
  uint32_t apart[RUN], unlike[RUN];
  EACH_OF(RUN) {
    apart[i] = (low[i] - l0 - 4 * (uint32_t)(i - f)) & active[i];
    unlike[i] = (low[i] - l0) & active[i];
  }
  if (a->high) {
    const uint32_t *high = &a->high->u[k], h0 = high[f];
    EACH_OF(RUN) {
      const uint32_t other = (high[i] ^ h0) & active[i];
      apart[i] |= other;
      unlike[i] |= other;
    }
  }
  const uint64_t first = address_of(a, (uint64_t)(k + f));
  if (!any(unlike)) return (run){SAME, first};
  if (!any(apart) && l0 < 0xffffff00u) return (run){NEIGHBOURS, first - 4 * (uint64_t)f};
  return (run){SCATTERED, 0};
}

/* The statement for each active lane l = k + i of a run. */
#define ACTIVE_OF_RUN(statement)       \
  do {                                 \
    if (bits == 0xffff) EACH_OF(RUN) { \
        const int l = k + i;           \
        statement;                     \
      }                                \
    else                               \
      EACH_OF(RUN) {                   \
        const int l = k + i;           \
        if (w->active.u[l]) {          \
          statement;                   \
        }                              \
      }                                \
  } while (0)

/* The statement that follows for each run from lane k on with active lanes, `bits`. */
#define EACH_RUN(exec)                 \
  for (int k = 0; k < LANES; k += RUN) \
    for (uint32_t bits = (uint32_t)((exec) >> k & 0xffff); bits; bits = 0)

#define EACH_SCATTERED \
  for (uint64_t left_ = bits, l; left_ && (l = (uint64_t)(k + __builtin_ctzll(left_)), 1); left_ &= left_ - 1)

static inline const step *load_words(wave *w, const step *o, int words) {
  const addresses a = find_addresses(w, o, LOAD_BASE);
  const uint64_t exec = exec_of(w);
  lanes *d = result(w, o);
  EACH_RUN(exec) {
    const run r = look(w, &a, k, bits);
    const uint32_t *const from = (const uint32_t *)(uintptr_t)r.first;
    if (r.how == NEIGHBOURS && words == 1) {
      ACTIVE_OF_RUN(d->u[l] = from[i]);
    } else if (r.how == SAME) {
      uint32_t value[4];
      memcpy(value, from, 4 * (size_t)words);
      for (int n = 0; n < words; n++) {
        const uint32_t x = value[n];
        uint32_t *to = d[n].u;
        ACTIVE_OF_RUN(to[l] = x);
      }
    } else {
      EACH_SCATTERED {
        uint32_t value[4];
        memcpy(value, (const void *)(uintptr_t)address_of(&a, l), 4 * (size_t)words);
        for (int n = 0; n < words; n++) d[n].u[l] = value[n];
      }
    }
  }
  return o + 1;
}

static inline const step *store_words(wave *w, const step *o, int words) {
  const addresses a = find_addresses(w, o, STORE_BASE);
  const uint64_t exec = exec_of(w);
  const lanes *x = &w->v[o->x[VALUE].index];
  EACH_RUN(exec) {
    const run r = look(w, &a, k, bits);
    if (r.how == NEIGHBOURS && words == 1) {
      uint32_t *const to = (uint32_t *)(uintptr_t)r.first;
      ACTIVE_OF_RUN(to[i] = x->u[l]);
    } else {
      EACH_SCATTERED {
        uint32_t value[4] = {0};
        for (int n = 0; n < words; n++) value[n] = x[n].u[l];
        memcpy((void *)(uintptr_t)address_of(&a, l), value, 4 * (size_t)words);
      }
    }
  }
  return o + 1;
}

/* A byte or two, whose upper bits are 0 or the sign; stores keep the lower bits. */
#define LOAD_PART(name, type)                                                   \
  static const step *name(wave *w, const step *o) {                             \
    const addresses a = find_addresses(w, o, LOAD_BASE);                        \
    lanes *d = result(w, o);                                                    \
    EACH_ACTIVE {                                                               \
      type value;                                                               \
      memcpy(&value, (const void *)(uintptr_t)address_of(&a, l), sizeof value); \
      d->u[l] = (uint32_t)(int32_t)value;                                       \
    }                                                                           \
    return o + 1;                                                               \
  }
#define STORE_PART(name, type)                                            \
  static const step *name(wave *w, const step *o) {                       \
    const addresses a = find_addresses(w, o, STORE_BASE);                 \
    EACH_ACTIVE {                                                         \
      const type value = (type)w->v[o->x[VALUE].index].u[l];              \
      memcpy((void *)(uintptr_t)address_of(&a, l), &value, sizeof value); \
    }                                                                     \
    return o + 1;                                                         \
  }
LOAD_PART(load_u8, uint8_t)
LOAD_PART(load_i8, int8_t)
LOAD_PART(load_u16, uint16_t)
LOAD_PART(load_i16, int16_t)
STORE_PART(store_8, uint8_t)
STORE_PART(store_16, uint16_t)

/* Without a result; groups on other threads may do the same at once. */
#define ATOMIC(name, call)                                          \
  static const step *name(wave *w, const step *o) {                 \
    const addresses a = find_addresses(w, o, STORE_BASE);           \
    EACH_ACTIVE {                                                   \
      uint32_t *const p = (uint32_t *)(uintptr_t)address_of(&a, l); \
      call(p, w->v[o->x[VALUE].index].u[l], __ATOMIC_SEQ_CST);      \
    }                                                               \
    return o + 1;                                                   \
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
