/* Vector instructions of which a lane's 32 bits depend on that lane's 32 bits alone. */
#include <math.h>

#include "wave.h"

/* `a`, `b`, `c`: the sources; `d`: the result, read where the instruction adds to it. .f, .i, .u: as float, signed,
 * unsigned. The compiler makes vectors of the loops. */
#define VECTOR(name, out, expression)                                             \
  static const step *name(wave *w, const step *o) {                               \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1), *c = source(w, o, 2); \
    lanes *d = result(w, o);                                                      \
    (void)a, (void)b, (void)c;                                                    \
    ACTIVE_LANES(d->out[l] = (expression));                                       \
    return o + 1;                                                                 \
  }
#define A a->f[l]
#define B b->f[l]
#define C c->f[l]
#define D d->f[l]
#define I(x) x->i[l]
#define U(x) x->u[l]

/* --- floating point ----------------------------------------------------------------------------------------------- */

/* The larger number; of a number and a NaN the number; +0 is larger than -0. */
static inline float larger(float x, float y) {
  if (x != x) return y;
  if (y != y) return x;
  return x > y || (x == y && !signbit(x)) ? x : y;
}
static inline float smaller(float x, float y) {
  if (x != x) return y;
  if (y != y) return x;
  return x < y || (x == y && signbit(x)) ? x : y;
}
static inline float middle(float x, float y, float z) { return larger(smaller(x, y), smaller(larger(x, y), z)); }

/* gfx90a's multiply-add that rounds twice and takes and gives denormals as 0; clang has it in divisions of integers. */
static inline float flushed(float x) { return fabsf(x) < 0x1p-126F ? copysignf(0, x) : x; }
static inline float mad(float x, float y, float z) { return flushed(flushed(flushed(x) * flushed(y)) + flushed(z)); }

/* What does not fit becomes the next that does; a NaN 0. */
static inline uint32_t to_unsigned(float x) { return !(x > 0) ? 0 : x >= 0x1p32F ? ~0u : (uint32_t)x; }
static inline int32_t to_signed(float x) {
  if (x != x) return 0;
  return x >= 0x1p31F ? INT32_MAX : x <= -0x1p31F ? INT32_MIN : (int32_t)x;
}

VECTOR(add_f32, f, A + B)
VECTOR(sub_f32, f, A - B)
VECTOR(subrev_f32, f, B - A)
VECTOR(mul_f32, f, A *B)
VECTOR(fma_f32, f, __builtin_fmaf(A, B, C))
VECTOR(fmac_f32, f, __builtin_fmaf(A, B, D))
VECTOR(mad_f32, f, mad(A, B, C))
VECTOR(mac_f32, f, mad(A, B, D))
VECTOR(max_f32, f, larger(A, B))
VECTOR(min_f32, f, smaller(A, B))
VECTOR(max3_f32, f, larger(larger(A, B), C))
VECTOR(min3_f32, f, smaller(smaller(A, B), C))
VECTOR(med3_f32, f, middle(A, B, C))
VECTOR(floor_f32, f, __builtin_floorf(A))
VECTOR(ceil_f32, f, __builtin_ceilf(A))
VECTOR(trunc_f32, f, __builtin_truncf(A))
VECTOR(rndne_f32, f, __builtin_rintf(A))
VECTOR(fract_f32, f, smaller(A - __builtin_floorf(A), 0x1.fffffep-1F))
VECTOR(ldexp_f32, f, ldexpf(A, I(b)))
VECTOR(frexp_exp, i, A == 0 || !isfinite(A) ? 0 : ilogbf(A) + 1)
VECTOR(frexp_mant, f, !isfinite(A) || A == 0 ? A : ldexpf(A, -ilogbf(A) - 1))
VECTOR(cvt_f32_i32, f, (float)I(a))
VECTOR(cvt_f32_u32, f, (float)U(a))
VECTOR(cvt_u32_f32, u, to_unsigned(A))
VECTOR(cvt_i32_f32, i, to_signed(A))
VECTOR(cvt_f32_ubyte0, f, (float)(int)(U(a) & 255))
VECTOR(cvt_f32_ubyte1, f, (float)(int)(U(a) >> 8 & 255))
VECTOR(cvt_f32_ubyte2, f, (float)(int)(U(a) >> 16 & 255))
VECTOR(cvt_f32_ubyte3, f, (float)(int)(U(a) >> 24))

/* --- integers ----------------------------------------------------------------------------------------------------- */

static inline uint32_t field(uint32_t a, uint32_t from, uint32_t width) {
  return a >> (from & 31) & (uint32_t)((1ull << (width & 31)) - 1);
}
static inline int32_t signed_field(uint32_t a, uint32_t from, uint32_t width) {
  const uint32_t n = width & 31, x = field(a, from, width), sign = n ? 1u << (n - 1) : 0;
  return (int32_t)((x ^ sign) - sign);
}
static inline int32_t of_24(uint32_t a) { return (int32_t)(a << 8) >> 8; }
/* Byte i of the eight of b (low) and a (high), or what a selector of 8 to 15 means. */
static inline uint32_t permuted(uint32_t a, uint32_t b, uint32_t selectors) {
  const uint64_t from = (uint64_t)a << 32 | b;
  uint32_t r = 0;
  for (int k = 0; k < 4; k++) {
    const uint32_t s = selectors >> 8 * k & 255;
    const uint32_t byte = s < 8     ? (uint32_t)(from >> 8 * s) & 255
                          : s < 12  ? ((from >> (16 * (s - 8) + 15) & 1) ? 255 : 0)
                          : s == 12 ? 0
                                    : 255;
    r |= byte << 8 * k;
  }
  return r;
}
#define MOST(x, y) ((x) > (y) ? (x) : (y))
#define LEAST(x, y) ((x) < (y) ? (x) : (y))

VECTOR(mov, u, U(a))
VECTOR(not_b32, u, ~U(a))
VECTOR(and_b32, u, U(a) & U(b))
VECTOR(or_b32, u, U(a) | U(b))
VECTOR(xor_b32, u, U(a) ^ U(b))
VECTOR(xnor_b32, u, ~(U(a) ^ U(b)))
VECTOR(or3_b32, u, U(a) | U(b) | U(c))
VECTOR(xor3_b32, u, U(a) ^ U(b) ^ U(c))
VECTOR(and_or_b32, u, (U(a) & U(b)) | U(c))
VECTOR(bfi_b32, u, (U(a) & U(b)) | (~U(a) & U(c)))
VECTOR(bfe_u32, u, field(U(a), U(b), U(c)))
VECTOR(bfe_i32, i, signed_field(U(a), U(b), U(c)))
VECTOR(bfm_b32, u, ((1u << (U(a) & 31)) - 1) << (U(b) & 31))
VECTOR(bfrev_b32, u, reversed(U(a)))
VECTOR(ffbh_u32, u, U(a) ? (uint32_t)__builtin_clz(U(a)) : ~0u)
VECTOR(ffbl_b32, u, U(a) ? (uint32_t)__builtin_ctz(U(a)) : ~0u)
VECTOR(bcnt_u32, u, (uint32_t)__builtin_popcount(U(a)) + U(b))
VECTOR(perm_b32, u, permuted(U(a), U(b), U(c)))
VECTOR(alignbit, u, (uint32_t)(((uint64_t)U(a) << 32 | U(b)) >> (U(c) & 31)))
VECTOR(lshlrev_b32, u, U(b) << (U(a) & 31))
VECTOR(lshrrev_b32, u, U(b) >> (U(a) & 31))
VECTOR(ashrrev_i32, i, I(b) >> (U(a) & 31))
VECTOR(lshl_add_u32, u, (U(a) << (U(b) & 31)) + U(c))
VECTOR(lshl_or_b32, u, U(a) << (U(b) & 31) | U(c))
VECTOR(add_lshl_u32, u, (U(a) + U(b)) << (U(c) & 31))
VECTOR(xad_u32, u, (U(a) ^ U(b)) + U(c))
VECTOR(add_u32, u, U(a) + U(b))
VECTOR(sub_u32, u, U(a) - U(b))
VECTOR(subrev_u32, u, U(b) - U(a))
VECTOR(add3_u32, u, U(a) + U(b) + U(c))
VECTOR(max_i32, i, MOST(I(a), I(b)))
VECTOR(min_i32, i, LEAST(I(a), I(b)))
VECTOR(max_u32, u, MOST(U(a), U(b)))
VECTOR(min_u32, u, LEAST(U(a), U(b)))
VECTOR(max3_i32, i, MOST(MOST(I(a), I(b)), I(c)))
VECTOR(min3_i32, i, LEAST(LEAST(I(a), I(b)), I(c)))
VECTOR(max3_u32, u, MOST(MOST(U(a), U(b)), U(c)))
VECTOR(min3_u32, u, LEAST(LEAST(U(a), U(b)), U(c)))
VECTOR(med3_i32, i, MOST(LEAST(I(a), I(b)), LEAST(MOST(I(a), I(b)), I(c))))
VECTOR(med3_u32, u, MOST(LEAST(U(a), U(b)), LEAST(MOST(U(a), U(b)), U(c))))
VECTOR(mul_lo_u32, u, U(a) * U(b))
VECTOR(mul_hi_u32, u, (uint32_t)((uint64_t)U(a) * U(b) >> 32))
VECTOR(mul_hi_i32, i, (int32_t)((int64_t)I(a) * I(b) >> 32))
VECTOR(mul_u32_u24, u, (U(a) & 0xffffff) * (U(b) & 0xffffff))
VECTOR(mul_i32_i24, u, (uint32_t)of_24(U(a)) * (uint32_t)of_24(U(b)))
VECTOR(mul_hi_u32_u24, u, (uint32_t)((uint64_t)(U(a) & 0xffffff) * (U(b) & 0xffffff) >> 32))
VECTOR(mad_u32_u24, u, (U(a) & 0xffffff) * (U(b) & 0xffffff) + U(c))
VECTOR(mad_i32_i24, u, (uint32_t)of_24(U(a)) * (uint32_t)of_24(U(b)) + U(c))
VECTOR(sad_u32, u, (U(a) > U(b) ? U(a) - U(b) : U(b) - U(a)) + U(c))

/* Of 16 bits: gfx90a writes 0 above them, gfx11 nothing. */
#define HALF(name, expression) VECTOR(name, u, (LANES == 64 ? 0 : U(d) & 0xffff0000u) | ((uint32_t)(expression)&0xffff))
#define UH(x) ((uint16_t)U(x))
#define IH(x) ((int16_t)U(x))
HALF(add_u16, U(a) + U(b))
HALF(sub_u16, U(a) - U(b))
HALF(subrev_u16, U(b) - U(a))
HALF(mul_lo_u16, (U(a) & 0xffff) * (U(b) & 0xffff))
HALF(mad_u16, (U(a) & 0xffff) * (U(b) & 0xffff) + U(c))
HALF(lshlrev_b16, U(b) << (U(a) & 15))
HALF(lshrrev_b16, (U(b) & 0xffff) >> (U(a) & 15))
HALF(ashrrev_i16, IH(b) >> (U(a) & 15))
HALF(max_u16, MOST(UH(a), UH(b)))
HALF(min_u16, LEAST(UH(a), UH(b)))
HALF(max_i16, MOST(IH(a), IH(b)))
HALF(min_i16, LEAST(IH(a), IH(b)))

/* Where gfx11 has another name than gfx90a, both. */
const instruction LANED(vector_instructions)[] = {
    {"v_add_f32", "Daa", add_f32},
    {"v_sub_f32", "Daa", sub_f32},
    {"v_subrev_f32", "Daa", subrev_f32},
    {"v_mul_f32", "Daa", mul_f32},
    {"v_fma_f32", "Daaa", fma_f32},
    {"v_fmaak_f32", "Daaa", fma_f32},
    {"v_fmamk_f32", "Daaa", fma_f32},
    {"v_fmac_f32", "Daa", fmac_f32},
    {"v_mad_f32", "Daaa", mad_f32},
    {"v_madak_f32", "Daaa", mad_f32},
    {"v_madmk_f32", "Daaa", mad_f32},
    {"v_mac_f32", "Daa", mac_f32},
    {"v_max_f32", "Daa", max_f32},
    {"v_min_f32", "Daa", min_f32},
    {"v_max3_f32", "Daaa", max3_f32},
    {"v_min3_f32", "Daaa", min3_f32},
    {"v_med3_f32", "Daaa", med3_f32},
    {"v_floor_f32", "Da", floor_f32},
    {"v_ceil_f32", "Da", ceil_f32},
    {"v_trunc_f32", "Da", trunc_f32},
    {"v_rndne_f32", "Da", rndne_f32},
    {"v_fract_f32", "Da", fract_f32},
    {"v_ldexp_f32", "Daa", ldexp_f32},
    {"v_frexp_exp_i32_f32", "Da", frexp_exp},
    {"v_frexp_mant_f32", "Da", frexp_mant},
    {"v_cvt_f32_i32", "Da", cvt_f32_i32},
    {"v_cvt_f32_u32", "Da", cvt_f32_u32},
    {"v_cvt_u32_f32", "Da", cvt_u32_f32},
    {"v_cvt_i32_f32", "Da", cvt_i32_f32},
    {"v_cvt_f32_ubyte0", "Da", cvt_f32_ubyte0},
    {"v_cvt_f32_ubyte1", "Da", cvt_f32_ubyte1},
    {"v_cvt_f32_ubyte2", "Da", cvt_f32_ubyte2},
    {"v_cvt_f32_ubyte3", "Da", cvt_f32_ubyte3},
    {"v_mov_b32", "Da", mov},
    {"v_accvgpr_read_b32", "Da", mov},
    {"v_accvgpr_write_b32", "Da", mov},
    {"v_not_b32", "Da", not_b32},
    {"v_and_b32", "Daa", and_b32},
    {"v_or_b32", "Daa", or_b32},
    {"v_xor_b32", "Daa", xor_b32},
    {"v_xnor_b32", "Daa", xnor_b32},
    {"v_or3_b32", "Daaa", or3_b32},
    {"v_xor3_b32", "Daaa", xor3_b32},
    {"v_and_or_b32", "Daaa", and_or_b32},
    {"v_bfi_b32", "Daaa", bfi_b32},
    {"v_bfe_u32", "Daaa", bfe_u32},
    {"v_bfe_i32", "Daaa", bfe_i32},
    {"v_bfm_b32", "Daa", bfm_b32},
    {"v_bfrev_b32", "Da", bfrev_b32},
    {"v_clz_i32_u32", "Da", ffbh_u32},
    {"v_ffbh_u32", "Da", ffbh_u32},
    {"v_ctz_i32_b32", "Da", ffbl_b32},
    {"v_ffbl_b32", "Da", ffbl_b32},
    {"v_bcnt_u32_b32", "Daa", bcnt_u32},
    {"v_perm_b32", "Daaa", perm_b32},
    {"v_alignbit_b32", "Daaa", alignbit},
    {"v_lshlrev_b32", "Daa", lshlrev_b32},
    {"v_lshrrev_b32", "Daa", lshrrev_b32},
    {"v_ashrrev_i32", "Daa", ashrrev_i32},
    {"v_lshl_add_u32", "Daaa", lshl_add_u32},
    {"v_lshl_or_b32", "Daaa", lshl_or_b32},
    {"v_add_lshl_u32", "Daaa", add_lshl_u32},
    {"v_xad_u32", "Daaa", xad_u32},
    {"v_add_nc_u32", "Daa", add_u32},
    {"v_add_u32", "Daa", add_u32},
    {"v_sub_nc_u32", "Daa", sub_u32},
    {"v_sub_u32", "Daa", sub_u32},
    {"v_subrev_nc_u32", "Daa", subrev_u32},
    {"v_subrev_u32", "Daa", subrev_u32},
    {"v_add_nc_i32", "Daa", add_u32},
    {"v_sub_nc_i32", "Daa", sub_u32},
    {"v_add_i32", "Daa", add_u32},
    {"v_sub_i32", "Daa", sub_u32},
    {"v_add3_u32", "Daaa", add3_u32},
    {"v_max_i32", "Daa", max_i32},
    {"v_min_i32", "Daa", min_i32},
    {"v_max_u32", "Daa", max_u32},
    {"v_min_u32", "Daa", min_u32},
    {"v_max3_i32", "Daaa", max3_i32},
    {"v_min3_i32", "Daaa", min3_i32},
    {"v_max3_u32", "Daaa", max3_u32},
    {"v_min3_u32", "Daaa", min3_u32},
    {"v_med3_i32", "Daaa", med3_i32},
    {"v_med3_u32", "Daaa", med3_u32},
    {"v_mul_lo_u32", "Daa", mul_lo_u32},
    {"v_mul_hi_u32", "Daa", mul_hi_u32},
    {"v_mul_hi_i32", "Daa", mul_hi_i32},
    {"v_mul_u32_u24", "Daa", mul_u32_u24},
    {"v_mul_i32_i24", "Daa", mul_i32_i24},
    {"v_mul_hi_u32_u24", "Daa", mul_hi_u32_u24},
    {"v_mad_u32_u24", "Daaa", mad_u32_u24},
    {"v_mad_i32_i24", "Daaa", mad_i32_i24},
    {"v_sad_u32", "Daaa", sad_u32},
    {"v_add_nc_u16", "Daa", add_u16},
    {"v_add_u16", "Daa", add_u16},
    {"v_sub_nc_u16", "Daa", sub_u16},
    {"v_sub_u16", "Daa", sub_u16},
    {"v_subrev_u16", "Daa", subrev_u16},
    {"v_mul_lo_u16", "Daa", mul_lo_u16},
    {"v_mad_u16", "Daaa", mad_u16},
    {"v_mad_legacy_u16", "Daaa", mad_u16},
    {"v_lshlrev_b16", "Daa", lshlrev_b16},
    {"v_lshrrev_b16", "Daa", lshrrev_b16},
    {"v_ashrrev_i16", "Daa", ashrrev_i16},
    {"v_max_u16", "Daa", max_u16},
    {"v_min_u16", "Daa", min_u16},
    {"v_max_i16", "Daa", max_i16},
    {"v_min_i16", "Daa", min_i16},
    {0},
};
