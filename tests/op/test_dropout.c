/* Dropout that nothing takes in. */
#include "op/op_test.h"

struct dropout_case {
  struct chain_shape shape;
  double rate;
};

static const struct dropout_case cases[] = {
    {{"of floats", 1, 7, 3, 5, 5, 3, 0, 0, 0, 0}, 0.2},
    {{"one pixel", 3, 1, 1, 17, 17, 5, 0, 0, 0, 0}, 0.5},
    {{"rate 0", 1, 4, 4, 16, 16, 3, 0, 0, 0, 0}, 0},
    {{"of the images, partial batch", 3, 5, 5, 64, 37, 0, 0, 0, 0, 0}, 0.75},
};

static int run(const struct dropout_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, chain_dropout(&chain, x, c->rate));
}

/* Each has a mask of its own, and the second of two is not done by the first. */
static int run_twice(const struct dropout_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, chain_dropout(&chain, chain_dropout(&chain, x, c->rate), c->rate));
}

static void test_dropout(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

static void test_twice(void **state) {
  (void)state;
  RUN_TABLE(run_twice, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_dropout), cmocka_unit_test(test_twice)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
