/* Channel attention; where pixels tie, the maximum's gradient is shared. */
#include "op/op_test.h"

/*         name                        C  H  W  batch count head kernel stride constant equal */
static const struct chain_shape cases[] = {
    {"one pixel", 1, 1, 1, 1, 1, 1, 0, 0, false, false},
    {"one pixel, 5 channels", 3, 1, 1, 5, 5, 5, 0, 0, false, false},
    {"3x4", 1, 3, 4, 16, 16, 3, 0, 0, false, false},
    {"7x5", 1, 7, 5, 17, 17, 7, 0, 0, false, false},
    {"33 channels, two hidden units", 3, 3, 2, 5, 5, 33, 0, 0, false, false},
    {"16 channels, partial batch", 3, 5, 11, 64, 19, 16, 0, 0, false, false},
    {"constant images: all pixels tie", 1, 5, 5, 5, 5, 5, 1, 0, true, false},
    {"all pixels tie, two hidden units", 1, 3, 5, 17, 17, 33, 1, 0, true, false},
    {"all pixels tie, four hidden units", 3, 5, 4, 5, 5, 64, 1, 0, true, false},
    {"all pixels and channels tie", 3, 4, 3, 17, 13, 7, 1, 0, true, true},
};

static int run(const struct chain_shape *c) {
  struct chain chain;
  int x = chain_begin(&chain, c);
  return chain_end(&chain, chain_channel_attention(&chain, x, "op"));
}

static void test_channel_attention(void **state) {
  (void)state;
  RUN_TABLE(run, cases);
}

/* The op's input has another reader: its gradient is added to. */
static int run_shared(const struct chain_shape *c) {
  struct chain chain;
  int x = chain_begin(&chain, c);
  return chain_end(&chain, chain_concat(&chain, x, chain_channel_attention(&chain, x, "op")));
}

static void test_shared(void **state) {
  (void)state;
  RUN_TABLE(run_shared, cases);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_channel_attention), cmocka_unit_test(test_shared)};
  return cmocka_run_group_tests(tests, NULL, chain_close);
}
