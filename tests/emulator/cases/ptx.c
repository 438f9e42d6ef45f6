/* Instructions of PTX that clang makes of no kernel of items.cl, against plain C: ptx.cl. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "inputs.h"

static harness h;

/* --- floats ------------------------------------------------------------------------------------------------------- */

static float flushed(float x) { return fabsf(x) < 0x1p-126F ? copysignf(0, x) : x; }
static float or_nan(float x, float y, float otherwise) { return isnan(x) || isnan(y) ? NAN : otherwise; }

/* As IEEE 754's minimumNumber: -0 is less than 0. */
static float least(float x, float y) {
  if (isnan(x) || isnan(y)) return isnan(x) ? y : x;
  if (x == 0 && y == 0) return signbit(x) || signbit(y) ? -0.0F : 0.0F;
  return x < y ? x : y;
}
static float most(float x, float y) { return -least(-x, -y); }

static void flushes(item *t) {
  const float x = flushed(t->x), y = flushed(t->y), z = flushed(t->z);
  const float results[] = {x + y,
                           x + y,
                           x - y,
                           x * y,
                           fmaf(x, y, z),
                           x / y,
                           1 / x,
                           sqrtf(x),
                           least(x, y),
                           most(x, y),
                           fabsf(x),
                           -x,
                           or_nan(x, y, least(x, y)),
                           or_nan(x, y, most(x, y))};
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) putf(t, flushed(results[i]));
}

static void floats(item *t) {
  const float x = t->x, y = t->y;
  const float results[] = {x + y,
                           x - y,
                           x * y,
                           1 / x,
                           sqrtf(x),
                           least(x, y),
                           most(x, y),
                           or_nan(x, y, least(x, y)),
                           or_nan(x, y, most(x, y)),
                           fabsf(x),
                           -x};
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) putf(t, results[i]);
}

/* --- integers ----------------------------------------------------------------------------------------------------- */

/* Bit by bit, as the document has it. */
static uint32_t field(uint32_t a, uint32_t position, uint32_t length, bool with_sign) {
  position &= 255, length &= 255;
  const uint32_t last = position + length - 1 < 31 ? position + length - 1 : 31;
  const uint32_t sign = with_sign && length > 0 ? a >> last & 1 : 0;
  uint32_t r = 0;
  for (uint32_t i = 0; i < 32; i++) r |= (i < length && position + i < 32 ? a >> (position + i) & 1 : sign) << i;
  return r;
}
static uint32_t left(uint32_t a, uint32_t n) { return n > 31 ? 0 : a << n; }
static uint32_t right(uint32_t a, uint32_t n) { return n > 31 ? 0 : a >> n; }
static uint32_t signed_right(uint32_t a, uint32_t n) { return (uint32_t)((int32_t)a >> (n > 31 ? 31 : n)); }

static void fields(item *t) {
  const uint32_t a = t->a, b = t->b, c = t->c, n = c & 31;
  const int64_t s = (int32_t)a, d = (int32_t)b, e = (int32_t)(b | 1);
  put(t, field(a, b, c, false));
  put(t, field(a, b, c, true));
  put(t, field(a, b & 31, n, false));
  put(t, field(a, b & 31, n, true));
  put(t, n ? b << n | a >> (32 - n) : b);
  put(t, n ? b << (32 - n) | a >> n : a);
  put(t, left(a, b & 63));
  put(t, right(a, b & 63));
  put(t, signed_right(a, b & 63));
  put(t, left(a, b));
  put(t, right(a, b));
  put(t, signed_right(a, b));
  put(t, a ? (uint32_t)__builtin_clz(a) : 32);
  put(t, (uint32_t)__builtin_popcount(a));
  put(t, (uint32_t)(s < 0 ? -s : s));
  put(t, 0 - a);
  put(t, b ? a / b : ~0u);
  put(t, a % (b | 1));
  put(t, d ? (uint32_t)(s / d) : ~0u);
  put(t, (uint32_t)(s % e));
  put(t, a * b + c);
  put(t, a * b + c);
}

static void put64(item *t, uint64_t value) {
  put(t, (uint32_t)value);
  put(t, (uint32_t)(value >> 32));
}

static uint64_t p_of(const item *t) { return (uint64_t)t->a << 32 | t->b; }
static uint64_t q_of(const item *t) { return (uint64_t)t->c << 32 | t->a; }

static void wides(item *t) {
  const uint64_t p = p_of(t), q = q_of(t);
  const __int128 s = (int64_t)p, d = (int64_t)(q | 1), r = (int64_t)q;
  put64(t, p / (q | 1));
  put64(t, p % (q | 1));
  put64(t, (uint64_t)(s / d));
  put64(t, (uint64_t)(s % d));
  put64(t, (uint64_t)((unsigned __int128)p * q >> 64));
  put64(t, (uint64_t)(s * r >> 64));
  put64(t, (uint64_t)(s < r ? s : r));
  put64(t, (uint64_t)(s > r ? s : r));
  put64(t, p < q ? p : q);
  put64(t, p > q ? p : q);
  put64(t, p & q);
}

static void wide_shifts(item *t) {
  const uint64_t p = p_of(t), q = q_of(t);
  const uint32_t distances[] = {t->c & 127, t->c};
  for (int i = 0; i < 2; i++) {
    const uint32_t n = distances[i];
    put64(t, n > 63 ? 0 : p << n);
    put64(t, n > 63 ? 0 : p >> n);
    put64(t, (uint64_t)((int64_t)p >> (n > 63 ? 63 : n)));
  }
  put64(t, (uint64_t)((int64_t)(int32_t)t->a * (int32_t)t->b) + q);
  put64(t, (uint64_t)t->a * t->b + q);
  put64(t, p * q + p);
}

/* --- comparisons, conversions ------------------------------------------------------------------------------------- */

static void orders(item *t) {
  const float x = t->x, y = t->y;
  const bool no = isnan(x) || isnan(y);
  const bool of[] = {x == y,
                     x != y && !no,
                     x<y, x <= y, x>
                         y,
                     x >= y,
                     x == y || no,
                     x != y || no,
                     x < y || no,
                     x <= y || no,
                     x > y || no,
                     x >= y || no,
                     !no,
                     no,
                     (int64_t)p_of(t) < (int64_t)q_of(t),
                     p_of(t) >= q_of(t),
                     t->a <= t->b,
                     (int32_t)t->a > (int32_t)t->b};
  for (size_t i = 0; i < sizeof of / sizeof *of; i++) put(t, of[i]);
}

/* Cut to the range; a NaN is 0. */
static uint32_t cut(double x, double low, double high) {
  return isnan(x) ? 0 : (uint32_t)(int64_t)(x < low ? low : x > high ? high : x);
}

static void casts(item *t) {
  const double x = (double)t->x;
  put(t, cut(rint(x), -0x1p31, 0x1p31 - 1));
  put(t, cut(rint(x), 0, 0x1p32 - 1));
  put(t, cut(trunc(x), -0x1p31, 0x1p31 - 1));
  put(t, cut(trunc(x), 0, 0x1p32 - 1));
  putf(t, (float)p_of(t));
  putf(t, (float)(int64_t)p_of(t));
  put64(t, (uint64_t)(int8_t)t->a);
  put64(t, (uint16_t)t->a);
  put(t, (uint32_t)(int16_t)t->b);
  put64(t, (uint64_t)(int8_t)(t->a >> 8));
  put64(t, t->a >> 16);
}

#define ITEMS(name)                       \
  static void test_##name(void **state) { \
    (void)state;                          \
    inputs_compare(&h, #name, name);      \
  }
ITEMS(flushes)
ITEMS(floats)
ITEMS(fields)
ITEMS(wides)
ITEMS(wide_shifts)
ITEMS(orders)
ITEMS(casts)

/* --- memory ------------------------------------------------------------------------------------------------------- */

static void test_windows(void **state) {
  (void)state;
  inputs_run(&h, "windows", 3, NULL);
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t mine[24];
    for (uint32_t k = 0; k < 24; k++) mine[k] = as[i] * k;
    for (uint32_t k = 0; k < 24; k++) mine[(bs[i] + k) % 24] += k;
    const uint32_t from[3] = {cs[i ^ 1], mine[cs[i] % 24], as[i ^ 2]};
    const uint32_t wanted[3] = {from[as[i] % 3], mine[bs[i] % 24], 64};
    for (uint32_t k = 0; k < 3; k++)
      if (out[k * COUNT + i] != wanted[k])
        fail_msg("value %u of item %u: 0x%08x instead of 0x%08x", k, i, out[k * COUNT + i], wanted[k]);
  }
}

static void test_ends(void **state) {
  (void)state;
  static uint32_t wanted[2 * COUNT];
  memset(wanted, 0x5a, sizeof wanted);
  inputs_run(&h, "ends", 2, wanted);
  for (uint32_t i = 0; i < COUNT; i++) {
    uint32_t sum = cs[i];
    bool ended = false;
    for (uint32_t k = 0; k < (bs[i] & 7) && !ended; k++) {
      sum += k * k;
      wanted[i] = sum;
      ended = (as[i] >> k & 3) == 2 || (sum & 5) == 4;
    }
    if (!ended) wanted[COUNT + i] = sum;
  }
  for (uint32_t i = 0; i < 2 * COUNT; i++)
    if (out[i] != wanted[i]) fail_msg("word %u: 0x%08x instead of 0x%08x", i, out[i], wanted[i]);
}

int main(void) {
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  inputs_make();
  if (!harness_build(&h, "ptx.cl", "-cl-std=CL1.2")) {
    fprintf(stderr, "%s\n", h.log);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_flushes), cmocka_unit_test(test_floats),      cmocka_unit_test(test_fields),
      cmocka_unit_test(test_wides),   cmocka_unit_test(test_wide_shifts), cmocka_unit_test(test_orders),
      cmocka_unit_test(test_casts),   cmocka_unit_test(test_windows),     cmocka_unit_test(test_ends)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  harness_close(&h);
  return failed;
}
