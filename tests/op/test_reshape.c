/* Units that become an image, and the rows of what makes them in the file's order. */
#include "op/op_test.h"

struct reshape_case {
  struct chain_shape shape;
  int c, h, w;
};

static const struct reshape_case cases[] = {
    {{"one unit", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, 1, 1},
    {{"more channels than pixels", 1, 4, 4, 17, 17, 3, 0, 0, 0, 0}, 7, 3, 2},
    {{"a row", 3, 3, 5, 16, 9, 5, 0, 0, 0, 0}, 2, 1, 11},
    {{"partial batch", 1, 5, 3, 64, 37, 2, 0, 0, 0, 0}, 3, 5, 4},
};

static int units(struct chain *chain, int x, const struct reshape_case *c, bool bias) {
  return chain_dense(chain, x, "units", c->c * c->h * c->w, bias);
}

static int run(const struct reshape_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  x = chain_reshape(&chain, units(&chain, x, c, true), c->c, c->h, c->w);
  return chain_end(&chain, chain_activation(&chain, x, FOVEA_ELU));
}

/* Two readers: a gradient that is added to. Between the dense layer and the image a normalization and an activation. */
static int run_twice(const struct reshape_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  x = chain_batchnorm(&chain, units(&chain, x, c, false), "norm", 0.9, 1e-3);
  x = chain_activation(&chain, x, FOVEA_SELU);
  const int a = chain_reshape(&chain, x, c->c, c->h, c->w), b = chain_reshape(&chain, x, c->c, c->h, c->w);
  return chain_end(&chain, chain_concat(&chain, a, chain_activation(&chain, b, FOVEA_RELU)));
}

static void test_reshape(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

static void test_twice(void **state) {
  (void)state;
  RUN_TABLE(run_twice, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_reshape), cmocka_unit_test(test_twice)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
