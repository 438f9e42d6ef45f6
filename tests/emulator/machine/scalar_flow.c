/* Scalar instructions that compare, that keep exec and change it, that load. */
#include "wave.h"

#define S(i) w->s[o->x[i].index]
#define P(i) pair(w, o->x[i].index)
#define RESULT w->s[o->d[0].index]
#define SIGNED(x) ((int32_t)(x))

#define COMPARE(name, expression)                                          \
  static const step *name(wave *w, const step *o) {                        \
    const uint32_t a = S(0), b = S(1), k = o->immediate;                   \
    const int32_t i = SIGNED(a), j = SIGNED(b), m = (int16_t)o->immediate; \
    (void)a, (void)b, (void)i, (void)j, (void)k, (void)m;                  \
    w->scc = expression;                                                   \
    return o + 1;                                                          \
  }
#define COMPARES(name, sign)           \
  COMPARE(cmp_##name##_i32, i sign j)  \
  COMPARE(cmp_##name##_u32, a sign b)  \
  COMPARE(cmpk_##name##_i32, i sign m) \
  COMPARE(cmpk_##name##_u32, a sign k)
COMPARES(eq, ==)
COMPARES(lg, !=)
COMPARES(gt, >)
COMPARES(ge, >=)
COMPARES(lt, <)
COMPARES(le, <=)
COMPARE(bitcmp0, !(a >> (b & 31) & 1))
COMPARE(bitcmp1, a >> (b & 31) & 1)
COMPARE(cmp_eq_u64, P(0) == P(1))
COMPARE(cmp_lg_u64, P(0) != P(1))

/* d = exec; exec = a and exec, and so on: each in 32 and 64 bits. */
#define SAVE_EXEC(name, expression)                      \
  static const step *name##_32(wave *w, const step *o) { \
    const uint32_t a = S(0), x = w->s[EXEC];             \
    RESULT = x;                                          \
    w->s[EXEC] = (expression), w->scc = w->s[EXEC] != 0; \
    return o + 1;                                        \
  }                                                      \
  static const step *name##_64(wave *w, const step *o) { \
    const uint64_t a = P(0), x = pair(w, EXEC);          \
    set_pair(w, o->d[0].index, x);                       \
    set_pair(w, EXEC, (expression));                     \
    w->scc = pair(w, EXEC) != 0;                         \
    return o + 1;                                        \
  }
SAVE_EXEC(and_saveexec, a &x)
SAVE_EXEC(or_saveexec, a | x)
SAVE_EXEC(xor_saveexec, a ^ x)
SAVE_EXEC(andn2_saveexec, a & ~x)
SAVE_EXEC(orn2_saveexec, a | ~x)

/* --- loads -------------------------------------------------------------------------------------------------------- */

/* Of n words from a pair of registers and an offset. */
#define LOAD(name, n)                                                                                  \
  static const step *name(wave *w, const step *o) {                                                    \
    const uint8_t *from = (const uint8_t *)(uintptr_t)(P(0) + S(1) + (uint64_t)(int64_t)o->offset[0]); \
    memcpy(&w->s[o->d[0].index], from, 4 * (n));                                                       \
    return o + 1;                                                                                      \
  }
LOAD(load_1, 1)
LOAD(load_2, 2)
LOAD(load_4, 4)
LOAD(load_8, 8)
LOAD(load_16, 16)

#define COMPARE_ROWS(name)                                                                          \
  {"s_cmp_" #name "_i32", "ss", cmp_##name##_i32}, {"s_cmp_" #name "_u32", "ss", cmp_##name##_u32}, \
      {"s_cmpk_" #name "_i32", "sk", cmpk_##name##_i32}, {                                          \
    "s_cmpk_" #name "_u32", "sk", cmpk_##name##_u32                                                 \
  }

/* Where gfx11 has another name than gfx90a, both. */
const instruction LANED(scalar_flow_instructions)[] = {
    COMPARE_ROWS(eq),
    COMPARE_ROWS(lg),
    COMPARE_ROWS(gt),
    COMPARE_ROWS(ge),
    COMPARE_ROWS(lt),
    COMPARE_ROWS(le),
    {"s_bitcmp0_b32", "ss", bitcmp0},
    {"s_bitcmp1_b32", "ss", bitcmp1},
    {"s_cmp_eq_u64", "tt", cmp_eq_u64},
    {"s_cmp_lg_u64", "tt", cmp_lg_u64},
    {"s_and_saveexec_b32", "Ss", and_saveexec_32},
    {"s_and_saveexec_b64", "Tt", and_saveexec_64},
    {"s_or_saveexec_b32", "Ss", or_saveexec_32},
    {"s_or_saveexec_b64", "Tt", or_saveexec_64},
    {"s_xor_saveexec_b32", "Ss", xor_saveexec_32},
    {"s_xor_saveexec_b64", "Tt", xor_saveexec_64},
    {"s_and_not1_saveexec_b32", "Ss", andn2_saveexec_32},
    {"s_andn2_saveexec_b64", "Tt", andn2_saveexec_64},
    {"s_or_not1_saveexec_b32", "Ss", orn2_saveexec_32},
    {"s_orn2_saveexec_b64", "Tt", orn2_saveexec_64},
    {"s_load_b32", "Gts", load_1},
    {"s_load_b64", "Gts", load_2},
    {"s_load_b128", "Gts", load_4},
    {"s_load_b256", "Gts", load_8},
    {"s_load_b512", "Gts", load_16},
    {"s_load_dword", "Gts", load_1},
    {"s_load_dwordx2", "Gts", load_2},
    {"s_load_dwordx4", "Gts", load_4},
    {"s_load_dwordx8", "Gts", load_8},
    {"s_load_dwordx16", "Gts", load_16},
    {0},
};
