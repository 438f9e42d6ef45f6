/* Comparisons: a bit a lane. Inactive lanes give 0. v_cmpx writes exec, too. */
#include <math.h>

#include "wave.h"

#define COMPARE(name, expression)                           \
  static const step *name(wave *w, const step *o) {         \
    const lanes *a = source(w, o, 0), *b = source(w, o, 1); \
    lanes t;                                                \
    EACH_LANE t.u[l] = (expression) ? w->active.u[l] : 0;   \
    set_bits(w, o->d[0].index, bits_of(&t));                \
    return o + 1;                                           \
  }
#define WIDE_COMPARE(name, type, sign)                                                                                \
  static const step *name(wave *w, const step *o) {                                                                   \
    lanes t;                                                                                                          \
    for (int l = 0; l < LANES; l++) t.u[l] = (type)wide(w, o, 0, l) sign(type) wide(w, o, 1, l) ? w->active.u[l] : 0; \
    set_bits(w, o->d[0].index, bits_of(&t));                                                                          \
    return o + 1;                                                                                                     \
  }

#define A a->f[l]
#define B b->f[l]
COMPARE(lt_f32, A < B)
COMPARE(eq_f32, A == B)
COMPARE(le_f32, A <= B)
COMPARE(gt_f32, A > B)
COMPARE(lg_f32, (A < B) | (A > B))
COMPARE(ge_f32, A >= B)
COMPARE(o_f32, (A == A) & (B == B))
COMPARE(u_f32, (A != A) | (B != B))
COMPARE(nge_f32, !(A >= B))
COMPARE(nlg_f32, !((A < B) | (A > B)))
COMPARE(ngt_f32, !(A > B))
COMPARE(nle_f32, !(A <= B))
COMPARE(neq_f32, A != B)
COMPARE(nlt_f32, !(A < B))

/* The bit of b that says what a is: signalling NaN, quiet NaN, -inf, -normal, -denormal, -0, +0, ... +inf. */
static inline uint32_t class_of(uint32_t a) {
  const uint32_t e = a >> 23 & 255, m = a & 0x7fffff, negative = a >> 31;
  if (e == 255 && m) return m & 0x400000 ? 2 : 1;
  const uint32_t kind = e == 255 ? 0 : e ? 1 : m ? 2 : 3;
  return negative ? 4u << kind : 0x200u >> kind;
}
COMPARE(class_f32, class_of(a->u[l]) & b->u[l])

#define SIGNS(R, N) R(eq, ==, N) R(ne, !=, N) R(lt, <, N) R(gt, >, N) R(le, <=, N) R(ge, >=, N)
#define FUNCTIONS(name, sign, unused)                           \
  COMPARE(name##_i32, a->i[l] sign b->i[l])                     \
  COMPARE(name##_u32, a->u[l] sign b->u[l])                     \
  COMPARE(name##_i16, (int16_t)a->u[l] sign(int16_t) b->u[l])   \
  COMPARE(name##_u16, (uint16_t)a->u[l] sign(uint16_t) b->u[l]) \
  WIDE_COMPARE(name##_i64, int64_t, sign)                       \
  WIDE_COMPARE(name##_u64, uint64_t, sign)
SIGNS(FUNCTIONS, )

#define ROW(name, operands) {"v_cmp_" #name, "M" operands, name}, {"v_cmpx_" #name, "X" operands, name},
#define ROWS(name, sign, unused) \
  ROW(name##_i32, "aa")          \
  ROW(name##_u32, "aa") ROW(name##_i16, "aa") ROW(name##_u16, "aa") ROW(name##_i64, "AA") ROW(name##_u64, "AA")

const instruction LANED(compare_instructions)[] = {
    ROW(lt_f32, "aa") ROW(eq_f32, "aa") ROW(le_f32, "aa") ROW(gt_f32, "aa") ROW(lg_f32, "aa") ROW(ge_f32, "aa")
        ROW(o_f32, "aa") ROW(u_f32, "aa") ROW(nge_f32, "aa") ROW(nlg_f32, "aa") ROW(ngt_f32, "aa") ROW(nle_f32, "aa")
            ROW(neq_f32, "aa") ROW(nlt_f32, "aa") ROW(class_f32, "aa") SIGNS(ROWS, ){0},
};
