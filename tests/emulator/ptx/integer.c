/* "Integer Arithmetic", "Logic and Shift Instructions": 32 and 16 bits, and logic, which is the same for predicates. Of
 * 16 bits a register has the lower half, and the upper one is open: sums, products and logic may take the functions of
 * 32 bits. */
#include "warp.h"

#define UA a->u[l]
#define UB b->u[l]
#define IA a->i[l]
#define IB b->i[l]
#define TWO(name, expression) INSTRUCTION(name, narrow, narrow, u[l] = (uint32_t)(expression))

TWO(copy, UA)
TWO(add, UA + UB)
TWO(sub, UA - UB)
TWO(mul, UA *UB)
TWO(mul_hi_u32, (uint64_t)UA *UB >> 32)
TWO(mul_hi_s32, (int64_t)IA *IB >> 32)
TWO(and_, UA &UB)
TWO(or_, UA | UB)
TWO(xor_, UA ^ UB)
TWO(not_, ~UA)
TWO(neg, 0 - UA)
TWO(abs_s32, IA < 0 ? 0 - UA : UA)
TWO(min_s32, IA < IB ? IA : IB)
TWO(max_s32, IA > IB ? IA : IB)
TWO(min_u32, UA < UB ? UA : UB)
TWO(max_u32, UA > UB ? UA : UB)
TWO(min_s16, (int16_t)UA < (int16_t)UB ? UA : UB)
TWO(max_s16, (int16_t)UA > (int16_t)UB ? UA : UB)
TWO(min_u16, (uint16_t)UA < (uint16_t)UB ? UA : UB)
TWO(max_u16, (uint16_t)UA > (uint16_t)UB ? UA : UB)
TWO(mul_wide_s16, (int32_t)(int16_t)UA *(int16_t)UB)
TWO(mul_wide_u16, (uint32_t)(uint16_t)UA *(uint16_t)UB)
/* Distances beyond the width are the width. */
TWO(shl, UB > 31 ? 0 : UA << (UB & 31))
TWO(shr_u32, UB > 31 ? 0 : UA >> (UB & 31))
TWO(shr_s32, IA >> (UB > 31 ? 31 : UB))
TWO(shr_u16, UB > 15 ? 0 : (uint16_t)UA >> (UB & 15))
TWO(shr_s16, (int16_t)UA >> (UB > 15 ? 15 : UB))
TWO(clz, UA ? (uint32_t)__builtin_clz(UA) : 32)
TWO(popc, (uint32_t)__builtin_popcount(UA))
/* By 0 a machine gives all bits; the rest is then the dividend. */
TWO(div_u32, UB ? UA / UB : ~0u)
TWO(rem_u32, UB ? UA % UB : UA)
TWO(div_s32, UB == 0 ? ~0u : UB == ~0u ? 0 - UA : (uint32_t)(IA / IB))
TWO(rem_s32, UB == 0 ? UA : UB == ~0u ? 0 : (uint32_t)(IA % IB))

#define THREE(name, expression)                                                 \
  static const step *name(warp *w, const step *o) {                             \
    narrow *d = &w->r[o->d[0]];                                                 \
    const narrow *a = &w->r[o->x[0]], *b = &w->r[o->x[1]], *c = &w->r[o->x[2]]; \
    ACTIVE_LANES(d->u[l] = (uint32_t)(expression));                             \
    return o + 1;                                                               \
  }
#define UC c->u[l]
THREE(mad, UA *UB + UC)
THREE(select_, UC ? UA : UB)
THREE(shf_l_wrap, ((uint64_t)UB << 32 | UA) << (UC & 31) >> 32)
THREE(shf_r_wrap, ((uint64_t)UB << 32 | UA) >> (UC & 31))

/* UC bits from bit UB on; of what lies beyond the register the sign, or 0. */
static inline uint32_t field(uint32_t a, uint32_t position, uint32_t length, bool with_sign) {
  position &= 255, length &= 255;
  if (length == 0) return 0;
  const uint32_t last = position + length - 1 < 31 ? position + length - 1 : 31;
  const uint32_t sign = with_sign && a >> last & 1 ? ~0u : 0;
  const uint32_t bits = position > 31 ? sign : a >> position | (position ? sign << (32 - position) : 0);
  return length > 31 ? bits : (bits & ((1u << length) - 1)) | (sign << length);
}
THREE(bfe_u32, field(UA, UB, UC, false))
THREE(bfe_s32, field(UA, UB, UC, true))

#define ANY32(name, operands, function) \
  {name ".s32", operands, function, 0}, { name ".u32", operands, function, 0 }
#define ANY16(name, operands, function) \
  {name ".s16", operands, function, 0}, { name ".u16", operands, function, 0 }
#define LOGIC(name, operands, function) \
  {name ".pred", operands, function, 0}, {name ".b16", operands, function, 0}, { name ".b32", operands, function, 0 }

const instruction ptx_integer_instructions[] = {
    {"mov.pred", "Rr", copy, 0},
    {"mov.u16", "Rr", copy, 0},
    {"mov.b16", "Rr", copy, 0},
    {"mov.u32", "Rr", copy, 0},
    {"mov.b32", "Rr", copy, 0},
    {"mov.f32", "Rr", copy, 0},
    ANY32("add", "Rrr", add),
    ANY16("add", "Rrr", add),
    ANY32("sub", "Rrr", sub),
    ANY16("sub", "Rrr", sub),
    ANY32("mul.lo", "Rrr", mul),
    ANY16("mul.lo", "Rrr", mul),
    {"mul.hi.u32", "Rrr", mul_hi_u32, 0},
    {"mul.hi.s32", "Rrr", mul_hi_s32, 0},
    {"mul.wide.s16", "Rrr", mul_wide_s16, 0},
    {"mul.wide.u16", "Rrr", mul_wide_u16, 0},
    ANY32("mad.lo", "Rrrr", mad),
    ANY16("mad.lo", "Rrrr", mad),
    LOGIC("and", "Rrr", and_),
    LOGIC("or", "Rrr", or_),
    LOGIC("xor", "Rrr", xor_),
    LOGIC("not", "Rr", not_),
    {"neg.s32", "Rr", neg, 0},
    {"neg.s16", "Rr", neg, 0},
    {"abs.s32", "Rr", abs_s32, 0},
    {"min.s32", "Rrr", min_s32, 0},
    {"max.s32", "Rrr", max_s32, 0},
    {"min.u32", "Rrr", min_u32, 0},
    {"max.u32", "Rrr", max_u32, 0},
    {"min.s16", "Rrr", min_s16, 0},
    {"max.s16", "Rrr", max_s16, 0},
    {"min.u16", "Rrr", min_u16, 0},
    {"max.u16", "Rrr", max_u16, 0},
    {"shl.b32", "Rrr", shl, 0},
    {"shl.b16", "Rrr", shl, 0},
    {"shr.u32", "Rrr", shr_u32, 0},
    {"shr.b32", "Rrr", shr_u32, 0},
    {"shr.s32", "Rrr", shr_s32, 0},
    {"shr.u16", "Rrr", shr_u16, 0},
    {"shr.s16", "Rrr", shr_s16, 0},
    {"clz.b32", "Rr", clz, 0},
    {"popc.b32", "Rr", popc, 0},
    {"div.u32", "Rrr", div_u32, 0},
    {"rem.u32", "Rrr", rem_u32, 0},
    {"div.s32", "Rrr", div_s32, 0},
    {"rem.s32", "Rrr", rem_s32, 0},
    {"bfe.u32", "Rrrr", bfe_u32, 0},
    {"bfe.s32", "Rrrr", bfe_s32, 0},
    {"shf.l.wrap.b32", "Rrrr", shf_l_wrap, 0},
    {"shf.r.wrap.b32", "Rrrr", shf_r_wrap, 0},
    ANY32("selp", "Rrrr", select_),
    ANY16("selp", "Rrrr", select_),
    {"selp.b32", "Rrrr", select_, 0},
    {"selp.f32", "Rrrr", select_, 0},
    {"selp.b16", "Rrrr", select_, 0},
    {0},
};
