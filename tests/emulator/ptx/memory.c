/* "Data Movement and Conversion Instructions": loads, stores and atomics, by state space. Global and constant addresses
 * are the host's, shared and private ones begin at 0; generic ones of these two have a window each. An address must be
 * a multiple of what is moved. */
#include "memory.h"

static uint64_t generic(const warp *w, uint64_t address, uint32_t thread, uint32_t bytes) {
  const uint64_t inside = address & (WINDOW - 1);
  if (address / WINDOW == SHARED_WINDOW)
    return inside + bytes <= w->launch->local_bytes ? (uint64_t)(uintptr_t)w->local + inside : BEYOND_SHARED;
  if (address / WINDOW == PRIVATE_WINDOW) {
    const uint32_t have = w->launch->kernel->head.private_bytes;
    return inside + bytes <= have ? (uint64_t)(uintptr_t)w->scratch + (uint64_t)thread * have + inside : BEYOND_PRIVATE;
  }
  return address;
}

/* For each active thread where on the host its `bytes` are. */
static inline bool find(warp *w, const step *o, const wide *base, state_space from, uint32_t bytes, wide *at) {
  const uint64_t offset = (uint64_t)(int64_t)o->offset, size = w->launch->local_bytes;
  const ptx_kernel *k = w->launch->kernel;
  const uint64_t image = (uint64_t)(uintptr_t)k->image, local = (uint64_t)(uintptr_t)w->local,
                 scratch = (uint64_t)(uintptr_t)w->scratch, have = k->head.private_bytes;
  uint64_t wrong = 0, odd = 0;
  EACH_LANE at->u[l] = base->u[l] + offset;
  EACH_LANE odd |= w->active.u[l] ? at->u[l] & (bytes - 1) : 0;
  if (odd) return stop(w, "an address that is no multiple of its size"), false;
  switch (from) {
    case GLOBAL:
      return true;
    case GENERIC:
      EACH_ACTIVE {
        at->u[l] = generic(w, at->u[l], l, bytes);
        if (at->u[l] == BEYOND_SHARED) return stop(w, "an address beyond shared memory"), false;
        if (at->u[l] == BEYOND_PRIVATE) return stop(w, "an address beyond private memory"), false;
      }
      return true;
    case CONSTANT:
      EACH_LANE wrong |= w->active.u[l] ? at->u[l] < image || at->u[l] + bytes > image + k->image_bytes : 0;
      if (wrong) stop(w, "an address beyond constant memory");
      return !wrong;
    case SHARED:
      EACH_LANE wrong |= w->active.u[l] ? at->u[l] > size || at->u[l] + bytes > size : 0;
      if (wrong) stop(w, "an address beyond shared memory");
      EACH_LANE at->u[l] += local;
      return !wrong;
    case PRIVATE:
      EACH_LANE wrong |= w->active.u[l] ? at->u[l] > have || at->u[l] + bytes > have : 0;
      if (wrong) stop(w, "an address beyond private memory");
      EACH_LANE at->u[l] += scratch + (uint64_t)l * have;
      return !wrong;
    default: /* parameters, below */
      return false;
  }
}

/* How the active threads' addresses lie to each other. */
typedef enum pattern { NEIGHBOURS, SAME, SCATTERED } pattern;

/* `first`: what a thread 0 would have, were it active. */
static inline pattern look(const warp *w, const wide *at, uint32_t bytes, uint64_t *first) {
  const uint32_t f = (uint32_t)__builtin_ctz(w->mask);
  const uint64_t one = at->u[f], zero = one - (uint64_t)f * bytes;
  uint64_t not_same = 0, not_next = 0;
  EACH_LANE {
    const uint64_t there = w->active.u[l] ? ~(uint64_t)0 : 0;
    not_same |= (at->u[l] ^ one) & there;
    not_next |= (at->u[l] ^ (zero + (uint64_t)l * bytes)) & there;
  }
  *first = not_same ? zero : one;
  return !not_same ? SAME : !not_next ? NEIGHBOURS : SCATTERED;
}

static inline void *pointer(uint64_t address) { return (void *)(uintptr_t)address; }

/* --- words of 32 bits, one to four -------------------------------------------------------------------------------- */

static inline const step *load_words(warp *w, const step *o, state_space from, int words) {
  wide at;
  uint64_t first;
  const uint32_t bytes = 4 * (uint32_t)words;
  if (!find(w, o, &w->q[o->x[0]], from, bytes, &at)) return NULL;
  const pattern how = look(w, &at, bytes, &first);
  if (how == SAME) {
    uint32_t value[4];
    memcpy(value, pointer(first), bytes);
    for (int n = 0; n < words; n++) {
      narrow *d = &w->r[o->d[n]];
      const uint32_t v = value[n];
      ACTIVE_LANES(d->u[l] = v);
    }
  } else if (how == NEIGHBOURS && words == 1) {
    const uint32_t *next = pointer(first);
    narrow *d = &w->r[o->d[0]];
    ACTIVE_LANES(d->u[l] = next[l]);
  } else {
    EACH_ACTIVE {
      uint32_t value[4];
      memcpy(value, pointer(at.u[l]), bytes);
      for (int n = 0; n < words; n++) w->r[o->d[n]].u[l] = value[n];
    }
  }
  return o + 1;
}

static inline const step *store_words(warp *w, const step *o, state_space to, int words) {
  wide at;
  uint64_t first;
  const uint32_t bytes = 4 * (uint32_t)words;
  if (!find(w, o, &w->q[o->x[0]], to, bytes, &at)) return NULL;
  if (words == 1 && look(w, &at, bytes, &first) == NEIGHBOURS) {
    uint32_t *next = pointer(first);
    const narrow *x = &w->r[o->x[1]];
    ACTIVE_LANES(next[l] = x->u[l]);
    return o + 1;
  }
  EACH_ACTIVE {
    uint32_t value[4] = {0};
    for (int n = 0; n < words; n++) value[n] = w->r[o->x[1 + n]].u[l];
    memcpy(pointer(at.u[l]), value, bytes);
  }
  return o + 1;
}

/* --- of 64 bits; bytes and halves, whose upper bits become 0 or the sign ------------------------------------------ */

#define POINTER_narrow narrow *
#define POINTER_wide wide *
#define SIGNED_narrow int32_t
#define SIGNED_wide int64_t

#define LOAD_ONE(name, from, file, type)                                   \
  static const step *name(warp *w, const step *o) {                        \
    wide at;                                                               \
    POINTER_##file d = REGISTER_##file(o->d[0]);                           \
    if (!find(w, o, &w->q[o->x[0]], from, sizeof(type), &at)) return NULL; \
    EACH_ACTIVE {                                                          \
      type value;                                                          \
      memcpy(&value, pointer(at.u[l]), sizeof value);                      \
      d->i[l] = (SIGNED_##file)value;                                      \
    }                                                                      \
    return o + 1;                                                          \
  }
#define STORE_ONE(name, to, file, type)                                  \
  static const step *name(warp *w, const step *o) {                      \
    wide at;                                                             \
    const file *x = REGISTER_##file(o->x[1]);                            \
    if (!find(w, o, &w->q[o->x[0]], to, sizeof(type), &at)) return NULL; \
    EACH_ACTIVE {                                                        \
      const type value = (type)x->u[l];                                  \
      memcpy(pointer(at.u[l]), &value, sizeof value);                    \
    }                                                                    \
    return o + 1;                                                        \
  }

#define LOADS(in, from)                                                                        \
  static const step *in##_load_1(warp *w, const step *o) { return load_words(w, o, from, 1); } \
  static const step *in##_load_2(warp *w, const step *o) { return load_words(w, o, from, 2); } \
  static const step *in##_load_4(warp *w, const step *o) { return load_words(w, o, from, 4); } \
  LOAD_ONE(in##_load_u8, from, narrow, uint8_t)                                                \
  LOAD_ONE(in##_load_s8, from, narrow, int8_t)                                                 \
  LOAD_ONE(in##_load_u16, from, narrow, uint16_t)                                              \
  LOAD_ONE(in##_load_s16, from, narrow, int16_t)                                               \
  LOAD_ONE(in##_load_u64, from, wide, int64_t)
#define STORES(in, to)                                                                         \
  static const step *in##_store_1(warp *w, const step *o) { return store_words(w, o, to, 1); } \
  static const step *in##_store_2(warp *w, const step *o) { return store_words(w, o, to, 2); } \
  static const step *in##_store_4(warp *w, const step *o) { return store_words(w, o, to, 4); } \
  STORE_ONE(in##_store_u8, to, narrow, uint8_t)                                                \
  STORE_ONE(in##_store_u16, to, narrow, uint16_t)                                              \
  STORE_ONE(in##_store_u64, to, wide, uint64_t)
LOADS(global, GLOBAL)
LOADS(shared, SHARED)
LOADS(private, PRIVATE)
LOADS(constant, CONSTANT)
LOADS(generic, GENERIC)
STORES(global, GLOBAL)
STORES(shared, SHARED)
STORES(private, PRIVATE)
STORES(generic, GENERIC)

/* Threads of one warp one after the other; groups on other threads of the host may do the same at once. */
#define ATOMIC(name, to, call)                                                                      \
  static const step *name(warp *w, const step *o) {                                                 \
    wide at;                                                                                        \
    narrow *d = &w->r[o->d[0]];                                                                     \
    if (!find(w, o, &w->q[o->x[0]], to, 4, &at)) return NULL;                                       \
    EACH_ACTIVE d->u[l] = call((uint32_t *)pointer(at.u[l]), w->r[o->x[1]].u[l], __ATOMIC_SEQ_CST); \
    return o + 1;                                                                                   \
  }
#define ATOMICS(in, to)                    \
  ATOMIC(in##_add, to, __atomic_fetch_add) \
  ATOMIC(in##_or, to, __atomic_fetch_or)   \
  ATOMIC(in##_and, to, __atomic_fetch_and) \
  ATOMIC(in##_exchange, to, __atomic_exchange_n)
ATOMICS(global, GLOBAL)
ATOMICS(shared, SHARED)

/* --- parameters, which are alike for all; generic addresses ------------------------------------------------------- */

#define LOAD_PARAMETER(name, file, type)                         \
  static const step *name(warp *w, const step *o) {              \
    type value;                                                  \
    POINTER_##file d = REGISTER_##file(o->d[0]);                 \
    memcpy(&value, w->launch->values + o->offset, sizeof value); \
    ACTIVE_LANES(d->i[l] = (SIGNED_##file)value);                \
    return o + 1;                                                \
  }
LOAD_PARAMETER(parameter_u8, narrow, uint8_t)
LOAD_PARAMETER(parameter_s8, narrow, int8_t)
LOAD_PARAMETER(parameter_u16, narrow, uint16_t)
LOAD_PARAMETER(parameter_s16, narrow, int16_t)
LOAD_PARAMETER(parameter_32, narrow, int32_t)
LOAD_PARAMETER(parameter_64, wide, int64_t)

INSTRUCTION(from_shared, wide, wide, u[l] = a->u[l] + WINDOW * SHARED_WINDOW)
INSTRUCTION(from_private, wide, wide, u[l] = a->u[l] + WINDOW * PRIVATE_WINDOW)
INSTRUCTION(to_window, wide, wide, u[l] = a->u[l] & (WINDOW - 1))
INSTRUCTION(same_address, wide, wide, u[l] = a->u[l])

#define LOAD_WORDS(name, in, type)                                                             \
  {"ld" name "." type, "Va", in##_load_1, 1}, {"ld" name ".v2." type, "Va", in##_load_2, 2}, { \
    "ld" name ".v4." type, "Va", in##_load_4, 4                                                \
  }
#define STORE_WORDS(name, in, type)                                                              \
  {"st" name "." type, "av", in##_store_1, 1}, {"st" name ".v2." type, "av", in##_store_2, 2}, { \
    "st" name ".v4." type, "av", in##_store_4, 4                                                 \
  }
#define LOAD_ROWS(name, in)                                                                                           \
  LOAD_WORDS(name, in, "f32"), LOAD_WORDS(name, in, "u32"), LOAD_WORDS(name, in, "s32"), LOAD_WORDS(name, in, "b32"), \
      {"ld" name ".u8", "Ra", in##_load_u8, 0}, {"ld" name ".s8", "Ra", in##_load_s8, 0},                             \
      {"ld" name ".u16", "Ra", in##_load_u16, 0}, {"ld" name ".s16", "Ra", in##_load_s16, 0},                         \
      {"ld" name ".u64", "Wa", in##_load_u64, 0}, {"ld" name ".s64", "Wa", in##_load_u64, 0}, {                       \
    "ld" name ".b64", "Wa", in##_load_u64, 0                                                                          \
  }
#define STORE_ROWS(name, in)                                                                  \
  STORE_WORDS(name, in, "f32"), STORE_WORDS(name, in, "u32"), STORE_WORDS(name, in, "b32"),   \
      {"st" name ".u8", "ar", in##_store_u8, 0}, {"st" name ".u16", "ar", in##_store_u16, 0}, \
      {"st" name ".u64", "aw", in##_store_u64, 0}, {                                          \
    "st" name ".b64", "aw", in##_store_u64, 0                                                 \
  }
#define ATOMIC_ROWS(name, in)                                                               \
  {"atom" name ".add.u32", "Rar", in##_add, 0}, {"atom" name ".or.b32", "Rar", in##_or, 0}, \
      {"atom" name ".and.b32", "Rar", in##_and, 0}, {                                       \
    "atom" name ".exch.b32", "Rar", in##_exchange, 0                                        \
  }

const instruction ptx_memory_instructions[] = {
    LOAD_ROWS(".global", global),
    LOAD_ROWS(".global.nc", global),
    LOAD_ROWS(".volatile.global", global), /* every load and store is made where it stands */
    LOAD_ROWS(".volatile.shared", shared),
    LOAD_ROWS(".shared", shared),
    LOAD_ROWS(".local", private),
    LOAD_ROWS(".const", constant),
    LOAD_ROWS("", generic),
    STORE_ROWS(".global", global),
    STORE_ROWS(".volatile.global", global),
    STORE_ROWS(".volatile.shared", shared),
    STORE_ROWS(".shared", shared),
    STORE_ROWS(".local", private),
    STORE_ROWS("", generic),
    ATOMIC_ROWS(".global", global),
    ATOMIC_ROWS(".shared", shared),
    {"ld.param.u8", "Rm", parameter_u8, 0},
    {"ld.param.s8", "Rm", parameter_s8, 0},
    {"ld.param.u16", "Rm", parameter_u16, 0},
    {"ld.param.s16", "Rm", parameter_s16, 0},
    {"ld.param.u32", "Rm", parameter_32, 0},
    {"ld.param.s32", "Rm", parameter_32, 0},
    {"ld.param.f32", "Rm", parameter_32, 0},
    {"ld.param.u64", "Wm", parameter_64, 0},
    {"cvta.shared.u64", "Ww", from_shared, 0},
    {"cvta.local.u64", "Ww", from_private, 0},
    {"cvta.to.shared.u64", "Ww", to_window, 0},
    {"cvta.to.local.u64", "Ww", to_window, 0},
    {"cvta.global.u64", "Ww", same_address, 0},
    {"cvta.to.global.u64", "Ww", same_address, 0},
    {0},
};
