/* "Integer Arithmetic", "Logic and Shift Instructions": 64 bits. */
#include "warp.h"

#define UA a->u[l]
#define UB b->u[l]
#define IA a->i[l]
#define IB b->i[l]
#define TWO(name, expression) INSTRUCTION(name, wide, wide, u[l] = (uint64_t)(expression))

TWO(copy, UA)
TWO(add, UA + UB)
TWO(sub, UA - UB)
TWO(mul, UA *UB)
TWO(mul_hi_u64, (unsigned __int128)UA *UB >> 64)
TWO(mul_hi_s64, (__int128)IA *IB >> 64)
TWO(and_, UA &UB)
TWO(or_, UA | UB)
TWO(xor_, UA ^ UB)
TWO(not_, ~UA)
TWO(neg, 0 - UA)
TWO(min_s64, IA < IB ? IA : IB)
TWO(max_s64, IA > IB ? IA : IB)
TWO(min_u64, UA < UB ? UA : UB)
TWO(max_u64, UA > UB ? UA : UB)
/* By 0 a machine gives all bits; the rest is then the dividend. */
TWO(div_u64, UB ? UA / UB : ~(uint64_t)0)
TWO(rem_u64, UB ? UA % UB : UA)
TWO(div_s64, UB == 0 ? ~(uint64_t)0 : IB == -1 ? 0 - UA : (uint64_t)(IA / IB))
TWO(rem_s64, UB == 0 ? UA : IB == -1 ? 0 : (uint64_t)(IA % IB))
INSTRUCTION(mul_wide_s32, wide, narrow, i[l] = (int64_t)IA * IB)
INSTRUCTION(mul_wide_u32, wide, narrow, u[l] = (uint64_t)UA * UB)

/* The distance is of 32 bits; beyond the width it is the width. */
#define SHIFT(name, expression)                     \
  static const step *name(warp *w, const step *o) { \
    wide *d = &w->q[o->d[0]];                       \
    const wide *a = &w->q[o->x[0]];                 \
    const narrow *b = &w->r[o->x[1]];               \
    ACTIVE_LANES(d->u[l] = (uint64_t)(expression)); \
    return o + 1;                                   \
  }
SHIFT(shl, UB > 63 ? 0 : UA << (UB & 63))
SHIFT(shr_u64, UB > 63 ? 0 : UA >> (UB & 63))
SHIFT(shr_s64, IA >> (UB > 63 ? 63 : UB))

static const step *mad(warp *w, const step *o) {
  wide *d = &w->q[o->d[0]];
  const wide *a = &w->q[o->x[0]], *b = &w->q[o->x[1]], *c = &w->q[o->x[2]];
  ACTIVE_LANES(d->u[l] = UA * UB + c->u[l]);
  return o + 1;
}

static const step *select_(warp *w, const step *o) {
  wide *d = &w->q[o->d[0]];
  const wide *a = &w->q[o->x[0]], *b = &w->q[o->x[1]];
  const narrow *c = &w->r[o->x[2]];
  ACTIVE_LANES(d->u[l] = c->u[l] ? UA : UB);
  return o + 1;
}

#define MAD_WIDE(name, type)                                                                       \
  static const step *name(warp *w, const step *o) {                                                \
    wide *d = &w->q[o->d[0]];                                                                      \
    const narrow *a = &w->r[o->x[0]], *b = &w->r[o->x[1]];                                         \
    const wide *c = &w->q[o->x[2]];                                                                \
    ACTIVE_LANES(d->u[l] = (uint64_t)((int64_t)(type)a->u[l] * (int64_t)(type)b->u[l]) + c->u[l]); \
    return o + 1;                                                                                  \
  }
MAD_WIDE(mad_wide_s32, int32_t)
MAD_WIDE(mad_wide_u32, uint32_t)

#define ANY(name, operands, function) \
  {name ".s64", operands, function, 0}, { name ".u64", operands, function, 0 }

const instruction ptx_wide_instructions[] = {
    {"mov.u64", "Ww", copy, 0},
    {"mov.b64", "Ww", copy, 0},
    ANY("add", "Www", add),
    ANY("sub", "Www", sub),
    ANY("mul.lo", "Www", mul),
    {"mul.hi.u64", "Www", mul_hi_u64, 0},
    {"mul.hi.s64", "Www", mul_hi_s64, 0},
    {"div.u64", "Www", div_u64, 0},
    {"rem.u64", "Www", rem_u64, 0},
    {"div.s64", "Www", div_s64, 0},
    {"rem.s64", "Www", rem_s64, 0},
    ANY("mad.lo", "Wwww", mad),
    {"mul.wide.s32", "Wrr", mul_wide_s32, 0},
    {"mul.wide.u32", "Wrr", mul_wide_u32, 0},
    {"mad.wide.s32", "Wrrw", mad_wide_s32, 0},
    {"mad.wide.u32", "Wrrw", mad_wide_u32, 0},
    {"and.b64", "Www", and_, 0},
    {"or.b64", "Www", or_, 0},
    {"xor.b64", "Www", xor_, 0},
    {"not.b64", "Ww", not_, 0},
    {"neg.s64", "Ww", neg, 0},
    {"min.s64", "Www", min_s64, 0},
    {"max.s64", "Www", max_s64, 0},
    {"min.u64", "Www", min_u64, 0},
    {"max.u64", "Www", max_u64, 0},
    {"shl.b64", "Wwr", shl, 0},
    {"shr.u64", "Wwr", shr_u64, 0},
    {"shr.b64", "Wwr", shr_u64, 0},
    {"shr.s64", "Wwr", shr_s64, 0},
    ANY("selp", "Wwwr", select_),
    {"selp.b64", "Wwwr", select_, 0},
    {0},
};
