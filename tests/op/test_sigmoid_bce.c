/* The reconstruction's loss, also where the sigmoid is saturated and clipped. */
#include "op/op_test.h"

static const struct chain_shape cases[] = {
    {"one pixel", 1, 1, 1, 1, 1, 1, 0, 0, false, false},       {"one row", 1, 1, 13, 5, 5, 3, 0, 0, false, false},
    {"one column", 3, 13, 1, 17, 17, 3, 0, 0, false, false},   {"7x5", 5, 7, 5, 16, 16, 1, 0, 0, false, false},
    {"partial batch", 3, 5, 7, 64, 61, 3, 0, 0, false, false},
};

static int run(const struct chain_shape *c) {
  struct chain chain;
  int x = chain_begin(&chain, c);
  return chain_end(&chain, x);
}

static void test_sigmoid_bce(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* Each channel of the one pixel is x, the tail's bias, its weights being 0. The gradient of a bias is dx, summed over
 * the images: nothing where p is clipped, beyond 16.12. float32 has 1 - p to 6e-8 only, so near 1 the loss is no better
 * than p's own rounding: 1e-2 of it here, as in Keras. */
static void test_saturated(void **state) {
  (void)state;
  static const float x[] = {0, 1, -1, 5, -5, 9, -9, 14, -14, 15, -16, -16.2f, 20, -20, 40, -40, 88, -88, 1e30f, -1e30f};
  static const struct chain_shape shape = {"saturated", 20, 1, 1, 17, 13, 1, 0, 0, false, false};
  struct chain chain;
  int h = chain_begin(&chain, &shape);
  chain.given[0] = "tail.weight", chain.given[1] = "tail.bias", chain.values[1] = x;
  chain.loss_rtol = 1e-2;
  int failures = chain_end(&chain, h);
  if (failures) fail_msg("%d comparisons failed", failures);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_sigmoid_bce), cmocka_unit_test(test_saturated)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
