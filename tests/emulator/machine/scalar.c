/* Scalar instructions: one value a wave, and the flag scc. */
#include "wave.h"

#define S(i) w->s[o->x[i].index]
#define P(i) pair(w, o->x[i].index)
#define RESULT w->s[o->d[0].index]

/* Of a, b, c. NONZERO: scc says whether the result is not 0. */
#define PLAIN(name, expression)                     \
  static const step *name(wave *w, const step *o) { \
    const uint32_t a = S(0), b = S(1), c = RESULT;  \
    (void)a, (void)b, (void)c;                      \
    RESULT = (uint32_t)(expression);                \
    return o + 1;                                   \
  }
#define NONZERO(name, expression)                   \
  static const step *name(wave *w, const step *o) { \
    const uint32_t a = S(0), b = S(1);              \
    (void)b;                                        \
    const uint32_t r = (uint32_t)(expression);      \
    RESULT = r, w->scc = r != 0;                    \
    return o + 1;                                   \
  }
#define NONZERO64(name, expression)                 \
  static const step *name(wave *w, const step *o) { \
    const uint64_t a = P(0), b = P(1);              \
    (void)b;                                        \
    const uint64_t r = (uint64_t)(expression);      \
    set_pair(w, o->d[0].index, r), w->scc = r != 0; \
    return o + 1;                                   \
  }

#define SIGNED(x) ((int32_t)(x))

static inline uint32_t field(uint32_t a, uint32_t from, uint32_t width) {
  return width == 0 ? 0 : a >> from & (width >= 32 ? ~0u : (1u << width) - 1);
}

static inline uint32_t signed_field(uint32_t a, uint32_t from, uint32_t width) {
  if (width == 0) return 0;
  if (from + width >= 32) return (uint32_t)(SIGNED(a) >> from);
  return (uint32_t)(SIGNED(a << (32 - from - width)) >> (32 - width));
}

static inline uint32_t signed_16(const step *o) {
  const int32_t k = (int16_t)o->immediate;
  return (uint32_t)k;
}

PLAIN(mov, a)
PLAIN(movk, signed_16(o))
PLAIN(cmov, w->scc ? a : c)
PLAIN(mul, a *b)
PLAIN(mulk, c *signed_16(o))
PLAIN(mul_hi_u32, (uint64_t)a *b >> 32)
PLAIN(mul_hi_i32, (int64_t)SIGNED(a) * SIGNED(b) >> 32)
PLAIN(cselect, w->scc ? a : b)
PLAIN(brev, reversed(a))
PLAIN(ff1, a ? (uint32_t)__builtin_ctz(a) : ~0u)
PLAIN(flbit, a ? (uint32_t)__builtin_clz(a) : ~0u)
PLAIN(bitset0, c & ~(1u << (a & 31)))
PLAIN(bitset1, c | 1u << (a & 31))
PLAIN(bfm, ((1u << (a & 31)) - 1) << (b & 31))
PLAIN(pack_ll, (a & 0xffff) | b << 16)
PLAIN(sext_i8, (int8_t)a)
PLAIN(sext_i16, (int16_t)a)
NONZERO(not32, ~a)
NONZERO(and32, a &b)
NONZERO(or32, a | b)
NONZERO(xor32, a ^ b)
NONZERO(nand32, ~(a &b))
NONZERO(nor32, ~(a | b))
NONZERO(xnor32, ~(a ^ b))
NONZERO(andn2_32, a & ~b)
NONZERO(orn2_32, a | ~b)
NONZERO(lshl32, a << (b & 31))
NONZERO(lshr32, a >> (b & 31))
NONZERO(ashr32, SIGNED(a) >> (b & 31))
NONZERO(bfe_u32, field(a, b & 31, b >> 16 & 127))
NONZERO(bfe_i32, signed_field(a, b & 31, b >> 16 & 127))
NONZERO(abs32, SIGNED(a) < 0 ? 0u - a : a)
NONZERO(bcnt1, __builtin_popcount(a))
NONZERO64(not64, ~a)
NONZERO64(and64, a &b)
NONZERO64(or64, a | b)
NONZERO64(xor64, a ^ b)
NONZERO64(nand64, ~(a &b))
NONZERO64(nor64, ~(a | b))
NONZERO64(xnor64, ~(a ^ b))
NONZERO64(andn2_64, a & ~b)
NONZERO64(orn2_64, a | ~b)
NONZERO64(lshl64, a << (S(1) & 63))
NONZERO64(lshr64, a >> (S(1) & 63))
NONZERO64(ashr64, (int64_t)a >> (S(1) & 63))

static const step *mov64(wave *w, const step *o) {
  set_pair(w, o->d[0].index, P(0));
  return o + 1;
}

static const step *cselect64(wave *w, const step *o) {
  set_pair(w, o->d[0].index, w->scc ? P(0) : P(1));
  return o + 1;
}

static const step *bcnt1_64(wave *w, const step *o) {
  const uint32_t r = (uint32_t)__builtin_popcountll(P(0));
  RESULT = r, w->scc = r != 0;
  return o + 1;
}

static const step *ff1_64(wave *w, const step *o) {
  const uint64_t a = P(0);
  RESULT = a ? (uint32_t)__builtin_ctzll(a) : ~0u;
  return o + 1;
}

static const step *add_u32(wave *w, const step *o) {
  const uint64_t t = (uint64_t)S(0) + S(1);
  RESULT = (uint32_t)t, w->scc = (uint32_t)(t >> 32);
  return o + 1;
}

static const step *addc_u32(wave *w, const step *o) {
  const uint64_t t = (uint64_t)S(0) + S(1) + w->scc;
  RESULT = (uint32_t)t, w->scc = (uint32_t)(t >> 32);
  return o + 1;
}

static const step *sub_u32(wave *w, const step *o) {
  const uint32_t a = S(0), b = S(1);
  RESULT = a - b, w->scc = b > a;
  return o + 1;
}

static const step *subb_u32(wave *w, const step *o) {
  const uint64_t a = S(0), b = (uint64_t)S(1) + w->scc;
  RESULT = (uint32_t)(a - b), w->scc = b > a;
  return o + 1;
}

static const step *add_i32(wave *w, const step *o) {
  int32_t r;
  w->scc = __builtin_add_overflow(SIGNED(S(0)), SIGNED(S(1)), &r);
  RESULT = (uint32_t)r;
  return o + 1;
}

static const step *sub_i32(wave *w, const step *o) {
  int32_t r;
  w->scc = __builtin_sub_overflow(SIGNED(S(0)), SIGNED(S(1)), &r);
  RESULT = (uint32_t)r;
  return o + 1;
}

static const step *addk_i32(wave *w, const step *o) {
  int32_t r;
  w->scc = __builtin_add_overflow(SIGNED(RESULT), (int32_t)(int16_t)o->immediate, &r);
  RESULT = (uint32_t)r;
  return o + 1;
}

#define SHIFT_ADD(name, n)                             \
  static const step *name(wave *w, const step *o) {    \
    const uint64_t r = ((uint64_t)S(0) << (n)) + S(1); \
    RESULT = (uint32_t)r, w->scc = r >> 32 != 0;       \
    return o + 1;                                      \
  }
SHIFT_ADD(lshl1_add, 1)
SHIFT_ADD(lshl2_add, 2)
SHIFT_ADD(lshl3_add, 3)
SHIFT_ADD(lshl4_add, 4)

/* scc: the first one was taken. */
#define EXTREME(name, type, sign)                   \
  static const step *name(wave *w, const step *o) { \
    const type a = (type)S(0), b = (type)S(1);      \
    w->scc = a sign b;                              \
    RESULT = (uint32_t)(w->scc ? a : b);            \
    return o + 1;                                   \
  }
EXTREME(max_i32, int32_t, >=)
EXTREME(min_i32, int32_t, <)
EXTREME(max_u32, uint32_t, >=)
EXTREME(min_u32, uint32_t, <)

/* Where gfx11 has another name than gfx90a, both. */
const instruction LANED(scalar_instructions)[] = {
    {"s_mov_b32", "Ss", mov},
    {"s_mov_b64", "Tt", mov64},
    {"s_movk_i32", "Sk", movk},
    {"s_cmov_b32", "Ss", cmov},
    {"s_mul_i32", "Sss", mul},
    {"s_mulk_i32", "Sk", mulk},
    {"s_mul_hi_u32", "Sss", mul_hi_u32},
    {"s_mul_hi_i32", "Sss", mul_hi_i32},
    {"s_cselect_b32", "Sss", cselect},
    {"s_cselect_b64", "Ttt", cselect64},
    {"s_brev_b32", "Ss", brev},
    {"s_ctz_i32_b32", "Ss", ff1},
    {"s_ff1_i32_b32", "Ss", ff1},
    {"s_ctz_i32_b64", "St", ff1_64},
    {"s_ff1_i32_b64", "St", ff1_64},
    {"s_clz_i32_u32", "Ss", flbit},
    {"s_flbit_i32_b32", "Ss", flbit},
    {"s_bitset0_b32", "Ss", bitset0},
    {"s_bitset1_b32", "Ss", bitset1},
    {"s_bfm_b32", "Sss", bfm},
    {"s_pack_ll_b32_b16", "Sss", pack_ll},
    {"s_sext_i32_i8", "Ss", sext_i8},
    {"s_sext_i32_i16", "Ss", sext_i16},
    {"s_not_b32", "Ss", not32},
    {"s_and_b32", "Sss", and32},
    {"s_or_b32", "Sss", or32},
    {"s_xor_b32", "Sss", xor32},
    {"s_nand_b32", "Sss", nand32},
    {"s_nor_b32", "Sss", nor32},
    {"s_xnor_b32", "Sss", xnor32},
    {"s_and_not1_b32", "Sss", andn2_32},
    {"s_andn2_b32", "Sss", andn2_32},
    {"s_or_not1_b32", "Sss", orn2_32},
    {"s_orn2_b32", "Sss", orn2_32},
    {"s_lshl_b32", "Sss", lshl32},
    {"s_lshr_b32", "Sss", lshr32},
    {"s_ashr_i32", "Sss", ashr32},
    {"s_bfe_u32", "Sss", bfe_u32},
    {"s_bfe_i32", "Sss", bfe_i32},
    {"s_abs_i32", "Ss", abs32},
    {"s_bcnt1_i32_b32", "Ss", bcnt1},
    {"s_bcnt1_i32_b64", "St", bcnt1_64},
    {"s_not_b64", "Tt", not64},
    {"s_and_b64", "Ttt", and64},
    {"s_or_b64", "Ttt", or64},
    {"s_xor_b64", "Ttt", xor64},
    {"s_nand_b64", "Ttt", nand64},
    {"s_nor_b64", "Ttt", nor64},
    {"s_xnor_b64", "Ttt", xnor64},
    {"s_and_not1_b64", "Ttt", andn2_64},
    {"s_andn2_b64", "Ttt", andn2_64},
    {"s_or_not1_b64", "Ttt", orn2_64},
    {"s_orn2_b64", "Ttt", orn2_64},
    {"s_lshl_b64", "Tts", lshl64},
    {"s_lshr_b64", "Tts", lshr64},
    {"s_ashr_i64", "Tts", ashr64},
    {"s_add_u32", "Sss", add_u32},
    {"s_addc_u32", "Sss", addc_u32},
    {"s_sub_u32", "Sss", sub_u32},
    {"s_subb_u32", "Sss", subb_u32},
    {"s_add_i32", "Sss", add_i32},
    {"s_sub_i32", "Sss", sub_i32},
    {"s_addk_i32", "Sk", addk_i32},
    {"s_lshl1_add_u32", "Sss", lshl1_add},
    {"s_lshl2_add_u32", "Sss", lshl2_add},
    {"s_lshl3_add_u32", "Sss", lshl3_add},
    {"s_lshl4_add_u32", "Sss", lshl4_add},
    {"s_max_i32", "Sss", max_i32},
    {"s_min_i32", "Sss", min_i32},
    {"s_max_u32", "Sss", max_u32},
    {"s_min_u32", "Sss", min_u32},
    {0},
};
