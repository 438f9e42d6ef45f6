/* 20 training steps on the device against PyTorch's in double precision: training.txt, written by make_training.py,
 * from the same weights, images, order, masks and samples, all of them from Philox.
 *
 * Tolerances (golden_follow): losses within 1e-5, what the steps leave behind within 1e-4. No single precision holds
 * them everywhere, and training.txt has the evidence: beside each number stands how far PyTorch's own single precision
 * is from its double, the most of five draws (golden.py). A difference may be GOLDEN_NOISE times that, if it is more.
 * Two things make it large:
 * - A gate within rounding of its kink. In the seed network without dropout, batch 16, one relu of 3 million has the
 *   input 4.7e-7; PyTorch in double with that one gate flipped changes a gradient by 1e-3, to the value that a device
 *   gives. The maxima of attention are gates, too.
 * - Adam's first steps move every weight by about the learning rate whatever its gradient's size, so what a gate did to
 *   a small gradient is as large as the step. At the usual rate the losses of the seed network are 1e-4 apart after one
 *   step and 1e-3 after seven: there the losses are checked, and the weights cannot be.
 * At a tenth of the rate the small networks stay within 2e-7 of their cross-entropy and 3e-6 of their weights, so the
 * tolerances as they stand decide. */
#include "golden/golden.h"

#include "support/gpu_path.h"

/* clang-format off */
static const struct golden_case cases[] = { /* as in make_training.py */
    {"seed", 1, 28, 28, {35, 25, 15, 5}, 4, 3, 2,
     FOVEA_RELU, FOVEA_ATTENTION_SPATIAL, true, 0.2, 0.001, 64, 256, 768, 1},
    {"seed_hundredth", 1, 28, 28, {35, 25, 15, 5}, 4, 3, 2,
     FOVEA_RELU, FOVEA_ATTENTION_SPATIAL, true, 0.2, 0.001, 16, 40, 768, 0.01},
    {"colour_tenth", 3, 12, 8, {9, 7, 5, 3}, 4, 2, 3,
     FOVEA_SELU, FOVEA_ATTENTION_CBAM, true, 0.3, 0.01, 21, 113, 99, 0.1},
    {"plain_tenth", 1, 10, 6, {9, 7, 3}, 3, 2, 2,
     FOVEA_SIGMOID, FOVEA_ATTENTION_NONE, false, 0, 0.001, 16, 64, 5ull << 32 | 7, 0.1},
};
/* clang-format on */

static void test_case(void **state) { golden_run_case("training.txt", *state); }

/* All of them, or those of the names that GOLDEN_CASES has, as "seed*". By a GPU's path the seed network's batch of 16
 * images stands for that of 64, too. */
int main(void) {
  if (getenv("GOLDEN_CASES")) cmocka_set_test_filter(getenv("GOLDEN_CASES"));
  enum { COUNT = sizeof cases / sizeof *cases };
  struct CMUnitTest tests[COUNT], shorter[COUNT - 1];
  for (int i = 0; i < COUNT; i++)
    tests[i] = (struct CMUnitTest){.name = cases[i].name, .test_func = test_case, .initial_state = (void *)&cases[i]};
  memcpy(shorter, tests + 1, sizeof shorter);
  return on_gpu_path() ? cmocka_run_group_tests(shorter, open_device, close_device)
                       : cmocka_run_group_tests(tests, open_device, close_device);
}
