/* Activations and dropout that nothing takes in. */
#include "op/op_test.h"

#include "graph/op.h"

struct activation_case {
  struct chain_shape shape;
  fovea_activation activation;
  double rate;
};

/*         name        C  H  W  batch count head      activation rate */
static const struct activation_case cases[] = {
    {{"linear", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, FOVEA_LINEAR, 0},
    {{"elu", 1, 7, 5, 5, 5, 3, 0, 0, 0, 0}, FOVEA_ELU, 0},
    {{"relu", 3, 5, 5, 17, 17, 5, 0, 0, 0, 0}, FOVEA_RELU, 0},
    {{"selu", 1, 3, 11, 16, 16, 7, 0, 0, 0, 0}, FOVEA_SELU, 0},
    {{"sigmoid, partial batch", 1, 5, 3, 64, 50, 16, 0, 0, 0, 0}, FOVEA_SIGMOID, 0},
    {{"dropout", 1, 7, 3, 5, 5, 3, 0, 0, 0, 0}, FOVEA_LINEAR, 0.2},
    {{"dropout of one pixel", 3, 1, 1, 17, 17, 5, 0, 0, 0, 0}, FOVEA_LINEAR, 0.5},
    {{"dropout, elu", 1, 2, 3, 16, 16, 5, 0, 0, 0, 0}, FOVEA_ELU, 0.3},
    {{"dropout, relu", 1, 5, 7, 5, 5, 5, 0, 0, 0, 0}, FOVEA_RELU, 0.2},
    {{"dropout, selu, partial batch", 1, 5, 5, 64, 17, 1, 0, 0, 0, 0}, FOVEA_SELU, 0.75},
    {{"dropout, sigmoid", 1, 4, 4, 5, 5, 7, 0, 0, 0, 0}, FOVEA_SIGMOID, 0.001},
    {{"zero weights: every relu at its corner", 1, 4, 4, 5, 5, 3, 0, 0, 0, 0}, FOVEA_RELU, 0},
};

/* Each of the list, after a dropout. */
static void test_every_activation(void **state) {
  (void)state;
  int failures = 0;
  for (int i = 0; i < FOVEA_ACTIVATION_COUNT; i++) {
    const fovea_activation activation = (fovea_activation)i;
    const struct chain_shape shape = {fovea_activation_name(activation), 3, 5, 7, 17, 11, 5, 0, 0, 0, 0};
    struct chain chain;
    int x = chain_begin(&chain, &shape);
    x = chain_activation(&chain, x, activation);
    failures += chain_end(&chain, chain_activation(&chain, chain_dropout(&chain, x, 0.25), activation));
  }
  if (failures) fail_msg("%d comparisons failed", failures);
}

static int run(const struct activation_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  if (c == &cases[COUNT(cases) - 1]) chain.given[0] = "head.weight";
  if (c->rate > 0) x = chain_dropout(&chain, x, c->rate);
  return chain_end(&chain, chain_activation(&chain, x, c->activation));
}

static void test_activation(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* One tensor under three activations and two masks. */
static int run_shared(const struct activation_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int a = chain_activation(&chain, chain_dropout(&chain, x, 0.5), FOVEA_SELU);
  int b = chain_dropout(&chain, chain_activation(&chain, x, FOVEA_SIGMOID), 0.25);
  int d = chain_activation(&chain, chain_activation(&chain, x, FOVEA_ELU), FOVEA_SIGMOID);
  return chain_end(&chain, chain_concat(&chain, chain_concat(&chain, a, b), d));
}

static void test_shared(void **state) {
  (void)state;
  RUN_TABLE(run_shared, cases);
}

/* Of the images, whose gradient nobody wants. */
static int run_of_input(const struct activation_case *c) {
  struct chain_shape shape = c->shape;
  struct chain chain;
  shape.head = 0;
  int x = chain_begin(&chain, &shape);
  x = chain_activation(&chain, chain_dropout(&chain, x, 0.5), FOVEA_SIGMOID);
  return chain_end(&chain, x);
}

static void test_of_input(void **state) {
  (void)state;
  RUN_TABLE(run_of_input, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_activation), cmocka_unit_test(test_every_activation),
                                     cmocka_unit_test(test_shared), cmocka_unit_test(test_of_input)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
