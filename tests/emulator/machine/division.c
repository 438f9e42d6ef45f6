/* Reciprocals, roots, and the steps of a division. */
#include <math.h>

#include "wave.h"

#define U(x) x->u[l]

static inline uint32_t exponent(uint32_t a) { return a >> 23 & 255; }
static inline bool is_denormal(float x) { return x != 0 && fabsf(x) < 0x1p-126F; }
static inline uint32_t flushed(uint32_t a) { return exponent(a) ? a : a & 0x80000000u; }

/* AMD promises 1 ULP of what is exact, and r is off by a number of `error`'s sign: the settings say which of the floats
 * on either side it is. One more, 1.5 ULP, and clang's divisions of integers by 3 were wrong. */
static inline uint32_t inexact(uint32_t r, uint32_t of, double error, rounding how) {
  if (exponent(r) == 0 || exponent(r) == 255) return r;
  const uint32_t drawn = (of * 2654435761u >> 16) % 3;
  const bool up = how == ONE_UP || (how == RANDOM_ULP && drawn == 2);
  const bool down = how == ONE_DOWN || (how == RANDOM_ULP && drawn == 0);
  return up && error <= 0 ? r + 1 : down && error >= 0 ? r - 1 : r;
}

/* Powers of two are exact, and where all bits of the mantissa are set it is the nearest: of the float below it
 * division's steps make 1 / (2 - 2^-23) rounded down, the only operands where they are wrong, and AMD calls its
 * divisions correct. */
static inline uint32_t reciprocal(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  const float x = as_float(a), y = 1.0F / x;
  uint32_t r = as_bits(y);
  if (a & 0x7fffff && ~a & 0x7fffff) r = inexact(r, a, (double)x * (double)y - 1, s->reciprocal);
  return s->flush ? flushed(r) : r;
}
static inline uint32_t root(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  const float x = as_float(a), y = sqrtf(x);
  return inexact(as_bits(y), a, (double)y * (double)y - (double)x, s->root);
}
static inline uint32_t reciprocal_root(uint32_t a, const settings *s) {
  if (s->flush) a = flushed(a);
  const float x = as_float(a), y = (float)(1.0 / sqrt((double)x));
  return inexact(as_bits(y), a, fma((double)y * (double)y, (double)x, -1), s->root);
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
    return o + 1;                                                                 \
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
  return o + 1;
}

const instruction LANED(division_instructions)[] = {
    {"v_rcp_f32", "Da", rcp_f32},
    {"v_rcp_iflag_f32", "Da", rcp_f32},
    {"v_sqrt_f32", "Da", sqrt_f32},
    {"v_rsq_f32", "Da", rsq_f32},
    {"v_div_scale_f32", "DMaaa", div_scale_f32},
    {"v_div_fmas_f32", "Daaa", div_fmas_f32},
    {"v_div_fixup_f32", "Daaa", div_fixup_f32},
    {0},
};
