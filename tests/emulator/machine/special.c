/* Vector instructions with masks, carries, 64 bits, or other lanes' values. */
#include "wave.h"

#define U(x) x->u[l]

static inline uint32_t mask_of(const step *o, int i) { return o->x[i].index; }

/* --- selection and carries ---------------------------------------------------------------------------------------- */

static const step *cndmask(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o), choice;
  spread(bits_at(w, mask_of(o, 2)), &choice);
  ACTIVE_LANES(d->u[l] = choice.u[l] ? U(b) : U(a));
  return o + 1;
}

/* d, carries = a + b [+ carries] and a - b, b - a alike; carries of inactive lanes are 0. */
#define CARRY(name, first, second, value, carried)                                                                 \
  static const step *name(wave *w, const step *o) {                                                                \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1);                                                        \
    lanes *d = result(w, o), out;                                                                                  \
    if (!w->full) memset(&out, 0, sizeof out);                                                                     \
    ACTIVE_LANES(const uint32_t x = (first); const uint32_t y = (second); const uint32_t r = (value); d->u[l] = r; \
                 out.u[l] = (carried));                                                                            \
    set_bits(w, o->d[1].index, bits_of(&out));                                                                     \
    return o + 1;                                                                                                  \
  }
CARRY(add_co, U(a), U(b), x + y, r < x)
CARRY(sub_co, U(a), U(b), x - y, x < y)
CARRY(subrev_co, U(b), U(a), x - y, x < y)

#define CARRY_IN(name, first, second, value, carried)                                                     \
  static const step *name(wave *w, const step *o) {                                                       \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1);                                               \
    lanes *d = result(w, o), out, in;                                                                     \
    if (!w->full) memset(&out, 0, sizeof out);                                                            \
    spread(bits_at(w, mask_of(o, 2)), &in);                                                               \
    ACTIVE_LANES(const uint32_t x = (first); const uint32_t y = (second); const uint32_t k = in.u[l] & 1; \
                 const uint32_t r = (value); d->u[l] = r; out.u[l] = (carried));                          \
    set_bits(w, o->d[1].index, bits_of(&out));                                                            \
    return o + 1;                                                                                         \
  }
CARRY_IN(add_ci, U(a), U(b), x + y + k, (x + y < x) | (r < k))
CARRY_IN(sub_ci, U(a), U(b), x - y - k, (x < y) | (x - y < k))
CARRY_IN(subrev_ci, U(b), U(a), x - y - k, (x < y) | (x - y < k))

/* An address's two additions, which every third instruction is, at once: of o, and with its carry of o + 1. */
static const step *add_wide(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1), *c = source_to(w, o + 1, 0, 2),
              *e = source_to(w, o + 1, 1, 3);
  lanes *low = result(w, o), *high = result(w, o + 1), out;
  if (!w->full) memset(&out, 0, sizeof out);
  ACTIVE_LANES(const uint32_t x = U(a); const uint32_t r = x + U(b); const uint32_t k = r < x; const uint32_t y = U(c);
               const uint32_t s = y + U(e); const uint32_t t = s + k; low->u[l] = r; high->u[l] = t;
               out.u[l] = (s < y) | (t < k));
  set_bits(w, o->d[1].index, bits_of(&out));
  w->head.count++;
  return o + 2;
}

/* If one mask carries from the first to the second, and nothing else does. */
void LANED(fuse)(step *first, const step *second) {
  if (first->run != add_co || second->run != add_ci) return;
  const uint32_t mask = first->d[1].index, sum = first->d[0].index;
  if (second->x[2].index != mask || second->d[1].index != mask) return;
  for (int i = 0; i < 2; i++)
    if (!second->x[i].scalar && second->x[i].index == sum) return;
  for (int i = 0; i < 2; i++)
    if (second->x[i].scalar && (second->x[i].index == mask || second->x[i].index == mask + 1)) return;
  first->run = add_wide;
}

/* --- 64 bits ------------------------------------------------------------------------------------------------------ */

/* Source i of 64 bits, its halves in all lanes. */
typedef struct halves {
  const lanes *low, *high;
} halves;
static inline halves wide_source(wave *w, const step *o, int i) {
  const operand x = o->x[i];
  if (!x.scalar) return (halves){&w->v[x.index], &w->v[x.index + 1]};
  lanes *low = &w->broadcast[2], *high = &w->broadcast[3];
  const uint64_t value = pair(w, x.index);
  EACH_LANE low->u[l] = (uint32_t)value;
  EACH_LANE high->u[l] = (uint32_t)(value >> 32);
  return (halves){low, high};
}

#define SHIFT(name, expression)                                                                               \
  static const step *name(wave *w, const step *o) {                                                           \
    const lanes *a = source(w, o, 0);                                                                         \
    const halves b = wide_source(w, o, 1);                                                                    \
    lanes *low = result(w, o), *high = low + 1;                                                               \
    ACTIVE_LANES(const uint64_t x = (uint64_t)b.high->u[l] << 32 | b.low->u[l]; const uint32_t n = U(a) & 63; \
                 const uint64_t r = (uint64_t)(expression); low->u[l] = (uint32_t)r;                          \
                 high->u[l] = (uint32_t)(r >> 32));                                                           \
    return o + 1;                                                                                             \
  }
SHIFT(lshlrev_b64, x << n)
SHIFT(lshrrev_b64, x >> n)
SHIFT(ashrrev_i64, (int64_t)x >> n)

#define WIDE(name, expression)                                       \
  static const step *name(wave *w, const step *o) {                  \
    const lanes *b = source(w, o, 1);                                \
    (void)b;                                                         \
    for (int l = 0; l < LANES; l++)                                  \
      if (w->active.u[l]) set_wide(w, o, l, (uint64_t)(expression)); \
    return o + 1;                                                    \
  }

/* Bit 64 of the sum is the carry. */
#define MAD(name, type, product)                                         \
  static const step *name(wave *w, const step *o) {                      \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1);              \
    uint64_t carries = 0;                                                \
    for (int l = 0; l < LANES; l++) {                                    \
      if (!w->active.u[l]) continue;                                     \
      const __int128 sum = (__int128)(product) + (type)wide(w, o, 2, l); \
      set_wide(w, o, l, (uint64_t)sum);                                  \
      carries |= (uint64_t)(sum >> 64 & 1) << l;                         \
    }                                                                    \
    set_bits(w, o->d[1].index, carries);                                 \
    return o + 1;                                                        \
  }
MAD(mad_u64_u32, uint64_t, (uint64_t)U(a) * U(b))
MAD(mad_i64_i32, int64_t, (int64_t)a->i[l] * b->i[l])
WIDE(lshl_add_u64, (wide(w, o, 0, l) << (U(b) & 63)) + wide(w, o, 2, l))
WIDE(mov_b64, wide(w, o, 0, l))

/* Half h of the packed source i, as op_sel (h = 0) or op_sel_hi (1) and neg_lo or neg_hi say: bits 3h and on of the
 * immediate the former, of its upper 16 the latter. */
static inline float half_of(const wave *w, const step *o, int i, int h, int l) {
  const uint32_t bit = 1u << (3 * h + i);
  const uint32_t index = o->x[i].index + ((o->immediate & bit) != 0 ? 1u : 0u);
  const uint32_t u = o->x[i].scalar ? w->s[index] : w->v[index].u[l];
  return as_float((o->immediate >> 16 & bit) != 0 ? u ^ 0x80000000u : u);
}
#define PACKED(name, expression)                                                                                 \
  static inline uint32_t name##_half(const wave *w, const step *o, int h, int l) { return as_bits(expression); } \
  WIDE(name, (uint64_t)name##_half(w, o, 1, l) << 32 | name##_half(w, o, 0, l))
PACKED(pk_fma_f32, __builtin_fmaf(half_of(w, o, 0, h, l), half_of(w, o, 1, h, l), half_of(w, o, 2, h, l)))
PACKED(pk_mul_f32, half_of(w, o, 0, h, l) * half_of(w, o, 1, h, l))
PACKED(pk_add_f32, half_of(w, o, 0, h, l) + half_of(w, o, 1, h, l))
WIDE(pk_mov_b32, (uint64_t)as_bits(half_of(w, o, 1, 0, l)) << 32 | as_bits(half_of(w, o, 0, 0, l)))

/* --- other lanes -------------------------------------------------------------------------------------------------- */

static const step *readfirstlane(wave *w, const step *o) {
  const uint64_t exec = exec_of(w);
  w->s[o->d[0].index] = source(w, o, 0)->u[exec ? __builtin_ctzll(exec) : 0];
  return o + 1;
}
static const step *readlane(wave *w, const step *o) {
  w->s[o->d[0].index] = source(w, o, 0)->u[w->s[o->x[1].index] % LANES];
  return o + 1;
}
static const step *writelane(wave *w, const step *o) {
  result(w, o)->u[w->s[o->x[1].index] % LANES] = w->s[o->x[0].index];
  return o + 1;
}

/* The register whose number m0 is added to. */
static const step *movreld(wave *w, const step *o) {
  const uint32_t index = o->d[0].index + w->s[M0];
  if (index >= FIRST_ACCUMULATOR) return stop(w, "a register that there is not");
  const lanes *a = source(w, o, 0);
  lanes *d = &w->v[index];
  ACTIVE_LANES(d->u[l] = U(a));
  return o + 1;
}
static const step *movrels(wave *w, const step *o) {
  const uint32_t index = o->x[0].index + w->s[M0];
  if (index >= FIRST_ACCUMULATOR) return stop(w, "a register that there is not");
  const lanes *a = &w->v[index];
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(a));
  return o + 1;
}

/* What m0 adds to the moves behind it, of which the decoder makes the two above. */
static const step *set_index(wave *w, const step *o) {
  w->s[M0] = w->s[o->x[0].index] & 0xff;
  return o + 1;
}

/* How many of a mask's lanes come before this one: of the lower 32 lanes, of the upper. */
static inline uint32_t before(int l) { return l < 0 ? 0 : l < 32 ? (1u << l) - 1 : ~0u; }
static const step *mbcnt_lo(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(b) + (uint32_t)__builtin_popcount(U(a) & before(l)));
  return o + 1;
}
static const step *mbcnt_hi(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(b) + (uint32_t)__builtin_popcount(U(a) & before(l - 32)));
  return o + 1;
}

const instruction LANED(special_instructions)[] = {
    {"v_cndmask_b32", "Daam", cndmask},
    {"v_add_co_u32", "DMaa", add_co},
    {"v_sub_co_u32", "DMaa", sub_co},
    {"v_subrev_co_u32", "DMaa", subrev_co},
    {"v_add_co_ci_u32", "DMaam", add_ci},
    {"v_addc_co_u32", "DMaam", add_ci},
    {"v_sub_co_ci_u32", "DMaam", sub_ci},
    {"v_subb_co_u32", "DMaam", sub_ci},
    {"v_subrev_co_ci_u32", "DMaam", subrev_ci},
    {"v_subbrev_co_u32", "DMaam", subrev_ci},
    {"v_lshlrev_b64", "EaA", lshlrev_b64},
    {"v_lshrrev_b64", "EaA", lshrrev_b64},
    {"v_ashrrev_i64", "EaA", ashrrev_i64},
    {"v_mad_u64_u32", "EMaaA", mad_u64_u32},
    {"v_mad_i64_i32", "EMaaA", mad_i64_i32},
    {"v_lshl_add_u64", "EAaA", lshl_add_u64},
    {"v_mov_b64", "EA", mov_b64},
    {"v_pk_fma_f32", "EPPP", pk_fma_f32},
    {"v_pk_mul_f32", "EPP", pk_mul_f32},
    {"v_pk_add_f32", "EPP", pk_add_f32},
    {"v_pk_mov_b32", "EPP", pk_mov_b32},
    {"v_readfirstlane_b32", "Sa", readfirstlane},
    {"v_readlane_b32", "Sas", readlane},
    {"v_writelane_b32", "Dss", writelane},
    {"s_set_gpr_idx_on", "si", set_index},
    {"s_set_gpr_idx_off", "", NULL},
    {"v_movreld_b32", "Da", movreld},
    {"v_movrels_b32", "Da", movrels},
    {"v_mbcnt_lo_u32_b32", "Daa", mbcnt_lo},
    {"v_mbcnt_hi_u32_b32", "Daa", mbcnt_hi},
    {0},
};
