/* Shards are fair: each configuration is in one, their sizes differ by at most one, and levels are spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reach/shard.h"

static void each_item_once(void **state) {
  (void)state;
  for (size_t count = 1; count <= 9; count++) {
    for (size_t items = 1; items <= 70; items++) {
      size_t least = items, most = 0, all = 0;
      for (size_t index = 1; index <= count; index++) {
        size_t has = 0;
        for (size_t i = 0; i < items; i++) has += shard_has(&(shard){index, count}, i);
        least = has < least ? has : least;
        most = has > most ? has : most;
        all += has;
      }
      assert_int_equal(all, items);
      assert_in_range(most - least, 0, 1);
    }
  }
}

/* 32 configurations, four activations of 2 x 2 x 2: with eight shards each has every activation, and both levels of the
 * innermost factor. */
static void levels_are_spread(void **state) {
  (void)state;
  for (size_t index = 1; index <= 8; index++) {
    size_t activations = 0, inner[2] = {0, 0};
    for (size_t i = 0; i < 32; i++) {
      if (!shard_has(&(shard){index, 8}, i)) continue;
      activations |= (size_t)1 << (i / 8);
      inner[i % 2]++;
    }
    assert_int_equal(activations, 15);
    assert_int_equal(inner[0], 2);
    assert_int_equal(inner[1], 2);
  }
}

static void all_of_it(void **state) {
  (void)state;
  shard s;
  assert_int_equal(shard_parse(NULL, &s), FOVEA_OK);
  for (size_t i = 0; i < 5; i++) assert_true(shard_has(&s, i));
  assert_int_equal(shard_parse("3/8", &s), FOVEA_OK);
  assert_int_equal(s.index, 3);
  assert_int_equal(s.count, 8);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_item_once), cmocka_unit_test(levels_are_spread),
                                     cmocka_unit_test(all_of_it)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
