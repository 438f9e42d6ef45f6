/* The fair sample: known answers by tests/golden/philox.py's fair_sample, and what is fair of any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fovea/data.h"

enum { MOST = 300, MOST_LABELS = 300 };

static void check(const uint16_t *labels, size_t n, size_t count, const uint32_t *expected) {
  uint32_t index[MOST];
  assert_int_equal(fovea_dataset_sample(labels, n, count, index), FOVEA_OK);
  for (size_t i = 0; i < count; i++)
    if (index[i] != expected[i])
      fail_msg("place %zu of %zu of %zu is %u, expected %u", i, count, n, index[i], expected[i]);
}

static void known_answers(void **state) {
  (void)state;
  uint16_t squares[40], unequal[100], even[41];
  for (unsigned i = 0; i < 40; i++) squares[i] = (uint16_t)(i * i % 7);
  for (int i = 0; i < 100; i++) unequal[i] = i < 90 ? 0 : i < 99 ? 1 : 2;
  for (int i = 0; i < 41; i++) even[i] = i == 40 ? 60000 : i % 2 == 0 ? 3 : 1;
  check(squares, 40, 12, (uint32_t[]){2, 8, 9, 11, 18, 23, 24, 28, 32, 34, 35, 36});
  check(NULL, 40, 5, (uint32_t[]){2, 8, 23, 24, 36});
  check(unequal, 100, 10, (uint32_t[]){2, 8, 23, 36, 56, 59, 68, 72, 94, 99});
  check(unequal, 100, 2, (uint32_t[]){8, 23});
  check(even, 41, 7, (uint32_t[]){2, 8, 9, 19, 23, 36, 40});
}

static void all_of_them(void **state) {
  (void)state;
  uint32_t index[4] = {9, 9, 9, 9};
  assert_int_equal(fovea_dataset_sample(NULL, 3, 5, index), FOVEA_OK);
  assert_memory_equal(index, ((uint32_t[]){0, 1, 2, 9}), sizeof index);
  assert_int_equal(fovea_dataset_sample(NULL, 3, 3, index), FOVEA_OK);
  assert_memory_equal(index, ((uint32_t[]){0, 1, 2, 9}), sizeof index);
  assert_int_equal(fovea_dataset_sample(NULL, 3, 0, index), FOVEA_OK);
  assert_int_equal(fovea_dataset_sample(NULL, 3, 3, NULL), FOVEA_INVALID);
}

/* Of every size: as many as asked for, ascending; a class within one of its share, but for those that are given one. */
static void fair_of_every_size(void **state) {
  (void)state;
  uint16_t labels[MOST];
  uint32_t index[MOST];
  size_t there[MOST_LABELS] = {0};
  for (size_t i = 0; i < MOST; i++)
    there[labels[i] = (uint16_t)(i % 7 == 0 ? 9 : i % 30 == 1 ? 4 : i == 5 ? 299 : 0)]++;
  for (size_t count = 1; count < MOST; count++) {
    size_t taken[MOST_LABELS] = {0}, classes = 0;
    assert_int_equal(fovea_dataset_sample(labels, MOST, count, index), FOVEA_OK);
    for (size_t i = 0; i < count; i++) {
      assert_true(index[i] < MOST && (i == 0 || index[i] > index[i - 1]));
      taken[labels[index[i]]]++;
    }
    for (size_t l = 0; l < MOST_LABELS; l++) {
      classes += taken[l] > 0;
      const double share = (double)(count * there[l]) / MOST;
      const double off = (double)taken[l] - share;
      if (!(off > -3 && off < 1 + (share < 1)))
        fail_msg("%zu of %zu: label %zu has %zu", count, (size_t)MOST, l, taken[l]);
    }
    if (count >= 4) assert_int_equal(classes, 4);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_answers), cmocka_unit_test(all_of_them),
                                     cmocka_unit_test(fair_of_every_size)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
