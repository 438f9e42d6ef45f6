/* Dense layers, by our kernels and by CLBlast. */
#include "op/op_test.h"

struct dense_case {
  struct chain_shape shape;
  int units;
  bool bias;
};

/*         name                C  H  W  batch count head      units bias */
static const struct dense_case cases[] = {
    {{"one value", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, false},
    {{"three values", 3, 1, 1, 5, 5, 3, 0, 0, 0, 0}, 7, true},
    {{"an image", 1, 3, 5, 17, 17, 5, 0, 0, 0, 0}, 13, false},
    {{"an image, bias", 1, 5, 3, 16, 16, 3, 0, 0, 0, 0}, 5, true},
    {{"partial batch", 3, 2, 7, 64, 41, 7, 0, 0, 0, 0}, 16, true},
    {{"more units than values, 7 blocks of images", 1, 1, 2, 112, 101, 3, 0, 0, 0, 0}, 37, false},
};

static const struct dense_case clblast_cases[] = {
    {{"clblast: an image", 1, 3, 5, 5, 5, 3, 0, 0, 0, 0}, 7, false},
    {{"clblast: partial batch", 1, 2, 3, 17, 16, 5, 0, 0, 0, 0}, 13, false},
};

static int run(const struct dense_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int failures = chain_end(&chain, chain_dense(&chain, x, "op", c->units, c->bias));
  const char *asked = getenv("FOVEA_BLAS");
  if (chain.blas && strcmp(chain.blas, asked ? asked : "builtin") == 0) return failures;
  fprintf(stderr, "%s: the network used %s\n", c->shape.name, chain.blas ? chain.blas : "nothing");
  return failures + 1;
}

static void test_builtin(void **state) {
  (void)state;
  unsetenv("FOVEA_BLAS");
  RUN_TABLE(run, cases);
}

static void test_clblast(void **state) {
  (void)state;
  setenv("FOVEA_BLAS", "clblast", 1);
  RUN_TABLE(run, clblast_cases);
  unsetenv("FOVEA_BLAS");
}

/* The dense layer's output is read twice, so its gradient is a sum. */
static int run_shared(const struct dense_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int a = chain_dense(&chain, x, "a", c->units, c->bias), b = chain_dense(&chain, x, "b", c->units, c->bias);
  return chain_end(&chain, chain_concat(&chain, chain_concat(&chain, a, b), a));
}

static void test_shared_input(void **state) {
  (void)state;
  RUN_TABLE(run_shared, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_builtin), cmocka_unit_test(test_shared_input),
                                     cmocka_unit_test(test_clblast)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
