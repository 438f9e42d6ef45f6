/* Private memory that registers do not hold: each lane has its own bytes, from address 0 on. An address beyond them is
 * a fault. gfx11 has scratch_load and scratch_store; gfx90a a buffer, whose descriptor is s[0:3]. */
#include "wave.h"

/* x[v]: an offset in a vector register, or off; x[s]: one more in a scalar register, or off. */
static inline uint8_t *private_at(wave *w, const step *o, int v, int s, uint64_t l, uint32_t bytes) {
  const uint32_t lane_part = o->x[v].scalar ? 0 : w->v[o->x[v].index].u[l];
  const uint32_t scalar_part = o->x[s].scalar ? w->s[o->x[s].index] : 0;
  const uint32_t at = lane_part + scalar_part + (uint32_t)o->offset[0];
  if (at > w->scratch_bytes || bytes > w->scratch_bytes - at) {
    stop(w, "an address beyond private memory");
    return NULL;
  }
  return w->scratch + l * w->scratch_bytes + at;
}

static inline const step *load(wave *w, const step *o, int words) {
  lanes *d = result(w, o);
  EACH_ACTIVE {
    const uint8_t *from = private_at(w, o, 0, 1, l, 4 * (uint32_t)words);
    if (!from) return NULL;
    uint32_t value[4];
    memcpy(value, from, 4 * (size_t)words);
    for (int k = 0; k < words; k++) d[k].u[l] = value[k];
  }
  return o + 1;
}

/* Of x[value], to the address of x[v] and x[2]. */
static inline const step *store(wave *w, const step *o, int value, int v, int words) {
  const lanes *x = &w->v[o->x[value].index];
  EACH_ACTIVE {
    uint8_t *to = private_at(w, o, v, 2, l, 4 * (uint32_t)words);
    if (!to) return NULL;
    for (int k = 0; k < words; k++) memcpy(to + 4 * k, &x[k].u[l], 4);
  }
  return o + 1;
}

#define WORDS(n)                                                                        \
  static const step *load_##n(wave *w, const step *o) { return load(w, o, n); }         \
  static const step *store_##n(wave *w, const step *o) { return store(w, o, 1, 0, n); } \
  static const step *put_##n(wave *w, const step *o) { return store(w, o, 0, 1, n); }
WORDS(1)
WORDS(2)
WORDS(3)
WORDS(4)

#define ROWS(suffix, n) {"scratch_load_" suffix, "Fvp", load_##n}, {"scratch_store_" suffix, "vfp", store_##n},
#define BUFFER_ROWS(suffix, n) {"buffer_load_" suffix, "Fvqs", load_##n}, {"buffer_store_" suffix, "fvqs", put_##n},

const instruction LANED(private_instructions)[] = {
    ROWS("b32", 1) ROWS("b64", 2) ROWS("b96", 3) ROWS("b128", 4) BUFFER_ROWS("dword", 1) BUFFER_ROWS("dwordx2", 2)
        BUFFER_ROWS("dwordx3", 3) BUFFER_ROWS("dwordx4", 4){0},
};
