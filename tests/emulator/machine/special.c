/* Vector instructions with masks, carries, 64 bits, division, or other lanes' values. */
#include <math.h>

#include "wave.h"

#define U(x) x->u[l]
#define NEXT return o + 1

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
static inline uint32_t mask_of(const step *o, int i) { return o->x[i].index; }

/* --- selection and carries ---------------------------------------------------------------------------------------- */

static const step *cndmask(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o), choice;
  spread(bits_at(w, mask_of(o, 2)), &choice);
  ACTIVE_LANES(d->u[l] = choice.u[l] ? U(b) : U(a));
  NEXT;
}

/* d, carries = a + b [+ carries] and a - b, b - a alike; carries of inactive lanes are 0. */
#define CARRY(name, first, second, value, carried)                                                          \
  static const step *name(wave *w, const step *o) {                                                         \
    const lanes *first = source(w, o, 0), *second = source(w, o, 1);                                        \
    lanes *d = result(w, o), out;                                                                           \
    if (!w->full) memset(&out, 0, sizeof out);                                                              \
    ACTIVE_LANES(const uint32_t x = U(a); const uint32_t y = U(b); const uint32_t r = (value); d->u[l] = r; \
                 out.u[l] = (carried));                                                                     \
    set_bits(w, o->d[1].index, bits_of(&out));                                                              \
    NEXT;                                                                                                   \
  }
CARRY(add_co, a, b, x + y, r < x)
CARRY(sub_co, a, b, x - y, x < y)
CARRY(subrev_co, b, a, x - y, x < y)

#define CARRY_IN(name, first, second, value, carried)                                              \
  static const step *name(wave *w, const step *o) {                                                \
    const lanes *first = source(w, o, 0), *second = source(w, o, 1);                               \
    lanes *d = result(w, o), out, in;                                                              \
    if (!w->full) memset(&out, 0, sizeof out);                                                     \
    spread(bits_at(w, mask_of(o, 2)), &in);                                                        \
    ACTIVE_LANES(const uint32_t x = U(a); const uint32_t y = U(b); const uint32_t k = in.u[l] & 1; \
                 const uint32_t r = (value); d->u[l] = r; out.u[l] = (carried));                   \
    set_bits(w, o->d[1].index, bits_of(&out));                                                     \
    NEXT;                                                                                          \
  }
CARRY_IN(add_ci, a, b, x + y + k, (x + y < x) | (r < k))
CARRY_IN(sub_ci, a, b, x - y - k, (x < y) | (x - y < k))
CARRY_IN(subrev_ci, b, a, x - y - k, (x < y) | (x - y < k))

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
  w->count++;
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
    NEXT;                                                                                                     \
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
    NEXT;                                                            \
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
    NEXT;                                                                \
  }
MAD(mad_u64_u32, uint64_t, (uint64_t)U(a) * U(b))
MAD(mad_i64_i32, int64_t, (int64_t)a->i[l] * b->i[l])
WIDE(lshl_add_u64, (wide(w, o, 0, l) << (U(b) & 63)) + wide(w, o, 2, l))
WIDE(mov_b64, wide(w, o, 0, l))

/* Half h of the packed source i, as op_sel (h = 0) or op_sel_hi (1) and neg_lo or neg_hi say: bits 3h and on of the
 * immediate the former, of its upper 16 the latter. */
static inline float half_of(const wave *w, const step *o, int i, int h, int l) {
  const uint32_t bit = 1u << (3 * h + i);
  const uint32_t index = o->x[i].index + (o->immediate & bit ? 1u : 0);
  const uint32_t u = o->x[i].scalar ? w->s[index] : w->v[index].u[l];
  return as_float(o->immediate >> 16 & bit ? u ^ 0x80000000u : u);
}
#define PACKED(name, expression)                                                                                 \
  static inline uint32_t name##_half(const wave *w, const step *o, int h, int l) { return as_bits(expression); } \
  WIDE(name, (uint64_t)name##_half(w, o, 1, l) << 32 | name##_half(w, o, 0, l))
PACKED(pk_fma_f32, __builtin_fmaf(half_of(w, o, 0, h, l), half_of(w, o, 1, h, l), half_of(w, o, 2, h, l)))
PACKED(pk_mul_f32, half_of(w, o, 0, h, l) * half_of(w, o, 1, h, l))
PACKED(pk_add_f32, half_of(w, o, 0, h, l) + half_of(w, o, 1, h, l))
WIDE(pk_mov_b32, (uint64_t)as_bits(half_of(w, o, 1, 0, l)) << 32 | as_bits(half_of(w, o, 0, 0, l)))

/* --- reciprocals, roots, division --------------------------------------------------------------------------------- */

static inline uint32_t exponent(uint32_t a) { return a >> 23 & 255; }
static inline bool is_denormal(float x) { return x != 0 && fabsf(x) < 0x1p-126F; }
static inline uint32_t flushed(uint32_t a) { return exponent(a) ? a : a & 0x80000000u; }

/* AMD promises 1 ULP: the settings say which neighbour it is. Powers of two are exact. */
static inline uint32_t inexact(uint32_t r, uint32_t of, rounding how) {
  if (exponent(r) == 0 || exponent(r) == 255) return r;
  if (how == ONE_UP) return r + 1;
  if (how == ONE_DOWN) return r - 1;
  if (how == RANDOM_ULP) return r + (of * 2654435761u >> 16) % 3 - 1;
  return r;
}
static inline uint32_t reciprocal(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  uint32_t r = as_bits(1.0F / as_float(a));
  if (a & 0x7fffff) r = inexact(r, a, s->reciprocal);
  return s->flush ? flushed(r) : r;
}
static inline uint32_t root(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  return inexact(as_bits(sqrtf(as_float(a))), a, s->root);
}
static inline uint32_t reciprocal_root(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  return inexact(as_bits((float)(1.0 / sqrt((double)as_float(a)))), a, s->root);
}

/* Division's steps, as the instruction-set documents give them; but where the reciprocal and the quotient are denormal
 * they scale the denominator by 2^64, beyond what a float holds, and only 2^-64 gives the right quotient. */
static uint32_t div_scale(uint32_t s0, uint32_t s1, uint32_t s2, uint32_t *scaled) {
  const float a = as_float(s0), d = as_float(s1), n = as_float(s2);
  const double quotient = (double)n / (double)d, inverse = 1.0 / (double)d;
  *scaled = 0;
  if (n == 0 || d == 0) return as_bits(NAN);
  if ((int)exponent(s2) - (int)exponent(s1) >= 96) return *scaled = 1, as_bits(s0 == s1 ? ldexpf(a, 64) : a);
  if (is_denormal(d)) return as_bits(ldexpf(a, 64));
  if (is_denormal((float)inverse) && is_denormal((float)quotient))
    return *scaled = 1, as_bits(s0 == s1 ? ldexpf(a, -64) : a);
  if (is_denormal((float)inverse)) return as_bits(ldexpf(a, -64));
  if (is_denormal((float)quotient)) return *scaled = 1, as_bits(s0 == s2 ? ldexpf(a, 64) : a);
  if (exponent(s2) <= 23) return as_bits(ldexpf(a, 64));
  return s0;
}

/* a * b + c, then scaled by 2^64 either way, and rounded once: the sum in double precision rounds to odd. */
static uint32_t div_fmas(uint32_t s0, uint32_t s1, uint32_t s2, bool scaled) {
  if (!scaled) return as_bits(fmaf(as_float(s0), as_float(s1), as_float(s2)));
  const double p = (double)as_float(s0) * (double)as_float(s1), c = (double)as_float(s2);
  double s = p + c;
  const double z = s - p, error = (p - (s - z)) + (c - z);
  uint64_t bits;
  memcpy(&bits, &s, 8);
  if (error != 0 && isfinite(s) && !(bits & 1)) s = nextafter(s, error > 0 ? INFINITY : -INFINITY);
  return as_bits((float)(s * (exponent(s2) > 127 ? 0x1p64 : 0x1p-64)));
}

static uint32_t div_fixup(uint32_t s0, uint32_t s1, uint32_t s2) {
  const uint32_t sign = (s1 ^ s2) & 0x80000000u;
  const float d = as_float(s1), n = as_float(s2);
  if (n != n) return s2 | 0x400000u;
  if (d != d) return s1 | 0x400000u;
  if ((d == 0 && n == 0) || (isinf(d) && isinf(n))) return 0xffc00000u;
  if (d == 0 || isinf(n)) return sign | 0x7f800000u;
  if (isinf(d) || n == 0) return sign;
  if ((int)exponent(s2) - (int)exponent(s1) < -150) return sign;
  return (s0 & 0x7fffffffu) | sign;
}

#define LANE_BY_LANE(name, expression)                                            \
  static const step *name(wave *w, const step *o) {                               \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1), *c = source(w, o, 2); \
    const uint64_t vcc = bits_at(w, VCC);                                         \
    lanes *d = result(w, o);                                                      \
    (void)a, (void)b, (void)c, (void)vcc;                                         \
    for (int l = 0; l < LANES; l++)                                               \
      if (w->active.u[l]) d->u[l] = (expression);                                 \
    NEXT;                                                                         \
  }
LANE_BY_LANE(rcp_f32, reciprocal(U(a), w->settings))
LANE_BY_LANE(sqrt_f32, root(U(a), w->settings))
LANE_BY_LANE(rsq_f32, reciprocal_root(U(a), w->settings))
LANE_BY_LANE(div_fmas_f32, div_fmas(U(a), U(b), U(c), vcc >> l & 1))
LANE_BY_LANE(div_fixup_f32, div_fixup(U(a), U(b), U(c)))

static const step *div_scale_f32(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1), *c = source(w, o, 2);
  lanes *d = result(w, o);
  uint64_t bits = 0;
  for (int l = 0; l < LANES; l++) {
    uint32_t scaled;
    if (!w->active.u[l]) continue;
    d->u[l] = div_scale(U(a), U(b), U(c), &scaled);
    bits |= (uint64_t)scaled << l;
  }
  set_bits(w, o->d[1].index, bits);
  NEXT;
}

/* --- other lanes -------------------------------------------------------------------------------------------------- */

static const step *readfirstlane(wave *w, const step *o) {
  const uint64_t exec = exec_of(w);
  w->s[o->d[0].index] = source(w, o, 0)->u[exec ? __builtin_ctzll(exec) : 0];
  NEXT;
}
static const step *readlane(wave *w, const step *o) {
  w->s[o->d[0].index] = source(w, o, 0)->u[w->s[o->x[1].index] % LANES];
  NEXT;
}
static const step *writelane(wave *w, const step *o) {
  result(w, o)->u[w->s[o->x[1].index] % LANES] = w->s[o->x[0].index];
  NEXT;
}

/* The register whose number m0 is added to. */
static const step *movreld(wave *w, const step *o) {
  const uint32_t index = o->d[0].index + w->s[M0];
  if (index >= FIRST_ACCUMULATOR) return stop(w, "a register that there is not");
  const lanes *a = source(w, o, 0);
  lanes *d = &w->v[index];
  ACTIVE_LANES(d->u[l] = U(a));
  NEXT;
}
static const step *movrels(wave *w, const step *o) {
  const uint32_t index = o->x[0].index + w->s[M0];
  if (index >= FIRST_ACCUMULATOR) return stop(w, "a register that there is not");
  const lanes *a = &w->v[index];
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(a));
  NEXT;
}

/* How many of a mask's lanes come before this one: of the lower 32 lanes, of the upper. */
static const step *mbcnt_lo(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(b) + (uint32_t)__builtin_popcount(l < 32 ? U(a) & ((1u << (l & 31)) - 1) : U(a)));
  NEXT;
}
static const step *mbcnt_hi(wave *w, const step *o) {
  const lanes *a = source(w, o, 0), *b = source(w, o, 1);
  lanes *d = result(w, o);
  ACTIVE_LANES(d->u[l] = U(b) + (uint32_t)__builtin_popcount(l < 32 ? 0 : U(a) & ((1u << (l & 31)) - 1)));
  NEXT;
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
    {"v_pk_fma_f32", "EAAA", pk_fma_f32},
    {"v_pk_mul_f32", "EAA", pk_mul_f32},
    {"v_pk_add_f32", "EAA", pk_add_f32},
    {"v_pk_mov_b32", "EAA", pk_mov_b32},
    {"v_rcp_f32", "Da", rcp_f32},
    {"v_rcp_iflag_f32", "Da", rcp_f32},
    {"v_sqrt_f32", "Da", sqrt_f32},
    {"v_rsq_f32", "Da", rsq_f32},
    {"v_div_scale_f32", "DMaaa", div_scale_f32},
    {"v_div_fmas_f32", "Daaa", div_fmas_f32},
    {"v_div_fixup_f32", "Daaa", div_fixup_f32},
    {"v_readfirstlane_b32", "Sa", readfirstlane},
    {"v_readlane_b32", "Sas", readlane},
    {"v_writelane_b32", "Dss", writelane},
    {"v_movreld_b32", "Da", movreld},
    {"v_movrels_b32", "Da", movrels},
    {"v_mbcnt_lo_u32_b32", "Daa", mbcnt_lo},
    {"v_mbcnt_hi_u32_b32", "Daa", mbcnt_hi},
    {0},
};
