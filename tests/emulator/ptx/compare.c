/* "Comparison and Selection Instructions": setp, whose result is ~0 or 0. */
#include <math.h>

#include "warp.h"

#define A_OF(file, type, part) ((type)a->part[l])
#define B_OF(file, type, part) ((type)b->part[l])
#define COMPARE(name, file, type, part, operator) \
  INSTRUCTION(name, narrow, file, u[l] = MASK_IF(A_OF(file, type, part) operator B_OF(file, type, part)))
#define INTEGERS(suffix, file, type, part)   \
  COMPARE(eq_##suffix, file, type, part, ==) \
  COMPARE(ne_##suffix, file, type, part, !=) \
  COMPARE(lt_##suffix, file, type, part, <)  \
  COMPARE(le_##suffix, file, type, part, <=) \
  COMPARE(gt_##suffix, file, type, part, >)  \
  COMPARE(ge_##suffix, file, type, part, >=)
INTEGERS(s32, narrow, int32_t, i)
INTEGERS(u32, narrow, uint32_t, u)
INTEGERS(s16, narrow, int16_t, u)
INTEGERS(u16, narrow, uint16_t, u)
INTEGERS(s64, wide, int64_t, i)
INTEGERS(u64, wide, uint64_t, u)

#define FLOATS(name, expression) INSTRUCTION(name, narrow, narrow, u[l] = MASK_IF(expression))
#define FA a->f[l]
#define FB b->f[l]
#define UNORDERED (isnan(FA) || isnan(FB))
FLOATS(eq_f32, FA == FB)
FLOATS(ne_f32, FA<FB || FA> FB)
FLOATS(lt_f32, FA < FB)
FLOATS(le_f32, FA <= FB)
FLOATS(gt_f32, FA > FB)
FLOATS(ge_f32, FA >= FB)
FLOATS(equ_f32, !(FA < FB || FA > FB))
FLOATS(neu_f32, FA != FB)
FLOATS(ltu_f32, !(FA >= FB))
FLOATS(leu_f32, !(FA > FB))
FLOATS(gtu_f32, !(FA <= FB))
FLOATS(geu_f32, !(FA < FB))
FLOATS(num_f32, !UNORDERED)
FLOATS(nan_f32, UNORDERED)

#define ROWS(suffix, operands)                                                                        \
  {"setp.eq." #suffix, operands, eq_##suffix, 0}, {"setp.ne." #suffix, operands, ne_##suffix, 0},     \
      {"setp.lt." #suffix, operands, lt_##suffix, 0}, {"setp.le." #suffix, operands, le_##suffix, 0}, \
      {"setp.gt." #suffix, operands, gt_##suffix, 0}, {                                               \
    "setp.ge." #suffix, operands, ge_##suffix, 0                                                      \
  }

const instruction ptx_compare_instructions[] = {
    ROWS(s32, "Rrr"),
    ROWS(u32, "Rrr"),
    ROWS(s16, "Rrr"),
    ROWS(u16, "Rrr"),
    ROWS(s64, "Rww"),
    ROWS(u64, "Rww"),
    ROWS(f32, "Rrr"),
    {"setp.eq.b32", "Rrr", eq_u32, 0},
    {"setp.ne.b32", "Rrr", ne_u32, 0},
    {"setp.eq.b16", "Rrr", eq_u16, 0},
    {"setp.ne.b16", "Rrr", ne_u16, 0},
    {"setp.eq.b64", "Rww", eq_u64, 0},
    {"setp.ne.b64", "Rww", ne_u64, 0},
    {"setp.equ.f32", "Rrr", equ_f32, 0},
    {"setp.neu.f32", "Rrr", neu_f32, 0},
    {"setp.ltu.f32", "Rrr", ltu_f32, 0},
    {"setp.leu.f32", "Rrr", leu_f32, 0},
    {"setp.gtu.f32", "Rrr", gtu_f32, 0},
    {"setp.geu.f32", "Rrr", geu_f32, 0},
    {"setp.num.f32", "Rrr", num_f32, 0},
    {"setp.nan.f32", "Rrr", nan_f32, 0},
    {0},
};
