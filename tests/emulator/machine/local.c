/* Local memory, which a work-group shares, and values of other lanes that go through its hardware. An address beyond
 * the group's memory, or one that its size does not divide, is a fault. */
#include "wave.h"

/* The place of `bytes` bytes for lane l, `more` behind its address. NULL: not there, with a fault. */
static inline uint8_t *local_at(wave *w, const lanes *address, uint64_t l, uint32_t more, uint32_t bytes,
                                uint32_t alignment) {
  const uint32_t at = address->u[l] + more; /* negative addresses are usual, and wrap */
  if (at > w->local_bytes || bytes > w->local_bytes - at) {
    stop(w, "an address beyond local memory");
    return NULL;
  }
  if (at & (alignment - 1)) {
    stop(w, "an address in local memory that is not aligned");
    return NULL;
  }
  return w->local + at;
}

static inline const step *load_words(wave *w, const step *o, int words) {
  const lanes *address = &w->v[o->x[0].index];
  lanes *d = result(w, o);
  lanes got[4];
  EACH_ACTIVE {
    const uint8_t *from = local_at(w, address, l, (uint32_t)o->offset[0], 4 * (uint32_t)words, 4);
    if (!from) return NULL;
    for (int k = 0; k < words; k++) memcpy(&got[k].u[l], from + 4 * k, 4);
  }
  for (int k = 0; k < words; k++) ACTIVE_LANES(d[k].u[l] = got[k].u[l]);
  return o + 1;
}

static inline const step *store_words(wave *w, const step *o, int words) {
  const lanes *address = &w->v[o->x[0].index], *x = &w->v[o->x[1].index];
  EACH_ACTIVE {
    uint8_t *to = local_at(w, address, l, (uint32_t)o->offset[0], 4 * (uint32_t)words, 4);
    if (!to) return NULL;
    for (int k = 0; k < words; k++) memcpy(to + 4 * k, &x[k].u[l], 4);
  }
  return o + 1;
}

/* Two places, whose offsets count in units of what is loaded, or of 64 of those. */
static inline const step *load_two(wave *w, const step *o, int words, int unit) {
  const lanes *address = &w->v[o->x[0].index];
  lanes *d = result(w, o);
  lanes got[4];
  EACH_ACTIVE for (int k = 0; k < 2; k++) {
    const uint8_t *from = local_at(w, address, l, (uint32_t)(o->offset[k] * 4 * words * unit), 4 * (uint32_t)words, 4);
    if (!from) return NULL;
    for (int i = 0; i < words; i++) memcpy(&got[k * words + i].u[l], from + 4 * i, 4);
  }
  for (int k = 0; k < 2 * words; k++) ACTIVE_LANES(d[k].u[l] = got[k].u[l]);
  return o + 1;
}

static inline const step *store_two(wave *w, const step *o, int words, int unit) {
  const lanes *address = &w->v[o->x[0].index];
  EACH_ACTIVE for (int k = 0; k < 2; k++) {
    const lanes *x = &w->v[o->x[1 + k].index];
    uint8_t *to = local_at(w, address, l, (uint32_t)(o->offset[k] * 4 * words * unit), 4 * (uint32_t)words, 4);
    if (!to) return NULL;
    for (int i = 0; i < words; i++) memcpy(to + 4 * i, &x[i].u[l], 4);
  }
  return o + 1;
}

#define WORDS(n)                                                                      \
  static const step *load_##n(wave *w, const step *o) { return load_words(w, o, n); } \
  static const step *store_##n(wave *w, const step *o) { return store_words(w, o, n); }
WORDS(1)
WORDS(2)
WORDS(3)
WORDS(4)
static const step *load_two_1(wave *w, const step *o) { return load_two(w, o, 1, 1); }
static const step *load_two_2(wave *w, const step *o) { return load_two(w, o, 2, 1); }
static const step *load_far_1(wave *w, const step *o) { return load_two(w, o, 1, 64); }
static const step *load_far_2(wave *w, const step *o) { return load_two(w, o, 2, 64); }
static const step *store_two_1(wave *w, const step *o) { return store_two(w, o, 1, 1); }
static const step *store_two_2(wave *w, const step *o) { return store_two(w, o, 2, 1); }
static const step *store_far_1(wave *w, const step *o) { return store_two(w, o, 1, 64); }
static const step *store_far_2(wave *w, const step *o) { return store_two(w, o, 2, 64); }

#define LOAD_PART(name, type)                                                                                         \
  static const step *name(wave *w, const step *o) {                                                                   \
    lanes *d = result(w, o);                                                                                          \
    EACH_ACTIVE {                                                                                                     \
      const uint8_t *from = local_at(w, &w->v[o->x[0].index], l, (uint32_t)o->offset[0], sizeof(type), sizeof(type)); \
      if (!from) return NULL;                                                                                         \
      type value;                                                                                                     \
      memcpy(&value, from, sizeof value);                                                                             \
      d->u[l] = (uint32_t)(int32_t)value;                                                                             \
    }                                                                                                                 \
    return o + 1;                                                                                                     \
  }
#define STORE_PART(name, type)                                                                                \
  static const step *name(wave *w, const step *o) {                                                           \
    EACH_ACTIVE {                                                                                             \
      uint8_t *to = local_at(w, &w->v[o->x[0].index], l, (uint32_t)o->offset[0], sizeof(type), sizeof(type)); \
      if (!to) return NULL;                                                                                   \
      const type value = (type)w->v[o->x[1].index].u[l];                                                      \
      memcpy(to, &value, sizeof value);                                                                       \
    }                                                                                                         \
    return o + 1;                                                                                             \
  }
LOAD_PART(load_u8, uint8_t)
LOAD_PART(load_i8, int8_t)
LOAD_PART(load_u16, uint16_t)
LOAD_PART(load_i16, int16_t)
STORE_PART(store_8, uint8_t)
STORE_PART(store_16, uint16_t)

/* --- other lanes' values ------------------------------------------------------------------------------------------ */

/* Inactive lanes give 0. */
static inline uint32_t value_of(const wave *w, const lanes *x, uint32_t l) { return w->active.u[l] ? x->u[l] : 0; }

static const step *bpermute(wave *w, const step *o) {
  const lanes *address = &w->v[o->x[0].index], *x = &w->v[o->x[1].index];
  lanes got;
  EACH_ACTIVE got.u[l] = value_of(w, x, (address->u[l] + (uint32_t)o->offset[0]) / 4 % LANES);
  ACTIVE_LANES(result(w, o)->u[l] = got.u[l]);
  return o + 1;
}

/* The last of several lanes that write to one wins. */
static const step *permute(wave *w, const step *o) {
  const lanes *address = &w->v[o->x[0].index], *x = &w->v[o->x[1].index];
  lanes got;
  memset(&got, 0, sizeof got);
  EACH_ACTIVE got.u[(address->u[l] + (uint32_t)o->offset[0]) / 4 % LANES] = x->u[l];
  ACTIVE_LANES(result(w, o)->u[l] = got.u[l]);
  return o + 1;
}

/* The offset: with bit 15, for each of four lanes which of the four; else (l & and | or) ^ xor, of 32 lanes. */
static const step *swizzle(wave *w, const step *o) {
  const lanes *x = &w->v[o->x[0].index];
  const uint32_t how = (uint32_t)o->offset[0];
  lanes got;
  EACH_ACTIVE {
    const uint32_t i = (uint32_t)l, and = how & 31, or = how >> 5 & 31, xor = how >> 10 & 31;
    const uint32_t of_four = (i & ~3u) | (how >> 2 * (i & 3) & 3), of_32 = (i & ~31u) | (((i & and) | or) ^ xor);
    const uint32_t from = how & 0x8000 ? of_four : of_32;
    got.u[l] = value_of(w, x, from);
  }
  ACTIVE_LANES(result(w, o)->u[l] = got.u[l]);
  return o + 1;
}

/* Where gfx11 has another name than gfx90a, both. */
const instruction LANED(local_instructions)[] = {
    {"ds_load_b32", "Fv", load_1},
    {"ds_load_b64", "Fv", load_2},
    {"ds_load_b96", "Fv", load_3},
    {"ds_load_b128", "Fv", load_4},
    {"ds_read_b32", "Fv", load_1},
    {"ds_read_b64", "Fv", load_2},
    {"ds_read_b96", "Fv", load_3},
    {"ds_read_b128", "Fv", load_4},
    {"ds_store_b32", "vf", store_1},
    {"ds_store_b64", "vf", store_2},
    {"ds_store_b96", "vf", store_3},
    {"ds_store_b128", "vf", store_4},
    {"ds_write_b32", "vf", store_1},
    {"ds_write_b64", "vf", store_2},
    {"ds_write_b96", "vf", store_3},
    {"ds_write_b128", "vf", store_4},
    {"ds_load_2addr_b32", "Fv", load_two_1},
    {"ds_load_2addr_b64", "Fv", load_two_2},
    {"ds_load_2addr_stride64_b32", "Fv", load_far_1},
    {"ds_load_2addr_stride64_b64", "Fv", load_far_2},
    {"ds_read2_b32", "Fv", load_two_1},
    {"ds_read2_b64", "Fv", load_two_2},
    {"ds_read2st64_b32", "Fv", load_far_1},
    {"ds_read2st64_b64", "Fv", load_far_2},
    {"ds_store_2addr_b32", "vff", store_two_1},
    {"ds_store_2addr_b64", "vff", store_two_2},
    {"ds_store_2addr_stride64_b32", "vff", store_far_1},
    {"ds_store_2addr_stride64_b64", "vff", store_far_2},
    {"ds_write2_b32", "vff", store_two_1},
    {"ds_write2_b64", "vff", store_two_2},
    {"ds_write2st64_b32", "vff", store_far_1},
    {"ds_write2st64_b64", "vff", store_far_2},
    {"ds_load_u8", "Fv", load_u8},
    {"ds_load_i8", "Fv", load_i8},
    {"ds_load_u16", "Fv", load_u16},
    {"ds_load_i16", "Fv", load_i16},
    {"ds_read_u8", "Fv", load_u8},
    {"ds_read_i8", "Fv", load_i8},
    {"ds_read_u16", "Fv", load_u16},
    {"ds_read_i16", "Fv", load_i16},
    {"ds_store_b8", "vf", store_8},
    {"ds_store_b16", "vf", store_16},
    {"ds_write_b8", "vf", store_8},
    {"ds_write_b16", "vf", store_16},
    {"ds_bpermute_b32", "Fvf", bpermute},
    {"ds_permute_b32", "Fvf", permute},
    {"ds_swizzle_b32", "Fv", swizzle},
    {0},
};
