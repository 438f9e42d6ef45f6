/* The images: a network that is nothing but them, and one that reads them twice. */
#include "op/op_test.h"

static const struct chain_shape cases[] = {
    {"one pixel", 1, 1, 1, 1, 1, 0, 0, 0, 0, 0},
    {"three channels, a prime batch", 3, 5, 7, 17, 17, 0, 0, 0, 0, 0},
    {"partial batch", 2, 3, 11, 64, 37, 0, 0, 0, 0, 0},
};

static int run(const struct chain_shape *shape) {
  struct chain chain;
  return chain_end(&chain, chain_begin(&chain, shape));
}

static int run_twice(const struct chain_shape *shape) {
  struct chain chain;
  int x = chain_begin(&chain, shape);
  return chain_end(&chain, chain_concat(&chain, x, chain_activation(&chain, x, FOVEA_SIGMOID)));
}

static void test_input(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

static void test_twice(void **state) {
  (void)state;
  RUN_TABLE(run_twice, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_input), cmocka_unit_test(test_twice)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
