/* Convolutions, forward and backward. */
#include "op/op_test.h"

struct conv_case {
  struct chain_shape shape;
  fovea_conv2d conv;
};

/*         name                  C  H   W   batch count head      filters kernel stride bias same padding */
static const struct conv_case cases[] = {
    {{"one pixel", 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, {1, 1, 1, false, true, 0}},
    {{"one pixel, kernel 7", 3, 1, 1, 5, 5, 3, 0, 0, 0, 0}, {5, 7, 1, true, true, 0}},
    {{"kernel 3", 1, 7, 5, 16, 16, 5, 0, 0, 0, 0}, {7, 3, 1, true, true, 0}},
    {{"kernel 3, partial batch", 3, 5, 7, 64, 37, 7, 0, 0, 0, 0}, {5, 3, 1, true, true, 0}},
    {{"kernel 3, tiles end where rows do", 1, 4, 8, 16, 16, 3, 0, 0, 0, 0}, {3, 3, 1, true, true, 0}},
    {{"kernel 5", 1, 11, 3, 17, 17, 3, 0, 0, 0, 0}, {16, 5, 1, false, true, 0}},
    {{"kernel 7, larger than the image", 1, 3, 5, 5, 5, 16, 0, 0, 0, 0}, {3, 7, 1, true, true, 0}},
    {{"stride 2, even", 1, 8, 6, 5, 5, 5, 0, 0, 0, 0}, {5, 3, 2, true, true, 0}},
    {{"stride 2, odd", 3, 7, 9, 17, 3, 3, 0, 0, 0, 0}, {7, 3, 2, false, true, 0}},
    {{"stride 2, 5 blocks of images", 1, 7, 5, 80, 71, 6, 0, 0, 0, 0}, {5, 3, 2, false, true, 0}},
    {{"stride 2, odd and even", 1, 7, 6, 5, 5, 3, 0, 0, 0, 0}, {5, 3, 2, true, true, 0}},
    {{"stride 2, kernel 1", 1, 5, 4, 16, 11, 3, 0, 0, 0, 0}, {1, 1, 2, true, true, 0}},
    {{"stride 2, kernel 5", 1, 13, 7, 1, 1, 1, 0, 0, 0, 0}, {5, 5, 2, true, true, 0}},
    {{"no padding", 1, 7, 5, 5, 5, 5, 0, 0, 0, 0}, {3, 3, 1, true, false, 0}},
    {{"no padding, one pixel left", 1, 5, 5, 17, 17, 3, 0, 0, 0, 0}, {7, 5, 1, false, false, 0}},
    {{"padding 1 of kernel 5", 1, 5, 6, 5, 5, 5, 0, 0, 0, 0}, {3, 5, 1, true, false, 1}},
    {{"padding 2 of kernel 3: a larger image", 1, 3, 5, 16, 16, 3, 0, 0, 0, 0}, {5, 3, 1, true, false, 2}},
    {{"no padding, stride 2", 1, 7, 10, 5, 4, 5, 0, 0, 0, 0}, {7, 3, 2, false, false, 0}},
    {{"Winograd's, odd sides", 1, 7, 9, 17, 17, 17, 0, 0, 0, 0}, {11, 3, 1, true, true, 0}},
    {{"Winograd's, more channels than one tile", 1, 6, 8, 33, 20, 9, 0, 0, 0, 0}, {41, 3, 1, false, true, 0}},
    {{"Winograd's, no padding", 1, 9, 8, 16, 16, 8, 0, 0, 0, 0}, {8, 3, 1, true, false, 0}},
    {{"Winograd's 4x4", 1, 8, 12, 17, 17, 17, 0, 0, 0, 0}, {11, 3, 1, true, true, 0}},
    {{"Winograd's 4x4, odd sides, more channels than a block", 1, 7, 11, 16, 5, 100, 0, 0, 0, 0},
     {35, 3, 1, false, true, 0}},
    {{"Winograd's, padding 2", 1, 6, 6, 5, 5, 8, 0, 0, 0, 0}, {10, 3, 1, false, false, 2}},
    {{"padding 1, stride 2", 3, 6, 9, 64, 64, 5, 0, 0, 0, 0}, {3, 3, 2, true, false, 1}},
};

static int run(const struct conv_case *c) {
  struct chain chain;
  int x = chain_begin(&chain, &c->shape);
  return chain_end(&chain, chain_conv2d(&chain, x, "op", &c->conv));
}

static void test_conv2d(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* On the images themselves: its weight's gradient alone. */
static void test_first_layer(void **state) {
  (void)state;
  static const struct conv_case first[] = {
      {{"first layer", 3, 5, 7, 17, 17, 0, 0, 0, 0, 0}, {5, 3, 1, true, true, 0}},
  };
  RUN_TABLE(run, first);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_conv2d), cmocka_unit_test(test_first_layer)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
