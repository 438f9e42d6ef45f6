/* "Floating-Point Instructions". Where a name has .ftz denormals are taken and given as 0 of their sign; else they are
 * kept. */
#include <math.h>

#include "warp.h"

enum { CANONICAL_NAN = 0x7fffffff };

static inline float nan_of_ptx(void) {
  const uint32_t u = CANONICAL_NAN;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

static inline float flushed(float x) { return fabsf(x) < 0x1p-126F ? copysignf(0, x) : x; }
static inline float kept(float x) { return x; }

/* Of two zeros -0 is the smaller one. */
static inline float smaller(float x, float y) {
  return isnan(x) ? y : isnan(y) ? x : x == y ? (signbit(x) ? x : y) : x < y ? x : y;
}
static inline float larger(float x, float y) {
  return isnan(x) ? y : isnan(y) ? x : x == y ? (signbit(x) ? y : x) : x > y ? x : y;
}
static inline float smaller_or_nan(float x, float y) { return isnan(x) || isnan(y) ? nan_of_ptx() : smaller(x, y); }
static inline float larger_or_nan(float x, float y) { return isnan(x) || isnan(y) ? nan_of_ptx() : larger(x, y); }

#define TWO(name, how, expression)                                                                       \
  static const step *name(warp *w, const step *o) {                                                      \
    narrow *d = &w->r[o->d[0]];                                                                          \
    const narrow *p = &w->r[o->x[0]], *q = &w->r[o->x[1]];                                               \
    ACTIVE_LANES(const float a = how(p->f[l]); const float b = how(q->f[l]); d->f[l] = how(expression)); \
    return o + 1;                                                                                        \
  }
#define ONE(name, how, expression)                                         \
  static const step *name(warp *w, const step *o) {                        \
    narrow *d = &w->r[o->d[0]];                                            \
    const narrow *p = &w->r[o->x[0]];                                      \
    ACTIVE_LANES(const float a = how(p->f[l]); d->f[l] = how(expression)); \
    return o + 1;                                                          \
  }
#define THREE(name, how, expression)                                                                       \
  static const step *name(warp *w, const step *o) {                                                        \
    narrow *d = &w->r[o->d[0]];                                                                            \
    const narrow *p = &w->r[o->x[0]], *q = &w->r[o->x[1]], *r = &w->r[o->x[2]];                            \
    ACTIVE_LANES(const float a = how(p->f[l]); const float b = how(q->f[l]); const float c = how(r->f[l]); \
                 d->f[l] = how(expression));                                                               \
    return o + 1;                                                                                          \
  }
#define BOTH(kind, name, expression) kind(name, kept, expression) kind(name##_ftz, flushed, expression)

BOTH(TWO, add, a + b)
BOTH(TWO, sub, a - b)
BOTH(TWO, mul, a *b)
BOTH(TWO, divide, a / b)
BOTH(ONE, reciprocal, 1 / a)
BOTH(ONE, root, sqrtf(a))
BOTH(THREE, multiply_add, fmaf(a, b, c))
BOTH(TWO, least, smaller(a, b))
BOTH(TWO, most, larger(a, b))
BOTH(TWO, least_nan, smaller_or_nan(a, b))
BOTH(TWO, most_nan, larger_or_nan(a, b))
BOTH(ONE, absolute, fabsf(a))
BOTH(ONE, negative, -a)

#define ROWS(name, modifiers, operands, function) \
  {name modifiers ".f32", operands, function, 0}, { name modifiers ".ftz.f32", operands, function##_ftz, 0 }

const instruction ptx_float_instructions[] = {
    ROWS("add", ".rn", "Rrr", add),
    ROWS("add", "", "Rrr", add),
    ROWS("sub", ".rn", "Rrr", sub),
    ROWS("sub", "", "Rrr", sub),
    ROWS("mul", ".rn", "Rrr", mul),
    ROWS("mul", "", "Rrr", mul),
    ROWS("fma", ".rn", "Rrrr", multiply_add),
    ROWS("div", ".rn", "Rrr", divide),
    ROWS("rcp", ".rn", "Rr", reciprocal),
    ROWS("sqrt", ".rn", "Rr", root),
    ROWS("min", "", "Rrr", least),
    ROWS("max", "", "Rrr", most),
    ROWS("abs", "", "Rr", absolute),
    ROWS("neg", "", "Rr", negative),
    {"min.NaN.f32", "Rrr", least_nan, 0},
    {"min.ftz.NaN.f32", "Rrr", least_nan_ftz, 0},
    {"max.NaN.f32", "Rrr", most_nan, 0},
    {"max.ftz.NaN.f32", "Rrr", most_nan_ftz, 0},
    {0},
};
