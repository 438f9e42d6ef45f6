/* The memory plan: no two tensors alive at once overlap, every slab is within the limit, and memory is shared where it
 * can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan/placement.h"

/* Sizes of a kind are multiples of its unit, and so are distances of those that share memory. */
static size_t unit_of(const fovea_lifetime *t) { return (size_t)16 << t->kind; }

static void assert_valid(const fovea_lifetime *t, size_t count, const size_t *sizes, size_t slabs, size_t limit) {
  for (size_t i = 0; i < count; i++) {
    assert_in_range(t[i].slab, 0, slabs - 1);
    assert_true(t[i].offset + t[i].size <= sizes[t[i].slab]);
    assert_true(sizes[t[i].slab] <= limit);
    for (size_t j = 0; j < i; j++) {
      int in_time = t[i].kind != t[j].kind || (t[i].first <= t[j].last && t[j].first <= t[i].last);
      int in_space =
          t[i].slab == t[j].slab && t[i].offset < t[j].offset + t[j].size && t[j].offset < t[i].offset + t[i].size;
      assert_false(in_time && in_space);
      if (in_space) assert_int_equal((t[i].offset - t[j].offset) % unit_of(&t[i]), 0);
    }
  }
}

static void test_shares(void **state) {
  (void)state;
  /* a and c never meet; b meets both: two places are enough */
  fovea_lifetime t[] = {
      {.size = 64, .first = 0, .last = 1}, {.size = 64, .first = 1, .last = 2}, {.size = 64, .first = 2, .last = 3}};
  size_t *sizes, slabs;
  assert_int_equal(fovea_place(t, 3, 1000, &sizes, &slabs), FOVEA_OK);
  assert_valid(t, 3, sizes, slabs, 1000);
  assert_int_equal(slabs, 1);
  assert_int_equal(sizes[0], 128);
  assert_int_equal(t[0].offset, t[2].offset);
  free(sizes);
}

static void test_limit(void **state) {
  (void)state;
  fovea_lifetime t[] = {
      {.size = 64, .first = 0, .last = 9}, {.size = 64, .first = 0, .last = 9}, {.size = 32, .first = 5, .last = 5}};
  size_t *sizes, slabs;
  assert_int_equal(fovea_place(t, 3, 100, &sizes, &slabs), FOVEA_OK);
  assert_valid(t, 3, sizes, slabs, 100);
  assert_int_equal(slabs, 2);
  free(sizes);
  assert_int_equal(fovea_place(t, 3, 63, &sizes, &slabs), FOVEA_NO_MEMORY);
}

static void test_none(void **state) {
  (void)state;
  size_t something = 1, *sizes = &something, slabs = 7;
  assert_int_equal(fovea_place(NULL, 0, 100, &sizes, &slabs), FOVEA_OK);
  assert_null(sizes);
  assert_int_equal(slabs, 0);
}

static void test_random(void **state) {
  (void)state;
  enum { COUNT = 120, ROUNDS = 50, LIMIT = 5000 };
  uint32_t seed = 768;
  for (int round = 0; round < ROUNDS; round++) {
    fovea_lifetime t[COUNT];
    for (int i = 0; i < COUNT; i++) {
      seed = seed * 1664525u + 1013904223u;
      int first = (int)(seed >> 24), length = (int)(seed >> 16 & 31);
      t[i] = (fovea_lifetime){.first = first, .last = first + length, .kind = (int)(seed >> 14 & 3)};
      t[i].size = unit_of(&t[i]) * (1 + (seed >> 8 & 15));
    }
    size_t *sizes, slabs;
    assert_int_equal(fovea_place(t, COUNT, LIMIT, &sizes, &slabs), FOVEA_OK);
    assert_valid(t, COUNT, sizes, slabs, LIMIT);
    free(sizes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_shares), cmocka_unit_test(test_limit),
                                     cmocka_unit_test(test_none), cmocka_unit_test(test_random)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
