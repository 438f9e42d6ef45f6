/* Shuffling: Philox's published answer, and permutations that a Python program written from shuffle.h gave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <Random123/philox.h>

#include "data/shuffle.h"

static void test_philox(void **state) {
  (void)state;
  philox4x32_ctr_t zero = {{0}}, ones = {{~0u, ~0u, ~0u, ~0u}};
  philox4x32_key_t key = {{0}}, key_ones = {{~0u, ~0u}};
  static const uint32_t of_zero[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  static const uint32_t of_ones[] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
  zero = philox4x32_R(10, zero, key);
  ones = philox4x32_R(10, ones, key_ones);
  assert_memory_equal(zero.v, of_zero, 16);
  assert_memory_equal(ones.v, of_ones, 16);
}

static void test_known_permutations(void **state) {
  (void)state;
  static const struct {
    uint64_t seed;
    uint32_t epoch, order[10];
  } cases[] = {
      {768, 0, {4, 5, 8, 1, 9, 0, 2, 3, 6, 7}},
      {768, 1, {7, 0, 5, 4, 3, 2, 9, 1, 6, 8}},
      {768 | 5ull << 32, 0, {6, 4, 0, 9, 8, 5, 2, 3, 1, 7}},
  };
  uint32_t order[10];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fovea_shuffle(order, 10, cases[i].seed, cases[i].epoch);
    assert_memory_equal(order, cases[i].order, sizeof order);
  }
}

static void test_a_whole_set(void **state) {
  (void)state;
  enum { COUNT = 60000 };
  static uint32_t order[COUNT];
  static uint8_t seen[COUNT];
  uint64_t sum = 0;
  fovea_shuffle(order, COUNT, 768, 3);
  for (size_t i = 0; i < COUNT; i++) {
    assert_true(order[i] < COUNT && !seen[order[i]]);
    seen[order[i]] = 1;
    sum += (i + 1) * order[i];
  }
  assert_int_equal(sum, 54119928034228);
}

static void test_small_counts(void **state) {
  (void)state;
  uint32_t order[2] = {7, 7};
  fovea_shuffle(order, 0, 1, 1);
  assert_int_equal(order[0], 7);
  fovea_shuffle(order, 1, 1, 1);
  assert_int_equal(order[0], 0);
  assert_int_equal(order[1], 7);
}

/* Each of the 24 orders of 4 in 24,000 epochs: chi squared with 23 degrees of freedom, 49.7 is passed once in 1000. */
static void test_orders_are_equally_likely(void **state) {
  (void)state;
  int counts[256] = {0};
  double chi = 0;
  for (uint32_t epoch = 0; epoch < 24000; epoch++) {
    uint32_t order[4];
    fovea_shuffle(order, 4, 768, epoch);
    counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
  }
  for (size_t i = 0; i < 256; i++)
    if (counts[i] > 0) chi += (counts[i] - 1000.0) * (counts[i] - 1000.0) / 1000.0;
  assert_true(chi < 49.7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_philox),
      cmocka_unit_test(test_known_permutations),
      cmocka_unit_test(test_a_whole_set),
      cmocka_unit_test(test_small_counts),
      cmocka_unit_test(test_orders_are_equally_likely),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
