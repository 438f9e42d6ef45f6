/* The sum of two tensors: of different ones, of one twice, of the images, and where others read the same. */
#include "op/op_test.h"

static const fovea_conv2d conv = {.filters = 5, .kernel = 3, .stride = 1, .bias = true, .same = true};

static int sum(struct chain *chain, int a, int b) {
  return chain_mirror(chain, fovea_add_residual(chain->graph, a, b));
}

static int plain(struct chain *chain, int x) { return sum(chain, x, chain_conv2d(chain, x, "a", &conv)); }

static int twice(struct chain *chain, int x) { return sum(chain, x, x); }

static int images(struct chain *chain, int x) {
  (void)x;
  return sum(chain, chain_conv2d(chain, 0, "a", &conv), 0);
}

/* A block as it is used; its activation is fused with nothing. */
static int block(struct chain *chain, int x) {
  int y =
      chain_activation(chain, chain_batchnorm(chain, chain_conv2d(chain, x, "a", &conv), "bn", 0.9, 1e-3), FOVEA_RELU);
  return chain_activation(chain, sum(chain, chain_conv2d(chain, y, "b", &conv), x), FOVEA_ELU);
}

/* Operands and sums that lie in concatenations, and are read after them: gradients that are added to. */
static int slices(struct chain *chain, int x) {
  const int a = chain_conv2d(chain, x, "a", &conv), s = sum(chain, x, a);
  const int both = chain_concat(chain, a, s);
  return sum(chain, chain_conv2d(chain, both, "b", &conv), sum(chain, s, a));
}

struct residual_case {
  struct chain_shape shape;
  int (*build)(struct chain *chain, int x);
};

static const struct residual_case cases[] = {
    {{"one pixel", 1, 1, 1, 1, 1, 5, 0, 0, 0, 0}, plain},
    {{"partial batch", 3, 5, 7, 64, 37, 5, 0, 0, 0, 0}, plain},
    {{"one tensor twice", 1, 5, 3, 17, 17, 5, 0, 0, 0, 0}, twice},
    {{"the images", 5, 4, 3, 16, 16, 0, 0, 0, 0, 0}, images},
    {{"a block", 1, 7, 5, 17, 11, 5, 0, 0, 0, 0}, block},
    {{"slices", 3, 3, 11, 33, 33, 5, 0, 0, 0, 0}, slices},
};

static int run(const struct residual_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, c->build(&chain, x));
}

static void test_residual(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

static void test_other_shape(void **state) {
  fovea_graph *graph = NULL;
  (void)state;
  assert_int_equal(fovea_graph_create(&graph), FOVEA_OK);
  const fovea_tensor x = fovea_add_input(graph, 3, 4, 4);
  assert_int_equal(fovea_add_residual(graph, x, fovea_add_conv2d(graph, x, "a", &conv)), -1);
  assert_non_null(strstr(fovea_error_message(), "residual: a is 3x4x4, b 5x4x4"));
  fovea_graph_destroy(graph);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_residual), cmocka_unit_test(test_other_shape)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
