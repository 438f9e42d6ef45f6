/* Transposed convolutions, forward and backward. */
#include "op/op_test.h"

struct transpose_case {
  struct chain_shape shape;
  fovea_conv2d conv;
};

/*         name             C  H  W  batch count head kernel stride     filters kernel stride bias same */
static const struct transpose_case cases[] = {
    {{"one pixel", 1, 1, 1, 1, 1, 1, 0, 1, 0, 0}, {1, 1, 1, false, true, 0}},
    {{"one pixel doubled", 1, 2, 2, 5, 5, 3, 0, 2, 0, 0}, {5, 3, 2, true, true, 0}},
    {{"stride 2", 1, 8, 6, 16, 16, 5, 0, 2, 0, 0}, {5, 3, 2, false, true, 0}},
    {{"stride 2, bias, partial batch", 3, 6, 10, 64, 29, 7, 0, 2, 0, 0}, {7, 3, 2, true, true, 0}},
    {{"stride 2, from an odd image", 1, 7, 5, 17, 17, 3, 0, 2, 0, 0}, {5, 3, 2, true, true, 0}},
    {{"stride 2, kernel 5", 1, 6, 4, 5, 5, 5, 0, 2, 0, 0}, {16, 5, 2, true, true, 0}},
    {{"stride 2, kernel 7", 1, 4, 6, 5, 3, 3, 0, 2, 0, 0}, {3, 7, 2, false, true, 0}},
    {{"stride 2, kernel 1: holes", 1, 4, 6, 5, 5, 3, 0, 2, 0, 0}, {7, 1, 2, true, true, 0}},
    {{"stride 1", 1, 7, 5, 17, 17, 5, 0, 1, 0, 0}, {3, 3, 1, true, true, 0}},
    {{"Winograd's, stride 1", 1, 9, 6, 17, 15, 11, 0, 1, 0, 0}, {9, 3, 1, true, true, 0}},
    {{"stride 1, kernel 5", 3, 3, 11, 16, 7, 16, 0, 1, 0, 0}, {5, 5, 1, false, true, 0}},
};

static int run(const struct transpose_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, chain_conv2d_transpose(&chain, x, "op", &c->conv));
}

static void test_conv2d_transpose(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* Two of one tensor: the second adds to its gradient. */
static int run_shared(const struct transpose_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  int a = chain_conv2d_transpose(&chain, x, "a", &c->conv), b = chain_conv2d_transpose(&chain, x, "b", &c->conv);
  return chain_end(&chain, chain_concat(&chain, a, b));
}

static void test_shared_input(void **state) {
  (void)state;
  static const struct transpose_case shared[] = {
      {{"two of one tensor", 1, 6, 4, 17, 11, 3, 0, 2, 0, 0}, {5, 3, 2, true, true, 0}},
  };
  RUN_TABLE(run_shared, shared);
}

/* Back to the image's sides, of which the head's stride of 2 leaves the half, rounded up. */
static int run_sized(const struct transpose_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  x = fovea_add_conv2d_transpose_sized(chain.graph, x, "op", &c->conv, c->shape.height, c->shape.width);
  return chain_end(&chain, chain_mirror(&chain, x));
}

static void test_sized(void **state) {
  (void)state;
  static const struct transpose_case sized[] = {
      {{"one pixel from one", 1, 1, 1, 5, 4, 3, 3, 2, 0, 0}, {2, 3, 2, true, true, 0}},
      {{"odd sides", 1, 7, 5, 17, 17, 3, 3, 2, 0, 0}, {5, 3, 2, true, true, 0}},
      {{"one odd side, kernel 5", 3, 8, 5, 16, 7, 4, 3, 2, 0, 0}, {4, 5, 2, false, true, 0}},
      {{"odd sides, kernel 1", 1, 3, 9, 5, 5, 3, 3, 2, 0, 0}, {7, 1, 2, true, true, 0}},
      {{"odd sides, Winograd's", 1, 13, 11, 17, 15, 9, 3, 2, 0, 0}, {10, 3, 2, true, true, 0}},
  };
  RUN_TABLE(run_sized, sized);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv2d_transpose), cmocka_unit_test(test_shared_input),
                                     cmocka_unit_test(test_sized)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
