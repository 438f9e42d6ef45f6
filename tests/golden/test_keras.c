/* The original network on the device against Keras itself: keras.txt, written by make_keras.py with Keras's own layers,
 * losses and Adam. Evaluation, the first step's gradients and moving statistics, and 20 steps; without dropout, whose
 * masks Keras draws itself. Tolerances: golden_follow. The learning rate is a tenth or a hundredth of the usual one,
 * and the blocks have elu or selu: a relu within rounding of 0 sends the two ways apart (see test_training.c; it
 * happened here in step 8 of "plain" and in step 0 of "original" when they had relu). */
#include "golden/golden.h"

/* clang-format off */
static const struct golden_case cases[] = { /* as in make_keras.py */
    {"original", 1, 16, 16, {35, 25, 15, 5}, 4, 3, 2,
     FOVEA_ELU, FOVEA_ATTENTION_SPATIAL, true, 0, 0.001, 6, 16, 768, 0.01},
    {"colour", 3, 12, 8, {9, 7, 5, 3}, 4, 2, 3,
     FOVEA_SELU, FOVEA_ATTENTION_SPATIAL, true, 0, 0.01, 21, 113, 99, 0.1},
    {"plain", 1, 10, 6, {9, 7, 3}, 3, 2, 2,
     FOVEA_ELU, FOVEA_ATTENTION_NONE, false, 0, 0.001, 16, 64, 5ull << 32 | 7, 0.1},
};
/* clang-format on */

static void test_case(void **state) {
  struct golden_run r = golden_run_case("keras.txt", *state);
  assert_int_equal(r.evaluations, 3);
  assert_int_equal(r.gradients + r.moving, r.tensors); /* every parameter has the one or the other */
}

int main(void) {
  enum { COUNT = sizeof cases / sizeof *cases };
  struct CMUnitTest tests[COUNT];
  for (int i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){.name = cases[i].name, .test_func = test_case, .initial_state = (void *)&cases[i]};
  return cmocka_run_group_tests(tests, open_device, close_device);
}
