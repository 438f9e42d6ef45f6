/* Batch normalization, alone and with the dropout and the activation that it takes in. */
#include "op/op_test.h"

struct batchnorm_case {
  struct chain_shape shape;
  double momentum, epsilon, rate;
  fovea_activation activation;
};

/*         name            C  H  W  batch count head      momentum epsilon rate activation */
static const struct batchnorm_case cases[] = {
    {{"one value", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 0.99, 1e-3, 0, FOVEA_LINEAR},
    {{"one pixel", 3, 1, 1, 5, 5, 3, 0, 0, 0, 0}, 0.9, 1e-3, 0, FOVEA_LINEAR},
    {{"one image", 3, 7, 5, 1, 1, 5, 0, 0, 0, 0}, 0.5, 1e-3, 0, FOVEA_LINEAR},
    {{"a whole batch", 3, 5, 7, 16, 16, 7, 0, 0, 0, 0}, 0.99, 1e-5, 0, FOVEA_RELU},
    {{"a prime batch", 3, 3, 11, 17, 17, 3, 0, 0, 0, 0}, 0, 1e-3, 0, FOVEA_ELU},
    {{"partial batch", 3, 5, 3, 64, 37, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0, FOVEA_SELU},
    {{"partial batch, one image", 3, 5, 3, 64, 1, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0, FOVEA_SIGMOID},
    {{"16 channels", 3, 2, 3, 5, 5, 16, 0, 0, 0, 0}, 0.99, 1e-3, 0, FOVEA_SIGMOID},
    {{"dropout", 3, 7, 5, 17, 17, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0.2, FOVEA_LINEAR},
    {{"dropout, elu", 3, 3, 3, 5, 5, 7, 0, 0, 0, 0}, 0.99, 1e-3, 0.5, FOVEA_ELU},
    {{"dropout, relu, partial batch", 3, 5, 7, 64, 23, 3, 0, 0, 0, 0}, 0.99, 1e-3, 0.2, FOVEA_RELU},
    {{"dropout, selu", 3, 1, 13, 16, 16, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0.75, FOVEA_SELU},
    {{"dropout, sigmoid", 3, 13, 1, 16, 5, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0.1, FOVEA_SIGMOID},
};

static int run(const struct batchnorm_case *c) {
  struct chain chain;
  int x = chain_batchnorm(&chain, chain_begin(&chain, &c->shape), "op", c->momentum, c->epsilon);
  if (c->rate > 0) x = chain_dropout(&chain, x, c->rate);
  if (c->activation != FOVEA_LINEAR) x = chain_activation(&chain, x, c->activation);
  return chain_end(&chain, x);
}

static void test_batchnorm(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* Its own variance is 0, but padding images, normalized by it, overflow. */
static int run_huge(const struct batchnorm_case *c) {
  const float weight[9] = {1e38f, 1e38f, 1e38f, 1e38f, 1e38f, 1e38f, 1e38f, 1e38f, 1e38f};
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  chain.given[0] = "head.weight", chain.values[0] = weight;
  chain.given[1] = "tail.weight"; /* zeros: in an evaluation there is a variance */
  return chain_end(&chain, chain_batchnorm(&chain, x, "op", c->momentum, c->epsilon));
}

static void test_huge(void **state) {
  (void)state;
  static const struct batchnorm_case huge[] = {{{"a mean of 1e38", 1, 1, 1, 16, 1, 1, 0, 0, 0, 0}, 0.99, 1e-3, 0, 0}};
  RUN_TABLE(run_huge, huge);
}

/* More than op/batchnorm.c's SMALL. */
static void test_large(void **state) {
  (void)state;
  static const struct batchnorm_case large[] = {
      {{"more than 2 MiB", 5, 41, 43, 64, 61, 5, 0, 0, 0, 0}, 0.99, 1e-3, 0.2, FOVEA_ELU},
  };
  RUN_TABLE(run, large);
}

/* Where something else reads what is between, nothing is folded. */
static int run_shared(const struct batchnorm_case *c) {
  struct chain chain;
  int x = chain_batchnorm(&chain, chain_begin(&chain, &c->shape), "op", c->momentum, c->epsilon);
  int a = chain_activation(&chain, chain_dropout(&chain, x, 0.25), FOVEA_ELU);
  int b = chain_activation(&chain, x, FOVEA_SIGMOID);
  return chain_end(&chain, chain_concat(&chain, a, chain_concat(&chain, x, b)));
}

static void test_shared(void **state) {
  (void)state;
  RUN_TABLE(run_shared, cases);
}

/* Activation before dropout is not what is folded: it stays in order. */
static int run_reversed(const struct batchnorm_case *c) {
  struct chain chain;
  int x = chain_batchnorm(&chain, chain_begin(&chain, &c->shape), "op", c->momentum, c->epsilon);
  x = chain_dropout(&chain, chain_activation(&chain, x, FOVEA_SIGMOID), 0.25);
  return chain_end(&chain, chain_activation(&chain, chain_dropout(&chain, x, 0.5), FOVEA_SELU));
}

static void test_reversed(void **state) {
  (void)state;
  RUN_TABLE(run_reversed, cases);
}

/* One place of each kind: a second dropout or activation is an op of its own. */
static int run_twice(const struct batchnorm_case *c) {
  struct chain chain;
  int x = chain_batchnorm(&chain, chain_begin(&chain, &c->shape), "op", c->momentum, c->epsilon);
  x = chain_dropout(&chain, chain_dropout(&chain, x, 0.25), 0.5);
  return chain_end(&chain, chain_activation(&chain, chain_activation(&chain, x, FOVEA_ELU), FOVEA_SIGMOID));
}

/* Two of one tensor: the second adds to its gradient. */
static int run_shared_input(const struct batchnorm_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int a = chain_batchnorm(&chain, x, "a", c->momentum, c->epsilon);
  int b = chain_activation(&chain, chain_batchnorm(&chain, x, "b", c->momentum, c->epsilon), FOVEA_SIGMOID);
  return chain_end(&chain, chain_concat(&chain, a, b));
}

static void test_twice(void **state) {
  (void)state;
  static const struct batchnorm_case twice[] = {
      {{"two of each", 3, 5, 3, 17, 11, 5, 0, 0, 0, 0}, 0.9, 1e-3, 0, FOVEA_LINEAR},
  };
  RUN_TABLE(run_twice, twice);
  RUN_TABLE(run_shared_input, twice);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_batchnorm), cmocka_unit_test(test_large),
                                     cmocka_unit_test(test_huge),      cmocka_unit_test(test_shared),
                                     cmocka_unit_test(test_reversed),  cmocka_unit_test(test_twice)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
