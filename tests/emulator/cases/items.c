/* Machine code of kernels whose items stand alone, against plain C: items.cl. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inputs.h"

/* --- what each kernel computes ------------------------------------------------------------------------------------ */

static void arithmetic(item *t) {
  putf(t, t->x + t->y);
  putf(t, t->x - t->y);
  putf(t, t->x * t->y);
  putf(t, fmaf(t->x, t->y, t->z));
  putf(t, fmaf(-t->x, fabsf(t->y), -t->z));
  putf(t, fmaf(t->x, 1.5F, t->z));
  putf(t, 2.0F - fabsf(t->x));
  putf(t, fmaf(t->x, t->x, t->x));
}

static void indexed(item *t) {
  uint32_t w[16], sum = t->c;
  for (uint32_t k = 0; k < 16; k++) w[k] = t->a * k + (t->b ^ k);
  for (uint32_t k = 1; k < 13; k += 3) w[k + 2] = sum = sum * 5 + w[k] * w[k - 1];
  put(t, sum);
  put(t, w[3]);
}

static void pairs(item *t) {
  putf(t, fmaf(t->x, 2.0F, t->z));
  putf(t, fmaf(t->y, 2.0F, t->x));
  putf(t, fmaf(t->z, -0.5F, t->x));
  putf(t, fmaf(t->x, -0.5F, t->y));
  putf(t, t->x * 4.0F);
  putf(t, t->y * 4.0F);
  putf(t, t->z + 1.0F);
  putf(t, t->x + 1.0F);
}

static void rounding(item *t) {
  putf(t, floorf(t->x));
  putf(t, ceilf(t->x));
  putf(t, truncf(t->x));
  putf(t, rintf(t->x));
  putf(t, fmaxf(t->x, t->y));
  putf(t, fminf(t->x, t->y));
}

static void divisions(item *t) {
  putf(t, t->x / (fabsf(t->y) < 0x1p-60F ? 1.0F : t->y));
  putf(t, t->x * 0x1p-100F / t->y);
  putf(t, 1.0F / t->y);
  putf(t, t->z / 3.0F);
}

static uint32_t least_signed(uint32_t a, uint32_t b) { return (int32_t)a < (int32_t)b ? a : b; }
static int32_t of_23(uint32_t a) { return (int32_t)(a << 9) >> 9; }

static void integers(item *t) {
  const uint32_t a = t->a, b = t->b, c = t->c, n = b & 31;
  put(t, a * b + c);
  put(t, (uint32_t)((uint64_t)a * b >> 32));
  put(t, (uint32_t)((int64_t)(int32_t)a * (int32_t)b >> 32));
  put(t, a << n);
  put(t, a >> n);
  put(t, (uint32_t)((int32_t)a >> n));
  put(t, n ? a << n | a >> (32 - n) : a);
  put(t, a ? (uint32_t)__builtin_clz(a) : 32);
  put(t, (uint32_t)__builtin_popcount(a));
  put(t, (a & ~c) | (b & c));
  put(t, a > b ? a : b);
  put(t, least_signed(a, b));
  put(t, (a & b) | c);
  put(t, a ^ b ^ c);
  put(t, ~a);
  put(t, a + b + c);
  put(t, (uint32_t)of_23(a) * (uint32_t)of_23(b) + c);
  put(t, a > b ? a - b : b - a);
}

static void short_integers(item *t) {
  const uint32_t p = t->a & 0xffff, q = t->b & 0xffff, n = t->b & 15;
  const int16_t r = (int16_t)t->a, s = (int16_t)t->b;
  put(t, (p + q) & 0xffff);
  put(t, (p - q) & 0xffff);
  put(t, (p * q + t->c) & 0xffff);
  put(t, p << n & 0xffff);
  put(t, p >> n);
  put(t, (uint32_t)(r >> n));
  put(t, p > q ? p : q);
  put(t, p < q ? p : q);
  put(t, (uint32_t)(r > s ? r : s));
  put(t, (uint32_t)(r < s ? r : s));
  put(t, (p < q ? 1 : 0) | (r > s ? 2 : 0));
  uint32_t k = t->c & 63, sum = 0;
  do {
    sum += k * t->a;
    k = (k + 7) & 0xffff;
  } while ((k & 127) < 100);
  put(t, sum);
}

static void integer_division(item *t) {
  const uint32_t d = t->b | 1;
  const int32_t e = (int32_t)(t->b >> 1) | 1;
  put(t, t->a / d);
  put(t, t->a % d);
  put(t, (uint32_t)((int32_t)t->a / e));
  put(t, (uint32_t)((int32_t)t->a % e));
  put(t, t->a / 7);
  put(t, t->a % 28);
}

static void wide(item *t) {
  const uint64_t p = (uint64_t)t->a << 32 | t->b, q = (uint64_t)t->b * t->c;
  const int64_t s = (int64_t)p;
  put(t, (uint32_t)(p + q));
  put(t, (uint32_t)((p + q) >> 32));
  put(t, (uint32_t)(p - q));
  put(t, (uint32_t)((p - q) >> 32));
  put(t, (uint32_t)((p * q) >> 32));
  put(t, (uint32_t)((p << (t->c & 63)) >> 32));
  put(t, (uint32_t)(p >> (t->c & 63)));
  put(t, (uint32_t)(s >> (t->c & 63)));
  put(t, p < q);
  put(t, s > (int64_t)q);
  put(t, (uint32_t)((unsigned __int128)p * q >> 64));
}

static void conversions(item *t) {
  const float x = t->x;
  put(t, !(x > 0) ? 0 : x >= 0x1p32F ? ~0u : (uint32_t)x);
  put(t, (uint32_t)(x != x ? 0 : x >= 0x1p31F ? INT32_MAX : x < -0x1p31F ? INT32_MIN : (int32_t)x));
  putf(t, (float)t->a);
  putf(t, (float)(int32_t)t->a);
  putf(t, (float)(t->a & 255));
  putf(t, (float)(t->a >> 24));
  putf(t, (float)(t->b >> 8 & 255));
  put(t, (uint32_t)(int16_t)t->a);
  put(t, (uint32_t)(int8_t)t->b);
}

static uint32_t bits(const bool *of, int count) {
  uint32_t r = 0;
  for (int i = 0; i < count; i++) r |= (uint32_t)of[i] << i;
  return r;
}

static void comparisons(item *t) {
  const float x = t->x, y = t->y;
  const int32_t i = (int32_t)t->a, j = (int32_t)t->b;
  put(t, bits((bool[]){x<y, x <= y, x> y, x >= y, x == y, x != y}, 6));
  put(t, bits((bool[]){isnan(x), isinf(x), isnan(x) || isnan(y), !(x < y), !(x >= y)}, 5));
  put(t, bits((bool[]){t->a<t->b, t->a <= t->b, i> j, i >= j, t->a == t->b}, 5));
  put(t, x < y ? t->a : t->b);
  putf(t, x > 0 ? x : 0.25F * x);
  put(t, (x < y && y < t->z) || t->a == t->c);
}

static void dual(item *t) {
  putf(t, fmaf(t->z, t->y, t->x));
  putf(t, t->y + t->z);
  putf(t, fmaf(t->z, t->y, t->x));
  putf(t, t->y * t->x);
  putf(t, t->z * t->y);
  putf(t, t->y + t->x);
}

static uint32_t loops(const item *t, uint32_t late) {
  uint32_t sum = 0;
  for (uint32_t k = 0; k < (t->b & 15); k++) {
    if ((k ^ t->a) & 1) continue;
    for (uint32_t m = k + late; m < (t->c & 7); m++) sum += m * k + (t->a >> m & 1);
    if (sum > 60)
      sum -= 11;
    else if (k & 2)
      sum ^= 5;
  }
  return sum;
}

static void divergence(item *t) {
  uint32_t steps = 0, v = t->a & 1023;
  while (v > 1 && steps < 200) {
    v = v & 1 ? 3 * v + 1 : v >> 1;
    steps++;
    if (v == (t->b & 63)) break;
  }
  put(t, steps);
  put(t, loops(t, t->c >> 7 & 1));
}

static void one_counter(item *t) { put(t, loops(t, 0)); }

static void private_memory(item *t) {
  uint32_t w[40];
  for (uint32_t k = 0; k < 40; k++) w[k] = t->a * k + t->b;
  for (uint32_t k = 0; k < 60; k++) w[(t->c + k * 7) % 40] = w[(t->a + k) % 40] * 3 + k;
  put(t, w[t->b % 40]);
  put(t, w[t->c % 40]);
  put(t, w[7]);
}

static void constant_table(item *t) {
  static const uint32_t table[37] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8,
                                     4, 6, 2, 6, 4, 3, 3, 8, 3, 2, 7, 9, 5, 0, 2, 8, 8, 4};
  put(t, table[t->a % 37] + 10 * table[t->b % 37]);
}

static harness h;
#define ITEMS(name)                       \
  static void test_##name(void **state) { \
    (void)state;                          \
    inputs_compare(&h, #name, name);      \
  }
ITEMS(arithmetic)
ITEMS(indexed)
ITEMS(pairs)
ITEMS(rounding)
ITEMS(divisions)
ITEMS(integers)
ITEMS(short_integers)
ITEMS(integer_division)
ITEMS(wide)
ITEMS(conversions)
ITEMS(comparisons)
ITEMS(dual)
ITEMS(divergence)
ITEMS(private_memory)
ITEMS(constant_table)

#define OPTIONS "-cl-std=CL1.2 -cl-fp32-correctly-rounded-divide-sqrt"

static void test_one_counter(void **state) {
  (void)state;
  harness unsunk;
  assert_true(harness_build(&unsunk, "items.cl", OPTIONS " -mllvm -disable-machine-sink"));
  inputs_compare(&unsunk, "one_counter", one_counter);
  harness_close(&unsunk);
}

/* --- memory ---------------------------------------------------------------------------------------------------------
 */

static void test_loads(void **state) {
  (void)state;
  const uint8_t *bytes = (const uint8_t *)cs;
  const int16_t *halves = (const int16_t *)(const void *)cs;
  memset(out, 0xff, sizeof out);
  inputs_run(&h, "loads", MOST_WORDS, out);
  for (uint32_t i = 0; i < COUNT; i++) {
    const uint32_t j = bs[i] % (COUNT / 4), k = cs[i] % (COUNT - 4);
    const uint32_t *two = as + 2 * j, *three = as + 3 * j, *four = as + 4 * j, *next = as + 4 * (i % (COUNT / 4));
    const uint32_t expected[] = {as[i],
                                 as[COUNT - 1 - i],
                                 bs[5],
                                 as[k],
                                 two[0] + 3 * two[1],
                                 three[0] + 3 * three[1] + 5 * three[2],
                                 four[0] + 3 * four[1] + 5 * four[2] + 7 * four[3],
                                 next[0] ^ next[1] ^ next[2] ^ next[3],
                                 bytes[k],
                                 (uint32_t)halves[k],
                                 (uint32_t)(int8_t)bytes[k + 1],
                                 bs[i] & 1 ? as[k + 1] + as[i] : ~0u};
    for (uint32_t w = 0; w < sizeof expected / sizeof *expected; w++)
      if (out[w * COUNT + i] != expected[w])
        fail_msg("load %u of item %u: 0x%08x instead of 0x%08x", w, i, out[w * COUNT + i], expected[w]);
  }
}

static void test_stores(void **state) {
  (void)state;
  static uint32_t wanted[6 * COUNT];
  memset(wanted, 0x5a, sizeof wanted);
  memcpy(out, wanted, sizeof wanted);
  inputs_run(&h, "stores", 6, wanted);
  uint8_t *bytes = (uint8_t *)(wanted + 4 * COUNT);
  uint16_t *halves = (uint16_t *)(void *)(wanted + 5 * COUNT);
  for (uint32_t i = 0; i < COUNT; i++) {
    if (i % 3 != 1) wanted[i] = as[i];
    if (i < COUNT / 2) wanted[COUNT + 2 * i] = as[i], wanted[COUNT + 2 * i + 1] = bs[i];
    if (i < COUNT / 4) {
      const uint32_t four[4] = {as[i], bs[i], cs[i], i}, three[3] = {cs[i], bs[i], i};
      memcpy(wanted + 2 * COUNT + 4 * i, four, sizeof four);
      memcpy(wanted + 3 * COUNT + 3 * i, three, sizeof three);
    }
    bytes[COUNT - 1 - i] = (uint8_t)as[i];
    halves[i ^ 1] = (uint16_t)bs[i];
  }
  for (uint32_t w = 0; w < 6 * COUNT; w++)
    if (out[w] != wanted[w]) fail_msg("stored word %u: 0x%08x instead of 0x%08x", w, out[w], wanted[w]);
}

static void test_atomics(void **state) {
  (void)state;
  static uint32_t wanted[2 * COUNT];
  memset(wanted, 0, sizeof wanted);
  inputs_run(&h, "atomics", 2, wanted);
  for (uint32_t i = 0; i < COUNT; i++) {
    wanted[as[i] % 7] += bs[i];
    wanted[COUNT + cs[i] % 5] |= 1u << (as[i] & 31);
  }
  assert_memory_equal(out, wanted, sizeof wanted);
}

int main(void) {
  if (!harness_can_compile()) return HARNESS_SKIPPED;
  inputs_make();
  if (!harness_build(&h, "items.cl", OPTIONS)) {
    fprintf(stderr, "%s\n", h.log);
    return 1;
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_arithmetic),     cmocka_unit_test(test_indexed),
                                     cmocka_unit_test(test_pairs),          cmocka_unit_test(test_rounding),
                                     cmocka_unit_test(test_divisions),      cmocka_unit_test(test_integers),
                                     cmocka_unit_test(test_short_integers), cmocka_unit_test(test_integer_division),
                                     cmocka_unit_test(test_wide),           cmocka_unit_test(test_conversions),
                                     cmocka_unit_test(test_comparisons),    cmocka_unit_test(test_dual),
                                     cmocka_unit_test(test_divergence),     cmocka_unit_test(test_one_counter),
                                     cmocka_unit_test(test_private_memory), cmocka_unit_test(test_constant_table),
                                     cmocka_unit_test(test_loads),          cmocka_unit_test(test_stores),
                                     cmocka_unit_test(test_atomics)};
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  harness_close(&h);
  return failed;
}
